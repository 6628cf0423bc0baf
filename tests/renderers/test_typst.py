"""Documents as PDF through Typst: every formula is read back from the markup, and users' text is no markup."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from hypothesis import given

from backprop_cli.bundled import bundled_names
from backprop_cli.documents.blocks import Array, Document, Heading, Note, Prose, Summary, Table, Tone
from backprop_cli.errors import BackpropError
from backprop_cli.language import tree
from backprop_cli.renderers import formula_latex
from backprop_cli.renderers import typst as pages
from backprop_cli.renderers.formula_typst import typst
from backprop_cli.renderers.latex_breaking import broken
from backprop_cli.renderers.plain import one_line
from tests.reading_back import read
from tests.reading_back.alignment import as_meant, as_read
from tests.reading_back.normal import normal
from tests.reading_back.pages import equations
from tests.reading_back.typst_reader import as_latex
from tests.renderers import bundled_documents as bundled
from tests.renderers.examples import NAMES, at
from tests.renderers.test_markdown import HOSTILE
from tests.strategies_trees import NAMES as CONFUSING
from tests.strategies_trees import formulas

library = pytest.importorskip("typst")


@pytest.mark.every_spec
@pytest.mark.parametrize(("name", "view"), bundled.DERIVED)
def test_every_formula_of_the_bundled_specs_is_read_back(name: str, view: str) -> None:
    document = bundled.derived(name, view)
    names = document.names, bundled.by_step(name)
    printed = [equation.text for equation in equations(document, "typst")]
    assert [as_read(chain, *names) for chain in printed] == as_meant(document, names[1])


@given(node=formulas())
def test_any_formula_is_read_back(node: tree.Node) -> None:
    latex = formula_latex.render(node, CONFUSING)
    meant = normal(node, CONFUSING)
    assert normal(read(as_latex(typst(latex)), CONFUSING, "latex"), CONFUSING) == meant
    pieces = [typst(piece, is_broken=True) for _, piece in broken(latex, 25, 25)]
    assert normal(read(as_latex(" ".join(pieces)), CONFUSING, "latex"), CONFUSING) == meant


@pytest.mark.parametrize("text", HOSTILE)
def test_users_text_is_text(text: str) -> None:
    parts = (text, " and ", at("S"))
    table = Table((text, "values"), ((text, Array(np.array(1.0))), (at("S"), Array(np.array([1.0, 2.0])))))
    document = Document((Heading(1, (text,)), Prose(parts), Note(parts, Tone.WARNING), table), NAMES)
    markup = pages.markup(document).encode()
    (heading,) = json.loads(library.query(markup, "heading"))
    assert heading["body"] == {"func": "text", "text": one_line(text)}
    assert pages.page(document).startswith(b"%PDF")


def test_hostile_code_is_not_run() -> None:
    document = Document((Heading(1, ('"); #read("/etc/passwd") #("',)),), NAMES)
    assert '#"\\"); #read(\\"/etc/passwd\\") #(\\"";' in pages.markup(document)


def test_tables() -> None:
    matrix = Array(np.array([[0.5, -1e-9], [np.nan, np.inf]]), ("i", "j"))
    summary = Summary((3, 9), 1.5, -1.0, 0.5, 2, Array(np.array([[1.0, 2.0]]), ("i", "j")))
    table = Table(("quantity", "n", "values"), ((at("S"), 1.25, matrix), (), ("c", 3, summary)))
    assert pages.markup(Document((table,), NAMES)).partition(pages.PREAMBLE)[2].splitlines()[1:] == [
        "#table(columns: (auto, auto, 1fr,), align: (left + horizon, right + horizon, left + horizon,),",
        "  stroke: none, inset: (x: 0.5em, y: 0.45em),",
        '  table.header([*#"quantity";*], [*#"n";*], [*#"values";*], table.hline()),',
        '  [$display(S)$], [$1.25$], [$display(mat(0.5000, - 1.000 × 10 ^(- 9); "nan", ∞))$],',
        "  table.hline(stroke: 0.4pt),",
        '  [#"c";], [$3.00$], [#"3 × 9, norm 1.5000, from −1.0000 to 0.5000, 2 of them 0"; \\ '
        "$display(mat(1, 2, ⋯; ⋮, ⋮))$],",
        ")",
    ]


@pytest.mark.every_spec
@pytest.mark.parametrize("name", bundled_names())
def test_pages_compile_without_a_warning(name: str) -> None:
    for document in (bundled.derived(name), bundled.derived(name, "matrix"), bundled.run(name)):
        content, warnings = library.compile_with_warnings(pages.markup(document).encode(), format="pdf")
        assert content.startswith(b"%PDF")
        assert warnings == []


def test_a_page_has_no_date() -> None:
    page = pages.page(bundled.run("two-two-two"))
    assert b"CreationDate" not in page
    assert b"ModDate" not in page
    assert page == pages.page(bundled.run("two-two-two"))


def test_without_typst_there_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    message = "^a PDF needs the package typst, which is not installed: pip install typst$"
    with pytest.raises(BackpropError, match=message):
        pages.page(Document((Heading(1, ("a",)),), NAMES))


def test_rows_are_as_tall_as_what_stands_in_them() -> None:
    one = tree.Partial(at("J"), at("W2", 1, 1))

    def height(content: str) -> float:
        markup = f"{pages.PREAMBLE}#context [#metadata(measure([{content}]).height.pt())<height>]"
        return float(json.loads(library.query(markup.encode(), "<height>", field="value", one=True)))

    def rows(number: int) -> float:
        table = Table(("quantity", "answer"), ((one, ""),) * number)
        return height(pages.markup(Document((table,), NAMES)).removeprefix(pages.PREAMBLE))

    formula = height(f"#block($ {typst(formula_latex.render(one, NAMES))} $)")
    assert rows(3) - rows(2) == pytest.approx(rows(2) - rows(1))
    assert rows(2) - rows(1) >= formula + 2 * 0.45 * 10.5 - 0.1  # with the inset above and below
