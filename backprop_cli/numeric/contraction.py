"""Sums of products: matrix products, sums along axes and elementwise products, in a cheap order.

A sum over an index that two factors share is a matrix product; the array of all its terms is never built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

from sympy import Symbol

from backprop_cli.numeric.arrays import ONE, Arrays, Axes, Labelled, Scalar

# Beyond this many numbers a vector of ones costs more memory traffic than it saves calls.
SUM_BY_ONES = 4096


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor of a product; ``inverse`` where it divides."""

    array: Labelled
    inverse: bool = False

    @property
    def axes(self) -> Axes:
        return self.array.axes


class Contraction:
    """One product of factors, summed over some indices. ``order`` is the wished order of the result's axes."""

    def __init__(self, arrays: Arrays, order: Axes) -> None:
        self.arrays = arrays
        self.order = order

    def __call__(
        self, factors: Sequence[Factor], sums: Mapping[Symbol, int], number: Scalar = ONE, exact: bool = False
    ) -> Labelled:
        """``number`` · Σ over ``sums`` of the product of ``factors``; with ``exact`` the number is multiplied in."""
        live: list[Factor] = []
        for factor in factors:
            number = number * self._outside(factor)
            if factor.array.value is not None:
                live.append(Factor(factor.array.plain(), factor.inverse))
        pending = dict(sums)
        for index in [index for index in pending if not any(index in factor.axes for factor in live)]:
            number = number * pending.pop(index)
        if exact and number not in (ONE, -ONE):
            live, number = self._scaled_where_small(live, pending, number)
        while pending:
            self._contract_once(live, pending)
        result = self._product(live).times(number)
        return self.arrays.exact(result) if exact else result

    @staticmethod
    def _outside(factor: Factor) -> Scalar:
        number = factor.array.coefficient
        if not factor.inverse:
            return number
        return 1 / number if number != 0 else float("inf")

    def _scaled_where_small(
        self, live: list[Factor], pending: Mapping[Symbol, int], number: Scalar
    ) -> tuple[list[Factor], Scalar]:
        """The number multiplied into a factor that is much smaller than the result, if there is one."""
        size = prod({a: s for f in live for a, s in self.arrays.sizes(f.array).items() if a not in pending}.values())
        small = min((factor for factor in live if not factor.inverse), key=self._size, default=None)
        if small is None or 4 * self._size(small) > size:
            return live, number
        scaled = Factor(self.arrays.exact(small.array.times(number)))
        place = live.index(small)
        return [*live[:place], scaled, *live[place + 1 :]], ONE

    def _size(self, factor: Factor) -> int:
        return self.arrays.size(factor.array)

    def _contract_once(self, live: list[Factor], pending: dict[Symbol, int]) -> None:
        """Removes at least one index or one factor: a sum of one factor, else the smallest matrix product of two, else
        an elementwise product that brings such a pair nearer."""
        holders = {index: [factor for factor in live if index in factor.axes] for index in pending}
        for only, *others in holders.values():
            if not others:
                indices = [index for index, found in holders.items() if found == [only]]
                live[live.index(only)] = Factor(self._summed(self._upright(only), indices))
                return self._done(indices, pending)
        pairs = [found for found in holders.values() if len(found) == 2]
        if pairs:
            left, right = min(pairs, key=lambda pair: self._size_of_product(pair, holders))
            indices = [index for index, found in holders.items() if found == [left, right]]
            place = live.index(left)
            product = self._matrix_product(self._upright(left), self._upright(right), indices)
            live[place] = Factor(product)
            del live[_last(live, right, place)]
            return self._done(indices, pending)
        crowded = next(iter(holders.values()))
        left, right = min(combinations(crowded, 2), key=_growth)
        place = live.index(left)
        del live[_last(live, right, place)]
        live[place] = self._merged(left, right)
        return None

    @staticmethod
    def _done(indices: list[Symbol], pending: dict[Symbol, int]) -> None:
        for index in indices:
            del pending[index]

    def _size_of_product(self, pair: list[Factor], holders: Mapping[Symbol, list[Factor]]) -> int:
        sizes = self.arrays.sizes(pair[0].array) | self.arrays.sizes(pair[1].array)
        return prod(size for axis, size in sizes.items() if holders.get(axis) != pair)

    def _upright(self, factor: Factor) -> Labelled:
        array = self.arrays.exact(factor.array)
        return self.arrays.divide(Labelled(None), array) if factor.inverse else array

    def _merged(self, left: Factor, right: Factor) -> Factor:
        if left.inverse == right.inverse:
            return Factor(self.arrays.multiply(left.array, right.array, self.order), left.inverse)
        if left.inverse:
            left, right = right, left
        return Factor(self.arrays.divide(left.array, right.array, self.order))

    def _product(self, factors: list[Factor]) -> Labelled:
        """All factors multiplied, small ones first; a division comes last, where it is one operation."""
        above = sorted((factor for factor in factors if not factor.inverse), key=self._size)
        below = sorted((factor for factor in factors if factor.inverse), key=self._size)
        result = Factor(Labelled(None))
        for part in (above, below):
            for factor in part[1:]:
                part[0] = self._merged(part[0], factor)
            if part:
                result = self._merged(result, part[0])
        return result.array

    def _summed(self, array: Labelled, indices: Sequence[Symbol]) -> Labelled:
        """The sum of one array over some of its axes: a product with ones where that is faster than NumPy's own sum."""
        table, sizes = self.arrays.table, self.arrays.sizes(array)
        value = self.arrays.value(array)
        kept = tuple(axis for axis in array.axes if axis not in indices)
        count = prod(sizes[index] for index in indices)
        if count <= SUM_BY_ONES:
            if not kept:
                return Labelled(table.dot(table.reshape(value, (count,)), table.ones(count)))
            if len(array.axes) == 2:
                last = array.axes[1] in indices
                ones = table.ones(count)
                return Labelled(table.dot(value, ones) if last else table.dot(ones, value), kept)
        axes = tuple(place for place, axis in enumerate(array.axes) if axis in indices)
        return Labelled(table.reduce("add", value, axes), kept)

    def _matrix_product(self, left: Labelled, right: Labelled, indices: Sequence[Symbol]) -> Labelled:
        shared = tuple(axis for axis in left.axes if axis in right.axes and axis not in indices)
        rows = tuple(axis for axis in left.axes if axis not in right.axes)
        columns = tuple(axis for axis in right.axes if axis not in left.axes)
        if shared and not rows and not columns:
            return self._summed(self.arrays.multiply(left, right, self.order), indices)
        inner = tuple(axis for axis in max(left, right, key=self.arrays.size).axes if axis in indices)
        if shared:
            return self._stacked(left, right, (shared, rows, inner, columns))
        if rows and columns and self._rank(columns) < self._rank(rows):
            left, right, rows, columns = right, left, columns, rows
        sizes = self.arrays.sizes(left) | self.arrays.sizes(right)
        product = self._dot(left, right, (rows, inner, columns), sizes)
        shape = tuple(sizes[axis] for axis in rows + columns)
        return Labelled(self.arrays.table.reshape(product, shape), rows + columns)

    def _rank(self, axes: Axes) -> int:
        return min((self.order.index(axis) for axis in axes if axis in self.order), default=len(self.order))

    def _dot(self, left: Labelled, right: Labelled, axes: tuple[Axes, Axes, Axes], sizes: Mapping[Symbol, int]) -> int:
        """rows × inner times inner × columns, each group of axes flattened to one; without transposing where a vector
        is one of the two."""
        table, (rows, inner, columns) = self.arrays.table, axes
        matrix_left = bool(rows) and not columns and left.axes == inner + rows
        matrix_right = bool(columns) and not rows and right.axes == columns + inner
        if matrix_left or matrix_right:
            left, right, rows, columns = right, left, columns, rows
        a = self._flattened(left, (rows, inner) if rows else (inner,), sizes)
        b = self._flattened(right, (inner, columns) if columns else (inner,), sizes)
        return table.dot(a, b)

    def _flattened(self, array: Labelled, groups: Sequence[Axes], sizes: Mapping[Symbol, int]) -> int:
        """The array as a matrix or a vector with one axis per group, transposed last where it is stored that way."""
        table = self.arrays.table
        shape = tuple(prod(sizes[axis] for axis in group) for group in groups)
        backwards = tuple(axis for group in reversed(groups) for axis in group)
        if len(groups) == 2 and array.axes == backwards:
            return table.transpose(table.reshape(self.arrays.value(array), shape[::-1]), (1, 0))
        value = self.arrays.arranged(array, tuple(axis for group in groups for axis in group))
        return table.reshape(value, shape)

    def _stacked(self, left: Labelled, right: Labelled, axes: tuple[Axes, Axes, Axes, Axes]) -> Labelled:
        """Matrix products for all values of shared indices, by ``matmul``."""
        table, (shared, rows, inner, columns) = self.arrays.table, axes
        if not rows:
            left, right, rows, columns = right, left, columns, rows
        sizes = self.arrays.sizes(left) | self.arrays.sizes(right)

        def stack(array: Labelled, first: Axes, second: Axes) -> int:
            value = self.arrays.arranged(array, shared + first + second)
            flat = (prod(sizes[axis] for axis in first), prod(sizes[axis] for axis in second))
            return table.reshape(value, tuple(sizes[axis] for axis in shared) + flat)

        product = table.matmul(stack(left, rows, inner), stack(right, inner, columns))
        kept = shared + rows + columns
        return Labelled(table.reshape(product, tuple(sizes[axis] for axis in kept)), kept)


def _growth(pair: tuple[Factor, Factor]) -> tuple[int, int]:
    """How many axes the product of two factors has, and how many it has that one of them lacks."""
    left, right = set(pair[0].axes), set(pair[1].axes)
    return len(left | right), len(left ^ right)


def _last(factors: list[Factor], factor: Factor, not_at: int) -> int:
    """Where the factor stands, apart from one place: the two may be equal."""
    return next(place for place, other in enumerate(factors) if other == factor and place != not_at)
