"""Nodes equal the run, tolerances cover honest rounding, and variants are reproducible and fit."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from sympy import Integer

import backprop_cli as bp
from backprop_cli.bundled import bundled_specs
from backprop_cli.errors import BackpropError
from backprop_cli.exercises.certificate import MOST_BY_DIFFERENCES, MOST_DIGITS, certificate
from backprop_cli.exercises.drawing import Rule, default_rules, drawn, steps
from backprop_cli.exercises.gate import Reason, judged
from backprop_cli.exercises.ids import name_of
from backprop_cli.exercises.nodes import Nodes, NotSingleError, evaluated, given_values
from backprop_cli.exercises.tolerances import widths
from backprop_cli.exercises.variants import Batch, batch, own_batch, told
from backprop_cli.network import Network
from backprop_cli.symbolic.graph import Role
from backprop_cli.symbolic.notation import Adjoint, Place
from tests.strategies import as_yaml, equation_networks, examples, layer_networks

searching = settings(suppress_health_check=list(HealthCheck), deadline=None, phases=[Phase.generate])
SPECS = [spec for spec in bundled_specs() if not spec.name.startswith(("relu-600", "embedding"))]

CLASSROOM = """
name: two three two
inputs: {x: [1, 2]}
targets: {y: [0, 1]}
layers: [dense: {units: 3, activation: %s}, dense: {units: 2, activation: identity}]
loss: half_sse
initial: {seed: 1}
"""


def nodes_of(network: Network) -> Nodes:
    return Nodes(network.graph, network.derive().told.adjoints)


def every_number(network: Network, nodes: Nodes) -> list[Place]:
    trace = network.compile().run()
    forward = [place for name in trace.forward if name in network.graph for place in nodes.entries(name)]
    return forward + [place for name in trace.gradients if name in network.graph for place in nodes.entries(name, True)]


def own(network: Network) -> dict[str, np.ndarray]:
    return {name: np.asarray(value) for name, value in network.values.items()}


def check(network: Network) -> None:
    nodes, trace = nodes_of(network), network.compile().run()
    values = own_batch(nodes, every_number(network, nodes), own(network), 4).values
    for name, reported in trace.gradients.items():
        if name in network.graph:
            for place in nodes.entries(name, True):
                expected = np.asarray(reported)[tuple(int(at) - 1 for at in place.positions)]
                assert np.allclose(values[place], expected, rtol=1e-9, atol=1e-11), place
                assert nodes.place(name_of(place)) == place


@pytest.mark.every_spec
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_nodes_of_bundled_specs_equal_the_run(spec) -> None:
    check(bp.load(spec.text))


def is_tame(network: Network) -> bool:
    trace = network.compile().run()
    values = [*trace.forward.values(), *trace.gradients.values()]
    return all(np.all(np.isfinite(value)) and np.max(np.abs(value), initial=0) < 1e3 for value in values)


@settings(searching, max_examples=examples(6))
@given(st.one_of(layer_networks(), equation_networks()), st.integers(1, 5))
def test_honest_rounding_keeps_within_the_tolerances(spec, digits: int) -> None:
    """Every number rounded before it is used, in both directions: as a student rounds, and as badly as one may."""
    network = bp.load(as_yaml(spec))
    assume(is_tame(network))
    check(network)
    nodes = nodes_of(network)
    asked = every_number(network, nodes)
    found = own_batch(nodes, asked, own(network), digits)
    ties = judged(nodes.in_order(asked), asked, found.values, found.tolerances, digits, 1).masks[Reason.TIE]
    assume(not ties.any())
    exact = given_values(network.graph, found.given)
    for rounding in (np.round, lambda x, d: np.floor(x * 10**d + 0.5) / 10**d):
        written = dict(exact)
        for node in nodes.in_order(asked):
            written[node.place] = rounding(evaluated(node.formula, written), digits)
        for place in asked:
            if np.all(found.tolerances[place] < 0.1 * 10.0**0):  # where rounding leaves something to grade
                assert np.all(np.abs(written[place] - found.values[place]) <= found.tolerances[place] * (1 + 1e-9)), (
                    place
                )


def test_a_number_that_is_known_exactly_has_no_width() -> None:
    network = bp.load(CLASSROOM % "sigmoid")
    nodes = nodes_of(network)
    place = Adjoint("W1", Integer(1), Integer(2))
    values = own_batch(nodes, [place], own(network), 3).values
    whole = widths(nodes, values, [place], 3)
    upstream = [node.place for node in nodes.in_order([place]) if node.place != place]
    alone = widths(nodes, values, [place], 3, exact=upstream)
    assert alone[place] == pytest.approx(0.0005)
    assert whole[place] > alone[place]


def test_a_copy_is_not_rounded_again() -> None:
    network = bp.load(CLASSROOM % "identity")
    nodes = nodes_of(network)
    found = own_batch(nodes, every_number(network, nodes), own(network), 3).tolerances
    one = Integer(1)
    for copy, source in ((Place("a1", one), Place("z1", one)), (Adjoint("z1", one), Adjoint("a1", one))):
        assert found[copy] == found[source]
        assert found[source] >= 0.0005


def asked_of(network: Network, nodes: Nodes) -> list[Place]:
    parameters = network.graph.with_role(Role.PARAMETER)
    forward = network.graph.with_role(Role.ACTIVATION)
    return [
        *(place for quantity in forward for place in nodes.entries(quantity.name)),
        *(place for quantity in parameters for place in nodes.entries(quantity.name, True)),
    ]


def variants_of(text: str, count: int, seed: int = 1, digits: int = 4) -> tuple[Network, Nodes, Batch]:
    network = bp.load(text)
    nodes = nodes_of(network)
    rules = default_rules(network.graph, own(network))
    return network, nodes, batch(nodes, asked_of(network, nodes), own(network), rules, count, seed, digits)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_variants_are_fit(activation: str) -> None:
    network, nodes, found = variants_of(CLASSROOM % activation, 50)
    assert found.count == 50
    for place in asked_of(network, nodes):
        assert np.all(np.abs(found.values[place]) >= 5e-4)
    if activation == "relu":
        assert all(np.all(found.values[place] > 0) for place in nodes.entries("z1"))
        assert found.rejected[Reason.DEAD] > 50
        assert "a unit is dead" in told(found.rejected)
    sheets = {tuple(array[number].tobytes() for array in found.given.values()) for number in range(50)}
    assert len(sheets) == 50
    assert set(np.unique(found.given["W1"])) <= set(steps("-1", "1", "0.1", nonzero=True))


def test_variants_are_those_of_the_program() -> None:
    network, nodes, found = variants_of(CLASSROOM % "tanh", 5)
    program = network.compile()
    for number in range(5):
        trace = program.run({name: array[number] for name, array in found.given.items()})
        for place in nodes.entries("W1", True):
            at = tuple(int(position) - 1 for position in place.positions)
            assert found.values[place][number] == pytest.approx(np.asarray(trace.gradients["W1"])[at], rel=1e-12)


def test_the_same_seed_gives_the_same_numbers_for_ever() -> None:
    """The digest of a sheet's numbers, which no release of any library may change."""
    _, _, found = variants_of(CLASSROOM % "sigmoid", 3, seed=7)
    text = json.dumps({name: array.tolist() for name, array in sorted(found.given.items())})
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "ef565b762b994253"
    _, _, more = variants_of(CLASSROOM % "sigmoid", 5, seed=7)
    assert all(np.array_equal(more.given[name][:3], found.given[name]) for name in found.given)
    _, _, other = variants_of(CLASSROOM % "sigmoid", 3, seed=8)
    assert not np.array_equal(other.given["W1"], found.given["W1"])


