"""Documents as Typst's markup, and as PDF where the package typst is installed.

What users wrote stands in Typst's strings, so nothing of it is markup. Pages have no date: the same document is the
same file, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backprop_cli.documents.blocks import (
    Array,
    Bar,
    Block,
    Cell,
    Document,
    FormulaBlock,
    Heading,
    Inline,
    Line,
    Note,
    PageBreak,
    Prose,
    Summary,
    Table,
    Tone,
)
from backprop_cli.documents.names import Names
from backprop_cli.errors import BackpropError
from backprop_cli.language import tree
from backprop_cli.renderers import formula_latex, latex
from backprop_cli.renderers.arrays import Grid, described
from backprop_cli.renderers.chinese_fonts import FONTS
from backprop_cli.renderers.formula_typst import literal, typst
from backprop_cli.renderers.glyphs import MINUS
from backprop_cli.renderers.latex_alignment import Row, alignment
from backprop_cli.renderers.latex_arrays import number, rows
from backprop_cli.renderers.latex_tables import LONGEST_BAR, parts, room
from backprop_cli.renderers.numbers import numbers
from backprop_cli.renderers.optional import package
from backprop_cli.renderers.table_numbers import number_texts
from backprop_cli.translation import Language, alternatives, language, tr

PREAMBLE = """\
#set document(date: none)
#set page(paper: "a4", margin: 2cm, numbering: "1")
#set text(font: "New Computer Modern", size: 10.5pt)
#set par(leading: 0.6em)
#set math.mat(delim: "(", align: right, column-gap: 0.9em)
#show math.equation: set block(breakable: true)
#show heading: set block(above: 1.4em, below: 0.9em)
#show table: it => { show math.equation: set par(leading: 0pt); it }
"""
# The last line: Typst takes the leading for room that a formula may reach into, and rows of a table have none between.

FAMILIES = ", ".join(f'"{name}"' for name in ("New Computer Modern", *FONTS))
LANGUAGES = {
    Language.ENGLISH: "",
    Language.FRENCH: '#set text(lang: "fr")\n',
    Language.CHINESE: f'#set text(lang: "zh", region: "TW", font: ({FAMILIES}))\n',
}


def page(document: Document) -> bytes:
    """The document as PDF. Raises BackpropError where the package typst, or a font, is not installed."""
    source = markup(document)
    typst = package("typst", tr("a PDF needs the package {name}, which is not installed: pip install {name}"))
    if latex.is_chinese(source) and hasattr(typst, "Fonts") and not set(FONTS) & set(typst.Fonts().families()):
        message = tr("a PDF in Chinese needs a font that has its characters; install one of {fonts}")
        raise BackpropError(message.format(fonts=alternatives(FONTS)))
    compiled: bytes = typst.compile(source.encode(), format="pdf")
    return compiled


def markup(document: Document) -> str:
    """The document as a file for Typst."""
    return "\n".join([PREAMBLE + LANGUAGES[language()], *(_block(block, document.names) for block in document.blocks)])


def _block(block: Block, names: Names) -> str:
    match block:
        case Heading(level, parts):
            return f"#heading(level: {level})[{_text(parts, names)}]\n"
        case Prose(parts):
            return f"{_text(parts, names)}\n"
        case Note(parts, tone):
            warning = literal(tr("Warning:"))
            mark = f"*#{warning};* " if tone is Tone.WARNING else ""
            return f"{mark}#emph[{_text(parts, names)}]\n"
        case FormulaBlock(lines):
            return _formulas(lines, names)
        case Table():
            return _table(block, names)
        case PageBreak():
            return "#pagebreak()\n"


def _text(parts: Iterable[Inline], names: Names) -> str:
    return "".join(f"#{literal(part)};" if isinstance(part, str) else f"${_formula(part, names)}$" for part in parts)


def _formula(node: tree.Node, names: Names) -> str:
    return typst(formula_latex.render(node, names))


def _formulas(lines: Sequence[Line], names: Names) -> str:
    return "$ " + " \\\n  ".join(_row(row, names) for row in alignment(lines, names)) + " $\n"


def _row(row: Row, names: Names) -> str:
    sign = "= " if row.is_side else "quad quad " + "quad " * row.further + '"" '  # so that + has something before it
    remark = f" && quad #[{_text(row.remark, names)}]" if row.remark else ""
    return f"{typst(row.target)} & {sign}{typst(row.piece, is_broken=row.is_broken)}{remark}"


def _table(table: Table, names: Names) -> str:
    found = number_texts(table)
    are_numbers = [any(column == place for _, place in found) for column in range(len(table.header))]
    columns = ["auto"] * (len(table.header) - 1) + ["1fr"]
    alignments = ["right" if is_number else "left" for is_number in are_numbers]
    width = room(table, names)
    lines = [
        f"#table(columns: ({', '.join(columns)},), align: ({', '.join(f'{side} + horizon' for side in alignments)},),",
        "  stroke: none, inset: (x: 0.5em, y: 0.45em),",
        "  table.header(" + ", ".join(f"[*{_text((head,), names)}*]" for head in table.header) + ", table.hline()),",
    ]
    for n, row in enumerate(table.rows):
        if not row:
            lines.append("  table.hline(stroke: 0.4pt),")
            continue
        cells = [
            f"${typst(number(found[n, column]))}$" if (n, column) in found else _cell(cell, names, width)
            for column, cell in enumerate(row)
        ]
        lines.append("  " + " ".join(f"[{cell}]," for cell in cells))
    return "\n".join([*lines, ")\n"])


def _cell(cell: Cell, names: Names, width: float) -> str:
    match cell:
        case None:
            return ""
        case str():
            return _text((cell,), names)
        case Bar(share):
            return f"#box(width: {LONGEST_BAR * share:.1f}pt, height: 0.7em, fill: black)"
        case Array():
            return _array(cell, cell.values.shape, width)
        case Summary(shape=shape, corner=corner):
            said = f"#{literal(described(cell).replace('-', MINUS))};"
            return rf"{said} \ {_array(corner, shape, width)}"
    assert not isinstance(cell, int | float), "numbers belong to their column"
    return f"$display({_formula(cell, names)})$"


def _array(array: Array, shape: tuple[int, ...], width: float) -> str:
    if array.values.ndim == 0:
        return f"${typst(number(numbers([float(array.values)], array.digits)[0]))}$"
    texts = [
        (f"#{literal(part.label + ':')}; \\ " if part.label else "") + f"${_matrix(part)}$"
        for part in parts(array, shape, width)
    ]
    is_cut = array.values.shape[:-2] != shape[:-2]
    return " \\ ".join([*texts, "$⋮$"] if is_cut else texts)


def _matrix(grid: Grid) -> str:
    texts = [[typst(entry) for entry in row] for row in rows(grid)]
    if grid.is_vector:
        return f"({', '.join(texts[0])})"
    return f"display(mat({'; '.join(', '.join(row) for row in texts)}))"
