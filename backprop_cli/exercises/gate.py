"""What makes the numbers of a variant unfit for an exercise: checked for many variants at once.

A unit that is dead or saturated passes nothing back, a tie at a kink makes the slope a matter of convention, an answer
that vanishes in the digits asked for or is exactly 0 asks for nothing, and a typical mistake must not give the right
answer. What no numbers can change is let pass: the gradient of a class that a sample does not have is 0, and the only
path on which anything arrives is the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import partial, reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from backprop_cli.exercises.elementary import Numbers
from backprop_cli.exercises.nodes import Node, Values, evaluated
from backprop_cli.library.functions import FUNCTIONS
from backprop_cli.symbolic.functions import LibraryFunction
from backprop_cli.symbolic.notation import Compare, Place

SATURATED = 0.02  # a smaller slope than this passes next to nothing back
LEAST_UNITS = 5  # of the last digit that an answer must have
LARGEST_DENOMINATOR = 64  # of an exact answer
LARGEST_NUMERATOR = 9999
EXACT = 1e-9  # relative, for the rounding of floating point

SAME = 1e-9  # relative

Mask = NDArray[np.bool_]
Mutations = Callable[[Node], Iterable[tuple[str, Expr]]]


class Reason(StrEnum):
    """Why a variant is rejected, in the order in which the reasons are looked for."""

    NOT_FINITE = "not finite"
    DEAD = "dead unit"
    SATURATED = "saturated unit"
    TIE = "tie at a kink"
    ZERO = "answer is exactly 0"
    VANISHING = "answer vanishes in the digits"
    LONG = "answer is a long fraction"
    MISTAKE = "a typical mistake gives the right answer"
    ALIKE = "same numbers as another variant"


class Verdicts(NamedTuple):
    """``masks``: for each reason the variants that it applies to. ``culprits``: how many variants it applies to because
    of which number."""

    masks: dict[Reason, Mask]
    culprits: dict[Reason, Counter[Place]]


def judged(
    nodes: Sequence[Node],
    asked: Sequence[Place],
    values: Values,
    tolerances: Mapping[Place, Numbers],
    digits: int,
    count: int,
    mutations: Mutations | None = None,
    fixed: Mapping[Place, float] = {},
    exact: bool = False,
    elsewhere: Callable[[], Sequence[Values]] | None = None,
) -> Verdicts:
    """What speaks against each of ``count`` variants. ``nodes`` are all that the ``asked`` places build on;
    ``mutations`` gives the formulas of typical mistakes at a node, ``fixed`` are tolerances that were set, ``exact``
    asks for fractions. ``elsewhere`` gives the values of the same variants with other numbers for all but class numbers
    and the like: what is so with all of them cannot be changed."""
    unit = 10.0**-digits
    found = Verdicts({}, {})

    def look(reason: Reason, masks: Iterable[tuple[Place, Numbers | Mask]]) -> None:
        total, culprits = np.zeros(count, dtype=bool), Counter[Place]()
        for place, some in masks:
            mask = np.broadcast_to(np.asarray(some, dtype=bool), (count,))
            if mask.any():
                total |= mask
                culprits[place] += int(mask.sum())
        found.masks[reason], found.culprits[reason] = total, culprits

    def avoidable(mask: Numbers | Mask, here: Callable[[Values], Numbers | Mask]) -> Mask:
        """The mask without what is so elsewhere."""
        some = np.asarray(mask, dtype=bool)
        if elsewhere is None or not some.any():
            return some
        cannot_change = reduce(np.logical_and, (np.asarray(here(values), dtype=bool) for values in elsewhere()))
        return np.asarray(some & ~cannot_change)

    slopes = [
        (node.place, slope, evaluated(one.local, values))
        for node in nodes
        for one in node.contributions
        if (slope := one.edge.derivative.slope) is not None
    ]
    bent = [is_kinked(slope.function) for _, slope, _ in slopes]
    look(
        Reason.NOT_FINITE,
        (
            (node.place, ~np.isfinite(numbers))
            for node in nodes
            for numbers in (values[node.place], tolerances.get(node.place, 0.0))
        ),
    )
    look(
        Reason.DEAD,
        ((place, value == 0) for (place, _, value), is_bent in zip(slopes, bent, strict=True) if is_bent),
    )
    look(
        Reason.SATURATED,
        (
            (place, np.abs(value) < SATURATED)
            for (place, _, value), is_bent in zip(slopes, bent, strict=True)
            if not is_bent
        ),
    )
    look(
        Reason.TIE,
        ((node.place, np.abs(distance) < unit) for node in nodes for distance in _distances(node, values)),
    )
    zeros = {place: avoidable(values[place] == 0, partial(_is_zero, place)) for place in asked}
    look(Reason.ZERO, zeros.items())
    look(
        Reason.VANISHING,
        (
            (place, (size < max(LEAST_UNITS * unit, 2 * fixed.get(place, 0.0))) & ((size > 0) | zeros[place]))
            for place in asked
            for size in [np.abs(values[place])]
        ),
    )
    if exact:
        look(Reason.LONG, ((place, _is_long(values[place])) for place in asked))
    if mutations is not None:
        by_place = {node.place: node for node in nodes}
        look(
            Reason.MISTAKE,
            (
                (place, avoidable(_is_close(formula, place, values, 2 * width), partial(_is_same, formula, place)))
                for place in asked
                if place in by_place
                for width in [np.fmax(tolerances[place], fixed.get(place, 0.0))]
                for _, formula in mutations(by_place[place])
            ),
        )
    return found


def _is_zero(place: Place, values: Values) -> Mask:
    return np.asarray(values[place] == 0)


def _is_close(formula: Expr, place: Place, values: Values, width: Numbers) -> Mask:
    return np.asarray(np.abs(evaluated(formula, values) - values[place]) <= width)


def _is_same(formula: Expr, place: Place, values: Values) -> Mask:
    return _is_close(formula, place, values, SAME * np.abs(values[place]))


def is_kinked(function: str) -> bool:
    """Whether a function is made of pieces like relu."""
    return function in FUNCTIONS and FUNCTIONS[function].kink is not None


def _is_long(value: Numbers) -> Mask:
    """Whether a number is no fraction of small numbers."""
    is_short = np.zeros(value.shape, dtype=bool)
    for denominator in range(1, LARGEST_DENOMINATOR + 1):
        numerator = np.round(value * denominator)
        is_this = np.abs(value * denominator - numerator) <= EXACT * np.fmax(1.0, np.abs(numerator))
        is_short |= is_this & (np.abs(numerator) <= LARGEST_NUMERATOR)
    return ~is_short


def _distances(node: Node, values: Values) -> Iterable[Numbers]:
    """How far the numbers of a node are from each kink in its formula."""
    for function in node.formula.atoms(LibraryFunction):
        if function.entry.kink is not None and len(function.args) == 1:
            yield evaluated(function.args[0], values)
        elif function.entry.kink is not None:
            yield evaluated(function.args[0] - function.args[1], values)
    for comparison in node.formula.atoms(Compare):
        if comparison.has(Place) and comparison.operator not in ("==", "!="):
            yield evaluated(comparison.left - comparison.right, values)
