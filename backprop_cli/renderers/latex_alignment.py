"""Equations as rows of ``align*`` or ``aligned``: equals signs and remarks in a column each, long sides broken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backprop_cli.documents.blocks import Inline, Line
from backprop_cli.documents.names import Names
from backprop_cli.renderers import formula_latex
from backprop_cli.renderers.breaking import STEP
from backprop_cli.renderers.formula_latex import escaped
from backprop_cli.renderers.latex_breaking import broken
from backprop_cli.renderers.latex_widths import PAGE, QUAD, TEXT, width

GAP = 4.0  # letters at least between an equation and its remark
RELATION = 3.0  # the equals sign


def text(parts: Iterable[Inline], names: Names) -> str:
    """Text and formulas in one run of LaTeX's text."""
    return "".join(
        escaped(part) if isinstance(part, str) else f"${formula_latex.render(part, names)}$" for part in parts
    )


def aligned(lines: Sequence[Line], names: Names) -> list[str]:
    """The rows of an alignment: targets, equals signs and remarks each in a column."""
    targets = [formula_latex.render(line.target, names) for line in lines]
    remarks = [side.remark for line in lines for side in line.sides if side.remark]
    beside = max((_length(remark, names) + GAP for remark in remarks), default=0)
    room = PAGE - max(map(width, targets)) - RELATION - beside
    return [row for target, line in zip(targets, lines, strict=True) for row in _rows(target, line, names, room)]


def _length(parts: Iterable[Inline], names: Names) -> float:
    """How wide a remark is set."""
    return sum(TEXT * len(p) if isinstance(p, str) else width(formula_latex.render(p, names)) for p in parts)


def _rows(target: str, line: Line, names: Names, room: float) -> list[str]:
    """The lines of one chain of equalities in an alignment."""
    rows = []
    start = f"  {target} &= "
    chain = " = ".join(formula_latex.render(side.value, names) for side in line.sides)
    if width(chain) <= room and not any(side.remark for side in line.sides):
        return [start + chain]
    for side in line.sides:
        remark = rf" && \text{{{text(side.remark, names)}}}" if side.remark else ""
        pieces = broken(formula_latex.render(side.value, names), room, room - 2 * QUAD)
        for place, (_, piece) in enumerate(pieces):
            rows.append(start + piece + (remark if place == len(pieces) - 1 else ""))
            start = r"  &\qquad " + r"\quad " * (pieces[min(place + 1, len(pieces) - 1)][0] // STEP)
        start = "  &= "
    return rows
