"""The same passes in PyTorch eager and JAX jit, each the way its users would write it: PyTorch's own recurrent modules,
``scan`` in JAX. HIPS autograd has no such layers and takes no part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.layered import GATES, LSTM, Attention, Convolutional, Layered, Recurrent

Pass = Callable[[], Any]


def torch(case: Layered) -> Pass:
    import torch as pytorch

    pytorch.set_num_threads(1)
    functional = pytorch.nn.functional
    x, y, parameters = case.arrays()
    given = pytorch.tensor(x, requires_grad=True)
    if isinstance(case, Recurrent):
        return _torch_recurrent(case, given)
    leaves = [pytorch.tensor(array, requires_grad=True) for array in parameters]
    target = pytorch.tensor(y.astype(int) if isinstance(case, Convolutional) else y)

    def cnn() -> Any:
        W, b, W4, b4 = leaves
        a = functional.max_pool2d(functional.relu(functional.conv2d(given, W, b)), 2)
        return functional.cross_entropy(functional.linear(a.flatten(1), W4, b4), target)

    def attention() -> Any:
        assert isinstance(case, Attention)
        q, k, v = (functional.linear(given, W).reshape(len(x), case.heads, -1).transpose(0, 1) for W in leaves[:3])
        c = functional.scaled_dot_product_attention(q, k, v)
        a = functional.linear(c.transpose(0, 1).reshape(x.shape), leaves[3])
        return 0.5 * ((a - target) ** 2).sum()

    cost = cnn if isinstance(case, Convolutional) else attention

    def run() -> Any:
        J = cost()
        return J, pytorch.autograd.grad(J, [given, *leaves])

    return run


def _torch_recurrent(case: Recurrent, given: Any) -> Pass:
    import torch as pytorch

    _, y, parameters = case.arrays()
    *own, W, b = parameters
    units, features = own[0].shape
    if case.layer == "rnn":
        module: Any = pytorch.nn.RNN(features, units)
        values = own
    else:
        module = pytorch.nn.LSTM(features, units)
        named = dict(zip(LSTM, own, strict=True))
        values = [np.concatenate([named[f"{kind}{gate}"] for gate in "ifgo"]) for kind in ("W_x", "W_h", "b_")]
        assert set("ifgo") == set(GATES)
    module = module.double()
    with pytorch.no_grad():
        for name, value in zip(("weight_ih_l0", "weight_hh_l0", "bias_ih_l0"), values, strict=True):
            getattr(module, name).copy_(pytorch.tensor(value))
        module.bias_hh_l0.zero_()
    module.bias_hh_l0.requires_grad_(False)  # ours has one bias
    leaves = [pytorch.tensor(array, requires_grad=True) for array in (W, b)]
    wanted = [given, *(parameter for parameter in module.parameters() if parameter.requires_grad), *leaves]
    target = pytorch.tensor(y)

    def run() -> Any:
        h, _ = module(given)
        J = ((pytorch.nn.functional.linear(h, *leaves) - target) ** 2).mean(1).sum()
        return J, pytorch.autograd.grad(J, wanted)

    return run


def jax(case: Layered) -> Pass:
    import jax as jax_library
    import jax.numpy as jnp

    jax_library.config.update("jax_enable_x64", True)
    lax = jax_library.lax
    x, y, parameters = case.arrays()

    def rnn(arguments: Any, target: Any) -> Any:
        given, W_x, W_h, b, W, b2 = arguments

        def step(h: Any, z: Any) -> Any:
            h = jnp.tanh(z + W_h @ h)
            return h, h

        _, h = lax.scan(step, jnp.zeros(len(W_h)), given @ W_x.T + b)
        return jnp.mean((h @ W.T + b2 - target) ** 2, axis=1).sum()

    def lstm(arguments: Any, target: Any) -> Any:
        given, *own, W, b2 = arguments
        named = dict(zip(LSTM, own, strict=True))
        W_x, W_h, b = (jnp.concatenate([named[f"{kind}{gate}"] for gate in GATES]) for kind in ("W_x", "W_h", "b_"))

        def step(state: Any, z: Any) -> Any:
            h, c = state
            i, f, o, g = jnp.split(z + W_h @ h, 4)
            sigmoid = jax_library.nn.sigmoid
            c = sigmoid(f) * c + sigmoid(i) * jnp.tanh(g)
            h = sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zeros = jnp.zeros(W_h.shape[1])
        _, h = lax.scan(step, (zeros, zeros), given @ W_x.T + b)
        return jnp.mean((h @ W.T + b2 - target) ** 2, axis=1).sum()

    def cnn(arguments: Any, target: Any) -> Any:
        given, W, b, W4, b4 = arguments
        a = lax.conv_general_dilated(given, W, (1, 1), "VALID") + b[:, None, None]
        a = jax_library.nn.relu(a)
        a = lax.reduce_window(a, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
        p = jax_library.nn.log_softmax(a.reshape(len(a), -1) @ W4.T + b4)
        return -jnp.mean(p[jnp.arange(len(p)), target])

    def attention(arguments: Any, target: Any) -> Any:
        assert isinstance(case, Attention)
        given, *W, W_o = arguments
        q, k, v = ((given @ each.T).reshape(len(given), case.heads, -1) for each in W)
        s = jnp.einsum("thd,uhd->htu", q, k) / np.sqrt(q.shape[2])
        c = jnp.einsum("htu,uhd->thd", jax_library.nn.softmax(s), v).reshape(given.shape)
        return 0.5 * jnp.sum((c @ W_o.T - target) ** 2)

    match case:
        case Recurrent("rnn"):
            cost: Any = rnn
        case Recurrent():
            cost = lstm
        case Convolutional():
            cost = cnn
        case _:
            cost = attention
    both = jax_library.jit(jax_library.value_and_grad(cost))
    given = tuple(jnp.asarray(array) for array in (x, *parameters))
    target = jnp.asarray(y.astype(int) if isinstance(case, Convolutional) else y)
    return lambda: jax_library.block_until_ready(both(given, target))


PEERS: dict[str, Callable[[Layered], Pass]] = {"PyTorch": torch, "JAX": jax}
