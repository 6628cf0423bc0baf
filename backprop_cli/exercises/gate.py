"""What makes the numbers of a variant unfit for an exercise: checked for many variants at once.

A unit that is dead or saturated passes nothing back, a tie at a kink makes the slope a matter of convention, an answer
that vanishes in the digits asked for or is exactly 0 asks for nothing, and a typical mistake must not give the right
answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

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


def rejected(
    nodes: Sequence[Node],
    asked: Sequence[Place],
    values: Values,
    tolerances: Mapping[Place, Numbers],
    digits: int,
    count: int,
    mutations: Mutations | None = None,
    fixed: Mapping[Place, float] = {},
    exact: bool = False,
) -> dict[Reason, Mask]:
    """For each reason the variants that it applies to, of ``count``. ``nodes`` are all that the ``asked`` places build
    on; ``mutations`` gives the formulas of typical mistakes at a node, ``fixed`` are tolerances that were set,
    ``exact`` asks for fractions."""
    unit = 10.0**-digits

    def any_of(masks: Iterable[Numbers | Mask]) -> Mask:
        total = np.zeros(count, dtype=bool)
        for mask in masks:
            total |= np.broadcast_to(np.asarray(mask, dtype=bool), (count,))
        return total

    slopes = [
        (slope, evaluated(one.local, values))
        for node in nodes
        for one in node.contributions
        if (slope := one.edge.derivative.slope) is not None
    ]
    bent = [is_kinked(slope.function) for slope, _ in slopes]
    found = {
        Reason.NOT_FINITE: any_of(
            ~np.isfinite(numbers) for node in nodes for numbers in (values[node.place], tolerances.get(node.place, 0.0))
        ),
        Reason.DEAD: any_of(value == 0 for (_, value), is_bent in zip(slopes, bent, strict=True) if is_bent),
        Reason.SATURATED: any_of(
            np.abs(value) < SATURATED for (_, value), is_bent in zip(slopes, bent, strict=True) if not is_bent
        ),
        Reason.TIE: any_of(np.abs(distance) < unit for node in nodes for distance in _distances(node, values)),
        Reason.ZERO: any_of(values[place] == 0 for place in asked),
        Reason.VANISHING: any_of(
            np.abs(values[place]) < max(LEAST_UNITS * unit, 2 * fixed.get(place, 0.0)) for place in asked
        ),
    }
    if exact:
        found[Reason.LONG] = any_of(_is_long(values[place]) for place in asked)
    if mutations is not None:
        by_place = {node.place: node for node in nodes}
        found[Reason.MISTAKE] = any_of(
            np.abs(evaluated(formula, values) - values[place]) <= 2 * np.fmax(tolerances[place], fixed.get(place, 0.0))
            for place in asked
            if place in by_place
            for _, formula in mutations(by_place[place])
        )
    return found


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
