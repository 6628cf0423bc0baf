"""Truncated backpropagation of random recurrent networks against its definition in PyTorch."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, Phase, given, settings
from numpy.testing import assert_allclose

import backprop_cli as bp
from tests.strategies import examples
from tests.strategies_truncated import Recurrent, recurrent_networks, tensors_of, truncated_gradients

searching = settings(suppress_health_check=list(HealthCheck), deadline=None, phases=[Phase.generate])


@settings(searching, max_examples=examples(20))
@given(recurrent_networks())
def test_layers(network: Recurrent) -> None:
    trace = bp.load(json.dumps(network.spec)).compile().run()
    names = [name for name in trace.given if name != "y"]
    expected = truncated_gradients(network, tensors_of(trace.given), names)
    for name in names:
        message = f"{name} of {network.spec}"
        assert_allclose(trace.gradients[name], expected[name], rtol=1e-9, atol=1e-12, err_msg=message)
