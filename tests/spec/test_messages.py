"""The exact words for everything that can be wrong with a spec, and its place."""

from __future__ import annotations

import pytest

from backprop_cli.errors import SpecError
from backprop_cli.spec.reading import read_text

NAME = "is not a name: a name is a letter and then letters, digits or _"
LAYERS = "inputs: {x: [1, 2]}\ntargets: {y: 1}\nloss: mse\n"


def problems(text):
    with pytest.raises(SpecError) as error:
        read_text(text, "a.yaml")
    return str(error.value).splitlines()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("layers: 4", "4:9: expected a list of layers, not 4"),
        ("layers: []", "4:9: expected a list of layers, not an empty list"),
        ("layers: [7]", "4:10: expected a layer such as dense: {units: 3} or tanh, not 7"),
        ("layers: [softmx]", "4:10: unknown layer 'softmx'; did you mean 'softmax'?"),
        ("layers: [dnse: {units: 3}]", "4:10: unknown layer 'dnse'; did you mean 'dense'?"),
        (
            "layers: [conv3d: {}]",
            "4:10: unknown layer 'conv3d'; did you mean 'conv2d'?",
        ),
        ("layers: [dense: {units: 3, from: []}]", "4:34: expected at least one name, not an empty list"),
        ("layers: [tanh: {from: []}]", "4:23: expected at least one name, not an empty list"),
        (
            "layers: [dense: {units: 1}]\nregularise: {l2: 1, of: []}",
            "5:25: expected at least one name, not an empty list",
        ),
        ("layers: [dense]", "4:10: 'dense' needs its options, such as dense: {units: 3}"),
        ("layers: [equations]", "4:10: 'equations' needs its options, such as equations: [...]"),
        ("layers: [dense: 3]", "4:17: expected options such as {units: 3}, not 3"),
        ("layers: [dense: {}]", "4:10: a dense layer needs 'units', such as dense: {units: 3}"),
        ("layers: [dense: ]", "4:10: a dense layer needs 'units', such as dense: {units: 3}"),
        ("layers: [dense: {unts: 3}]", "4:18: unknown key 'unts'; did you mean 'units'?"),
        ("layers: [tanh: {units: 3}]", "4:17: unknown key 'units'; expected name or from"),
        ("layers: [{}]", "4:10: a layer has exactly one key, the kind of layer, not none"),
        (
            "layers: [{dense: , units: 3}]",
            "4:10: a layer has exactly one key, the kind of layer, not 'dense', 'units' "
            "(its options belong one level deeper)",
        ),
        ("layers: [dense: {units: '3'}]", "4:25: expected a whole number from 1, not text '3'; write 3 without quotes"),
        ("layers: [dense: {units: 2.5}]", "4:25: expected a whole number from 1, not 2.5"),
        ("layers: [dense: {units: 0}]", "4:25: expected a whole number from 1, not 0"),
        ("layers: [dense: {units: true}]", "4:25: expected a whole number from 1, not true"),
        ("layers: [dense: {units: 1000000000}]", "4:25: 1,000,000,000 is too large; at most 1,000,000 is allowed"),
        (
            "layers: [dense: {units: 100000}, dense: {units: 900000}]",
            "4:49: 900,000 units with 100,000 inputs each: 90,000,200,003 numbers in the network; "
            "at most 10,000,000 are allowed",
        ),
        (
            "layers: [dense: {units: 3, activation: sigmiod}]",
            "4:40: unknown activation 'sigmiod'; did you mean 'sigmoid'?",
        ),
        (
            "layers: [dense: {units: 3, activation: 3}]",
            "4:40: expected the name of a function or an expression in z, not 3",
        ),
        (
            "layers: [dense: {weights: [[1, 2], [3]]}]",
            "4:36: rows of different lengths: row 1 has 2 entries, row 2 has 1",
        ),
        ("layers: [dense: {weights: [[1], 2]}]", "4:33: row 1 is a list of 1, row 2 is 2"),
        ("layers: [dense: {weights: [1, [2]]}]", "4:31: expected a number, not a list"),
        (
            "layers: [dense: {weights: [1, 2]}]",
            "4:27: expected a matrix, one row per unit and one column per input, not a list of 2",
        ),
        ("layers: [dense: {units: 3, weights: [[1], [2]]}]", "4:37: weights: 2 rows for 3 units (units: 3)"),
        ("layers: [dense: {weights: [[1], [2]], bias: [1]}]", "4:45: bias: 1 number for 2 units (weights: 2 rows)"),
        (
            "layers: [dense: {units: 2, bias: none}]",
            "4:34: expected true, false, a number or a list with one number per unit, not text 'none'",
        ),
        ("layers: [dense: {connections: [[1, 2]]}]", "4:31: connections are 0 (not connected) or 1 (connected)"),
        (
            "layers: [dense: {weights: [[1, 2]], connections: [[1]]}]",
            "4:50: connections are 1 x 1, weights 1 x 2",
        ),
        ("layers: [dense: {units: 2, name: 2a}]", f"4:34: '2a' {NAME}"),
        ("layers: [dense: {units: 2, from: 7}]", "4:34: expected a name or a list of names, not 7"),
        ("layers: [dense: {units: 2, share: [W1, b 1]}]", f"4:40: 'b 1' {NAME}"),
        (
            "layers: [equations: a = x]",
            "4:21: expected a list of equations, not text 'a = x'; begin every equation with '- '",
        ),
        ("layers: [equations: [a, 1]]", "4:25: expected an equation, not 1"),
        ("layers: [tanh]\nname: [a]", "5:7: expected text, not a list; put it in quotes"),
        ("layers: [tanh]\nlayrs: 3", "5:1: unknown key 'layrs'; did you mean 'layers'?"),
        ("layers: [tanh]\n1: 3", "5:1: unknown key '1'; a number is written with a point, not with a comma"),
        ("layers: [tanh]\nequations: [a = x]", "5:1: give 'layers' or 'equations', not both"),
        ("layers: [tanh]\ngrad_output: 1", "5:1: give 'loss' or 'grad_output', not both"),
        ("layers: [tanh]\nregularise: {l2: -1}", "5:18: expected a number from 0, not -1"),
        ("layers: [tanh]\nregularise: 0.1", "5:13: expected a mapping such as {l2: 0.01}, not 0.1"),
        ("layers: [tanh]\nregularise: {l1: 0_1}", "5:18: expected a number, not text '0_1'; write 01"),
        ("layers: [tanh]\ninitial: {scheme: zero}", "5:19: unknown scheme 'zero'; did you mean 'zeros'?"),
        ("layers: [tanh]\ninitial: {seed: 1.5}", "5:17: expected a whole number from 0, not 1.5"),
        ("layers: [tanh]\nreduction: average", "5:12: unknown reduction 'average'; expected mean or sum"),
        ("layers: [tanh]\nfrozen: {W1: 1}", "5:9: expected a name or a list of names, not a mapping"),
    ],
)
def test_layers_and_the_rest(line, problem):
    assert problems(LAYERS + line) == [f"a.yaml:{problem}"]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("abc", "13: expected a number, not text 'abc'"),
        ("'1'", "13: expected a number, not text '1'; write 1 without quotes"),
        ("'1,5'", "13: expected a number, not text '1,5'; write 1.5"),
        ("1_000", "13: expected a number, not text '1_000'; write 1000"),
        ("true", "13: expected a number, not true"),
        ("", "12: expected a number, not nothing"),
        (".nan", "13: expected a finite number, not nan"),
        ("1e999", "13: expected a finite number, not inf"),
        ("[1, -.inf]", "17: expected a finite number, not -inf"),
        ("[1, [2]]", "17: expected a number, not a list"),
        ("[]", "13: an empty list has no numbers"),
        ("[[[1, 2]], [[3]]]", "25: rows of different lengths: row [1,1] has 2 entries, row [2,1] has 1"),
        ("[[[[[[[[[1]]]]]]]]]", "13: lists more than 8 deep"),
        ("{size: 0}", "20: expected a whole number from 1, not 0"),
        ("{size: 3, shape: [3]}", "23: give 'size' or 'shape', not both"),
        ("{batch: true}", "13: expected one of size, shape or value"),
        ("{shape: 3}", "21: expected a list of sizes such as [3, 2], not 3"),
        ("{shape: [3, x]}", "25: expected a whole number from 1, not text 'x'"),
        ("{shape: [10000, 10000]}", "21: 10000 x 10000 are 100,000,000 numbers; at most 10,000,000 are allowed"),
        ("{shape: [3], value: [1, 2]}", "33: the value is a list of 2, not a list of 3"),
        ("{value: [1, 2], batch: 1}", "36: expected true or false, not 1"),
        ("{vale: 3}", "14: unknown key 'vale'; did you mean 'value'?"),
    ],
)
def test_arrays(value, problem):
    text = f"inputs: {{x: {value}}}\nlayers: [tanh]\ngrad_output: 1"
    assert problems(text) == [f"a.yaml:1:{problem}"]


