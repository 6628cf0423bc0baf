"""J as a function of single entries of any quantity, many perturbations in one evaluation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from sympy import Expr, Function

from backprop_cli.symbolic.graph import Graph, Quantity
from backprop_cli.symbolic.notation import Place, Reduce, fresh_index
from backprop_cli.verification.arrays import Array, Named, NumPyArrays
from backprop_cli.verification.evaluation import Evaluator, forward, objective
from backprop_cli.verification.kinks import Watch
from backprop_cli.verification.report import Kink
from backprop_cli.verification.rounding import Moves, RoughEvaluator, Rounding

ELEMENTS = 2_000_000  # numbers held at once for all perturbations of one evaluation


@dataclass(frozen=True)
class Point:
    """One entry of one quantity, counted from 0 in the array laid flat, moved by an offset."""

    name: str
    entry: int
    offset: Any


@dataclass(frozen=True)
class Chord:
    """Of one quantity over a step: the largest slope of its entries, and how far they are from a straight line.

    The bend counts at most as much as the entry is worth.
    """

    slope: float
    bend: float


class Landscape:
    """J around one set of values, in one kind of number, with the moves of a rounding where one is given."""

    def __init__(
        self, graph: Graph, given: Mapping[str, Array], arrays: NumPyArrays, rounding: Rounding | None = None
    ) -> None:
        self.graph = graph
        self.given = given
        self.arrays = arrays
        self._moves = Moves(rounding, arrays) if rounding else None
        self.watch = Watch()
        with np.errstate(all="ignore"):
            self.values = forward(graph, self._evaluator(self.watch), given)
            self.cost = objective(graph, arrays, self.values).array
        self._reach = reach(graph)
        self._variant = fresh_index("variant")

    def _evaluator(self, watch: Watch) -> Evaluator:
        return RoughEvaluator(self._moves, watch) if self._moves else Evaluator(self.arrays, watch)

    def at(self, points: Sequence[Point]) -> tuple[Array, list[tuple[Kink, ...]]]:
        """J at each point, and the functions that a kink separates from where they were."""
        costs: list[Array] = []
        crossed: list[tuple[Kink, ...]] = []
        start = 0
        while start < len(points):
            stop = self._chunk(points, start)
            watch = Watch()
            values = self._together(points[start:stop], watch)
            with np.errstate(all="ignore"):
                cost = objective(self.graph, self.arrays, values)
            costs.append(np.broadcast_to(cost.array, (stop - start,)))
            crossed.extend(watch.changes(self.watch, self._variant, stop - start))
            start = stop
        return np.concatenate(costs) if costs else self.arrays.given([]), crossed

    def chords(self, name: str, entry: int, step: Any, consumers: Collection[str]) -> dict[str, Chord]:
        """How quantities that an entry moves follow it over a step to both sides."""
        values = self._together([Point(name, entry, step), Point(name, entry, -step)], Watch())
        found = {}
        for consumer in consumers:
            if self._variant in values[consumer].axes:
                right, left = values[consumer].array.reshape(2, -1).astype(np.float64)
                here = self.values[consumer].array.reshape(-1).astype(np.float64)
                with np.errstate(all="ignore"):
                    bend = np.fmin(np.abs(right + left - 2 * here), np.abs(here)).max(initial=0)
                    slope = np.nan_to_num(np.abs(right - left) / float(2 * step)).max(initial=0)
                found[consumer] = Chord(float(slope), float(bend))
        return found

    def _chunk(self, points: Sequence[Point], start: int) -> int:
        """Where to end a chunk so that all its arrays fit."""
        reached: set[str] = set()
        probed: set[str] = set()
        for stop in range(start, len(points)):
            name = points[stop].name
            if name not in probed:
                probed.add(name)
                reached |= self._reach[name]
                size = sum(prod(self.graph[n].shape) for n in probed) + sum(prod(self.graph[n].shape) for n in reached)
            if stop > start and (stop + 1 - start) * size > ELEMENTS:
                return stop
        return len(points)

    def _together(self, points: Sequence[Point], watch: Watch) -> dict[str, Named]:
        """Every quantity at each point; the points are the first axis of what they move."""
        count = len(points)
        probes: dict[str, Array] = {}
        for k, point in enumerate(points):
            if point.name not in probes:
                probes[point.name] = self.arrays.given(np.zeros((count, prod(self.graph[point.name].shape))))
            probes[point.name][k, point.entry] = point.offset
        named = {
            name: Named(probe.reshape(count, *self.graph[name].shape), (self._variant, *self.graph[name].indices))
            for name, probe in probes.items()
        }
        with np.errstate(all="ignore"):
            return forward(self.graph, self._evaluator(watch), self.given, named, self.values)


def noise(graph: Graph, given: Mapping[str, Array], arrays: NumPyArrays, roundings: Sequence[Rounding]) -> Any:
    """How far roundings move J; infinite where that is not known."""
    cost = Landscape(graph, given, arrays).cost[()]
    with np.errstate(invalid="ignore"):
        moves = [abs(Landscape(graph, given, arrays, rounding).cost[()] - cost) for rounding in roundings]
    return max(moves) if all(np.isfinite(float(move)) for move in moves) else arrays.given(np.inf)[()]


def users(graph: Graph) -> dict[str, set[str]]:
    """For each quantity, those whose equations it stands in."""
    found: dict[str, set[str]] = {quantity.name: set() for quantity in graph.quantities}
    for quantity in graph.quantities:
        for place in () if quantity.definition is None else quantity.definition.atoms(Place):
            found[place.name].add(quantity.name)
    return found


def reach(graph: Graph) -> dict[str, frozenset[str]]:
    """For each quantity, those computed from it, directly or not."""
    consumers = users(graph)
    reached: dict[str, frozenset[str]] = {}
    for quantity in reversed(graph.quantities):
        loop = graph.loop_of(quantity.name)
        together = (quantity.name,) if loop is None else loop.names
        if quantity.name not in reached:
            direct = frozenset().union(*(consumers[name] for name in together))
            further = direct.union(*(reached[name] for name in direct if name not in together))
            reached.update(dict.fromkeys(together, further))
    return reached


def operations(quantity: Quantity, function: Callable[[Expr], int]) -> int:
    """How many operations one entry of a quantity takes; ``function`` says what applying a function costs."""

    def count(expression: Expr) -> int:
        if isinstance(expression, Place):
            return 1
        if isinstance(expression, Reduce):
            return expression.size * (count(expression.body) + 1)
        parts = [part for part in expression.args if isinstance(part, Expr)]
        own = function(expression) if isinstance(expression, Function) else len(parts)
        return own + sum(count(part) for part in parts)

    return 0 if quantity.definition is None else count(quantity.definition)
