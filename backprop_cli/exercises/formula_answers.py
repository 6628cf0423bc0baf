"""Formulas as answers: compared with the right one at many random points, and where they differ, how.

The points are random numbers for what is given; all other quantities follow by the network's equations, so two ways to
write the same slope agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sympy import Add, Expr, Mul, Rational, S

from backprop_cli.errors import BackpropError
from backprop_cli.exercises.diagnosis import Diagnosis
from backprop_cli.exercises.elementary import Numbers
from backprop_cli.exercises.formula_reading import UnreadableError, read
from backprop_cli.exercises.key import Cell
from backprop_cli.exercises.marks import Difference, DifferenceKind, Mark, Verdict
from backprop_cli.exercises.nodes import Nodes, Values, evaluated
from backprop_cli.symbolic.graph import Role
from backprop_cli.symbolic.notation import Adjoint, Place, places
from backprop_cli.translation import tr

POINTS = 20
SEED = 20
CLOSE = 1e-7
LARGEST_DENOMINATOR = 1_000
MOST_STEPS = 10  # on the way to what is asked for, at which a mistake is looked for
MOST_PARTS = 40  # terms and factors of the right formula that are tried
FORMULA = "formula "  # in the id of a cell, before what the formula is of

Points = NDArray[np.float64]


class FormulaJudge:
    """Compares formulas over one network. ``as_typed`` turns the notation of a sheet into the equation language."""

    def __init__(self, diagnosis: Diagnosis, as_typed: Callable[[str], str] = str) -> None:
        self.diagnosis, self.as_typed = diagnosis, as_typed
        self.nodes: Nodes = diagnosis.setting.nodes
        self._right: dict[str, Expr] = {}

    def mark(self, cell: Cell, text: str, given: Values) -> Mark:
        """The mark of an answer; ``given`` are the numbers of the student's variant, whose signs the points keep."""
        try:
            answer = read(self.as_typed(text), self.nodes)
        except UnreadableError as error:
            return Mark(cell, text, Verdict.WRONG, difference=Difference(DifferenceKind.UNREADABLE, text=str(error)))
        target = self._target(cell)
        if target is not None and answer.has(target):
            return Mark(cell, text, Verdict.WRONG, difference=Difference(DifferenceKind.ITSELF))
        right = self.right(cell)
        points = self._at_points(given)
        ours, theirs = self._values(right, points), self._values(answer, points)
        if _same(ours, theirs):
            if answer.has(Adjoint) and not right.has(Adjoint):
                return Mark(cell, text, Verdict.FLAGGED, difference=Difference(DifferenceKind.GRADIENTS))
            return Mark(cell, text, Verdict.RIGHT)
        if put_in := self._numbers_put_in(right, answer, given):
            return Mark(cell, text, Verdict.FLAGGED, difference=Difference(DifferenceKind.NUMBERS, places=put_in))
        mistakes = self._mistakes(target, theirs, points)
        node = None if target is None else self.nodes.node(target)
        difference = self._difference(right, ours, theirs, points)
        return Mark(cell, text, Verdict.WRONG, mistakes, node if mistakes else None, difference)

    def right(self, cell: Cell) -> Expr:
        """The key's own formula. Raises BackpropError for what is none."""
        text = str(cell.value)
        try:
            if text not in self._right:
                self._right[text] = read(text, self.nodes)
            return self._right[text]
        except UnreadableError as error:
            message = tr("the key's formula for {cell} cannot be read: {reason}")
            raise BackpropError(message.format(cell=cell.id, reason=error)) from None

    def _target(self, cell: Cell) -> Place | None:
        try:
            return self.nodes.place(cell.id.removeprefix(FORMULA))
        except (KeyError, ValueError):
            return None

    def _at_points(self, given: Values) -> dict[Place, Numbers]:
        """Random numbers near those of the variant, and 0 to 1 where it has 0; what is no number to vary stays."""
        rng = np.random.default_rng(SEED)
        found: dict[Place, Numbers] = {}
        for place, number in given.items():
            value = float(np.asarray(number).reshape(-1)[0])
            factors = rng.uniform(0.3, 1.7, POINTS)
            varies = self.nodes.graph[place.name].role is not Role.CONSTANT
            found[place] = np.full(POINTS, value) if not varies else factors * (value or 1.0)
        return found

    def _numbers_put_in(self, right: Expr, answer: Expr, given: Values) -> tuple[Place, ...]:
        """The given quantities in place of which the answer has the variant's numbers: with those it is right, whatever
        the other quantities are. None where it is not, and where it is but a number."""
        missing = [place for place in self._given_in(right, given) if not answer.has(place)]
        if not answer.has(Place) or not self._agree(right, answer, given, missing):
            return ()
        for place in tuple(missing):
            fewer = [other for other in missing if other != place]
            if self._agree(right, answer, given, fewer):
                missing = fewer
        return tuple(missing)

    def _agree(self, right: Expr, answer: Expr, given: Values, fixed: Sequence[Place]) -> bool:
        """Whether two formulas agree with the variant's own numbers for some of what is given, and any for the rest."""
        points = self._at_points(given)
        for place in fixed:
            points[place] = np.full(POINTS, float(np.asarray(given[place]).reshape(-1)[0]))
        return bool(fixed) and _same(self._values(right, points), self._values(answer, points))

    def _given_in(self, formula: Expr, given: Values) -> Iterator[Place]:
        """The given quantities of a formula, and of the gradients in it."""
        waiting, seen = [*places(formula)], set[Place]()
        while waiting:
            place = waiting.pop(0)
            if place in seen:
                continue
            seen.add(place)
            if place in given:
                yield place
            elif isinstance(place, Adjoint) and (node := self.nodes.node(place)) is not None:
                waiting.extend(node.uses)

    def _values(self, formula: Expr, points: dict[Place, Numbers]) -> Points:
        for node in self.nodes.in_order(sorted(formula.atoms(Place) - points.keys(), key=str)):
            if node.place not in points:
                points[node.place] = evaluated(node.formula, points)
        return np.broadcast_to(evaluated(formula, points), (POINTS,))

    def _mistakes(self, target: Place | None, theirs: Points, points: dict[Place, Numbers]) -> tuple[str, ...]:
        """The mistakes that give the answer at the step that is asked for, or else at a gradient on the way to it."""
        if target is None or self.nodes.node(target) is None:
            return ()
        self._values(target, points)
        order = self.nodes.in_order([target])
        way = [node for node in order if node.is_gradient == order[-1].is_gradient][-MOST_STEPS:]
        for at in reversed(range(len(way))):
            found = []
            for one in self.diagnosis.suspects(way[at]):
                if one.mistake in found:
                    continue
                moved = {**points, way[at].place: self._values(one.formula, points)}
                for node in way[at + 1 :]:
                    moved[node.place] = evaluated(node.formula, moved)
                if _same(np.broadcast_to(moved[target], (POINTS,)), theirs):
                    found.append(one.mistake)
            if found:
                return tuple(found)
        return ()

    def _difference(self, right: Expr, ours: Points, theirs: Points, points: dict[Place, Numbers]) -> Difference | None:
        """By what factor or term the answer is off, where it is one that can be read off the right formula."""
        for factor in _tried_factors(right):
            if _same(ours * self._values(factor, points), theirs):
                return Difference(DifferenceKind.FACTOR, factor)
        with np.errstate(all="ignore"):
            number = _number(theirs / ours)
            if number is not None:
                return Difference(DifferenceKind.FACTOR, number)
            terms = [*_tried_terms(right), *filter(None, (_number(theirs - ours),))]
        for term in terms:
            if _same(ours + self._values(term, points), theirs):
                return Difference(DifferenceKind.TERM, term)
        return None


