"""What is wrong with shapes, names, layers and costs: the exact messages, all at once, with line and column."""

from __future__ import annotations

import pytest

from tests.assembly.specs import problems

WHOLE_SPECS = {
    "the weights of two layers do not fit": (
        """\
        inputs: {x: [1, 2, 3]}
        targets: {y: [1]}
        layers:
          - dense: {units: 2, activation: tanh}
          - dense: {weights: [[1, 2, 3]]}
        loss: mse
        """,
        ["5:22: the weights are 1 x 3, not 1 x 2 (units x inputs): 'a1' is a list of 2 (4:5)"],
    ),
    "the target does not fit the output": (
        """\
        inputs: {x: [1, 2, 3]}
        targets: {y: [1, 2]}
        layers:
          - dense: {units: 3}
        loss: mse
        """,
        ["2:14: the target 'y' is a list of 2 (2:14), the output 'a1' a list of 3 (4:5)"],
    ),
    "the target of a batch does not fit the output": (
        """\
        inputs: {x: [[1, 2], [3, 4]]}
        targets: {y: [[1, 2], [3, 4]]}
        layers:
          - dense: {units: 3}
        loss: bce
        """,
        ["2:14: the target 'y' is a list of 2 per sample (2:14), the output 'a1' a list of 3 per sample (4:5)"],
    ),
    "numbers of samples": (
        """\
        inputs: {x: [[1, 2], [3, 4]]}
        targets: {y: [[1, 2, 3]]}
        layers:
          - dense: {units: 3}
        loss: mse
        """,
        ["2:14: 'y' has 1 sample, but 'x' (1:13) has 2"],
    ),
    "one class number for a batch": (
        """\
        inputs: {x: [[1, 2], [3, 4]]}
        targets: {y: 2}
        layers:
          - dense: {units: 3}
        loss: cross_entropy
        """,
        ["2:14: the target 'y' is a single number (2:14), the output 'a1' a list of 3 per sample (4:5)"],
    ),
    "one number as the target of a batch": (
        """\
        inputs: {x: [[1, 2], [3, 4]]}
        targets: {y: 2}
        layers:
          - dense: {units: 1}
        loss: mse
        """,
        ["2:14: the target 'y' is a single number (2:14), the output 'a1' a list of 1 per sample (4:5)"],
    ),
    "names in another case": (
        """\
        inputs: {x: 1}
        parameters: {W: 1, V: 2}
        equations:
          - L = x*W*V
        loss: l
        frozen: [w]
        regularise: {l2: 1, of: [v]}
        """,
        [
            "5:7: the loss 'l' is not the left side of an equation; did you mean 'L'?",
            "6:10: no parameter is called 'w'; did you mean 'W'?",
            "7:26: no parameter is called 'v'; did you mean 'V'?",
        ],
    ),
    "class numbers": (
        """\
        inputs: {x: [[1, 2], [3, 4]]}
        targets: {y: [2, 3]}
        layers:
          - dense: {units: 3}
        loss: cross_entropy
        """,
        ["2:18: 3 is no class; 'a1' has classes from 0 to 2"],
    ),
    "a class number that is no whole number": (
        """\
        inputs: {x: [1, 2]}
        targets: {y: 0.5}
        layers:
          - dense: {units: 3}
        loss: nll
        """,
        ["2:14: 0.5 is no class; 'a1' has classes from 0 to 2"],
    ),
    "no target": (
        """\
        inputs: {x: [1, 2]}
        layers:
          - dense: {units: 3}
        loss: mse
        """,
        ["4:7: mse compares the output with one target, and there is none"],
    ),
    "two targets": (
        """\
        inputs: {x: [1, 2]}
        targets: {y: 1, t: 2}
        layers:
          - dense: {units: 1}
        loss: mse
        """,
        ["5:7: mse compares the output with one target, and there are 2 (y, t)"],
    ),
    "two inputs": (
        """\
        inputs: {x: [1, 2], u: 1}
        targets: {y: 1}
        layers:
          - dense: {units: 1}
        loss: mse
        """,
        ["4:5: there are 2 inputs (x, u); say with 'from' which one the first layer takes"],
    ),
    "a dense layer of a number": (
        """\
        inputs: {x: 3}
        targets: {y: 1}
        layers:
          - dense: {units: 1}
        loss: mse
        """,
        ["4:12: a dense layer takes a vector, but 'x' is a single number (1:13)"],
    ),
    "a softmax of a number": (
        """\
        inputs: {x: 3}
        targets: {y: 1}
        layers: [softmax]
        loss: mse
        """,
        ["3:10: softmax needs a vector, but 'x' is a single number (1:13)"],
    ),
    "an input of three axes": (
        """\
        inputs: {x: [[[1, 2]], [[3, 4]]]}
        targets: {y: 1}
        layers: [tanh]
        loss: mse
        """,
        [
            "1:13: 'x' is 2 x 1 x 2; layers take a vector, or a list of vectors as a batch; say 'batch: true' or "
            "'batch: false'",
            "2:14: the target 'y' is a single number (2:14), the output 'a1' 2 x 1 x 2 (3:10)",
        ],
    ),
    "names that collide with those of layers": (
        """\
        inputs: {x: [1, 2], z1: 3}
        targets: {y: 1}
        parameters: {b1: 3}
        layers:
          - dense: {units: 1, from: x}
          - equations:
            - J[i] = a1[i]
            - a3[i] = a1[i]
          - tanh
        loss: mse
        """,
        [
            "1:21: 'z1' is the name of the weighted sums of layer 1; choose another one",
            "3:14: 'b1' is the name of the biases of layer 1; choose another one",
            "7:7: 'J' is the name of the cost; choose another name",
            "8:7: 'a3' is the name of the output of layer 3; choose another name",
        ],
    ),
    "an input with the name of the layer's weights": (
        """\
        inputs: {W1: [[1, 2], [3, 4]]}
        targets: {y: 1}
        layers:
          - conv1d: {filters: 1, kernel: 2}
          - dense: {units: 1, from: V}
        loss: mse
        """,
        [
            "1:10: 'W1' is the name of the kernels of layer 1; choose another one",
            "5:29: 'V' is not defined",
        ],
    ),
    "a target with the name of the layer's sums": (
        """\
        inputs: {x: [1, 2]}
        targets: {z1: [1]}
        layers:
          - dense: {units: 1}
        loss: sum((a1[i] - z1[i])**2, i)
        """,
        ["2:11: 'z1' is the name of the weighted sums of layer 1; choose another one"],
    ),
    "yhat for something else": (
        """\
        inputs: {x: [1, 2]}
        targets: {yhat: 1}
        layers:
          - dense: {units: 1}
        loss: mse
        """,
        ["2:17: 'yhat' is another name of the last output, 'a1'; choose another one"],
    ),
    "two layers of one name": (
        """\
        inputs: {x: [1, 2]}
        targets: {y: 1}
        layers:
          - tanh: {name: out}
          - tanh: {name: out}
        loss: expression(1)
        """,
        [
            "5:5: 'a_out' would be the output of layer 2 and the output of layer 1; give one of them another name",
            "6:7: unknown function 'expression'",
        ],
    ),
    "what a layer takes": (
        """\
        inputs: {x: [1, 2]}
        targets: {y: 1}
        layers:
          - dense: {units: 1, from: xx}
          - dense: {units: 1, from: [a3]}
          - dense: {units: 1, share: [W9, b]}
        loss: mse
        """,
        [
            "4:29: 'xx' is not defined; did you mean 'x'?",
            "5:30: 'a3' is not defined; a layer takes what stands before it",
        ],
    ),
    "what a layer shares": (
        """\
        inputs: {x: [1, 2]}
        targets: {y: 1}
        layers:
          - dense: {units: 3}
          - dense: {units: 1, share: W9}
          - dense: {share: W1, from: x, weights: [[1, 2]], bias: 1}
          - dense: {share: [W1, b1], units: 1, from: a1}
        loss: mse
        """,
        [
            "5:30: no parameter is called 'W9'; share the parameter of a layer before this one",
            "6:42: 'weights' is given, and 'W1' is shared as well; keep one of them",
            "7:20: the shared biases 'b1' are a list of 3 for 1 unit",
            "7:20: the shared weights 'W1' are 3 x 2, not 1 x 3 (units x inputs): 'a1' is a list of 3 (4:5)",
        ],
    ),
    "connections": (
        """\
        inputs: {x: [1, 2]}
        targets: {y: 1}
        layers:
          - dense: {weights: [[1, 2]], connections: [[1, 0]]}
          - dense: {connections: [[1, 0]]}
        loss: mse
        """,
        ["4:27: unit 1 is not connected to input 2, so this weight is 0, not 2"],
    ),
    "the output's gradient": (
        """\
        inputs: {x: [[1, 2], [3, 4]]}
        layers:
          - dense: {units: 3}
        grad_output: [1, 2, 3]
        regularise: {l2: 1}
        """,
        [
            "4:14: grad_output is a list of 3, but 'a1' is 2 x 3, one per sample",
            "5:1: there is no cost to add a penalty to: 'grad_output' stands in place of a loss",
        ],
    ),
    "one number as the gradient of a batch's output": (
        """\
        inputs: {x: [[1, 2], [3, 4]]}
        layers:
          - dense: {units: 1}
        grad_output: 1
        """,
        ["4:14: grad_output is a single number, but 'a1' is 2 x 1, one per sample"],
    ),
    "one number as the gradient of equations over a batch": (
        """\
        inputs: {x: [1, 2]}
        parameters: {w: 1}
        equations:
          - z = x*w
        grad_output: 1
        """,
        ["5:14: grad_output is a single number, but 'z' is a list of 2, one per sample"],
    ),
    "the sample index in one place only": (
        """\
        inputs: {x: [[1, 2], [3, 4]]}
        layers:
          - equations:
            - a[n,i] = x[n,i] - x[i]
            - b[i,n] = x[n,i]
        loss: sum(x[i], i)
        """,
        [
            "4:16: the sample index 'n' is written here but not everywhere in this equation",
            "5:7: the sample index 'n' comes first: b[...]",
        ],
    ),
    "the loss of equations": (
        """\
        inputs: {x: [1, 2]}
        equations: ["q = x[1]"]
        loss: mse
        """,
        ["3:7: the loss 'mse' is not the left side of an equation; in equations, write the loss as one of them and "
         "give its name"],
    ),
    "a loss that is not there": (
        """\
        inputs: {x: [1, 2]}
        equations: ["cost = x[1]"]
        loss: costs
        """,
        ["3:7: the loss 'costs' is not the left side of an equation; did you mean 'cost'?"],
    ),
    "a loss that is no number": (
        """\
        inputs: {x: [1, 2]}
        equations: ["L[i] = x[i]"]
        loss: L
        """,
        ["3:7: the loss 'L' is a list of 2, not one number"],
    ),
    "an activation": (
        """\
        inputs: {x: [1, 2]}
        targets: {y: [1, 2]}
        layers:
          - dense: {units: 2, activation: z * sigmoi(z)}
          - z[1] + 2
          - exp(z)/sum(exp(z), k)
        loss: sse
        """,
        [
            "4:39: unknown function 'sigmoi'; did you mean 'sigmoid'?",
        ],
    ),
    "activations of what is there": (
        """\
        inputs: {x: [1, 2]}
        targets: {y: [1, 2]}
        layers:
          - dense: {units: 2, activation: 'z[1] + q'}
        loss: sse
        """,
        [
            "4:35: 'z' stands for one number here; write it without an index",
            "4:43: 'q' is not defined",
        ],
    ),
    "cross-entropy of a number": (
        """\
        inputs: {x: 1}
        targets: {y: 1}
        layers: [tanh]
        loss: cross_entropy
        """,
        ["4:7: cross_entropy needs one number per class, but 'a1' is a single number (3:10)"],
    ),
    "a batch of a number": (
        """\
        inputs: {x: {value: 1, batch: true}}
        equations: [q = x]
        loss: q
        """,
        ["1:13: 'x' is a single number, so it is no batch"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WHOLE_SPECS.values(), ids=WHOLE_SPECS)
def test_what_is_wrong_with_a_spec(text: str, expected: list[str]) -> None:
    assert problems(text) == expected
