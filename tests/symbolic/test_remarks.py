"""Remarks on steps stand where they are true, and nowhere else."""

from __future__ import annotations

from textwrap import dedent

import pytest

import backprop_cli as bp
from backprop_cli.documents.blocks import Note
from backprop_cli.documents.derivation import derivation_document
from backprop_cli.documents.names import Names
from backprop_cli.documents.wording import sentence
from backprop_cli.renderers.formula_text import render

ABS = "abs has no derivative at 0, where its slope is taken as 0."
RELU = "relu has no derivative at 0, where its slope is taken as 0."
MAX = "max has no derivative at equal arguments, where the first takes the gradient."


def remarks(text: str) -> dict[str, list[str]]:
    """The remarks of every step that has some."""
    steps = bp.load(dedent(text)).derive().steps
    return {step.id: [sentence(note) for note in step.notes] for step in steps if step.notes}


def network(loss: str, activation: str = "tanh", more: str = "") -> str:
    return (
        "inputs: {x: [1, 2]}\ntargets: {y: [0, 3]}\n"
        f"layers: [{{dense: {{units: 2, activation: {activation}}}}}, {{dense: {{units: 2}}}}]\n"
        f"loss: {loss}\n{more}"
    )


def test_a_kink_is_told_where_the_slope_is_worked_out() -> None:
    assert remarks(network("mse", "relu")) == {"da1/dz1": [RELU]}
    assert remarks(network("mae")) == {"dJ/da2": [ABS]}


def test_a_kink_that_no_branch_reaches_is_none() -> None:
    assert remarks(network("{huber: {delta: 1}}")) == {}
    assert remarks(equation("where(w[i]**2 > 1, w[i]**2/2, abs(-w[i]) - 1/2)")) == {"dJ/dw": [ABS]}
    assert remarks(equation("where(w[i]**2 <= 1, w[i]**2/2, abs(-w[i]) - 1/2)")) == {}
    assert remarks(equation("where(x[i] <= 1, w[i]**2/2, abs(w[i]))")) == {"dJ/dw": [ABS]}


def test_a_penalty_has_its_kink_at_the_weights() -> None:
    assert remarks(network("mse", more="regularise: {l1: 0.1}")) == {"dJ/dW2": [ABS], "dJ/dW1": [ABS]}


def equation(body: str) -> str:
    return f"""
        inputs: {{x: [1, 2]}}
        parameters: {{w: [1, 2], c: 3}}
        equations: ["J = sum({body}, i) + c**2"]
        loss: J
        """


def test_a_kink_concerns_what_stands_in_it() -> None:
    assert remarks(equation("relu(w[i])*x[i]")) == {"dJ/dw": [RELU]}
    assert remarks(equation("max(w[i]*x[i], c)")) == {"dJ/dw": [MAX], "dJ/dc": [MAX], "dJ/dx": [MAX]}


@pytest.mark.parametrize(("operation", "values"), [("max", "largest"), ("min", "smallest")])
def test_of_equal_values_the_first_takes_the_gradient(operation: str, values: str) -> None:
    text = f"""
        inputs: {{x: [1, 2]}}
        parameters: {{w: [1, 2], v: [1, 2]}}
        equations: ["m = {operation}(w[i]*v[i], i)", "J = m**2 + sum(x[i]*v[i], i)"]
        loss: J
        """
    tie = f"Of equal {values} values the first takes the gradient."
    assert remarks(text) == {"dm/dw": [tie], "dm/dv": [tie]}
    notes = [block for block in derivation_document(*told(text)).blocks if isinstance(block, Note)]
    assert [note.parts for note in notes] == [(tie,)]  # once for both


def told(text: str) -> tuple:
    derivation = bp.load(dedent(text)).derive()
    return derivation.told, derivation.names


def test_positions_are_said_to_be_positions_and_sums_with_them_are_not() -> None:
    found = remarks("""
        inputs: {x: [1, 2]}
        parameters: {w: [1, 2]}
        equations: ["p = argmin(w[i]*x[i], i)", "J = w[1]**2 + 2*argmax(w[i], i) + p"]
        loss: J
        """)
    jumps = "positions change in jumps: its derivative is 0 wherever it exists, so no gradient passes through it"
    assert found["p"] == [
        "p is piecewise constant: as a position it stays the same while the values change a little, and then jumps. "
        "Its gradient is 0 wherever it exists, and where two values tie there is none, so gradient descent has nothing "
        "to follow here. One searches without gradients instead, or puts a smooth stand-in in its place, such as "
        "softmin for argmin and softmax for argmax."
    ]
    assert found["J"] == [f"argmax gives a position, and {jumps}."]


def test_a_mask_is_introduced_where_it_first_stands() -> None:
    text = network("mse").replace("units: 2, activation: tanh", "units: 2, connections: [[1, 0], [1, 1]]")
    assert remarks(text) == {
        "z1": ["mask1 holds the connections: 1 where a unit is wired to an input, 0 elsewhere."],
    }


def test_the_slope_of_an_absolute_value_is_a_sign() -> None:
    steps = {step.id: step for step in bp.load(network("mae")).derive().steps}
    assert render(steps["dJ/da2"].formula, Names()) == "dJ/da2[i] = sign(a2[i] - y[i])/2"
