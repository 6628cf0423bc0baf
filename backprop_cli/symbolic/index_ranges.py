"""The ranges of indices, read off the shapes of the quantities in whose positions they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from backprop_cli.language import tree
from backprop_cli.spec.values import written


@dataclass(frozen=True)
class Reading:
    """An index that stands at ``axis`` (from 0) of a quantity gets the size of that axis as its range."""

    size: int
    quantity: str
    shape: tuple[int, ...]
    axis: int
    origin: str
    place: tree.Place

    def __str__(self) -> str:
        details = [written(self.shape)]
        if len(self.shape) > 1:
            details.append(f"axis {self.axis + 1}")
        if self.origin:
            details.append(self.origin)
        return f"{self.size} from {self.quantity} ({', '.join(details)})"


@dataclass
class Binding:
    """One index where it is bound: by the left side of an equation or by one reduction.

    ``name`` is what the author calls it, ``shown`` the name it gets where that one is taken.
    """

    name: str
    shown: str
    readings: list[Reading] = field(default_factory=list)
    runs_over_samples: bool = False

    @property
    def size(self) -> int | None:
        """The range, from 1 to this, or None where nothing tells it."""
        return self.readings[0].size if self.readings else None

    def conflicts(self) -> Sequence[Reading]:
        """The readings that disagree with the first one, one for each other size."""
        by_size = {reading.size: reading for reading in reversed(self.readings)}
        return [reading for size, reading in by_size.items() if size != self.size]

    def explain(self, other: Reading) -> str:
        """What is wrong where ``other`` disagrees with the first reading."""
        return f"index '{self.name}' has range {self.readings[0]} and {other}"
