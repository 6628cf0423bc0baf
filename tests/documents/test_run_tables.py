"""What the tables of a run say: which rows, in which order, what is summarised and what is pointed out."""

from __future__ import annotations

import numpy as np
import pytest

import backprop_cli as bp
from backprop_cli.documents.blocks import Array, Note, Prose, Summary, Table
from backprop_cli.documents.run_tables import array_cell, run_document
from backprop_cli.network import Network
from backprop_cli.renderers import formula_unicode
from backprop_cli.renderers.styles import text_of

TWO_LAYERS = """
inputs: {x: [1, -1]}
targets: {y: [0]}
layers:
  - dense: {units: 2, activation: tanh}
  - dense: {units: 1}
loss: mse
"""


def tables(network: Network) -> list[Table]:
    document = run_document(network.graph, network.names, network.compile().run())
    return [block for block in document.blocks if isinstance(block, Table)]


def labels(table: Table, network: Network) -> str:
    """The quantities in a table, with ``/`` between groups."""
    return " ".join(formula_unicode.render(row[-2], network.names) if row else "/" for row in table.rows)


def remarks(text: str) -> list[str]:
    network = bp.load(text)
    document = run_document(network.graph, network.names, network.compile().run())
    return [text_of(block.parts, network.names).plain for block in document.blocks if isinstance(block, Note | Prose)]


def test_layers_forward_and_last_to_first_backward() -> None:
    network = bp.load(TWO_LAYERS)
    forward, backward = tables(network)
    assert forward.header == ("layer", "quantity", "values")
    assert labels(forward, network) == "x / W⁽¹⁾ b⁽¹⁾ z⁽¹⁾ a⁽¹⁾ / W⁽²⁾ b⁽²⁾ z⁽²⁾ a⁽²⁾ / y J"
    assert labels(backward, network) == (
        "∂J/∂a⁽²⁾ ∂J/∂z⁽²⁾ ∂J/∂W⁽²⁾ ∂J/∂b⁽²⁾ / ∂J/∂a⁽¹⁾ ∂J/∂z⁽¹⁾ ∂J/∂W⁽¹⁾ ∂J/∂b⁽¹⁾ / ∂J/∂x"
    )
    assert [row[0] for row in backward.rows if row] == ["2", "", "", "", "1", "", "", "", ""]


def test_equations_have_no_layers_and_keep_their_names() -> None:
    network = bp.load(
        "{inputs: {x: 1}, targets: {y: 2}, parameters: {w: 1}, loss: L,"
        " equations: [yhat = x*w, S = yhat - y, L = S**2]}"
    )
    forward, backward = tables(network)
    assert forward.header == ("quantity", "values")
    assert labels(forward, network) == "x w ŷ y S L J"
    assert labels(backward, network) == "∂J/∂S ∂J/∂ŷ ∂J/∂w ∂J/∂x"


def test_a_batch_shows_the_losses_of_its_samples_and_the_cost() -> None:
    network = bp.load(
        "{inputs: {x: [1, 2, 3]}, targets: {y: [2, 1, 0]}, parameters: {w: 1}, equations: [L = (x*w - y)**2], loss: L}"
    )
    forward, _ = tables(network)
    assert labels(forward, network) == "x y w L J"
    losses, cost = (row[-1] for row in forward.rows[-2:])
    assert isinstance(losses, Array)
    assert losses.values == pytest.approx([1, 1, 9])
    assert isinstance(cost, Array)
    assert cost.values == pytest.approx((1 + 1 + 9) / 3)


def test_a_penalty_stands_between_the_loss_and_the_cost() -> None:
    text = "{inputs: {x: 1}, parameters: {w: 3}, equations: [L = x*w], loss: L, regularise: {l2: 2}}"
    network = bp.load(text)
    forward, _ = tables(network)
    assert labels(forward, network) == "x w L J"
    assert [row[-1].values for row in forward.rows[-2:] if isinstance(row[-1], Array)] == [3, 12]


