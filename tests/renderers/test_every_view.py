"""Every view of the walkthrough in every format and language: well-formed pages, with the same formulas everywhere."""

from __future__ import annotations

from zlib import crc32

import nbformat
import pytest

import backprop_cli as bp
from backprop_cli.bundled import bundled_names, bundled_spec
from backprop_cli.documents.blocks import Document, FormulaBlock, Table
from backprop_cli.network import Network
from backprop_cli.options import WalkView
from backprop_cli.renderers import html, latex, markdown, notebook, terminal, typst
from backprop_cli.symbolic.graph import Role
from backprop_cli.translation import Language, written_in
from backprop_cli.walking import PerturbedWalk, Request, Walk
from tests.renderers.test_html import Balanced

VIEWS = (*WalkView, "perturb")
FORMATS = ("text", "markdown", "latex", "html", "notebook", "pdf")
ON_ONE = [("two-two-two", view, format, language) for view in VIEWS for format in FORMATS for language in Language]
ON_ALL = [
    (name, view, FORMATS[chosen % len(FORMATS)], list(Language)[chosen // 7 % len(Language)])
    for name in bundled_names()
    for view in VIEWS
    for chosen in (crc32(f"{name} {view}".encode()),)
]


def entry_of(network: Network) -> str | None:
    """A number that may be changed."""
    formulas = network.derive().told.adjoints.formulas
    for quantity in network.graph.with_role(Role.PARAMETER, Role.INPUT):
        if quantity.name in formulas:
            return quantity.name + (f"[{','.join(map(str, quantity.shape))}]" if quantity.shape else "")
    return None


def document_of(network: Network, view: str) -> Document:
    if view == "perturb":
        return PerturbedWalk(network, Request(), f"{entry_of(network)}=0.01").document
    return Walk(network, Request(view=WalkView(view))).document


def check(page: str | bytes, format: str) -> None:
    match format:
        case "html":
            tags = Balanced()
            tags.feed(str(page))
            assert tags.open == []
        case "notebook":
            nbformat.validate(nbformat.reads(str(page), as_version=4))
        case "pdf":
            assert bytes(page)[:5] == b"%PDF-"
        case "latex":
            assert str(page).count("{") == str(page).count("}")


PAGES = {
    "markdown": markdown.page,
    "latex": latex.page,
    "html": html.page,
    "notebook": notebook.page,
    "pdf": typst.page,
}


@pytest.mark.every_spec
@pytest.mark.parametrize(("name", "view", "format", "language"), [*ON_ONE, *ON_ALL], ids=str)
def test_a_page(name: str, view: str, format: str, language: Language) -> None:
    network = bp.load(bundled_spec(name).text)
    english = document_of(network, view)
    with written_in(language):
        document = document_of(network, view)._replace(source=network.source)
        if format == "text":
            page: str | bytes = terminal.render(document, 80)
        elif format == "pdf" and language is Language.CHINESE:
            return  # needs a font that not every machine has; tests/languages/ sets such pages
        else:
            page = PAGES[format](document)
        check(page, format)
    assert formulas(document) == formulas(english)
    assert len(tables(document)) == len(tables(english))


def formulas(document: Document) -> list[object]:
    """What a page computes, which no language changes; remarks of sides are words."""
    blocks = (block for block in document.blocks if isinstance(block, FormulaBlock))
    return [(line.target, [side.value for side in line.sides]) for block in blocks for line in block.lines]


def tables(document: Document) -> list[Table]:
    return [block for block in document.blocks if isinstance(block, Table)]
