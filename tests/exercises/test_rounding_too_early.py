"""Students who compute what they should and write down fewer digits than were asked for."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backprop_cli.bundled import bundled_spec
from backprop_cli.documents.grading import grading_document
from backprop_cli.exercise_loading import load_exercise
from backprop_cli.exercises.grading import grade
from backprop_cli.exercises.marks import Mark, Submission, Verdict
from backprop_cli.exercises.rounding import ROUNDED
from backprop_cli.exercises.solving import own_numbers
from backprop_cli.renderers import terminal
from backprop_cli.teaching.rounding import exact_number
from benchmarks.planting import Exercise, exercise, solved, written
from tests.exercises.test_mistakes_by_hand import SPEC, solution


@pytest.fixture(scope="module")
def known() -> Exercise:
    """Of two-two-two, whose numbers are in the literature: z1 is 0.3775 and 0.3925."""
    return exercise(bundled_spec("two-two-two").text, np.random.default_rng(0))


@pytest.fixture(scope="module")
def one() -> Exercise:
    return exercise(SPEC, np.random.default_rng(0))


def graded(of: Exercise, answers: dict[str, str]) -> dict[str, Mark]:
    report = grade(of.key, of.network.graph, [Submission("Ann", "1", answers)])
    return {mark.cell.id: mark for mark in report.students[0].marks}


@pytest.mark.parametrize(
    ("cell", "answer", "digits"),
    [("z1[2]", "0.39", 2), ("z1[1]", "0.38", 2), ("z1[1]", "0,378", 3), ("z1[1]", "≈ 3.8e-1", 2), ("z1[1]", "0.4", 1)],
)
def test_the_right_number_with_fewer_digits(known: Exercise, cell: str, answer: str, digits: int) -> None:
    """Not rows and columns exchanged or a slip in the forward pass, which come close by chance."""
    found = graded(known, written(solved(known, 4, "every"), 4) | {cell: answer})[cell]
    assert (found.verdict, found.mistakes, found.rounded_to) == (Verdict.WRONG, (ROUNDED,), digits)


@pytest.mark.parametrize(
    ("cell", "answer"), [("z1[1]", "0"), ("z1[1]", "0.37"), ("z1[1]", "0.3780"), ("z1[1]", "3/8"), ("z1[1]", "-0.38")]
)
def test_what_is_no_such_number(known: Exercise, cell: str, answer: str) -> None:
    found = graded(known, written(solved(known, 4, "every"), 4) | {cell: answer})[cell]
    assert found.verdict is Verdict.WRONG
    assert (ROUNDED in found.mistakes, found.rounded_to) == (False, None)


def test_nothing_is_left_of_a_small_number(known: Exercise) -> None:
    right = written(solved(known, 4, "every"), 4)
    small = [name for name, text in right.items() if 0.0001 < abs(float(text)) < 0.005]
    assert small
    for name in small:
        assert graded(known, right | {name: "0.00"})[name].rounded_to is None


def test_with_one_digit_left_another_mistake_comes_first(one: Exercise) -> None:
    right = written(solved(one, 4, "every"), 4)
    marks = {
        name: graded(one, right | {name: f"{value:.1f}"})[name]
        for name, value in ((name, float(text)) for name, text in right.items())
        if 0.05 < abs(value) < 0.94 and abs(value - round(value, 1)) > 0.001
    }
    assert {mark.verdict for mark in marks.values()} == {Verdict.WRONG}
    assert all(mark.mistakes for mark in marks.values())
    assert any(mark.mistakes == (ROUNDED,) for mark in marks.values())
    assert any(ROUNDED not in mark.mistakes for mark in marks.values())


def test_what_is_computed_with_the_rounded_number_is_consistent(one: Exercise) -> None:
    answers = solution(one, a1=lambda k: np.asarray(np.round(np.tanh(k["z1"]), 2), dtype=float))
    answers |= {f"a1[{n}]": answers[f"a1[{n}]"][:-2] for n in (1, 2, 3)}
    marks = graded(one, answers)
    assert {name for name, mark in marks.items() if mark.verdict.is_lost} == {"a1[1]", "a1[2]", "a1[3]"}
    assert all(marks[f"a1[{n}]"].mistakes == (ROUNDED,) for n in (1, 2, 3))
    assert any(mark.verdict is Verdict.CONSISTENT for mark in marks.values())


def test_what_is_computed_with_the_number_before_it_was_rounded_is_consistent_too(one: Exercise) -> None:
    """A wrong z before it, as otherwise what follows would be right."""
    answers = solution(one, z1=lambda k: k["W1"] @ k["x"])
    answers |= {f"a1[{n}]": f"{float(answers[f'a1[{n}]']):.2f}" for n in (1, 2, 3)}
    marks = graded(one, answers)
    assert {name for name, mark in marks.items() if mark.verdict.is_lost} == {
        *(f"z1[{n}]" for n in (1, 2, 3)),
        *(f"a1[{n}]" for n in (1, 2, 3)),
    }
    assert all(marks[f"a1[{n}]"].mistakes == (ROUNDED,) for n in (1, 2, 3))


def test_it_is_said_in_words(known: Exercise) -> None:
    answers = written(solved(known, 4, "every"), 4) | {"z1[2]": "0.39", "z1[1]": "0.4"}
    report = grade(known.key, known.network.graph, [Submission("Ann", "1", answers)])
    text = re.sub(r"\s+", " ", terminal.render(grading_document(report, known.network.names), 100))
    assert "z1[2]: this is the right step, but rounded to 2 digits after the point instead of 4." in text
    assert "z1[1]: this is the right step, but rounded to 1 digit after the point instead of 4." in text


def test_where_exact_numbers_are_asked_for_no_digits_are(known: Exercise) -> None:
    (variant,) = known.key.variants
    cells = tuple(cell._replace(tolerance=1e-9) for cell in variant.cells)
    key = replace(known.key, variants=(variant._replace(cells=cells),))
    answers = {cell.id: repr(cell.value) for cell in cells}
    (rounded,) = [f"{cell.value:.3f}" for cell in cells if cell.id == "a1[1]"]
    report = grade(
        key, known.network.graph, [Submission("Ann", "1", {**answers, "a1[1]": rounded, "z1[1]": "151/400"})]
    )
    marks = {mark.cell.id: mark for mark in report.students[0].marks}
    assert marks["z1[1]"].verdict is Verdict.RIGHT
    assert (marks["a1[1]"].mistakes, marks["a1[1]"].rounded_to) == ((ROUNDED,), 3)
    text = re.sub(r"\s+", " ", terminal.render(grading_document(report, known.network.names), 100))
    assert "a1[1]: this is the right step, but rounded to 3 digits after the point instead of exact." in text


EXACT = """
network:
  inputs: {x: [1, 2]}
  targets: {y: [1, 0]}
  layers:
    - dense: {weights: [[1, 2], [2, 1]], bias: [1, 0], activation: relu}
    - dense: {weights: [[1, 1], [2, -1]], bias: [0, 0.125]}
  loss: mse
