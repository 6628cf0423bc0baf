"""Grading: right, right from the student's own numbers, or wrong, and by which mistake.

Full points go to every step that is consistent with the steps before it. Where a wrong number betrays a slip at a step
that was not asked for, what follows is held against the number that the slip gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sympy import Rational

from backprop_cli.errors import BackpropError
from backprop_cli.exercises.carrying import Carried, Inferred, becomes_trivial, carried
from backprop_cli.exercises.diagnosis import Diagnosis, Suspect, ids
from backprop_cli.exercises.elementary import Numbers
from backprop_cli.exercises.formula_answers import FormulaJudge
from backprop_cli.exercises.key import Cell, CellKind, Key, Variant
from backprop_cli.exercises.look_ups import look_ups
from backprop_cli.exercises.marks import Difference, DifferenceKind, Mark, Marked, Report, Submission, Verdict
from backprop_cli.exercises.mistake_wording import SENTENCES
from backprop_cli.exercises.mistakes import Setting
from backprop_cli.exercises.nodes import PATH, UPDATED, Nodes, given_values
from backprop_cli.exercises.rounding import ROUNDED, is_telling, rounded_to
from backprop_cli.exercises.tolerances import SLACK, is_too_strict
from backprop_cli.exercises.written_ids import without_name
from backprop_cli.exercises.written_numbers import is_blank, number_of
from backprop_cli.symbolic.derivation import derive
from backprop_cli.symbolic.graph import Graph
from backprop_cli.symbolic.notation import Adjoint, Place
from backprop_cli.translation import tr

UNREADABLE = Difference(DifferenceKind.UNREADABLE)
EXACT_DIGITS = 9  # after the point, to which an exact answer may be typed as a decimal
MOST_TRIED = 4  # slips at steps not asked for that are tried on the cells after them


def grade(key: Key, graph: Graph, submissions: Sequence[Submission], as_typed: Callable[[str], str] = str) -> Report:
    """The marks of every submission, whose cells are those of the key. ``graph`` is the key's network, ``as_typed``
    turns the notation of its sheets into the equation language. Of a variant that the key does not have all is missing.

    Raises BackpropError where the key asks for numbers that the network does not have.
    """
    given = key.variants[0].given if key.variants else {}
    known = [name for name in given if graph[name].definition is not None]
    grading = _Grading(key, Nodes(graph, derive(graph), look_ups(graph, given), known), as_typed)
    with np.errstate(all="ignore"):  # what is no number agrees with no answer
        return Report(key.title, grading.marked(submissions))


class _Grading:
    def __init__(self, key: Key, nodes: Nodes, as_typed: Callable[[str], str]) -> None:
        self.key, self.nodes = key, nodes
        self.rate = Rational(str(key.learning_rate))
        self.diagnosis = Diagnosis(Setting(nodes, self.rate))
        self.formulas = FormulaJudge(self.diagnosis, as_typed)
        self.variants = {variant.id: variant for variant in key.variants}
        cells = [cell for variant in key.variants for cell in variant.cells]
        for cell in {cell.value: cell for cell in cells if cell.kind is CellKind.FORMULA}.values():
            self.formulas.right(cell)  # a key that cannot be used is told before anything is marked with it
        numbers = [cell for cell in cells if cell.kind is CellKind.NUMBER]
        exact = {cell.id for cell in numbers if is_too_strict(cell.tolerance, cell.digits)}
        self.digits_of = {cell.id: EXACT_DIGITS if cell.id in exact else cell.digits for cell in numbers}
        self.usual = EXACT_DIGITS if exact else key.digits
        self.places = {name: self._place(name) for name in self.digits_of}
        self._let_paths_add_up()
        self.order = nodes.in_order(self.places.values())
        self.rank = {node.place: at for at, node in enumerate(self.order)}
        self.digits = {place: self.digits_of[name] for name, place in self.places.items()}

    def _place(self, name: str) -> Place:
        try:
            if name.startswith(UPDATED):
                return self.nodes.updated(self.nodes.place(name.removeprefix(UPDATED)), self.rate)
            if name.startswith(PATH):
                number, _, of = name.removeprefix(PATH).partition(" of ")
                gradient = self.nodes.place(of)
                if isinstance(gradient, Adjoint):
                    return self.nodes.path(gradient, int(number))
            return self.nodes.place(name)
        except (KeyError, ValueError):
            message = tr("the key asks for {cell}, which its network does not have")
            raise BackpropError(message.format(cell=name)) from None

    def _let_paths_add_up(self) -> None:
        paths: dict[Adjoint, dict[int, Place]] = {}
        for name, place in self.places.items():
            if name.startswith(PATH):
                number, _, of = name.removeprefix(PATH).partition(" of ")
                gradient = self.nodes.place(of)
                assert isinstance(gradient, Adjoint)
                paths.setdefault(gradient, {})[int(number)] = place
        for gradient, some in paths.items():
            self.nodes.by_paths(gradient, some)

    def marked(self, submissions: Sequence[Submission]) -> list[Marked]:
        if not submissions:
            return []
        variants = [self.variants.get(one.variant, self.key.variants[0]) for one in submissions]
        given = given_values(self.nodes.graph, _stacked(variants))
        read = [
            {name: number_of(without_name(name, text)) for name, text in one.answers.items()} for one in submissions
        ]
        answers = {
            place: np.array([np.nan if (n := one.get(name)) is None else n for one in read])
            for name, place in self.places.items()
        }
        right = self.nodes.values(given, self.places.values())
        own = carried(self.order, given, answers, self.digits, self.usual)
        result = []
        for at, (one, variant) in enumerate(zip(submissions, variants, strict=True)):
            student = _Student(
                self, variant, one, {p: a[at] for p, a in answers.items()}, _lane(right, at), _lane(given, at)
            )
            result.append(student.marked(Carried(*(_lane(part, at) for part in own))))
        return result


class _Student:
    """One student's sheet. ``answers`` are numbers by place, nan where there is none; ``right`` are the right ones."""

    def __init__(
        self,
        grading: _Grading,
        variant: Variant,
        submission: Submission,
        answers: Mapping[Place, float],
        right: Mapping[Place, Numbers],
        given: Mapping[Place, Numbers],
    ) -> None:
        self.grading, self.variant, self.submission = grading, variant, submission
        self.answers, self.right, self.given = answers, right, given
        self.answered = {place for place, number in answers.items() if np.isfinite(number)}

    def marked(self, own: Carried) -> Marked:
        numbers = [cell for cell in self.variant.cells if cell.kind is CellKind.NUMBER]
        numbers.sort(key=lambda cell: self.grading.rank.get(self.grading.places[cell.id], -1))
        marks: dict[str, Mark] = {}
        inferred: dict[Place, Inferred] = {}
        for at, cell in enumerate(numbers):
            mark = self._number(cell, own, marks)
            if mark.verdict is Verdict.WRONG and mark.difference is None:
                mark, suspects = self._diagnosed(cell, mark, own)
                own = self._inferring(suspects, numbers[at + 1 :], own, inferred)
            marks[cell.id] = mark
        for cell in self.variant.cells:
            if cell.kind is not CellKind.NUMBER:
                marks[cell.id] = self._other(cell)
        ordered = tuple(self._complete(marks[cell.id]) for cell in self.variant.cells)
        return Marked(self.submission.student, self.submission.variant, ordered)

    def _complete(self, mark: Mark) -> Mark:
        """The mark with the answer as it was written, beside the right one."""
        cell = mark.cell
        right = self.grading.formulas.right(cell) if cell.kind is CellKind.FORMULA else None
        text = "" if mark.verdict is Verdict.MISSING else self.submission.answers[cell.id].strip()
        return mark._replace(text=text, right=right)

    def _number(self, cell: Cell, own: Carried, marks: Mapping[str, Mark]) -> Mark:
        place = self.grading.places[cell.id]
        text = self._text(cell)
        if is_blank(text):
            return Mark(cell, None, Verdict.MISSING)
        answer = float(self.answers[place])
        if not np.isfinite(answer):
            return Mark(cell, text, Verdict.WRONG, difference=UNREADABLE)
        assert isinstance(cell.value, float)
        if abs(answer - cell.value) <= cell.tolerance * (1 + SLACK):
            return Mark(cell, answer, Verdict.RIGHT)
        wrong_before = any(mark.verdict is not Verdict.RIGHT for mark in marks.values())
        if not self._agrees(place, own):
            return Mark(cell, answer, Verdict.WRONG)
        node = self.grading.nodes.node(place)
        negligible = 0.5 * 10.0**-cell.digits
        if node is not None and wrong_before and np.any(becomes_trivial(node, own.values, self.right, negligible)):
            return Mark(cell, answer, Verdict.FLAGGED)
        return Mark(cell, answer, Verdict.CONSISTENT)

    def _text(self, cell: Cell) -> str:
        return without_name(cell.id, self.submission.answers.get(cell.id, "").strip())

    def _agrees(self, place: Place, own: Carried) -> bool:
        if place not in own.expected:
            return False
        return bool(np.all(np.abs(self.answers[place] - own.expected[place]) <= own.widths[place]))

    def _diagnosed(self, cell: Cell, mark: Mark, own: Carried) -> tuple[Mark, list[Suspect]]:
        grading = self.grading
        place = grading.places[cell.id]
        node = grading.nodes.node(place)
        if node is None or not np.isfinite(self.answers[place]):
            return mark, []
        answer = float(self.answers[place])
        expected, width = _only(own.expected[place]), _only(own.widths[place])
        mark = mark._replace(expected=expected)
        digits = self._rounded_to(cell, answer, expected, width)
        # the student may have gone on with the number as it was before it was rounded
        unrounded = [] if digits is None else [Suspect(ROUNDED, node, node.formula, expected, width)]
        if digits is not None and is_telling(answer, digits):
            return mark._replace(mistakes=(ROUNDED,), rounded_to=digits), unrounded
        answered = self.answered - {place}
        suspects = grading.diagnosis.found(node, answer, own, answered, grading.digits, grading.usual)
        named = ids(suspects)
        if not named and digits is not None:
            return mark._replace(mistakes=(ROUNDED,), rounded_to=digits), unrounded
        step = next((one.node for one in suspects if one.mistake == named[0]), None) if named else None
        return mark._replace(mistakes=named, step=step), suspects

    def _rounded_to(self, cell: Cell, answer: float, expected: float, width: float) -> int | None:
        """The digits after the point of the right number, or of what the student's own come to, rounded too early."""
        text = self._text(cell)
        right = rounded_to(text, answer, float(cell.value), cell.tolerance)
        digits = rounded_to(text, answer, expected, width) if right is None else right
        is_early = digits is not None and (digits < cell.digits or is_too_strict(cell.tolerance, cell.digits))
        return digits if is_early else None

    def _inferring(
        self, suspects: Sequence[Suspect], later: Sequence[Cell], own: Carried, inferred: dict[Place, Inferred]
    ) -> Carried:
        """The student's numbers with that of a slip at a step not asked for, or of one before it was rounded, where it
        explains a later answer."""
        hidden = [
            one
            for one in suspects
            if (one.node.place not in self.answered or one.mistake == ROUNDED) and one.node.place not in inferred
        ]
        best, most = own, self._consistent(later, own)
        chosen: Suspect | None = None
        for one in hidden[:MOST_TRIED]:
            tried = self._carried({**inferred, one.node.place: Inferred(one.value, one.width)})
            count = self._consistent(later, tried)
            if count > most:
                best, most, chosen = tried, count, one
        if chosen is not None:
            inferred[chosen.node.place] = Inferred(chosen.value, chosen.width)
        return best

    def _consistent(self, cells: Sequence[Cell], own: Carried) -> int:
        places = (self.grading.places[cell.id] for cell in cells)
        return sum(self._agrees(place, own) for place in places if place in self.answered)

    def _carried(self, inferred: Mapping[Place, Inferred]) -> Carried:
        answers = {place: np.asarray([number]) for place, number in self.answers.items()}
        grading = self.grading
        return carried(grading.order, self.given, answers, grading.digits, grading.usual, inferred)

    def _other(self, cell: Cell) -> Mark:
        text = self._text(cell)
        if is_blank(text):
            return Mark(cell, None, Verdict.MISSING)
        if cell.kind is CellKind.FORMULA:
            return self.grading.formulas.mark(cell, text, self.given)
        plain = _letter if cell.kind is CellKind.CHOICE else _line
        answer = plain(text)
        if answer is None:
            return Mark(cell, text, Verdict.WRONG, difference=UNREADABLE)
        if answer == plain(str(cell.value)):
            return Mark(cell, text, Verdict.RIGHT)
        mistake = (cell.mistakes or {}).get(answer.upper())
        known = mistake is not None and mistake in SENTENCES
        return Mark(cell, text, Verdict.WRONG, (str(mistake),) if known else ())


def _letter(text: str) -> str | None:
    """The letter of a choice: of ``B``, ``(b)``, ``option B``, ``B: a formula``; two letters are none."""
    words: list[str] = re.findall(r"\w+", text.casefold())
    letters = [word for word in words if len(word) == 1]
    if len(words) <= 2 and len(letters) == 1:
        return letters[0]
    found = re.match(r"\W*(\w)\s*[:.)]", text.casefold())
    return None if found is None else str(found[1])


def _line(text: str) -> str | None:
    """The number of a line: of ``11``, ``line 11``, ``#11``, ``11.0``."""
    found = re.fullmatch(r"\D*(\d+)(?:[.,]0*)?\W*", text.strip())
    return None if found is None else found[1].lstrip("0")


def _only(number: Numbers) -> float:
    return float(np.asarray(number).reshape(-1)[0])


def _lane(values: Mapping[Place, Numbers], at: int) -> dict[Place, Numbers]:
    """One student's numbers, as arrays of one."""
    return {place: array[at : at + 1] if array.ndim else array.reshape(1) for place, array in values.items()}


def _stacked(variants: Sequence[Variant]) -> dict[str, NDArray[np.float64]]:
    return {name: np.stack([variant.given[name] for variant in variants]) for name in variants[0].given}
