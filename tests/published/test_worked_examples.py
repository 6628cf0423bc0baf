"""Worked examples that teachers have published, replayed through the public interface: their numbers come out.

Each test names its source. Numbers are compared to the decimals the source prints; where it went on from rounded
numbers, its last digit may be off, and the tolerance says so.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.published.replaying import printed, trace

MAZUR = """
inputs: {x: [0.05, 0.10]}
targets: {y: [0.01, 0.99]}
layers:
  - dense: {units: 2, activation: sigmoid, weights: [[0.15, 0.20], [0.25, 0.30]], bias: 0.35}
  - dense: {units: 2, activation: sigmoid, weights: [[0.40, 0.45], [0.50, 0.55]], bias: 0.60}
loss: half_sse
"""
MAZUR_W1 = np.array([[0.15, 0.20], [0.25, 0.30]])
MAZUR_W2 = np.array([[0.40, 0.45], [0.50, 0.55]])


def test_mazur_step_by_step():
    """Matt Mazur, "A Step by Step Backpropagation Example", mattmazur.com, 17 March 2015."""
    t = trace(MAZUR)
    printed(t.forward["z1"][0], 0.3775, 9)
    printed(t.forward["a1"], [0.593269992, 0.596884378], 9)
    printed(t.forward["z2"][0], 1.105905967, 9)
    printed(t.forward["a2"], [0.75136507, 0.772928465], 8)
    printed(t.loss, 0.298371109, 9)
    printed(t.gradients["a2"][0], 0.74136507, 8)
    printed(t.gradients["z2"][0], 0.138498562, 9)
    printed(t.gradients["W2"][0, 0], 0.082167041, 9)
    printed(t.gradients["a1"][0], 0.036350306, 9)
    printed(t.gradients["W1"][0, 0], 0.000438568, 9)


def test_mazur_updated_weights():
    """The same article: the weights after one step with rate 0.5 (it leaves the biases alone)."""
    t = trace(MAZUR)
    W1, W2 = MAZUR_W1 - 0.5 * t.gradients["W1"], MAZUR_W2 - 0.5 * t.gradients["W2"]
    printed(W2, [[0.35891648, 0.408666186], [0.511301270, 0.561370121]], 8)
    printed(W1, [[0.149780716, 0.19956143], [0.24975114, 0.29950229]], 8)
    printed(trace(MAZUR, {"W1": W1, "W2": W2}).loss, 0.291027774, 9)


def test_mazur_error_after_one_step_has_a_slip():
    """The article prints 0.291027924 as the error after that step. It comes out only if the hidden layer's gradient
    is computed through output weights that are already updated, against the article's own text."""
    t = trace(MAZUR)
    W2 = MAZUR_W2 - 0.5 * t.gradients["W2"]
    too_late = trace(f"""
        inputs: {{x: [0.05, 0.10]}}
        layers:
          - dense: {{activation: sigmoid, weights: {MAZUR_W1.tolist()}, bias: 0.35}}
          - dense: {{weights: {W2.tolist()}, bias: 0.60}}
        grad_output: {np.asarray(t.gradients["z2"]).tolist()}
    """)
    W1 = MAZUR_W1 - 0.5 * too_late.gradients["W1"]
    printed(trace(MAZUR, {"W1": W1, "W2": W2}).loss, 0.291027924, 9)


def test_han_kamber_pei_example():
    """Han, Kamber and Pei, "Data Mining: Concepts and Techniques", the sample calculation of backpropagation.

    Units 4 and 5 are hidden, 6 is the output; Err_j is -dJ/dz_j with half the squared error, and the rate is 0.9.
    """
    t = trace("""
        inputs: {x: [1, 0, 1]}
        targets: {y: [1]}
        layers:
          - dense: {activation: sigmoid, weights: [[0.2, 0.4, -0.5], [-0.3, 0.1, 0.2]], bias: [-0.4, 0.2]}
          - dense: {activation: sigmoid, weights: [[-0.3, -0.2]], bias: [0.1]}
        loss: half_sse
    """)
    printed(t.forward["z1"], [-0.7, 0.1], 9)
    printed(t.forward["a1"], [0.332, 0.525], 3)
    printed(t.forward["z2"], [-0.105], 3)
    printed(t.forward["a2"], [0.474], 3)
    printed(-t.gradients["z2"], [0.1311], 4, slack=1)
    printed(-t.gradients["z1"], [-0.0087, -0.0065], 4)
    printed(np.array([-0.3, -0.2]) - 0.9 * t.gradients["W2"][0], [-0.261, -0.138], 3)
    printed(
        np.array([[0.2, 0.4, -0.5], [-0.3, 0.1, 0.2]]) - 0.9 * t.gradients["W1"],
        [[0.192, 0.4, -0.508], [-0.306, 0.1, 0.194]],
        3,
    )
    printed(np.array([-0.4, 0.2]) - 0.9 * t.gradients["b1"], [-0.408, 0.194], 3)
    printed(0.1 - 0.9 * t.gradients["b2"], [0.218], 3)


