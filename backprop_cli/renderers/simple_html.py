"""Blocks as the plainest HTML, which is XML too: for learning platforms, which have style sheets of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backprop_cli.documents.blocks import (
    Array,
    Bar,
    Block,
    Cell,
    FormulaBlock,
    Heading,
    Inline,
    Line,
    PageBreak,
    Summary,
    Table,
)
from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.renderers import formula_mathml
from backprop_cli.renderers.arrays import Grid, described, grids
from backprop_cli.renderers.bars import bar
from backprop_cli.renderers.mathml_elements import escaped
from backprop_cli.renderers.table_numbers import number_texts

MATHML = "http://www.w3.org/1998/Math/MathML"


def fragment(blocks: Iterable[Block], names: Names) -> str:
    """The blocks one after the other."""
    return "".join(_block(block, names) for block in blocks)


def formula(node: tree.Node, names: Names) -> str:
    """One formula."""
    return f'<math xmlns="{MATHML}">{formula_mathml.render(node, names)}</math>'


def text(parts: Iterable[Inline], names: Names) -> str:
    """Text and formulas in one run."""
    return "".join(escaped(part) if isinstance(part, str) else formula(part, names) for part in parts)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are markup already."""
    head = "".join(f"<th>{escaped(one)}</th>" for one in header)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _block(block: Block, names: Names) -> str:
    match block:
        case Heading(_, parts):
            return f"<p><strong>{text(parts, names)}</strong></p>"
        case FormulaBlock(lines):
            return "".join(_line(line, names) for line in lines)
        case PageBreak():
            return "<hr/>"
        case Table(header):
            found = number_texts(block)
            rows = [
                [found.get((n, column)) or _cell(cell, names) for column, cell in enumerate(row)]
                for n, row in enumerate(block.rows)
                if row
            ]
            return table(header, rows)
    return f"<p>{text(block.parts, names)}</p>"


def _line(line: Line, names: Names) -> str:
    remarks = "".join(f" ({text(side.remark, names)})" for side in line.sides if side.remark)
    return f"<p>{formula(line.formula, names)}{remarks}</p>"


def _cell(cell: Cell, names: Names) -> str:
    match cell:
        case None:
            return ""
        case str():
            return escaped(cell)
        case Bar():
            return bar(cell)
        case Array():
            return _array(cell, cell.values.shape)
        case Summary(shape=shape, corner=corner):
            return f"{escaped(described(cell))} {_array(corner, shape)}"
    assert not isinstance(cell, int | float), "numbers belong to their column"
    return formula(cell, names)


def _array(array: Array, shape: tuple[int, ...]) -> str:
    return "".join(_grid(grid) for grid in grids(array, shape))


def _grid(grid: Grid) -> str:
    if grid.is_vector:
        return escaped(", ".join(grid.rows[0]))
    label = f"<p>{escaped(grid.label)}</p>" if grid.label else ""
    rows = "".join(f"<tr>{''.join(f'<td>{escaped(number)}</td>' for number in row)}</tr>" for row in grid.rows)
    return f"{label}<table><tbody>{rows}</tbody></table>"
