"""``verify``: every gradient of a run against independent oracles.

The oracles start from the equations and the given values alone. None of them sees the derivation, its stable forms or
the compiled program:

- central differences of J, evaluated in more precision than the run's;
- ``sympy.diff`` of J written out in single entries, for small networks;
- automatic differentiation by PyTorch or HIPS autograd, where one is installed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite, prod
from typing import TypeAlias

import numpy as np

from backprop_cli.symbolic.graph import Graph, Role
from backprop_cli.translation import Statement
from backprop_cli.verification import automatic
from backprop_cli.verification.arrays import Array
from backprop_cli.verification.comparing import ASKED, Opinion, compared
from backprop_cli.verification.differences import POINTS, UNCERTAIN, Differences, Slope
from backprop_cli.verification.expansion import Expansion, expanded_size
from backprop_cli.verification.landscape import users
from backprop_cli.verification.report import Comparison, Kink, Oracle, Report, Verdict, Witness
from backprop_cli.verification.rounding import roundings
from backprop_cli.verification.tolerances import (
    AGREEMENT,
    AGREEMENT_OF_DIFFERENCES,
    FORWARD,
    ROUNDING,
    tolerances,
)

Entries: TypeAlias = dict[str, list[int]]  # of each quantity, positions from 0 in the array laid flat

NOT_FINITE = Statement("J is not finite")
AS_WRITTEN = Statement("J, computed as it is written, is not finite")
IMPRECISE = Statement("J is not computed precisely enough")
ROUNDED_COST = Statement("float64 does not hold enough digits of the values that J is computed from")
EXTRAPOLATED = (
    Statement(
        "The differences are extrapolated to a step of 0, from values of J computed in more than double precision."
    )
    if np.finfo(np.longdouble).eps < np.finfo(float).eps
    else Statement("The differences are extrapolated to a step of 0, from values of J computed in double precision.")
)
LARGE = 1e300  # 10 times it is still a number
SAMPLE = Statement("a sample of the entries")
UNCLEAR = Statement("J is not finite, not smooth or not known precisely enough around some entries")
UNWRITTEN = Statement("only parameters and inputs: J written out is long")
NESTED = Statement("J written out is nested too deeply for SymPy")
INFINITE_SLOPE = Statement("the derivative of J written out is not finite at some entries")
NO_LIBRARY = Statement("neither PyTorch nor HIPS autograd is installed")
DIFFERENCES = Statement("central differences")
AUTOMATIC = Statement("automatic differentiation")


@dataclass(frozen=True)
class Limits:
    """How much a verification may do, in single operations; what goes beyond is left out, and the report says so."""

    differences: int = 100_000_000
    precise: int = 300_000  # of the differences, with many digits
    expansion: int = 1_500  # of J written out
    derivatives: int = 25_000  # of all the derivatives of J written out


def verify(
    graph: Graph,
    values: Mapping[str, Array],
    gradients: Mapping[str, Array],
    limits: Limits | None = None,
    library: str | None = "installed",
) -> Report:
    """Compares the gradients of a run with the oracles.

    ``values`` holds every given quantity and, where J is to be checked too, J under its name in the graph;
    ``gradients`` holds dJ/d(quantity), each of the quantity's shape. ``library`` is ``"torch"``, ``"autograd"``, None
    for neither, or whichever is installed. Raises KeyError where a given value is missing.
    """
    given = {q.name: np.asarray(values[q.name], dtype=float) for q in graph.quantities if q.is_given}
    ours = {name: np.asarray(gradient, dtype=float) for name, gradient in gradients.items() if name in graph}
    misshapen = [name for name in ours if ours[name].shape != graph[name].shape]
    right = {name: gradient for name, gradient in ours.items() if name not in misshapen}
    check = _Check(graph, given, right, limits or Limits())
    chosen = automatic.installed() if library == "installed" else library
    oracles = [check.by_differences(), check.by_expansion(), check.by_library(chosen)]
    place = {name: number for number, name in enumerate(ours)}
    comparisons = [_misshapen(graph, name, ours[name]) for name in misshapen]
    comparisons += [comparison for some, _ in oracles for comparison in some]
    return Report(
        cost=check.cost(values),
        comparisons=tuple(sorted(comparisons, key=lambda comparison: place[comparison.quantity])),
        witnesses=tuple(witness for _, witness in oracles),
    )


class _Check:
    """One verification: the gradients, and the differences that say how precise they can be."""

    def __init__(
        self, graph: Graph, given: Mapping[str, Array], gradients: Mapping[str, Array], limits: Limits
    ) -> None:
        self.graph = graph
        self.given = given
        self.gradients = gradients
        self.limits = limits
        self.differences = Differences(graph, given, limits.precise)
        self.entries = self._affordable_entries()
        self.slopes = self.differences.slopes([(name, e) for name, some in self.entries.items() for e in some])
        self.tolerances = tolerances(graph, self.slopes)
        self.confirmed: dict[str, set[int]] = {name: set() for name in gradients}
        self._peaks: dict[str, float] = {}
        self.roundings = roundings(FORWARD, everywhere=False)

    @cached_property
    def rounded(self) -> list[Differences]:
        """The differences with forward values moved as rounding may move them."""
        return [Differences(self.graph, self.given, self.limits.precise, rounding) for rounding in self.roundings]

    @cached_property
    def users(self) -> dict[str, set[str]]:
        return users(self.graph)

    @cached_property
    def cost_spread(self) -> float:
        return self.differences.spread(self.roundings)

    def cost(self, values: Mapping[str, Array]) -> Comparison | None:
        """J itself: the oracles speak of the same function only if they find the same value."""
        name = self.graph.cost
        if name is None or name not in values:
            return None
        value, error = self.differences.cost
        ours = np.asarray(values[name], dtype=float)
        if not isfinite(value):
            reason = AS_WRITTEN if isfinite(ours) else NOT_FINITE
        else:
            reason = IMPRECISE
        theirs = np.array([value if error <= UNCERTAIN * abs(value) + ROUNDING else np.nan])
        allowed = (AGREEMENT + ROUNDING) * np.abs(theirs) + ROUNDING + 10 * error
        opinion = Opinion(Oracle.EVALUATION, [0], theirs, allowed, reason, ROUNDED_COST)

        def spread(entries: Sequence[int]) -> dict[int, float]:
            return dict.fromkeys(entries, self.cost_spread)

        return compared(name, ours, opinion, lambda entries: {}, spread)

    def by_differences(self) -> tuple[list[Comparison], Witness]:
        comparisons = []
        for name, gradient in self.gradients.items():
            entries = self.entries[name]
            slopes = [self.slopes[name, entry] for entry in entries]
            numbers, errors = np.array([s.value for s in slopes]), np.array([s.error for s in slopes])
            allowed = self._allowed(name, entries, numbers, AGREEMENT_OF_DIFFERENCES)
            certain = _certain(numbers, errors, allowed)
            allowed[certain] += 10 * np.minimum(errors[certain], LARGE)
            numbers[~certain] = np.nan
            opinion = Opinion(
                Oracle.DIFFERENCES,
                entries,
                numbers,
                allowed,
                UNCLEAR,
                part=_part(entries, gradient),
                at_kinks={entry: slope.near for entry, slope in zip(entries, slopes, strict=True) if slope.jumps},
            )
            comparisons.append(self._compared(name, opinion))
        return comparisons, Witness(Oracle.DIFFERENCES, DIFFERENCES, EXTRAPOLATED)

    def by_expansion(self) -> tuple[list[Comparison], Witness]:
        size = expanded_size(self.graph)
        if size > self.limits.expansion:
            reason = _too_long(size, self.limits.expansion)
            return [], Witness(Oracle.SYMPY, "SymPy", left_out=reason)
        names = self._worth_expanding(size)
        try:
            expansion = Expansion(self.graph, self.given, names)
            return self._by_expansion(expansion, names, size), Witness(Oracle.SYMPY, "SymPy")
        except RecursionError:
            return [], Witness(Oracle.SYMPY, "SymPy", left_out=NESTED)

    def _by_expansion(self, expansion: Expansion, names: Sequence[str], size: int) -> list[Comparison]:
        comparisons = []
        for name, gradient in self.gradients.items():
            if name not in names:
                left_out = Comparison(name, Oracle.SYMPY, Verdict.LEFT_OUT, gradient.size, note=UNWRITTEN)
                comparisons.append(left_out)
                continue
            entries = _sample(gradient, self.limits.derivatives // max(1, size * len(names)))
            numbers = np.array([expansion.slope(name, entry) for entry in entries])
            opinion = Opinion(
                Oracle.SYMPY,
                entries,
                numbers,
                self._allowed(name, entries, numbers, AGREEMENT),
                INFINITE_SLOPE,
                part=_part(entries, gradient),
            )
            comparisons.append(self._compared(name, opinion))
        return comparisons

    def by_library(self, library: str | None) -> tuple[list[Comparison], Witness]:
        if library is None:
            return [], Witness(Oracle.AUTOMATIC, AUTOMATIC, left_out=NO_LIBRARY)
        title = automatic.LIBRARIES[library]
        theirs = automatic.gradients(self.graph, self.given, list(self.gradients), library)
        comparisons = []
        for name, gradient in self.gradients.items():
            entries = list(range(gradient.size))
            numbers = theirs[name].reshape(-1).astype(np.float64)
            allowed = self._allowed(name, entries, numbers, AGREEMENT)
            numbers[self._refuted(name, numbers, allowed)] = np.nan
            opinion = Opinion(
                Oracle.AUTOMATIC,
                entries,
                numbers,
                allowed,
                Statement(
                    "{library}'s own number is not finite or not precise at some entries: it evaluates the equations "
                    "as they stand, in double precision, and both branches of every choice",
                    library=title,
                ),
            )
            comparisons.append(self._compared(name, opinion))
        return comparisons, Witness(Oracle.AUTOMATIC, title)

    def _refuted(self, name: str, numbers: Array, allowed: Array) -> list[int]:
        """The entries of other numbers at which differences or SymPy confirm ours."""
        ours = self.gradients[name].reshape(-1)
        with np.errstate(invalid="ignore"):
            apart = np.flatnonzero(np.abs(ours - numbers) > allowed).tolist()[:ASKED]
        known = self._known(name, [entry for entry in apart if entry not in self.confirmed[name]])
        found = np.array([slope.value for slope in known.values()])
        margins = self._allowed(name, list(known), found, AGREEMENT_OF_DIFFERENCES)
        confirmed = np.abs(ours[list(known)] - found) <= margins
        agreed = [entry for entry, right in zip(known, confirmed, strict=True) if right]
        return agreed + [entry for entry in apart if entry in self.confirmed[name]]

    def _known(self, name: str, entries: Sequence[int]) -> dict[int, Slope]:
        """The slopes at entries, as far as they are affordable and certain."""
        self._ask(name, entries)
        slopes = {e: self.slopes[name, e] for e in entries if (name, e) in self.slopes}
        numbers, errors = np.array([s.value for s in slopes.values()]), np.array([s.error for s in slopes.values()])
        certain = _certain(numbers, errors, self._allowed(name, list(slopes), numbers, AGREEMENT_OF_DIFFERENCES))
        return {e: slope for (e, slope), is_certain in zip(slopes.items(), certain, strict=True) if is_certain}

    def _ask(self, name: str, entries: Sequence[int]) -> None:
        unknown = [(name, entry) for entry in entries if (name, entry) not in self.slopes]
        self.slopes.update(self.differences.slopes(unknown[: max(1, self._affordable(name, 1))]))

    def _compared(self, name: str, opinion: Opinion) -> Comparison:
        ours = self.gradients[name].reshape(-1)[list(opinion.entries)]
        with np.errstate(invalid="ignore"):
            agreed = np.abs(ours - opinion.numbers) <= opinion.allowed
        self.confirmed[name].update(e for e, right in zip(opinion.entries, agreed, strict=True) if right)
        if not isfinite(self.differences.cost[0]):
            opinion = replace(opinion, doubt=AS_WRITTEN)

        def near_kink(entries: Sequence[int]) -> dict[int, tuple[Kink, ...]]:
            self._ask(name, entries)
            return {e: self.slopes[name, e].near for e in entries if (name, e) in self.slopes}

        return compared(name, self.gradients[name], opinion, near_kink, lambda entries: self._spread(name, entries))

    def _spread(self, name: str, entries: Sequence[int]) -> dict[int, float]:
        """How far rounding moves gradients; infinitely where it takes J, or a number of ours, out of its domain."""
        if not isfinite(self.differences.cost[0]):
            return dict.fromkeys(entries, np.inf)
        known = self._known(name, entries)
        asked = list(known)[: max(1, self._affordable(name, len(self.roundings)))]
        moved = [differences.slopes([(name, entry) for entry in asked]) for differences in self.rounded]
        errors = {e: [abs(some[name, e].value - known[e].value) + some[name, e].error for some in moved] for e in asked}
        forward = {e: max(some) if all(map(isfinite, some)) else np.inf for e, some in errors.items()}
        ours = self.gradients[name].reshape(-1)
        unknown = {e: 0.0 if isfinite(ours[e]) or isfinite(self.cost_spread) else np.inf for e in entries}
        return {e: blur + self._backward(name, e) for e, blur in {**unknown, **forward}.items()}

    def _backward(self, name: str, entry: int) -> float:
        """How far the rounding of local derivatives moves a gradient: 1 - a of a saturated unit is a rounding error.

        A derivative that is not constant is computed from terms as large as what it is the derivative of.
        """
        consumers = self.users[name] & self.gradients.keys()
        cost = set() if self.graph.cost is None else {self.graph.cost}
        chords = self.differences.chords(name, entry, consumers | cost)
        own = max((self._peak(consumer) * chord.bend for consumer, chord in chords.items()), default=0.0)
        inherited = max((chords[c].slope * self._peak_of_backward(c) for c in consumers & chords.keys()), default=0.0)
        return ROUNDING * own + inherited

    def _peak(self, name: str) -> float:
        """The largest slope known of a quantity."""
        sizes = [abs(self.slopes[name, entry].value) for entry in self.entries.get(name, [])]
        return max([size for size in sizes if isfinite(size)], default=1.0 if name == self.graph.cost else 0.0)

    def _peak_of_backward(self, name: str) -> float:
        if name not in self._peaks:
            some = self.entries[name][:: -(-len(self.entries[name]) // ASKED)]
            self._peaks[name] = max((self._backward(name, entry) for entry in some), default=0.0)
        return self._peaks[name]

    def _allowed(self, name: str, entries: Sequence[int], numbers: Array, agreement: float) -> Array:
        ours = np.abs(self.gradients[name].reshape(-1)[list(entries)])
        larger = np.maximum(np.where(np.isfinite(ours), ours, 0.0), np.where(np.isfinite(numbers), np.abs(numbers), 0))
        return self.tolerances.at(name, entries, larger, agreement)

    def _affordable_entries(self) -> Entries:
        """All entries where differences can afford them, else an even sample."""
        parts = max(1, len(self.gradients))
        return {name: _sample(gradient, self._affordable(name, parts)) for name, gradient in self.gradients.items()}

    def _affordable(self, name: str, parts: int) -> int:
        """How many entries of one quantity a part of the limit is enough for."""
        return self.limits.differences // (parts * POINTS * max(1, self.differences.work[name]))

    def _worth_expanding(self, size: int) -> list[str]:
        """Every quantity, or where that is too much only those that J is finally written in."""
        names = list(self.gradients)
        if size * sum(prod(self.graph[name].shape) for name in names) <= self.limits.derivatives:
            return names
        return [name for name in names if self.graph[name].role in (Role.PARAMETER, Role.INPUT)]


def _sample(gradient: Array, most: int) -> list[int]:
    """Up to ``most`` positions, at least one: the largest entry and others evenly spread."""
    size = gradient.size
    if size <= most:
        return list(range(size))
    finite = np.where(np.isfinite(gradient), np.abs(gradient), np.inf)
    spread = np.linspace(0, size - 1, max(1, most)).astype(int).tolist()
    return sorted({int(np.argmax(finite)), *spread[: max(0, most - 1)]})


def _certain(numbers: Array, errors: Array, allowed: Array) -> Array:
    """Which numbers are known well enough to judge others."""
    with np.errstate(invalid="ignore"):
        return np.asarray((errors <= UNCERTAIN * np.abs(numbers)) | (errors <= allowed))


def _too_long(size: int, limit: int) -> str:
    if size < 10**9:
        return Statement("J written out has {size:,} operations, more than {limit:,}", size=size, limit=limit)
    exponent = len(str(size)) - 1
    return Statement(
        "J written out has about 10^{exponent} operations, more than {limit:,}", exponent=exponent, limit=limit
    )


def _part(entries: Sequence[int], gradient: Array) -> str:
    return SAMPLE if len(entries) < gradient.size else ""


def _misshapen(graph: Graph, name: str, gradient: Array) -> Comparison:
    note = Statement(
        "the gradient has shape {shape}, the quantity {expected}", shape=gradient.shape, expected=graph[name].shape
    )
    return Comparison(name, Oracle.DIFFERENCES, Verdict.DISAGREES, gradient.size, note=note)
