"""The ranges of indices: fixed by the spec, read off the shapes of the quantities in whose positions they stand, or as
far as shifted positions stay inside their arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from backprop_cli.language import tree
from backprop_cli.spec.values import written
from backprop_cli.translation import tr


class Reading(NamedTuple):
    """An index that stands at ``axis`` (from 0) of a quantity gets the size of that axis as its range."""

    size: int
    quantity: str
    shape: tuple[int, ...]
    axis: int
    origin: str
    place: tree.Place

    @property
    def array(self) -> str:
        """The array with its shape, the axis and where it comes from: ``W (3 x 2, axis 1, 4:5)``."""
        details = [written(self.shape)]
        if len(self.shape) > 1:
            details.append(tr("axis {number}").format(number=self.axis + 1))
        if self.origin:
            details.append(self.origin)
        separator = tr(", ")
        return f"{self.quantity} ({separator.join(details)})"

    def __str__(self) -> str:
        return tr("{size} from {array}").format(size=self.size, array=self.array)


@dataclass
class Binding:
    """One index where it is bound: by the left side of an equation or by one reduction.

    ``name`` is what the author calls it, ``shown`` the name it gets where that one is taken; ``fixed`` is its range
    where the spec says it, ``told`` where another equation does, ``reach`` where shifted positions do.
    """

    name: str
    shown: str
    fixed: int | None = None
    told: int | None = None
    reach: int | None = None
    readings: list[Reading] = field(default_factory=list)
    runs_over_samples: bool = False

    @property
    def size(self) -> int | None:
        """The range, from 1 to this, or None where nothing tells it."""
        if self.fixed is not None:
            return self.fixed
        if self.readings:
            return self.readings[0].size
        return self.reach if self.told is None else self.told

    @property
    def is_alone(self) -> bool:
        """Whether shifted positions alone tell the range."""
        return self.fixed is None and self.told is None and not self.readings

    def conflicts(self) -> Sequence[Reading]:
        """The readings that disagree with the first one, one for each other size."""
        if self.fixed is not None:
            return ()
        by_size = {reading.size: reading for reading in reversed(self.readings)}
        return [reading for size, reading in by_size.items() if size != self.size]

    def explain(self, other: Reading) -> str:
        """What is wrong where ``other`` disagrees with the first reading."""
        message = tr("index '{name}' has range {first} and {other}")
        return message.format(name=self.name, first=self.readings[0], other=other)

    def has_range(self) -> str:
        """The range and what it comes from, as a clause."""
        source = str(self.readings[0]) if self.fixed is None and self.readings else str(self.size)
        return tr("index '{name}' has range {size}").format(name=self.name, size=source)


class Shift(NamedTuple):
    """A position that is more than an index: ``constant + Σ coefficient · index``, at one axis of a quantity."""

    constant: int
    terms: tuple[tuple[Binding, int], ...]
    reading: Reading
    position: tree.Node

    @property
    def is_padded(self) -> bool:
        """Whether it reads 0 outside the array: where the spec fixes a range, and for a step before the first."""
        return any(binding.fixed is not None for binding, _ in self.terms)

    @property
    def is_earlier_step(self) -> bool:
        """``t - 1``, where t is a step of something: the array has nothing before its first step, and reads 0 there."""
        return len(self.terms) == 1 and self.terms[0][1] == 1 and self.constant < 0 and not self.terms[0][0].is_alone

    def bounds(self) -> tuple[int, int]:
        """The smallest and the largest position; all ranges must be known."""
        low = high = self.constant
        for binding, coefficient in self.terms:
            ends = sorted((coefficient, coefficient * (binding.size or 1)))
            low, high = low + ends[0], high + ends[1]
        return low, high

    def reach_of(self, unknown: Binding) -> int:
        """The largest value of the one index without a range that keeps the position inside; all others are known."""
        coefficient = next(factor for binding, factor in self.terms if binding is unknown)
        known = Shift(self.constant, tuple(t for t in self.terms if t[0] is not unknown), self.reading, self.position)
        low, high = known.bounds()
        return (self.reading.size - high) // coefficient if coefficient > 0 else (low - 1) // -coefficient


def settle(shifts: Iterable[Shift]) -> None:
    """Give the indices that stand in shifted positions alone their ranges: every value from 1 that stays inside."""
    waiting = list(shifts)
    progress = True
    while progress:
        progress = False
        reaches: dict[int, tuple[Binding, int]] = {}
        for shift in waiting:
            unknown = [binding for binding, _ in shift.terms if binding.size is None]
            if len(unknown) == 1:
                reach = shift.reach_of(unknown[0])
                _, known = reaches.get(id(unknown[0]), (unknown[0], reach))
                reaches[id(unknown[0])] = (unknown[0], min(known, reach))
        for binding, reach in reaches.values():
            binding.reach, progress = reach, True


def outside(shift: Shift) -> str:
    """What is wrong with a shifted position whose ranges are known; empty where nothing is."""
    low, high = shift.bounds()
    empty = next((binding for binding, _ in shift.terms if binding.size is not None and binding.size < 1), None)
    if empty is not None:
        message = tr("no value of '{name}' from 1 keeps this position inside {array}")
        return message.format(name=empty.name, array=shift.reading.array)
    if shift.is_padded or (low >= 1 and high <= shift.reading.size):
        return ""
    if high <= shift.reading.size and shift.is_earlier_step:
        return ""
    alone = next((binding for binding, factor in shift.terms if low < 1 and factor > 0 and binding.is_alone), None)
    if alone is not None:
        at = (f"{binding.name} = {1 if factor > 0 else binding.size}" for binding, factor in shift.terms)
        message = tr(
            "'{name}' starts at 1, and at {values} this reads position {position} of {array}; shift the position, or "
            "fix the range with '{ranges}' if what lies outside shall read 0"
        )
        return message.format(
            name=alone.name,
            values=tr(" and ").join(at),
            position=low,
            array=shift.reading.array,
            ranges=fixed_range(alone.name),
        )
    message = tr(
        "{ranges}, so this reads position {position} of {array}; fix the range with 'ranges' if what lies outside "
        "shall read 0"
    )
    ranges = tr(" and ").join(binding.has_range() for binding, _ in shift.terms)
    return message.format(ranges=ranges, position=low if low < 1 else high, array=shift.reading.array)


def fixed_range(name: str) -> str:
    """How a spec fixes the range of an index."""
    return f"ranges: {{{name}: ...}}"
