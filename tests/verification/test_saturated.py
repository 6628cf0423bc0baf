"""Saturated functions, where double precision holds few digits of what a naive evaluation needs: no false alarms, and
no wrong formula that hides among them."""

from __future__ import annotations

import numpy as np
import pytest

import backprop_cli as bp
from backprop_cli.verification import automatic
from backprop_cli.verification.checking import verify
from backprop_cli.verification.report import Oracle, Verdict

LIBRARIES = [library for library in automatic.LIBRARIES if automatic.is_installed(library)]


def logits(weight, target):
    layer = f"dense: {{units: 1, weights: [[{weight}]], bias: [0]}}"
    return f"{{inputs: {{x: [1]}}, targets: {{y: [{target}]}}, layers: [{layer}], loss: bce_with_logits}}"


def probability(weight, target):
    layer = f"dense: {{units: 1, activation: sigmoid, weights: [[{weight}]], bias: [0]}}"
    return f"{{inputs: {{x: [1]}}, targets: {{y: [{target}]}}, layers: [{layer}], loss: bce}}"


def subtracted(weight):
    """1 - a as a quantity of its own: its last digits are those that a has lost."""
    equations = f"[z = {weight}*x, a = sigmoid(z), b = 1 - a, L = -log(b)]"
    return f"{{inputs: {{x: 1}}, equations: {equations}, loss: L}}"


def activation(name, weight):
    layer = f"dense: {{units: 1, activation: {name}, weights: [[{weight}]], bias: [0]}}"
    return f"{{inputs: {{x: [1]}}, targets: {{y: [0.5]}}, layers: [{layer}], loss: mse}}"


SOFTMAX = """
{inputs: {x: [0.97, 1]}, targets: {y: [0, 0]}, loss: sse, layers: [
  dense: {units: 1, weights: [[3.8, -0.96]], bias: [-0.92]},
  dense: {units: 2, weights: [[-8.31], [18.03]], bias: [-0.31, 0.23], activation: softmax}]}
"""
SPECS = [
    *(logits(weight, target) for weight in (-800, -100, -30, 20, 30, 36, 100, 800) for target in (0, 1)),
    *(probability(weight, target) for weight in (-800, -30, -20, 10, 20, 25, 30, 36, 40) for target in (0, 1)),
    *(subtracted(weight) for weight in (10, 20, 30, 36, 40)),
    *(activation("sigmoid", weight) for weight in (-75, 33, 36, 36.04, 37, 75)),
    SOFTMAX,
    *(activation(name, weight) for name in ("tanh", "gelu", "softplus", "elu") for weight in (-30, -8, -5, 8, 30)),
]


def checked(text, factor=1.0, name=None, library=None):
    """The verification of the spec's run, with one gradient changed by a factor."""
    network = bp.load(text)
    trace = network.compile().run()
    gradients = {key: np.array(gradient, dtype=float) for key, gradient in trace.gradients.items()}
    if name is not None:
        gradients[name] *= factor
    return verify(network.graph, {**trace.given, network.graph.cost: np.asarray(trace.loss)}, gradients, None, library)


@pytest.mark.parametrize("text", SPECS)
@pytest.mark.parametrize("library", LIBRARIES or [None])
def test_right_numbers_raise_no_alarm(text, library):
    report = checked(text, library=library)
    assert report.ok, report.disagreeing


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("text", "names"),
    [
        (logits(20, 0), ("W1", "b1", "z1", "x")),
        (logits(30, 0), ("W1", "b1", "z1", "x")),
        (logits(-30, 1), ("W1", "b1", "z1", "x")),
        (logits(800, 1), ()),
        (probability(20, 0), ("W1", "b1", "z1", "a1", "x")),
        (probability(-30, 1), ("W1", "b1", "z1", "a1", "x")),
        (subtracted(20), ("a", "b", "z", "x")),
        (activation("gelu", -5), ("W1", "z1", "a1")),
    ],
)
def test_a_formula_off_by_half_a_permille_is_caught_all_the_same(text, names):
    for name in names:
        report = checked(text, 1.0005, name)
        for oracle in (Oracle.DIFFERENCES, Oracle.SYMPY):
            assert report.of(name)[oracle].verdict is Verdict.DISAGREES, (name, oracle)


