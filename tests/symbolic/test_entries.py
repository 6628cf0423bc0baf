"""Formulas of single entries: numbers put in, short sums written out, decided brackets gone."""

from __future__ import annotations

from time import process_time

import pytest

import backprop_cli as bp
from backprop_cli.bundled import bundled_spec
from backprop_cli.language import tree
from backprop_cli.language.grammar import parse_expression
from backprop_cli.renderers.formula_unicode import render
from backprop_cli.symbolic.entries import folded

SPEC = """
inputs: {x: [1, 2]}
targets: {y: [0, 1]}
layers: [{dense: {units: 2, activation: tanh}}, {dense: {units: 2}}]
loss: mse
"""


def answer(asked: str, text: str = SPEC, expand: bool = False) -> str:
    derivation = bp.load(text).derive()
    step = derivation.of(asked, expand)[-1]
    return render(step.formula, derivation.names)


def test_one_weight() -> None:
    assert answer("W1[2,1]") == "∂J/∂w₂₁⁽¹⁾ = ∂J/∂a₂⁽¹⁾ · (1 − (a₂⁽¹⁾)²) · x₁"
    assert answer("dJ/dW1[2,1]") == answer("W1[2,1]")


def test_a_short_sum_is_written_out() -> None:
    assert answer("a1[1]") == "∂J/∂a₁⁽¹⁾ = ∂J/∂a₁⁽²⁾ · w₁₁⁽²⁾ + ∂J/∂a₂⁽²⁾ · w₂₁⁽²⁾"


def test_in_inputs_and_parameters_alone() -> None:
    assert answer("b2[1]", expand=True) == (
        "∂J/∂b₁⁽²⁾ = b₁⁽²⁾ + w₁₁⁽²⁾ · tanh(b₁⁽¹⁾ + w₁₁⁽¹⁾ · x₁ + w₁₂⁽¹⁾ · x₂)"
        " + w₁₂⁽²⁾ · tanh(b₂⁽¹⁾ + w₂₁⁽¹⁾ · x₁ + w₂₂⁽¹⁾ · x₂) − y₁"
    )


@pytest.mark.parametrize(
    ("formula", "short"),
    [
        ("(1 == 1)*a", "a"),
        ("(2 == 1)*a + b", "b"),
        ("sum((2 == 1)*x[k], k)", "0"),
        ("-((2 == 1)*a)", "0"),
        ("1*a*1", "a"),
        ("where(2 <= 1, a, b)", "b"),
        ("where(1 <= 1, a, b)", "a"),
        ("where(a > 0, (1 == 2)*a, 0)/2", "0"),
        ("where(a > 0, a, 0)", "where(a > 0, a, 0)"),
    ],
)
def test_brackets_that_numbers_decide(formula: str, short: str) -> None:
    assert folded(parse_expression(formula), bp.load(SPEC).graph) == parse_expression(short)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("W1[1,3]", "'W1[1,3]': 3 is out of range; W1 has 2 (2 x 2), and positions count from 1"),
        ("W1[0,1]", "'W1[0,1]': 0 is out of range; W1 has 2 (2 x 2), and positions count from 1"),
        ("W1[1]", "'W1[1]' has 1 position, but W1 has 2 (2 x 2)"),
        ("W1[a,b]", "'W1[a,b]': positions are whole numbers that count from 1, such as W1[1,1]"),
        ("w1", "there is no quantity 'w1'; did you mean 'W1'?"),
        ("W3", "there is no quantity 'W3'; there are W1, W2, a1, a2, b1, b2, x, z1, z2"),
        ("y", "y is given and fixed: the derivation has no gradient of it"),
        ("J", "J is the cost itself; ask for a quantity it depends on, such as W1"),
        ("W1[", "cannot read 'W1['; expected a quantity such as W1 or W1[1,2]"),
    ],
)
def test_what_cannot_be_answered(asked: str, message: str) -> None:
    with pytest.raises(bp.BackpropError) as caught:
        bp.load(SPEC).derive().of(asked)
    assert str(caught.value) == message


def test_choices_that_numbers_decide_are_decided() -> None:
    text = """
        inputs: {x: [1, 2]}
        parameters: {W: {shape: [2, 2]}}
        equations: ["z[i] = sum(where(j <= i, W[i,j]*x[j], 0), j)", "J = sum(z[i]**2, i)"]
        loss: J
        """
    assert answer("W[1,1]", text) == "∂J/∂W₁₁ = ∂J/∂z₁ · x₁"
    assert answer("W[1,2]", text) == "∂J/∂W₁₂ = 0"
    assert answer("W[1,1]", text, expand=True) == "∂J/∂W₁₁ = 2 · W₁₁ · x₁²"
    assert answer("W[1,2]", text, expand=True) == "∂J/∂W₁₂ = 0"


def test_a_long_expansion_is_refused() -> None:
    text = SPEC.replace("units: 2, activation: tanh", "units: 60, activation: tanh")
    with pytest.raises(bp.BackpropError, match="more than 3000 operations"):
        bp.load(text.replace("x: [1, 2]", f"x: {list(range(40))}")).derive().of("x[1]", expand=True)


def test_a_number_is_no_entry() -> None:
    assert folded(tree.Number("2"), bp.load(SPEC).graph) == tree.Number("2")


def test_a_long_expansion_is_refused_before_the_work() -> None:
    derivation = bp.load(bundled_spec("relu-600-60-40-10").text).derive()
    start = process_time()
    with pytest.raises(bp.BackpropError) as caught:
        derivation.of("W3[1,2]", expand=True)
    assert process_time() - start < 5
    assert str(caught.value) == (
        "written in inputs and parameters alone, this formula has more than 3000 operations; leave out --expand, or "
        "ask for one entry of a smaller network"
    )


def test_a_long_double_sum_is_refused() -> None:
    text = """
        inputs: {x: {size: 300}}
        parameters: {W: {shape: [300, 300]}, c: 1}
        equations: ["s = sum(W[i,j]*x[i]*x[j], i, j)", "J = c*s"]
        loss: J
        """
    with pytest.raises(bp.BackpropError) as caught:
        bp.load(text).derive().of("c", expand=True)
    assert str(caught.value) == "a sum of 90000 terms is too long to write out; leave out --expand"
