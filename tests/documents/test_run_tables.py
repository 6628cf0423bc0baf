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
    assert labels(forward, network) == "x w ŷ y S L"
    assert labels(backward, network) == "∂J/∂S ∂J/∂ŷ ∂J/∂w ∂J/∂x"


def test_a_batch_shows_the_cost_once() -> None:
    network = bp.load(
        "{inputs: {x: [1, 2, 3]}, targets: {y: [2, 1, 0]}, parameters: {w: 1}, equations: [L = (x*w - y)**2], loss: L}"
    )
    forward, _ = tables(network)
    assert labels(forward, network) == "x y w L"
    (cost,) = [row[-1] for row in forward.rows if row][-1:]
    assert isinstance(cost, Array)
    assert cost.values == pytest.approx((1 + 1 + 9) / 3)


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


def test_a_batch_says_so() -> None:
    assert remarks(TWO_LAYERS.replace("[1, -1]", "[[1, -1], [0, 2]]").replace("[0]", "[[0], [1]]")) == [
        "A batch of 2 samples; n counts them, and each has a row."
    ]


def test_nothing_remarkable_is_not_remarked_on() -> None:
    assert remarks(TWO_LAYERS) == []


def test_vanished_gradients() -> None:
    layer = "  - dense: {units: 1, activation: sigmoid, weights: [[0.01]], bias: [0]}\n"
    found = remarks("inputs: {x: [1]}\ntargets: {y: [1]}\nlayers:\n" + 3 * layer + "loss: sse\n")
    assert found == [
        "∂J/∂W⁽¹⁾ and ∂J/∂b⁽¹⁾ have all but vanished: no entry is above 1.6e-06 in size, against 2.5e-01 elsewhere."
    ]


def test_dead_units() -> None:
    found = remarks(
        "inputs: {x: [1]}\ntargets: {y: [1]}\nlayers:\n"
        "  - dense: {units: 1, activation: relu, weights: [[-1]], bias: false}\n"
        "  - dense: {units: 1, weights: [[1]], bias: [0]}\nloss: sse\n"
    )
    assert found == ["∂J/∂W⁽¹⁾ and ∂J/∂W⁽²⁾ are 0 everywhere: no small change of these parameters changes the cost."]


def test_exploded_gradients() -> None:
    text = "{inputs: {x: 1}, targets: {y: 0}, parameters: {w: 30}, equations: [L = (exp(w*x) - y)**2], loss: L}"
    assert remarks(text) == ["∂J/∂w has exploded: the largest entry is 2.3e+26 in size."]


def test_numbers_that_are_not_finite() -> None:
    text = "{inputs: {x: [1, -1]}, parameters: {w: 1}, equations: ['u[i] = log(w*x[i])', 'L = sum(u[i], i)'], loss: L}"
    found = remarks(text)
    assert found[0] == "u: one number is not finite, the first at position 2: nan."
    assert found[1] == "L is not finite: it is nan."
