"""From formulas to array operations.

Every formula becomes operations of one :class:`Table`; what two formulas share is there once. A quantity that is the
same along some of its indices is kept without them until somebody needs it whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sympy import Add, Expr, S, Symbol

from backprop_cli.numeric.arrays import Axes, Labelled, joint
from backprop_cli.numeric.expressions import Expressions, Sizes
from backprop_cli.numeric.operations import Entry, Shape, Table, Value
from backprop_cli.numeric.products import Product, narrowed, position_bounds, products
from backprop_cli.symbolic.notation import Adjoint, Place

Region = tuple[tuple[int, int], ...]  # the first and the last position along each axis, from 1


@dataclass(frozen=True)
class Stored:
    """What is known of a quantity: its indices and its array, which may lack axes along which it is the same."""

    indices: Axes
    shape: Shape
    array: Labelled


class Lowering(Expressions):
    """Lowers formulas one after the other; each may use the quantities and adjoints stored before it."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self._stored: dict[tuple[str, bool], Stored] = {}

    def give(self, place: Place, shape: Shape) -> None:
        """A quantity that is an argument of the program."""
        self._store(place, shape, Labelled(self.table.argument(place.name, shape), place.positions))

    def argument(self, name: str) -> Value:
        value = self._stored[name, False].array.value
        assert value is not None
        return value

    def define(self, place: Place, shape: Shape, given: Sequence[tuple[Sizes, Sequence[Expr]]]) -> None:
        """``place`` as a sum of products, each a product of factors summed over indices with their sizes."""
        sizes = dict(zip(place.positions, shape, strict=True))
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
        self._store(place, shape, base if base.value is None else self.arrays.exact(base))

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

    def _store(self, place: Place, shape: Shape, array: Labelled) -> None:
        self._stored[place.name, isinstance(place, Adjoint)] = Stored(place.positions, shape, array)

    def whole(self, name: str, adjoint: bool) -> Value:
        """The quantity's value with all its axes, in their order."""
        stored = self._stored[name, adjoint]
        return self.table.broadcast_to(self.arrays.arranged(stored.array, stored.indices), stored.shape)

    def value_of(self, name: str, adjoint: bool) -> Value | None:
        """The value to be called by the quantity's name, if it is an array of its own."""
        stored = self._stored[name, adjoint]
        return stored.array.value if stored.array.coefficient == 1 else None

    def _place(self, place: Place, sizes: Sizes) -> Labelled:
        """A stored quantity at positions: views where positions are indices, numbers or shifted indices."""
        stored = self._stored[place.name, isinstance(place, Adjoint)]
        array = stored.array
        if array.value is None:
            return array
        where = dict(zip(stored.indices, place.positions, strict=True))
        positions = [where[axis] for axis in array.axes]
        view = self._view(array, positions, sizes)
        return view if view is not None else self._gathered(array, positions, sizes)

    def _view(self, array: Labelled, positions: Sequence[Expr], sizes: Sizes) -> Labelled | None:
        assert array.value is not None
        entries: list[Entry] = []
        axes: list[Symbol] = []
        for position, size in zip(positions, self.table.shape(array.value), strict=True):
            bounds = position_bounds(position, sizes)
            if bounds is None or bounds[0] < 1 or bounds[1] > size:
                return None
            symbols = list(position.free_symbols)
            if not symbols:
                entries.append(bounds[0] - 1)
            elif len(symbols) == 1 and position.coeff(symbols[0]) is S.One and symbols[0] not in axes:
                entries.append((bounds[0] - 1, bounds[1]))
                axes.append(symbols[0])
            else:
                return None
        return Labelled(self.table.subscript(array.value, tuple(entries)), tuple(axes), array.coefficient)

    def _gathered(self, array: Labelled, positions: Sequence[Expr], sizes: Sizes) -> Labelled:
        """Any other positions, computed and looked up; a position outside the array reads 0."""
        assert array.value is not None
        shape = self.table.shape(array.value)
        looked_up, inside = [], []
        for position, size in zip(positions, shape, strict=True):
            place = self.arrays.exact(self._expression(position, sizes))
            bounds = position_bounds(position, sizes)
            if bounds is None or bounds[0] < 1 or bounds[1] > size:
                first, last = (Labelled(self.table.number(float(edge))) for edge in (1, size))
                inside.append(self.arrays.apply("greater_equal", place, first))
                inside.append(self.arrays.apply("less_equal", place, last))
                place = self.arrays.apply("minimum", self.arrays.apply("maximum", place, first), last)
            looked_up.append(self.arrays.apply("subtract", place, Labelled(None)))
        axes = joint(looked_up, tuple(sizes))
        whole = [self.table.unary("whole", self.arrays.view(position, axes)) for position in looked_up]
        found = Labelled(self.table.gather(array.value, whole), axes)
        for condition in inside:
            found = self.arrays.where(condition, found, Labelled(self.table.number(0.0)), axes)
        return found.times(array.coefficient)


def _addends(given: Sequence[tuple[Sizes, Sequence[Expr]]]) -> Iterator[tuple[Sizes, Sequence[Expr]]]:
    """The products, with one that is just a sum taken apart."""
    for sums, factors in given:
        if not sums and len(factors) == 1 and isinstance(factors[0], Add):
            yield from ((sums, (term,)) for term in factors[0].args)
        else:
            yield sums, factors
