r"""Documents as LaTeX: a fragment to put into one's own text, or a whole page that compiles by itself.

The fragment needs amsmath and amssymb. Names and titles are escaped; characters outside Latin and Greek need a
font that has them (lualatex or xelatex).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backprop_cli.documents.blocks import (
    Block,
    Document,
    FormulaBlock,
    Heading,
    Inline,
    Line,
    Note,
    Prose,
    Tone,
)
from backprop_cli.documents.names import Names
from backprop_cli.renderers import formula_latex
from backprop_cli.renderers.breaking import STEP
from backprop_cli.renderers.formula_latex import escaped
from backprop_cli.renderers.latex_breaking import broken
from backprop_cli.renderers.latex_widths import PAGE, QUAD, TEXT, width

GAP = 4.0  # letters at least between an equation and its remark
RELATION = 3.0  # the equals sign

SECTIONS = {1: "section*", 2: "subsection*", 3: "subsubsection*"}

PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage{iftex}
\ifPDFTeX
  \usepackage[T1]{fontenc}
  \usepackage[utf8]{inputenc}
  \usepackage{lmodern}
\else
  \usepackage{fontspec}
\fi
\usepackage[margin=2cm]{geometry}
\usepackage{amsmath,amssymb}
\providecommand{\cancel}[1]{\setbox0\hbox{$\displaystyle #1$}\rlap{\raisebox{0.4ex}{\rule{\wd0}{0.5pt}}}\box0}
\allowdisplaybreaks
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.6ex}
\begin{document}
"""


def page(document: Document) -> str:
    """A complete LaTeX file."""
    return f"{PREAMBLE}\n{render(document)}\n\\end{{document}}\n"


def render(document: Document) -> str:
    """The document's body alone, to be put into another one."""
    return "\n".join(_block(block, document.names) for block in document.blocks)


def _block(block: Block, names: Names) -> str:
    match block:
        case Heading(level, parts):
            return f"\\{SECTIONS[level]}{{{_text(parts, names)}}}\n"
        case Prose(parts):
            return f"{_text(parts, names)}\n"
        case Note(parts, tone):
            mark = r"\textbf{Warning:} " if tone is Tone.WARNING else ""
            return f"{mark}\\textit{{{_text(parts, names)}}}\n"
        case FormulaBlock(lines):
            return "\\begin{align*}\n" + " \\\\\n".join(_aligned(lines, names)) + "\n\\end{align*}\n"
    raise TypeError(f"{type(block).__name__} is not written as LaTeX")


def _text(parts: Iterable[Inline], names: Names) -> str:
    return "".join(
        escaped(part) if isinstance(part, str) else f"${formula_latex.render(part, names)}$" for part in parts
    )


def _aligned(lines: Sequence[Line], names: Names) -> list[str]:
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
        remark = rf" && \text{{{_text(side.remark, names)}}}" if side.remark else ""
        pieces = broken(formula_latex.render(side.value, names), room, room - 2 * QUAD)
        for place, (_, piece) in enumerate(pieces):
            rows.append(start + piece + (remark if place == len(pieces) - 1 else ""))
            start = r"  &\qquad " + r"\quad " * (pieces[min(place + 1, len(pieces) - 1)][0] // STEP)
        start = "  &= "
    return rows
