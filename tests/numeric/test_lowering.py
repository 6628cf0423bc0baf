"""Lowering against the naive evaluator: chosen formulas with the code they become, and random ones."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given as given_by
from hypothesis import settings
from hypothesis import strategies as st
from sympy import Expr, Integer, Rational, Symbol, cos, exp, sqrt, tanh

from backprop_cli.numeric import schedule
from backprop_cli.symbolic.functions import CLASSES
from backprop_cli.symbolic.notation import Compare, Place, Reduce, Where
from tests.numeric import naive
from tests.numeric.networks import SIZES, computed, formula, h, i, j, k, lines, m
from tests.strategies import examples

RNG = np.random.default_rng(7)
ARRAYS = {
    "s": RNG.normal(size=()),
    "u": RNG.normal(size=2),
    "v": RNG.normal(size=3),
    "w": RNG.normal(size=4),
    "A": RNG.normal(size=(2, 3)),
    "B": RNG.normal(size=(3, 4)),
    "C": RNG.normal(size=(2, 4)),
    "D": RNG.normal(size=(3, 3)),
    "T": RNG.normal(size=(2, 3, 4)),
}


def P(name: str, *positions: Expr | int) -> Expr:
    return Place(name, *positions)


def total(body: Expr, *bound: Symbol, size: int | None = None) -> Expr:
    for symbol in reversed(bound):
        body = Reduce("sum", body, symbol, size or SIZES[symbol])
    return body


def check(definition: Expr, indices: tuple[Symbol, ...]) -> list[str]:
    """The program agrees with the loops; returns its lines."""
    graph = formula(ARRAYS, definition, indices)
    expected = naive.run(graph, ARRAYS)["r"]
    value = computed(graph, ARRAYS)
    assert np.shape(value) == expected.shape
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-13)
    return lines(graph)


A, B, C, D, T = P("A", i, j), P("B", j, k), P("C", i, k), P("D", j, m), P("T", i, j, k)
u, v, w, s = P("u", i), P("v", j), P("w", k), P("s")

CODE = {
    "matrix times vector": (total(A * v, j), (i,), "r = A.dot(v)"),
    "vector times matrix": (total(A * u, i), (j,), "r = u.dot(A)"),
    "matrix product": (total(A * B, j), (i, k), "r = A.dot(B)"),
    "matrix product, transposed": (total(A * B, j), (k, i), "r = B.T.dot(A.T)"),
    "inner axes of both": (total(A * P("D", m, j), j), (i, m), "r = A.dot(D.T)"),
    "dot product": (total(v * P("v", j) * 2, j), (), "r = 2.0*v.dot(v)"),
    "square of a matrix": (total(A**2, i, j), (), "r = A.ravel().dot(A.ravel())"),
    "outer product": (u * v, (i, j), "r = u[:, None].dot(v[None])"),
    "number and outer product": (3 * u * v, (i, j), "r = 3.0*u[:, None].dot(v[None])"),
    "sum over rows": (total(A, i), (j,), "r = ones_2.dot(A)"),
    "sum over columns": (total(A, j), (i,), "r = A.dot(ones_3)"),
    "factors that do not depend on the sum": (u * total(v * s, j), (i,), "r = s*v.dot(ones_3)*u"),
    "three factors": (total(A * B * w, j, k), (i,), "r = A.dot(B.dot(w))"),
    "weights of equal shape first": (total(A * P("A", i, j) * v, j), (i,), "r = (A*A).dot(v)"),
    "shared index": (total(A * P("A", i, j), j), (i,), "r = (A*A).dot(ones_3)"),
    "stacked matrices": (
        total(T * C, k),
        (i, j),
        "r = np.matmul(T, C.reshape(2, 4, 1)).reshape(2, 3)",
    ),
    "several summed axes": (total(T * B, j, k), (i,), "r = T.reshape(2, 12).dot(B.ravel())"),
    "Kronecker delta": (total(A * Compare("==", j, m), j), (i, m), "r = A.copy()"),
    "softmax's Jacobian": (
        total(v * P("v", j) * (Compare("==", j, m) - P("v", m)), j),
        (m,),
        "r = v*v - v.dot(v)*v",
    ),
    "bounded range": (total(v * Compare("<=", j, 2), j), (), "r = v[:2].dot(ones_2)"),
    "part of the result": (A * Compare(">=", j, 2), (i, j), "r = np.zeros((2, 3))"),
    "one entry": (Compare("==", i, 2) * s + u, (i,), "r = u.copy()"),
    "constant position": (P("A", 1, j) * P("u", 2), (j,), "r = u[1]*A[0]"),
    "shifted position": (P("w", j + 1) * v, (j,), "r = v*w[1:]"),
    "fewer positions than the axis has": (P("w", j), (j,), "r = w[:3].copy()"),
    "bias": (total(A * v, j) + u, (i,), "r = A.dot(v) + u"),
    "numbers that all terms share": (3 * v - 3 * P("D", 1, j), (j,), "r = 3.0*(v - D[0])"),
    "power": (v**3 / 2, (j,), "r = 0.5*(v*v*v)"),
    "reciprocal": (1 / v, (j,), "r = 1.0/v"),
    "quotient": (v / s**2, (j,), "r = v/(s*s)"),
    "square root": (1 / sqrt(v**2 + 1), (j,), "r = 1.0/np.sqrt(1.0 + v*v)"),
    "relu": (Where(Compare(">", v, 0), v, 0), (j,), "r = np.maximum(v, 0.0)"),
    "slope of relu": (P("w", j) * Where(Compare(">", v, 0), 1, 0), (j,), "r = w[:3]*(v > 0.0)"),
    "absolute value": (
        Where(Compare(">", v, 0), v, Where(Compare("<", v, 0), -v, 0)),
        (j,),
        "r = np.abs(v)",
    ),
    "sign": (Where(Compare(">", v, 0), 1, Where(Compare("<", v, 0), -1, 0)), (j,), "r = np.sign(v)"),
    "maximum": (Reduce("max", A, j, 3), (i,), "r = A.max(1)"),
    "position of the minimum": (Reduce("argmin", A, i, 2), (j,), "r = A.argmin(0) + 1.0"),
    "index as a number": (v * j, (j,), "r = constant_1*v"),
}


@pytest.mark.parametrize("name", CODE)
def test_code(name: str) -> None:
    definition, indices, line = CODE[name]
    assert check(definition, indices)[0] == line


CASES = {
    "diagonal": (P("D", j, j), (j,)),
    "trace": (total(P("D", j, j), j), ()),
    "two shifted positions": (P("w", j) * P("w", j + 1), (j,)),
    "a position outside reads 0": (P("v", j + 1) + P("v", j - 1), (j,)),
    "mirrored": (P("v", 4 - j), (j,)),
    "strided": (P("w", 2 * i - 1), (i,)),
    "sum of two indices as position": (total(P("w", i + h - 1) * u, i), (h,)),
    "same everywhere": (s, (i, j)),
    "a number everywhere": (Integer(2), (i, j)),
    "zero": (Integer(0), (i,)),
    "misses an axis in the middle": (T * u + w, (i, j, k)),
    "transposed sum": (A + P("A", i, j) * v, (j, i)),
    "sum of conditions": (total(Compare("<=", j, i) + Compare("<", v, 0), j), (i,)),
    "product of conditions": (Compare("<=", j, i) * Compare("<", v, 0), (i, j)),
    "difference of conditions": (Compare("<=", j, i) - Compare("<", v, 0), (i, j)),
    "condition as a result": (Compare("!=", i, j), (i, j)),
    "sum of nothing that varies": (total(s, j), (i,)),
    "empty range": (total(v * Compare(">", j, 5), j), ()),
    "square of a sum": (total(v, j) ** 2, ()),
    "sum in a sum": (total(u * total(A * v, j), i), ()),
    "sum of different sums": (total(A * v + u, j), (i,)),
    "distance": (total((A - v) ** 2, j), (i,)),
    "product of differences": (total((A - v) * (v - s), j), (i,)),
    "quotient in a sum": (total(A / (1 + v**2), j), (i,)),
    "divisor of another index": (total(A * B / (1 + w**2), j), (i, k)),
    "negative power": ((1 + v**2) ** -3, (j,)),
    "rational power": ((1 + v**2) ** Rational(2, 3), (j,)),
    "a number to a power": (2**v, (j,)),
    "decimal numbers": (Rational(1, 3) * v + sqrt(2) * v, (j,)),
    "choice": (Where(Compare(">", A, v), exp(A), cos(v)), (i, j)),
    "nested functions": (tanh(total(A * v, j) + u) * CLASSES["sigmoid"](u), (i,)),
    "largest of a product": (Reduce("max", A * v, j, 3), (i,)),
    "largest of what does not vary": (Reduce("max", u, j, 3), (i,)),
    "first of the largest": (Reduce("argmax", A * 0 + Compare(">", v, 5), j, 3), (i,)),
    "shadowed names": (total(v * total(P("D", j, m), j), m, size=3), (j,)),
    "the same sum twice": (total(v, j) * total(v, j) + total(w, k), ()),
    "look-up": (P("v", Reduce("argmax", A, j, 3)), (i,)),
}


@pytest.mark.parametrize("name", CASES)
def test_value(name: str) -> None:
    check(*CASES[name])


@st.composite
def positions(draw: st.DrawFn, size: int, scope: tuple[Symbol, ...]) -> Expr:
    """A position in an axis of this size: mostly an index of that size, also a number or a shifted index."""
    fitting = [symbol for symbol in scope if SIZES[symbol] == size]
    smaller = [symbol + size - SIZES[symbol] for symbol in scope if SIZES[symbol] < size]
    numbers = [Integer(number) for number in range(1, size + 1)]
    return draw(st.sampled_from(fitting * 4 + smaller + numbers[:2]))


@st.composite
def expressions(draw: st.DrawFn, scope: tuple[Symbol, ...], depth: int) -> Expr:
    def part(more: tuple[Symbol, ...] = ()) -> Expr:
        return draw(expressions((*scope, *more), depth - 1))

    kinds = ["place", "place", "number", "index"]
    if depth > 0:
        kinds += ["sum", "sum", "product", "add", "add", "subtract", "quotient", "square", "function", "where", "delta"]
        kinds += ["extreme", "compare"]
    kind = draw(st.sampled_from(kinds))
    free = [symbol for symbol in SIZES if symbol not in scope]
    if kind == "place":
        name = draw(st.sampled_from(sorted(ARRAYS)))
        return Place(name, *(draw(positions(size, scope)) for size in ARRAYS[name].shape))
    if kind == "number":
        return draw(st.sampled_from([Integer(0), Integer(1), Integer(-2), Rational(1, 3)]))
    if kind == "index":
        return draw(st.sampled_from(scope)) if scope else Integer(3)
    if kind in ("sum", "extreme") and free:
        bound = draw(st.sampled_from(free))
        operation = "sum" if kind == "sum" else draw(st.sampled_from(["max", "min"]))
        body = part((bound,)) * part((bound,)) if draw(st.booleans()) else part((bound,))
        return Reduce(operation, body, bound, SIZES[bound])
    if kind == "subtract":
        return part() - part()
    if kind == "quotient":
        return part() / (1 + part() ** 2)
    if kind == "square":
        return part() ** 2
    if kind == "function":
        return draw(st.sampled_from([tanh, CLASSES["relu"], CLASSES["sigmoid"], CLASSES["abs"], cos]))(part())
    if kind == "where":
        return Where(Compare(draw(st.sampled_from(["<", ">="])), part(), part()), part(), part())
    if kind == "delta" and len(scope) > 1:
        first, second = draw(st.permutations(scope))[:2]
        shift = draw(st.sampled_from([0, 0, 1, -1]))
        return Compare(draw(st.sampled_from(["==", "==", "<=", "!="])), first, second + shift) * part()
    if kind == "compare":
        return Compare(draw(st.sampled_from(["<", "<=", ">", "!="])), part(), part())
    return part() * part() if kind == "product" else part() + part()


@settings(max_examples=examples(100), deadline=None)
@given_by(st.data())
def test_random_formulas(data: st.DataObject) -> None:
    indices = tuple(data.draw(st.permutations([i, j, k]))[: data.draw(st.integers(0, 3))])
    definition = data.draw(expressions(indices, 3))
    graph = formula(ARRAYS, definition, indices)
    with np.errstate(all="ignore"):
        expected = naive.run(graph, ARRAYS)["r"]
    with patch.object(schedule, "SMALL", data.draw(st.sampled_from([0, schedule.SMALL]), label="overwritten from")):
        value = computed(graph, ARRAYS)
    assert np.shape(value) == expected.shape
    np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-9 * max(1.0, np.abs(expected).max()))
