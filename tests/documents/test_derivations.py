"""What surrounds the formulas of a derivation: introduction, headings and the remarks beside them."""

from __future__ import annotations

from textwrap import dedent

import pytest

import backprop_cli as bp
from backprop_cli.bundled import bundled_spec
from backprop_cli.documents.blocks import FormulaBlock, Heading, Note, Prose
from backprop_cli.documents.derivation import answer_document, derivation_document
from backprop_cli.renderers import terminal
from backprop_cli.renderers.formula_unicode import render
from backprop_cli.renderers.styles import text_of

CLASSES = """
    inputs: {x: [0.5, -1.0]}
    targets: {y: 1}
    layers: [{dense: {units: 3}}]
    loss: cross_entropy
    """
NAMED = CLASSES.replace("{dense: {units: 3}}", "{dense: {units: 3, name: out}}")
TOKENS = """
    inputs: {x: [1, 2, 3, 4, 5]}
    parameters: {w: [1, 2, 3], E: {shape: [4, 3]}}
    targets: {v: [0, 1, 3]}
    equations: ["z[p] = sum(x[p+k-1]*w[k], k)", "q[t] = sum(E[v[t]+1,i]*w[i], i)", "L = sum((z[t] - q[t])**2, t)"]
    loss: L
    """


def document(text: str, view: str = "index", of: str | None = None):
    derivation = bp.load(dedent(text)).derive()
    matrices = derivation.matrix_steps if view == "matrix" else None
    if of is not None:
        return answer_document(derivation.told, derivation.names, derivation.of(of))
    return derivation_document(derivation.told, derivation.names, matrices)


def paragraphs(text: str, view: str = "index", of: str | None = None) -> list[str]:
    """The prose of a document after what every layered network is told."""
    told = document(text, view, of)
    found = [block.parts for block in told.blocks if isinstance(block, Prose)]
    lines = ["".join(p if isinstance(p, str) else render(p, told.names) for p in parts) for parts in found]
    return [line for line in lines if not line.startswith(("Two uses", "The 3 samples"))]


def test_brackets_and_deltas_are_explained_where_they_stand() -> None:
    assert paragraphs(CLASSES) == [
        "δₖₗ is 1 where k = l and 0 elsewhere.",
        "A bracket such as [k = y + 1] counts 1 where what it says holds and 0 elsewhere; y counts from 0, k from 1.",
    ]
    assert paragraphs(TOKENS) == [
        "A bracket such as [vₜ + 1 = i] counts 1 where what it says holds and 0 elsewhere; vₜ counts from 0, i from 1."
    ]
    assert paragraphs(bundled_spec("two-two-two").text) == []


def test_the_condition_of_a_choice_stands_without_brackets() -> None:
    text = """
        inputs: {x: [1, 2]}
        parameters: {W: {shape: [2, 2]}}
        equations: ["z[i] = sum(where(j <= i, W[i,j]*x[j], 0), j)", "J = sum(z[i]**2, i)"]
        loss: J
        """
    assert paragraphs(text) == []
    assert "∂J/∂W₁₂ = 0" in terminal.render(document(text), 80)


def test_one_hot_is_explained_in_the_matrix_view() -> None:
    assert paragraphs(CLASSES, "matrix") == [
        "δ is short for ∂J/∂z of its layer.",
        "onehot₃(y + 1) is the column with 1 in row y + 1 and 0 elsewhere; y counts from 0.",
    ]
    assert paragraphs(bundled_spec("softmax-classifier").text, "matrix") == [
        "δ is short for ∂J/∂z of its layer.",
        "onehot₃(y + 1₃) has a row for each entry of y + 1₃: 1 in the column of that number and 0 elsewhere; "
        "y counts from 0.",
    ]


def test_delta_is_explained_only_where_it_is_written() -> None:
    assert "δ is short for ∂J/∂z of its layer." not in paragraphs(NAMED, "matrix")


def test_an_answer_says_what_the_sample_index_is() -> None:
    told = terminal.render(document(bundled_spec("softmax-classifier").text, of="W1[1,2]"), 80)
    assert "The 3 samples of the batch are numbered by n." in told
    assert "numbered" not in terminal.render(document(CLASSES, of="W1[1,2]"), 80)


def chain(text: str, target: str, view: str = "index") -> list[str]:
    """The remarks beside the forms of one gradient."""
    told = document(text, view)
    lines = [line for block in told.blocks if isinstance(block, FormulaBlock) for line in block.lines]
    line = next(line for line in lines if render(line.target, told.names) == target)
    return ["".join(p if isinstance(p, str) else render(p, told.names) for p in side.remark) for side in line.sides]


LOGISTIC = bundled_spec("logistic-regression").text


def test_a_gradient_put_in_is_named() -> None:
    assert chain(LOGISTIC, "∂J/∂pₙ") == ["chain rule", "local derivatives put in", "with ∂J/∂L"]
    assert chain(LOGISTIC, "∂J/∂zₙ") == ["chain rule", "local derivatives put in", "with ∂J/∂p, simplified"]
    assert chain(CLASSES, "∂J/∂wᵢⱼ⁽¹⁾") == ["chain rule", "local derivatives put in", "with ∂J/∂z⁽¹⁾"]


