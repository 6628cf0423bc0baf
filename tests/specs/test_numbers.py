"""The bundled specs give the numbers of their sources, and those worked out by hand or with plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import backprop_cli as bp
from tests.specs.running import SPECS, close, sigmoid, trace


def test_scalar_graph():
    """Lecture notes on the chain rule: x = 1, y = 2, w = 1."""
    t = trace("scalar-graph")
    assert t.loss == 1
    assert t.forward == {"yhat": 1, "S": -1, "L": 1}
    assert t.gradients["S"] == -2
    assert t.gradients["yhat"] == -2
    assert t.gradients["w"] == -2
    assert t.gradients["x"] == -2
    assert "y" not in t.gradients


def test_linear_module():
    """The Torch tutorial prints 0.4665 and 0.3501, from the W it had before rounding to the four decimals shown."""
    t = trace("linear-module")
    assert t.loss is None
    close(t.gradients["x"], [0.4664, 0.3500], rtol=0, atol=1e-12)
    close(t.gradients["x"], [0.4665, 0.3501], rtol=0, atol=1.5e-4)
    close(t.gradients["W1"], [[1, 1], [2, 2], [3, 3]])
    close(t.gradients["b1"], [1, 2, 3])


def test_linear_mse():
    """Torch's Linear(6, 3) and MSECriterion, which divides by the number of outputs."""
    t = trace("linear-mse")
    x, y = np.arange(1.0, 7.0), np.array([0.0, 3.0, 2.0])
    output = t.forward["a1"]
    grad_output = 2 / 3 * (output - y)
    close(t.loss, np.mean((output - y) ** 2))
    close(t.gradients["a1"], grad_output)
    close(t.gradients["W1"], np.outer(grad_output, x))
    close(t.gradients["b1"], grad_output)
    assert t.gradients["x"].shape == (6,)


def test_linear_tanh_linear():
    """Each module's gradient with respect to its input is the gradOutput of the module before it."""
    t = trace("linear-tanh-linear")
    x, y = np.arange(1.0, 7.0), np.array([0.0, 3.0, 2.0])
    assert list(t.forward) == ["z1", "a1", "a2", "z3", "a3", "J"]
    close(t.forward["a2"], np.tanh(t.forward["a1"]))
    grad_output = 2 / 3 * (t.forward["a3"] - y)
    close(t.gradients["W3"], np.outer(grad_output, t.forward["a2"]))
    close(t.gradients["b3"], grad_output)
    close(t.gradients["a1"], t.gradients["a2"] * (1 - t.forward["a2"] ** 2))
    close(t.gradients["W1"], np.outer(t.gradients["a1"], x))
    assert t.gradients["W1"].shape == (10, 6)


def test_relu_600_60_40_10():
    t = trace("relu-600-60-40-10")
    shapes = {name: array.shape for name, array in t.gradients.items() if name[0] in "Wbx"}
    assert shapes == {
        "W1": (60, 600), "b1": (60,), "W2": (40, 60), "b2": (40,), "W3": (10, 40), "b3": (10,), "x": (600,),
    }  # fmt: skip
    logits = t.forward["a3"]
    p = np.exp(logits) / np.exp(logits).sum()
    close(t.loss, -np.log(p[3]))
    close(t.gradients["a3"], p - np.eye(10)[3], atol=1e-15)
    close(t.gradients["z2"], t.gradients["a2"] * (t.forward["z2"] > 0))
    close(t.gradients["W1"], np.outer(t.gradients["z1"], picture()), atol=1e-18)


def picture():
    """The picture of the spec: red grows to the right, green downwards, blue is a disc."""
    row, column = np.mgrid[0:10, 0:20]
    red, green = np.round(column / 19, 1), np.round(row / 9, 1)
    blue = ((row - 4.5) ** 2 + ((column - 9.5) / 2) ** 2 <= 16).astype(float)
    return np.concatenate([red.ravel(), green.ravel(), blue.ravel()])


def test_mlp_follows_the_recurrence():
    """∂J/∂a_i = Σ_k ∂J/∂a_k · w_ki · σ′(z_k), and ∂J/∂w_ij = ∂J/∂a_i · a_j · σ′(z_i)."""
    t = trace("mlp")
    W2, W3 = np.array([[0.2, -0.5, 0.3], [0.7, 0.1, -0.4]]), np.array([[0.6, -0.8]])
    x, y = np.array([1, -0.5]), np.array([1.0])
    z1 = np.array([[0.1, 0.4], [-0.3, 0.2], [0.5, -0.1]]) @ x + [0.1, 0, -0.2]
    z2 = W2 @ sigmoid(z1) + [0, 0.1]
    z3 = W3 @ sigmoid(z2) + 0.05
    slope1, slope2, slope3 = (sigmoid(z) * (1 - sigmoid(z)) for z in (z1, z2, z3))
    da3 = sigmoid(z3) - y
    da2 = W3.T @ (da3 * slope3)
    da1 = W2.T @ (da2 * slope2)
    close(t.loss, 0.5 * np.sum((sigmoid(z3) - y) ** 2))
    close(t.gradients["a2"], da2)
    close(t.gradients["a1"], da1)
    close(t.gradients["W1"], np.outer(da1 * slope1, x))
    close(t.gradients["W2"], np.outer(da2 * slope2, sigmoid(z1)))
    close(t.gradients["W3"], np.outer(da3 * slope3, sigmoid(z2)))
    close(t.gradients["b2"], da2 * slope2)


