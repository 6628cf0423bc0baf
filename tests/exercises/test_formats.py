"""Sheet, key, JSON and every other file of one exercise say the same: read back, they have the same cells."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import nbformat
import pytest

from backprop_cli.documents.formula_typing import typed_names
from backprop_cli.exercise_loading import load_exercise
from backprop_cli.exercise_writing import Sheets
from backprop_cli.exercises.formula_reading import read
from backprop_cli.exercises.ids import name_of
from backprop_cli.exercises.key import CellKind, Key
from backprop_cli.exercises.solving import own_numbers
from backprop_cli.renderers import exercise_csv
from backprop_cli.renderers.exercise_csv import neutral
from tests.exercises.making import sheets_of

QTI12 = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"
QTI21 = "{http://www.imsglobal.org/xsd/imsqti_v2p1}"
GAP = re.compile(r"\{(\d+):NUMERICAL:=([^:}]+):([^#}]+)#")
HOSTILE = "=cmd|' /C calc'!A0 <script>alert(1)</script> ]]> {1:SA:=x} \\input{x} $#eval"


@pytest.fixture(scope="module")
def sheets() -> Sheets:
    return sheets_of("first-sheet", 2, ("Ada", "Émilie"))


def numbers(sheets: Sheets, variant: int) -> list[tuple[float, float]]:
    cells = sheets.key.variants[variant].cells
    return [(float(c.value), c.tolerance) for c in cells if c.kind is CellKind.NUMBER]


def test_json_is_read_back_as_the_key(sheets: Sheets) -> None:
    back = Key.from_data(json.loads(str(sheets.file("json", False))))
    assert [variant.cells for variant in back.variants] == [variant.cells for variant in sheets.key.variants]
    assert [variant.student for variant in back.variants] == ["Ada", "Émilie"]
    assert sheets.file("json", True) == sheets.file("json", False)


def test_csv_of_the_key_has_every_cell(sheets: Sheets) -> None:
    rows = list(csv.DictReader(io.StringIO(str(sheets.file("csv", True)))))
    cells = [cell for variant in sheets.key.variants for cell in variant.cells]
    assert [row["cell"] for row in rows] == [cell.id for cell in cells]
    for row, cell in zip(rows, cells, strict=True):
        if cell.kind is CellKind.NUMBER:
            assert (float(row["answer"]), float(row["tolerance"])) == (cell.value, cell.tolerance)
        else:
            assert row["answer"].removeprefix("'") == cell.value


def test_the_form_has_the_columns_that_grade_reads(sheets: Sheets) -> None:
    rows = list(csv.DictReader(io.StringIO(str(sheets.file("csv", False)))))
    assert list(rows[0]) == ["student", "variant", "cell", "answer", "note"]
    assert {(row["student"], row["variant"]) for row in rows} == {("Ada", "1"), ("Émilie", "2")}
    assert not any(row["answer"] for row in rows)


def test_a_notebook_has_a_line_for_every_cell(sheets: Sheets) -> None:
    for variant in sheets.key.variants:
        notebook = nbformat.reads(str(sheets.pages("notebook", False, [variant])), as_version=4)
        lines = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "raw").splitlines()
        assert lines[:2] == [f"student = {variant.student}", f"variant = {variant.id}"]
        assert lines[2:] == [f"{cell.id} = " for cell in variant.cells]


def test_moodle_has_the_same_numbers_and_tolerances(sheets: Sheets) -> None:
    root = ET.fromstring(str(sheets.file("moodle", False)))
    found: list[list[tuple[float, float]]] = []
    for question in root:
        match question.get("type"):
            case "category":
                found.append([])
            case "numerical":
                tolerance = question.findtext("answer/tolerance")
                found[-1].append((float(question.findtext("answer/text") or ""), float(tolerance or "")))
            case "cloze":
                said = question.findtext("questiontext/text") or ""
                found[-1].extend((float(value), float(width)) for _, value, width in GAP.findall(said))
    assert found == [numbers(sheets, 0), numbers(sheets, 1)]


def test_moodle_marks_the_right_choices(sheets: Sheets) -> None:
    root = ET.fromstring(str(sheets.file("moodle", False)))
    right = [
        [place for place, answer in enumerate(question.findall("answer")) if answer.get("fraction") == "100"]
        for question in root
        if question.get("type") == "multichoice"
    ]
    expected = []
    for variant in sheets.key.variants:
        for cell in variant.cells:
            if cell.kind is CellKind.CHOICE:
                expected.append(["ABCD".index(str(cell.value))])
            elif cell.kind is CellKind.LINE:
                expected.append([int(cell.value) - 1])
    assert right == expected


def test_qti_1_2_has_the_same_numbers_and_tolerances(sheets: Sheets) -> None:
    archive = zipfile.ZipFile(io.BytesIO(bytes(sheets.file("qti12", False))))
    assert archive.namelist()[0] == "imsmanifest.xml"
    for variant in range(2):
        root = ET.fromstring(archive.read(f"variant-{variant + 1}/variant-{variant + 1}.xml"))
        found = []
        points = 0.0
        for item in root.iter(f"{QTI12}item"):
            fields = {
                field.findtext(f"{QTI12}fieldlabel"): field.findtext(f"{QTI12}fieldentry")
                for field in item.iter(f"{QTI12}qtimetadatafield")
            }
            points += float(fields["points_possible"] or "")
            if fields["question_type"] == "numerical_question":
                value, least, most = (
                    Decimal(next(item.iter(f"{QTI12}{tag}")).text or "") for tag in ("varequal", "vargte", "varlte")
                )
                assert most - value == value - least
                found.append((float(value), float(most - value)))
        assert found == numbers(sheets, variant)
        assert points == pytest.approx(sum(cell.points for cell in sheets.key.variants[variant].cells))


def test_qti_2_1_has_the_same_numbers_and_tolerances(sheets: Sheets) -> None:
    archive = zipfile.ZipFile(io.BytesIO(bytes(sheets.file("qti21", False))))
    manifest = ET.fromstring(archive.read("imsmanifest.xml"))
    named = {file.get("href") for file in manifest.iter("{http://www.imsglobal.org/xsd/imscp_v1p1}file")}
    assert named == set(archive.namelist()) - {"imsmanifest.xml"}
    for variant in range(2):
        test = ET.fromstring(archive.read(f"variant-{variant + 1}.xml"))
        found = []
        for ref in test.iter(f"{QTI21}assessmentItemRef"):
            item = ET.fromstring(archive.read(ref.get("href") or ""))
            declared = item.find(f"{QTI21}responseDeclaration")
            if declared is not None and declared.get("baseType") == "float":
                equal = next(item.iter(f"{QTI21}equal"))
                value = float(declared.findtext(f"{QTI21}correctResponse/{QTI21}value") or "")
                found.append((value, float((equal.get("tolerance") or "").split()[0])))
        assert found == numbers(sheets, variant)


def test_the_same_exercise_is_the_same_bytes(sheets: Sheets) -> None:
    again = sheets_of("first-sheet", 2, ("Ada", "Émilie"))
    for format in ("json", "csv", "moodle", "qti12", "qti21", "html", "latex", "markdown", "pdf"):
        for is_key in (False, True):
            assert sheets.file(format, is_key) == again.file(format, is_key)


def test_sheets_and_keys_of_several_stand_on_pages_of_their_own(sheets: Sheets) -> None:
    assert str(sheets.file("latex", False)).count(r"\clearpage") == 1
    html = str(sheets.file("html", True))
    assert html.count('<article class="leaf">') == 2
    for variant in sheets.key.variants:
        assert variant.code in html


def test_a_sheet_has_no_answers(sheets: Sheets) -> None:
    variant = sheets.key.variants[1]
    text = str(sheets.pages("markdown", False, [variant])).partition("Question 9")[0]
    for cell in variant.cells:
        if cell.kind is CellKind.NUMBER:
            assert f"{float(cell.value):.4f}" not in text


def test_hostile_names_stay_text_in_every_format() -> None:
    sheets = sheets_of("first-sheet", 2, (HOSTILE, "Ada"))
    rows = list(csv.DictReader(io.StringIO(str(sheets.file("csv", False)))))
    assert rows[0]["student"] == "'" + HOSTILE
    html = str(sheets.file("html", False))
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert r"\input{x}" not in str(sheets.file("latex", False))
    assert "<script" not in str(sheets.file("markdown", False))
    for format in ("moodle", "qti12", "qti21", "pdf", "json"):
        assert sheets.file(format, False)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_texts_that_a_spreadsheet_would_compute_are_neutralised(text: str) -> None:
    assert neutral(text).startswith("'")


ASKING = "network: two-two-two\nquestions:\n  - formula: 'W2[1,1]'\n  - paths: a1[1]\n  - formula: b1\n"
PATHS = ("∂J/∂z₁⁽²⁾ · ∂z₁⁽²⁾/∂a₁⁽¹⁾", "∂J/∂z₂⁽²⁾ · ∂z₂⁽²⁾/∂a₁⁽¹⁾")


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Sheets:
    path = tmp_path_factory.mktemp("exercise") / "asking.yaml"
    path.write_text(ASKING, encoding="utf-8")
    return sheets_of(str(path), 1)


def test_a_sheet_says_once_how_formulas_are_typed(asking: Sheets) -> None:
    pages = [asking.text(False, 1000), str(asking.pages("notebook", False, asking.key.variants))]
    pages += [str(asking.file(format, False)) for format in ("html", "latex", "markdown", "moodle")]
    for page in (page.replace("\\", "").replace("{[}", "[") for page in pages):
        assert page.count("write * for a product and ** for a power") == 1
        assert "W1[1,2]" in page
    said = "w₁₂⁽¹⁾ as W1[1,2], b⁽¹⁾ as b1, z₁⁽¹⁾ as z1[1]"
    assert said in " ".join(pages[0].split())
    assert "to type a formula" not in sheets_of("two-two-two", 1).text(False, 1000).casefold()
    assert "to type a formula" not in asking.text(True, 1000).casefold()


def test_what_a_sheet_says_is_typed_is_read(asking: Sheets) -> None:
    nodes = asking.exercise.nodes
    for place in typed_names(asking.exercise):
        assert read(name_of(place), nodes) == place


def test_paths_have_their_numbers_wherever_they_are_asked_for(asking: Sheets) -> None:
    for is_key in (False, True):
        lines = asking.text(is_key, 100).splitlines()
        rows = [line.split(maxsplit=1) for line in lines if line.startswith(("1  ", "2  "))]
        assert [(number, rest.startswith(path)) for (number, rest), path in zip(rows, PATHS, strict=True)] == [
            ("1", True),
            ("2", True),
        ]
    rows = {row["cell"]: row["note"] for row in csv.DictReader(io.StringIO(str(asking.file("csv", False))))}
    assert rows["path 1 of dJ/da1[1]"] == "dJ/dz2[1]*dz2[1]/da1[1]"
    assert rows["path 2 of dJ/da1[1]"] == "dJ/dz2[2]*dz2[2]/da1[1]"
    assert rows["dJ/da1[1]"] == ""
    assert rows["formula dJ/db1"].startswith("x[1] y[1] W1[1,2] b1 ")
    notebook = nbformat.reads(str(asking.pages("notebook", False, asking.key.variants)), as_version=4)
    said = next(cell.source for cell in notebook.cells if "path by path" in cell.source)
    assert [line.split("|")[1].strip() for line in said.splitlines() if r"\partial z" in line] == ["1", "2"]
    for format in ("moodle", "qti21"):
        content = asking.file(format, False)
        files = [content] if isinstance(content, str) else _texts(content)
        rows = re.findall(
            r"<td[^>]*>(?:<p>)?([12])(?:</p>)?</td>", "".join(files).replace("&lt;", "<").replace("&gt;", ">")
        )
        assert rows[:2] == ["1", "2"]


def _texts(package: bytes) -> list[str]:
    archive = zipfile.ZipFile(io.BytesIO(package))
    return [archive.read(name).decode() for name in archive.namelist()]


def test_a_form_without_notes_has_no_column_for_them(tmp_path: Path) -> None:
    (tmp_path / "plain.yaml").write_text("{network: two-two-two, questions: [cost]}", encoding="utf-8")
    key = own_numbers(load_exercise(str(tmp_path / "plain.yaml")).exercise)
    assert exercise_csv.form(key, {"path 1 of dJ/da1[1]": "of another"}) == "student,variant,cell,answer\n,1,J,\n"
