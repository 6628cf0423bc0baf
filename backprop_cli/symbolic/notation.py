"""Index notation as SymPy expressions: the only module that makes symbols and indices.

A formula in index notation is an ordinary SymPy expression over five kinds of leaf and node that SymPy does not have in
a form that survives its automatic rewriting: a quantity at positions (:class:`Place`), a reduction over a bound index
(:class:`Reduce`), a choice (:class:`Where`), a comparison that is also a number (:class:`Compare`) and the adjoint
∂J/∂u (:class:`Adjoint`). Positions and bounds count from 1.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import Any, Self

from sympy import Add, Basic, Dummy, Expr, Integer, S, Symbol, sympify
from sympy.core.symbol import Str

REDUCTIONS = ("sum", "max", "min", "argmax", "argmin")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
HOLDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


def index(name: str) -> Symbol:
    """The index called ``name``. Two indices of one name are the same index."""
    return Symbol(name, integer=True)


def fresh_index(name: str) -> Dummy:
    """An index that is no other index, whatever it is called: bound indices are fresh while formulas are combined."""
    return Dummy(name, integer=True)


def fresh_value(name: str) -> Dummy:
    """A real number that stands for a place while SymPy differentiates by it."""
    return Dummy(name, real=True)


class Node(Expr):  # type: ignore[misc]
    """What the nodes below share: they are real numbers and commute."""

    is_commutative = True
    is_real = True

    def _eval_is_finite(self) -> bool | None:
        return None


class Place(Node):
    """A quantity at positions: ``Place("W1", i, j)`` is w_ij of layer 1; a scalar has no positions."""

    def __new__(cls, name: str | Str, *positions: Any) -> Self:
        return super().__new__(cls, name if isinstance(name, Str) else Str(name), *map(sympify, positions))

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def positions(self) -> tuple[Expr, ...]:
        return self.args[1:]

    def _eval_derivative(self, symbol: Symbol) -> Expr:
        return S.Zero


class Adjoint(Place):
    """∂J/∂(a quantity) at positions: ``Adjoint("W1", i, j)`` is ∂J/∂w_ij. ``name`` is the quantity's name."""


BY_STEP = "@"  # no author's name has it


def by_step(name: str) -> str:
    """The name of a quantity's copy for each J_s, where the cost is J = Σ_s J_s."""
    return f"{name}{BY_STEP}"


def is_by_step(name: str) -> bool:
    return name.endswith(BY_STEP)


def plain_name(name: str) -> str:
    """The name of the quantity, for one of a copy of it."""
    return name.removesuffix(BY_STEP)


def without_step(copy: Place) -> Place:
    """The quantity's own place for one of its copy, whose first position is the s of J_s."""
    return Place(plain_name(copy.name), *copy.positions[1:])


class Local(Node):
    """The local derivative ∂of/∂by of one equation, as a symbol. It stands in formulas that name a factor before it is
    worked out, never in a formula that is computed."""

    def __new__(cls, of: Place, by: Place) -> Self:
        return super().__new__(cls, of, by)

    @property
    def of(self) -> Place:
        return self.args[0]

    @property
    def by(self) -> Place:
        return self.args[1]


class Slope(Node):
    """f′(argument) of a named function, as a symbol: ``Slope("sigmoid", z)`` is σ′(z). Like :class:`Local`, it only
    stands in formulas that name a factor before it is worked out."""

    def __new__(cls, function: str | Str, argument: Any) -> Self:
        name = function if isinstance(function, Str) else Str(function)
        return super().__new__(cls, name, sympify(argument))

    @property
    def function(self) -> str:
        return str(self.args[0].name)

    @property
    def argument(self) -> Expr:
        return self.args[1]


class Reduce(Node):
    """``operation`` (one of :data:`REDUCTIONS`) over one bound index from 1 to ``size``; several indices nest.

    ``argmax`` and ``argmin`` are the first position, from 1, of the largest or smallest value.
    """

    def __new__(cls, operation: str | Str, body: Any, bound: Symbol, size: Any) -> Self:
        name = operation if isinstance(operation, Str) else Str(operation)
        return super().__new__(cls, name, sympify(body), bound, Integer(size))

    @property
    def operation(self) -> str:
        return str(self.args[0].name)

    @property
    def body(self) -> Expr:
        return self.args[1]

    @property
    def bound(self) -> Symbol:
        return self.args[2]

    @property
    def size(self) -> int:
        return int(self.args[3])

    @property
    def free_symbols(self) -> set[Basic]:
        return set(self.body.free_symbols) - {self.bound}