def test_two_two_two():
    """The published numbers of the classroom example, and one shared bias as the sum of both units' gradients."""
    t = trace("two-two-two")
    close(t.forward["a1"], [0.593269992, 0.596884378], rtol=1e-8)
    close(t.forward["a2"], [0.751365070, 0.772928465], rtol=1e-8)
    close(t.loss, 0.298371109, rtol=1e-8)
    close(t.gradients["W2"], [[0.082167041, 0.082667628], [-0.022602540, -0.022740242]], rtol=1e-7)
    close(t.gradients["W1"], [[0.000438568, 0.000877135], [0.000497713, 0.000995425]], rtol=2e-6)
    close(t.gradients["b1"], np.sum(t.gradients["z1"]))
    close(t.gradients["b2"], np.sum(t.gradients["z2"]))


def test_weighted_sum():
    t = trace("weighted-sum")
    assert t.loss == 16
    assert t.forward["s"] == -3
    close(t.gradients["w"], [-8, 16, -24])
    close(t.gradients["s"], -8)


def test_xor():
    t = trace("xor")
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([[0], [1], [1], [0.0]])
    a1 = np.tanh(x @ np.array([[1, 1], [-1, -1.0]]).T + [-0.5, 1.5])
    a2 = sigmoid(a1 @ np.array([[1], [1.0]]) - 0.5)
    close(t.forward["a2"], a2)
    close(t.loss, -np.mean(y * np.log(a2) + (1 - y) * np.log(1 - a2)))
    close(t.gradients["z2"], (a2 - y) / 4)
    close(t.gradients["W2"], (a2 - y).T @ a1 / 4)
    close(t.gradients["W1"], (((a2 - y) / 4) @ np.array([[1, 1.0]]) * (1 - a1**2)).T @ x)


def test_logistic_regression():
    t = trace("logistic-regression")
    x, y = np.array([[2, 6], [4, 7], [5, 5], [8, 8.0]]), np.array([0, 0, 1, 1.0])
    p = sigmoid(x @ [0.5, 0.2] - 3)
    close(t.forward["p"], p)
    close(t.loss, -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))
    close(t.gradients["z"], (p - y) / 4)
    close(t.gradients["w"], (p - y) @ x / 4)
    close(t.gradients["b"], np.mean(p - y))


def test_softmax_classifier():
    t = trace("softmax-classifier")
    x = np.array([[0.5, -1.0], [1.5, 0.3], [-0.7, 0.8]])
    logits = x @ np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]).T
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = np.eye(3)[[1, 0, 2]]
    close(t.loss, -np.mean(np.log(p[np.arange(3), [1, 0, 2]])))
    close(t.gradients["a1"], (p - truth) / 3)
    close(t.gradients["W1"], (p - truth).T @ x / 3)


def test_softmax_equations():
    t = trace("softmax-equations")
    x = np.array([0.5, -1.0])
    z = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]) @ x
    p = np.exp(z) / np.exp(z).sum()
    close(t.forward["a"], p)
    close(t.loss, -np.log(p[1]))
    close(t.gradients["z"], p - [0, 1, 0], rtol=1e-11)
    close(t.gradients["W"], np.outer(p - [0, 1, 0], x), rtol=1e-11)


def test_residual_sum():
    """The gradient of h is the sum of the direct path and the path through the layer."""
    t = trace("residual-sum")
    V = np.array([[0.2, 0.4], [-0.6, 0.1]])
    h = np.tanh(np.array([[0.5, -0.25], [0.3, 0.8]]) @ [1, -1])
    r = h + np.tanh(V @ h)
    dr = r - [0.5, 0]
    close(t.loss, 0.5 * np.sum(dr**2))
    close(t.gradients["h"], dr + V.T @ (dr * (1 - np.tanh(V @ h) ** 2)))


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_gradient_agrees_with_central_differences(path):
    """Each parameter's gradient in its steepest direction, against the cost itself."""
    network = bp.load(str(path))
    if network.graph.windows:  # truncated: not the gradient of the cost, see test_rnn_truncated
        return
    program = network.compile()
    t = program.run()
    if t.loss is None:
        return
    step = 1e-6
    for name in (name for name in program.outputs if name.startswith("dJ/d")):
        name = name.removeprefix("dJ/d")
        gradient = np.asarray(t.gradients[name])
        norm = float(np.linalg.norm(gradient))
        if norm == 0:
            continue
        value = np.asarray(t.given[name])
        direction = gradient / norm
        ahead, behind = (program.run({name: value + sign * step * direction}).loss for sign in (1, -1))
        close((ahead - behind) / (2 * step), norm, rtol=1e-4)
