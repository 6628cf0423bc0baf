"""Loss and every gradient agree with PyTorch in float64 on random networks, in both forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import backprop_cli as bp
from backprop_cli.library.functions import ACTIVATIONS
from backprop_cli.library.losses import LOSSES
from tests.strategies import EXPRESSIONS, as_yaml, equation_networks, examples, layer_networks

pytest.importorskip("torch")

from tests.differential.torch_reference import run_equations, run_layers  # needs torch

AGREEMENT = 1e-9  # of the largest entry of an array
ROUNDING = 1e-14  # of the network's largest gradient: what is left where terms cancel
EXPLODED = 1e9  # beyond it both are mostly rounding

searching = settings(suppress_health_check=list(HealthCheck))


def agree(spec, reference):
    cost, forward, gradients = reference(spec)
    largest = max(np.abs(array).max() for array in (*gradients.values(), *forward.values()))
    if not largest < EXPLODED:
        return
    trace = bp.load(as_yaml(spec)).compile().run()
    if "grad_output" in spec:
        assert trace.loss is None
    else:
        assert trace.loss == pytest.approx(cost, rel=AGREEMENT, abs=ROUNDING * largest)
    for name, expected in forward.items():
        close(name, trace.forward[name], expected, largest)
    for name, expected in gradients.items():
        close(f"dJ/d{name}", trace.gradients[name], expected, largest)


def close(what, actual, expected, largest):
    assert np.shape(actual) == np.shape(expected), what
    allowed = AGREEMENT * np.abs(expected).max() + ROUNDING * largest
    assert np.abs(actual - expected).max() <= allowed, f"{what}:\n{actual}\n{expected}"


@settings(searching, max_examples=examples(110))
@given(layer_networks())
def test_layers(spec):
    agree(spec, run_layers)


@settings(searching, max_examples=examples(90))
@given(equation_networks())
def test_equations(spec):
    agree(spec, run_equations)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@settings(searching, max_examples=examples(3))
@given(data=st.data())
def test_every_activation(activation, data):
    agree(data.draw(layer_networks(max_depth=2, max_width=4, activation=activation)), run_layers)


@pytest.mark.parametrize("loss", LOSSES)
@settings(searching, max_examples=examples(4))
@given(data=st.data())
def test_every_loss(loss, data):
    agree(data.draw(layer_networks(max_depth=2, max_width=4, loss=loss)), run_layers)


@pytest.mark.parametrize("activation", [*ACTIVATIONS, *EXPRESSIONS])
def test_every_activation_at_zero(activation):
    """Where a closed form in a could divide by z, and where most kinks are."""
    if activation == "log":
        return
    dense = {"weights": [[0.0, 0.0], [0.5, 0.25]], "bias": False, "activation": activation}
    spec = {"inputs": {"x": [0.5, -1.0]}, "layers": [{"dense": dense}], "targets": {"y": [1.0, 2.0]}, "loss": "mse"}
    _, _, gradients = run_layers(spec)
    trace = bp.load(as_yaml(spec)).compile().run()
    for name, expected in gradients.items():
        np.testing.assert_allclose(trace.gradients[name], expected, rtol=AGREEMENT, err_msg=name)
