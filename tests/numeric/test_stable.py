"""Logits of ±10 000, in layers and in users' own equations: finite, and what exact arithmetic gives."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import backprop_cli as bp
from backprop_cli.numeric.trace import Trace

Z = [10000.0, -10000.0, 0.0]
Y = [0.0, 1.0, 0.0]
CROSS_ENTROPY = "J = -sum(y[i]*log(a[i]), i)"
BINARY = "J = -sum(y[i]*log(p[i]) + (1 - y[i])*log(1 - p[i]), i)"
SOFTMAX_GRADIENT = [1.0, -1.0, 0.0]


def run(*equations: str, y: list[float] = Y, z: list[float] = Z, parameters: dict[str, Any] | None = None) -> Trace:
    spec = {"inputs": {"z": z}, "targets": {"y": y}, "equations": list(equations), "loss": "J"}
    if parameters:
        spec["parameters"] = parameters
    return bp.load(json.dumps(spec) + "\n").compile().run()


SOFTMAX = {
    "as on paper": ("a[i] = exp(z[i])/sum(exp(z[k]), k)", CROSS_ENTROPY),
    "inside the cost": ("J = -sum(y[i]*log(exp(z[i])/sum(exp(z[k]), k)), i)",),
    "logarithm first": ("a[i] = z[i] - log(sum(exp(z[k]), k))", "J = -sum(y[i]*a[i], i)"),
    "exponentials by name": ("e[i] = exp(z[i])", "s = sum(e[k], k)", "a[i] = e[i]/s", CROSS_ENTROPY),
    "denominator by name": ("s = sum(exp(z[k]), k)", "a[i] = exp(z[i])/s", CROSS_ENTROPY),
    "logarithm of a name": ("s = sum(exp(z[k]), k)", "J = log(s) - sum(y[k]*z[k], k)"),
    "shifted by its author": ("m = max(z[k], k)", "a[i] = exp(z[i] - m)/sum(exp(z[k] - m), k)", CROSS_ENTROPY),
    "through another name": ("p[i] = exp(z[i])/sum(exp(z[k]), k)", "a[i] = p[i]", CROSS_ENTROPY),
    "with one class more": ("a[i] = exp(z[i])/(1 + sum(exp(z[k]), k))", CROSS_ENTROPY),
}


@pytest.mark.parametrize("form", SOFTMAX)
def test_cross_entropy_of_a_softmax(form: str) -> None:
    trace = run(*SOFTMAX[form])
    assert trace.loss == 20000.0
    np.testing.assert_array_equal(trace.gradients["z"], SOFTMAX_GRADIENT)


def test_temperature() -> None:
    trace = run("a[i] = exp(z[i]/2)/sum(exp(z[k]/2), k)", CROSS_ENTROPY)
    assert trace.loss == 10000.0
    np.testing.assert_array_equal(trace.gradients["z"], [0.5, -0.5, 0.0])


def test_weights() -> None:
    trace = run("a[i] = w[i]*exp(z[i])/sum(w[k]*exp(z[k]), k)", CROSS_ENTROPY, parameters={"w": [1, 2, 3]})
    assert trace.loss == pytest.approx(20000 - np.log(2), rel=1e-15)
    np.testing.assert_array_equal(trace.gradients["z"], SOFTMAX_GRADIENT)
    np.testing.assert_allclose(trace.gradients["w"][1:], [-0.5, 0.0], atol=1e-15)  # type: ignore[index]


def test_a_mask_hides_the_largest_logit() -> None:
    equations = ("a[i] = w[i]*exp(z[i])/sum(w[k]*exp(z[k]), k)", CROSS_ENTROPY)
    trace = run(*equations, y=[0, 0, 1], parameters={"w": [0, 2, 3]})
    assert trace.loss == 0.0
    np.testing.assert_array_equal(trace.forward["a"], [0.0, 0.0, 1.0])
    np.testing.assert_array_equal(trace.gradients["z"], [0.0, 0.0, 0.0])


def test_a_mask_by_choice() -> None:
    weight = "where({0} == 1, 0, exp(z[{0}]))"
    softmax = f"a[i] = {weight.format('i')}/sum({weight.format('k')}, k)"
    trace = run(softmax, "J = sum((a[i] - y[i])**2, i)", y=[0, 0, 0])
    np.testing.assert_array_equal(trace.forward["a"], [0.0, 0.0, 1.0])


SIGMOIDS = (
    "sigmoid(z[i])",
    "1/(1 + exp(-z[i]))",
    "exp(z[i])/(1 + exp(z[i]))",
    "exp(z[i])/(exp(z[i]) + 1)",
    "1/(1 + 1/exp(z[i]))",
    "1 - 1/(1 + exp(z[i]))",
    "(1 + tanh(z[i]/2))/2",
)


@pytest.mark.parametrize("sigmoid", SIGMOIDS)
def test_cross_entropy_of_a_sigmoid(sigmoid: str) -> None:
    trace = run(f"p[i] = {sigmoid}", BINARY, y=[0, 1, 0.5])
    assert trace.loss == pytest.approx(20000 + np.log(2), rel=1e-15)
    np.testing.assert_array_equal(trace.forward["p"], [1.0, 0.0, 0.5])
    np.testing.assert_array_equal(trace.gradients["z"], [1.0, -1.0, 0.0])
    confident = run(f"p[i] = {sigmoid}", BINARY, y=[1, 0, 0.25])
    assert confident.loss == pytest.approx(np.log(2), rel=1e-15)
    np.testing.assert_array_equal(confident.gradients["z"], [0.0, 0.0, 0.25])
    assert confident.non_finite == ()


def test_small_losses_keep_their_digits() -> None:
    trace = run("p[i] = sigmoid(z[i])", BINARY, y=[1.0], z=[30.0])
    assert trace.loss == pytest.approx(np.log1p(np.exp(-30)), rel=1e-14)


@pytest.mark.parametrize(
    ("loss", "cost", "gradient"),
    [
        ("cross_entropy", 20000.0, SOFTMAX_GRADIENT),
        ("bce_with_logits", (20000 + np.log(2)) / 3, [1 / 3, -1 / 3, 1 / 6]),
    ],
)
def test_losses_on_logits(loss: str, cost: float, gradient: list[float]) -> None:
    layer = {"dense": {"units": 3, "weights": [[z] for z in Z], "bias": False}}
    spec = {"inputs": {"x": [1]}, "targets": {"y": Y}, "layers": [layer], "loss": loss}
    trace = bp.load(json.dumps(spec) + "\n").compile().run()
    assert trace.loss == pytest.approx(cost, rel=1e-15)
    np.testing.assert_allclose(trace.gradients["z1"], gradient, rtol=1e-15)
    assert trace.non_finite == ()


@pytest.mark.parametrize(("activation", "loss"), [("softmax", "-sum(y[i]*log(yhat[i]), i)"), ("sigmoid", "bce")])
def test_costs_of_activated_layers(activation: str, loss: str) -> None:
    weights = [[z] for z in Z]
    layer = {"dense": {"units": 3, "weights": weights, "bias": False, "activation": activation}}
    spec = {"inputs": {"x": [[1], [1]]}, "targets": {"y": [Y, Y]}, "layers": [layer], "loss": loss}
    trace = bp.load(json.dumps(spec) + "\n").compile().run()
    assert np.isfinite(trace.loss or 0)
    assert np.isfinite(trace.gradients["W1"]).all()
    assert np.isfinite(trace.gradients["x"]).all()


OTHERS = {
    "softplus": (("J = sum(log(1 + exp(z[i])) - y[i]*z[i], i)",), 20000 + np.log(2), [1.0, -1.0, 0.5]),
    "softplus by name": (("J = sum(softplus(z[i]) - y[i]*z[i], i)",), 20000 + np.log(2), [1.0, -1.0, 0.5]),
    "log cosh": (("J = sum(log(cosh(z[i])), i)",), 20000 - 2 * np.log(2), [1.0, -1.0, 0.0]),
    "tanh": (
        ("a[i] = (exp(z[i]) - exp(-z[i]))/(exp(z[i]) + exp(-z[i]))", "J = sum((a[i] - y[i])**2, i)"),
        5.0,
        [0.0, 0.0, 0.0],
    ),
    "slope of a sigmoid": (("J = sum(exp(z[i])/(1 + exp(z[i]))**2, i)",), 0.25, [0.0, 0.0, 0.0]),
    "entropy": (("a[i] = exp(z[i])/sum(exp(z[k]), k)", "J = -sum(a[i]*log(a[i]), i)"), 0.0, [0.0, 0.0, 0.0]),
    "mean of a softmax": (
        ("a[i] = exp(z[i])/sum(exp(z[k]), k)", "J = sum(y[i]*a[i], i)"),
        0.0,
        [0.0, 0.0, 0.0],
    ),
    "weighted mean of exponentials": (("J = sum(y[i]*exp(z[i]), i)/sum(exp(z[k]), k)",), 0.0, [0.0, 0.0, 0.0]),
    "square of a probability": (
        ("a[i] = exp(z[i])/sum(exp(z[k]), k)", "J = -sum(y[i]*log(a[i]**2), i)"),
        40000.0,
        [2.0, -2.0, 0.0],
    ),
    "elu": (("J = sum(elu(z[i]), i)",), 9999.0, [1.0, 0.0, 1.0]),
    "silu": (("J = sum(silu(z[i]), i)",), 10000.0, [1.0, 0.0, 0.5]),
    "gelu": (("J = sum(gelu(z[i]), i)",), 10000.0, [1.0, 0.0, 0.5]),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_forms(name: str) -> None:
    equations, cost, gradient = OTHERS[name]
    trace = run(*equations)
    assert trace.loss == pytest.approx(cost, rel=1e-15, abs=1e-15)
    np.testing.assert_allclose(trace.gradients["z"], gradient, rtol=1e-15, atol=1e-300)


def test_0_times_the_logarithm_of_0() -> None:
    trace = run("J = -sum(y[i]*log(z[i]) + (1 - y[i])*log(1 - z[i]), i)", y=[0, 1, 1], z=[0, 1, 0.5])
    assert trace.loss == pytest.approx(np.log(2), rel=1e-15)
    np.testing.assert_array_equal(trace.gradients["z"], [1.0, -1.0, -2.0])


def test_the_gradient_of_an_underflowed_probability_without_weight() -> None:
    trace = run("a[i] = exp(z[i])/sum(exp(z[k]), k)", CROSS_ENTROPY, y=[1, 0, 0])
    np.testing.assert_array_equal(trace.gradients["a"], [-1.0, 0.0, 0.0])
    assert trace.loss == 0.0


def test_what_overflows_by_itself_is_pointed_out() -> None:
    trace = run("e[i] = exp(z[i])", "J = sum(e[i], i)")
    assert trace.loss == np.inf
    assert trace.non_finite == ("e", "J", "dJ/dz")
    assert trace.as_data()["forward"]["e"] == ["inf", 0.0, 1.0]


def test_moderate_values_are_not_touched() -> None:
    """The same numbers as without any rewriting, where nothing overflows."""
    z = [0.3, -1.2, 0.8]
    trace = run("a[i] = exp(z[i])/sum(exp(z[k]), k)", CROSS_ENTROPY, z=z, y=[0.2, 0.5, 0.3])
    a = np.exp(z) / np.exp(z).sum()
    np.testing.assert_allclose(trace.forward["a"], a, rtol=1e-15)
    assert trace.loss == pytest.approx(-np.dot([0.2, 0.5, 0.3], np.log(a)), rel=1e-15)
    np.testing.assert_allclose(trace.gradients["z"], a - [0.2, 0.5, 0.3], rtol=1e-14)
