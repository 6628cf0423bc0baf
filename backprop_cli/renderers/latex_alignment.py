"""Equations as rows of ``align*`` or ``aligned``: equals signs and remarks in a column each, long sides broken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from backprop_cli.documents.blocks import Inline, Line
from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.renderers import formula_latex
from backprop_cli.renderers.breaking import STEP
from backprop_cli.renderers.formula_latex import escaped
from backprop_cli.renderers.latex_breaking import broken
from backprop_cli.renderers.latex_widths import PAGE, QUAD, TEXT, width

GAP = 4.0  # letters at least between an equation and its remark
RELATION = 3.0  # the equals sign


def text(parts: Iterable[Inline], names: Names) -> str:
    """Text and formulas in one run of LaTeX's text."""
    return "".join(escaped(part) if isinstance(part, str) else f"${_in_line(part, names)}$" for part in parts)


def _in_line(formula: tree.Node, names: Names) -> str:
    """A formula for a line of text: lines break inside brackets of a fixed size alone."""
    latex = formula_latex.render(formula, names)
    return latex.replace(r"\left(", r"\bigl(").replace(r"\right)", r"\bigr)")


class Row(NamedTuple):
    """One line of an alignment: the target before the first side of a chain, a side or the rest of one that goes on
    ``further`` to the right, and the remark at its end."""

    target: str
    piece: str
    is_side: bool = True
    further: int = 0
    is_broken: bool = False
    remark: tuple[Inline, ...] = ()


def aligned(lines: Sequence[Line], names: Names) -> list[str]:
    """The rows as LaTeX: targets, equals signs and remarks each in a column."""
    return [_written(row, names) for row in alignment(lines, names)]


def alignment(lines: Sequence[Line], names: Names) -> list[Row]:
    """Chains of equalities in rows that fit on a page, one side a row where one row does not hold them all."""
    targets = [formula_latex.render(line.target, names) for line in lines]
    remarks = [side.remark for line in lines for side in line.sides if side.remark]
    beside = max((_length(remark, names) + GAP for remark in remarks), default=0)
    room = PAGE - max(map(width, targets)) - RELATION - beside
    return [row for target, line in zip(targets, lines, strict=True) for row in _rows(target, line, names, room)]


def _written(row: Row, names: Names) -> str:
    remark = rf" && \text{{{text(row.remark, names)}}}" if row.remark else ""
    if not row.is_side:
        return r"  &\qquad " + r"\quad " * row.further + row.piece + remark
    return f"  {row.target} &= {row.piece}{remark}" if row.target else f"  &= {row.piece}{remark}"


def _length(parts: Iterable[Inline], names: Names) -> float:
    """How wide a remark is set."""
    return sum(TEXT * cell_len(p) if isinstance(p, str) else width(formula_latex.render(p, names)) for p in parts)


def _rows(target: str, line: Line, names: Names, room: float) -> list[Row]:
    """The rows of one chain of equalities."""
    chain = " = ".join(formula_latex.render(side.value, names) for side in line.sides)
    if width(chain) <= room and not any(side.remark for side in line.sides):
        return [Row(target, chain)]
    rows: list[Row] = []
    for side in line.sides:
        pieces = broken(formula_latex.render(side.value, names), room, room - 2 * QUAD)
        for place, (right, piece) in enumerate(pieces):
            remark = side.remark if place == len(pieces) - 1 else ()
            start = "" if rows else target
            rows.append(Row(start, piece, place == 0, right // STEP if place else 0, len(pieces) > 1, remark))
    return rows
