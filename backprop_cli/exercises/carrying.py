"""Error carried forward: every number recomputed from the numbers that the student wrote down before it.

All students of a class are computed at once: a value is an array with one number for each of them. Where a student has
answered, the answer goes on into what follows; where not, what comes out of the student's own earlier numbers does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from sympy import Expr

from backprop_cli.exercises.elementary import Numbers
from backprop_cli.exercises.nodes import Node, Values, evaluated
from backprop_cli.exercises.tolerances import SLACK, arriving, derivative
from backprop_cli.symbolic.notation import Place, places

ZERO = np.zeros(())


class Carried(NamedTuple):
    """``expected`` is what a place comes to from the student's own numbers, and ``widths`` how far an answer there may
    be off; ``values`` are the numbers the student goes on with, and ``spread`` how far they may be from what was
    written."""

    expected: dict[Place, Numbers]
    widths: dict[Place, Numbers]
    values: dict[Place, Numbers]
    spread: dict[Place, Numbers]


class Inferred(NamedTuple):
    """A number at a step that was not asked for, known from what came of it, and how far it may be off."""

    value: float
    width: float


def carried(
    order: Sequence[Node],
    given: Values,
    answers: Mapping[Place, Numbers],
    digits: Mapping[Place, int],
    usual: int,
    inferred: Mapping[Place, Inferred] | None = None,
) -> Carried:
    """Every node of ``order`` from the students' ``answers`` (nan: none), each written with ``digits`` after the point,
    numbers that were not asked with the ``usual`` ones.

    A student may go on with the number as written or with that of the calculator, so an answer is known to half a unit
    of its last digit. ``inferred`` are numbers of one student alone.
    """
    found = Carried({}, {}, dict(given), {})
    for node in order:
        place = node.place
        half = 0.5 * 10.0 ** -digits.get(place, usual)
        value = evaluated(node.formula, found.values)
        width = arriving(node, found.values, found.spread) + half
        found.expected[place], found.widths[place] = value, width
        own = answers.get(place)
        known = (inferred or {}).get(place)
        if known is not None:
            found.values[place], found.spread[place] = np.asarray([known.value]), np.asarray([known.width])
        elif own is None:
            found.values[place], found.spread[place] = value, width
        else:
            is_answered = np.isfinite(own)
            found.values[place] = np.where(is_answered, own, value)
            found.spread[place] = np.where(is_answered, half, width)
    return found


def value_and_width(formula: Expr, values: Values, spread: Mapping[Place, Numbers], half: float) -> tuple[float, float]:
    """What a formula comes to from one student's numbers, and how far that may be off, found by moving each number in
    it both ways: for formulas that are computed once only, whose derivatives are not worth working out."""
    numbers = {place: _only(values[place]) for place in places(formula)}
    moved = [(place, width) for place in numbers if (width := _only(spread.get(place, ZERO))) > 0]
    lanes = {place: np.full(2 * len(moved) + 1, number) for place, number in numbers.items()}
    for at, (place, width) in enumerate(moved):
        lanes[place][2 * at + 1] += width
        lanes[place][2 * at + 2] -= width
    found = np.broadcast_to(evaluated(formula, lanes), (2 * len(moved) + 1,))
    apart = np.abs(found[1:] - found[0]).reshape(-1, 2)
    return float(found[0]), float((half + np.fmax(apart[:, 0], apart[:, 1]).sum()) * (1 + SLACK))


def _only(number: Numbers) -> float:
    return float(np.asarray(number).reshape(-1)[0])


def becomes_trivial(node: Node, values: Values, right: Values, negligible: float) -> Numbers:
    """Where a node's formula has lost what it depends on: it comes to 0, or one of its numbers no longer matters,
    though with the right numbers it would."""
    here, there = np.abs(evaluated(node.formula, values)), np.abs(evaluated(node.formula, right))
    found = (here < negligible) & (there >= negligible)
    for place in node.uses:
        slope = derivative(node.formula, place)
        if slope.has(Place):
            lost = (np.abs(evaluated(slope, values)) == 0) & (np.abs(evaluated(slope, right)) > 0)
            found = found | lost
    return np.asarray(found)
