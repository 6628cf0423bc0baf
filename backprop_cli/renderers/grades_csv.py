"""Marks as CSV for a gradebook: a row for each student, a column for each cell.

Spreadsheets run what looks like a formula, so text that begins like one gets an apostrophe before it.
"""

from __future__ import annotations

import csv
from io import StringIO

from backprop_cli.exercises.marks import Report, Verdict

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def render(report: Report) -> str:
    """``student,variant,points,held,of``, how many answers have each verdict, and the points of every cell by its
    id."""
    page = StringIO()
    rows = csv.writer(page, lineterminator="\n")
    cells = list(dict.fromkeys(mark.cell.id for student in report.students for mark in student.marks))
    rows.writerow(map(harmless, ("student", "variant", "points", "held", "of", *map(str, Verdict), *cells)))
    for student in report.students:
        own = {mark.cell.id: mark for mark in student.marks}
        counted = [sum(mark.verdict is verdict for mark in student.marks) for verdict in Verdict]
        earned = ["" if (mark := own.get(cell)) is None else number(mark.points) for cell in cells]
        who = (harmless(student.student), harmless(student.variant))
        totals = map(number, (student.points, student.held, student.of))
        rows.writerow((*who, *totals, *counted, *earned))
    return page.getvalue()


def number(value: float) -> str:
    """A whole number without its point."""
    return repr(int(value)) if value == int(value) else repr(round(value, 10))


def harmless(text: str) -> str:
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text