exact: true
questions: [table: forward, cost, gradient: [W2, W1]]
"""


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [("right", Verdict.RIGHT), ("decimal", Verdict.RIGHT), ("rounded", Verdict.WRONG), ("longer", Verdict.WRONG)],
)
def test_an_exact_number_is_not_one_that_is_near(tmp_path: Path, answer: str, verdict: Verdict) -> None:
    """Nor is it consistent with numbers that were rounded before: none were."""
    (tmp_path / "exact.yaml").write_text(EXACT, encoding="utf-8")
    network, sheet = load_exercise(str(tmp_path / "exact.yaml"))
    key = own_numbers(sheet)
    (variant,) = key.variants
    right = {cell.id: str(exact_number(float(cell.value))) for cell in variant.cells}
    (cost,) = [float(cell.value) for cell in variant.cells if cell.id == "J"]
    assert round(cost, 5) != cost
    typed = {"right": right["J"], "decimal": repr(cost), "rounded": f"{cost:.4f}", "longer": f"{cost:.6f}"}[answer]
    report = grade(key, network.graph, [Submission("Ann", "1", {**right, "J": typed})])
    marks = {mark.cell.id: mark for mark in report.students[0].marks}
    assert marks.pop("J").verdict is verdict
    assert {mark.verdict for mark in marks.values()} == {Verdict.RIGHT}
    text = terminal.render(grading_document(report, network.names), 100)
    assert right["J"] in text
