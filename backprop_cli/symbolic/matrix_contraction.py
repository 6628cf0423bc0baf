"""``Σ over some indices of a product of arrays`` as one matrix formula.

The indices are the vertices of a small graph: a matrix joins two of them, a vector weighs one. Factors over the same
indices multiply elementwise. A summed index is taken out together with what touches it: between two matrices it makes
their product, at the end of one a matrix times a vector, alone an inner product. What is left lies over the free
indices: uvᵀ where only vectors are left, diag(u) M where a vector weighs a matrix. A summed index that is joined to
three others cannot be taken out: there is no matrix form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backprop_cli.language import tree
from backprop_cli.symbolic.matrix_algebra import (
    ONE,
    Array,
    NoMatrixFormError,
    Orientation,
    hadamard,
    laid,
    lightest,
    number,
    ones,
    scaled,
    times,
    transposed,
    weight,
)


@dataclass(frozen=True)
class Factor:
    """One factor of a product, or a divisor where it stands ``below``, and its place in the order as written."""

    array: Array
    below: bool = False
    place: int = 0


def contract(factors: Sequence[Factor], sums: Sequence[str], sizes: Mapping[str, int], wanted: Orientation) -> Array:
    """The sum over ``sums`` (outermost first) of the product of the factors.

    ``wanted`` says how the result should lie where it is free to. Raises NoMatrixFormError where there is no way.
    """
    ordered = [replace(factor, place=place) for place, factor in enumerate(factors)]
    ordered, left = _renamed_by_deltas(ordered, list(sums))
    work = _Work(sizes)
    for factor in ordered:
        work.add(factor)
    work.take_out(left)
    return work.result(wanted)


def _renamed_by_deltas(factors: list[Factor], sums: list[str]) -> tuple[list[Factor], list[str]]:
    """Without the Kronecker deltas over a summed index: of the sum there is left the term where both are equal."""
    for delta in factors:
        if not isinstance(delta.array.node, tree.Identity) or delta.below:
            continue
        gone = next((axis for axis in reversed(delta.array.axes) if axis in sums), None)
        if gone is None:
            continue
        kept = next(axis for axis in delta.array.axes if axis != gone)
        rest = [replace(f, array=_renamed(f.array, gone, kept)) for f in factors if f is not delta]
        return _renamed_by_deltas(rest, [name for name in sums if name != gone])
    return factors, sums


def _renamed(array: Array, old: str, new: str) -> Array:
    if old not in array.axes:
        return array
    if new in array.axes:
        raise NoMatrixFormError("diagonal")
    rows, columns = (new if axis == old else axis for axis in array.orientation)
    return replace(array, rows=rows, columns=columns)


class _Work:
    """The factors that are left, by the indices they touch."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes
        self.above: list[tree.Node] = []
        self.below: list[tree.Node] = []
        self.vectors: dict[str, list[Factor]] = {}
        self.matrices: dict[frozenset[str], list[Factor]] = {}

    def add(self, factor: Factor) -> None:
        axes = factor.array.axes
        if not axes:
            (self.below if factor.below else self.above).append(factor.array.node)
        elif len(axes) == 1:
            self.vectors.setdefault(axes[0], []).append(factor)
        else:
            self.matrices.setdefault(frozenset(axes), []).append(factor)

    def neighbours(self, name: str) -> list[str]:
        """The indices that a matrix joins to this one, in the order of the matrices."""
        return [other for pair in self.matrices if name in pair for other in pair if other != name]

    def take_out(self, sums: Sequence[str]) -> None:
        left = list(sums)
        while left:
            name = min(reversed(left), key=lambda candidate: len(self.neighbours(candidate)))
            joined = self.neighbours(name)
            if len(joined) > 2:
                raise NoMatrixFormError("contraction")
            left.remove(name)
            if not joined:
                self.add(self._alone(name))
            elif len(joined) == 1:
                self.add(self._at_the_end(name, joined[0]))
            else:
                self.add(self._between(name, joined[0], joined[1]))

    def _alone(self, name: str) -> Factor:
        """Σ of vectors: an inner product, or the sum of the entries."""
        found = self.vectors.pop(name, [])
        if not found:
            return Factor(Array(number(self.sizes[name])))
        first, rest = found[:1], found[1:]
        if not rest or first[0].below:
            first, rest = [], found
        row = transposed(self._merged(first, name, None)) if first else tree.Transposed(ones(self.sizes[name]))
        return Factor(Array(times(row, self._merged(rest, name, None))))

    def _at_the_end(self, name: str, other: str) -> Factor:
        """Σ of one matrix times vectors: a matrix times a vector."""
        parts = self.matrices.pop(frozenset((name, other)))
        found = self.vectors.pop(name, [])
        column = self._merged(found, name, None) if found else ones(self.sizes[name])
        product = times(self._lying(parts, other, name), column)
        return Factor(Array(product, other), place=min(part.place for part in (*parts, *found)))

    def _between(self, name: str, first: str, second: str) -> Factor:
        """Σ of two matrices: their product, with what weighs the index on a diagonal between them."""
        left = self.matrices.pop(frozenset((first, name)))
        right = self.matrices.pop(frozenset((name, second)))
        found = self.vectors.pop(name, [])
        middle = [tree.Diagonal(self._merged(found, name, None))] if found else []
        product = times(self._lying(left, first, name), *middle, self._lying(right, name, second))
        return Factor(Array(product, first, second), place=min(part.place for part in (*left, *right, *found)))

    def _merged(self, parts: Sequence[Factor], rows: str | None, columns: str | None) -> tree.Node:
        """The elementwise product of factors over the same indices, divisors below a fraction."""
        ordered = sorted(parts, key=lambda part: (not part.array.is_mask, part.place))
        above = [laid(part.array, rows, columns, self.sizes) for part in ordered if not part.below]
        below = [laid(part.array, rows, columns, self.sizes) for part in ordered if part.below]
        top = hadamard(above) if above else ONE
        return tree.Quotient(top, hadamard(below)) if below else top

    def _lying(self, parts: Sequence[Factor], rows: str | None, columns: str | None) -> tree.Node:
        """The elementwise product lying so, transposed as a whole where that is shorter."""
        direct = self._merged(parts, rows, columns)
        turned = transposed(self._merged(parts, columns, rows))
        return turned if weight(turned) < weight(direct) else direct

    def result(self, wanted: Orientation) -> Array:
        axes = list(dict.fromkeys((*(a for pair in self.matrices.values() for a in pair[0].array.axes), *self.vectors)))
        if not axes:
            return Array(scaled(self.above, self.below, None))
        found = lightest(axes, wanted, self._over)
        return replace(found, node=scaled(self.above, self.below, found.node))

    def _over(self, rows: str | None, columns: str | None) -> tree.Node:
        """What is left, over its free indices."""
        tall, wide = self.vectors.get(rows or "", []), self.vectors.get(columns or "", [])
        if columns is None:
            return self._merged(tall, rows, None)
        parts = self.matrices.get(frozenset((rows or "", columns)), [])
        if not parts:
            return times(self._merged(tall, rows, None), transposed(self._merged(wide, columns, None)))
        matrix = self._lying(parts, rows, columns)
        if tall and wide:
            outer = times(self._merged(tall, rows, None), transposed(self._merged(wide, columns, None)))
            return hadamard([matrix, outer])
        if all(part.below for part in (*tall, *wide)) and (tall or wide):
            return self._divided(matrix, tall, wide, rows, columns)
        left = [tree.Diagonal(self._merged(tall, rows, None))] if tall else []
        right = [tree.Diagonal(self._merged(wide, columns, None))] if wide else []
        return times(*left, matrix, *right) if left or right else matrix

    def _divided(
        self, matrix: tree.Node, tall: Sequence[Factor], wide: Sequence[Factor], rows: str | None, columns: str | None
    ) -> tree.Node:
        """A matrix divided by a vector along its rows or columns."""
        divisors = [laid(part.array, rows, columns, self.sizes) for part in (*tall, *wide)]
        return tree.Quotient(matrix, hadamard(divisors))
