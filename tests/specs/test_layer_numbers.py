"""The bundled specs of layers, loops and look-ups against plain NumPy, and what their comments claim."""

from __future__ import annotations

import numpy as np

import backprop_cli as bp
from tests.specs.running import SPECS, close, sigmoid, trace

STEPS = np.array([[1, 0], [0, 1], [1, 1.0]])  # the input of all specs over three steps


def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


def test_small_cnn():
    """Each weight of a filter collects from all 16 places, and of a pooling window only the largest takes part."""
    t = trace("small-cnn")
    x, W = t.given["x"][0], t.given["W1"][:, 0]
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3))
    z = np.einsum("ckl,pqkl->cpq", W, windows) + np.array([0, 0.2])[:, None, None]
    blocks = np.maximum(z, 0).reshape(2, 2, 2, 2, 2).swapaxes(2, 3).reshape(2, 2, 2, 4)
    close(t.forward["z1"], z, atol=1e-15)
    close(t.forward["a2"], blocks.max(axis=-1))
    assert (blocks.max(axis=-1) > 0).all()
    assert (np.sort(blocks)[..., -1] - np.sort(blocks)[..., -2] > 0.04).all()  # no ties, and no kinks near by
    assert np.abs(z).min() > 0.04
    p = softmax(t.forward["a4"])
    close(t.loss, -np.log(p[0]))
    dz = np.asarray(t.gradients["z1"])
    assert (np.count_nonzero(dz, axis=(1, 2)) == 4).all()  # one place in each of the four windows
    close(t.gradients["W1"][:, 0], np.einsum("cpq,pqkl->ckl", dz, windows), atol=1e-15)
    close(t.gradients["b1"], dz.sum(axis=(1, 2)))
    close(dz.sum(axis=(1, 2)), t.gradients["a2"].sum(axis=(1, 2)))


def test_batch_norm():
    """The backward pass of batch normalisation in one line, and its gradients summing to 0 over the batch."""
    t = trace("batch-norm")
    x, gamma = t.given["x"], np.array([1, 0.5])
    close(t.forward["mu"], [3, 1])
    close(t.forward["var"], [3.5, 5])
    spread = np.sqrt(np.array([3.5, 5]) + 1e-5)
    xhat = (x - [3, 1]) / spread
    a = gamma * xhat + [0, 0.5]
    da = (a - t.given["y"]) / 4
    close(t.gradients["a"], da, atol=1e-15)
    close(t.gradients["gamma"], (da * xhat).sum(axis=0))
    close(t.gradients["beta"], da.sum(axis=0), atol=1e-15)
    dxhat = gamma * da
    close(t.gradients["x"], (dxhat - dxhat.mean(axis=0) - xhat * (dxhat * xhat).mean(axis=0)) / spread, atol=1e-15)
    close(t.gradients["x"].sum(axis=0), [0, 0], atol=1e-15)


def test_batch_norm_is_what_the_layer_computes():
    t = trace("batch-norm")
    layer = bp.load(f"""
        inputs: {{x: {t.given["x"].tolist()}}}
        targets: {{y: {t.given["y"].tolist()}}}
        layers: [batch_norm]
        loss: half_sse
    """)
    found = layer.compile().run({"gamma1": t.given["gamma"], "beta1": t.given["beta"]})
    close(found.loss, t.loss)
    close(found.gradients["x"], t.gradients["x"], rtol=1e-9)


def test_layer_norm():
    t = trace("layer-norm")
    close(t.forward["a1"], [2, 0, -2, 4])
    assert t.forward["mu2"] == 1
    assert t.forward["var2"] == 5
    close(t.forward["a2"], np.array([1, -1, -3, 3]) / np.sqrt(5 + 1e-5))
    close(np.sum(t.gradients["a1"]), 0, atol=1e-15)


def test_self_attention():
    """Step t takes from the steps up to it alone, and dJ/dx has three paths: queries, keys and values."""
    t = trace("self-attention")
    W_q, W_k, W_v, W_o = (t.given[f"W_{letter}1"] for letter in "qkvo")
    q, k, v = STEPS @ W_q.T, STEPS @ W_k.T, STEPS @ W_v.T
    scores = np.where(np.tri(3) > 0, q @ k.T / np.sqrt(2), -np.inf)
    p = softmax(scores)
    close(t.forward["p1"], p, atol=1e-15)
    close(t.forward["p1"][0], [1, 0, 0])
    close(t.forward["a1"], p @ v @ W_o.T)
    dc = (p @ v @ W_o.T - t.given["y"]) @ W_o
    dp = dc @ v.T
    ds = p * (dp - (dp * p).sum(axis=1, keepdims=True)) / np.sqrt(2)
    paths = (ds @ k @ W_q, ds.T @ q @ W_k, p.T @ dc @ W_v)
    close(t.gradients["x"], sum(paths), atol=1e-15)
    close(t.gradients["W_q1"], (ds @ k).T @ STEPS, atol=1e-15)


