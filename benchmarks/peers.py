"""The same passes by other people's work, each the way its users would write it: HIPS autograd, PyTorch eager, JAX jit.

Each maker returns a function without arguments that computes J and all gradients (parameters and x) on arrays prepared
beforehand, and waits until they are there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.cases import Case

Pass = Callable[[], Any]


def autograd(case: Case) -> Pass:
    import autograd.numpy as anp
    from autograd import value_and_grad
    from autograd.scipy.special import logsumexp

    activations = {
        "tanh": anp.tanh,
        "sigmoid": lambda z: 1.0 / (1.0 + anp.exp(-z)),
        "relu": lambda z: anp.maximum(z, 0.0),
    }
    f = activations[case.activation]
    x, y, parameters = case.arrays()

    def cost(arguments: Any) -> Any:
        a, *weights = arguments
        for place in range(0, len(weights), 2):
            z = anp.dot(a, weights[place].T) + weights[place + 1]
            a = f(z) if place < len(weights) - 2 else z
        if case.loss == "mse":
            return anp.mean((a - y) ** 2)
        return anp.mean(logsumexp(a, axis=-1) - anp.sum(a * y, axis=-1))

    both = value_and_grad(cost)
    return lambda: both((x, *parameters))


def torch(case: Case) -> Pass:
    import torch as pytorch

    pytorch.set_num_threads(1)
    f = {"tanh": pytorch.tanh, "sigmoid": pytorch.sigmoid, "relu": pytorch.relu}[case.activation]
    functional = pytorch.nn.functional
    loss = functional.mse_loss if case.loss == "mse" else functional.cross_entropy
    x, y, parameters = case.arrays()
    leaves = [pytorch.tensor(array, requires_grad=True) for array in (x, *parameters)]
    target = pytorch.tensor(y)

    def run() -> Any:
        a, *weights = leaves
        for place in range(0, len(weights), 2):
            z = functional.linear(a, weights[place], weights[place + 1])
            a = f(z) if place < len(weights) - 2 else z
        J = loss(a, target)
        return J, pytorch.autograd.grad(J, leaves)

    return run


def jax(case: Case) -> Pass:
    import jax as jax_library
    import jax.numpy as jnp

    jax_library.config.update("jax_enable_x64", True)
    f = {"tanh": jnp.tanh, "sigmoid": jax_library.nn.sigmoid, "relu": jax_library.nn.relu}[case.activation]
    x, y, parameters = case.arrays()

    def cost(arguments: Any, target: Any) -> Any:
        a, *weights = arguments
        for place in range(0, len(weights), 2):
            z = a @ weights[place].T + weights[place + 1]
            a = f(z) if place < len(weights) - 2 else z
        if case.loss == "mse":
            return jnp.mean((a - target) ** 2)
        return -jnp.mean(jnp.sum(jax_library.nn.log_softmax(a) * target, axis=-1))

    both = jax_library.jit(jax_library.value_and_grad(cost))
    given = tuple(jnp.asarray(array) for array in (x, *parameters))
    target = jnp.asarray(y)
    return lambda: jax_library.block_until_ready(both(given, target))


PEERS: dict[str, Callable[[Case], Pass]] = {"autograd": autograd, "PyTorch": torch, "JAX": jax}
