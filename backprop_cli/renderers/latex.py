r"""Documents as LaTeX: a fragment to put into one's own text, or a whole page that compiles by itself.

The fragment needs amsmath and amssymb. Names and titles are escaped; characters outside Latin and Greek need a
font that has them (lualatex or xelatex).
"""

from __future__ import annotations

from collections.abc import Iterable

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
from backprop_cli.renderers.formula_latex import escaped
from backprop_cli.renderers.latex_breaking import LONGEST, broken, letters

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
            rows = [row for line in lines for row in _rows(line, names)]
            return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}\n"
    raise TypeError(f"{type(block).__name__} is not written as LaTeX")


def _text(parts: Iterable[Inline], names: Names) -> str:
    return "".join(
        escaped(part) if isinstance(part, str) else f"${formula_latex.render(part, names)}$" for part in parts
    )


def _rows(line: Line, names: Names) -> list[str]:
    """The lines of one chain of equalities in an alignment."""
    rows = []
    start = f"  {formula_latex.render(line.target, names)} &= "
    chain = " = ".join(formula_latex.render(side.value, names) for side in line.sides)
    if letters(chain) <= LONGEST and not any(side.remark for side in line.sides):
        return [start + chain]
    for side in line.sides:
        remark = rf" && \text{{{_text(side.remark, names)}}}" if side.remark else ""
        *pieces, last = broken(formula_latex.render(side.value, names))
        for piece in pieces:
            rows.append(start + piece)
            start = r"  &\qquad "
        rows.append(start + last + remark)
        start = "  &= "
    return rows