def test_rnn():
    """Backpropagation through time: what arrives at h_t comes from o_t and from h_(t+1)."""
    t = trace("rnn")
    W_xh, W_hh, W_ho = (t.given[name] for name in ("W_xh", "W_hh", "W_ho"))
    h = [np.zeros(2)]
    for x in STEPS:
        h.append(np.tanh(W_xh @ x + W_hh @ h[-1]))
    close(h[1], np.tanh([0.5, -0.3]))
    close(np.round(h[1], 4), [0.4621, -0.2913])
    error = np.array([W_ho @ state for state in h[1:]]) - t.given["y"]
    close(t.loss, 0.5 * np.sum(error**2))
    dW_xh, dW_hh, later = np.zeros((2, 2)), np.zeros((2, 2)), np.zeros(2)
    for step in (3, 2, 1):
        dh = W_ho.T @ error[step - 1] + later
        dz = dh * (1 - h[step] ** 2)
        dW_xh += np.outer(dz, STEPS[step - 1])
        dW_hh += np.outer(dz, h[step - 1])
        later = W_hh.T @ dz
        close(t.gradients["h"][step - 1], dh)
    close(t.gradients["W_xh"], dW_xh)
    close(t.gradients["W_hh"], dW_hh)
    close(t.gradients["W_ho"], error.T @ np.array(h[1:]))


def test_rnn_truncated():
    """Each step's cost goes back through two states: of J_3 nothing arrives at h_1."""
    t, full = trace("rnn-truncated"), trace("rnn")
    W_hh, W_ho, h = t.given["W_hh"], t.given["W_ho"], t.forward["h"]
    close(t.loss, full.loss)
    direct = (t.forward["o"] - t.given["y"]) @ W_ho
    back = [direct[step] * (1 - h[step] ** 2) @ W_hh for step in (1, 2)]  # from h_2 to h_1, from h_3 to h_2
    dh = direct + np.array([*back, [0, 0]])
    close(t.gradients["h"], dh)
    close(t.gradients["W_xh"], (dh * (1 - h**2)).T @ STEPS)
    close(t.gradients["W_hh"], full.gradients["W_hh"])
    assert np.abs(t.gradients["W_xh"] - full.gradients["W_xh"]).max() > 0.1


def test_lstm():
    t = trace("lstm")
    W = {name: t.given[f"W_{name}1"] for name in ("xi", "hi", "xf", "hf", "xg", "hg", "xo", "ho")}
    h = c = np.zeros(2)
    for step, x in enumerate(STEPS):
        i, f, g, o = (W[f"x{gate}"] @ x + W[f"h{gate}"] @ h for gate in "ifgo")
        c = sigmoid(f + 1) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        close(t.forward["c1"][step], c)
        close(t.forward["h1"][step], h)
    close(t.forward["a1"], h)
    close(t.loss, 0.5 * np.sum((h - [0.5, -0.5]) ** 2))
    assert (t.forward["f1"] > 0.75).all()  # mostly open


def test_gru():
    t = trace("gru")
    W = {name: t.given[f"W_{name}1"] for name in ("xr", "hr", "xz", "hz", "xn", "hn")}
    h = np.zeros(2)
    for step, x in enumerate(STEPS):
        r, z = (sigmoid(W[f"x{gate}"] @ x + W[f"h{gate}"] @ h) for gate in "rz")
        h = (1 - z) * np.tanh(W["xn"] @ x + r * (W["hn"] @ h)) + z * h
        close(t.forward["h1"][step], h)
    close(t.loss, 0.5 * np.sum((t.forward["h1"] - t.given["y"]) ** 2))


def test_embedding():
    """A row collects the gradients of the places where its token stands; other rows have gradient 0."""
    t = trace("embedding")
    W, V = t.given["W1"], t.given["W2"]
    p = softmax(W[[2, 4, 1, 2]] @ V.T)
    close(t.loss, -np.log(p[range(4), [1, 0, 0, 1]]).sum())
    da = (p - np.eye(2)[[1, 0, 0, 1]]) @ V
    close(t.gradients["W1"], [[0, 0, 0], da[2], da[0] + da[3], [0, 0, 0], da[1]], atol=1e-15)
    assert "x" not in t.gradients


def test_plain_and_residual_chain():
    """The same weights; the printed gradients of the comments; smaller layer by layer without residual connections."""
    plain, residual = trace("plain-chain"), trace("residual-chain")
    names = ["a4", "a3", "a2", "a1"]
    for number in range(1, 5):
        np.testing.assert_array_equal(plain.given[f"W{number}"], residual.given[f"W{number}_1"])
    for name, t in (("plain-chain", plain), ("residual-chain", residual)):
        written = "   ".join(f"dJ/d{a} = {t.gradients[a][0]:.4f}, {t.gradients[a][1]:.4f}" for a in names)
        assert f"#   {written}\n" in (SPECS / f"{name}.yaml").read_text()
    smaller, larger = ([np.abs(t.gradients[name]).max() for name in [*names, "x"]] for t in (plain, residual))
    assert smaller == sorted(smaller, reverse=True)
    assert larger == sorted(larger)
    x = plain.given["x"]
    a, h = x, x
    for number in range(1, 5):
        a, h = np.tanh(plain.given[f"W{number}"] @ a), h + np.tanh(plain.given[f"W{number}"] @ h)
    close(plain.forward["a4"], a)
    close(residual.forward["a4"], h)


def test_nearest_neighbour():
    t = trace("nearest-neighbour")
    np.testing.assert_array_equal(t.forward["d"], [5, 4, 1])
    assert t.forward["yhat"] == 3
    assert t.loss == 1
    assert t.gradients["yhat"] == 2
    np.testing.assert_array_equal(t.gradients["W"], np.zeros((3, 2)))
    np.testing.assert_array_equal(t.gradients["x"], np.zeros(2))
