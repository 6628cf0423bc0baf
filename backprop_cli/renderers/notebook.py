"""Documents as Jupyter notebooks: the page as Markdown, and cells that load the spec, compute its numbers anew and
compare them with those of the page.

A document without its spec's text has no cells of code, one whose spec gives sizes alone only loads it. Needs nbformat.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from backprop_cli.documents.blocks import Block, Document, FormulaBlock, Heading, Table
from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.renderers import markdown, notebook_code
from backprop_cli.renderers.markdown_text import Dialect
from backprop_cli.renderers.optional import package
from backprop_cli.translation import tr

WITHOUT_GRADIENT = ("cost", "loss", "helper")  # roles of quantities whose gradients a run does not give
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def page(document: Document) -> str:
    """The notebook as a file's text. Raises BackpropError where nbformat is not installed."""
    nbformat = package(
        "nbformat", tr("a notebook needs the package {name}, which is not installed: pip install {name}")
    )
    cells = list(_cells(nbformat.v4, document))
    for number, cell in enumerate(cells, start=1):
        cell["id"] = f"cell-{number}"  # nbformat draws ids, and two runs should write the same file
    notebook = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )
    nbformat.validate(notebook)
    return f"{nbformat.writes(notebook)}\n"


def _cells(v4: Any, document: Document) -> Iterator[Any]:
    """A cell for every section of the page, each followed by the numbers of what it says."""
    first, *sections = _sections(document.blocks)
    yield v4.new_markdown_cell(markdown.render(first, document.names, Dialect.JUPYTER))
    source = document.source
    if source is not None:
        yield v4.new_code_cell(notebook_code.loading(source, document.names.cost))
    for section in sections:
        yield v4.new_markdown_cell(markdown.render(section, document.names, Dialect.JUPYTER))
        if source is not None and source.has_numbers:
            yield from map(v4.new_code_cell, _code(section, document.names))
    if source is not None and source.has_numbers:
        title = tr("Verification")
        text = tr("Every gradient against central differences and other oracles:")
        yield v4.new_markdown_cell(f"## {title}\n\n{text}")
        yield v4.new_code_cell(notebook_code.VERIFYING)


def _sections(blocks: Sequence[Block]) -> list[list[Block]]:
    """The blocks up to the first heading of a section, and those of each section."""
    found: list[list[Block]] = [[]]
    for block in blocks:
        if isinstance(block, Heading) and block.level == 2:
            found.append([])
        found[-1].append(block)
    return found


def _code(section: Sequence[Block], names: Names) -> Iterator[str]:
    tables = [block for block in section if isinstance(block, Table)]
    for table in tables:
        yield from notebook_code.comparing(table)
    lines = [line for block in section if isinstance(block, FormulaBlock) for line in block.lines]
    found = [_differentiated_by(line.target, names) for line in lines]
    gradients = list(dict.fromkeys(name for name in found if name is not None))
    if gradients:
        yield notebook_code.showing(gradients)


def _differentiated_by(target: tree.Node, names: Names) -> str | None:
    """X of ∂J/∂X, whole or an entry, where a run gives this gradient; of any other left side None."""
    match target:
        case tree.Partial(of, tree.Place(name)) if of == tree.Place(names.cost):
            found = name
        case tree.Gradient(name):
            found = name
        case _:
            return None
    return None if names[found].role in WITHOUT_GRADIENT else found
