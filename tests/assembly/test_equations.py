"""Form B: equations become quantities, and ranges are read off the shapes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from backprop_cli.symbolic.graph import Role
from tests.assembly.specs import built, equation, forward

SOFTMAX = """
    inputs:  {x: [0.5, -1.0]}
    targets: {y: [0, 1, 0]}
    parameters:
      W: [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]
      b: {shape: [3], value: 0}
    equations:
      - z[i] = sum(W[i,j]*x[j], j) + b[i]
      - a[i] = exp(z[i]) / sum(exp(z[k]), k)
      - J = -sum(y[i]*log(a[i]), i)
    loss: J
"""


def test_scalar_equations() -> None:
    text = """
        inputs: {x: 1}
        targets: {y: 2}
        parameters: {w: 1}
        equations:
          - yhat = x*w
          - S = yhat - y
          - L = S**2
        loss: L
    """
    graph, _ = built(text)
    assert [(q.name, q.role) for q in graph.quantities] == [
        ("x", Role.INPUT),
        ("y", Role.TARGET),
        ("w", Role.PARAMETER),
        ("yhat", Role.INTERMEDIATE),
        ("S", Role.INTERMEDIATE),
        ("L", Role.LOSS),
        ("J", Role.COST),
    ]
    assert (graph.cost, graph.loss_name, graph.output) == ("J", "L", "S")
    assert forward(text)["J"] == 1


def test_indexed_equations() -> None:
    graph, _ = built(SOFTMAX)
    assert (graph["J"].role, graph.loss_name, graph.output) == (Role.COST, None, "a")
    assert [graph[name].shape for name in ("z", "a", "J")] == [(3,), (3,), ()]
    v = forward(SOFTMAX)
    assert_allclose(v["a"].sum(), 1)
    assert_allclose(v["J"], -np.log(v["a"][1]))


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("x[1] + 2*x[3]", 1 + 2 * 4),
        ("sum(i*x[i], i)", 1 + 4 + 12),
        ("sum((i == 2)*x[i], i)", 2),
        ("sum(where(i < j, M[i,j], 0), i, j)", 2 + 3 + 6),
        ("mean(M[i,j], i, j)", 5),
        ("max(M[i,j], i, j) - min(M[i,j], i, j)", 8),
        ("argmax(x[i], i) + argmin(x[i], i)", 3 + 1),
        ("max(x[1], x[2], 1.5)", 2),
        ("min(x[1], x[2], 1.5)", 1),
        ("sum(max(x[i], 2), i)", 2 + 2 + 4),
        ("sqrt(x[3]**2)", 4),
        ("sum(x[i]*sum(M[i,j], j), i)", 6 + 2 * 15 + 4 * 24),
        ("sum(sum(x[i], i)*x[i], i)", 49),
        ("-x[1]**2", -1),
        ("2**x[2]", 4),
        ("1e-1 + .5 + 2.", 2.6),
        ("x[1] - x[2] - x[3]", -5),
        ("x[3]/x[2]/x[1]", 2),
        ("x[3]/(x[2]*x[2])", 1),
        ("(x[1] < x[2])*(x[2] != 3)", 1),
    ],
)
def test_what_formulas_mean(formula: str, expected: float) -> None:
    v = forward(f"""
        inputs: {{x: [1, 2, 4], M: [[1, 2, 3], [4, 5, 6], [7, 8, 9]]}}
        equations: ["v = {formula}"]
        loss: v
    """)
    assert_allclose(v["v"], expected)


def test_a_bound_index_gives_way_to_the_one_around_it() -> None:
    graph, _ = built("""
        inputs: {x: [1, 2, 4]}
        equations:
          - a[i] = exp(x[i]) / sum(exp(x[i]), i)
          - L = sum(a[i], i)
        loss: L
    """)
    assert equation(graph, "a") == "exp(x[i])/sum(exp(x[j]), j)"


def test_the_new_name_of_an_index_is_no_quantity() -> None:
    v = forward("""
        inputs: {x: [1, 2, 4], j: 7}
        equations:
          - a[i] = x[i] + sum(i*x[i], i)
          - L = sum(a[i], i) + j
        loss: L
    """)
    assert v["a"].tolist() == [1 + 17, 2 + 17, 4 + 17]


def test_names_are_kept_as_they_are_written() -> None:
    v = forward("""
        inputs: {lambda: 2, E: [1, 2], "β": 3}
        targets: {in: 2}
        parameters: {exp: 2, N: [1, 2], I: 5, S: 1, "ﬁ": 1, fi: 10}
        equations:
          - is = exp(exp - lambda) + sum(E[N]*N[N], N) + β**2*I + S
          - Q = where(is > in, is, -is) + 2*ﬁ + fi
        loss: Q
    """)
    assert v["is"] == 1 + 5 + 45 + 1
    assert v["Q"] == 52 + 2 + 10


def test_gates_called_like_indices_are_told_apart_by_their_positions() -> None:
    v = forward("""
        inputs: {x: [1, 2]}
        equations:
          - i[k] = 2*x[k]
          - f[i] = i[i] + i
          - L = sum(f[i]*i[i], i)
        loss: L
    """)
    assert v["f"].tolist() == [2 + 1, 4 + 2]


def test_a_quantity_may_be_used_any_number_of_times() -> None:
    v = forward("""
        inputs: {x: [1, 2]}
        parameters: {W: [[1, 2], [3, 4]]}
        equations:
          - h[i] = tanh(sum(W[i,j]*x[j], j))
          - r[i] = x[i] + h[i] + sum(W[i,j]*h[j], j)
          - L = sum(r[i]*h[i], i)
        loss: L
    """)
    h = np.tanh(v["W"] @ v["x"])
    assert_allclose(v["L"], (v["x"] + h + v["W"] @ h) @ h)


def test_equations_that_write_the_sample_index_are_left_alone() -> None:
    text = """
        inputs: {x: [[1, 2], [3, 4], [5, 9]]}
        targets: {y: [1, 0, 1]}
        parameters: {w: [0.5, 0.25]}
        equations:
          - mu[i] = mean(x[n,i], n)
          - p[n] = sigmoid(sum(w[i]*(x[n,i] - mu[i]), i))
          - L = mean((p[n] - y[n])**2, n)
        loss: L
    """
    graph, _ = built(text)
    assert (graph.sample, graph.samples) == (None, None)
    v = forward(text)
    p = 1 / (1 + np.exp(-(v["x"] - v["x"].mean(axis=0)) @ v["w"]))
    assert_allclose(v["J"], np.mean((p - v["y"]) ** 2))


def test_a_loss_by_expression() -> None:
    graph, _ = built("""
        inputs: {x: [1, 2]}
        targets: {y: [1, 0]}
        parameters: {w: 1}
        equations: ["yhat = w*x"]
        loss: (yhat - y)**2
    """)
    assert equation(graph, "L") == "(yhat[n] - y[n])**2"
    assert (graph.output, graph.loss_name) == ("yhat", None)


def test_a_module_on_its_own() -> None:
    graph, values = built("""
        inputs: {x: [1, 2]}
        parameters: {W: [[1, 2], [3, 4]]}
        equations: ["z[i] = sum(W[i,j]*x[j], j)"]
        grad_output: [1, 2]
    """)
    assert (graph.cost, graph.output, dict(graph.seeds)) == (None, "z", {"z": "grad_output"})
    assert graph["grad_output"].role is Role.CONSTANT
    assert values["grad_output"] is not None
    assert values["grad_output"].tolist() == [1, 2]
