"""Packages for learning platforms have the structure of their formats, and what Canvas's importers look for."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from xml.etree import ElementTree as ET

import pytest

from backprop_cli.documents.quiz import Answer, Item
from backprop_cli.exercise_writing import Sheets
from backprop_cli.exercises.key import Cell, CellKind
from backprop_cli.renderers import qti12
from backprop_cli.translation import Language, written_in
from tests.exercises.content_models import MANIFEST, MATHML, QTI12, QTI21, Kind, problems, without_namespace
from tests.exercises.making import sheets_of

NAMES = ("first-sheet", "through-time", "softmax-classifier", "scalar-graph", "rnn-truncated")
XMLNS = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"
CANVAS_HTML = {"p", "strong", "hr", "table", "thead", "tbody", "tr", "th", "td", *MATHML}  # as of what it leaves in


made = cache(sheets_of)


@pytest.fixture(scope="module", params=NAMES)
def sheets(request: pytest.FixtureRequest) -> Sheets:
    return made(request.param, 3)


def package(sheets: Sheets, format: str) -> dict[str, ET.Element]:
    archive = zipfile.ZipFile(io.BytesIO(bytes(sheets.file(format, False))))
    return {name: ET.fromstring(archive.read(name)) for name in archive.namelist()}


def parts(sheets: Sheets, format: str) -> Iterator[tuple[ET.Element, Mapping[str, Kind]]]:
    kinds = {"qti12": QTI12, "qti21": QTI21}[format]
    for name, root in package(sheets, format).items():
        yield root, MANIFEST if name == "imsmanifest.xml" else kinds


def items12(sheets: Sheets) -> Iterator[ET.Element]:
    for root in package(sheets, "qti12").values():
        yield from root.iter(f"{XMLNS}item")


def fields(element: ET.Element) -> dict[str, str]:
    labels = (field.text or "" for field in element.iter(f"{XMLNS}fieldlabel"))
    return dict(zip(labels, (field.text or "" for field in element.iter(f"{XMLNS}fieldentry")), strict=True))


@pytest.mark.parametrize("format", ["qti12", "qti21"])
@pytest.mark.parametrize("language", list(Language))
def test_every_file_has_the_structure_of_its_format(sheets: Sheets, format: str, language: Language) -> None:
    with written_in(language):
        for root, kinds in parts(sheets, format):
            assert list(problems(root, kinds)) == []


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("<resprocessing>", "<resprocessing><setvar action='Set' varname='SCORE'>1</setvar>", "resprocessing: has"),
        ("outcomes>", "results>", "resprocessing: has results"),
        (' rcardinality="Single"', "", "lacks rcardinality"),
        ('"Decimal"', '"Real"', "fibtype is 'Real'"),
        ("<or>", "<or>or", "or: has text"),
        ("<vargte ", "<vargte case='No' ", "vargte: has case"),
    ],
)
def test_what_is_out_of_place_is_noticed(before: str, after: str, found: str) -> None:
    archive = zipfile.ZipFile(io.BytesIO(bytes(made("first-sheet", 1).file("qti12", False))))
    text = archive.read("variant-1/variant-1.xml").decode()
    assert before in text
    assert any(found in problem for problem in problems(ET.fromstring(text.replace(before, after)), QTI12))


NAMED = {"assessment": "ident", "item": "ident", "assessmentTest": "identifier", "assessmentItem": "identifier"}


def identifiers(sheets: Sheets, format: str) -> list[str]:
    return [
        element.get(NAMED[name]) or ""
        for root in package(sheets, format).values()
        for element in root.iter()
        if (name := without_namespace(element.tag)) in NAMED
    ]


@pytest.mark.parametrize("format", ["qti12", "qti21"])
def test_identifiers_are_those_of_one_thing(sheets: Sheets, format: str) -> None:
    found = identifiers(sheets, format)
    assert len(found) == len(set(found)) > 3
    assert not set(found) & set(identifiers(made("two-two-two", 3), format))  # or one overwrites the other
    resources = [element.get("identifier") for element in package(sheets, format)["imsmanifest.xml"].iter()]
    named = [resource for resource in resources if resource]
    assert len(named) == len(set(named))


def test_what_is_not_changed_keeps_its_identifier() -> None:
    of_two, of_three = (identifiers(made("first-sheet", count), "qti12") for count in (2, 3))
    assert of_three[: len(of_two)] == of_two


def test_every_question_is_one_that_canvas_knows(sheets: Sheets) -> None:
    for item in items12(sheets):
        told = fields(item)
        assert float(told["points_possible"]) >= 0
        fib = [element.get("fibtype") for element in item.iter(f"{XMLNS}render_fib")]
        other, lid = list(item.iter(f"{XMLNS}other")), list(item.iter(f"{XMLNS}response_lid"))
        match told["question_type"]:
            case "numerical_question":  # either importer must find this one kind in it, and no other
                assert (fib, other, lid) == (["Decimal"], [], [])
                condition = next(item.iter(f"{XMLNS}conditionvar"))
                either = condition.find(f"{XMLNS}or")
                assert either is not None
                assert [without_namespace(e.tag) for e in either] == ["varequal", "and"]
                assert [without_namespace(e.tag) for e in either[1]] == ["vargte", "varlte"]
            case "essay_question":
                assert (fib, len(other), lid) == ([None], 1, [])
                feedback = {element.get("ident") for element in item.iter(f"{XMLNS}itemfeedback")}
                assert feedback == {e.get("linkrefid") for e in item.iter(f"{XMLNS}displayfeedback")} == {"general_fb"}
            case "multiple_choice_question":
                assert (fib, other, len(lid)) == ([], [], 1)
                labels = [element.get("ident") for element in item.iter(f"{XMLNS}response_label")]
                right = [element.text for element in item.iter(f"{XMLNS}varequal")]
                assert len(labels) == len(set(labels)) > 1
                assert len(right) == 1
                assert right[0] in labels
            case kind:
                assert kind == "text_only_question"
                assert (fib, other, lid) == ([], [], [])


def test_an_assessment_is_graded(sheets: Sheets) -> None:
    for root in package(sheets, "qti12").values():
        for assessment in root.iter(f"{XMLNS}assessment"):
            metadata = assessment.find(f"{XMLNS}qtimetadata")
            assert metadata is not None
            assert fields(metadata) == {"qmd_assessmenttype": "Examination"}


def test_html_in_qti_1_2_is_what_canvas_leaves_in(sheets: Sheets) -> None:
    for root in package(sheets, "qti12").values():
        for said in root.iter(f"{XMLNS}mattext"):
            html = ET.fromstring(f"<div>{said.text}</div>")
            assert {without_namespace(element.tag) for element in html.iter()} <= CANVAS_HTML | {"div"}
            formulas = [element for element in html.iter() if without_namespace(element.tag) == "math"]
            assert not [problem for element in formulas for problem in problems(element, MATHML)]


def test_formulas_in_qti_2_1_say_by_themselves_that_they_are_mathml(sheets: Sheets) -> None:
    archive = zipfile.ZipFile(io.BytesIO(bytes(sheets.file("qti21", False))))
    text = "".join(archive.read(name).decode() for name in archive.namelist())
    assert text.count("<math ") == text.count('<math xmlns="http://www.w3.org/1998/Math/MathML">') > 0
    assert not re.search(r"xmlns:|<ns\d", text)


def of_cells(*cells: Cell) -> list[ET.Element]:
    answers = tuple(Answer(cell, None) for cell in cells)
    rendered = qti12.render([("t", [Item("t", (), answers, 1.0)])], made("first-sheet", 1).names)
    archive = zipfile.ZipFile(io.BytesIO(rendered))
    return list(ET.fromstring(archive.read("variant-1/variant-1.xml")).iter(f"{XMLNS}item"))


def test_points_of_thirds_add_up() -> None:
    items = of_cells(*(Cell(f"z{n}", 1, CellKind.NUMBER, 0.5, 0.0, 1 / 3, 4) for n in range(3)))
    assert sum(float(fields(item)["points_possible"]) for item in items) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("digits", [2, 4, 5, 6, 9])
@pytest.mark.parametrize("value", [1 / 3, -0.123456789, 3e-06, 12.00005])
def test_canvas_keeps_four_digits_of_a_right_answer(digits: int, value: float) -> None:
    tolerance = 0.5 * 10**-digits
    (item,) = of_cells(Cell("z1", 1, CellKind.NUMBER, value, tolerance, 1.0, digits))
    least, most = (Decimal(next(item.iter(f"{XMLNS}{tag}")).text or "") for tag in ("vargte", "varlte"))
    kept = Decimal(f"{value:.{digits}f}").quantize(Decimal("0.0001"))
    assert least <= kept <= most
    assert most - least <= max(Decimal(repr(2 * tolerance)), Decimal("0.0002"))  # and no more than that