def test_a_module_without_cost_shows_the_gradient_it_was_given() -> None:
    network = bp.load("{inputs: {x: [1, 1]}, layers: [dense: {units: 2}], grad_output: [1, 2]}")
    forward, backward = tables(network)
    assert labels(forward, network).endswith("grad_output")
    assert labels(backward, network).endswith("∂J/∂x")


def test_large_arrays_are_summarised_unless_all_is_asked_for() -> None:
    large = np.arange(200.0).reshape(20, 10) - 50
    large[0, 0] = np.nan
    cell = array_cell(large, ("i", "j"), 4, full=False)
    assert isinstance(cell, Summary)
    assert (cell.shape, cell.least, cell.greatest, cell.zeros) == ((20, 10), -49.0, 149.0, 1)
    assert cell.norm == pytest.approx(np.sqrt(np.nansum(large**2)))
    assert cell.corner.values.shape == (3, 6)
    whole = array_cell(large, ("i", "j"), 4, full=True)
    assert isinstance(whole, Array)
    assert whole.values.shape == (20, 10)
    assert isinstance(array_cell(np.ones((10, 6)), ("i", "j"), 4, full=False), Array)
    assert isinstance(array_cell(np.ones(21), ("i",), 4, full=False), Summary)
    nothing = array_cell(np.full(30, np.inf), ("i",), 4, full=False)
    assert isinstance(nothing, Summary)
    assert nothing.norm is None


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        ("[[1, -1], [0, 2]]", "[[0], [1]]", "A batch of 2 samples, counted by n."),
        ("[[1, -1]]", "[[0]]", "A batch of 1 sample, counted by n."),
    ],
)
def test_a_batch_says_so(x: str, y: str, said: str) -> None:
    assert remarks(TWO_LAYERS.replace("[1, -1]", x).replace("[0]", y)) == [said]


def test_what_has_one_number_per_sample_is_headed_by_the_sample_index() -> None:
    text = "{inputs: {x: [0, 1, 2]}, parameters: {w: [1, 2]}, equations: ['z = x*w[1]', 'L = z + w[2]'], loss: L}"
    network = bp.load(text)
    forward, backward = tables(network)
    headed = {
        formula_unicode.render(row[-2], network.names): (cell.is_headed, cell.indices[:1])
        for table in (forward, backward)
        for row in table.rows
        if isinstance(cell := row[-1], Array)
    }
    assert headed == {
        "x": (True, ("n",)),
        "w": (False, ("i",)),
        "z": (True, ("n",)),
        "L": (True, ("n",)),
        "J": (False, ()),
        "∂J/∂z": (True, ("n",)),
        "∂J/∂w": (False, ("i",)),
        "∂J/∂x": (True, ("n",)),
    }


def test_many_numbers_per_sample_are_headed_where_they_are_summarised_too() -> None:
    cell = array_cell(np.arange(30.0), ("n",), 4, full=False, is_headed=True)
    assert isinstance(cell, Summary)
    assert cell.corner.is_headed


def test_nothing_remarkable_is_not_remarked_on() -> None:
    assert remarks(TWO_LAYERS) == []


def test_tiny_gradients() -> None:
    layer = "  - dense: {units: 1, activation: sigmoid, weights: [[0.01]], bias: [0]}\n"
    found = remarks("inputs: {x: [1]}\ntargets: {y: [1]}\nlayers:\n" + 3 * layer + "loss: sse\n")
    assert found == [
        "∂J/∂W⁽¹⁾ and ∂J/∂b⁽¹⁾ are tiny beside ∂J/∂b⁽³⁾: their largest entry is 1.6e-06 in size, against 2.5e-01."
    ]


def test_at_a_minimum_a_gradient_is_0_and_no_more_is_said() -> None:
    layer = "dense: {units: 1, weights: [[1, 1]], bias: [0]}"
    assert remarks(f"{{inputs: {{x: [1, 2]}}, targets: {{y: [3]}}, layers: [{layer}], loss: mse}}") == [
        "Every entry of ∂J/∂W⁽¹⁾ and ∂J/∂b⁽¹⁾ is 0 here, so a gradient step leaves these parameters as they are."
    ]


