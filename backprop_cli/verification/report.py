"""What a verification found: one comparison per quantity and oracle, as plain data. Positions count from 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    OK = "ok"
    DISAGREES = "disagrees"
    KINK = "kink"  # the only entries that differ stand at a kink, where there is no slope to agree with
    LEFT_OUT = "left out"


class Oracle(StrEnum):
    EVALUATION = "a second evaluation"  # of J itself
    DIFFERENCES = "central differences"
    SYMPY = "SymPy"
    AUTOMATIC = "automatic differentiation"


@dataclass(frozen=True)
class Kink:
    """A function where it has no derivative. Without a position it stands anywhere in the quantity."""

    function: str
    quantity: str
    position: tuple[int, ...] = ()

    def __str__(self) -> str:
        position = f"[{','.join(map(str, self.position))}]" if self.position else ""
        return f"{self.function} in {self.quantity}{position}"


@dataclass(frozen=True)
class Worst:
    """The entry at which two gradients differ most, measured by what is allowed there.

    ``allowed`` is the largest difference that is no error at this entry. A difference or a relative difference of
    numbers of which one is not finite is infinite, or 0 where both are the same.
    """

    position: tuple[int, ...]
    ours: float
    theirs: float
    difference: float
    relative_difference: float
    allowed: float


@dataclass(frozen=True)
class Comparison:
    """One gradient against one oracle.

    The oracle was asked for ``asked`` of the ``entries``, and ``checked`` of those were compared; ``kinks`` of those
    differ and stand at a kink, that of the functions in ``near``. ``note`` says why something was left out.
    """

    quantity: str
    oracle: Oracle
    verdict: Verdict
    entries: int
    asked: int = 0
    checked: int = 0
    kinks: int = 0
    worst: Worst | None = None
    near: tuple[Kink, ...] = ()
    note: str = ""

    @property
    def is_partial(self) -> bool:
        """Whether the oracle had no opinion on some of the entries it was asked for."""
        return self.checked < self.asked


@dataclass(frozen=True)
class Witness:
    """One oracle of a verification: what it is called on this machine, how it works, and why it was left out, if so."""

    oracle: Oracle
    name: str
    method: str = ""
    left_out: str = ""


@dataclass(frozen=True)
class Truncation:
    """A truncated gradient beside the full one, at the entry where they differ most, and the norms of both."""

    quantity: str
    position: tuple[int, ...]
    truncated: float
    full: float
    truncated_norm: float
    full_norm: float


@dataclass(frozen=True)
class Report:
    """The verification of one run.

    ``cost`` compares J itself with a second evaluation, which the differences start from. Gradients of a truncated
    network are compared with those of the same cost with older states frozen; ``truncations`` shows them beside the
    full gradients, empty where nothing is truncated.
    """

    cost: Comparison | None
    comparisons: tuple[Comparison, ...]
    witnesses: tuple[Witness, ...]
    truncations: tuple[Truncation, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing disagrees."""
        return not self.disagreeing

    @property
    def disagreeing(self) -> tuple[Comparison, ...]:
        every = (*((self.cost,) if self.cost else ()), *self.comparisons)
        return tuple(comparison for comparison in every if comparison.verdict is Verdict.DISAGREES)

    @property
    def unverified(self) -> tuple[str, ...]:
        """The quantities that no oracle could judge."""
        judged = {c.quantity for c in self.comparisons if c.verdict is not Verdict.LEFT_OUT}
        return tuple(dict.fromkeys(c.quantity for c in self.comparisons if c.quantity not in judged))

    @property
    def quantities(self) -> tuple[str, ...]:
        """Whose gradients were verified."""
        return tuple(dict.fromkeys(comparison.quantity for comparison in self.comparisons))

    @property
    def kinks(self) -> tuple[Kink, ...]:
        """Every function that stands at a kink where gradients differ."""
        return tuple(dict.fromkeys(kink for comparison in self.comparisons for kink in comparison.near))

    @property
    def worst(self) -> Comparison | None:
        """The comparison whose worst entry uses up most of its tolerance; disagreements come first."""
        judged = [c for c in self.comparisons if c.worst is not None and c.verdict is not Verdict.KINK]
        return max(judged, key=_severity, default=None)

    def of(self, quantity: str) -> Mapping[Oracle, Comparison]:
        """The comparisons of one quantity, by oracle."""
        return {comparison.oracle: comparison for comparison in self.comparisons if comparison.quantity == quantity}


def _severity(comparison: Comparison) -> tuple[bool, float]:
    worst = comparison.worst
    assert worst is not None
    share = worst.difference / worst.allowed if worst.allowed else (worst.difference and float("inf"))
    return comparison.verdict is Verdict.DISAGREES, share
