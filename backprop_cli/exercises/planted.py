"""A worked solution with one wrong line, from which on everything is computed with the wrong number."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from sympy import Expr

from backprop_cli.errors import BackpropError
from backprop_cli.exercises.choices import DISTRACTORS, REMEMBERED, Distractor, digest
from backprop_cli.exercises.nodes import Node, Nodes, Numbers, Values, evaluated, name_of
from backprop_cli.symbolic.notation import Place
from backprop_cli.translation import tr

PLANTED: Mapping[str, Distractor] = {"wrong_sign": DISTRACTORS["wrong_sign"]}

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


def planted(nodes: Nodes, gradient: Place, given: Values, digits: int, code: str, cell: str) -> Planted:
    """The solution for one gradient with the numbers of one variant. Raises BackpropError where no mistake shows in the
    digits that are asked for."""
    steps, mistakes = _solution(nodes, gradient)
    right = dict(given)
    for node in steps:
        right[node.place] = evaluated(node.formula, right)
    candidates = [
        (digest(code, cell, str(number), mistake), number, mistake, formula)
        for number, mistake, formula in mistakes
        if _shows(evaluated(formula, right), right[steps[number - 1].place], digits)
    ]
    if not candidates:
        message = tr("a mistake in the solution for {name} would not show in {digits} digits")
        raise BackpropError(message.format(name=name_of(gradient), digits=digits))
    _, wrong, mistake, formula = min(candidates, key=lambda one: one[0])
    found = dict(given)
    lines = []
    for number, node in enumerate(steps, start=1):
        shown = formula if number == wrong else node.formula
        found[node.place] = evaluated(shown, found)
        lines.append(Line(number, node.place, shown, found[node.place]))
    return Planted(tuple(lines), wrong, mistake, steps[wrong - 1].formula)


@lru_cache(maxsize=REMEMBERED)
def _solution(nodes: Nodes, gradient: Place) -> tuple[list[Node], list[tuple[int, str, Expr]]]:
    """The lines of the right solution, and every mistake that can be planted: its line, its id and the formula."""
    steps = sorted(nodes.in_order([gradient]), key=lambda node: node.is_gradient)  # the forward pass first
    if len(steps) > MOST_LINES:
        message = tr("the solution for {name} has {number} lines; at most {most} are allowed")
        raise BackpropError(message.format(name=name_of(gradient), number=len(steps), most=MOST_LINES))
    found = [
        (number, mistake, formula)
        for number, node in enumerate(steps, start=1)
        if node.is_gradient
        for mistake, made in PLANTED.items()
        if (formula := made(nodes, node)) is not None
    ]
    return steps, found


def _shows(wrong: Numbers, right: Numbers, digits: int) -> bool:
    return bool(np.all(np.abs(wrong - right) >= 10.0**-digits))