@pytest.mark.parametrize(
    ("parameters", "equations", "said"),
    [
        ("w: 2", "L = (w*x - 2)**2", "∂J/∂w is 0 here, so a gradient step leaves this parameter as it is."),
        (
            "w: 2, b: 0",
            "L = (w*x + b - 2)**2",
            "∂J/∂w and ∂J/∂b are 0 here, so a gradient step leaves these parameters as they are.",
        ),
    ],
)
def test_a_gradient_of_one_number_that_is_0(parameters: str, equations: str, said: str) -> None:
    text = f"{{inputs: {{x: 1}}, parameters: {{{parameters}}}, equations: ['{equations}'], loss: L}}"
    assert remarks(text) == [said]


def test_dead_units() -> None:
    found = remarks(
        "inputs: {x: [1]}\ntargets: {y: [1]}\nlayers:\n"
        "  - dense: {units: 1, activation: relu, weights: [[-1]], bias: false}\n"
        "  - dense: {units: 1, weights: [[1]], bias: [0]}\nloss: sse\n"
    )
    assert found == [
        "Every entry of ∂J/∂W⁽¹⁾ and ∂J/∂W⁽²⁾ is 0 here, so a gradient step leaves these parameters as they are.",
        "relu lets nothing of the gradient through: its slope is 0 at every entry of z⁽¹⁾ where ∂J/∂a⁽¹⁾ is not 0.",
    ]


NEAR_KINK = """
inputs: {{x: {x}}}
targets: {{y: {y}}}
layers:
  - dense: {{units: 2, activation: {activation}, weights: [[1, 1, 1], [1, -1, 1]], bias: [0, 0]}}
  - dense: {{units: 1, weights: [[1, 1]], bias: [0.5]}}
loss: mse
"""


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        ("[0.1, 0.2, -0.3]", "[1]", "at position 1 (5.6e-17)"),
        ("[[1, 2, 3], [0.1, 0.2, -0.3]]", "[[1], [1]]", "at position 2, 1 (5.6e-17)"),
        ("[[0.1, 0.2, -0.3], [0.1, -0.2, -0.3]]", "[[1], [1]]", "at 2 positions, the first 1, 1 (5.6e-17)"),
    ],
)
def test_a_kink_that_rounding_hides(x: str, y: str, said: str) -> None:
    found = remarks(NEAR_KINK.format(x=x, y=y, activation="relu"))
    name = "Z⁽¹⁾" if x.startswith("[[") else "z⁽¹⁾"
    decided = "rounding decides on which side of relu's kink it lies, and so relu's slope there."
    assert f"{name} is 0 up to rounding {said}: {decided}" in found


@pytest.mark.parametrize(
    ("x", "activation"),
    [
        ("[0.1, 0.2, -0.3]", "tanh"),  # no kink
        ("[0.1, 0.2, -0.300001]", "relu"),
        ("[1, 2, -3]", "relu"),  # exactly 0
        ("[1e-17, 2e-17, 4e-17]", "relu"),  # small, and right to the last digit
    ],
)
def test_no_rounding_is_blamed(x: str, activation: str) -> None:
    assert "rounding" not in " ".join(remarks(NEAR_KINK.format(x=x, y="[1]", activation=activation)))


def test_very_large_gradients() -> None:
    text = "{inputs: {x: 1}, targets: {y: 0}, parameters: {w: 30}, equations: [L = (exp(w*x) - y)**2], loss: L}"
    assert remarks(text) == ["∂J/∂w is very large: its largest entry is 2.3e+26 in size."]


def test_numbers_that_are_not_finite() -> None:
    text = "{inputs: {x: [1, -1]}, parameters: {w: 1}, equations: ['u[i] = log(w*x[i])', 'L = sum(u[i], i)'], loss: L}"
    found = remarks(text)
    assert found[0] == "u: one number is not finite, the first at position 2: nan."
    assert found[1:3] == ["L is not finite: it is nan.", "J is not finite: it is nan."]