def test_numbers_are_drawn_evenly() -> None:
    rule = Rule(steps("0", "9", "1"))
    array = np.concatenate([drawn(3, number, 0, "x", (100,), rule) for number in range(50)])
    counts = np.bincount(array.astype(int), minlength=10)
    assert np.all(np.abs(counts - 500) < 100)
    hot = drawn(3, 0, 0, "y", (4, 3), Rule((0.0, 1.0), is_one_hot=True))
    assert np.array_equal(hot.sum(axis=-1), np.ones(4))


def test_too_few_variants_is_an_error_that_says_why() -> None:
    network = bp.load(CLASSROOM % "relu")
    nodes = nodes_of(network)
    rules = {"x": Rule((1.0, 2.0))}  # four sheets at most
    with pytest.raises(BackpropError, match=r"only \d+ of 9 variants fit: .*the numbers are those of another variant"):
        batch(nodes, [next(iter(nodes.entries("z2")))], own(network), rules, 9, 1, 4)


def test_a_mistake_that_gives_the_right_answer_rejects_the_variant() -> None:
    network = bp.load(CLASSROOM % "sigmoid")
    nodes = nodes_of(network)
    asked = list(nodes.entries("W2", True))[:1]
    rules = default_rules(network.graph, own(network)) | {"x": Rule((1.0, 1.5))}
    first = Place("x", Integer(1))

    def forgotten(node):
        return [("forgotten", node.formula * first)]

    found = batch(nodes, asked, own(network), rules, 20, 1, 4, mutations=forgotten)
    assert found.rejected[Reason.MISTAKE] > 5
    assert np.all(found.given["x"][:, 0] == 1.5)


