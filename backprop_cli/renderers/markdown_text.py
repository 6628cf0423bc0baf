r"""Text and mathematics inside Markdown: what users wrote stays as it is, and formulas reach their typesetter whole.

Markdown reads backslashes, underscores and pipes of mathematics too, so a formula that holds any of them is put where
a dialect leaves it alone: for GitHub between dollars and backticks, in a notebook between dollars alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum

from backprop_cli.documents.blocks import Inline
from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.renderers import formula_latex
from backprop_cli.renderers.plain import one_line


class Dialect(Enum):
    """Whose Markdown it is: GitHub's, which many others read, or a Jupyter notebook's."""

    GITHUB = "github"
    JUPYTER = "jupyter"


# A dollar and a backslash each stand in an element of their own, where no search for mathematics begins or ends.
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "<span>&#36;</span>", "\\": "<span>&#92;</span>"}
_ESCAPES |= {character: f"\\{character}" for character in "`*_[]|~#"}
_LINKS = re.compile(r"://|\bwww\.|@", re.IGNORECASE)
_STARTS = re.compile(r"^(\s*)(?:([-+=])|(\d+)([.)]))")
_READ_BY_MARKDOWN = re.compile(r"\\[^A-Za-z]|[*`<>&|]|[^A-Za-z0-9]_")

_OPERATOR = re.compile(r"\\operatorname\{((?:[^{}\\]|\\_)*)\}")  # which GitHub refuses
_BARS = {r"\left|": r"\left\vert", r"\right|": r"\right\vert"}  # a pipe would end the cell of a table


def formula(node: tree.Node, names: Names) -> str:
    """A formula in the LaTeX that MathJax and KaTeX read, without delimiters."""
    return adapted(formula_latex.render(node, names))


def adapted(latex: str) -> str:
    """LaTeX in the macros that every typesetter of Markdown allows."""
    latex = _OPERATOR.sub(r"\\mathop{\\mathrm{\1}}", latex)
    for bar, command in _BARS.items():
        latex = latex.replace(bar, command)
    return latex


def inline(latex: str, dialect: Dialect) -> str:
    """Mathematics in a line of text."""
    if dialect is Dialect.GITHUB and _READ_BY_MARKDOWN.search(latex):
        return f"$`{latex}`$"
    return f"${latex}$"


def block(latex: str, dialect: Dialect) -> str:
    """Mathematics by itself."""
    return f"```math\n{latex}\n```" if dialect is Dialect.GITHUB else f"$$\n{latex}\n$$"


def escaped(text: str) -> str:
    """Text that Markdown prints as it stands, in the middle of a line."""
    linked = _LINKS.split(one_line(text))
    found = _LINKS.findall(one_line(text))
    parts = ["".join(_ESCAPES.get(character, character) for character in part) for part in linked]
    seams = [f"\\{seam}" if not seam.lower().startswith("www") else f"{seam[:-1]}\\." for seam in found]
    return parts[0] + "".join(seam + part for seam, part in zip(seams, parts[1:], strict=True))


def running(parts: Iterable[Inline], names: Names, dialect: Dialect) -> str:
    """Text and formulas in one run that may begin a line."""
    text = "".join(
        escaped(part) if isinstance(part, str) else inline(formula(part, names), dialect) for part in parts
    ).strip()
    return _STARTS.sub(lambda found: rf"\{found[2]}" if found[2] else rf"{found[3]}\{found[4]}", text)
