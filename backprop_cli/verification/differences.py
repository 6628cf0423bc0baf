"""Central differences with an error estimate.

For an entry q with step h,

    D(h) = (J(q + h) - J(q - h)) / 2h,     R(h) = (4·D(h/2) - D(h)) / 3,     (16·R(h/2) - R(h)) / 15

(Richardson's extrapolation) are off by terms in h², h⁴ and h⁶. The last one is the answer; |R(h/2) - R(h)| and the
rounding of J, that of its parts included, bound its error. Entries that do not settle are tried with smaller steps and,
where that is affordable, once more with many digits, where neither rounding nor overflow is left.

Where |J(q + h) - 2·J(q) + J(q - h)| / h does not shrink with h, J has a corner at q and no slope.

Each entry also gets its typical slope: that of J over steps as large as the entry and larger. A gradient far below it
is the small difference of large terms and carries their rounding.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isnan, prod
from typing import Any

import mpmath  # type: ignore[import-untyped]  # mpmath ships no types
import numpy as np
from sympy import Expr, erf

from backprop_cli.symbolic.functions import expanded
from backprop_cli.symbolic.graph import Graph
from backprop_cli.verification.arrays import Array, NumPyArrays
from backprop_cli.verification.landscape import Chord, Landscape, Point, noise, operations, reach
from backprop_cli.verification.precise import DIGITS, PreciseArrays
from backprop_cli.verification.report import Kink
from backprop_cli.verification.rounding import PATTERNS, Rounding, roundings

STEPS = (2.0**-8, 2.0**-14, 2.0**-20, 2.0**-26)  # of each attempt, relative to the entry where it is above 1
PARTS = (1.0, 0.5, 0.25)  # of a step, for the extrapolation
STRIDES = (1.0, 10.0, 100.0)  # of the typical slope, relative to the entry plus 1
PRECISE_STEPS = ((1e-20, 1), (1e-35, 1), (1e-20, 0))  # relative to the entry, or to the number where that is larger
PRECISE_POINTS = 4 * len(PRECISE_STEPS)  # evaluations of J with many digits for one entry, if all steps are tried
BASES = 2 + PATTERNS  # evaluations of J with many digits before any entry's
POINTS = 2 * (len(PARTS) + len(STRIDES))  # evaluations of J for one entry, if the first attempt settles it
JUMP = 1e-4  # between the slopes on the two sides of a step: more than a smooth function has over the smallest
CORNER = 0.75  # of the gap between the slopes of both sides is left over half the step; a smooth function keeps a half
EXACT = 1e-12  # J known to this part of itself needs no more digits
UNCERTAIN = 1e-4  # numbers that are off by more than this part of themselves judge nothing: 0.05 % could hide in it
SETTLED = 1e-8  # an error estimate this small beside the slope ends the search


@dataclass(frozen=True)
class Slope:
    """∂J/∂(one entry) by differences.

    ``error`` estimates its error; it is infinite where J is not finite nearby. ``near`` names the functions whose kink
    lies within the smallest step taken, and ``jumps`` says whether the slopes on its two sides differ.
    """

    value: float
    error: float
    typical: float = 0.0
    near: tuple[Kink, ...] = ()
    jumps: bool = False

    @property
    def settled(self) -> bool:
        return not self.near and self.error <= SETTLED * abs(self.value) + 1e-15 * self.typical


class Differences:
    """Slopes of J at one set of values, with the moves of a rounding where one is given."""

    def __init__(
        self, graph: Graph, given: Mapping[str, Array], precise_operations: int, rounding: Rounding | None = None
    ) -> None:
        self.graph = graph
        self.given = given
        self._rounding = rounding
        arrays = NumPyArrays()
        self._wide = Landscape(graph, given, arrays, rounding)
        self._noise = noise(graph, given, arrays, roundings(arrays.unit))
        self._precise: tuple[Landscape, Any] | None = None
        self._precise_operations = precise_operations
        self.work = work(graph)
        self.total = max(self.work.values(), default=0)

    @cached_property
    def cost(self) -> tuple[float, float]:
        """J itself and its error; with many digits where the widest floating point does not hold enough of it."""
        if not self._is_steep:
            return float(self._wide.cost[()]), float(self._noise)
        with mpmath.workdps(DIGITS):
            landscape, error = self._with_noise()
            return float(landscape.cost[()]), float(error)

    def spread(self, roundings: Sequence[Rounding]) -> float:
        """How far roundings move J."""
        with mpmath.workdps(DIGITS):
            arrays = PreciseArrays() if self._is_steep else self._wide.arrays
            return float(noise(self.graph, self.given, arrays, roundings))

    @property
    def _is_steep(self) -> bool:
        """Whether J itself is better computed with many digits, and can be."""
        exact = self._noise <= EXACT * abs(self._wide.cost[()])
        return not exact and self.total * BASES <= self._precise_operations

    def slopes(self, entries: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Slope]:
        """The slope at each (quantity, position from 0 in the array laid flat)."""
        if not entries:
            return {}
        found = self._typical(entries, self._wide)
        for step in STEPS:
            open_entries = [entry for entry in entries if not found[entry].settled]
            if open_entries:
                for entry, slope in self._extrapolated(open_entries, step).items():
                    found[entry] = _better(found[entry], slope)
        left = [entry for entry in entries if not found[entry].settled]
        found |= self._with_digits(left, found)
        return {entry: replace(slope, typical=np.nan_to_num(slope.typical)) for entry, slope in found.items()}

    def chords(self, name: str, entry: int, consumers: Collection[str]) -> dict[str, Chord]:
        """How quantities follow an entry over a step as large as the entry plus 1."""
        return self._wide.chords(name, entry, 1 + abs(self._value(self._wide, (name, entry))), consumers)

    def _value(self, landscape: Landscape, entry: tuple[str, int]) -> Array:
        return landscape.values[entry[0]].array.reshape(-1)[entry[1]]

    def _typical(self, entries: Sequence[tuple[str, int]], landscape: Landscape) -> dict[tuple[str, int], Slope]:
        """Entries of which only the typical slope is known; it is nan where J is not finite anywhere around."""
        strides = [stride * (1 + abs(float(self._value(landscape, entry)))) for entry in entries for stride in STRIDES]
        moves = [(entry, stride) for entry in entries for stride in STRIDES]
        points = [
            Point(*entry, sign * stride) for (entry, _), stride in zip(moves, strides, strict=True) for sign in (1, -1)
        ]
        costs, _ = landscape.at(points)
        with np.errstate(all="ignore"):
            rises = (costs.reshape(-1, 2) - landscape.cost).astype(np.float64)
            slopes = np.abs(rises) / np.asarray(strides)[:, None]
        return {
            entry: Slope(0.0, np.inf, typical=_largest(some))
            for entry, some in zip(entries, slopes.reshape(len(entries), 2 * len(STRIDES)), strict=True)
        }

    def _extrapolated(self, entries: Sequence[tuple[str, int]], step: float) -> dict[tuple[str, int], Slope]:
        sizes = np.array([step * max(1.0, abs(float(self._value(self._wide, entry)))) for entry in entries])
        points = [
            Point(*entry, sign * part * size)
            for entry, size in zip(entries, sizes, strict=True)
            for part in PARTS
            for sign in (1, -1)
        ]
        costs, crossed = self._wide.at(points)
        with np.errstate(all="ignore"):
            costs = costs.reshape(-1, len(PARTS), 2)
            d1, d2, d3 = (np.diff(costs[:, k, ::-1])[:, 0] / (2 * part * sizes) for k, part in enumerate(PARTS))
            r1, r2 = (4 * d2 - d1) / 3, (4 * d3 - d2) / 3
            value = (16 * r2 - r1) / 15
            rounding = np.maximum(np.finfo(costs.dtype).eps * np.abs(costs).max((1, 2)), self._noise) / sizes
            error = abs(r2 - r1) + 16 * rounding
            right, left = costs[:, -1, 0] - self._wide.cost, self._wide.cost - costs[:, -1, 1]
            far, close = (abs(costs[:, k].sum(1) - 2 * self._wide.cost) for k in (-2, -1))
            corner = _corner(far / 2, close, np.maximum(abs(left), abs(right)), 16 * rounding * sizes)
        width = 2 * len(PARTS)
        near = [_union(crossed[k * width : (k + 1) * width]) for k in range(len(entries))]
        error[~np.isfinite(error) | (corner & np.array([not some for some in near]))] = np.inf
        return {
            entry: Slope(
                float(value[k]), float(error[k]), near=near[k], jumps=bool(near[k]) and _differ(left[k], right[k])
            )
            for k, entry in enumerate(entries)
        }

    def _with_digits(
        self, open_entries: Sequence[tuple[str, int]], rough: Mapping[tuple[str, int], Slope]
    ) -> dict[tuple[str, int], Slope]:
        entries = self._affordable(open_entries)
        if not entries:
            return {}
        with mpmath.workdps(DIGITS):
            landscape, _ = self._with_noise()
            sizes = {entry: abs(self._value(landscape, entry)) for entry in entries}
            found = {entry: replace(rough[entry], value=0.0, error=np.inf) for entry in entries}
            for entry, typical in self._typical([e for e in entries if isnan(rough[e].typical)], landscape).items():
                found[entry] = replace(found[entry], typical=typical.typical)
            for step, least in PRECISE_STEPS:
                steps = {e: step * max(sizes[e], least) for e in entries if not found[e].settled}
                for entry, slope in self._precisely({e: step for e, step in steps.items() if step}).items():
                    found[entry] = _better(found[entry], slope)
        return {entry: replace(slope, near=slope.near or rough[entry].near) for entry, slope in found.items()}

    def _precisely(self, steps: Mapping[tuple[str, int], Any]) -> dict[tuple[str, int], Slope]:
        """The slopes by one step for each entry, with many digits."""
        landscape, noise = self._with_noise()
        points = [Point(*entry, factor * step) for entry, step in steps.items() for factor in (1, -1, 2, -2)]
        costs, crossed = landscape.at(points)
        found = {}
        for k, (entry, step) in enumerate(steps.items()):
            up, down, far_up, far_down = (cost - landscape.cost[()] for cost in costs[4 * k : 4 * k + 4])
            value, check = (up - down) / (2 * step), (far_up - far_down) / (4 * step)
            error = float(abs(value - check) + 4 * noise / step)
            near = _union(crossed[4 * k : 4 * k + 4])
            gaps = abs(far_up + far_down) / 2, abs(up + down)
            corner = not near and _corner(*gaps, max(abs(up), abs(down)), 4 * noise)
            found[entry] = Slope(
                float(value),
                error if np.isfinite(error) and not corner else np.inf,
                near=near,
                jumps=bool(near) and _differ(up, -down),
            )
        return found

    def _with_noise(self) -> tuple[Landscape, Any]:
        """J with many digits, and its error. To be used inside ``mpmath.workdps(DIGITS)``."""
        if self._precise is None:
            arrays = PreciseArrays()
            landscape = Landscape(self.graph, self.given, arrays, self._rounding)
            error = noise(self.graph, self.given, arrays, roundings(arrays.unit))
            self._precise = landscape, max(error, arrays.unit * abs(landscape.cost[()]))
        return self._precise

    def _affordable(self, entries: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
        """Those of the entries that there is time for: equal shares for all quantities, evenly spread within each."""
        by_name: dict[str, list[tuple[str, int]]] = {}
        for entry in entries:
            by_name.setdefault(entry[0], []).append(entry)
        budget = self._precise_operations - BASES * self.total
        found = []
        for name, some in by_name.items():
            most = max(0, budget) // (len(by_name) * PRECISE_POINTS * max(1, self.work[name]))
            found += some[:: max(1, -(-len(some) // most))] if most else []
        return found


def work(graph: Graph) -> dict[str, int]:
    """How many operations a change of one quantity causes."""
    own = {q.name: operations(q, _effort) * prod(q.shape) for q in graph.quantities}
    reached = reach(graph)
    return {name: own[name] + sum(own[user] for user in reached[name]) for name in own}


def _effort(function: Expr) -> int:
    """What a function costs in products: NumPy computes most in the time of 10, and the error function is a series."""
    return 150 if expanded(function).has(erf) else 10


def _union(lists: Sequence[tuple[Kink, ...]]) -> tuple[Kink, ...]:
    return tuple(dict.fromkeys(kink for kinks in lists for kink in kinks))


def _differ(left: Array, right: Array) -> bool:
    return bool(abs(left - right) > JUMP * max(abs(left), abs(right)))


def _largest(slopes: Array) -> float:
    finite = slopes[np.isfinite(slopes)]
    return float(finite.max()) if finite.size else np.nan


def _corner(far: Array, close: Array, rise: Array, rounding: Array) -> Array:
    """Whether the slopes on both sides of a step differ by as much as on both sides of a step twice as long.

    ``close`` is the difference of what J rises by on each side of the step, ``far`` half of that for the longer one.
    """
    return (close > CORNER * far) & (close > JUMP * rise) & (close > rounding)


def _better(old: Slope, new: Slope) -> Slope:
    """The slope with the smaller error; one whose steps cross no kink before any other. A kink stays near as long as
    the smallest step crosses it."""
    kept = new if (bool(new.near), new.error) <= (bool(old.near), old.error) or old.error == np.inf else old
    return replace(kept, typical=old.typical, near=new.near, jumps=new.jumps)
