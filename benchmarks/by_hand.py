"""The forward and backward pass as someone writes it in NumPy who knows NumPy well.

Layers are written out, ``.dot`` where ``@`` costs more, results go into arrays that are no longer needed, and nothing
is computed twice. The functions take x, y, W1, b1, ... and return J, dJ/dW1, dJ/db1, ..., dJ/dx.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.cases import Array, Case

Results = tuple[Any, ...]


def by_hand(case: Case) -> Callable[..., Results]:
    rank = "vector" if case.samples is None else "batch"
    return globals()[f"{case.activation}_{len(case.sizes) - 1}_{rank}"]  # type: ignore[no-any-return]


def tanh_2_vector(x: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array) -> Results:
    a1 = W1.dot(x)
    a1 += b1
    np.tanh(a1, a1)
    r = W2.dot(a1)
    r += b2
    r -= y
    J = r.dot(r) / r.size
    r *= 2 / r.size
    dW2 = r[:, None] * a1
    dz1 = r.dot(W2)
    a1 *= a1
    dz1 *= 1.0 - a1
    return J, dz1[:, None] * x, dz1, dW2, r, dz1.dot(W1)


def tanh_2_batch(x: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array) -> Results:
    a1 = x.dot(W1.T)
    a1 += b1
    np.tanh(a1, a1)
    r = a1.dot(W2.T)
    r += b2
    r -= y
    flat = r.ravel()
    J = flat.dot(flat) / r.size
    r *= 2 / r.size
    dW2 = r.T.dot(a1)
    dz1 = r.dot(W2)
    a1 *= a1
    np.subtract(1.0, a1, a1)
    dz1 *= a1
    return J, dz1.T.dot(x), np.add.reduce(dz1), dW2, np.add.reduce(r), dz1.dot(W1)


def tanh_3_vector(x: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array, W3: Array, b3: Array) -> Results:
    a1 = W1.dot(x)
    a1 += b1
    np.tanh(a1, a1)
    a2 = W2.dot(a1)
    a2 += b2
    np.tanh(a2, a2)
    r = W3.dot(a2)
    r += b3
    r -= y
    J = r.dot(r) / r.size
    r *= 2 / r.size
    dW3 = r[:, None] * a2
    dz2 = r.dot(W3)
    a2 *= a2
    dz2 *= 1.0 - a2
    dW2 = dz2[:, None] * a1
    dz1 = dz2.dot(W2)
    a1 *= a1
    dz1 *= 1.0 - a1
    return J, dz1[:, None] * x, dz1, dW2, dz2, dW3, r, dz1.dot(W1)


def tanh_3_batch(x: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array, W3: Array, b3: Array) -> Results:
    a1 = x.dot(W1.T)
    a1 += b1
    np.tanh(a1, a1)
    a2 = a1.dot(W2.T)
    a2 += b2
    np.tanh(a2, a2)
    r = a2.dot(W3.T)
    r += b3
    r -= y
    flat = r.ravel()
    J = flat.dot(flat) / r.size
    r *= 2 / r.size
    dW3 = r.T.dot(a2)
    dz2 = r.dot(W3)
    a2 *= a2
    np.subtract(1.0, a2, a2)
    dz2 *= a2
    dW2 = dz2.T.dot(a1)
    dz1 = dz2.dot(W2)
    a1 *= a1
    np.subtract(1.0, a1, a1)
    dz1 *= a1
    sums = np.add.reduce
    return J, dz1.T.dot(x), sums(dz1), dW2, sums(dz2), dW3, sums(r), dz1.dot(W1)


def sigmoid_2_vector(x: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array) -> Results:
    z1 = W1.dot(x)
    z1 += b1
    a1 = 1.0 / (1.0 + np.exp(-z1))
    r = W2.dot(a1)
    r += b2
    r -= y
    J = r.dot(r) / r.size
    r *= 2 / r.size
    dW2 = r[:, None] * a1
    dz1 = r.dot(W2)
    dz1 *= a1
    dz1 *= 1.0 - a1
    return J, dz1[:, None] * x, dz1, dW2, r, dz1.dot(W1)


def sigmoid_2_batch(x: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array) -> Results:
    a1 = x.dot(W1.T)
    a1 += b1
    _sigmoid(a1)
    r = a1.dot(W2.T)
    r += b2
    r -= y
    flat = r.ravel()
    J = flat.dot(flat) / r.size
    r *= 2 / r.size
    dW2 = r.T.dot(a1)
    dz1 = r.dot(W2)
    dz1 *= a1
    np.subtract(1.0, a1, a1)
    dz1 *= a1
    return J, dz1.T.dot(x), np.add.reduce(dz1), dW2, np.add.reduce(r), dz1.dot(W1)


def sigmoid_3_vector(x: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array, W3: Array, b3: Array) -> Results:
    z1 = W1.dot(x)
    z1 += b1
    a1 = 1.0 / (1.0 + np.exp(-z1))
    z2 = W2.dot(a1)
    z2 += b2
    a2 = 1.0 / (1.0 + np.exp(-z2))
    r = W3.dot(a2)
    r += b3
    r -= y
    J = r.dot(r) / r.size
    r *= 2 / r.size
    dW3 = r[:, None] * a2
    dz2 = r.dot(W3)
    dz2 *= a2
    dz2 *= 1.0 - a2
    dW2 = dz2[:, None] * a1
    dz1 = dz2.dot(W2)
    dz1 *= a1
    dz1 *= 1.0 - a1
    return J, dz1[:, None] * x, dz1, dW2, dz2, dW3, r, dz1.dot(W1)


def sigmoid_3_batch(x: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array, W3: Array, b3: Array) -> Results:
    a1 = x.dot(W1.T)
    a1 += b1
    _sigmoid(a1)
    a2 = a1.dot(W2.T)
    a2 += b2
    _sigmoid(a2)
    r = a2.dot(W3.T)
    r += b3
    r -= y
    flat = r.ravel()
    J = flat.dot(flat) / r.size
    r *= 2 / r.size
    dW3 = r.T.dot(a2)
    dz2 = r.dot(W3)
    dz2 *= a2
    np.subtract(1.0, a2, a2)
    dz2 *= a2
    dW2 = dz2.T.dot(a1)
    dz1 = dz2.dot(W2)
    dz1 *= a1
    np.subtract(1.0, a1, a1)
    dz1 *= a1
    sums = np.add.reduce
    return J, dz1.T.dot(x), sums(dz1), dW2, sums(dz2), dW3, sums(r), dz1.dot(W1)


def _sigmoid(z: Array) -> None:
    """In place."""
    np.negative(z, z)
    np.exp(z, z)
    z += 1.0
    np.divide(1.0, z, z)


# The targets of the cross entropy are known to sum to 1.


def relu_2_vector(x: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array) -> Results:
    a1 = W1.dot(x)
    a1 += b1
    np.maximum(a1, 0.0, out=a1)
    z2 = W2.dot(a1)
    z2 += b2
    z2 -= z2.max()
    p = np.exp(z2)
    total = p.sum()
    J = np.log(total) - z2.dot(y)
    p /= total
    p -= y
    dz1 = p.dot(W2)
    dz1 *= a1 > 0.0
    return J, dz1[:, None] * x, dz1, p[:, None] * a1, p, dz1.dot(W1)


def relu_2_batch(x: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array) -> Results:
    a1 = x.dot(W1.T)
    a1 += b1
    np.maximum(a1, 0.0, out=a1)
    z2 = a1.dot(W2.T)
    z2 += b2
    z2 -= z2.max(1, keepdims=True)
    p = np.exp(z2)
    total = np.add.reduce(p, 1)
    J = (np.log(total).sum() - z2.ravel().dot(y.ravel())) / len(x)
    p /= total[:, None]
    p -= y
    p *= 1 / len(x)
    dz1 = p.dot(W2)
    dz1 *= a1 > 0.0
    return J, dz1.T.dot(x), np.add.reduce(dz1), p.T.dot(a1), np.add.reduce(p), dz1.dot(W1)


def relu_3_vector(x: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array, W3: Array, b3: Array) -> Results:
    a1 = W1.dot(x)
    a1 += b1
    np.maximum(a1, 0.0, out=a1)
    a2 = W2.dot(a1)
    a2 += b2
    np.maximum(a2, 0.0, out=a2)
    z3 = W3.dot(a2)
    z3 += b3
    z3 -= z3.max()
    p = np.exp(z3)
    total = p.sum()
    J = np.log(total) - z3.dot(y)
    p /= total
    p -= y
    dz2 = p.dot(W3)
    dz2 *= a2 > 0.0
    dz1 = dz2.dot(W2)
    dz1 *= a1 > 0.0
    return J, dz1[:, None] * x, dz1, dz2[:, None] * a1, dz2, p[:, None] * a2, p, dz1.dot(W1)


def relu_3_batch(x: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array, W3: Array, b3: Array) -> Results:
    a1 = x.dot(W1.T)
    a1 += b1
    np.maximum(a1, 0.0, out=a1)
    a2 = a1.dot(W2.T)
    a2 += b2
    np.maximum(a2, 0.0, out=a2)
    z3 = a2.dot(W3.T)
    z3 += b3
    z3 -= z3.max(1, keepdims=True)
    p = np.exp(z3)
    total = np.add.reduce(p, 1)
    J = (np.log(total).sum() - z3.ravel().dot(y.ravel())) / len(x)
    p /= total[:, None]
    p -= y
    p *= 1 / len(x)
    dz2 = p.dot(W3)
    dz2 *= a2 > 0.0
    dz1 = dz2.dot(W2)
    dz1 *= a1 > 0.0
    sums = np.add.reduce
    return J, dz1.T.dot(x), sums(dz1), dz2.T.dot(a1), sums(dz2), p.T.dot(a2), sums(p), dz1.dot(W1)
