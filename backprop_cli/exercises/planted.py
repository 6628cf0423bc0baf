"""A worked solution with one wrong line, from which on everything is computed with the wrong number.

Every line is computed from the numbers that stand on the lines before it, rounded as the sheet asks for.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import numpy as np
from sympy import Expr

from backprop_cli.errors import BackpropError
from backprop_cli.exercises.choices import REMEMBERED, digest
from backprop_cli.exercises.elementary import Numbers
from backprop_cli.exercises.ids import name_of
from backprop_cli.exercises.mistakes import MISTAKES, Setting
from backprop_cli.exercises.nodes import Node, Nodes, Values, evaluated
from backprop_cli.symbolic.notation import Place, places
from backprop_cli.translation import tr

NOT_PLANTED = ("updated_too_early", "bias_forgotten", "forward_slip")  # mistakes of updates and of the forward pass

MOST_LINES = 80


class Line(NamedTuple):
    """``place = formula = value``, one line of a solution; ``number`` counts from 1."""

    number: int
    place: Place
    formula: Expr
    value: Numbers


class Planted(NamedTuple):
    """The lines of a solution, the number of the wrong one, what is wrong with it, and its right formula."""

    lines: tuple[Line, ...]
    wrong: int
    mistake: str
    right: Expr


def planted(
    nodes: Nodes, gradient: Place, given: Values, digits: int, code: str, cell: str, *, exact: bool = False
) -> Planted:
    """The solution for one gradient with the numbers of one variant; ``exact`` rounds nothing. Raises BackpropError
    where no mistake shows in the digits that are asked for."""

    def written(formula: Expr, values: Values) -> Numbers:
        value = evaluated(formula, values)
        return value if exact else np.asarray(np.round(value, digits) + 0.0)

    steps, mistakes = _solution(nodes, gradient)
    right = dict(given)
    for node in steps:
        right[node.place] = written(node.formula, right)
    candidates = [
        (digest(code, cell, str(number), mistake), number, mistake, formula)
        for number, mistake, formula in mistakes
        if _shows(written(formula, right), right[steps[number - 1].place], digits)
    ]
    if not candidates:
        message = tr("a mistake in the solution for {name} would not show in {digits} digits")
        raise BackpropError(message.format(name=name_of(gradient), digits=digits))
    _, wrong, mistake, formula = min(candidates, key=lambda one: one[0])
    found = dict(given)
    lines = []
    for number, node in enumerate(steps, start=1):
        shown = formula if number == wrong else node.formula
        found[node.place] = written(shown, found)
        lines.append(Line(number, node.place, shown, found[node.place]))
    return Planted(tuple(lines), wrong, mistake, steps[wrong - 1].formula)


@lru_cache(maxsize=REMEMBERED)
def _solution(nodes: Nodes, gradient: Place) -> tuple[list[Node], list[tuple[int, str, Expr]]]:
    """The lines of the right solution, and every mistake that can be planted: its line, its id and the formula."""
    steps = sorted(nodes.in_order([gradient]), key=lambda node: node.is_gradient)  # the forward pass first
    if len(steps) > MOST_LINES:
        message = tr("the solution for {name} has {number} lines; at most {most} are allowed")
        raise BackpropError(message.format(name=name_of(gradient), number=len(steps), most=MOST_LINES))
    found: list[tuple[int, str, Expr]] = []
    known: set[Place] = set()
    for number, node in enumerate(steps, start=1):
        for mistake in MISTAKES if node.is_gradient else ():
            if mistake.id not in NOT_PLANTED:
                wrong = (one for one in mistake.of(Setting(nodes), node) if _is_known(nodes, one, known))
                found.extend((number, mistake.id, formula) for formula in islice(wrong, 1))
        known.add(node.place)
    return steps, found


def _is_known(nodes: Nodes, formula: Expr, known: Collection[Place]) -> bool:
    """Whether everything in a formula is given or stands on an earlier line."""
    return all(place in known or nodes.node(place) is None for place in places(formula))


def _shows(wrong: Numbers, right: Numbers, digits: int) -> bool:
    return bool(np.all(np.abs(wrong - right) >= 1.5 * 10.0**-digits))
