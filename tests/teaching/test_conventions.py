"""What a walkthrough says of factors, means and layers without a bend holds for the network it says it of."""

from __future__ import annotations

import numpy as np
import pytest

import backprop_cli as bp
from backprop_cli.renderers import terminal
from backprop_cli.symbolic.graph import Role
from backprop_cli.teaching.conventions import collapsing, of_the_cost
from backprop_cli.walking import Request, Walk

BATCH = "[[1, 2], [3, 4], [5, -6]]"


def network(loss: str, batch: bool = False, units: int = 2, more: str = "") -> bp.Network:
    x, y = (BATCH, "[[0, 1], [1, 1], [0, 1]]") if batch else ("[1, 2]", "[0, 1]")
    return bp.load(
        f"inputs: {{x: {x}}}\ntargets: {{y: {y}}}\n"
        f"layers: [dense: {{units: {units}, activation: sigmoid}}]\nloss: {loss}\ninitial: {{seed: 1}}\n{more}"
    )


def found(one: bp.Network) -> dict[str, list[tuple[str, int]]]:
    loss = one.spec.loss.text
    costs = one.graph.with_role(Role.LOSS, Role.COST)
    return {q.name: [tuple(c) for c in of_the_cost(one.graph, q, loss)] for q in costs}


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("mse", [("mean", 2)]),
        ("mae", [("mean", 2)]),
        ("half_sse", [("half", 0)]),
        ("sse", []),
        ("bce", [("mean", 2)]),
        ("'1/2*sum((a1[k] - y[k])**2, k)'", [("half", 0)]),
        ("'mean((a1[k] - y[k])**2, k)'", []),
    ],
)
def test_of_one_sample(loss: str, expected: list[tuple[str, int]]) -> None:
    assert found(network(loss)) == {"J": expected}


def test_a_remark_stands_at_the_cost_alone() -> None:
    one = network("half_sse")
    page = terminal.render(Walk(one, Request()).document, 90)
    assert page.count("The factor 1/2 is a convention") == 1
    assert page.index("The factor 1/2") > page.index("Forward. The cost")
    assert not [c for q in one.graph.quantities if q.name != "J" for c in of_the_cost(one.graph, q, "half_sse")]


def test_of_a_batch() -> None:
    assert found(network("mse", batch=True)) == {"L": [("mean", 2)], "J": [("batch mean", 3)]}
    summed = network("half_sse", batch=True, more="reduction: sum\n")
    assert found(summed) == {"L": [("half", 0)], "J": [("batch sum", 3)]}
    penalised = network("sse", batch=True, more="regularise: {l2: 0.1}\n")
    assert found(penalised)["J"] == []


@pytest.mark.parametrize(("loss", "other", "factor"), [("half_sse", "sse", 2), ("mse", "sse", 2)])
def test_the_factors_are_what_the_sentences_say(loss: str, other: str, factor: int) -> None:
    few, many = (network(name).compile().run().gradients["W1"] for name in (loss, other))
    assert np.allclose(np.asarray(many), factor * np.asarray(few))


LAYERS = """
inputs: {x: [1, 2]}
targets: {y: [0, 1]}
layers: [dense: {units: 3%s}, dense: {units: 2, activation: sigmoid}]
loss: sse
initial: {seed: 1}
"""


def test_two_linear_layers_in_a_row() -> None:
    one = bp.load(LAYERS % "")
    sums = one.graph.with_role(Role.WEIGHTED_SUM)
    assert [collapsing(one.graph, q) for q in sums] == [None, sums[0]]
    assert "between layer 1 and layer 2" in " ".join(terminal.render(Walk(one, Request()).document, 90).split())
    run = one.compile().run()
    weights, biases = ([np.asarray(run.given[f"{name}{layer}"]) for layer in (1, 2)] for name in "Wb")
    together = weights[1] @ weights[0] @ [1, 2] + weights[1] @ biases[0] + biases[1]
    assert np.allclose(np.asarray(run.forward["z2"]), together)


def test_a_bend_between_them() -> None:
    one = bp.load(LAYERS % ", activation: tanh")
    assert all(collapsing(one.graph, q) is None for q in one.graph.quantities)


def test_the_slope_at_a_kink_is_told_where_it_is_used() -> None:
    page = terminal.render(Walk(bp.load(LAYERS % ", activation: relu"), Request()).document, 90)
    assert page.count("relu has no derivative at 0, where its slope is taken as 0.") == 1


def test_only_the_cost_is_told_what_the_cost_chose() -> None:
    graph = network("half_sse").graph
    told = {q.name: list(of_the_cost(graph, q, "half_sse")) for q in graph.quantities}
    assert [name for name, found in told.items() if found] == ["J"]
