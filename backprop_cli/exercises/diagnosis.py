"""Which mistake gives a wrong number: the formulas of typical mistakes, evaluated from the student's own numbers.

A mistake may have been made at the step that was answered or at one on the way to it that nobody asked for. All that
come into question are computed at once, one lane of the arrays for each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from backprop_cli.exercises.carrying import Carried, value_and_width
from backprop_cli.exercises.elementary import Numbers
from backprop_cli.exercises.mistakes import MISTAKES, Setting
from backprop_cli.exercises.nodes import Node, NotSingleError, evaluated
from backprop_cli.exercises.tolerances import arriving
from backprop_cli.symbolic.notation import Place

MOST_NODES = 50  # on the way to an answer, the nearest first
MOST_LANES = 2_000


class Suspect(NamedTuple):
    """A mistake at a step: ``formula`` is what was computed there in place of the step's own, ``value`` what it comes
    to from one student's numbers, and ``width`` how far that may be off."""

    mistake: str
    node: Node
    formula: Expr
    value: float = 0.0
    width: float = 0.0


class Diagnosis:
    """The suspects for the cells of one exercise; the formulas of mistakes are made once for each step."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._suspects: dict[Place, tuple[Suspect, ...]] = {}

    def suspects(self, node: Node) -> tuple[Suspect, ...]:
        """Every mistake that can be made at a step, and what comes of it, in the order of the table."""
        if node.place not in self._suspects:
            self._suspects[node.place] = tuple(self._made(node))
        return self._suspects[node.place]

    def _made(self, node: Node) -> Sequence[Suspect]:
        found: list[Suspect] = []
        for mistake in MISTAKES:
            try:
                formulas = mistake.of(self.setting, node)
            except NotSingleError:
                continue
            found.extend(Suspect(mistake.id, node, formula) for formula in formulas)
        return found

    def way_to(self, node: Node, answered: Collection[Place]) -> list[Node]:
        """The nodes between answers and this one that were not answered, each after those it uses, itself last."""
        found: dict[Place, Node] = {node.place: node}
        waiting = [node]
        while waiting and len(found) < MOST_NODES:
            for place in waiting.pop(0).uses:
                other = self.setting.nodes.node(place)
                if other is not None and place not in answered and place not in found:
                    found[place] = other
                    waiting.append(other)
        return [one for one in self.setting.nodes.in_order([node.place]) if one.place in found]

    def found(
        self,
        node: Node,
        answer: float,
        own: Carried,
        answered: Collection[Place],
        digits: Mapping[Place, int],
        usual: int,
    ) -> list[Suspect]:
        """The mistakes that give the answer within what rounding explains, those at the nearest step first.

        ``own`` are one student's numbers, arrays of one number each.
        """
        way = self.way_to(node, answered)
        suspects = [one for step in reversed(way) for one in self.suspects(step)][:MOST_LANES]
        halves = {step.place: 0.5 * 10.0 ** -digits.get(step.place, usual) for step in way}
        values, spread, lanes = self._started(suspects, own, halves)
        moved: dict[Place, Numbers] = {}
        widths: dict[Place, Numbers] = {}
        for step in way:
            here = {**own.values, **moved}
            value = np.broadcast_to(evaluated(step.formula, here), (len(suspects),)).copy()
            width = arriving(step, here, {**own.spread, **widths}) + halves[step.place]
            width = np.broadcast_to(width, (len(suspects),)).copy()
            for lane in lanes.get(step.place, ()):
                value[lane], width[lane] = values[lane], spread[lane]
            moved[step.place], widths[step.place] = value, width
        end, width = moved[node.place], widths[node.place]
        expected, allowed = float(own.expected[node.place].reshape(-1)[0]), own.widths[node.place].reshape(-1)[0]
        with np.errstate(all="ignore"):
            agrees = (np.abs(end - answer) <= width) & (np.abs(end - expected) > allowed)
        return [
            one._replace(value=float(values[lane]), width=float(spread[lane]))
            for lane, one in enumerate(suspects)
            if agrees[lane]
        ]

    def _started(
        self, suspects: Sequence[Suspect], own: Carried, halves: Mapping[Place, float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[Place, list[int]]]:
        """What each suspect's formula comes to, how far it may be off, and the lanes of each step's suspects."""
        values = np.full(len(suspects), np.nan)
        spread = np.zeros(len(suspects))
        lanes: dict[Place, list[int]] = {}
        known, known_spread = dict(own.values), dict(own.spread)
        for lane, one in enumerate(suspects):
            self._complete(one.formula, known, known_spread)
            half = halves[one.node.place]
            values[lane], spread[lane] = value_and_width(one.formula, known, known_spread, half)
            lanes.setdefault(one.node.place, []).append(lane)
        return values, spread, lanes

    def _complete(self, formula: Expr, known: dict[Place, Numbers], spread: dict[Place, Numbers]) -> None:
        """Add the numbers that a mistaken formula reads and that the right solution did not."""
        for node in self.setting.nodes.in_order(formula.atoms(Place) - known.keys()):
            if node.place not in known:
                known[node.place] = evaluated(node.formula, known)
                spread[node.place] = arriving(node, known, spread)


def ids(suspects: Sequence[Suspect]) -> tuple[str, ...]:
    """The mistakes among suspects, in the order of the table."""
    named = {one.mistake for one in suspects}
    return tuple(mistake.id for mistake in MISTAKES if mistake.id in named)
