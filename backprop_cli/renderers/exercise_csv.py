"""Answers as CSV: a form to fill in, which ``grade`` reads, and the key.

A text that a spreadsheet would take for a formula gets an apostrophe in front; numbers stay numbers.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from io import StringIO

from backprop_cli.exercises.key import Key
from backprop_cli.renderers.plain import one_line

FORM = ("student", "variant", "cell", "answer")
NOTE = "note"
KEY = ("student", "variant", "code", "question", "cell", "kind", "answer", "tolerance", "points")
STARTS = ("=", "+", "-", "@", "\t", "\r")  # of what a spreadsheet computes


def form(key: Key, notes: Mapping[str, str]) -> str:
    """A row for every answer of every variant, the answer left out. ``notes`` say of some what is to be entered, in a
    column of their own where there are any."""
    cells = [(variant, cell) for variant in key.variants for cell in variant.cells]
    rows = [(neutral(variant.student or ""), variant.id, neutral(cell.id), "") for variant, cell in cells]
    if not any(cell.id in notes for _, cell in cells):
        return _table(FORM, rows)
    last = (neutral(notes.get(cell.id, "")) for _, cell in cells)
    return _table((*FORM, NOTE), ((*row, note) for row, note in zip(rows, last, strict=True)))


def answers(key: Key) -> str:
    """The same with the answers, tolerances and points."""
    return _table(
        KEY,
        (
            (
                neutral(variant.student or ""),
                variant.id,
                neutral(variant.code),
                cell.question,
                neutral(cell.id),
                str(cell.kind),
                neutral(cell.value) if isinstance(cell.value, str) else repr(cell.value),
                repr(cell.tolerance),
                f"{cell.points:g}",
            )
            for variant in key.variants
            for cell in variant.cells
        ),
    )


def neutral(text: str) -> str:
    """The text on one line, as something that no spreadsheet computes."""
    shown = one_line(text)
    return f"'{shown}" if shown.startswith(STARTS) or text.startswith(STARTS) else shown


def _table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    page = StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return page.getvalue()
