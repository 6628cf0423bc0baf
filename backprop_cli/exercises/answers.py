"""Reading answers: a file of any of the formats, held against a key.

A row whose student, variant or cell the key does not have is a problem that names the nearest one; the rest counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import PurePath

from backprop_cli.errors import Problem, did_you_mean
from backprop_cli.exercises.answer_notebook import compact, from_notebook, is_notebook
from backprop_cli.exercises.answer_rows import Row, Rows, decoded, from_csv, from_json, from_yaml
from backprop_cli.exercises.key import Key, Variant
from backprop_cli.exercises.marks import Submission
from backprop_cli.translation import tr

MOST_PROBLEMS = 100


def read_answers(content: bytes, source: str, key: Key) -> tuple[list[Submission], list[Problem]]:
    """The submissions in a file, in order of appearance, and what of it cannot be graded.

    The name ``source`` decides how it is read, and where it does not say, what is in it does. Raises BackpropError
    where nothing can be read.
    """
    text = decoded(content, source)
    suffix = PurePath(source).suffix.lower()
    cells = dict.fromkeys(cell.id for variant in key.variants for cell in variant.cells)
    if suffix == ".ipynb" or (suffix not in (".csv", ".yaml", ".yml") and _looks_like_a_notebook(text)):
        found = from_notebook(text, source, cells)
    elif suffix == ".json" or (not suffix and text.lstrip()[:1] in ("[", "{")):
        found = from_json(text, source)
    elif suffix in (".yaml", ".yml"):
        found = from_yaml(text, source)
    else:
        found = from_csv(text, source)
    name = "" if any(row.student for row in found.rows) else PurePath(source).stem.strip("-<>")
    return _Reading(key, name).submissions(found)


def _looks_like_a_notebook(text: str) -> bool:
    if text.lstrip()[:1] != "{" or '"nbformat"' not in text:
        return False
    try:
        return is_notebook(json.loads(text))
    except (ValueError, RecursionError):
        return False


class _Reading:
    def __init__(self, key: Key, fallback: str) -> None:
        self.fallback = fallback  # the name of a student who did not say
        self.by_id = {variant.id: variant for variant in key.variants}
        self.by_code = {variant.code.casefold(): variant for variant in key.variants}
        self.by_student = {variant.student: variant for variant in key.variants if variant.student is not None}
        self.only = key.variants[0] if len(key.variants) == 1 else None
        self.cells = {variant.id: {compact(cell.id): cell.id for cell in variant.cells} for variant in key.variants}

    def submissions(self, found: Rows) -> tuple[list[Submission], list[Problem]]:
        problems = list(found.problems)
        answers: dict[tuple[str, str], dict[str, str]] = {}
        for row in found.rows:
            variant = self._variant(row)
            problem = variant if isinstance(variant, str) else self._entered(row, variant, answers)
            if isinstance(problem, str):
                problems.append(Problem(row.line, 1, problem))
        return [Submission(*who, some) for who, some in answers.items()], _first(problems)

    def _variant(self, row: Row) -> Variant | str:
        """The variant that a row is about, or what is wrong with it."""
        if row.variant:
            found = self.by_id.get(row.variant) or self.by_code.get(row.variant.casefold())
            if found is None:
                message = tr("unknown variant '{name}'{hint}")
                return message.format(name=row.variant, hint=did_you_mean(row.variant, self.by_id))
            if row.student and found.student is not None and row.student != found.student:
                message = tr("variant {variant} is not that of '{name}'{hint}")
                hint = did_you_mean(row.student, self.by_student)
                return message.format(variant=found.id, name=row.student, hint=hint)
            return found
        if row.student in self.by_student:
            return self.by_student[row.student]
        if self.by_student:
            message = tr("unknown student '{name}'{hint}")
            return message.format(name=row.student, hint=did_you_mean(row.student, self.by_student))
        return self.only or tr("the key has several variants, and this answer does not say which it is for")

    def _entered(self, row: Row, variant: Variant, answers: dict[tuple[str, str], dict[str, str]]) -> str | None:
        known = self.cells[variant.id]
        cell = known.get(compact(row.cell))
        if cell is None:
            message = tr("unknown cell '{name}'{hint}")
            return message.format(name=row.cell, hint=did_you_mean(row.cell, known.values()))
        student = row.student or variant.student or self.fallback
        if not student:
            return tr("this answer does not say which student gave it")
        own = answers.setdefault((student, variant.id), {})
        if own.get(cell, row.answer) != row.answer:
            return tr("{cell} is answered twice; the first answer counts").format(cell=cell)
        own[cell] = row.answer
        return None


def _first(problems: Iterable[Problem]) -> list[Problem]:
    """The problems in the order of the file; of very many only the first."""
    ordered = sorted(problems)
    if len(ordered) <= MOST_PROBLEMS:
        return ordered
    rest = tr("{count} more problems").format(count=len(ordered) - MOST_PROBLEMS)
    return [*ordered[:MOST_PROBLEMS], Problem(ordered[MOST_PROBLEMS].line, 1, rest)]