def test_all_gradients_that_appear_are_named() -> None:
    text = """
        inputs: {x: [1, 2]}
        layers:
          - dense: {units: 2}
          - dense: {units: 2, activation: tanh}
          - dense: {units: 2, activation: tanh, from: [a1]}
          - dense: {units: 2, from: [a2, a3]}
        targets: {y: [1, 2]}
        loss: mse
        """
    assert chain(text, "∂J/∂aᵢ⁽¹⁾")[-1] == "with ∂J/∂z⁽²⁾ and ∂J/∂z⁽³⁾"


def test_no_local_derivative_is_put_in_where_none_is_shown() -> None:
    assert chain(bundled_spec("xor").text, "δ⁽²⁾", "matrix") == [
        "from the index form",
        "slope worked out",
        "with ∂J/∂A⁽²⁾, simplified",
    ]
    assert chain(LOGISTIC, "∂J/∂z", "matrix")[:2] == ["chain rule", "local derivatives put in"]


def headings(text: str) -> list[str]:
    """The headings of a document, sections and the gradients in them."""
    return ["".join(map(str, b.parts)) for b in document(text).blocks if isinstance(b, Heading) and b.level > 1]


def test_the_backward_pass_starts_at_the_first_gradient() -> None:
    shown = headings(LOGISTIC)
    assert shown.index("Where the backward pass starts") < shown.index("The equations, last to first")
    assert shown.count("Where the backward pass starts") == 1
    shown = headings(bundled_spec("softmax-classifier").text)
    assert shown[:4] == ["The cost", "Definition", "Local derivatives", "Where the backward pass starts"]
    assert "Gradient of the activations" in shown


@pytest.mark.parametrize(("layer", "title"), [("tanh", "Layer 2: tanh"), ("softmax", "Layer 2: softmax")])
def test_an_activation_as_a_layer_is_named(layer: str, title: str) -> None:
    text = CLASSES.replace("[{dense: {units: 3}}]", f"[{{dense: {{units: 3}}}}, {layer}]")
    assert title in headings(text)
    assert "Layer 1: 3 units, identity" in headings(text)


def test_all_parameters_are_written_from_the_gradients_of_the_weighted_sums() -> None:
    told = terminal.render(document(bundled_spec("xor").text), 80)
    summary = told[told.index("The gradients of all parameters") :]
    assert "∂J/∂wᵢⱼ⁽¹⁾ = Σₙ ∂J/∂zₙᵢ⁽¹⁾ · xₙⱼ" in summary
    assert "∂J/∂a" not in summary


def test_a_nearest_neighbour_is_told_to_have_no_useful_gradient() -> None:
    text = bundled_spec("nearest-neighbour").text
    shown = document(text)
    notes = [text_of(block.parts, shown.names).plain for block in shown.blocks if isinstance(block, Note)]
    assert notes == [
        "No path of derivatives leads from the cost to d, W, x: the gradient is 0.",
        "ŷ is piecewise constant: as a position it stays the same while the values change a little, and then jumps. "
        "Its gradient is 0 wherever it exists, and where two values tie there is none, so gradient descent has nothing "
        "to follow here. One searches without gradients instead, or puts a smooth stand-in in its place, such as "
        "softmin for argmin and softmax for argmax.",
    ]


RESIDUAL = """
    inputs: {x: [1, 2]}
    targets: {y: [1, 0]}
    layers:
      - dense: {units: 2, activation: tanh}
      - residual:
          layers:
            - dense: {units: 2, activation: relu}
            - residual: {layers: [layer_norm, dense: {units: 2, bias: false}]}
            - equations: ["q[i] = 2*a2_2[i]"]
      - dropout: {mask: [1, 0]}
    loss: mse
    """


def test_the_layers_inside_a_residual_layer_have_headings_of_their_own() -> None:
    told = document(RESIDUAL)
    headings = ["".join(map(str, b.parts)) for b in told.blocks if isinstance(b, Heading) and b.level == 2]
    assert headings[1:9] == [
        "Layer 3: dropout",
        "Layer 2: residual",
        "Layer 2.3",
        "Layer 2.2: residual",
        "Layer 2.2.2: 2 units, identity",
        "Layer 2.2.1: layer_norm",
        "Layer 2.1: 2 units, relu",
        "Layer 1: 2 units, tanh",
    ]
    steps = bp.load(dedent(RESIDUAL)).derive().as_data()["steps"]
    assert {step["of"]: step["layer"] for step in steps if step["kind"] == "parameter_gradient"} == {
        "dJ/dW2_2_2": 2,
        "dJ/dgamma2_2_1": 2,
        "dJ/dbeta2_2_1": 2,
        "dJ/dW2_1": 2,
        "dJ/db2_1": 2,
        "dJ/dW1": 1,
        "dJ/db1": 1,
    }
