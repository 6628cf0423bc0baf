"""Tables in a terminal: columns side by side where the page is wide enough, otherwise every row as a record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from backprop_cli.documents.blocks import Array, Bar, Cell, Summary, Table
from backprop_cli.documents.names import Names
from backprop_cli.renderers.bars import bar
from backprop_cli.renderers.formula_unicode import pieces
from backprop_cli.renderers.numbers import aligned, numbers
from backprop_cli.renderers.plain import visible
from backprop_cli.renderers.styles import FAINT, STRONG, padded, styled, wrapped
from backprop_cli.renderers.terminal_arrays import array_lines, summary_lines

GAP = 2
NARROWEST = 20  # a last column with less room is put below the others


def table_lines(table: Table, names: Names, page: int) -> list[Text]:
    """The table in lines of at most ``page`` characters."""
    table = table._replace(header=tuple(map(visible, table.header)))
    cells = [[_short(cell, names) for cell in row] for row in table.rows]
    _align_numbers(table, cells)
    widths = [
        max([cell_len(head), *(cell_len(row[column].plain) for row in cells if row)])
        for column, head in enumerate(table.header[:-1])
    ]
    left = sum(widths) + GAP * len(widths)
    if page - left < min(NARROWEST, _needed(table, cells)):
        return _records(table, cells, page)
    rows = [_laid(row, short, widths, page - left) for row, short in zip(table.rows, cells, strict=True)]
    header = _laid(table.header, list(_heads(table, widths)), widths, page - left)
    full = max(cell_len(line.plain) for lines in (header, *rows) for line in lines)
    rule = Text("─" * full, style=FAINT)
    result = [*header, rule]
    for row in rows:
        result.extend(row or [rule])
    return result


def _short(cell: Cell, names: Names) -> Text:
    """A cell on one line; of an array nothing yet."""
    match cell:
        case None | Array() | Summary():
            return Text()
        case str():
            return Text(visible(cell))
        case Bar():
            return Text(bar(cell))
        case bool() | int() | float():
            return Text(numbers([cell], 0)[0])
    return styled(pieces(cell, names))


def _align_numbers(table: Table, cells: list[list[Text]]) -> None:
    for column, head in enumerate(table.header):
        places = [n for n, row in enumerate(table.rows) if row and isinstance(row[column], int | float)]
        texts = aligned(numbers([float(str(table.rows[n][column])) for n in places], table.digits))
        for n, text in zip(places, texts, strict=True):
            cells[n][column] = Text(text.rjust(cell_len(head)))


def _heads(table: Table, widths: Sequence[int]) -> Iterator[Text]:
    """Heads of columns of numbers stand at the right, like the numbers."""
    for column, head in enumerate(table.header):
        is_number = any(row and isinstance(row[column], int | float) for row in table.rows)
        room = widths[column] - cell_len(head) if is_number and column < len(widths) else 0
        yield Text.assemble(" " * room, Text(head, style=STRONG))


def _needed(table: Table, cells: list[list[Text]]) -> int:
    """The width of the last column's short cells; an array can do with any."""
    last = [row[-1] for row in cells if row]
    return max((cell_len(cell.plain) for cell in last), default=0) if _is_plain(table) else NARROWEST


def _is_plain(table: Table) -> bool:
    return not any(row and isinstance(row[-1], Array | Summary) for row in table.rows)


def _laid(row: Sequence[Cell], short: Sequence[Text], widths: Sequence[int], rest: int) -> list[Text]:
    """One row: the last cell may take several lines."""
    if not row:
        return []
    start = Text()
    for cell, width in zip(short, widths, strict=False):
        start = Text.assemble(start, padded(cell, width + GAP))
    lines = _last(row[-1], short[-1], rest)
    blank = " " * (sum(widths) + GAP * len(widths))
    return [Text.assemble(start if n == 0 else blank, line) for n, line in enumerate(lines)]


def _last(cell: Cell, short: Text, rest: int) -> list[Text]:
    if isinstance(cell, Array):
        return array_lines(cell, rest)
    if isinstance(cell, Summary):
        return summary_lines(cell, rest)
    return wrapped(short, rest)


def _records(table: Table, cells: list[list[Text]], page: int) -> list[Text]:
    """Every row by itself: its short cells on one line or one below the other, then its array."""
    result: list[Text] = []
    for row, short in zip(table.rows, cells, strict=True):
        if not row:
            continue
        if result and not _is_plain(table):
            result.append(Text())
        if isinstance(row[-1], Array | Summary):
            result.append(Text("  ").join(cell for cell in short[:-1] if cell.plain))
            result.extend(Text.assemble("  ", line) for line in _last(row[-1], short[-1], page - 2))
            continue
        said = [(head, cell) for head, cell in zip(table.header, short, strict=True) if cell.plain.strip()]
        for n, (head, cell) in enumerate(said):
            mark = "" if n == 0 else "  "
            text = Text.assemble(mark, (f"{head}: ", FAINT) if head else "", Text(cell.plain.strip(), cell.style))
            result.extend(wrapped(text, page))
    return result
