r"""Tables as LaTeX's ``longtable``, which goes on over pages; arrays are matrices, cut to the width of their column.

The fragment needs amsmath and longtable.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from backprop_cli.documents.blocks import Array, Bar, Cell, Summary, Table
from backprop_cli.documents.names import Names
from backprop_cli.renderers import formula_latex, latex_arrays
from backprop_cli.renderers.arrays import Grid, cut, described, grids
from backprop_cli.renderers.formula_latex import escaped
from backprop_cli.renderers.glyphs import MINUS
from backprop_cli.renderers.latex_widths import PAGE, TEXT, width
from backprop_cli.renderers.numbers import numbers
from backprop_cli.renderers.table_numbers import number_texts

GAP = 2.2  # letters between two columns, of a table and of a matrix
COMMA = 1.3
PARENTHESES = 5.0  # with dots where the array goes on
LEAST = 20.0  # letters for a last column, however wide the others are
MOST_ROWS = 30  # of a matrix, which cannot go on over a page
LETTER = 5.5  # points
LONGEST_BAR = 220  # points
BOLD = dict.fromkeys("fijlt", 0.75) | {"r": 0.95} | dict.fromkeys("mw", 1.9)
EDGE = 1.2  # letters that the page has beyond PAGE
STRUT = r"\rule[-1.6ex]{0pt}{4.6ex}"  # room above and below a fraction


def table(table: Table, names: Names) -> str:
    """The table; its last column takes what the others leave of the page, and longer texts in it are wrapped."""
    found = number_texts(table)
    are_numbers = [any(column == place for _, place in found) for column in range(len(table.header))]
    cells = _shorts(table, names)
    heads = [rf"\textbf{{{escaped(head)}}}" for head in table.header]
    rest = _rest(table, cells)
    last = f"p{{{LETTER * rest:.0f}pt}}" if not are_numbers[-1] else "r"
    columns = "".join("r" if is_number else "l" for is_number in are_numbers[:-1]) + last
    lines = [rf"\begin{{longtable}}[l]{{@{{}}{columns}@{{}}}}", _row(heads), r"\hline", r"\endhead"]
    is_open = False
    for row, short in zip(table.rows, cells, strict=True):
        if row:
            lines.extend(_rows(row[-1], short, rest))
        elif is_open:
            lines.append(r"\hline")
        is_open = True
    return "\n".join([*lines, r"\end{longtable}", ""])


def room(table: Table, names: Names) -> float:
    """How many letters the other columns leave to the last one."""
    return _rest(table, _shorts(table, names))


def parts(array: Array, shape: tuple[int, ...], room: float) -> list[Grid]:
    """The matrices of an array, cut to ``room`` letters and to what stands on a page."""
    gap = GAP if array.values.ndim > 1 else COMMA
    return [
        part
        for grid in grids(array, shape)
        for part in cut(grid, room - PARENTHESES, MOST_ROWS, lambda text: width(latex_arrays.number(text)) + gap)
    ]


def _shorts(table: Table, names: Names) -> list[list[str]]:
    found = number_texts(table)
    return [
        [found[n, column] if (n, column) in found else _short(cell, names) for column, cell in enumerate(row)]
        for n, row in enumerate(table.rows)
    ]


def _rest(table: Table, cells: Sequence[Sequence[str]]) -> float:
    """What the columns before leave of the page, and no more than what their heads leave up to its edge."""
    columns = [[_width(row[column]) for row in cells if row] for column in range(len(table.header) - 1)]
    heads = table.header[:-1]
    widths = [max([TEXT * cell_len(head), *column]) for head, column in zip(heads, columns, strict=True)]
    bold = [max([_bold(head), *column]) for head, column in zip(heads, columns, strict=True)]
    return max(PAGE - max(sum(widths), sum(bold) - EDGE) - GAP * len(widths), LEAST)


def _bold(head: str) -> float:
    """How wide a head is set."""
    return sum(BOLD.get(letter, 1.2) * cell_len(letter) for letter in head)


def _short(cell: Cell, names: Names) -> str:
    """A cell in one run of text; of an array nothing yet."""
    match cell:
        case None | Array() | Summary():
            return ""
        case str():
            return escaped(cell)
        case Bar(share):
            return rf"\rule{{{LONGEST_BAR * share:.1f}pt}}{{1.4ex}}"
    assert not isinstance(cell, int | float), "numbers belong to their column"
    return f"${formula_latex.render(cell, names)}$"


def _width(text: str) -> float:
    return width(text[1:-1]) if text.startswith("$") else TEXT * cell_len(text)


def _rows(last: Cell, short: Sequence[str], room: float) -> list[str]:
    """The lines of one row: a matrix that is cut takes several, the other cells stand in the first of them."""
    *others, end = short
    lines = _lines(last, room) if isinstance(last, Array | Summary) else [end]
    blank = [""] * len(others)
    return [_row([*(others if n == 0 else blank), STRUT + part]) for n, part in enumerate(lines)]


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \tabularnewline"  # `\\` would end a line of a ragged cell


def _lines(cell: Array | Summary, room: float) -> list[str]:
    array, shape = (cell, cell.values.shape) if isinstance(cell, Array) else (cell.corner, cell.shape)
    said = [] if isinstance(cell, Array) else [rf"\raggedright {escaped(described(cell).replace('-', MINUS))}"]
    if array.values.ndim == 0:
        return [f"${latex_arrays.number(numbers([float(array.values)], array.digits)[0])}$"]
    said += [
        (rf"{escaped(part.label)}:\newline{STRUT}" if part.label else "") + f"${latex_arrays.right_aligned(part)}$"
        for part in parts(array, shape, room)
    ]
    return [*said, r"$\vdots$"] if array.values.shape[:-2] != shape[:-2] else said
