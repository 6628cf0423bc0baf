"""Equations in a terminal: equals signs in one column, long sides broken at operators, remarks at the right edge."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from backprop_cli.documents.blocks import FormulaBlock, Line
from backprop_cli.documents.names import Names
from backprop_cli.renderers.breaking import broken, width
from backprop_cli.renderers.formula_unicode import Piece, pieces
from backprop_cli.renderers.styles import FAINT, padded, styled, text_of

INDENT = 2
HANGING = 2  # how much further than its beginning a side goes on
LONGEST_TARGET = 0.5  # of the page; after a longer left side the equals sign stands on the next line
MARGIN = 2  # at least, between an equation and its remark
EDGE = 80  # where remarks end, on wider pages too


class _Side(NamedTuple):
    formula: tuple[Piece, ...]
    remark: Text | None


class _Equation(NamedTuple):
    """A chain of equalities in print, before it has its place on the page."""

    target: tuple[Piece, ...]
    sides: tuple[_Side, ...]

    def length(self, column: int) -> int:
        """The width of the whole chain on one line."""
        sides = sum(len(" = ") + width(side.formula) for side in self.sides)
        remarks = [MARGIN + cell_len(side.remark.plain) for side in self.sides if side.remark is not None]
        return INDENT + column + sides + (remarks[0] if len(remarks) == 1 else 0)

    @property
    def remarks(self) -> list[Text]:
        return [side.remark for side in self.sides if side.remark is not None]


class _Row(NamedTuple):
    """One line on the page, and what stands beside it."""

    text: Text
    remark: Text | None = None


def formula_lines(block: FormulaBlock, names: Names, page: int) -> list[Text]:
    """The equations in lines of at most ``page`` characters."""
    equations = [_equation(line, names) for line in block.lines]
    targets = [width(equation.target) for equation in equations]
    column = max((found for found in targets if found <= LONGEST_TARGET * page), default=0)
    is_stacked = block.is_stacked or any(equation.length(column) > page for equation in equations)
    groups = [_rows(equation, column, page, is_stacked) for equation in equations]
    rows: list[_Row] = []
    for place, group in enumerate(groups):
        if place and len(groups[place - 1]) > 1 < len(equations[place - 1].sides):
            rows.append(_Row(Text()))
        rows.extend(group)
    return _with_remarks(rows, page)


def _equation(line: Line, names: Names) -> _Equation:
    sides = (
        _Side(pieces(side.value, names), text_of(side.remark, names) if side.remark else None) for side in line.sides
    )
    return _Equation(pieces(line.target, names), tuple(sides))


def _rows(equation: _Equation, column: int, page: int, is_stacked: bool) -> list[_Row]:
    start = padded(Text.assemble(" " * INDENT, styled(equation.target)), INDENT + column)
    rows: list[_Row] = []
    if width(equation.target) > column:
        rows.append(_Row(start))
        start = Text(" " * (INDENT + column))
    if not is_stacked and len(equation.remarks) <= 1:
        for side in equation.sides:
            start = Text.assemble(start, " = ", styled(side.formula))
        return [*rows, _Row(start, next(iter(equation.remarks), None))]
    for side in equation.sides:
        rows.extend(_side(side, start, page))
        start = Text(" " * (INDENT + column))
    return rows


def _side(side: _Side, start: Text, page: int) -> list[_Row]:
    left = cell_len(start.plain) + len(" = ")
    lines = broken(side.formula, page - left, page - left - HANGING)
    texts = [Text.assemble(start, " = ", styled(lines[0][1]))]
    texts += [Text.assemble(" " * (left + HANGING + right), styled(line)) for right, line in lines[1:]]
    return [*(_Row(text) for text in texts[:-1]), _Row(texts[-1], side.remark)]


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
