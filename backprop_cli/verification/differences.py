"""Central differences with an error estimate.

For an entry q with step h,

    D(h) = (J(q + h) - J(q - h)) / 2h,     R(h) = (4·D(h/2) - D(h)) / 3,     (16·R(h/2) - R(h)) / 15

(Richardson's extrapolation) are off by terms in h², h⁴ and h⁶. The last one is the answer; |R(h/2) - R(h)| and the
rounding of J bound its error. Entries that do not settle are tried with smaller steps and, where
that is affordable, once more with many digits, where neither rounding nor overflow is left.

Each entry also gets its typical slope: that of J over steps as large as the entry and larger. A gradient far below it
is the small difference of large terms and carries their rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import mpmath  # type: ignore[import-untyped]  # mpmath ships no types
import numpy as np
from sympy import Expr, erf

from backprop_cli.symbolic.functions import expanded
from backprop_cli.symbolic.graph import Graph
from backprop_cli.verification.arrays import Array, NumPyArrays
from backprop_cli.verification.landscape import Landscape, Point, operations, reach
from backprop_cli.verification.precise import DIGITS, PreciseArrays

STEPS = (2.0**-8, 2.0**-14, 2.0**-20, 2.0**-26)  # of each attempt, relative to the entry where it is above 1
PARTS = (1.0, 0.5, 0.25)  # of a step, for the extrapolation
STRIDES = (1.0, 10.0, 100.0)  # of the typical slope, relative to the entry plus 1
PRECISE_STEP = 1e-20
POINTS = 2 * (len(PARTS) + len(STRIDES))  # evaluations of J for one entry, if the first attempt settles it
JUMP = 1e-4  # between the slopes on the two sides of a step: more than a smooth function has over the smallest
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
    near: tuple[str, ...] = ()
    jumps: bool = False

    @property
    def settled(self) -> bool:
        return not self.near and self.error <= SETTLED * abs(self.value) + 1e-15 * self.typical


class Differences:
    """Slopes of J at one set of values."""

    def __init__(self, graph: Graph, given: Mapping[str, Array], precise_operations: int) -> None:
        self.graph = graph
        self.given = given
        self._wide = Landscape(graph, given, NumPyArrays())
        self._precise: Landscape | None = None
        self._precise_operations = precise_operations
        self.work = work(graph)
        self.total = max(self.work.values(), default=0)

    @property
    def cost(self) -> float:
        """J itself, with many digits where it overflows in the widest floating point."""
        value = float(self._wide.cost)
        if not np.isfinite(value) and self.total <= self._precise_operations:
            value = float(self._precise_landscape().cost)
        return value

    def slopes(self, entries: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Slope]:
        """The slope at each (quantity, position from 0 in the array laid flat)."""
        if not entries:
            return {}
        found = self._typical(entries)
        for step in STEPS:
            open_entries = [entry for entry in entries if not found[entry].settled]
            if open_entries:
                for entry, slope in self._extrapolated(open_entries, step).items():
                    found[entry] = _better(found[entry], slope)
        left = [entry for entry in entries if not found[entry].settled]
        return {**found, **self._with_digits(left, found)}

    def _value(self, landscape: Landscape, entry: tuple[str, int]) -> Array:
        return landscape.values[entry[0]].array.reshape(-1)[entry[1]]

    def _typical(self, entries: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Slope]:
        strides = [stride * (1 + abs(float(self._value(self._wide, entry)))) for entry in entries for stride in STRIDES]
        moves = [(entry, stride) for entry in entries for stride in STRIDES]
        points = [
            Point(*entry, sign * stride) for (entry, _), stride in zip(moves, strides, strict=True) for sign in (1, -1)
        ]
        costs, _ = self._wide.at(points)
        with np.errstate(all="ignore"):
            slopes = np.abs(costs.reshape(-1, 2) - self._wide.cost) / np.asarray(strides)[:, None]
            largest = np.where(np.isfinite(slopes), slopes, 0).reshape(len(entries), -1).max(1, initial=0)
        return {entry: Slope(0.0, np.inf, typical=float(size)) for entry, size in zip(entries, largest, strict=True)}

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
            rounding = np.finfo(costs.dtype).eps * np.abs(costs).max((1, 2)) / sizes
            error = abs(r2 - r1) + 16 * rounding
            error[~np.isfinite(error)] = np.inf
            right, left = costs[:, -1, 0] - self._wide.cost, self._wide.cost - costs[:, -1, 1]
        width = 2 * len(PARTS)
        near = [_union(crossed[k * width : (k + 1) * width]) for k in range(len(entries))]
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
            landscape = self._precise_landscape()
            steps = [mpmath.mpf(PRECISE_STEP) * (abs(self._value(landscape, entry)) or 1) for entry in entries]
            points = [
                Point(*entry, factor * step)
                for entry, step in zip(entries, steps, strict=True)
                for factor in (1, -1, 2, -2)
            ]
            costs, crossed = landscape.at(points)
            result = {}
            for k, entry in enumerate(entries):
                up, down, far_up, far_down = costs[4 * k : 4 * k + 4]
                value, check = (up - down) / (2 * steps[k]), (far_up - far_down) / (4 * steps[k])
                error = float(abs(value - check) + 4 * mpmath.eps * abs(landscape.cost[()]) / steps[k])
                here = _union(crossed[4 * k : 4 * k + 4])
                result[entry] = replace(
                    rough[entry],
                    value=float(value),
                    error=error if np.isfinite(error) else np.inf,
                    near=here or rough[entry].near,
                    jumps=bool(here) and _differ(up - landscape.cost, landscape.cost - down),
                )
            return result

    def _precise_landscape(self) -> Landscape:
        if self._precise is None:
            with mpmath.workdps(DIGITS):
                self._precise = Landscape(self.graph, self.given, PreciseArrays())
        return self._precise

    def _affordable(self, entries: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
        """Those of the entries that there is time for: equal shares for all quantities, evenly spread within each."""
        by_name: dict[str, list[tuple[str, int]]] = {}
        for entry in entries:
            by_name.setdefault(entry[0], []).append(entry)
        budget = self._precise_operations - self.total
        found = []
        for name, some in by_name.items():
            most = max(0, budget) // (len(by_name) * 4 * max(1, self.work[name]))
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


def _union(lists: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in lists for name in names))


def _differ(left: Array, right: Array) -> bool:
    return bool(abs(left - right) > JUMP * max(abs(left), abs(right)))


def _better(old: Slope, new: Slope) -> Slope:
    """The slope with the smaller error; one whose steps cross no kink before any other. A kink stays near as long as
    the smallest step crosses it."""
    kept = new if (bool(new.near), new.error) <= (bool(old.near), old.error) or old.error == np.inf else old
    return replace(kept, typical=old.typical, near=new.near, jumps=new.jumps)
