"""Equations in a terminal: equals signs in one column, long sides broken at operators, remarks at the right edge."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from backprop_cli.documents.blocks import FormulaBlock, Line, Side
from backprop_cli.documents.names import Names
from backprop_cli.renderers.breaking import broken, width
from backprop_cli.renderers.formula_unicode import pieces
from backprop_cli.renderers.styles import FAINT, padded, styled, text_of

INDENT = 2
HANGING = 2  # how much further than its beginning a side goes on
LONGEST_TARGET = 0.5  # of the page; after a longer left side the equals sign stands on the next line
MARGIN = 2  # at least, between an equation and its remark
EDGE = 80  # where remarks end, on wider pages too


@dataclass(frozen=True)
class _Row:
    """One line on the page, and what stands beside it."""

    text: Text
    remark: Text | None = None


def formula_lines(block: FormulaBlock, names: Names, page: int) -> list[Text]:
    """The equations in lines of at most ``page`` characters."""
    targets = [width(pieces(line.target, names)) for line in block.lines]
    column = max((found for found in targets if found <= LONGEST_TARGET * page), default=0)
    is_stacked = block.is_stacked or any(_length(line, column, names) > page for line in block.lines)
    groups = [_rows(line, column, names, page, is_stacked) for line in block.lines]
    is_spaced = any(len(group) > 1 for group in groups) and sum(len(line.sides) for line in block.lines) > len(groups)
    rows: list[_Row] = []
    for group in groups:
        if rows and is_spaced:
            rows.append(_Row(Text()))
        rows.extend(group)
    return _with_remarks(rows, page)


def _length(line: Line, column: int, names: Names) -> int:
    """The width of a chain of sides on one line."""
    sides = sum(3 + width(pieces(side.value, names)) for side in line.sides)
    remarks = [cell_len(text_of(side.remark, names).plain) for side in line.sides if side.remark]
    return INDENT + column + sides + (MARGIN + remarks[0] if len(remarks) == 1 else 0)


def _rows(line: Line, column: int, names: Names, page: int, is_stacked: bool) -> list[_Row]:
    target = styled(pieces(line.target, names))
    start = padded(Text.assemble(" " * INDENT, target), INDENT + column)
    rows: list[_Row] = []
    if cell_len(target.plain) > column:
        rows.append(_Row(start))
        start = Text(" " * (INDENT + column))
    remarks = [side for side in line.sides if side.remark]
    if not is_stacked and len(remarks) <= 1:
        for side in line.sides:
            start = Text.assemble(start, " = ", styled(pieces(side.value, names)))
        return [*rows, _Row(start, text_of(remarks[0].remark, names) if remarks else None)]
    for side in line.sides:
        rows.extend(_side(side, start, names, page))
        start = Text(" " * (INDENT + column))
    return rows


def _side(side: Side, start: Text, names: Names, page: int) -> list[_Row]:
    left = cell_len(start.plain) + 3
    lines = broken(pieces(side.value, names), page - left, page - left - HANGING)
    texts = [Text.assemble(start, " = ", styled(lines[0][1]))]
    texts += [Text.assemble(" " * (left + HANGING + right), styled(line)) for right, line in lines[1:]]
    remark = text_of(side.remark, names) if side.remark else None
    return [*(_Row(text) for text in texts[:-1]), _Row(texts[-1], remark)]


def _with_remarks(rows: list[_Row], page: int) -> list[Text]:
    """Remarks at the right edge of the page, or below their equation where they do not fit beside it."""
    edge = min(page, EDGE)
    result = []
    for row in rows:
        if row.remark is None:
            result.append(row.text)
            continue
        row.remark.stylize(FAINT)
        start = max(edge - cell_len(row.remark.plain), 0)
        beside = max(start, cell_len(row.text.plain) + MARGIN)
        if beside + cell_len(row.remark.plain) <= page:
            result.append(Text.assemble(padded(row.text, beside), row.remark))
        else:
            result += [row.text, Text.assemble(" " * start, row.remark)]
    return result