def test_several_rows_and_entries_of_one_array():
    assert problems("inputs:\n  x: [[1, 2], [], [3]]\nlayers: [tanh]\ngrad_output: [a, 1, b]") == [
        "a.yaml:2:15: rows of different lengths: row 1 has 2 entries, row 2 has 0",
        "a.yaml:2:19: rows of different lengths: row 1 has 2 entries, row 3 has 1",
        "a.yaml:4:15: expected a number, not text 'a'",
        "a.yaml:4:21: expected a number, not text 'b'",
    ]


@pytest.mark.parametrize(
    ("loss", "problem"),
    [
        ("msee", "7: unknown loss 'msee'; did you mean 'mse'?"),
        ("[1]", "7: expected a loss such as mse, an expression, or huber: {delta: 1}, not a list"),
        ("{hubr: {delta: 1}}", "8: unknown loss 'hubr'; did you mean 'huber'?"),
        ("{huber: {dlta: 1}}", "16: unknown key 'dlta'; did you mean 'delta'?"),
        ("{huber: {delta: 0}}", "23: expected a number above 0, not 0"),
        ("{mse: {delta: 1}}", "14: unknown key 'delta'; no keys are expected here"),
        ("{mse: , sse: }", "7: expected one loss with its options, such as huber: {delta: 1}"),
    ],
)
def test_losses(loss, problem):
    assert problems(f"loss: {loss}\ninputs: {{x: 1}}\nlayers: [tanh]") == [f"a.yaml:1:{problem}"]


