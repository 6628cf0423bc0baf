"""Documents as HTML: one well-formed file that loads nothing, whose formulas say what the document says."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import backprop_cli as bp
from backprop_cli.bundled import bundled_spec, bundled_specs
from backprop_cli.documents.blocks import (
    Array,
    Block,
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
from backprop_cli.documents.derivation import answer_document, derivation_document
from backprop_cli.documents.formulas import places
from backprop_cli.documents.names import Names, Shown
from backprop_cli.documents.run_tables import run_document
from backprop_cli.language import tree
from backprop_cli.language.walking import rebuilt
from backprop_cli.renderers import formula_mathml, html, html_style
from backprop_cli.symbolic.notation import by_step
from backprop_cli.translation import Language, written_in
from tests.reading_back import read
from tests.reading_back.normal import normal
from tests.renderers.examples import NAMES, at, gradient, number, over, plus, times

PAGES = [(spec.name, kind) for spec in bundled_specs() for kind in ("index", "matrix", "run")]
PAGES += [("rnn", "unrolled"), ("rnn-truncated", "unrolled")]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@lru_cache(maxsize=4)
def bundled(name: str, kind: str) -> Document:
    network = bp.load(bundled_spec(name).text)
    if kind == "run":
        return run_document(network.graph, network.names, network.compile().run())
    derivation = network.derive()
    steps = derivation.matrix_steps if kind == "matrix" else None
    return derivation_document(derivation.told, network.names, steps, derivation.unrolled if kind == "unrolled" else ())


def parsed(page: str) -> ElementTree.Element:
    """The page by the strict rules of XML, and every tag closed by those of HTML."""
    checked = Balanced()
    checked.feed(page)
    checked.close()
    assert checked.open == []
    return ElementTree.fromstring(page)


class Balanced(HTMLParser):
    """Notices tags that are not closed in order; ``<meta/>`` is whole."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def text_of(element: ElementTree.Element) -> str:
    return "".join(element.itertext())


