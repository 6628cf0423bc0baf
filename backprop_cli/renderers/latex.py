r"""Documents as LaTeX: a fragment to put into one's own text, or a whole page that compiles by itself.

The fragment needs amsmath, amssymb and longtable. Names and titles are escaped; characters outside Latin and Greek
need a font that has them (lualatex or xelatex).
"""

from __future__ import annotations

from unicodedata import east_asian_width

from backprop_cli.documents.blocks import Block, Document, FormulaBlock, Heading, Note, PageBreak, Prose, Table, Tone
from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.renderers.chinese_fonts import FONTS
from backprop_cli.renderers.formula_latex import escaped
from backprop_cli.renderers.latex_alignment import aligned, text
from backprop_cli.renderers.latex_tables import table
from backprop_cli.translation import Language, language, tr

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
\usepackage{amsmath,amssymb,longtable}
\providecommand{\cancel}[1]{\setbox0\hbox{$\displaystyle #1$}\rlap{\raisebox{0.4ex}{\rule{\wd0}{0.5pt}}}\box0}
\allowdisplaybreaks
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.6ex}
\begin{document}
"""
BEGIN = r"\begin{document}"
TRIED = "\n".join(rf"  \IfFontExistsTF{{{name}}}{{\setCJKmainfont{{{name}}}}}{{%" for name in FONTS)
CHINESE = rf"""% Chinese text: for XeLaTeX or LuaLaTeX, in the first of these fonts that there is.
\ifPDFTeX
  \PackageError{{backprop}}{{Chinese text wants XeLaTeX or LuaLaTeX}}{{}}
\else
  \usepackage[scheme=plain,fontset=none]{{ctex}}
{TRIED}
  \PackageError{{backprop}}{{There is no font with traditional Chinese characters}}{{}}{"}" * len(FONTS)}
\fi
"""


def page(document: Document) -> str:
    """A complete LaTeX file; where there are Chinese characters in it, a student's name among them, with a font for
    them."""
    body = fragment(document)
    preamble = PREAMBLE.replace(BEGIN, CHINESE + BEGIN) if is_chinese(body) else PREAMBLE
    return f"{preamble}\n{body}\n\\end{{document}}\n"


def is_chinese(text: str) -> bool:
    """Whether the text needs a font with Chinese characters: the language has them, or a name in it does."""
    return language() is Language.CHINESE or any(east_asian_width(character) in "WF" for character in text)


def fragment(document: Document) -> str:
    """The document's body alone, to be put into another one."""
    return "\n".join(_block(block, document.names) for block in document.blocks)


def _block(block: Block, names: Names) -> str:
    match block:
        case Heading(level, parts):
            return f"\\{SECTIONS[level]}{{{text(parts, names)}}}\n"
        case Prose(parts) if any(isinstance(part, tree.Equality) for part in parts):
            # long formulas within a line leave wide gaps rather than run into the margin
            return f"{{\\sloppy {text(parts, names)}\\par}}\n"
        case Prose(parts):
            return f"{text(parts, names)}\n"
        case Note(parts, tone):
            warning = escaped(tr("Warning:"))
            mark = rf"\textbf{{{warning}}} " if tone is Tone.WARNING else ""
            return f"{mark}\\textit{{{text(parts, names)}}}\n"
        case FormulaBlock(lines):
            return "\\begin{align*}\n" + " \\\\\n".join(aligned(lines, names)) + "\n\\end{align*}\n"
        case Table():
            return table(block, names)
        case PageBreak():
            return "\\clearpage\n"
