r"""Documents as GitHub-flavoured Markdown: mathematics in LaTeX, tables with matrices in them, remarks as quotations.

A notebook's Markdown differs in the delimiters of mathematics and in how it marks a warning.
"""

from __future__ import annotations

from collections.abc import Iterable

from backprop_cli.documents.blocks import (
    Array,
    Bar,
    Block,
    Cell,
    Document,
    FormulaBlock,
    Heading,
    Note,
    PageBreak,
    Prose,
    Summary,
    Table,
    Tone,
)
from backprop_cli.documents.names import Names
from backprop_cli.renderers import latex_arrays
from backprop_cli.renderers.arrays import described, grids
from backprop_cli.renderers.bars import bar
from backprop_cli.renderers.latex_alignment import aligned
from backprop_cli.renderers.markdown_text import Dialect, adapted, block, escaped, formula, inline, running
from backprop_cli.renderers.numbers import numbers
from backprop_cli.renderers.table_numbers import number_texts
from backprop_cli.translation import tr


def page(document: Document) -> str:
    """A whole file."""
    return render(document.blocks, document.names) + "\n"


def render(blocks: Iterable[Block], names: Names, dialect: Dialect = Dialect.GITHUB) -> str:
    """The blocks, one blank line between them."""
    return "\n\n".join(_block(block, names, dialect) for block in blocks)


def _block(part: Block, names: Names, dialect: Dialect) -> str:
    match part:
        case Heading(level, parts):
            return f"{'#' * level} {running(parts, names, dialect)}"
        case Prose(parts):
            return running(parts, names, dialect)
        case Note(parts, tone):
            return _note(running(parts, names, dialect), tone, dialect)
        case FormulaBlock(lines):
            rows = " \\\\\n".join(aligned(lines, names))
            return block(f"\\begin{{aligned}}\n{adapted(rows)}\n\\end{{aligned}}", dialect)
        case Table():
            return _table(part, names, dialect)
        case PageBreak():
            return "---"


def _note(text: str, tone: Tone, dialect: Dialect) -> str:
    if tone is Tone.REMARK:
        return f"> {text}"
    warning = escaped(tr("Warning:"))
    return f"> [!WARNING]\n> {text}" if dialect is Dialect.GITHUB else f"> **{warning}** {text}"


def _table(table: Table, names: Names, dialect: Dialect) -> str:
    found = number_texts(table)
    are_numbers = [any(column == place for _, place in found) for column in range(len(table.header))]
    lines = [_row(map(escaped, table.header)), _row("---:" if is_right else "---" for is_right in are_numbers)]
    for n, row in enumerate(table.rows):
        if row:
            cells = (
                found[n, column] if (n, column) in found else _cell(cell, names, dialect)
                for column, cell in enumerate(row)
            )
            lines.append(_row(cells))
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell, names: Names, dialect: Dialect) -> str:
    match cell:
        case None:
            return ""
        case str():
            return escaped(cell)
        case Bar():
            return bar(cell)
        case Array():
            return _array(cell, cell.values.shape, dialect)
        case Summary(shape=shape, corner=corner):
            return f"{escaped(described(cell))}<br>{_array(corner, shape, dialect)}"
    assert not isinstance(cell, int | float), "numbers belong to their column"
    return inline(formula(cell, names), dialect)


def _array(array: Array, shape: tuple[int, ...], dialect: Dialect) -> str:
    if array.values.ndim == 0:
        return inline(latex_arrays.number(numbers([float(array.values)], array.digits)[0]), dialect)
    found = grids(array, shape)
    texts = [
        (f"{escaped(grid.label)}: " if grid.label else "") + inline(latex_arrays.matrix(grid), dialect)
        for grid in found
    ]
    is_cut = array.values.shape[:-2] != shape[:-2]
    return "<br>".join([*texts, "⋮"] if is_cut else texts)
