"""Reading answers: a file of any of the formats, held against a key.

A row whose student, variant or cell the key does not have is a problem that names the nearest one; the rest counts.
Nobody gets lost by it: a student whose rows all go astray has a submission without answers, as have students of the key
whom a class's answers do not mention.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import PurePath
from typing import NamedTuple

from backprop_cli.errors import Problem, did_you_mean
from backprop_cli.exercises.answer_notebook import from_notebook, is_notebook
from backprop_cli.exercises.answer_rows import Row, Rows, decoded, from_csv, from_json, from_yaml
from backprop_cli.exercises.key import Key, Variant
from backprop_cli.exercises.marks import UNKNOWN_VARIANT, Submission
from backprop_cli.exercises.written_ids import compact, variant_id
from backprop_cli.exercises.written_numbers import is_blank
from backprop_cli.translation import tr

MOST_PROBLEMS = 100


def read_answers(content: bytes, source: str, key: Key) -> tuple[list[Submission], list[Problem]]:
    """The submissions in a file and what of it cannot be graded: of every student of the key in the key's order, then
    of others in order of appearance. A notebook is one student's, and says nothing about the others.

    The name ``source`` decides how it is read, and where it does not say, what is in it does. Raises BackpropError
    where nothing can be read.
    """
    text = decoded(content, source)
    suffix = PurePath(source).suffix.lower()
    cells = dict.fromkeys(cell.id for variant in key.variants for cell in variant.cells)
    of_a_class = True
    if suffix == ".ipynb" or (suffix not in (".csv", ".yaml", ".yml") and _looks_like_a_notebook(text)):
        found, of_a_class = from_notebook(text, source, cells), False
    elif suffix == ".json" or (not suffix and text.lstrip()[:1] in ("[", "{")):
        found = from_json(text, source)
    elif suffix in (".yaml", ".yml"):
        found = from_yaml(text, source)
    else:
        found = from_csv(text, source)
    name = "" if any(row.student for row in found.rows) else PurePath(source).stem.strip("-<>")
    return _Reading(key, name).submissions(found, of_a_class)


def _looks_like_a_notebook(text: str) -> bool:
    if text.lstrip()[:1] != "{" or '"nbformat"' not in text:
        return False
    try:
        return is_notebook(json.loads(text))
    except (ValueError, RecursionError):
        return False


class _Sheet(NamedTuple):
    """One student's answers and where they stand, by cell."""

    answers: dict[str, str]
    lines: dict[str, int]


class _Reading:
    def __init__(self, key: Key, fallback: str) -> None:
        self.fallback = fallback  # the name of a student who did not say
        self.by_id = {variant.id: variant for variant in key.variants}
        self.by_code = {variant.code.casefold(): variant for variant in key.variants}
        self.by_student = {variant.student: variant for variant in key.variants if variant.student is not None}
        self.only = key.variants[0] if len(key.variants) == 1 else None
        self.cells = {variant.id: {compact(cell.id): cell.id for cell in variant.cells} for variant in key.variants}
        self.sheets: dict[tuple[str, str], _Sheet] = {}
        self.problems: list[Problem] = []

    def submissions(self, found: Rows, of_a_class: bool) -> tuple[list[Submission], list[Problem]]:
        if of_a_class and (found.rows or found.problems):
            for student, own in self.by_student.items():
                self._sheet(student, own.id)
        lost: dict[str, None] = {}  # students of whom a row does not say which variant is theirs
        for row in found.rows:
            variant = self._variant(row)
            if isinstance(variant, str):
                self.problems.append(Problem(row.line, 1, variant))
                lost[row.student or self.fallback] = None
            elif (problem := self._entered(row, variant)) is not None:
                self.problems.append(Problem(row.line, 1, problem))
        self._keep(lost)
        submissions = [Submission(*who, sheet.answers, sheet.lines) for who, sheet in self.sheets.items()]
        return submissions, sorted([*found.problems, *self.problems])

    def _sheet(self, student: str, variant: str) -> _Sheet:
        return self.sheets.setdefault((student, variant), _Sheet({}, {}))

    def _keep(self, lost: Iterable[str]) -> None:
        """Sheets without answers for those who have none yet, but not for names that a class list does not have."""
        known = {student for student, _ in self.sheets}
        for student in lost:
            if student in self.by_student:
                self._sheet(student, self.by_student[student].id)
            elif student and student not in known and not self.by_student:
                self._sheet(student, UNKNOWN_VARIANT if self.only is None else self.only.id)

    def _hint(self, name: str, valid: Iterable[str]) -> str:
        """The nearest name; none for problems so many that they will not be told, as the search takes its time."""
        return did_you_mean(name, valid) if len(self.problems) < MOST_PROBLEMS else ""

    def _variant(self, row: Row) -> Variant | str:
        """The variant that a row is about, or what is wrong with it."""
        own = self.by_student.get(row.student)
        if row.variant:
            found = self.by_id.get(variant_id(row.variant)) or self.by_code.get(row.variant.casefold())
            if found is None:
                message = tr("unknown variant '{name}'{hint}")
                return message.format(name=row.variant, hint=self._hint(row.variant, self.by_id))
            if row.student and found.student is not None and row.student != found.student:
                if own is not None:
                    message = tr("variant {variant} is not that of '{name}', who has variant {own}")
                    return message.format(variant=found.id, name=row.student, own=own.id)
                message = tr("variant {variant} is not that of '{name}'{hint}")
                hint = self._hint(row.student, self.by_student)
                return message.format(variant=found.id, name=row.student, hint=hint)
            return found
        if own is not None:
            return own
        if self.by_student:
            message = tr("unknown student '{name}'{hint}")
            return message.format(name=row.student, hint=self._hint(row.student, self.by_student))
        return self.only or tr("the key has several variants, and this answer does not say which it is for")

    def _entered(self, row: Row, variant: Variant) -> str | None:
        student = row.student or variant.student or self.fallback
        if not student:
            return tr("this answer does not say which student gave it")
        sheet = self._sheet(student, variant.id)
        if not row.cell and is_blank(row.answer):
            return None  # says that there is such a student, and no more
        known = self.cells[variant.id]
        cell = known.get(compact(row.cell))
        if cell is None:
            message = tr("unknown cell '{name}'{hint}")
            return message.format(name=row.cell, hint=self._hint(row.cell, known.values()))
        if is_blank(row.answer):
            return None
        if sheet.answers.get(cell, row.answer) != row.answer:
            return tr("{cell} is answered twice; the first answer counts").format(cell=cell)
        sheet.answers[cell], sheet.lines[cell] = row.answer, row.line
        return None


def first_of(problems: Iterable[Problem]) -> list[Problem]:
    """The problems in the order of the file; of very many only the first."""
    ordered = sorted(problems)
    if len(ordered) <= MOST_PROBLEMS:
        return ordered
    rest = tr("{count} more problems").format(count=len(ordered) - MOST_PROBLEMS)
    return [*ordered[:MOST_PROBLEMS], Problem(ordered[MOST_PROBLEMS].line, 1, rest)]
