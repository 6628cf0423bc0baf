"""Systems of equations written in index notation, small enough to be expanded and differentiated directly."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Rational, cos, exp, log, sin, tanh

from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.notation import Compare, Place, Reduce, Where, index

i, j, k, p = (index(name) for name in "ijkp")


def total(body: Expr, bound: Expr, size: int) -> Expr:
    return Reduce("sum", body, bound, size)


@dataclass(frozen=True)
class Line:
    """``name[indices] = definition``, or a given quantity without a definition."""

    name: str
    indices: tuple[Expr, ...]
    shape: tuple[int, ...]
    definition: Expr | None = None


def graph(*lines: Line) -> Graph:
    """The graph of these lines; the last one, a scalar, is the cost J."""
    quantities = []
    for line in lines:
        role = Role.PARAMETER if line.definition is None else Role.INTERMEDIATE
        if line is lines[-1]:
            role = Role.COST
        quantities.append(Quantity(line.name, line.indices, line.shape, role, line.definition))
    return Graph("system", tuple(quantities), "J", "J")


x = Line("x", (j,), (3,))
W = Line("W", (i, j), (2, 3))
M = Line("M", (i, j), (3, 3))


def X(position: Expr | int) -> Expr:
    return Place("x", position)


def V(name: str, *positions: Expr | int) -> Expr:
    return Place(name, *positions)


affine = total(V("W", i, j) * X(j), j, 3)

SYSTEMS: dict[str, Graph] = {
    "dense tanh": graph(x, W, Line("a", (i,), (2,), tanh(affine)), Line("J", (), (), total(V("a", k) ** 2, k, 2) / 2)),
    "sigmoid written out": graph(
        x, W, Line("a", (i,), (2,), 1 / (1 + exp(-affine))), Line("J", (), (), total(V("a", k) * V("a", 1), k, 2))
    ),
    "softmax": graph(
        x,
        Line("a", (j,), (3,), exp(X(j)) / total(exp(X(k)), k, 3)),
        Line("J", (), (), -log(V("a", 2)) + total(V("a", j) ** 3, j, 3)),
    ),
    "softmax with temperature and weights": graph(
        x,
        Line("c", (j,), (3,)),
        Line("a", (j,), (3,), V("c", j) ** 2 * exp(X(j) / 3) / total(V("c", k) ** 2 * exp(X(k) / 3), k, 3)),
        Line("J", (), (), total(j * V("a", j) ** 2, j, 3)),
    ),
    "cross-entropy": graph(
        x,
        Line("y", (j,), (3,)),
        Line("p", (j,), (3,), exp(X(j)) / total(exp(X(k)), k, 3)),
        Line("J", (), (), -total(V("y", k) * log(V("p", k)), k, 3)),
    ),
    "binary cross-entropy": graph(
        x,
        Line("y", (j,), (3,)),
        Line("p", (j,), (3,), 1 / (1 + exp(-X(j)))),
        Line("J", (), (), -total(V("y", k) * log(V("p", k)) + (1 - V("y", k)) * log(1 - V("p", k)), k, 3) / 3),
    ),
    "fan-out and residual": graph(
        x,
        M,
        Line("a", (i,), (3,), tanh(total(V("M", i, j) * X(j), j, 3))),
        Line("r", (i,), (3,), V("a", i) + X(i)),
        Line("J", (), (), total(V("r", i) * V("a", i) * X(i), i, 3)),
    ),
    "bilinear form": graph(x, M, Line("J", (), (), total(total(X(i) * V("M", i, j) * X(j), j, 3), i, 3))),
    "repeated index": graph(
        x, M, Line("t", (i,), (3,), V("M", i, i) * X(i)), Line("J", (), (), total(V("t", i) ** 2, i, 3))
    ),
    "transposed use": graph(
        x,
        M,
        Line("t", (i,), (3,), total(V("M", j, i) * V("M", i, j) * X(j), j, 3)),
        Line("J", (), (), V("t", 2) + V("t", 3)),
    ),
    "constant positions": graph(
        x, Line("s", (), (), X(1) * sin(X(2)) + X(1) ** 2), Line("J", (), (), V("s") * X(3) + V("s") ** 2)
    ),
    "maximum over an index": graph(
        x,
        M,
        Line("m", (i,), (3,), Reduce("max", V("M", i, j) * X(j), j, 3)),
        Line("J", (), (), total(V("m", i) ** 2, i, 3)),
    ),
    "smallest of all": graph(M, Line("J", (), (), Reduce("min", Reduce("min", V("M", i, j), j, 3), i, 3) ** 2)),
    "a choice": graph(
        x,
        Line("a", (j,), (3,), Where(Compare(">", X(j), 0), X(j), exp(X(j)) - 1)),
        Line("J", (), (), total(V("a", j) ** 2, j, 3)),
    ),
    "a choice between indices": graph(
        x,
        M,
        Line("a", (i,), (3,), total(Where(Compare("<=", j, i), V("M", i, j) * X(j), 0), j, 3)),
        Line("J", (), (), total(V("a", i) ** 2, i, 3)),
    ),
    "an index as a number": graph(x, Line("J", (), (), total(j * X(j) ** 2, j, 3))),
    "shifted positions": graph(
        Line("x", (j,), (5,)),
        Line("w", (k,), (2,)),
        Line("z", (p,), (4,), total(V("w", k) * X(p + k - 1), k, 2)),
        Line("J", (), (), total(V("z", p) ** 2, p, 4)),
    ),
    "strided windows": graph(
        Line("x", (j,), (6,)),
        Line("w", (k,), (2,)),
        Line("z", (p,), (3,), total(V("w", k) * X(2 * p + k - 2), k, 2)),
        Line("J", (), (), total(V("z", p) ** 3, p, 3)),
    ),
    "two inputs side by side": graph(
        x,
        Line("u", (j,), (2,)),
        Line("W", (i, j), (2, 5)),
        Line("z", (i,), (2,), affine + total(V("W", i, j + 3) * V("u", j), j, 2)),
        Line("J", (), (), total(V("z", i) ** 2, i, 2)),
    ),
    "batch normalised": graph(
        x,
        Line("mu", (), (), total(X(j), j, 3) / 3),
        Line("s", (), (), total((X(j) - V("mu")) ** 2, j, 3) / 3),
        Line("h", (j,), (3,), (X(j) - V("mu")) / (V("s") + Rational(1, 100)) ** Rational(1, 2)),
        Line("J", (), (), total(V("h", j) ** 3, j, 3)),
    ),
    "sums in sums": graph(
        x, M, Line("J", (), (), total(cos(total(V("M", i, j) * X(j), j, 3)) * total(X(k), k, 3), i, 3))
    ),
    "a quantity that reaches nothing": graph(
        x, Line("u", (), ()), Line("v", (), (), V("u") ** 2), Line("J", (), (), total(X(j), j, 3))
    ),
}
