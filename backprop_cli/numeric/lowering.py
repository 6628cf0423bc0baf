"""From formulas to array operations.

Every formula becomes operations of one :class:`Table`; what two formulas share is there once. A quantity that is the
same along some of its indices is kept without them until somebody needs it whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from typing import NamedTuple, TypeAlias

from sympy import Add, Expr, Symbol

from backprop_cli.numeric.arrays import Axes, Labelled, joint
from backprop_cli.numeric.expressions import Expressions
from backprop_cli.numeric.operations import Shape, Table, Value
from backprop_cli.numeric.positions import Sizes, affine
from backprop_cli.numeric.products import Product, narrowed, products
from backprop_cli.numeric.scatter import plan
from backprop_cli.numeric.views import Reader, joined
from backprop_cli.symbolic.notation import Adjoint, Digit, Place

Summed: TypeAlias = tuple[Sizes, Sequence[Expr]]
Spread: TypeAlias = tuple[Sequence[Expr], Sequence[Summed], Sequence[Summed]]  # positions, products, the same solved
Region = tuple[tuple[int, int], ...]  # the first and the last position along each axis, from 1


class Stored(NamedTuple):
    """What is known of a quantity: its indices and its array, which may lack axes along which it is the same."""

    indices: Axes
    shape: Shape
    array: Labelled


class Lowering(Expressions):
    """Lowers formulas one after the other; each may use the quantities and adjoints stored before it. ``whole`` are the
    values that quantities of whole numbers may have."""

    def __init__(self, table: Table, whole: Mapping[str, range] | None = None) -> None:
        super().__init__(table)
        self._whole = whole or {}
        self._stored: dict[tuple[str, bool], Stored] = {}

    def give(self, place: Place, shape: Shape) -> None:
        """A quantity that is an argument of the program."""
        self.store(place, shape, Labelled(self.table.argument(place.name, shape), place.positions))

    def argument(self, name: str) -> Value:
        value = self._stored[name, False].array.value
        assert value is not None
        return value

    def define(self, place: Place, shape: Shape, given: Sequence[Summed], spread: Sequence[Spread] = ()) -> None:
        """``place`` as a sum of products, each a product of factors summed over indices with their sizes; what is
        ``spread`` is added where it belongs."""
        sizes = dict(zip(place.positions, shape, strict=True))
        waiting = []
        for positions, products_, solved in spread:
            scatter = self._scatter(positions, products_, shape)
            if scatter is None:
                given = (*given, *solved)
            else:
                waiting.append(scatter)
        regions: dict[Region, list[Product]] = {}
        for sums, factors in _addends(given):
            for product in products(factors, sums, sizes):
                inside, region = self._narrowed(product, sizes)
                regions.setdefault(region, []).append(inside)
        everywhere = tuple((1, size) for size in shape)
        base = self._total(regions.pop(everywhere, []), sizes)
        parts = {region: found for region, found in regions.items() if all(first <= last for first, last in region)}
        if parts:
            base = Labelled(self._assembled(base, parts, sizes), place.positions)
        for scatter in waiting:
            whole = None if base.coefficient == 0 else self.arrays.arranged(base, place.positions)
            there = None if whole is None else self.table.broadcast_to(whole, shape)
            base = Labelled(scatter(there), place.positions)
        self.store(place, shape, base if base.value is None else self.arrays.exact(base))

    @staticmethod
    def _narrowed(product: Product, sizes: Sizes) -> tuple[Product, Region]:
        region = []
        for axis, size in sizes.items():
            product, bounds = narrowed(product, axis, size)
            region.append(bounds)
        return product, tuple(region)

    def _total(self, found: Sequence[Product], sizes: Sizes) -> Labelled:
        terms = [self._term(product, sizes, exact=len(found) == 1) for product in found]
        return terms[0] if len(terms) == 1 else self.arrays.add(terms, tuple(sizes), exact=True)

    def _assembled(self, base: Labelled, parts: Mapping[Region, Sequence[Product]], sizes: Sizes) -> Value:
        """An array of which some terms fill a part each; what is left is ``base``."""
        entries = []
        for region, found in parts.items():
            within = {axis: last - first + 1 for axis, (first, last) in zip(sizes, region, strict=True)}
            alone = {axis for axis, size in sizes.items() if within[axis] == 1 < size}
            ends = zip(sizes, region, strict=True)
            place = tuple(first - 1 if axis in alone else (first - 1, last) for axis, (first, last) in ends)
            kept = tuple(axis for axis in sizes if axis not in alone)
            entries.append((place, self.arrays.arranged(self._total(found, within), kept)))
        shape = tuple(sizes.values())
        whole = None if base.coefficient == 0 else self.arrays.arranged(base, tuple(sizes))
        return self.table.assemble(shape, None if whole is None else self.table.broadcast_to(whole, shape), entries)

    def _scatter(
        self, positions: Sequence[Expr], given: Sequence[Summed], shape: Shape
    ) -> Callable[[Value | None], Value] | None:
        """What adds these products at these positions to an array of this shape, None where no operation does."""
        symbols = dict.fromkeys(symbol for position in positions for symbol in _indices(position))
        sizes = {symbol: size for sums, _ in given for symbol, size in sums.items() if symbol in symbols}
        planned = plan(positions, sizes, shape)
        ahead = sum(not isinstance(position, Symbol) for position in positions)
        looked_up = planned is None and all(isinstance(position, Symbol) for position in positions[ahead:])
        if planned is None and (not looked_up or any(affine(position, sizes) for position in positions[:ahead])):
            return None
        axes = planned.axes if planned is not None else tuple(symbols)
        found: list[Product] = []
        for sums, factors in given:
            rest = {symbol: size for symbol, size in sums.items() if symbol not in symbols}
            found.extend(products(factors, rest, {symbol: sizes[symbol] for symbol in axes}))
        total = self.arrays.arranged(self._total(found, {symbol: sizes[symbol] for symbol in axes}), axes)
        values = self.table.broadcast_to(total, tuple(sizes[symbol] for symbol in axes))
        if planned is None:
            return self._added_at(positions[:ahead], values, sizes, shape)
        values = self.table.reshape(values, planned.shape)
        entries = [(part.place, self.table.subscript(values, part.taken)) for part in planned.parts]
        return lambda base: self.table.assemble(shape, base, entries)

    def _added_at(
        self, positions: Sequence[Expr], values: Value, sizes: Sizes, shape: Shape
    ) -> Callable[[Value | None], Value]:
        clipped = [self._clipped(position, size, sizes) for position, size in zip(positions, shape, strict=False)]
        axes = joint(clipped, tuple(sizes))
        where = [self.table.unary("whole", self.arrays.view(position, axes)) for position in clipped]
        return lambda base: self.table.add_at(shape, base, where, values)

    def store(self, place: Place, shape: Shape, array: Labelled) -> None:
        """Remember the array of a quantity."""
        self._stored[place.name, isinstance(place, Adjoint)] = Stored(place.positions, shape, array)

    def knows(self, name: str, adjoint: bool) -> bool:
        """Whether a quantity is stored."""
        return (name, adjoint) in self._stored

    def forget(self, place: Place) -> None:
        """A quantity that nobody will ask for."""
        self._stored.pop((place.name, isinstance(place, Adjoint)), None)

    def argument_of(self, place: Place) -> Value:
        """The argument that was given for a quantity."""
        value = self._stored[place.name, isinstance(place, Adjoint)].array.value
        assert value is not None
        return value

    def with_axes_first(self, place: Place, first: Symbol | None) -> tuple[Place, Shape, Value]:
        """A stored quantity under its own indices without the first one, its shape so, and its whole value; that index
        is the first axis of the value."""
        stored = self._stored[place.name, isinstance(place, Adjoint)]
        own = stored.indices if first is None else stored.indices[1:]
        shape = stored.shape if first is None else stored.shape[1:]
        return type(place)(place.name, *own), shape, self.whole(place.name, isinstance(place, Adjoint))

    def whole(self, name: str, adjoint: bool) -> Value:
        """The quantity's value with all its axes, in their order."""
        stored = self._stored[name, adjoint]
        return self.table.broadcast_to(self.arrays.arranged(stored.array, stored.indices), stored.shape)

    def value_of(self, name: str, adjoint: bool) -> Value | None:
        """The value to be called by the quantity's name, if it is an array of its own."""
        stored = self._stored[name, adjoint]
        return stored.array.value if stored.array.coefficient == 1 else None

    def _place(self, place: Place, sizes: Sizes) -> Labelled:
        """A stored quantity at positions, as a view where that is possible."""
        stored = self._stored[place.name, isinstance(place, Adjoint)]
        array = stored.array
        if array.value is None:
            inside = self._inside(place.positions, stored.shape, sizes)
            return array if not inside else self._masked(array, inside, sizes)
        if any(isinstance(position, Digit) for position in place.positions):
            whole = self.table.broadcast_to(self.arrays.arranged(array.plain(), stored.indices), stored.shape)
            array = Labelled(whole, stored.indices, array.coefficient)
            array, positions = joined(array, place.positions, self.arrays)
            outside: list[Labelled] = []
        else:
            where = dict(zip(stored.indices, place.positions, strict=True))
            positions = [where[axis] for axis in array.axes]
            # Along an axis that the array lacks it is the same everywhere, but still nothing outside.
            lacking = [
                (p, n)
                for axis, p, n in zip(stored.indices, place.positions, stored.shape, strict=True)
                if axis not in array.axes
            ]
            outside = self._inside([p for p, _ in lacking], [n for _, n in lacking], sizes)
        found = Reader(self.arrays).view(array, positions, sizes)
        if found is None:
            found = self._gathered(array, positions, sizes)
        return self._masked(found, outside, sizes) if outside else found

    def _inside(self, positions: Sequence[Expr], shape: Sequence[int], sizes: Sizes) -> list[Labelled]:
        """The conditions that keep positions inside, none where they cannot leave."""
        conditions = []
        for position, size in zip(positions, shape, strict=True):
            low, high = self._bounds(position, sizes)
            place = None if low >= 1 and high <= size else self.arrays.exact(self._expression(position, sizes))
            if place is not None and low < 1:
                conditions.append(self.arrays.apply("greater_equal", place, Labelled(self.table.number(1.0))))
            if place is not None and high > size:
                conditions.append(self.arrays.apply("less_equal", place, Labelled(self.table.number(float(size)))))
        return conditions

    def _masked(self, found: Labelled, inside: Sequence[Labelled], sizes: Sizes) -> Labelled:
        for condition in inside:
            found = self.arrays.where(condition, found, Labelled(self.table.number(0.0)), tuple(sizes))
        return found

    def _bounds(self, position: Expr, sizes: Sizes) -> tuple[float, float]:
        """The least and the greatest value of a position, as far as they are known beforehand."""
        number, rest = position.as_coeff_Add()
        found = affine(position, sizes)
        if found is not None:
            return found.low, found.high
        if isinstance(rest, Place) and rest.name in self._whole and not isinstance(rest, Adjoint):
            return self._whole[rest.name].start + int(number), self._whole[rest.name].stop - 1 + int(number)
        return -inf, inf

    def _gathered(self, array: Labelled, positions: Sequence[Expr], sizes: Sizes) -> Labelled:
        """Any other positions, computed and looked up; a position outside the array reads 0."""
        assert array.value is not None
        shape = self.table.shape(array.value)
        symbols = [symbol for position in positions for symbol in position.free_symbols]
        whole = [
            axis
            for axis, (position, size) in enumerate(zip(positions, shape, strict=True))
            if symbols.count(position) == 1 and sizes.get(position) == size
        ]
        computed = [axis for axis in range(len(shape)) if axis not in whole]
        looked_up = [self._clipped(positions[axis], shape[axis], sizes) for axis in computed]
        axes = joint(looked_up, tuple(sizes))
        where = [self.table.unary("whole", self.arrays.view(position, axes)) for position in looked_up]
        value = self.table.transpose(array.value, (*computed, *whole))
        found = Labelled(self.table.gather(value, where), (*axes, *(positions[axis] for axis in whole)))
        inside = self._inside([positions[a] for a in computed], [shape[a] for a in computed], sizes)
        return self._masked(found, inside, sizes).times(array.coefficient)

    def _clipped(self, position: Expr, size: int, sizes: Sizes) -> Labelled:
        """The position from 0, or the nearest one inside."""
        place = self.arrays.exact(self._expression(position - 1, sizes))
        low, high = self._bounds(position, sizes)
        if low < 1 or high > size:
            first, last = (Labelled(self.table.number(float(edge))) for edge in (0, size - 1))
            place = self.arrays.apply("minimum", self.arrays.apply("maximum", place, first), last)
        return place


def _indices(position: Expr) -> list[Symbol]:
    """The indices of a position, those of what it looks up first, in the order in which they stand there."""
    if isinstance(position, Symbol):
        return [position]
    inside = [symbol for part in position.args if isinstance(part, Expr) for symbol in _indices(part)]
    return [symbol for symbol in inside if symbol in position.free_symbols]


def _addends(given: Sequence[Summed]) -> Iterator[Summed]:
    """The products, with one that is just a sum taken apart."""
    for sums, factors in given:
        if not sums and len(factors) == 1 and isinstance(factors[0], Add):
            yield from ((sums, (term,)) for term in factors[0].args)
        else:
            yield sums, factors
