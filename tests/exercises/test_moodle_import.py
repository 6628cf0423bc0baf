"""Moodle XML read as Moodle's importer reads it: gaps of cloze questions, fractions, paths of categories."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple
from xml.etree import ElementTree as ET

import pytest

from backprop_cli.documents.blocks import Prose
from backprop_cli.documents.names import Names
from backprop_cli.documents.quiz import Answer, Item
from backprop_cli.exercise_writing import Sheets
from backprop_cli.exercises.key import Cell, CellKind
from backprop_cli.renderers import moodle
from backprop_cli.translation import Language, written_in
from tests.exercises.making import sheets_of

NUMBER = r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
GAP = re.compile(
    r"\{(\d*):NUMERICAL:((?:[^\\}]|\\.)*)\}", re.DOTALL
)  # up to the first brace with no backslash before it
ALTERNATIVE = re.compile(rf"(=?)({NUMBER}(?::{NUMBER})?|\*)#([^~]*)", re.DOTALL)
STARTS = re.compile(r"\{\d*:[A-Z_]+:")  # of a gap of any kind
NUMBERINGS = {"abc", "ABCD", "123", "iii", "IIII", "none"}
TYPES = {"category", "description", "numerical", "cloze", "multichoice", "essay"}
HARD = r"} ~ { # / \ \} & < ' " + '"'


class Gap(NamedTuple):
    weight: int
    value: float
    tolerance: float
    right: str
    wrong: str


def gaps(text: str) -> Iterator[Gap]:
    for weight, inside in GAP.findall(text):
        right, wrong = (ALTERNATIVE.fullmatch(one) for one in inside.split("~"))
        assert right is not None
        assert wrong is not None
        assert (right[1], wrong[1], wrong[2]) == ("=", "", "*")
        value, _, tolerance = right[2].partition(":")
        yield Gap(int(weight), float(value), float(tolerance), _decoded(right[3]), _decoded(wrong[3]))


def _decoded(feedback: str) -> str:
    """The markup that Moodle shows."""
    return html.unescape(feedback).replace(r"\}", "}").replace(r"\#", "#")


def path_of(category: str) -> list[str]:
    """The names in a path: a slash that stands alone is between two of them."""
    return [name.replace("//", "/").strip() for name in re.split("(?<!/)/(?!/)", category)]


def questions(sheets: Sheets) -> Iterator[ET.Element]:
    yield from ET.fromstring(str(sheets.file("moodle", False)))


@pytest.fixture(scope="module", params=["first-sheet", "through-time", "softmax-classifier", "scalar-graph"])
def sheets(request: pytest.FixtureRequest) -> Sheets:
    return sheets_of(request.param, 3)


@pytest.mark.parametrize("language", list(Language))
def test_every_gap_is_one_and_nothing_else_is(sheets: Sheets, language: Language) -> None:
    with written_in(language):
        found = [
            (gap.value, gap.tolerance)
            for question in questions(sheets)
            if question.get("type") == "cloze"
            for gap in gaps(question.findtext("questiontext/text") or "")
        ]
        rest = [GAP.sub("", question.findtext("questiontext/text") or "") for question in questions(sheets)]
    assert not any(STARTS.search(text) for text in rest)
    cells = {(c.value, c.tolerance) for v in sheets.key.variants for c in v.cells if c.kind is CellKind.NUMBER}
    assert set(found) <= cells
    assert len(found) > len(sheets.key.variants)


def test_every_question_is_of_a_kind_that_moodle_has(sheets: Sheets) -> None:
    for question in questions(sheets):
        assert question.get("type") in TYPES
        if question.get("type") == "category":
            continue
        assert question.findtext("name/text")
        for element in question.iter():
            if element.tag in ("questiontext", "feedback", "graderinfo"):
                assert element.get("format") == "html"
                ET.fromstring(f"<div>{element.findtext('text')}</div>")
        if question.get("type") in ("numerical", "multichoice"):
            fractions = [answer.get("fraction") for answer in question.findall("answer")]
            assert sorted(map(str, fractions)) == ["0"] * (len(fractions) - 1) + ["100"]
            assert len(fractions) > 1
        if question.get("type") == "multichoice":
            assert question.findtext("answernumbering") in NUMBERINGS
            assert (question.findtext("single"), question.findtext("shuffleanswers")) == ("true", "false")


def cell(value: float, points: float = 1.0) -> Cell:
    return Cell("z1", 1, CellKind.NUMBER, value, 5e-05, points, 4)


@cache
def letters() -> Names:
    return sheets_of("first-sheet", 1).names


def of_item(item: Item, title: str = "t") -> ET.Element:
    return ET.fromstring(moodle.render([(title, [item])], letters()))


@pytest.mark.parametrize("value", [0.5, -0.25, 1e-07, -1.5e16, 3.0])
def test_numbers_are_written_as_moodle_reads_them(value: float) -> None:
    answers = (Answer(cell(value, 0.5), None), Answer(cell(value), None))
    root = of_item(Item("t", (), answers, 1.5))
    found = list(gaps(root.findtext("question[@type='cloze']/questiontext/text") or ""))
    assert [(gap.weight, gap.value, gap.tolerance) for gap in found] == [(1, value, 5e-05), (2, value, 5e-05)]
    single = of_item(Item("t", (), answers[:1], 0.5)).findtext("question[@type='numerical']/answer/text") or ""
    assert re.fullmatch(NUMBER, single)
    assert float(single) == value


def test_text_in_a_cloze_question_begins_no_gap() -> None:
    said = "{1:SHORTANSWER:=x} {#1}"
    root = of_item(Item("t", (Prose((said,)),), (Answer(cell(0.5), None), Answer(cell(1.5), None)), 2.0))
    text = root.findtext("question[@type='cloze']/questiontext/text") or ""
    assert len(list(gaps(text))) == 2
    assert not re.search(r"\{(\d*:SHORT|#)", text)
    assert "".join(ET.fromstring(f"<div>{text}</div>")[0].itertext()) == said


def test_what_a_gap_tells_is_shown_as_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    hard = HARD.replace("{", "{{").replace("}", "}}")
    monkeypatch.setattr(moodle, "tr", lambda said: (hard if "{answer}" in said else HARD) + said)
    root = of_item(Item("t", (), (Answer(cell(0.5), None), Answer(cell(1.5), None)), 2.0))
    for gap in gaps(root.findtext("question[@type='cloze']/questiontext/text") or ""):
        for shown in (gap.right, gap.wrong):
            assert "".join(ET.fromstring(f"<p>{shown}</p>").itertext()).startswith(HARD)


def test_a_number_that_rounds_to_zero_has_no_sign() -> None:
    root = of_item(Item("t", (), (Answer(cell(-1e-06), None),), 1.0))
    assert root.findtext("question[@type='numerical']/answer[2]/feedback/text") == "Right is 0.0000."


@pytest.mark.parametrize("title", ["plain", "a/b", "a // b", "/a", "a/", "//", "/", "course/top/x"])
def test_a_title_is_one_category(title: str) -> None:
    root = of_item(Item("t", (), (), 0.0), title)
    assert path_of(root.findtext("question/category/text") or "") == ["$course$", title]