def of_class(element: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    return (found for found in element.iter() if name in (found.get("class") or "").split())


def shown(*blocks: Block, names: Names = NAMES) -> ElementTree.Element:
    return parsed(html.page(Document(blocks, names)))


EVERY_PAGE = pytest.mark.parametrize(("name", "kind"), PAGES)


@pytest.mark.every_spec
@EVERY_PAGE
def test_every_page_is_well_formed_and_loads_nothing(name: str, kind: str) -> None:
    page = html.page(bundled(name, kind))
    root = parsed(page)
    tags = {element.tag for element in root.iter()}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    assert not re.search(r"https?:|//|url\(|@import|@font-face|javascript:", page)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on") or name in ("src", "style", "srcset")}
    assert {element.get("href") for element in root.iter() if element.get("href")} <= {f"#{found}" for found in ids}
    headings = [int(element.tag[1]) for element in root.iter() if re.fullmatch("h[1-6]", element.tag)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(headings))


@pytest.mark.every_spec
@EVERY_PAGE
def test_every_formula_reads_back(name: str, kind: str) -> None:
    check_formulas(bundled(name, kind))


def check_formulas(document: Document) -> None:
    """The elements of every formula of a page say what the document says, and so does its text."""
    told = [node for block in document.blocks for node in formulas(block)]
    is_by_step = any(place.name == document.names.cost and place.positions for node in told for place in places(node))
    names = with_costs_of_steps(document.names) if is_by_step else document.names
    main = parsed(html.page(document)).find("body")
    assert main is not None
    listed = {id(math) for nav in main.iter("nav") for math in nav.iter("math")}
    found = [math for math in main.iter("math") if id(math) not in listed]
    for math, node in zip(found, told, strict=True):
        text, inside = math.get("alttext") or "", "".join(ElementTree.tostring(e, "unicode") for e in math)
        assert meaning(read(text, names, "text"), names) == meaning(node, names), text
        if not is_mention(node, names):
            assert meaning(read(inside, names, "mathml"), names) == meaning(node, names), inside


def is_mention(node: tree.Node, names: Names) -> bool:
    """Whether a remark calls a gradient ∂J/∂z, without the positions that it has in the formula."""
    return isinstance(node, tree.Partial) and not node.by.positions and bool(names[node.by.name].shape)


def with_costs_of_steps(names: Names) -> Names:
    """The names with J[s], the cost of one step."""
    name = by_step(names.cost)
    return replace(names, quantities={**names.quantities, name: Shown(name, names.cost, names.cost, "", ("s",), (3,))})


def meaning(node: tree.Node, names: Names) -> tree.Node:
    """What every format can say alike of a formula; what is dropped counts 0."""
    return normal(_undressed(node, names), names, as_text=True)


def _undressed(node: tree.Node, names: Names) -> tree.Node:
    if isinstance(node, tree.Struck):
        return tree.Number("0")
    if isinstance(node, tree.Partial) and is_mention(node, names):
        return tree.Gradient(node.by.name)
    node = rebuilt(node, lambda part: _undressed(part, names))
    if isinstance(node, tree.Product) and set(node.factors) == {tree.Number("0")}:
        return tree.Number("0")  # every factor is struck out by itself
    if isinstance(node, tree.Place) and node.name == names.cost and node.positions:
        return tree.Place(by_step(node.name), node.positions)
    return node


def formulas(block: Block) -> Iterator[tree.Node]:
    """The formulas of a block in reading order."""
    match block:
        case Heading(_, parts) | Prose(parts) | Note(parts):
            yield from (part for part in parts if not isinstance(part, str))
        case FormulaBlock(lines):
            for line in lines:
                yield line.target
                for side in line.sides:
                    yield side.value
                    yield from (part for part in side.remark if not isinstance(part, str))
        case Table(_, rows):
            plain = (str, int, float, Array, Summary)
            yield from (cell for row in rows for cell in row if cell is not None and not isinstance(cell, plain))


def test_a_page_has_a_language_and_a_title() -> None:
    with written_in(Language.CHINESE):
        root = parsed(html.page(Document((Heading(1, ("gradient of ", gradient("W2"))),), NAMES)))
    assert root.get("lang") == "zh-Hant"
    assert root.findtext("head/title") == "gradient of ∂J/∂w⁽²⁾"
    assert root.find("body/header/h1/math") is not None


def test_sections_fold_and_are_listed() -> None:
    root = shown(
        Heading(1, ("title",)),
        Prose(("before",)),
        Heading(2, ("first",)),
        Heading(3, ("part",)),
        Prose(("one",)),
        Heading(2, ("second ", at("S"))),
        Prose(("two",)),
    )
    sections = root.findall("body/main/details")
    assert [section.get("open") for section in sections] == ["", ""]
    assert [text_of(section.find("summary/h2")) for section in sections] == ["first", "second S"]  # type: ignore[arg-type]
    assert [text_of(part) for part in sections[0].findall("h3")] == ["part"]
    links = root.findall("body/main/nav/ul/li/a")
    assert [link.get("href") for link in links] == [f"#{section.get('id')}" for section in sections]
    assert [text_of(link) for link in links] == ["first", "second S"]


def test_a_part_outside_a_section_is_a_heading_of_the_second_level() -> None:
    root = shown(Heading(1, ("title",)), Heading(3, ("part",)), Prose(("text",)))
    assert [text_of(found) for found in root.findall("body/main/h2")] == ["part"]
    assert root.find("body/main/nav") is None


def test_a_warning_says_so_in_words() -> None:
    root = shown(Note(("take care",), Tone.WARNING), Note(("by the way",)))
    assert [text_of(found) for found in root.findall("body/main/p")] == ["Warning: take care", "by the way"]


def test_a_chain_has_its_remarks_beside_it() -> None:
    sides = (Side(times(number(2), at("S")), ("chain rule",)), Side(plus(at("S"), at("S")), ("with ", at("S"))))
    root = shown(FormulaBlock((Line(gradient("b2", "i"), sides),)))
    line = next(of_class(root, "line"))
    assert [math.get("alttext") for math in line.iter("math")] == ["dJ/db2[i]", "2*S", "S + S", "S"]
    assert [text_of(remark) for remark in of_class(line, "remark")] == ["chain rule", "with S"]
    assert [text_of(side).split()[0] for side in of_class(line, "side")] == ["=", "="]


def test_a_sign_of_punctuation_stays_with_its_formula() -> None:
    root = shown(Prose(("all ", at("S"), ", and ", at("beta"), ".")))
    assert text_of(root.find("body/main/p")) == "all S, and β."  # type: ignore[arg-type]
    assert [text_of(found) for found in of_class(root, "kept")] == ["S,", "β."]


def test_notation() -> None:
    def mathml(node: tree.Node) -> str:
        return formula_mathml.render(node, NAMES)

    layer = '<mrow><mo form="prefix" stretchy="false">[</mo><mn>2</mn><mo form="postfix" stretchy="false">]</mo></mrow>'
    indices = "<mrow><mi>i</mi><mo>\u2063</mo><mi>j</mi></mrow>"
    assert mathml(at("W2", "i", "j")) == f'<msubsup class="parameter"><mi>w</mi>{indices}{layer}</msubsup>'
    assert mathml(tree.Matrix("W2")) == f'<msup class="parameter"><mi>W</mi>{layer}</msup>'
    assert mathml(at("yhat", "k")).startswith('<msub class="intermediate"><mover accent="true"><mi>y</mi>')
    assert mathml(over(tree.Comparison("==", at("S"), number(1)), at("S"))).count(">[<") == 1


def test_a_dropped_term_is_struck_out_for_browsers_with_and_without_menclose() -> None:
    page = formula_mathml.render(tree.Struck(times(at("S"), at("beta"))), NAMES)
    assert page.count('<menclose notation="horizontalstrike" class="struck">') == 2
    assert re.search(r"\.struck \{ background: linear-gradient\(currentColor", html_style.style_sheet())


def test_a_long_formula_can_be_broken_at_its_operators() -> None:
    node = plus(times(at("S"), at("beta")), at("S"), tree.Negative(number(1)))
    math = ElementTree.fromstring(formula_mathml.element(node, NAMES))
    terms = list(math)
    assert [text_of(term) for term in terms] == ["S⋅β", "+S", "−1"]
    assert [text_of(factor) for factor in terms[0]] == ["S", "⋅β"]


HOSTILE = "<script>alert(1)</script>\"'&amp;]]><!--\x00\x1b[31m\u202e\ud800"


def test_what_users_wrote_is_escaped_everywhere() -> None:
    names = Names.given([Shown(HOSTILE, HOSTILE, HOSTILE, "1", ("i",), (3,), HOSTILE, HOSTILE)])
    nodes = (tree.Place(HOSTILE, (tree.Place(HOSTILE),)), tree.Matrix(HOSTILE), tree.Gradient(HOSTILE))
    uses = (*nodes, tree.Apply(HOSTILE, nodes), tree.Prime(HOSTILE, nodes[0]))
    sums = tree.Reduction(HOSTILE, nodes[0], (HOSTILE,))
    page = html.page(
        Document(
            (
                Heading(1, (HOSTILE, *uses)),
                Heading(2, (HOSTILE,)),
                Prose((HOSTILE, *uses)),
                Note((HOSTILE,), Tone.WARNING),
                FormulaBlock((Line(nodes[0], (Side(sums, (HOSTILE,)),)),)),
                Heading(2, (HOSTILE,)),
                Table((HOSTILE, HOSTILE), ((HOSTILE, Array(np.ones((1, 2, 2)), (HOSTILE, HOSTILE, HOSTILE))),)),
            ),
            names,
        )
    )
    root = parsed(page)
    assert "<script" not in page
    unseen = {character for character in page if not character.isprintable()}
    assert unseen == {"\n", "\N{FUNCTION APPLICATION}"}
    assert text_of(root.find("body/header/h1")).startswith("<script>alert(1)</script>\"'&amp;]]><!--\\x00\\x1b[31m")  # type: ignore[arg-type]


def test_a_table_marks_its_heads_and_groups() -> None:
    vector, matrix = Array(np.array([0.5, -1.25]), ("i",)), Array(np.array([[1.0, 2.0], [3.0, 4.5]]), ("i", "j"))
    rows = (("1", at("S"), vector), ("", tree.Matrix("W2"), matrix), (), ("", at("beta"), Array(np.array(2.0))))
    table = shown(Table(("layer", "quantity", "values"), rows)).find("body/main/div/table")
    assert table is not None
    assert [(head.get("scope"), head.text) for head in table.findall("thead/tr/th")] == [
        ("col", "layer"),
        ("col", "quantity"),
        ("col", "values"),
    ]
    first, second = table.findall("tbody")
    group = first.find("tr/th")
    assert group is not None
    assert (group.get("scope"), group.get("rowspan"), group.text) == ("rowgroup", "2", "1")
    assert [item.text for item in first.findall("tr/td/ol/li")] == ["0.50", "-1.25"]
    inner = first.find("tr/td/div/table")
    assert inner is not None
    assert [[text_of(cell).strip() for cell in row] for row in inner.iter("tr")] == [
        ["i\\j", "1", "2"],
        ["1", "1.0", "2.0"],
        ["2", "3.0", "4.5"],
    ]
    assert {head.get("scope") for head in inner.findall("tbody/tr/th")} == {"row"}
    assert [text_of(cell).strip() for cell in second.iter("td")] == ["2"]


def test_numbers_of_a_column_line_up_and_a_large_array_says_what_it_is() -> None:
    corner = Array(np.arange(18.0).reshape(3, 6), ("i", "j"))
    large = Summary((30, 60), 12.5, -1.0, 17.0, 3, corner)
    root = shown(Table(("of", "value"), (("a", 1.5), ("b", -10.25))), Table(("of", "values"), (("c", large),)))
    assert [cell.text for cell in of_class(root, "number") if cell.tag == "td"] == ["  1.50", "-10.25"]
    assert [text_of(found) for found in of_class(root, "summary")] == [
        "30 × 60, norm 12.5000, from -1.0000 to 17.0000, 3 of them 0"
    ]
    rows = [text_of(row) for box in of_class(root, "array") for row in box.iter("tr")]
    assert [row.count("…") for row in rows] == [1, 1, 1, 1, 0]
    assert rows[-1] == "⋮"


def luminance(colour: str) -> float:
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [html_style.LIGHT, html_style.DARK], ids=["light", "dark"])
def test_every_colour_can_be_read(theme: dict[str, str]) -> None:
    """WCAG 2 asks for a contrast of 4.5."""
    for text in html_style.TEXTS:
        for ground in ("paper", "shade"):
            light, dark = sorted((luminance(theme[text]), luminance(theme[ground])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)


def test_the_answer_to_one_question() -> None:
    derivation = bp.load(bundled_spec("two-two-two").text).derive()
    root = parsed(html.page(answer_document(derivation.told, derivation.names, derivation.of("W1", False))))
    assert root.find("body/header/h1/math") is not None
    assert len(root.findall("body/main/h2")) > 1


MEASURING = """<script>
addEventListener("load", () => {
  const size = (found) => document.querySelector(found).getBoundingClientRect();
  document.body.dataset.measured = [innerWidth, document.documentElement.scrollWidth, size("mfrac").height,
    parseFloat(getComputedStyle(document.body).fontSize)].join(" ");
});
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.parametrize(("name", "kind"), [("rnn-truncated", "index"), ("small-cnn", "run"), ("batch-norm", "matrix")])
def test_a_browser_sets_fractions_and_no_page_is_wider_than_a_phone(name: str, kind: str, tmp_path: Path) -> None:
    page = re.sub("<meta http-equiv=[^>]*>", "", html.page(bundled(name, kind)))  # the policy forbids scripts
    file = tmp_path / "page.html"
    file.write_text(page.replace("</head>", f"{MEASURING}</head>"), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--window-size=400,800"]
    dumped = subprocess.run(
        [str(CHROMIUM), *options, "--dump-dom", file.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    measured = re.search('data-measured="([^"]*)"', dumped.stdout)
    assert measured is not None
    inner, whole, fraction, font = map(float, measured[1].split())
    assert whole <= inner <= 500
    assert fraction > 1.6 * font
