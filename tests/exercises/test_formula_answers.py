"""Formulas as answers: other ways to write the right one, how a wrong one differs, and what is no formula."""

from __future__ import annotations

import re

import numpy as np
import pytest

from backprop_cli.documents.grading import grading_document
from backprop_cli.exercises.grading import grade
from backprop_cli.exercises.key import Cell, CellKind, Key, Variant
from backprop_cli.exercises.marks import Difference, DifferenceKind, Mark, Marked, Report, Submission, Verdict
from backprop_cli.network import load_text
from backprop_cli.renderers import terminal
from backprop_cli.symbolic.notation import Adjoint, Place

SPEC = """
inputs: {x: [0.8, -0.6]}
targets: {y: [0.9, 0.2]}
layers:
  - dense: {weights: [[0.5, -0.7], [0.3, 0.9]], bias: [0.3, -0.2], activation: tanh}
  - dense: {weights: [[0.7, -0.3], [-0.6, 0.4]], bias: [-0.25, 0.15], activation: sigmoid}
loss: mse
"""
RIGHT = {
    "formula dJ/dW1[1,2]": "dJ/dz1[1]*x[2]",
    "formula dJ/dz1[1]": "dJ/da1[1]*(1 - a1[1]**2)",
    "formula dJ/da1[1]": "dJ/dz2[1]*W2[1,1] + dJ/dz2[2]*W2[2,1]",
    "formula dJ/dW2[1,1]": "a1[1]*a2[1]*(1 - a2[1])*(a2[1] - y[1])",
    "formula z1[1]": "W1[1,1]*x[1] + W1[1,2]*x[2] + b1[1]",
}


def mark(of: str, answer: str) -> Mark:
    network = load_text(SPEC, "<text>", "t")
    given = {name: np.asarray(values) for name, values in network.values.items()}
    cell = Cell(f"formula {of}", 1, CellKind.FORMULA, RIGHT[f"formula {of}"], 0.0, 2.0, 4)
    key = Key("t", SPEC, 4, 0, 0.1, (Variant("1", "A", None, given, (cell,)),))
    return grade(key, network.graph, [Submission("Ann", "1", {cell.id: answer})]).students[0].marks[0]


@pytest.mark.parametrize(
    ("of", "answer"),
    [
        ("dJ/dW1[1,2]", "x[2]*dJ/dz1[1]"),
        ("dJ/dW1[1,2]", "dJ/dW1[1,2] = dJ/dz1[1] * x[2]"),
        ("dJ/dW1[1,2]", "∂J/∂a1[1]·(1 − tanh(z1[1])²)·x[2]"),
        ("dJ/dW2[1,1]", "a1[1]*(a2[1] - y[1])*sigmoid(z2[1])*(1 - a2[1])"),
        ("dJ/dz1[1]", "dJ/da1[1]*(1 - a1[1])*(1 + a1[1])"),
        ("dJ/dz1[1]", "dJ/da1[1]/cosh(z1[1])^2"),
        ("dJ/da1[1]", "sum(W2[k,1]*dJ/dz2[k], k)"),
        ("dJ/da1[1]", "sum(W2[k,1]*dJ/da2[k]*σ(z2[k])*(1 - σ(z2[k])), k)"),
        ("dJ/da1[1]", "2*mean(dJ/dz2[i]*W2[i,1], i)"),
        ("z1[1]", "sum(W1[1,j]*x[j], j) + b1[1]"),
    ],
)
def test_other_ways_to_write_it_are_right(of: str, answer: str) -> None:
    found = mark(of, answer)
    assert (found.verdict, found.points) == (Verdict.RIGHT, 2.0)


def test_a_right_one_with_gradients_in_it_is_flagged_where_they_were_to_be_put_in() -> None:
    found = mark("dJ/dW2[1,1]", "dJ/dz2[1]*a1[1]")
    assert (found.verdict, found.points, found.held) == (Verdict.FLAGGED, 0.0, 2.0)
    assert found.difference == Difference(DifferenceKind.GRADIENTS)


