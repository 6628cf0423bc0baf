"""What one sample is, and what a batch adds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from backprop_cli.symbolic.graph import Graph, Role
from tests.assembly.specs import built, equation, forward


def samples(graph: Graph) -> dict[str, bool]:
    return {quantity.name: quantity.depends_on_sample for quantity in graph.quantities}


def layers(x: str, y: str = "{size: 1}", first: str = "dense: {units: 1}") -> Graph:
    return built(f"""
        inputs: {{x: {x}}}
        targets: {{y: {y}}}
        layers:
          - {first}
        loss: sse
    """)[0]


@pytest.mark.parametrize(
    ("x", "y", "first", "expected"),
    [
        ("[1, 2]", "[1]", "dense: {units: 1}", None),
        ("[[1, 2]]", "[[1]]", "dense: {units: 1}", 1),
        ("[[1, 2], [3, 4]]", "[[1], [2]]", "dense: {units: 1}", 2),
        ("{shape: [5, 2]}", "{shape: [5, 1]}", "dense: {units: 1}", 5),
        ("[1, 2]", "[1, 2]", "tanh", None),
        ("[[1, 2], [3, 4]]", "[[1, 2], [3, 4]]", "tanh", 2),
        ("3", "4", "tanh", None),
        ("{value: [1, 2], batch: true}", "[1, 2]", "tanh", 2),
        ("{value: [[1, 2], [3, 4]], batch: false}", "[[1, 2], [3, 4]]", "tanh", None),
        ("{value: [[[1, 2], [3, 4]]], batch: true}", "{shape: [1, 2, 2]}", "softmax", 1),
        ("{value: [[[1, 2], [3, 4]]], batch: true}", "{shape: [1, 2, 1]}", "dense: {units: 1}", 1),
    ],
)
def test_what_layers_take_as_one_sample(x: str, y: str, first: str, expected: int | None) -> None:
    assert layers(x, y, first).samples == expected


def test_the_sample_axis_comes_first_on_what_depends_on_the_sample() -> None:
    graph = layers("[[1, 2], [3, 4], [5, 6]]", "[[1], [2], [3]]")
    assert [(q.name, q.shape, q.depends_on_sample) for q in graph.quantities] == [
        ("x", (3, 2), True),
        ("y", (3, 1), True),
        ("W1", (1, 2), False),
        ("b1", (1,), False),
        ("z1", (3, 1), True),
        ("a1", (3, 1), True),
        ("L", (3,), True),
        ("J", (), False),
    ]
    assert graph.sample is not None
    assert graph.sample.name == "n"
    assert equation(graph, "z1") == "sum(W1[i,j]*x[n,j], j) + b1[i]"
    assert equation(graph, "J") == "1/3*sum(L[n], n)"


@pytest.mark.parametrize(("reduction", "scale"), [("mean", 1 / 3), ("sum", 1)])
def test_the_cost_of_a_batch(reduction: str, scale: float) -> None:
    v = forward(f"""
        inputs: {{x: [[1, 2], [3, 4], [5, 6]]}}
        targets: {{y: [[1], [2], [3]]}}
        layers:
          - dense: {{units: 1}}
        loss: half_sse
        reduction: {reduction}
        regularise: {{l2: 0.5, l1: 0.25}}
    """)
    losses = np.sum((v["a1"] - v["y"]) ** 2, axis=1) / 2
    penalty = 0.25 * np.sum(v["W1"] ** 2) + 0.25 * np.sum(np.abs(v["W1"]))
    assert_allclose(v["J"], scale * losses.sum() + penalty)


def test_an_input_with_one_axis_more_than_its_indices_is_a_batch() -> None:
    text = """
        inputs: {x: [0.5, -1, 3], u: 2}
        targets: {y: [0, 1, 2]}
        parameters: {w: 1, b: 2}
        equations:
          - yhat = x*w*u + b
          - L = (yhat - y)**2
        loss: L
    """
    graph, _ = built(text)
    assert graph.samples == 3
    assert samples(graph) == {
        "x": True,
        "u": False,
        "y": True,
        "w": False,
        "b": False,
        "yhat": True,
        "L": True,
        "J": False,
    }
    assert graph["L"].role is Role.LOSS
    assert_allclose(forward(text)["J"], np.mean((np.array([0.5, -1, 3]) * 2 + 2 - np.arange(3)) ** 2))


def test_a_batch_said_outright_may_write_its_sample_index() -> None:
    graph, _ = built("""
        inputs: {x: {value: [[1, 2], [3, 4]], batch: true}}
        parameters: {w: [1, 2]}
        equations:
          - h[s] = sum(w[i]*x[s,i], i)
          - L[s] = h[s]**2
        loss: L
    """)
    assert equation(graph, "J") == "1/2*sum(L[s], s)"


def test_a_loss_that_does_not_depend_on_the_sample_is_the_cost() -> None:
    graph, _ = built("""
        inputs: {x: [[1, 2], [3, 4]]}
        layers:
          - dense: {units: 2}
          - equations: ["L = mean(a1[n,i]**2, n, i)"]
        loss: L
    """)
    assert graph.samples == 2
    assert (equation(graph, "J"), graph.loss_name, graph.output) == ("L", "L", "a1")


@pytest.mark.parametrize("loss", ["J", "L"])
def test_the_loss_keeps_its_name_beside_the_cost_of_a_batch(loss: str) -> None:
    graph, _ = built(f"""
        inputs: {{x: [1, 2]}}
        parameters: {{w: 1}}
        equations:
          - {loss} = (w*x)**2
          - M = 2*{loss}
        loss: {loss}
    """)
    assert [q.name for q in graph.quantities if not q.is_given] == ["L", "M", "J"]
    assert equation(graph, "M") == "2*L[n]"
    assert equation(graph, "J") == "1/2*sum(L[n], n)"
    assert graph.loss_name == (None if loss == "J" else "L")


def test_a_penalty_makes_the_loss_a_quantity_beside_the_cost() -> None:
    graph, _ = built("""
        inputs: {x: 3}
        parameters: {w: 2, v: 1}
        equations: ["J = (w*x)**2"]
        loss: J
        regularise: {l2: 0.5}
    """)
    assert equation(graph, "L") == "(w*x)**2"
    assert equation(graph, "J") == "L + 0.5/2*w**2"


def test_the_loss_takes_a_free_name() -> None:
    graph, _ = built("""
        inputs: {x: [[1, 2], [3, 4]]}
        targets: {y: [[0], [0]]}
        parameters: {L: 1}
        layers:
          - dense: {units: 1, activation: L*z}
        loss: mse
    """)
    assert graph["L_sample"].role is Role.LOSS


def test_an_index_of_the_authors_called_like_the_sample_index() -> None:
    v = forward("""
        inputs: {x: [[1, 2], [3, 4]]}
        parameters: {W: [[1, 2], [3, 4]], n: 3}
        equations:
          - h[s] = sum(W[s,t]*x[t], t)
          - L = sum(n*h[s], s)
        loss: L
    """)
    assert_allclose(v["h"], v["x"] @ v["W"].T)


def test_a_given_output_gradient_is_per_sample() -> None:
    graph, _ = built("""
        inputs: {x: [[1, 2], [3, 4]]}
        layers:
          - dense: {units: 3}
        grad_output: [[1, 2, 3], [4, 5, 6]]
    """)
    assert graph["grad_output"].depends_on_sample
    assert (graph.cost, dict(graph.seeds)) == (None, {"a1": "grad_output"})