def test_names():
    assert problems("inputs: {1x: 1, x y: 2, _z: 3, 4: 4}\nequations: [a = 1]\nloss: a\ntargets: 3") == [
        f"a.yaml:1:10: '1x' {NAME}",
        f"a.yaml:1:17: 'x y' {NAME}",
        f"a.yaml:1:25: '_z' {NAME}",
        "a.yaml:1:32: expected a name, not 4",
        "a.yaml:4:10: expected a mapping from names to values, such as {x: [1, 2]}, not 3",
    ]
    assert problems("inputs: {x: 1}\ntargets: {x: 1}\nparameters: {x: 1}\nequations: [a = 1]\nloss: a") == [
        "a.yaml:2:11: 'x' is already one of the inputs",
        "a.yaml:3:14: 'x' is already one of the inputs",
    ]
    assert problems(f"inputs: {{{'x' * 300}: 1}}\nequations: [a = 1]\nloss: a") == [
        "a.yaml:1:10: a name of 300 characters; at most 200 are allowed"
    ]


def test_what_is_missing():
    assert problems("name: a") == [
        "a.yaml:1:1: 'layers' is missing (or 'equations' instead)",
        "a.yaml:1:1: 'loss' is missing (or 'grad_output' instead)",
    ]
    assert problems("layers: [tanh]\nloss: mse") == ["a.yaml:1:1: 'inputs' is missing: layers need an input"]
    assert problems("- a") == [
        "a.yaml:1:1: expected a mapping with the keys inputs, targets, layers or equations, and loss, not a list"
    ]


def test_all_problems_at_once():
    text = """\
    inputs:  {x: [1, 2], '': 3}
    targets: {y: [0, '1,5']}
    layers:
      - dense: {units: 10, activation: sigmiod}
      - dense: {unts: 3}
      - sigmod
    los: mse
    initial: {seed: -1}
    """
    assert problems(text) == [
        f"a.yaml:1:26: '' {NAME}",
        "a.yaml:2:22: expected a number, not text '1,5'; write 1.5",
        "a.yaml:4:40: unknown activation 'sigmiod'; did you mean 'sigmoid'?",
        "a.yaml:5:17: unknown key 'unts'; did you mean 'units'?",
        "a.yaml:6:9: unknown layer 'sigmod'; did you mean 'sigmoid'?",
        "a.yaml:7:5: unknown key 'los'; did you mean 'loss'?",
        "a.yaml:8:21: expected a whole number from 0, not -1",
    ]
