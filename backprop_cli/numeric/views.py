"""Arrays read at positions: slices, strides, windows, split and joined axes where positions are sums of indices, and
look-ups elsewhere. A position outside its array reads 0."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from sympy import Expr, Symbol

from backprop_cli.numeric.arrays import Arrays, Axes, Labelled
from backprop_cli.numeric.operations import Entry, Value
from backprop_cli.numeric.positions import Affine, Sizes, affine
from backprop_cli.symbolic.notation import Digit


def joined(array: Labelled, positions: Sequence[Expr], arrays: Arrays) -> tuple[Labelled, list[Expr]]:
    """The array with axes that are read as the digits of one index laid flat, and the positions in it."""
    first = next((axis for axis, position in enumerate(positions) if isinstance(position, Digit)), None)
    if first is None or array.value is None:
        return array, list(positions)
    shape = arrays.table.shape(array.value)
    flat = (*shape[:first], prod(shape[first:]))
    value = arrays.table.reshape(array.value, flat)
    return Labelled(value, array.axes[: first + 1], array.coefficient), [*positions[:first], positions[first].args[0]]


class Reader:
    """Reads arrays as views where that is possible."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays, self.table = arrays, arrays.table

    def view(self, array: Labelled, positions: Sequence[Expr], sizes: Sizes) -> Labelled | None:
        """The array at these positions, None where they are no view of it."""
        assert array.value is not None
        found = [affine(position, sizes) for position in positions]
        places = [place for place in found if place is not None]
        symbols = [symbol for place in places for symbol in place.indices]
        if len(places) < len(found) or len(set(symbols)) < len(symbols):
            return None
        value, places = self.padded(array.value, places)
        entries = [self._entry(place, sizes) for place in places]
        if None in entries:
            return None
        kept = [place for place in places if place.indices]
        value = self.table.subscript(value, tuple(entry for entry in entries if entry is not None))
        value, axes = self._windows(value, kept, sizes)
        shape = tuple(sizes[symbol] for symbol in axes)
        return Labelled(self.table.reshape(value, shape), axes, array.coefficient)

    def padded(self, value: Value, places: Sequence[Affine]) -> tuple[Value, list[Affine]]:
        """The array with zeros around it wherever a position leaves it."""
        shape = self.table.shape(value)
        before = [max(0, 1 - place.low) for place in places]
        after = [max(0, place.high - size) for place, size in zip(places, shape, strict=True)]
        if not any(before) and not any(after):
            return value, list(places)
        within = self._with_zeros_around(value, before, after)
        if within is not None:
            moved, front = within
            return moved, [place.moved(front if axis == 0 else 0) for axis, place in enumerate(places)]
        whole = tuple(b + size + a for b, size, a in zip(before, shape, after, strict=True))
        inside = tuple((b, b + size) for b, size in zip(before, shape, strict=True))
        padded = self.table.assemble(whole, None, [(inside, value)])
        return padded, [place.moved(b) for place, b in zip(places, before, strict=True)]

    def _with_zeros_around(self, value: Value, before: Sequence[int], after: Sequence[int]) -> tuple[Value, int] | None:
        """The state of a loop, which has zeros around its steps already, and how many in front; None for other arrays
        and where it has not enough."""
        operation = self.table[value]
        if operation.kind != "subscript" or any(before[1:]) or any(after[1:]):
            return None
        state = operation.operands[0]
        entries = operation.detail[0]
        assert isinstance(entries, tuple)
        steps = entries[0]
        whole = all(e == (0, size) for e, size in zip(entries[1:], self.table.shape(state)[1:], strict=False))
        if self.table[state].kind != "after" or not isinstance(steps, tuple) or not whole:
            return None
        front, stop = steps[:2]
        fits = before[0] <= front and after[0] <= self.table.shape(state)[0] - stop
        return (state, front) if fits else None

    def _entry(self, place: Affine, sizes: Sizes) -> Entry | None:
        """The part of an axis that the position reads, None where no slice holds it."""
        if not place.steps:
            return place.constant - 1
        if len(place.steps) == 1:
            step = place.steps[0][1]
            return (place.low - 1, place.high, step) if step > 0 else None
        windows = len(place.steps) == 2 and all(step > 0 for _, step in place.steps)
        if place.digits(sizes) is None and not windows:
            return None
        return (place.low - 1, place.high, 1)

    def _windows(self, value: Value, places: Sequence[Affine], sizes: Sizes) -> tuple[Value, Axes]:
        """Axes with a window that moves along them taken apart, the windows' axes last."""
        axes: list[Symbol] = []
        last: list[Symbol] = []
        lengths, along, strides = [], [], []
        for number, place in enumerate(places):
            digits = place.digits(sizes)
            if len(place.steps) < 2 or digits is not None:
                axes.extend(digits or place.indices)
                strides.append(1)
                continue
            (window, step), (base, stride) = sorted(place.steps, key=lambda pair: (pair[1] * sizes[pair[0]], pair[1]))
            axes.append(base)
            last.append(window)
            lengths.append((step * (sizes[window] - 1) + 1, step))
            along.append(number)
            strides.append(stride)
        if not along:
            return value, tuple(axes)
        value = self.table.windows(value, tuple(length for length, _ in lengths), tuple(along))
        shape = self.table.shape(value)
        steps = (*strides, *(step for _, step in lengths))
        value = self.table.subscript(value, tuple((0, size, step) for size, step in zip(shape, steps, strict=True)))
        return value, (*axes, *last)
