"""Exercises of truncated networks: the gradients of every step's cost, what is asked, and what grading says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import backprop_cli as bp
from backprop_cli.errors import BackpropError
from backprop_cli.exercise_loading import load_exercise
from backprop_cli.exercises.exercise import nodes_of
from backprop_cli.exercises.grading import grade
from backprop_cli.exercises.ids import name_of, read_name
from backprop_cli.exercises.key import CellKind
from backprop_cli.exercises.making import made, vouched_for
from backprop_cli.exercises.marks import Mark, Submission, Verdict
from backprop_cli.exercises.nodes import Nodes, given_values
from backprop_cli.exercises.solving import own_numbers
from backprop_cli.network import Network
from backprop_cli.symbolic.notation import Adjoint, by_step
from backprop_cli.verification.frozen import frozen
from benchmarks.planting import exercise, first_visible, slips, solved, truncated_network, written
from tests.strategies import examples
from tests.strategies_truncated import Recurrent, costs, recurrent_networks, tensors_of, torch

searching = settings(suppress_health_check=list(HealthCheck), deadline=None, phases=[Phase.generate])


def values_of(network: Network, nodes: Nodes, name: str) -> np.ndarray:
    """A gradient by the nodes, as an array."""
    arrays = {key: np.asarray(value)[np.newaxis] for key, value in network.values.items()}
    entries = list(nodes.entries(name, is_gradient=True))
    values = nodes.values(given_values(network.graph, arrays), entries)
    return np.array([float(np.ravel(values[entry])[0]) for entry in entries]).reshape(nodes.graph[name].shape)


@settings(searching, max_examples=examples(12))
@given(recurrent_networks(most_steps=4, most_units=2))
def test_gradients_of_every_steps_cost_are_those_of_pytorch(network: Recurrent) -> None:
    """∂J_s/∂h_t for every s and t, where states that are too old for J_s are constants."""
    loaded = bp.load(json.dumps(network.spec))
    nodes = nodes_of(loaded)
    p = tensors_of({name: np.asarray(value) for name, value in loaded.values.items()})
    compared = 0
    for step, cost, states in costs(network, p):
        for number, layer in enumerate(states, 1):
            for state in layer[1]:
                copy = by_step(f"{state}{number}")
                if copy not in nodes.graph:
                    continue
                found = values_of(loaded, nodes, copy)[step - 1]
                wanted = [one[state] for one in layer[1:]]
                some = torch.autograd.grad(cost, wanted, retain_graph=True, allow_unused=True)
                each = [torch.zeros_like(w) if g is None else g for w, g in zip(wanted, some, strict=True)]
                expected = torch.stack(each, dim=-2).numpy()
                message = f"{state} of layer {number}, cost {step} of {network.spec}"
                assert_allclose(found, expected, rtol=1e-9, atol=1e-12, err_msg=message)
                compared += 1
    assert compared