def test_a_variant_is_not_rejected_for_what_no_numbers_change() -> None:
    network = bp.load(CLASSROOM % "sigmoid")
    nodes = nodes_of(network)
    asked = list(nodes.entries("W2", True))[:1]
    rules = default_rules(network.graph, own(network))
    found = batch(nodes, asked, own(network), rules, 20, 1, 4, mutations=lambda node: [("none", 1 * node.formula)])
    assert Reason.MISTAKE not in found.rejected


def test_the_certificate() -> None:
    network, nodes, found = variants_of(CLASSROOM % "sigmoid", 20)
    vouched = certificate(nodes, network.derive().told.adjoints, found.values, ["W1", "b1", "W2", "b2"])
    assert vouched.gradients == 6 + 3 + 6 + 2
    assert vouched.direct is not None
    assert vouched.direct == MOST_DIGITS
    assert vouched.differences == MOST_BY_DIFFERENCES


def test_a_wrong_gradient_gets_no_certificate() -> None:
    network, nodes, found = variants_of(CLASSROOM % "sigmoid", 2)
    wrong = dict(found.values)
    place = next(iter(nodes.entries("W1", True)))
    wrong[place] = wrong[place] * 1.01
    vouched = certificate(nodes, network.derive().told.adjoints, wrong, ["W1"])
    assert vouched.direct is not None
    assert vouched.direct <= 2
    assert vouched.differences <= 2


def test_paths_and_updates_are_nodes() -> None:
    network = bp.load(CLASSROOM % "sigmoid")
    nodes = nodes_of(network)
    gradient = Adjoint("a1", Integer(1))
    parts = [nodes.path(gradient, number) for number in (1, 2)]
    new = nodes.updated(Place("W1", Integer(1), Integer(2)), Integer(2))
    values = own_batch(nodes, [gradient, *parts, new], own(network), 4).values
    assert values[parts[0]] + values[parts[1]] == pytest.approx(values[gradient])
    before = own(network)["W1"][0, 1]
    assert values[new] == pytest.approx(before - 2 * values[Adjoint("W1", Integer(1), Integer(2))])
    assert name_of(new) == "new W1[1,2]"
    assert nodes.place("new W1[1,2]") == new
    with pytest.raises(ValueError):
        nodes.path(gradient, 3)
    with pytest.raises(KeyError):
        nodes.place("W1[9,9]")


def test_what_is_looked_up_is_no_single_number() -> None:
    network = bp.load(next(spec.text for spec in bundled_specs() if spec.name.startswith("embedding")))
    nodes = nodes_of(network)
    with pytest.raises(NotSingleError, match="single numbers"):
        nodes.in_order(list(nodes.entries("z2"))[:1])


def test_exact_answers_are_short_fractions() -> None:
    network = bp.load(CLASSROOM % "relu")
    nodes = nodes_of(network)
    asked = [*nodes.entries("z2"), *nodes.entries("W1", True)]
    rules = default_rules(network.graph, own(network), exact=True)
    found = batch(nodes, asked, own(network), rules, 20, 3, 4, exact=True)
    for place in asked:
        for value in np.broadcast_to(found.values[place], (20,)):
            fraction = Fraction(float(value)).limit_denominator(64)
            assert float(fraction) == pytest.approx(float(value), rel=1e-9)
            assert abs(fraction.numerator) < 10_000
    thirds = {**rules, "W1": Rule((1 / 3, 1 / 7)), "x": Rule((1 / 11, 1 / 13))}
    with pytest.raises(BackpropError, match="an answer is a long fraction"):
        batch(nodes, asked, own(network), thirds, 1, 3, 4, exact=True)
