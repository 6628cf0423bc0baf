r"""The equations of a page of any format, as they stand on it: lines are put together, remarks are taken off.

Nothing but the page is read: how many equations there are, where one ends, and what stands beside it are found on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, TypeAlias
from xml.etree import ElementTree

import nbformat
from markdown_it import MarkdownIt

from backprop_cli.documents.blocks import Document, FormulaBlock
from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.renderers import html, latex, markdown, notebook, terminal, typst
from tests.reading_back import typst_reader
from tests.reading_back.alignment import remarked
from tests.reading_back.checking import Format, read

PageFormat: TypeAlias = Literal["terminal", "latex", "markdown", "notebook", "html", "typst"]

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
ALIGN = re.compile(r"\\begin\{align\*\}\n(.*?)\n\\end\{align\*\}", re.DOTALL)
ALIGNED = re.compile(r"\$\$\n\\begin\{aligned\}\n(.*?)\n\\end\{aligned\}\n\$\$", re.DOTALL)
TYPST_BLOCK = re.compile(r"^\$ (.*?) \$\n", re.DOTALL | re.MULTILINE)
TYPST_REMARK = re.compile(r" && quad #\[(.*)\]$")
TYPST_TEXT = re.compile(r'#("(?:[^"\\]|\\.)*");')
TYPST_CONTINUED = re.compile(r"^ ?& quad quad (?:quad )*\"\" ")


class Equation(NamedTuple):
    """``target = side = side``, and what is remarked beside it."""

    text: str
    remark: str = ""
    format: Format = "latex"

    def read(self, names: Names) -> tree.Node:
        return read(self.text, names, self.format)


def equations(document: Document, format: PageFormat, width: int = 80) -> list[Equation]:
    """The equations of the page that a format makes of a document."""
    return _terminal(document, width) if format == "terminal" else PAGES[format](document)


def _terminal(document: Document, width: int) -> list[Equation]:
    """Blocks are found on the page by what they look like alone, one after the other."""
    page, at = terminal.render(document, width), 0
    found: list[Equation] = []
    for block in document.blocks:
        if isinstance(block, FormulaBlock):
            own = terminal.render(document._replace(blocks=(block,)), width)
            at = page.index(own, at) + len(own)
            found += in_terminal(own)
    return found


def in_terminal(block: str) -> list[Equation]:
    """The equations of a block of lines. A remark stands two blanks to the right of an equation, or on a line of its
    own, where it goes on with nothing."""
    found: list[Equation] = []
    for line in filter(str.strip, block.splitlines()):
        text, *rest = re.split(r" {2,}", line.strip())
        if line.startswith("  ") and line[2] not in " =":
            if rest and rest[0].startswith("= "):  # targets are padded to one column
                text = f"{text} {rest.pop(0)}"
            found.append(Equation(text, format="unicode"))
        elif text.startswith("= ") or _goes_on(found[-1].text, text):
            found[-1] = found[-1]._replace(text=f"{found[-1].text} {text}")
        else:
            rest = [text, *rest]
        found[-1] = found[-1]._replace(remark=" ".join(filter(None, (found[-1].remark, *rest))))
    return found


def _goes_on(before: str, text: str) -> bool:
    """Whether a line goes on with a formula: it begins with an operator, or stands in brackets that are open."""
    is_open = sum(before.count(sign) for sign in "([{") > sum(before.count(sign) for sign in ")]}")
    return is_open or re.match(r"[+−·⊙/=<>≤≥≠]", text) is not None


def _latex(document: Document) -> list[Equation]:
    return [found for body in ALIGN.findall(latex.page(document)) for found in _aligned(body)]


def _aligned(body: str) -> Iterator[Equation]:
    return (Equation(" = ".join(chain), remark) for chain, remark in remarked(body))


def unadapted(text: str) -> str:
    """The LaTeX of a page's dialect in the commands of the LaTeX renderer."""
    text = re.sub(r"\\mathop\{\\mathrm\{((?:[^{}\\]|\\_)*)\}\}", r"\\operatorname{\1}", text)
    return text.replace(r"\left\vert", r"\left|").replace(r"\right\vert", r"\right|")


def blocks_of_maths(page: str) -> list[str]:
    return [
        token.content.removeprefix("\\begin{aligned}\n").removesuffix("\n\\end{aligned}\n")
        for token in PARSER.parse(page)
        if token.type == "fence" and token.info == "math"
    ]


def _markdown(document: Document) -> list[Equation]:
    bodies = blocks_of_maths(markdown.page(document))
    return [found for body in bodies for found in _aligned(unadapted(body))]


def _notebook(document: Document) -> list[Equation]:
    cells = nbformat.reads(notebook.page(document), as_version=4).cells
    sources = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
    return [found for text in sources for body in ALIGNED.findall(text) for found in _aligned(unadapted(body))]


def _html(document: Document) -> list[Equation]:
    found: list[Equation] = []
    for line in _of_class(ElementTree.fromstring(html.page(document)), "line"):
        beside = [remark for remark in line.iter() if "remark" in (remark.get("class") or "").split()]
        aside = {id(math) for remark in beside for math in remark.iter("math")}
        sides = [_inside(math) for math in line.iter("math") if id(math) not in aside]
        remark = " ".join("".join(remark.itertext()) for remark in beside)
        found.append(Equation("<mo>=</mo>".join(sides), remark, "mathml"))
    return found


def _of_class(element: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    return (found for found in element.iter() if name in (found.get("class") or "").split())


def _inside(math: ElementTree.Element) -> str:
    return "".join(ElementTree.tostring(part, "unicode") for part in math)


def _typst(document: Document) -> list[Equation]:
    return [found for block in TYPST_BLOCK.findall(typst.markup(document)) for found in in_typst(block)]


def in_typst(block: str) -> list[Equation]:
    """The equations of a block, one line each, in LaTeX."""
    found: list[Equation] = []
    for line in block.split(" \\\n  "):
        remark = TYPST_REMARK.search(line)
        row = TYPST_REMARK.sub("", line)
        target, _, side = row.partition(" & = ")
        if TYPST_CONTINUED.match(row):
            found[-1] = found[-1]._replace(text=f"{found[-1].text} {TYPST_CONTINUED.sub('', row)}")
        elif target.strip():
            found.append(Equation(f"{target} = {side}"))
        else:
            found[-1] = found[-1]._replace(text=f"{found[-1].text} = {side}")
        if remark is not None:
            words = TYPST_TEXT.sub(lambda text: str(json.loads(text[1])), remark[1])
            found[-1] = found[-1]._replace(remark=f"{found[-1].remark} {words}".strip())
    return [equation._replace(text=typst_reader.as_latex(equation.text)) for equation in found]


PAGES: dict[str, Callable[[Document], list[Equation]]] = {
    "latex": _latex,
    "markdown": _markdown,
    "notebook": _notebook,
    "html": _html,
    "typst": _typst,
}
PAGE_FORMATS: tuple[PageFormat, ...] = ("terminal", "latex", "markdown", "notebook", "html", "typst")
