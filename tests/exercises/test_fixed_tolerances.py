"""Tolerances that an exercise sets itself, in place of those that follow from rounding."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backprop_cli.errors import BackpropError
from backprop_cli.exercise_loading import load_exercise
from backprop_cli.exercises.gate import Reason
from backprop_cli.exercises.grading import grade
from backprop_cli.exercises.key import Key
from backprop_cli.exercises.making import fingerprint, made
from backprop_cli.exercises.marks import Submission, Verdict
from backprop_cli.exercises.solving import own_numbers

FILE = """
network: two-two-two
digits: 3
tolerance: 0.02
questions:
  - forward: [z1, a1, z2]
  - gradient: W2[1,1]
    tolerance: 0.001
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "sheet.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def key_of(path: Path, **options: float) -> Key:
    return own_numbers(load_exercise(str(path), **options).exercise)


def verdicts(key: Key, path: Path, **off: float) -> dict[str, Verdict]:
    """The verdicts for right answers, some of them ``off`` by so much; ``z1_2`` is the cell z1[2]."""
    moved = {f"{name.partition('_')[0]}[{name.partition('_')[2]}]": by for name, by in off.items()}
    (variant,) = key.variants
    answers = {cell.id: repr(float(cell.value) + moved.get(cell.id, 0.0)) for cell in variant.cells}
    report = grade(key, load_exercise(str(path)).exercise.graph, [Submission("someone", variant.id, answers)])
    return {mark.cell.id: mark.verdict for mark in report.students[0].marks}


def test_a_key_holds_the_tolerances_that_are_set(path: Path) -> None:
    key = key_of(path)
    found = {cell.id: (cell.tolerance, cell.fixed) for cell in key.variants[0].cells}
    assert found.pop("dJ/dW2[1,1]") == (0.001, True)
    assert set(found.values()) == {(0.02, True)}
    assert Key.from_data(json.loads(json.dumps(key.as_data()))).variants[0].cells == key.variants[0].cells


def test_the_command_line_goes_before_the_file(path: Path) -> None:
    cells = key_of(path, tolerance=0.5).variants[0].cells
    assert {cell.tolerance for cell in cells} == {0.5}


def test_a_wider_tolerance_lets_more_pass(path: Path) -> None:
    key = key_of(path)
    assert verdicts(key, path, z1_1=0.019)["z1[1]"] is Verdict.RIGHT
    assert verdicts(key, path, z1_1=0.021)["z1[1]"] is Verdict.WRONG


def test_a_narrower_tolerance_takes_what_follows_from_rounded_numbers(tmp_path: Path) -> None:
    """Nobody loses points who rounds as the sheet says; an answer that rounding does not explain is wrong."""
    path = tmp_path / "narrow.yaml"
    path.write_text("{network: two-two-two, digits: 2, questions: [forward: [z1, a1, z2]]}", encoding="utf-8")
    (cell,) = (cell for cell in key_of(path).variants[0].cells if cell.id == "z2[1]")
    assert cell.tolerance > 0.009
    narrow = key_of(path, tolerance=0.006)
    assert verdicts(narrow, path, z2_1=0.005)["z2[1]"] is Verdict.RIGHT
    assert verdicts(narrow, path, z2_1=0.008)["z2[1]"] is Verdict.CONSISTENT
    assert verdicts(narrow, path, z2_1=0.05)["z2[1]"] is Verdict.WRONG


def test_a_tolerance_that_right_answers_do_not_keep_is_an_error(path: Path) -> None:
    with pytest.raises(BackpropError, match=r"a tolerance of 0\.001 is narrower than rounding to 2 digits"):
        load_exercise(str(path), digits=2)
    assert load_exercise(str(path), digits=3).exercise.fixed["dJ/dW2[1,1]"] == 0.001


def test_variants_whose_answers_a_tolerance_swallows_are_rejected(path: Path) -> None:
    narrow, wide = (load_exercise(str(path), tolerance=tolerance).exercise for tolerance in (0.001, 0.05))
    assert fingerprint(narrow) != fingerprint(wide)
    found = made(wide, 5, 1)
    assert found.rejected[Reason.VANISHING] > made(narrow, 5, 1).rejected.get(Reason.VANISHING, 0)
    for variant in found.key.variants:
        assert all(abs(float(cell.value)) >= 2 * cell.tolerance for cell in variant.cells)