def test_tutorial_with_thresholds():
    """EE 4210, "Tutorial 4: Backpropagation": each neuron has a threshold, an input fixed to -1; learning rate 0.7."""
    t = trace("""
        inputs: {x: [0, 1, -1]}
        targets: {d: 0.9}
        parameters: {V: [[-0.5, 0.1, -0.6], [-0.4, 0.2, 0.3]], w: [0.6, -0.7], theta: -0.8}
        equations:
          - v[i] = sum(V[i,j]*x[j], j)
          - h[i] = 1/(1 + exp(-v[i]))
          - s = sum(w[i]*h[i], i) - theta
          - y = 1/(1 + exp(-s))
          - E = (d - y)**2/2
        loss: E
    """)
    printed(t.forward["v"], [0.7, -0.1], 9)
    printed(t.forward["h"], [0.668, 0.475], 3)
    printed(t.forward["s"], 0.868, 3)
    printed(t.forward["y"], 0.704, 3)
    printed(-t.gradients["s"], 0.041, 3)
    printed(-t.gradients["v"], [0.0054, -0.007], 3)
    printed(-0.7 * t.gradients["w"], [0.019, 0.014], 3)
    printed(-0.7 * t.gradients["theta"], -0.0285, 3)


def test_cs231n_gates():
    """Stanford CS231n, "Backpropagation, Intuitions": f = (x + y)z at x = -2, y = 5, z = -4."""
    t = trace("{inputs: {x: -2, y: 5, z: -4}, equations: [q = x + y, f = q*z], loss: f}")
    assert t.loss == -12
    assert t.forward["q"] == 3
    gradients = {name: float(value) for name, value in t.gradients.items()}
    assert gradients == {"q": -4, "x": -4, "y": -4, "z": 3}


def test_cs231n_sigmoid_neuron():
    """The same notes: a neuron with w = [2, -3, -3] and x = [-1, -2], gate by gate, to the two decimals printed."""
    t = trace("""
        inputs: {x0: -1, x1: -2}
        parameters: {w0: 2, w1: -3, w2: -3}
        equations:
          - p0 = w0*x0
          - p1 = w1*x1
          - dot = p0 + p1 + w2
          - minus = -dot
          - power = exp(minus)
          - below = 1 + power
          - f = 1/below
        loss: f
    """)
    printed([t.forward[name] for name in ("p0", "p1", "dot", "minus")], [-2, 6, 1, -1], 9)
    printed([t.forward[name] for name in ("power", "below", "f")], [0.37, 1.37, 0.73], 2)
    printed([t.gradients[name] for name in ("below", "power")], [-0.53, -0.53], 2)
    printed([t.gradients[name] for name in ("minus", "dot", "p0", "p1", "w2")], [-0.20, 0.20, 0.20, 0.20, 0.20], 2)
    # the figure multiplies the rounded 0.20: 0.40 and -0.60 stand where 0.39 and -0.59 come out
    printed([t.gradients[name] for name in ("w0", "w1")], [-0.20, -0.39], 2)
    printed([t.gradients[name] for name in ("x0", "x1")], [0.39, -0.59], 2)


def test_cs231n_staged_computation():
    """The same notes: f(x, y) = (x + σ(y)) / (σ(x) + (x + y)²) at x = 3, y = -4, by stages as in their code."""
    t = trace("""
        inputs: {x: 3, y: -4}
        equations:
          - sigy = 1/(1 + exp(-y))
          - num = x + sigy
          - sigx = 1/(1 + exp(-x))
          - xpy = x + y
          - xpysqr = xpy**2
          - den = sigx + xpysqr
          - invden = 1/den
          - f = num*invden
        loss: f
    """)
    sigx, sigy = 1 / (1 + np.exp(-3.0)), 1 / (1 + np.exp(4.0))
    invden = 1 / (sigx + 1)
    dden = -(invden**2) * (3 + sigy)
    dxpy = 2 * -1.0 * dden
    assert float(t.gradients["num"]) == pytest.approx(invden, rel=1e-12)
    assert float(t.gradients["den"]) == pytest.approx(dden, rel=1e-12)
    assert float(t.gradients["xpy"]) == pytest.approx(dxpy, rel=1e-12)
    assert float(t.gradients["x"]) == pytest.approx(dxpy + (1 - sigx) * sigx * dden + invden, rel=1e-12)
    assert float(t.gradients["y"]) == pytest.approx(dxpy + (1 - sigy) * sigy * invden, rel=1e-12)


CS231N_SCORES = """
inputs: {{x: [-15, 22, -44, 56]}}
targets: {{y: 2}}
parameters:
  W: [[0.01, -0.05, 0.1, 0.05], [0.7, 0.2, 0.05, 0.16], [0.0, -0.45, -0.2, 0.03]]
  b: [0.0, 0.2, -0.3]
equations:
  - s[i] = sum(W[i,j]*x[j], j) + b[i]
  - {loss}
loss: L
"""


def test_cs231n_softmax_scores():
    """Stanford CS231n, "Linear Classification": scores -2.85, 0.86, 0.28 of class 3, cross-entropy 1.04."""
    t = trace(CS231N_SCORES.format(loss="L = -log(sum((i == y + 1)*exp(s[i]), i)/sum(exp(s[k]), k))"))
    printed(t.forward["s"], [-2.85, 0.86, 0.28], 2)
    printed(t.loss, 1.04, 2)
    # dL/ds is the printed distribution minus the right class
    printed(t.gradients["s"], [0.016, 0.631, 0.353 - 1], 3, slack=1)
    printed(t.gradients["b"], t.gradients["s"], 12)


def test_cs231n_hinge_scores():
    """The same figure: the multiclass hinge loss with margin 1 is 1.58, and only class 2 is over the margin."""
    t = trace(CS231N_SCORES.format(loss="L = sum((i != y + 1)*max(0, s[i] - s[3] + 1), i)"))
    printed(t.loss, 1.58, 2)
    np.testing.assert_array_equal(t.gradients["s"], [0, 1, -1])
    np.testing.assert_array_equal(t.gradients["W"], np.outer([0, 1, -1], [-15, 22, -44, 56]))
