"""Arrays whose axes are named by indices, and what the evaluator asks of an array library.

:class:`Named` pairs an array with the indices its axes run over, so that two arrays meet by name and never by the
order of their axes. :class:`NumPyArrays` does it in the widest floating point that NumPy has on the machine. It knows
the elementary functions only: everything else is evaluated by its definition.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from sympy import Expr, N, Symbol

Array: TypeAlias = Any  # of whichever library evaluates


class Named(NamedTuple):
    """An array and the index that each of its axes runs over."""

    array: Array
    axes: tuple[Symbol, ...] = ()

    @property
    def sizes(self) -> dict[Symbol, int]:
        return dict(zip(self.axes, self.array.shape, strict=True))


class Arrays(Protocol):
    """What the evaluator needs of an array library; arithmetic and comparisons are the arrays' own operators."""

    functions: Mapping[str, Callable[..., Array]]

    def number(self, value: Expr) -> Array:
        """An exact or symbolic number as an array without axes."""

    def array(self, value: Any) -> Array:
        """The result of an operator as an array, where a library turns arrays without axes into plain numbers."""

    def given(self, values: Array) -> Array:
        """A NumPy array of float64 as this library's array."""

    def arranged(self, array: Array, order: Sequence[int], shape: Sequence[int]) -> Array:
        """The axes in another order, then with axes of size 1 put in."""

    def expanded(self, array: Array, shape: Sequence[int]) -> Array: ...

    def chosen(self, condition: Array, then: Array, otherwise: Array) -> Array: ...

    def power(self, base: Array, exponent: Array) -> Array: ...

    def total(self, array: Array, axis: int) -> Array: ...

    def contracted(self, subscripts: str, factors: Sequence[Array]) -> Array:
        """The sum of a product, as ``einsum`` writes it."""

    def first_largest(self, array: Array) -> Array:
        """The position from 0 of the first of the largest values along the last axis."""

    def stacked(self, several: Sequence[Array], axis: int) -> Array:
        """Arrays of one shape side by side along a new axis."""

    def read(self, array: Array, positions: Sequence[Array]) -> Array:
        """The last axes of an array read at whole numbers from 0, which broadcast with each other; 0 outside it."""

    def whole_numbers(self, array: Array) -> Array:
        """The nearest whole numbers, for positions."""

    def as_number(self, array: Array) -> Array:
        """Booleans or whole numbers as numbers of this library."""


ELEMENTARY = ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh")


def elementary(numpy: Any) -> Mapping[str, Callable[..., Array]]:
    """The elementary functions of NumPy, or of a module that wraps it, by their names in SymPy."""
    return {**{name: getattr(numpy, name) for name in ELEMENTARY}, "erf": lambda x: erf_series(x, numpy)}


def erf(x: Array) -> Array:
    """The error function of a NumPy array in the precision of its argument; NumPy has none."""
    x, result = np.asarray(x), np.asarray(np.sign(x))
    inside = np.abs(x) < 7  # beyond 7 it is ±1 to more than 20 digits
    result[inside] = erf_series(x[inside], np)
    return result


def erf_series(x: Array, numpy: Any) -> Array:
    """erf(x) = 2/√π · exp(-x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)), whose terms are all of one sign.

    Abramowitz and Stegun, 7.1.6. It is differentiated by whichever library ``numpy`` belongs to.
    """
    inside = numpy.clip(x, -7, 7)
    term = inside * (2 / np.sqrt(np.longdouble("3.14159265358979323846264338327950288"))).astype(x.dtype)
    total = term
    for n in range(1, 180):
        term = term * (2 * inside * inside / (2 * n + 1))
        total = total + term
        if (numpy.abs(term) <= np.finfo(x.dtype).eps * numpy.abs(total)).all():
            break
    return numpy.where(numpy.isnan(x), x, total * numpy.exp(-inside * inside))


def read_inside(array: Array, positions: Sequence[Array]) -> tuple[Array, Array]:
    """Which positions, counted from 0, are in the array, and its elements there (any element for the others)."""
    sizes = array.shape[len(array.shape) - len(positions) :]
    inside = reduce(operator.and_, [(p >= 0) & (p < size) for p, size in zip(positions, sizes, strict=True)])
    return inside, array[(..., *(p.clip(0, size - 1) for p, size in zip(positions, sizes, strict=True)))]


class NumPyArrays:
    """NumPy in ``longdouble``: 64 bits of mantissa or more on most machines, float64 on the others."""

    numpy: Any = np
    kind: Any = np.longdouble
    functions: Mapping[str, Callable[..., Array]] = {**elementary(np), "erf": erf}

    @property
    def unit(self) -> Any:
        """The distance from 1 to the next larger number."""
        return np.finfo(self.kind).eps

    def whole(self, array: Array) -> Array:
        """Which numbers are whole."""
        return array == np.rint(array)

    def number(self, value: Expr) -> Array:
        return np.asarray(np.longdouble(str(N(value, 30))), dtype=self.kind)

    def array(self, value: Any) -> Array:
        return np.asarray(value)

    def given(self, values: Array) -> Array:
        return np.asarray(values, dtype=self.kind)

    def arranged(self, array: Array, order: Sequence[int], shape: Sequence[int]) -> Array:
        return self.numpy.reshape(self.numpy.transpose(array, order), shape)

    def expanded(self, array: Array, shape: Sequence[int]) -> Array:
        return self.numpy.broadcast_to(array, shape)

    def chosen(self, condition: Array, then: Array, otherwise: Array) -> Array:
        return self.numpy.where(condition, then, otherwise)

    def power(self, base: Array, exponent: Array) -> Array:
        return base**exponent

    def total(self, array: Array, axis: int) -> Array:
        return self.array(self.numpy.sum(array, axis))

    def contracted(self, subscripts: str, factors: Sequence[Array]) -> Array:
        return self.array(self.numpy.einsum(subscripts, *factors))

    def first_largest(self, array: Array) -> Array:
        return self.array(self.numpy.argmax(array, -1))

    def stacked(self, several: Sequence[Array], axis: int) -> Array:
        return self.array(self.numpy.stack(list(several), axis))

    def read(self, array: Array, positions: Sequence[Array]) -> Array:
        inside, found = read_inside(array, positions)
        return self.array(found if np.all(inside) else self.numpy.where(inside, found, 0))

    def whole_numbers(self, array: Array) -> Array:
        return np.rint(np.asarray(array).astype(np.float64)).astype(int)

    def as_number(self, array: Array) -> Array:
        return self.given(array)
