"""Documents as Markdown: what users wrote stays text to a parser, every formula and every number is read back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it.token import Token

from backprop_cli.bundled import bundled_names
from backprop_cli.documents.blocks import (
    Array,
    Document,
    FormulaBlock,
    Heading,
    Line,
    Note,
    Prose,
    Side,
    Summary,
    Table,
    Tone,
)
from backprop_cli.language import tree
from backprop_cli.renderers import markdown
from backprop_cli.renderers.markdown_text import Dialect, escaped
from backprop_cli.renderers.plain import one_line
from tests.reading_back.alignment import as_meant, as_read, chains
from tests.reading_back.pages import PARSER, blocks_of_maths, unadapted
from tests.renderers import bundled_documents as bundled
from tests.renderers.examples import NAMES, apply, at, gradient, number, times

DIALECTS = pytest.mark.parametrize("dialect", list(Dialect))
HARMLESS = {"<br>", "<span>", "</span>"}
MATHS = re.compile(r"\$`(.*?)`\$|\$([^`$][^$]*)\$")

HOSTILE = [
    r"50% of $x_1$ & $y$ \begin{x} \$ \( a \) <script>alert(1)</script> <!-- --> &amp; &#36;",
    "`code` *bold* _under_ __both__ ~~gone~~ [a](b) ![c](d) <http://e.f> | pipe || \\| # one",
    "# heading", "- item", "+ item", "* item", "12. item", "3) item", "> quoted", "===", "---", "```", "~~~",
    "http://a.b www.c.d e@f.g", "two\nlines\n\n# and more", "\x1b[31mred\u202e", "   four blanks", "[!WARNING]", "= =",
    "[a]: b", "<br>", "</span>", "a\\", "\\\\", "$$", "$$x$$", "$`x`$", "```math", ":smile:",
]  # fmt: skip


def inner(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from inner(token.children or [])


def text_of(source: str) -> str:
    """What a reader sees of a line of Markdown; anything that is more than text fails."""
    tokens = list(inner(PARSER.parse(source)))
    allowed = {"inline", "text", "paragraph_open", "paragraph_close", "html_inline", "text_special"}
    assert {token.type for token in tokens} <= allowed, source
    assert {token.content for token in tokens if token.type == "html_inline"} <= HARMLESS
    return "".join(token.content for token in tokens if token.type in ("text", "text_special"))


@pytest.mark.parametrize("text", HOSTILE)
@DIALECTS
def test_users_text_is_text(text: str, dialect: Dialect) -> None:
    source = markdown.render([Prose((text,))], NAMES, dialect)
    assert text_of(source) == one_line(text).strip()
    assert "$" not in source
    cells = markdown.render([Table((text, "b"), ((text, "x"),))], NAMES, dialect)
    tokens = PARSER.parse(cells)
    assert [token.type for token in tokens].count("td_open") == 2
    assert "$" not in cells


@given(text=st.text(st.sampled_from("`*_[]()<>|~#&$\\!-+=.123ab:/@\n\t \x00«é'\"{}"), max_size=30))
def test_any_text_is_text(text: str) -> None:
    assert text_of(f"x{escaped(text)}x") == f"x{one_line(text)}x"
    source = markdown.render([Prose((text,))], NAMES)
    assert text_of(source) == one_line(text).strip()
    assert not re.search(r"(?<!\\)(?:\\\\)*\|", source)


def test_blocks_of_github() -> None:
    chain = (Side(times(gradient("a2", "i"), tree.Prime("sigmoid", at("z2", "i"))), ("chain rule",)), Side(number(1)))
    document = Document(
        (
            Heading(2, ("Layer ", at("S"))),
            Prose(("the values ", at("W_hidden", "i", "j"), " and ", at("S"))),
            Note(("look",)),
            Note(("beware",), Tone.WARNING),
            FormulaBlock((Line(gradient("b2", "i"), chain), Line(at("S"), (Side(apply("relu", at("beta"))),)))),
        ),
        NAMES,
    )
    assert markdown.page(document) == (
        "## Layer $S$\n\n"
        "the values $`\\mathrm{W\\_hidden}_{ij}`$ and $S$\n\n"
        "> look\n\n"
        "> [!WARNING]\n> beware\n\n"
        "```math\n\\begin{aligned}\n"
        "  \\frac{\\partial J}{\\partial b_{i}^{[2]}} &= "
        "\\frac{\\partial J}{\\partial a_{i}^{[2]}} \\cdot \\sigma'(z_{i}^{[2]}) && \\text{chain rule} \\\\\n"
        "  &= 1 \\\\\n"
        "  S &= \\mathop{\\mathrm{relu}}(\\beta)\n"
        "\\end{aligned}\n```\n"
    )


def test_a_notebook_has_dollars_and_words() -> None:
    blocks = [Prose((at("W_hidden", "i", "j"),)), Note(("beware",), Tone.WARNING)]
    blocks.append(FormulaBlock((Line(at("S"), (Side(number(1)),)),)))
    assert markdown.render(blocks, NAMES, Dialect.JUPYTER) == (
        "$\\mathrm{W\\_hidden}_{ij}$\n\n> **Warning:** beware\n\n$$\n\\begin{aligned}\n  S &= 1\n\\end{aligned}\n$$"
    )


def test_tables() -> None:
    matrix = Array(np.array([[0.5, -1e-9], [np.nan, np.inf]]), ("i", "j"))
    cube = Array(np.arange(4.0).reshape(2, 1, 2), ("t", "i", "j"))
    summary = Summary((3, 9), 1.5, -1.0, 0.5, 2, Array(np.array([[1.0, 2.0]]), ("i", "j")))
    table = Table(
        ("quantity", "n", "values"),
        ((at("S"), 1.25, Array(np.array(2.0))), (), ("a|b", 3, matrix), ("c", 0.5, cube), ("d", 1, summary)),
    )
    assert markdown.render([table], NAMES).splitlines() == [
        "| quantity | n | values |",
        "| --- | ---: | --- |",
        "| $S$ | 1.25 | $2$ |",
        r"| a\|b | 3.00 | $`\begin{pmatrix} 0.5000 & -1.000 \times 10^{-9} \\ \mathrm{nan} & \infty \end{pmatrix}`$ |",
        r"| c | 0.50 | t = 1: $`\begin{pmatrix} 0 & 1 \end{pmatrix}`$<br>"
        r"t = 2: $`\begin{pmatrix} 2 & 3 \end{pmatrix}`$ |",
        r"| d | 1.00 | 3 × 9, norm 1.5000, from -1.0000 to 0.5000, 2 of them 0<br>"
        r"$`\begin{pmatrix} 1 & 2 & \cdots \\ \vdots & \vdots \end{pmatrix}`$ |",
    ]


@pytest.mark.every_spec
@pytest.mark.parametrize(("name", "view"), bundled.DERIVED)
def test_every_formula_of_the_bundled_specs_is_read_back(name: str, view: str) -> None:
    document = bundled.derived(name, view)
    names = document.names, bundled.by_step(name)
    page = markdown.page(document)
    printed = [chain for block in blocks_of_maths(page) for chain in chains(unadapted(block))]
    assert [as_read(" = ".join(chain), *names) for chain in printed] == as_meant(document, names[1])
    assert r"\operatorname" not in page
    inside = [a or b for text in PARSER.parse(page) if text.type == "inline" for a, b in MATHS.findall(text.content)]
    meant = [part for block in document.blocks for part in getattr(block, "parts", ()) if not isinstance(part, str)]
    assert len(inside) == len(meant)
    for latex in inside:
        as_read(unadapted(latex), *names)


@pytest.mark.every_spec
@pytest.mark.parametrize("name", bundled_names())
def test_every_number_of_a_run_is_read_back(name: str) -> None:
    document = bundled.run(name)
    cells = [
        text.content.split("<br>")
        for text in PARSER.parse(markdown.page(document))
        if text.type == "inline" and text.level == 4
    ]
    printed = [numbers_in(" ".join(cell)) for cell in cells if cell and "$" in cell[-1]]
    arrays = [cell for block in document.blocks if isinstance(block, Table) for row in block.rows for cell in row]
    meant = [cell.corner if isinstance(cell, Summary) else cell for cell in arrays if isinstance(cell, Array | Summary)]
    shown = [values for values in printed if values]
    assert len(shown) == len(meant) > 2
    for values, array in zip(shown, meant, strict=True):
        assert np.allclose(values, array.values.ravel(), rtol=5e-3, atol=5e-5)


def numbers_in(cell: str) -> list[float]:
    """The numbers of the matrices and vectors of a cell."""
    found = []
    for a, b in MATHS.findall(cell):
        latex = a or b
        if "frac" in latex or "^{[" in latex or not re.search(r"[0-9]", latex):
            continue
        latex = re.sub(r" \\times 10\^\{(-?\d+)\}", r"e\1", latex)
        found += [float(text) for text in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", latex)]
    return found
