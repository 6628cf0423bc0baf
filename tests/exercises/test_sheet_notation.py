"""Students who type what they see: the notation of a sheet is read back as the quantities it was printed for."""

from __future__ import annotations

import pytest

from backprop_cli.bundled import bundled_names
from backprop_cli.errors import BackpropError
from backprop_cli.exercises.exercise import nodes_of
from backprop_cli.exercises.formula_reading import UnreadableError, read
from backprop_cli.network import load_text
from backprop_cli.renderers import formula_unicode
from backprop_cli.renderers.unicode_reading import as_typed
from backprop_cli.sources import network_of
from backprop_cli.symbolic.display import tree_of
from backprop_cli.symbolic.notation import Adjoint, Place, by_step
from tests.exercises.test_formula_answers import SPEC

A, X, Y = Place("a2", 1), Place("x", 2), Place("y", 1)


@pytest.mark.parametrize("name", bundled_names())
@pytest.mark.every_spec
def test_what_a_sheet_prints_is_read_back(name: str) -> None:
    network = network_of(name)
    try:
        nodes = nodes_of(network)
    except BackpropError:
        pytest.skip("no exercises are made of it")
    for quantity in network.graph.quantities:
        for is_gradient in (False, *([True] if nodes.has_gradient(quantity.name) else [])):
            for place in list(nodes.entries(quantity.name, is_gradient))[:30]:
                shown = formula_unicode.render(tree_of(place), network.names)
                assert read(as_typed(shown, network.names), nodes) == place, shown


@pytest.mark.parametrize("text", ["∂J₂/∂h₁₂", "∂J₂/∂h₁₂ ∂J₃/∂h₂₁", "dJ[2]/dh_{12}"])
def test_the_gradients_of_the_cost_of_a_step(text: str) -> None:
    network = network_of("rnn-truncated")
    first, *second = (Adjoint(by_step("h"), 2, 1, 2), Adjoint(by_step("h"), 3, 2, 1))
    expected = first * second[0] if "₃" in text else first
    assert read(as_typed(text, network.names), nodes_of(network)) == expected


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("(a₁⁽²⁾ − y₁)·a₁⁽²⁾·(1 − a₁⁽²⁾)·a₁⁽¹⁾", (A - Y) * A * (1 - A) * Place("a1", 1)),
        ("(a2_1-y_1)a2_1(1-a2_1)a1_1", (A - Y) * A * (1 - A) * Place("a1", 1)),
        ("2a2_1(a_1^[2] – y_1)(1 – a_{1}^{[2]})", 2 * A * (A - Y) * (1 - A)),
        ("a₁⁽²⁾² x₂", A**2 * X),
        ("x₂⁻¹×2e-3÷2", Place("x", 2) ** -1 / 1000),
        ("W₁₂⁽¹⁾ + w₁₂⁽¹⁾ + w⁽¹⁾[1,2]", 3 * Place("W1", 1, 2)),
        ("yhat[1] - y[1]", A - Y),
        ("sum(yhat[i], i)", A + Place("a2", 2)),
        ("∂J/∂a₁⁽²⁾ · x₂", Adjoint("a2", 1) * X),
        ("dJ/dz₁⁽²⁾ x₂ + dJ/da2_1", Adjoint("z2", 1) * X + Adjoint("a2", 1)),
        ("dJ/dyhat[1]", Adjoint("a2", 1)),
        ("sum(Wₖ₁⁽²⁾ ∂J/∂zₖ⁽²⁾, k)", sum(Place("W2", k, 1) * Adjoint("z2", k) for k in (1, 2))),
        ("(1/2)(x₂)", X / 2),
    ],
)
def test_other_notations(text: str, formula: object) -> None:
    network = load_text(SPEC, "<text>", "t")
    assert read(as_typed(text, network.names), nodes_of(network)) == formula


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a₁", "'a₁' is not clear; type a1[1] or a2[1]"),
        ("a₁⁽³⁾", "'a₁⁽³⁾' is not clear; type a1[1] or a2[1]"),
        ("w₁⁽¹⁾", "'w₁⁽¹⁾' is not clear; type W1[1,2]"),
        ("w₁₂₂⁽¹⁾", "'w₁₂₂⁽¹⁾' is not clear; type W1[1,2]"),
        ("q₁", "there is no quantity 'q₁'"),
        ("x₃", "x has no position 3"),
        ("a₁⁽¹⁾⁽²⁾", "'a₁⁽¹⁾⁽²⁾' cannot be read"),
        ("a2(1 - a2[1])", "'a2(' would be a function; a product needs its sign, a2*("),
        ("1/2(x[1])", "what is divided by is not clear at '2('; write * or /"),
        ("x[1]/x[2] y[1]", "what is divided by is not clear at '] y'; write * or /"),
        ("a b", "an operator is missing in 'a b'; write 'a*b' for a product"),
        ("x[1]2", "an operator is missing in ']2'; write ']*2' for a product"),
    ],
)
def test_what_is_not_clear_is_not_guessed(text: str, message: str) -> None:
    network = load_text(SPEC, "<text>", "t")
    with pytest.raises(UnreadableError) as error:
        read(as_typed(text, network.names), nodes_of(network))
    assert str(error.value) == message


def test_the_name_of_the_output_is_the_networks_own_where_it_has_one() -> None:
    text = "inputs: {x: 2}\nparameters: {w: 1}\nequations:\n  - yhat = x*w\n  - J = yhat**2\nloss: J\n"
    network = load_text(text, "<text>", "t")
    assert read("yhat", nodes_of(network)) == Place("yhat")
    assert read(as_typed("ŷ", network.names), nodes_of(network)) == Place("yhat")


def test_positions_that_run_together_stand_in_brackets() -> None:
    numbers = list(range(1, 13))
    text = f"inputs: {{x: {numbers}}}\ntargets: {{y: {numbers}}}\nlayers: [dense: {{units: 12}}]\nloss: mse\n"
    network = load_text(text, "<text>", "t")
    with pytest.raises(UnreadableError, match="type W1"):
        as_typed("w₁₁⁽¹⁾", network.names)
    assert as_typed("w⁽¹⁾[1,11] x₁₁", network.names) == "W1[1,11] x[11]"