@pytest.mark.parametrize(
    ("of", "answer", "mistakes", "difference"),
    [
        (
            "dJ/dW1[1,2]",
            "-dJ/dz1[1]*x[2]",
            ("wrong_sign",),
            Difference(DifferenceKind.FACTOR, -Place("x") / Place("x")),
        ),
        ("dJ/dW1[1,2]", "dJ/dz1[1]", (), Difference(DifferenceKind.FACTOR, 1 / Place("x", 2))),
        ("dJ/dW1[1,2]", "dJ/dz1[1]*x[1]", ("wrong_input",), None),
        ("dJ/dW1[1,2]", "dJ/da1[1]*x[2]", ("missing_derivative",), None),
        ("dJ/dz1[1]", "dJ/da1[1]*a1[1]", ("activation_for_derivative",), None),
        ("dJ/dz1[1]", "dJ/da1[1]*(1 - tanh(a1[1])**2)", ("derivative_at_activation",), None),
        (
            "dJ/da1[1]",
            "dJ/dz2[2]*W2[2,1]",
            ("single_path",),
            Difference(DifferenceKind.TERM, -Adjoint("z2", 1) * Place("W2", 1, 1)),
        ),
        ("dJ/da1[1]", "dJ/dz2[1]*W2[1,1] + dJ/dz2[2]*W2[1,2]", ("transposed",), None),
        ("z1[1]", "sum(W1[1,j]*x[j], j)", ("bias_forgotten",), Difference(DifferenceKind.TERM, -Place("b1", 1))),
        ("dJ/dW2[1,1]", "a1[1]*(a2[1] - y[1])", ("missing_derivative",), None),
        ("dJ/dW2[1,1]", "2*a1[1]*a2[1]*(1 - a2[1])*(a2[1] - y[1])", ("lost_factor",), None),
        ("dJ/dW1[1,2]", "dJ/dW1[1,2]", (), Difference(DifferenceKind.ITSELF)),
    ],
)
def test_how_a_wrong_one_differs(
    of: str, answer: str, mistakes: tuple[str, ...], difference: Difference | None
) -> None:
    found = mark(of, answer)
    assert (found.verdict, found.points) == (Verdict.WRONG, 0.0)
    assert found.mistakes == mistakes
    if difference is not None:
        assert found.difference == difference


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("__import__('os')", "a name begins with a letter, not with '_'"),
        ("9**9**9**9", "an exponent above 1,000 is not allowed"),
        ("x[1]**900", "the power 900 is too high"),
        ("open(x[1])", "there is no function 'open'"),
        ("tahn(z1[1])", "there is no function 'tahn'; did you mean 'tanh'?"),
        ("x[3]", "x has no position 3"),
        ("x[1,2]", "x has 1 position"),
        ("k[1]", "there is no quantity 'k'"),
        ("dJ/dy[1]", "y has no gradient"),
        ("sum(x[1], k)", "what k runs over cannot be told"),
        (
            "sum(x[a]*x[b]*x[c]*x[d]*x[e]*x[f]*x[g]*x[h]*x[i]*x[j]*x[k]*x[l], a,b,c,d,e,f,g,h,i,j,k,l)",
            "this formula is too long",
        ),
        ("(" * 3000, "this formula is too long"),
    ],
)
def test_what_is_no_formula_says_why(answer: str, reason: str) -> None:
    found = mark("dJ/dW1[1,2]", answer)
    assert found.verdict is Verdict.WRONG
    assert found.difference == Difference(DifferenceKind.UNREADABLE, text=reason)


def said(of: str, answer: str) -> str:
    """What the report says of an answer."""
    network = load_text(SPEC, "<text>", "t")
    found = mark(of, answer)
    report = Report("t", [Marked("Ann", "1", (found,))])
    return re.sub(r"\s+", " ", terminal.render(grading_document(report, network.names), 100)).partition("! ")[2].strip()


@pytest.mark.parametrize(
    ("of", "answer", "places"),
    [
        ("dJ/dW2[1,1]", "a1[1]*a2[1]*(1 - a2[1])*(a2[1] - 0.9)", (Place("y", 1),)),
        ("dJ/dW1[1,2]", "-0.6*dJ/dz1[1]", (Place("x", 2),)),
        ("dJ/da1[1]", "0.7*dJ/dz2[1] - 0.6*dJ/dz2[2]", (Place("W2", 1, 1), Place("W2", 2, 1))),
        ("z1[1]", "0.4 + W1[1,2]*x[2] + b1[1]", (Place("W1", 1, 1), Place("x", 1))),
    ],
)
def test_given_numbers_put_in_are_flagged(of: str, answer: str, places: tuple[Place, ...]) -> None:
    found = mark(of, answer)
    assert (found.verdict, found.points, found.held, found.mistakes) == (Verdict.FLAGGED, 0.0, 2.0, ())
    assert found.difference is not None
    assert found.difference.kind is DifferenceKind.NUMBERS
    assert set(found.difference.places) == set(places)


@pytest.mark.parametrize(
    ("of", "answer"),
    [
        ("dJ/dW2[1,1]", "a1[1]*a2[1]*(1 - a2[1])*(a2[1] - 0.8)"),  # not the number that is given
        ("dJ/dW2[1,1]", "-a1[1]*a2[1]*(1 - a2[1])*(a2[1] - 0.9)"),
        ("z1[1]", "1.12"),  # no formula at all
        ("z1[1]", "a1[1]*1.12/0.8076"),
    ],
)
def test_other_numbers_put_in_are_wrong(of: str, answer: str) -> None:
    assert mark(of, answer).verdict is Verdict.WRONG


@pytest.mark.parametrize(
    ("of", "answer", "text"),
    [
        (
            "dJ/dW2[1,1]",
            "a1[1]*a2[1]*(1 - a2[1])*(a2[1] - 0.9)",
            "dJ/dW2[1,1]: the formula is right for the numbers of this sheet alone. It was to be written with y₁.",
        ),
        (
            "dJ/dW2[1,1]",
            "-a1[1]*a2[1]*(1 - a2[1])*(a2[1] - y[1])",
            "dJ/dW2[1,1]: the answer is −1 times the right formula. This is what comes out with a wrong sign. The "
            "step is ∂J/∂w₁₁⁽²⁾ = ∂J/∂z₁⁽²⁾ · a₁⁽¹⁾.",
        ),
        (
            "dJ/dW1[1,2]",
            "aa2[1]",
            "formula dJ/dW1[1,2]: the formula cannot be read: there is no quantity 'aa2'; did you mean 'a2'?",
        ),
        ("dJ/dW1[1,2]", "x[3]", "formula dJ/dW1[1,2]: the formula cannot be read: x has no position 3."),
    ],
)
def test_what_is_said_reads_well(of: str, answer: str, text: str) -> None:
    assert said(of, answer).endswith(text)
    assert said(of, answer).count("formula dJ/d") == 1
