"""Recurrence, convolution and attention as someone writes them in NumPy who knows NumPy well.

As in by_hand.py; and what a loop does not need to do step by step is done before or after it for all steps at once,
rows are handed to the loop by ``zip`` and written in place, the gates of the LSTM are one product, and a convolution is
one product of its windows laid out as rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.cases import Array
from benchmarks.layered import Attention, Convolutional, Layered, Recurrent

Results = tuple[Any, ...]


def by_hand(case: Layered) -> Callable[..., Results]:
    match case:
        case Recurrent("rnn"):
            return rnn
        case Recurrent():
            return lstm
        case Convolutional():
            return cnn
        case Attention(1):
            return attention
    return lambda *arrays: attention_of_heads(case.heads, *arrays)


def _mse_at_each_step(h: Array, y: Array, W: Array, b: Array) -> tuple[Any, Array]:
    """The cost, and its gradient at the outputs W·h + b."""
    r = h.dot(W.T)
    r += b
    r -= y
    flat = r.ravel()
    J = flat.dot(flat) / y.shape[1]
    r *= 2 / y.shape[1]
    return J, r


def rnn(x: Array, y: Array, W_x: Array, W_h: Array, b: Array, W: Array, b2: Array) -> Results:
    states = np.zeros((len(x) + 1, len(b)))
    h = states[1:]
    z = x.dot(W_x.T)
    z += b
    for before, step, now in zip(states, z, h, strict=False):
        step += W_h.dot(before)
        np.tanh(step, now)
    J, r = _mse_at_each_step(h, y, W, b2)
    dz = r.dot(W)
    slope = h * h
    np.subtract(1.0, slope, slope)
    later = np.zeros(len(b))
    for step, s in zip(dz[::-1], slope[::-1], strict=True):
        step += later.dot(W_h)
        step *= s
        later = step
    sums = np.add.reduce
    return J, dz.T.dot(x), dz.T.dot(states[:-1]), sums(dz), r.T.dot(h), sums(r), dz.dot(W_x)


def lstm(x: Array, y: Array, *parameters: Array) -> Results:
    W_xi, W_hi, W_xf, W_hf, W_xo, W_ho, W_xg, W_hg, b_i, b_f, b_o, b_g, W, b2 = parameters
    T, H = len(x), len(b_i)
    W_x, W_h = np.concatenate((W_xi, W_xf, W_xg, W_xo)), np.concatenate((W_hi, W_hf, W_hg, W_ho))
    # σ(z) = (1 + tanh(z/2))/2, so that one tanh does for all gates and the candidates.
    half = np.full(4 * H, 0.5)
    half[2 * H : 3 * H] = 1.0
    shift = 1.0 - half
    z = x.dot(W_x.T)
    z += np.concatenate((b_i, b_f, b_g, b_o))
    z *= half
    W_z = W_h * half[:, None]
    states, cells = np.zeros((2, T + 1, H))
    h, c = states[1:], cells[1:]
    tanh_c = np.empty((T, H))
    gates = z.reshape(T, 4, H)
    rows = zip(states, cells, z, gates, c, tanh_c, h, strict=False)
    for before, cell, step, (i, f, g, o), cell_now, squashed, now in rows:
        step += W_z.dot(before)
        np.tanh(step, step)
        step *= half
        step += shift
        np.multiply(f, cell, cell_now)
        cell_now += i * g
        np.tanh(cell_now, squashed)
        np.multiply(o, squashed, now)
    J, r = _mse_at_each_step(h, y, W, b2)
    dh = r.dot(W)
    i, f, g, o = gates.transpose(1, 0, 2)
    slope = np.empty((T, 4, H))
    by_cell = slope[:, :3]
    slope[:, 0] = g * i * (1.0 - i)
    slope[:, 1] = cells[:-1] * f * (1.0 - f)
    slope[:, 2] = i * (1.0 - g * g)
    slope[:, 3] = tanh_c * o * (1.0 - o)
    through = o * (1.0 - tanh_c * tanh_c)
    dz = np.empty((T, 4 * H))
    d_gates = dz.reshape(T, 4, H)
    rows = zip(
        *(array[::-1] for array in (dh, through, f, by_cell, slope[:, 3], dz, d_gates[:, :3], d_gates[:, 3])),
        strict=True,
    )
    later, dc = np.zeros(4 * H), np.zeros(H)
    for step, t, forget, s, s_o, all_now, now, o_now in rows:
        step += later.dot(W_h)
        dc += t * step
        np.multiply(s, dc, now)
        np.multiply(s_o, step, o_now)
        dc *= forget
        later = all_now
    dW_x, dW_h, db = dz.T.dot(x), dz.T.dot(states[:-1]), np.add.reduce(dz)
    gi, gf, gg, go = (slice(k * H, k * H + H) for k in range(4))
    order = (gi, gf, go, gg)
    found = (part for gate in order for part in (dW_x[gate], dW_h[gate]))
    return J, *found, *(db[gate] for gate in order), r.T.dot(h), np.add.reduce(r), dz.dot(W_x)


def cnn(x: Array, y: Array, W: Array, b: Array, W4: Array, b4: Array) -> Results:
    N, _, side, _ = x.shape
    F, wide = len(b), side - 2
    half = wide // 2
    windows = sliding_window_view(x[:, 0], (3, 3), (1, 2)).reshape(N * wide * wide, 9)
    a = windows.dot(W.reshape(F, 9).T)
    a += b
    np.maximum(a, 0.0, out=a)
    pairs = a.reshape(N, half, 2, half, 2 * F)
    corners = (pairs[:, :, 0, :, :F], pairs[:, :, 0, :, F:], pairs[:, :, 1, :, :F], pairs[:, :, 1, :, F:])
    largest = np.maximum(corners[0], corners[1])
    np.maximum(largest, corners[2], largest)
    np.maximum(largest, corners[3], largest)
    flat = largest.transpose(0, 3, 1, 2).reshape(N, F * half * half)
    p = flat.dot(W4.T)
    p += b4
    p -= p.max(1, keepdims=True)
    labels = (np.arange(N), y.astype(int))
    J = -np.add.reduce(p[labels])
    np.exp(p, p)
    total = np.add.reduce(p, 1)
    J = (J + np.add.reduce(np.log(total))) / N
    p /= total[:, None]
    p[labels] -= 1.0
    p *= 1 / N
    d = p.dot(W4).reshape(N, F, half, half).transpose(0, 2, 3, 1) * (largest > 0.0)
    da = np.empty((N, half, 2, half, 2 * F))
    d_corners = (da[:, :, 0, :, :F], da[:, :, 0, :, F:], da[:, :, 1, :, :F], da[:, :, 1, :, F:])
    for corner, into in zip(corners, d_corners, strict=True):
        np.multiply(d, corner == largest, into)
        d -= into  # the first of equal ones takes it all
    dz = da.reshape(N * wide * wide, F)
    parts = dz.dot(W.reshape(F, 9)).reshape(N, wide, wide, 3, 3)
    dx = np.zeros_like(x)
    for row in range(3):
        for column in range(3):
            dx[:, 0, row : row + wide, column : column + wide] += parts[:, :, :, row, column]
    return J, dz.T.dot(windows).reshape(F, 1, 3, 3), np.add.reduce(dz), p.T.dot(flat), np.add.reduce(p), dx


def attention(x: Array, y: Array, W_q: Array, W_k: Array, W_v: Array, W_o: Array) -> Results:
    scale = 1 / np.sqrt(x.shape[1])
    q, k, v = x.dot(W_q.T), x.dot(W_k.T), x.dot(W_v.T)
    q *= scale
    p = q.dot(k.T)
    _softmax(p)
    c = p.dot(v)
    r = c.dot(W_o.T)
    r -= y
    flat = r.ravel()
    J = 0.5 * flat.dot(flat)
    dc = r.dot(W_o)
    dp = dc.dot(v.T)
    dv = p.T.dot(dc)
    dp -= np.einsum("tu,tu->t", dp, p)[:, None]
    dp *= p
    dk = dp.T.dot(q)
    dq = dp.dot(k)
    dq *= scale
    dx = dq.dot(W_q)
    dx += dk.dot(W_k)
    dx += dv.dot(W_v)
    return J, dq.T.dot(x), dk.T.dot(x), dv.T.dot(x), r.T.dot(c), dx


def attention_of_heads(heads: int, x: Array, y: Array, W_q: Array, W_k: Array, W_v: Array, W_o: Array) -> Results:
    T, d = x.shape
    scale = 1 / np.sqrt(d // heads)

    def apart(array: Array) -> Array:
        return array.reshape(T, heads, d // heads).transpose(1, 0, 2)

    def together(array: Array) -> Array:
        return array.transpose(1, 0, 2).reshape(T, d)

    q = x.dot(W_q.T)
    q *= scale
    q, k, v = apart(q), apart(x.dot(W_k.T)), apart(x.dot(W_v.T))
    p = np.matmul(q, k.transpose(0, 2, 1))
    _softmax(p)
    c = together(np.matmul(p, v))
    r = c.dot(W_o.T)
    r -= y
    flat = r.ravel()
    J = 0.5 * flat.dot(flat)
    dc = apart(r.dot(W_o))
    dp = np.matmul(dc, v.transpose(0, 2, 1))
    dv = together(np.matmul(p.transpose(0, 2, 1), dc))
    dp -= np.einsum("htu,htu->ht", dp, p)[:, :, None]
    dp *= p
    dk = together(np.matmul(dp.transpose(0, 2, 1), q))
    dq = together(np.matmul(dp, k))
    dq *= scale
    dx = dq.dot(W_q)
    dx += dk.dot(W_k)
    dx += dv.dot(W_v)
    return J, dq.T.dot(x), dk.T.dot(x), dv.T.dot(x), r.T.dot(c), dx


def _softmax(scores: Array) -> None:
    """In place, along the last axis."""
    scores -= scores.max(-1, keepdims=True)
    np.exp(scores, scores)
    scores /= np.add.reduce(scores, -1, keepdims=True)
