"""What ``verify`` says, word by word."""

from __future__ import annotations

import json

import numpy as np
import pytest

import backprop_cli as bp
from backprop_cli.documents.verification import verification_document
from backprop_cli.renderers import terminal
from backprop_cli.renderers.report_data import report_as_data
from backprop_cli.verification.checking import verify

KINK = """
inputs: {x: [1, 2]}
targets: {y: [1]}
layers:
  - dense: {units: 2, activation: relu, weights: [[0, 0], [1, 1]], bias: [0, 0]}
  - dense: {units: 1, weights: [[1, 2]], bias: [0]}
loss: mse
"""
NOT_FINITE = "{parameters: {w: -1}, inputs: {x: 2}, equations: [z = w*x, a = log(z), L = a**2], loss: L}"
CORNER = "{parameters: {w: [0, 0]}, equations: ['L = sqrt(sum(w[i]**2, i))'], loss: L}"
SATURATED = """
inputs: {x: [1]}
targets: {y: [0]}
layers: [dense: {units: 1, activation: sigmoid, weights: [[-800]], bias: [0]}]
loss: bce
"""


def page(text, change=lambda values, gradients: None, library=None):
    """What is printed of a verification of the spec's own run, after a change, in the columns of a wide terminal."""
    network = bp.load(text)
    trace = network.compile().run()
    gradients = {name: np.array(gradient, dtype=float) for name, gradient in trace.gradients.items()}
    values = {**trace.given, network.graph.cost: np.asarray(trace.loss)}
    change(values, gradients)
    report = verify(network.graph, values, gradients, library=library)
    printed = terminal.render(verification_document("test", network.names, report), 200).splitlines()
    return [line.rstrip() for line in printed if line], report


def test_where_every_oracle_confirms_everything():
    lines, _ = page("{parameters: {w: 3}, equations: [L = w**2], loss: L}")
    more = "more than " if np.finfo(np.longdouble).eps < np.finfo(float).eps else ""
    assert lines[2:] == [
        "1 gradient verified by central differences and SymPy: no disagreement.",
        "── J, evaluated again ".ljust(100, "─"),
        "   ours  again  difference  allowed  verdict",
        "────────────────────────────────────────────",
        "J  9     9      0           9.0e-09  agrees",
        "── Against central differences ".ljust(100, "─"),
        f"The differences are extrapolated to a step of 0, from values of J computed in {more}double",
        "precision.",
        "worst entry  ours  oracle  difference  allowed  verdict",
        "───────────────────────────────────────────────────────",
        "∂J/∂w        6     6       0           6.0e-07  agrees",
        "── Against SymPy ".ljust(100, "─"),
        "worst entry  ours  oracle  difference  allowed  verdict",
        "───────────────────────────────────────────────────────",
        "∂J/∂w        6     6       0           6.0e-09  agrees",
        "── Against automatic differentiation ".ljust(100, "─"),
        "Left out: neither PyTorch nor HIPS autograd is installed.",
    ]


def test_kinks_are_counted_and_named_by_their_place():
    lines, _ = page(KINK)
    assert lines[2:5] == [
        "9 gradients, confirmed: 6 by central differences (others: 3 at a kink), 9 by SymPy; no disagreement.",
        "  At a kink the difference quotient averages the slopes of the two sides; the gradient takes the one",
        "  that the derivation states, so a difference is no error: relu in a₁⁽¹⁾.",
    ]
    assert "∂J/∂z₁⁽¹⁾    0     5       5.0e+00     5.0e-07  kink" in lines
    assert sum(line.endswith("kink") for line in lines) == 3


def test_a_cost_that_is_not_finite_is_confirmed_by_no_oracle():
    lines, report = page(NOT_FINITE)
    assert report.ok
    assert lines[2:7] == [
        "No oracle could judge the 4 gradients: J is not finite.",
        "── J, evaluated again ".ljust(100, "─"),
        "   ours  again  difference  allowed  verdict",
        "─────────────────────────────────────────────",
        "J                                    left out",
    ]
    assert "  J is not finite." in lines


def test_a_corner_has_no_slope_to_compare_with():
    lines, report = page(CORNER)
    assert report.ok
    assert lines[2] == "No oracle could judge the gradient."
    assert "  ∂J/∂w: J is not finite, not smooth or not known precisely enough around some entries." in lines


def test_an_oracle_that_checked_a_part_says_how_much():
    lines, _ = page(SATURATED)
    assert lines[2] == (
        "5 gradients, confirmed: 4 by central differences (others: 1 left out), 5 by SymPy; no disagreement."
    )
    assert not any(cell == "-0" for line in lines for cell in line.split())


def test_a_gradient_that_no_oracle_could_judge_is_named():
    lines, report = page("{parameters: {w: [0, 0], v: 2}, equations: ['L = sqrt(sum(w[i]**2, i)) + v'], loss: L}")
    assert report.ok
    assert lines[2:4] == [
        "2 gradients, confirmed: 1 by central differences (others: 1 left out), 1 by SymPy (others: 1 left",
        "out); no disagreement.",
    ]
    assert lines[4] == "! No oracle could judge ∂J/∂w."


def test_a_disagreement_says_of_what():
    def wrong(values, gradients):
        values["J"] = np.asarray(values["J"] * 1.0005)
        gradients["W2"][0, 1] *= 1.0005

    lines, report = page(KINK, wrong)
    assert not report.ok
    warnings = " ".join(lines[2 : lines.index("── J, evaluated again ".ljust(100, "─"))])
    assert " ".join(warnings.split()).startswith(
        "! J: ours is 25.0125, by a second evaluation 25; they differ by 0.0125, and 2.5e-08 is allowed. "
        "! ∂J/∂w₁₂⁽²⁾: ours is 30.015, by central differences 30; they differ by 0.015, and 3e-06 is allowed. "
        "! ∂J/∂w₁₂⁽²⁾: ours is 30.015, by SymPy 30; they differ by 0.015, and 3e-08 is allowed. "
        "At a kink "
    )


def test_data_says_which_differences_are_relative():
    _, report = page(KINK)
    data = json.loads(json.dumps(report_as_data("test", report)))
    assert data["loss"]["oracle"] == "a second evaluation"
    (kink,) = [c for c in data["gradients"] if (c["quantity"], c["oracle"]) == ("z1", "central differences")]
    assert kink == {
        "quantity": "z1",
        "oracle": "central differences",
        "verdict": "kink",
        "entries": 2,
        "asked": 2,
        "checked": 2,
        "kinks": 1,
        "near": ["relu in a1[1]"],
        "worst": {
            "position": [1],
            "ours": 0.0,
            "theirs": pytest.approx(5.0),
            "difference": pytest.approx(5.0),
            "relative_difference": 1.0,
            "allowed": pytest.approx(5e-7, rel=1e-3),
        },
        "note": None,
    }


def test_rounding_is_no_difference_from_the_full_gradient():
    """A window longer than the sequence changes the order of the sums alone."""
    text = """
inputs: {x: [[1, 0], [0.3, 1]]}
targets: {y: [0, 1]}
layers:
  - rnn:
      units: 2
      truncate: 40
      weights: {W_xh: [[0.1, 0.2], [0.3, 0.4]], W_hh: [[0.1, 0.2], [0.3, -0.4]]}
      h0: [0.3, -0.2]
  - dense: {units: 3}
loss: cross_entropy
"""
    network = bp.load(text)
    report = network.verify()
    assert any(one.truncated != one.full for one in report.truncations)
    printed = terminal.render(verification_document("test", network.names, report), 80)
    assert "Beside the full gradient" in printed
    assert "differs most at" not in printed