def test_j_itself_is_computed_with_as_many_digits_as_it_takes():
    """log(1 - sigmoid(30)), as it stands, has five right digits in 64 bits of mantissa."""
    cost = checked(logits(30, 0)).cost
    assert cost.verdict is Verdict.OK
    assert cost.worst.theirs == pytest.approx(30.000000000000092, rel=1e-15)
    assert cost.worst.allowed < 1e-7


def test_j_that_overflows_as_it_is_written_is_not_said_to_be_infinite():
    """log(1 - sigmoid(800)) is log(0) in 80 digits too, and its factor 0; ours is 0 by a stable form."""
    report = checked(logits(800, 1))
    assert report.cost.verdict is Verdict.LEFT_OUT
    assert report.cost.note == "J, computed as it is written, is not finite"


def test_differences_of_what_is_noise_judge_nothing():
    """1 - a is 1 in 80 digits, so a step beside it leaves no trace; SymPy's derivative still has its say."""
    report = checked(probability(-800, 0))
    differences = report.of("a1")[Oracle.DIFFERENCES]
    assert differences.verdict is Verdict.LEFT_OUT
    assert differences.note == "J is not finite, not smooth or not known precisely enough around some entries"
    assert report.of("a1")[Oracle.SYMPY].verdict is Verdict.OK
    assert not checked(probability(-800, 0), 1.0005, "a1").ok


def test_a_gradient_at_a_rounded_value_is_allowed_what_rounding_moves_it():
    """1 / (1 - a): with a = sigmoid(20) rounded to float64, eight digits are left."""
    report = checked(probability(20, 0))
    worst = report.of("a1")[Oracle.SYMPY].worst
    assert 1e-9 < worst.relative_difference < 1e-7
    assert worst.difference < worst.allowed < 1e-5 * worst.theirs


def test_where_rounding_leaves_too_few_digits_the_reason_is_said():
    found = checked(probability(36, 0)).of("a1")[Oracle.SYMPY]
    assert found.verdict is Verdict.LEFT_OUT
    assert found.note == (
        "float64 does not hold enough digits of the values that the gradient depends on at some entries"
    )


@pytest.mark.skipif("torch" not in LIBRARIES, reason="PyTorch is not installed")
def test_pytorch_does_not_count_where_the_differences_confirm_our_number():
    """The square of a sum of exponentials overflows in PyTorch's derivative of a quotient; it finds 0.17 for 0."""
    text = """
    {inputs: {x: [-1.24, 1]}, targets: {y: [1, 0, 0]}, loss: cross_entropy, layers: [
      dense: {units: 3, weights: [[-0.23, -544.95], [0.35, 649.4], [0.44, -0.39]], bias: [0.21, -0.58, 0.5],
              activation: softmax},
      dense: {units: 3, weights: [[737.67, -0.63, 240.52], [-407.44, -771.43, -241.06], [384.82, 0.17, -538.92]],
              bias: [0.33, 0.75, 0.74], activation: softmax}]}
    """
    report = checked(text, library="torch")
    assert report.ok
    assert report.of("z1")[Oracle.AUTOMATIC].is_partial
    assert report.of("z1")[Oracle.AUTOMATIC].note == (
        "PyTorch's own number is not finite or not precise at some entries: it evaluates the equations as they stand, "
        "in double precision, and both branches of every choice"
    )


def test_a_corner_of_the_users_own_making_has_no_slope():
    report = checked("{parameters: {w: [0, 0]}, equations: ['L = sqrt(sum(w[i]**2, i))'], loss: L}")
    assert report.ok
    assert report.of("w")[Oracle.DIFFERENCES].verdict is Verdict.LEFT_OUT
    report = checked("{parameters: {w: [3, 4]}, equations: ['L = sqrt(sum(w[i]**2, i))'], loss: L}", 1.0005, "w")
    assert report.of("w")[Oracle.DIFFERENCES].verdict is Verdict.DISAGREES
