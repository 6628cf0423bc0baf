"""``verify`` finds nothing wrong with the bundled specs and with random networks, and finds what is made wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sympy import preorder_traversal

import backprop_cli as bp
from backprop_cli.verification.checking import Limits, verify
from backprop_cli.verification.expansion import Expansion, expanded_size
from backprop_cli.verification.report import Verdict
from tests.strategies import as_yaml, equation_networks, examples, layer_networks

FOLDER = Path(__file__).resolve().parents[2] / "specs"
SPECS = sorted(FOLDER.glob("*.yaml"))
QUICK = Limits(differences=20_000_000, precise=100_000, expansion=600, derivatives=2_000)
EXPLODED = 1e8


def verified(network, trace, gradients):
    cost = {} if trace.loss is None else {network.graph.cost: np.asarray(trace.loss)}
    return verify(network.graph, {**trace.given, **cost}, gradients, QUICK)


def arrays(trace):
    return {name: np.array(gradient, dtype=float) for name, gradient in trace.gradients.items()}


@pytest.mark.every_spec
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_bundled_specs(path):
    network = bp.load(str(path))
    trace = network.compile().run()
    report = network.verify(trace) if network.graph.windows else verified(network, trace, arrays(trace))
    assert report.ok, report.disagreeing
    assert report.unverified == ()
    assert report.kinks == ()
    assert report.cost is None or report.cost.verdict is Verdict.OK


def test_a_truncated_gradient_is_not_taken_for_the_full_one():
    network = bp.load("truncate: {h: 2}\n" + (FOLDER / "rnn.yaml").read_text(encoding="utf-8"))
    full = bp.load(str(FOLDER / "rnn.yaml")).compile().run()
    assert network.verify().ok
    report = network.verify(full)
    assert {comparison.quantity for comparison in report.disagreeing} == {"W_xh", "h", "x"}
    shown = {one.quantity: one for one in network.verify().truncations}
    assert abs(shown["W_xh"].truncated - shown["W_xh"].full) > 0.1
    assert shown["W_ho"].truncated == shown["W_ho"].full


@settings(suppress_health_check=list(HealthCheck), max_examples=examples(15))
@given(spec=st.one_of(layer_networks(max_depth=4, max_width=5), equation_networks(max_equations=5)), data=st.data())
def test_random_networks(spec, data):
    network = bp.load(as_yaml(spec))
    trace = network.compile().run()
    gradients = arrays(trace)
    assume(max(np.abs(gradient).max() for gradient in gradients.values()) < EXPLODED)
    report = verified(network, trace, gradients)
    assert report.ok, report.disagreeing
    assert report.unverified == ()
    at_kinks = {comparison.quantity for comparison in report.comparisons if comparison.near}
    smooth = sorted(
        name for name, gradient in gradients.items() if np.abs(gradient).max() > 1e-9 and name not in at_kinks
    )
    assume(smooth)
    name = data.draw(st.sampled_from(smooth))
    gradients[name] *= 1.0005
    assert name in {comparison.quantity for comparison in verified(network, trace, gradients).disagreeing}


def test_the_length_of_a_loop_written_out_is_not_underestimated():
    """In a loop each quantity may use those before it at the same step."""
    network = bp.load(str(FOLDER / "lstm.yaml"))
    trace = network.compile().run()
    cost = Expansion(network.graph, trace.given, []).cost
    length = sum(len(node.args) or 1 for node in preorder_traversal(cost))
    assert expanded_size(network.graph) > length / 3