def _same(ours: Points, theirs: Points) -> bool:
    """Whether two formulas agree wherever both have a value; not where that is nowhere."""
    known = np.isfinite(ours) & np.isfinite(theirs)
    if not known.any() or (np.isfinite(ours) & ~np.isfinite(theirs)).any():
        return False
    allowed = CLOSE * np.maximum(np.abs(ours), np.abs(theirs)) + 1e-12
    return bool((np.abs(ours - theirs) <= allowed)[known].all())


def _number(values: Points) -> Rational | None:
    """The simple fraction, other than 0, that all of these are."""
    known = values[np.isfinite(values)]
    if known.size < POINTS // 2:
        return None
    number = Rational(float(np.median(known))).limit_denominator(LARGEST_DENOMINATOR)
    if number == 0 or abs(number) > LARGEST_DENOMINATOR or not _same(known, np.full(known.shape, float(number))):
        return None
    return number


def _tried_factors(right: Expr) -> Iterator[Expr]:
    """A factor left out, or put twice."""
    for factor in Mul.make_args(right)[:MOST_PARTS]:
        if not factor.is_Number:
            yield 1 / factor
            yield factor
    yield S.NegativeOne


def _tried_terms(right: Expr) -> Iterator[Expr]:
    """A term left out, with the wrong sign, or put twice."""
    for term in Add.make_args(right.expand() if right.count_ops() < LARGEST_DENOMINATOR else right)[:MOST_PARTS]:
        yield from (-term, -2 * term, term)