class Compare(Node):
    """A comparison as a number: 1 where it holds, 0 elsewhere. Kept as written: SymPy's own relations turn round and
    evaluate when their indices are renamed."""

    def __new__(cls, operator: str | Str, left: Any, right: Any) -> Self:
        name = operator if isinstance(operator, Str) else Str(operator)
        return super().__new__(cls, name, sympify(left), sympify(right))

    @property
    def operator(self) -> str:
        return str(self.args[0].name)

    @property
    def left(self) -> Expr:
        return self.args[1]

    @property
    def right(self) -> Expr:
        return self.args[2]

    def _eval_derivative(self, symbol: Symbol) -> Expr:
        return S.Zero


class Window(Compare):
    """``[t > s - k]``: whether the state t is recent enough for J_s to be propagated back to it."""


class Digit(Node):
    """One axis's position of an entry of a flattened array: entry ``argument`` (from 1) lies at
    ⌊(argument − 1)/below⌋ mod size + 1 along an axis of ``size``, below which there are ``below`` entries each."""

    is_integer = True

    def __new__(cls, argument: Any, below: Any, size: Any) -> Self | Expr:
        argument, below, size = sympify(argument), Integer(below), Integer(size)
        if argument.is_Integer:
            return (argument - 1) // below % size + 1
        return super().__new__(cls, argument, below, size)

    @property
    def argument(self) -> Expr:
        return self.args[0]

    @property
    def below(self) -> int:
        return int(self.args[1])

    @property
    def size(self) -> int:
        return int(self.args[2])

    def _eval_derivative(self, symbol: Symbol) -> Expr:
        return S.Zero


def digits(argument: Expr, shape: Sequence[int]) -> tuple[Expr, ...]:
    """The positions, in an array of this shape, of an entry of the same array laid flat, the last axis fastest."""
    return tuple(Digit(argument, prod(shape[axis + 1 :]), size) for axis, size in enumerate(shape))


def entry(positions: Sequence[Expr], shape: Sequence[int]) -> Expr:
    """The position in the array laid flat, the inverse of :func:`digits`."""
    below = (prod(shape[axis + 1 :]) for axis in range(len(shape)))
    return Add(1, *((position - 1) * size for position, size in zip(positions, below, strict=True))).expand()


class Where(Node):
    """``then`` where the condition (a :class:`Compare` or any number that is not 0) holds, ``otherwise`` elsewhere.

    The condition is piecewise constant, so the derivative is taken branch by branch; at a kink the branch that the
    condition chooses decides the slope.
    """

    def __new__(cls, condition: Any, then: Any, otherwise: Any) -> Self | Expr:
        if then == otherwise:
            return sympify(then)
        return super().__new__(cls, sympify(condition), sympify(then), sympify(otherwise))

    @property
    def condition(self) -> Expr:
        return self.args[0]

    @property
    def then(self) -> Expr:
        return self.args[1]

    @property
    def otherwise(self) -> Expr:
        return self.args[2]

    def _eval_derivative(self, symbol: Symbol) -> Expr:
        return Where(self.condition, self.then.diff(symbol), self.otherwise.diff(symbol))


class Truncated(Node):
    """``value``, which passes its derivative on only where ``condition`` is 1: a state that may be too old for the cost
    that is propagated back."""

    def __new__(cls, value: Any, condition: Any) -> Self:
        return super().__new__(cls, sympify(value), sympify(condition))

    @property
    def value(self) -> Expr:
        return self.args[0]

    @property
    def condition(self) -> Expr:
        return self.args[1]

    def _eval_derivative(self, symbol: Symbol) -> Expr:
        return self.condition * self.value.diff(symbol)


def places(expression: Expr) -> Iterator[Place]:
    """Every place in the expression, adjoints included, left to right, each as often as it stands there."""
    stack: list[Basic] = [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, Place):
            yield node
        stack.extend(reversed(node.args))
