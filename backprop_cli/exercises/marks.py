"""What comes out of grading: a mark for every cell of every student, as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from sympy import Expr

from backprop_cli.errors import Problem
from backprop_cli.exercises.key import Cell, CellKind
from backprop_cli.exercises.nodes import Node
from backprop_cli.exercises.tolerances import is_too_strict
from backprop_cli.symbolic.notation import Place
from backprop_cli.translation import Sentences, marked

UNKNOWN_VARIANT = "?"  # of a student who has not said which sheet it is
LONGEST_QUOTED = 40  # characters of an answer that could not be read
UNREAD = Sentences(
    {
        CellKind.NUMBER: marked("{cell}: '{answer}' is no number"),
        CellKind.FORMULA: marked("{cell}: the formula cannot be read: {reason}"),
        CellKind.CHOICE: marked("{cell}: '{answer}' is no letter to choose"),
        CellKind.LINE: marked("{cell}: '{answer}' is no number of a line"),
    }
)


class Verdict(StrEnum):
    """``consistent``: right from the student's own earlier numbers. ``flagged``: so too, but a wrong number before it
    leaves nothing to compute here; or right, and not what was asked for. Its points are held back until the teacher has
    seen it."""

    RIGHT = "right"
    CONSISTENT = "consistent"
    WRONG = "wrong"
    MISSING = "missing"
    FLAGGED = "flagged"

    @property
    def earns_points(self) -> bool:
        return self in (Verdict.RIGHT, Verdict.CONSISTENT)

    @property
    def is_lost(self) -> bool:
        """Whether the points are gone, which those held back are not."""
        return self in (Verdict.WRONG, Verdict.MISSING)


class Submission(NamedTuple):
    """One student's answers to one variant, by the ids of cells, as they were written; ``lines`` says where."""

    student: str
    variant: str
    answers: Mapping[str, str]
    lines: Mapping[str, int] = MappingProxyType({})


class DifferenceKind(StrEnum):
    UNREADABLE = "unreadable"  # also of answers that are no formulas
    ITSELF = "itself"  # the formula uses what it is to be a formula of
    FACTOR = "factor"
    TERM = "term"
    GRADIENTS = "gradients"  # it is right, and uses gradients where the right one does without
    NUMBERS = "numbers"  # it is right for one variant, with given numbers put in


class Difference(NamedTuple):
    """How a formula differs from the right one: the factor it is off by, or the term it has too much, or in place of
    which quantities it has numbers; for one that cannot be read, why."""

    kind: DifferenceKind
    formula: Expr | None = None
    text: str = ""
    places: tuple[Place, ...] = ()


class Mark(NamedTuple):
    """``answer`` is a number where it could be read as one. ``mistakes`` are the ids of those that give this answer,
    the likeliest first, and ``step`` is where the first of them was made. ``difference`` says of a formula how it
    differs from the right one. ``expected`` is what the student's own earlier numbers come to. ``rounded_to`` is the
    number of digits after the point of one that was rounded too early. ``text`` is the answer as it was written, and
    ``right`` the right formula of one that is to be a formula."""

    cell: Cell
    answer: float | str | None
    verdict: Verdict
    mistakes: tuple[str, ...] = ()
    step: Node | None = None
    difference: Difference | None = None
    expected: float | None = None
    rounded_to: int | None = None
    text: str = ""
    right: Expr | None = None

    @property
    def is_exact(self) -> bool:
        """Whether an exact number is asked for: rounding it to the digits of the key is not good enough."""
        return is_too_strict(self.cell.tolerance, self.cell.digits)

    @property
    def unread(self) -> str | None:
        """What kept the answer from being read, without a full stop; None of one that was."""
        if self.difference is None or self.difference.kind is not DifferenceKind.UNREADABLE:
            return None
        text = str(self.answer)
        quoted = text if len(text) <= LONGEST_QUOTED else f"{text[:LONGEST_QUOTED]}…"
        return UNREAD[self.cell.kind].format(cell=self.cell.id, answer=quoted, reason=self.difference.text)

    @property
    def points(self) -> float:
        return self.cell.points if self.verdict.earns_points else 0.0

    @property
    def held(self) -> float:
        """The points that are held back for the teacher."""
        return self.cell.points if self.verdict is Verdict.FLAGGED else 0.0

    def as_data(self) -> dict[str, Any]:
        data: dict[str, Any] = {
            "cell": self.cell.id,
            "answer": self.answer,
            "verdict": str(self.verdict),
            "mistake": self.mistakes[0] if self.mistakes else None,
            "points": self.points,
        }
        return {**data, "also": list(self.mistakes[1:])} if len(self.mistakes) > 1 else data


class Marked(NamedTuple):
    """One student's marks, in the order of the sheet."""

    student: str
    variant: str
    marks: tuple[Mark, ...]

    @property
    def points(self) -> float:
        return sum(mark.points for mark in self.marks)

    @property
    def held(self) -> float:
        return sum(mark.held for mark in self.marks)

    @property
    def of(self) -> float:
        return sum(mark.cell.points for mark in self.marks)

    def unread(self, lines: Mapping[str, int]) -> Iterator[Problem]:
        """The answers that could not be read; ``lines`` says where those of each cell stand."""
        for mark in self.marks:
            if (message := mark.unread) is not None:
                yield Problem(lines.get(mark.cell.id, 0), 1, message)


@dataclass(frozen=True)
class Report:
    """A class marked."""

    title: str
    students: Sequence[Marked]

    @property
    def is_all_right(self) -> bool:
        return all(mark.verdict.earns_points for student in self.students for mark in student.marks)

    def as_data(self) -> dict[str, Any]:
        """What ``grade --format json`` prints."""
        return {
            "students": [
                {
                    "student": student.student,
                    "points": student.points,
                    "held": student.held,
                    "of": student.of,
                    "cells": [mark.as_data() for mark in student.marks],
                }
                for student in self.students
            ]
        }
