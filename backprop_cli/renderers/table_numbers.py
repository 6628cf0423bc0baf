"""The numbers in the cells of a table as texts: each column's belong together, as :func:`numbers` says."""

from __future__ import annotations

from backprop_cli.documents.blocks import Table
from backprop_cli.renderers.numbers import numbers


def number_texts(table: Table) -> dict[tuple[int, int], str]:
    """The text of every cell that is a number, by row and column."""
    found: dict[tuple[int, int], str] = {}
    for column in range(len(table.header)):
        cells = {(n, column): row[column] for n, row in enumerate(table.rows) if row}
        values = {place: float(cell) for place, cell in cells.items() if isinstance(cell, int | float)}
        found |= dict(zip(values, numbers(list(values.values()), table.digits), strict=True))
    return found
