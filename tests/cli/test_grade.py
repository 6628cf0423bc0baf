"""The command grade: exit status, formats, and what users wrote in every output."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backprop_cli.output import as_json
from benchmarks.planting import exercise, solved, written
from tests.cli.conftest import Outcome

SPEC = """
inputs: {x: [0.8, -0.6]}
targets: {y: [0.9]}
layers:
  - dense: {weights: [[0.5, -0.7], [0.3, 0.9]], bias: [0.3, -0.2], activation: tanh}
  - dense: {weights: [[0.7, -0.3]], bias: [-0.25], activation: sigmoid}
loss: half_sse
"""
Run = Callable[..., Outcome]


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A key in a file, and the right answers to it."""
    one = exercise(SPEC, np.random.default_rng(0))
    path = tmp_path_factory.mktemp("key") / "key.json"
    path.write_text(as_json(one.key.as_data()), encoding="utf-8")
    return path, written(solved(one, 4, "every"), 4)


def answers(folder: Path, *sheets: tuple[str, dict[str, str]]) -> Path:
    path = folder / "answers.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("student", "variant", "cell", "answer"))
        rows.writerows((student, "1", *pair) for student, own in sheets for pair in own.items())
    return path


def test_exit_status_0_where_all_is_right_and_1_where_an_answer_is_wrong(
    backprop: Run, sheet: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    key, right = sheet
    assert backprop("grade", key, answers(tmp_path, ("Ann", right))).status == 0
    found = backprop("grade", key, answers(tmp_path, ("Ann", {**right, "dJ/dz1[1]": right["dJ/da1[1]"]})))
    assert found.status == 1
    assert "without the slope of the activation" in found.stdout
    assert found.stderr == ""


def test_json_is_as_the_contract_has_it(backprop: Run, sheet: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    key, right = sheet
    file = answers(tmp_path, ("Ann", {**right, "dJ/dz1[1]": right["dJ/da1[1]"]}))
    data = json.loads(backprop("grade", key, file, "--format", "json").stdout)
    (ann,) = data["students"]
    assert list(ann) == ["student", "points", "held", "of", "cells"]
    assert (ann["student"], ann["of"] - ann["points"], ann["held"]) == ("Ann", 1, 0)
    wrong = [cell for cell in ann["cells"] if cell["verdict"] == "wrong"]
    assert wrong == [
        {
            "cell": "dJ/dz1[1]",
            "answer": float(right["dJ/da1[1]"]),
            "verdict": "wrong",
            "mistake": "missing_derivative",
            "points": 0.0,
        }
    ]
    assert {cell["verdict"] for cell in ann["cells"]} == {"right", "wrong"}


def test_formulas_of_spreadsheets_and_markup_in_names_do_nothing(
    backprop: Run, sheet: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    key, right = sheet
    names = ("=cmd|' /C calc'!A0", "+1", "-1", "@x", "<script>alert(1)</script>", "[bold]\x1b[31m", "| a | *b*")
    file = answers(tmp_path, *((name, right) for name in names))
    rows = list(csv.DictReader(backprop("grade", key, file, "--format", "csv").stdout.splitlines()))
    assert [row["student"] for row in rows[:4]] == [f"'{name}" for name in names[:4]]
    assert all(row["points"] == row["of"] for row in rows)
    assert "<script>" not in backprop("grade", key, file, "--format", "html").stdout
    assert "<script>" not in backprop("grade", key, file, "--format", "markdown").stdout
    text = backprop("grade", key, file).stdout
    assert "[bold]" in text
    assert "\x1b" not in text


def test_bad_rows_are_told_and_the_rest_is_marked(
    backprop: Run, sheet: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    key, right = sheet
    file = answers(tmp_path, ("Ann", {"dJ/dz1[3]": "1", **right}), ("Bob", {"z1[1]": right["z1[1]"]}))
    found = backprop("grade", key, file, "--format", "csv")
    assert found.stderr == f"{file}:2:1: unknown cell 'dJ/dz1[3]'; did you mean 'dJ/dz1[2]'?\n"
    assert [row["missing"] for row in csv.DictReader(found.stdout.splitlines())] == ["0", str(len(right) - 1)]


def test_the_class_is_summed_up(backprop: Run, sheet: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    key, right = sheet
    off = {**right, "dJ/dz1[1]": right["dJ/da1[1]"]}
    found = backprop("grade", key, answers(tmp_path, ("Ann", right), ("Bob", off), ("Cem", off)))
    assert "What fails most often is dJ/dz1[1]: 2 wrong answers." in " ".join(found.stdout.split())
    assert "the slope of the activation left out  2" in found.stdout
    assert "███" in found.stdout


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("{", "this is no key as exercise --format json writes it"),
        ("[]", "this is no key as exercise --format json writes it"),
        ("[" * 100_000, "this is no key as exercise --format json writes it"),
    ],
)
def test_what_is_no_key_is_bad_input(backprop: Run, tmp_path: Path, key: str, message: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(key, encoding="utf-8")
    found = backprop("grade", path, path)
    assert (found.status, found.stdout, found.stderr) == (2, "", f"{path}: {message}\n")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("learning_rate",), float("inf")),
        (("variants",), []),
        (("variants", 0, "cells", 0, "points"), float("inf")),
        (("variants", 0, "cells", 0, "points"), -1),
        (("variants", 0, "cells", 0, "tolerance"), -1e-4),
        (("variants", 0, "cells", 0, "value"), float("nan")),
        (("variants", 0, "cells", 0, "digits"), 10**9),
        (("variants", 0, "cells", 0, "id"), "z1[2]"),
        (("variants", 0, "given", "x"), [float("inf"), 1]),
    ],
)
def test_a_key_with_impossible_numbers_is_none(
    backprop: Run, sheet: tuple[Path, dict[str, str]], tmp_path: Path, path: tuple[str | int, ...], value: object
) -> None:
    data = json.loads(sheet[0].read_text(encoding="utf-8"))
    assert [cell["id"] for cell in data["variants"][0]["cells"][:2]] == ["z1[1]", "z1[2]"]
    inside = data
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    file = tmp_path / "key.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    found = backprop("grade", file, answers(tmp_path, ("Ann", sheet[1])))
    assert (found.status, found.stderr) == (2, f"{file}: this is no key as exercise --format json writes it\n")


def test_a_key_that_asks_for_what_is_not_there_is_bad_input(
    backprop: Run, sheet: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    data = json.loads(sheet[0].read_text(encoding="utf-8"))
    data["variants"][0]["cells"][0]["id"] = "path 9 of dJ/da1[1]"
    path = tmp_path / "key.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    found = backprop("grade", path, answers(tmp_path, ("Ann", sheet[1])))
    assert found.status == 2
    assert found.stderr == "the key asks for path 9 of dJ/da1[1], which its network does not have\n"


@pytest.mark.parametrize("formula", ['__import__("os")', "a1[9]", "", "(", "1/0", None, float("inf")])
def test_a_key_with_a_formula_that_is_none_is_bad_input(
    backprop: Run, sheet: tuple[Path, dict[str, str]], tmp_path: Path, formula: object
) -> None:
    data = json.loads(sheet[0].read_text(encoding="utf-8"))
    data["variants"][0]["cells"].append(
        {"id": "formula dJ/dz1[1]", "question": 2, "kind": "formula", "value": formula}
        | {"tolerance": 0.0, "points": 1.0, "digits": 4}
    )
    path = tmp_path / "key.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    found = backprop("grade", path, answers(tmp_path, ("Ann", sheet[1])))
    assert (found.status, found.stdout) == (2, "")
    assert found.stderr.startswith("the key's formula for formula dJ/dz1[1] cannot be read: ")
    assert found.stderr.count("\n") == 1


def test_answers_from_standard_input_and_files_that_are_not_there(
    backprop: Run, sheet: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    key, right = sheet
    text = answers(tmp_path, ("Ann", right)).read_bytes()
    assert backprop("grade", key, "-", stdin=text).status == 0
    assert backprop("grade", "-", "-").stderr == "standard input is the key or the answers, not both\n"
    missing = backprop("grade", tmp_path / "none.json", "-")
    assert (missing.status, missing.stdout) == (2, "")
    assert "none.json: cannot be read" in missing.stderr


def named(sheet: tuple[Path, dict[str, str]], folder: Path, *students: str) -> Path:
    """The key with a variant of the same numbers for each student."""
    data = json.loads(sheet[0].read_text(encoding="utf-8"))
    (variant,) = data["variants"]
    data["variants"] = [
        {**variant, "id": str(number), "code": f"C{number}", "student": student}
        for number, student in enumerate(students, 1)
    ]
    path = folder / "class.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_students_without_readable_answers_are_missing_and_not_left_out(
    backprop: Run, sheet: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    key = named(sheet, tmp_path, "Ann", "Bob", "Cem")
    file = tmp_path / "answers.csv"
    right = "".join(f'Ann,1,"{cell}",{answer}\n' for cell, answer in sheet[1].items())
    file.write_text(f"student,variant,cell,answer\n{right}Bob,3,J,0\n", encoding="utf-8")
    found = backprop("grade", key, file, "--format", "csv")
    count = len(sheet[1])
    assert [(row["student"], row["right"], row["missing"]) for row in csv.DictReader(found.stdout.splitlines())] == [
        ("Ann", str(count), "0"),
        ("Bob", "0", str(count)),
        ("Cem", "0", str(count)),
    ]
    assert found.stderr == f"{file}:{count + 2}:1: variant 3 is not that of 'Bob', who has variant 2\n"
    assert found.status == 1


def test_answers_that_cannot_be_read_are_told_with_their_lines(
    backprop: Run, sheet: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    key, right = sheet
    file = answers(tmp_path, ("Ann", {**right, "z1[1]": "37.75%", "z1[2]": f"z1[2] = {right['z1[2]']}", "J": "n/a"}))
    found = backprop("grade", key, file, "--format", "json")
    assert found.stderr == f"{file}:2:1: z1[1]: '37.75%' is no number\n"
    cells = {cell["cell"]: cell for cell in json.loads(found.stdout)["students"][0]["cells"]}
    assert (cells["z1[1]"]["answer"], cells["z1[1]"]["verdict"], cells["z1[1]"]["mistake"]) == ("37.75%", "wrong", None)
    assert (cells["z1[2]"]["verdict"], cells["J"]["verdict"]) == ("right", "missing")
    assert "z1[1]: '37.75%' is no number." in backprop("grade", key, file).stdout


def test_points_of_flagged_answers_are_held_back(
    backprop: Run, sheet: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    """Zeros everywhere follow from each other, and show nothing."""
    key, right = sheet
    file = answers(tmp_path, ("Ann", right), ("Nil", dict.fromkeys(right, "0")))
    found = json.loads(backprop("grade", key, file, "--format", "json").stdout)["students"][1]
    flagged = [cell for cell in found["cells"] if cell["verdict"] == "flagged"]
    assert len(flagged) > 5
    assert {cell["points"] for cell in flagged} == {0.0}
    assert found["held"] == len(flagged)  # of one point each
    assert found["points"] == sum(cell["points"] for cell in found["cells"]) < 0.2 * found["of"]
    text = " ".join(backprop("grade", key, file).stdout.split())
    assert f"held back for the teacher to decide about: {len(flagged)}, for {len(flagged)} flagged answers." in text
    assert f"which are in no total: {len(flagged)}, of 1 student." in text
    assert "1 of 1 held back" in text
    (ann, nil) = csv.DictReader(backprop("grade", key, file, "--format", "csv").stdout.splitlines())
    assert (ann["held"], nil["held"], nil["flagged"]) == ("0", str(len(flagged)), str(len(flagged)))


def test_answers_stand_in_the_report_as_they_were_written(
    backprop: Run, sheet: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    key, right = sheet
    file = answers(tmp_path, ("Ann", {**right, "z1[1]": "112/100", "z1[2]": "0", "a1[1]": "0,80764"}))
    rows = [line.split() for line in backprop("grade", key, file).stdout.splitlines()]
    shown = {row[0]: row[1:3] for row in rows if len(row) > 2}
    assert shown["z1[1]"] == ["112/100", "1.1200"]
    assert shown["z1[2]"] == ["0", "-0.5000"]
    assert shown["a1[1]"] == ["0,80764", "0.8076"]


def test_formulas_stand_in_the_report_whatever_their_verdict(
    backprop: Run, sheet: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    data = json.loads(sheet[0].read_text(encoding="utf-8"))
    data["variants"][0]["cells"] = [
        {"id": f"formula dJ/d{of}", "question": 2, "kind": "formula", "value": right}
        | {"tolerance": 0.0, "points": 1.0, "digits": 4}
        for of, right in (("z2[1]", "(a2[1] - y[1])*a2[1]*(1 - a2[1])"), ("a2[1]", "a2[1] - y[1]"), ("b2[1]", "a2[1]"))
    ]
    path = tmp_path / "key.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    given = {"formula dJ/dz2[1]": "a2[1]*(1-a2[1]) * dJ/da2[1]", "formula dJ/da2[1]": "-(y[1] - a2[1])"}
    file = answers(tmp_path, ("Ann", given))
    text = " ".join(backprop("grade", path, file).stdout.split())
    assert "formula dJ/dz2[1] a2[1]*(1-a2[1]) * dJ/da2[1] a₁⁽²⁾ · (1 − a₁⁽²⁾) · (a₁⁽²⁾ − y₁)" in text  # flagged
    assert "formula dJ/da2[1] -(y[1] - a2[1]) a₁⁽²⁾ − y₁" in text  # right
    assert "formula dJ/db2[1] a₁⁽²⁾" in text  # missing
    page = backprop("grade", path, file, "--format", "html").stdout
    assert "a2[1]*(1-a2[1]) * dJ/da2[1]" in page


def test_a_wrong_letter_is_the_mistake_that_the_key_names(backprop: Run, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    assert backprop("exercise", "first-sheet", "--format", "json", "-o", path).status == 0
    data = json.loads(path.read_text(encoding="utf-8"))
    (cell,) = [cell for cell in data["variants"][0]["cells"] if cell["kind"] == "choice"]
    assert set(cell["mistakes"]) == set("ABCD") - {cell["value"]}
    assert all("mistakes" not in other for other in data["variants"][0]["cells"] if other["kind"] != "choice")
    for letter, mistake in cell["mistakes"].items():
        file = answers(tmp_path, ("Ann", {cell["id"]: f"({letter.lower()})"}))
        (student,) = json.loads(backprop("grade", path, file, "--format", "json").stdout)["students"]
        (mark,) = [mark for mark in student["cells"] if mark["cell"] == cell["id"]]
        assert (mark["verdict"], mark["mistake"]) == ("wrong", mistake)
        assert f"{cell['id']}: This is what comes out " in backprop("grade", path, file).stdout
    del cell["mistakes"]  # as in a key of before
    path.write_text(json.dumps(data), encoding="utf-8")
    found = backprop("grade", path, file)
    assert (found.status, f"{cell['id']}: this is not the right answer." in found.stdout) == (1, True)
    cell["mistakes"] = {"A": "nonsense", "B": "nonsense", "C": "nonsense", "D": "nonsense"}
    path.write_text(json.dumps(data), encoding="utf-8")
    assert f"{cell['id']}: this is not the right answer." in backprop("grade", path, file).stdout


def filled_in(form: Path, answers: list[str]) -> str:
    """A form as Ann fills it in."""
    rows = list(csv.DictReader(form.read_text(encoding="utf-8").splitlines()))
    page = io.StringIO()
    writer = csv.DictWriter(page, rows[0])
    writer.writeheader()
    writer.writerows(row | {"student": "Ann", "answer": answer} for row, answer in zip(rows, answers, strict=True))
    return page.getvalue()


def test_a_filled_form_with_formulas_as_the_sheet_prints_them(backprop: Run, tmp_path: Path) -> None:
    file = tmp_path / "sheet.yaml"
    file.write_text("network: two-two-two\nquestions:\n  - formula: 'W2[1,1]'\n  - paths: a1[1]\n", encoding="utf-8")
    key, form = tmp_path / "key.json", tmp_path / "form.csv"
    backprop("exercise", str(file), "--format", "json", "-o", str(key))
    backprop("exercise", str(file), "--format", "csv", "-o", str(form))
    answers = ["(a₁⁽²⁾ − y₁)·a₁⁽²⁾·(1 − a₁⁽²⁾)·a₁⁽¹⁾", "0.0554", "-0.0190", "0.0364"]
    filled = filled_in(form, answers)
    form.write_text(filled, encoding="utf-8")
    outcome = backprop("grade", str(key), str(form))
    assert (outcome.status, outcome.stderr) == (0, "")
    assert "4 of 4 points" in outcome.stdout
    form.write_text(filled.replace("a₁⁽¹⁾", "a₁"), encoding="utf-8")
    outcome = backprop("grade", str(key), str(form))
    assert outcome.status == 1
    assert outcome.stderr.endswith("'a₁' is not clear; type a1[1] or a2[1]\n")
