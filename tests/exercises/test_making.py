"""Keys with variants: reproducible, graded as right by their own key, vouched for, and one for each student."""

from __future__ import annotations

import json

import numpy as np
import pytest

from backprop_cli.bundled import bundled_names
from backprop_cli.errors import BackpropError
from backprop_cli.exercise_loading import load_exercise
from backprop_cli.exercise_writing import numbers_of, with_code
from backprop_cli.exercises.certificate import certificate
from backprop_cli.exercises.exercise import Exercise
from backprop_cli.exercises.gate import Reason
from backprop_cli.exercises.grading import grade
from backprop_cli.exercises.key import CellKind, Key
from backprop_cli.exercises.making import fingerprint, made, vouched_for
from backprop_cli.exercises.marks import Submission, Verdict
from backprop_cli.exercises.mistakes import MISTAKES, TELLING
from backprop_cli.exercises.nodes import given_values
from backprop_cli.exercises.solving import own_numbers
from backprop_cli.symbolic.derivation import derive

FILE = """
network:
  inputs: {x: [1, 2]}
  targets: {y: [0, 1]}
  layers:
    - dense: {units: 3, activation: sigmoid}
    - dense: {units: 2, activation: identity}
  loss: half_sse
title: A sheet
digits: 3
learning_rate: 0.1
vary: {W1: {from: -0.5, to: 0.5, step: 0.25, nonzero: true}, y: [0, 1, 2]}
questions:
  - table: forward
  - gradient: W2
  - paths: a1[1]
  - update: W1[1,2]
  - formula: W1[1,2]
  - choice: W1[1,2]
"""


@pytest.fixture
def sheet(tmp_path) -> Exercise:
    (tmp_path / "sheet.yaml").write_text(FILE, encoding="utf-8")
    return load_exercise(str(tmp_path / "sheet.yaml")).exercise


def test_a_key_is_the_same_for_the_same_seed(sheet: Exercise) -> None:
    first, again = (json.dumps(made(sheet, 4, 11).key.as_data()) for _ in range(2))
    assert first == again
    assert json.dumps(made(sheet, 4, 12).key.as_data()) != first
    more = made(sheet, 6, 11).key
    assert [variant.code for variant in more.variants[:4]] == [f"{fingerprint(sheet)}-11-{n}" for n in (1, 2, 3, 4)]
    assert json.dumps(Key.from_data(json.loads(first)).as_data()) == first


def test_numbers_keep_to_the_rules_of_the_file(sheet: Exercise) -> None:
    key = made(sheet, 20, 1).key
    for variant in key.variants:
        assert set(np.unique(variant.given["W1"])) <= {-0.5, -0.25, 0.25, 0.5}
        assert set(np.unique(variant.given["y"])) <= {0.0, 1.0, 2.0}
    assert len({variant.given["W1"].tobytes() for variant in key.variants}) > 10


def test_the_right_answers_are_right(sheet: Exercise) -> None:
    key = made(sheet, 5, 2).key
    submissions = [
        Submission(
            "someone",
            variant.id,
            {
                cell.id: f"{cell.value:.{cell.digits}f}" if cell.kind is CellKind.NUMBER else str(cell.value)
                for cell in variant.cells
            },
        )
        for variant in key.variants
    ]
    report = grade(key, sheet.graph, submissions)
    for student in report.students:
        assert {mark.verdict for mark in student.marks} <= {Verdict.RIGHT, Verdict.CONSISTENT}


def test_every_sheet_is_vouched_for(sheet: Exercise) -> None:
    vouched = vouched_for(sheet, made(sheet, 10, 3).key.variants)
    assert vouched is not None
    assert vouched.gradients == 6 + 3 + 6 + 2 + 2
    assert (vouched.direct or 0) >= 12
    assert vouched.differences >= 9


@pytest.mark.parametrize(
    "name", ["first-sheet", "rnn", "rnn-truncated", "small-cnn", "softmax-classifier", "layer-norm"]
)
def test_PyTorch_vouches_too(name: str) -> None:
    pytest.importorskip("torch")
    exercise = load_exercise(name).exercise
    (variant,) = own_numbers(exercise).variants
    moved = {quantity: array * 1.1 for quantity, array in variant.given.items()}
    vouched = vouched_for(exercise, [variant, variant._replace(given=moved)])
    assert vouched is not None
    assert (vouched.torch or 0) >= 12


def test_PyTorch_does_not_vouch_for_wrong_gradients(sheet: Exercise) -> None:
    pytest.importorskip("torch")
    given = {name: array[np.newaxis] for name, array in own_numbers(sheet).variants[0].given.items()}
    adjoints, nodes = derive(sheet.graph), sheet.nodes
    places = list(nodes.entries("W1", is_gradient=True))
    values = nodes.values(given_values(sheet.graph, given), places)
    assert (certificate(nodes, adjoints, values, ["W1"], given).torch or 0) >= 12
    wrong = {**values, places[0]: 1.01 * values[places[0]]}
    assert certificate(nodes, adjoints, wrong, ["W1"], given).torch in (0, 1, 2)


def test_a_sheet_for_every_student(sheet: Exercise) -> None:
    key = made(sheet, 0, 4, ["Ana", "Ben <b>", "=Cy"]).key
    assert [(variant.id, variant.student) for variant in key.variants] == [("1", "Ana"), ("2", "Ben <b>"), ("3", "=Cy")]


def test_the_gate_reports_what_it_rejects(sheet: Exercise) -> None:
    rejected = made(sheet, 30, 5).rejected
    assert set(rejected) <= set(Reason)
    assert sum(rejected.values()) > 0


def test_telling_mistakes_are_those_of_the_table() -> None:
    assert {mistake.id for mistake in TELLING} <= {mistake.id for mistake in MISTAKES}


def test_the_code_depends_on_the_exercise(sheet: Exercise, tmp_path) -> None:
    (tmp_path / "other.yaml").write_text(FILE.replace("digits: 3", "digits: 4"), encoding="utf-8")
    assert fingerprint(load_exercise(str(tmp_path / "other.yaml")).exercise) != fingerprint(sheet)


def test_numbers_without_choice_are_too_few(tmp_path) -> None:
    vary = next(line for line in FILE.splitlines() if line.startswith("vary:"))
    one_each = "vary: {x: [1], W1: [0.5], b1: [0.5], W2: [1], b2: [0.5], y: [3]}"
    (tmp_path / "narrow.yaml").write_text(FILE.replace(vary, one_each), encoding="utf-8")
    with pytest.raises(BackpropError, match="only 1 of 2 variants fit: the numbers are those of another variant"):
        made(load_exercise(str(tmp_path / "narrow.yaml")).exercise, 2, 1)


def test_a_sheet_is_made_again_from_its_code(sheet: Exercise) -> None:
    whole = made(sheet, 7, 21).key
    seed, number = numbers_of(sheet, whole.variants[4].code.lower())
    again = with_code(made(sheet, number, seed).key, whole.variants[4].code)
    assert json.dumps(again.as_data()["variants"]) == json.dumps(whole.as_data()["variants"][4:5])


@pytest.mark.parametrize("other", ["vary: {x: [7, 9]}", "given: [y, x, W1, b1, W2, b2]", "title: Another sheet"])
def test_the_code_depends_on_all_that_the_sheet_does(sheet: Exercise, tmp_path, other: str) -> None:
    key = other.partition(":")[0]
    lines = [line for line in FILE.splitlines() if not line.startswith(f"{key}:")]
    (tmp_path / "other.yaml").write_text("\n".join([*lines, other, ""]), encoding="utf-8")
    assert fingerprint(load_exercise(str(tmp_path / "other.yaml")).exercise) != fingerprint(sheet)


@pytest.mark.parametrize(("code", "message"), [("x", "is no code of a sheet"), ("0000-1-1", "of another exercise")])
def test_codes_that_are_none(sheet: Exercise, code: str, message: str) -> None:
    with pytest.raises(BackpropError, match=message):
        numbers_of(sheet, code)


@pytest.mark.parametrize("name", ["embedding", "softmax-classifier", "softmax-equations"])
def test_sheets_of_classes_and_tokens(name: str) -> None:
    """No path comes from a class that a sample does not have, and no row is asked for that no token looks up."""
    exercise = load_exercise(name).exercise
    key = made(exercise, 4, 5).key
    asked = [cell for cell in key.variants[0].cells if cell.kind is CellKind.NUMBER]
    assert any(cell.id.startswith("dJ/dW") for cell in asked)
    submissions = [
        Submission("someone", variant.id, {cell.id: f"{cell.value:.4f}" for cell in variant.cells})
        for variant in key.variants
    ]
    report = grade(key, exercise.graph, submissions)
    assert {mark.verdict for student in report.students for mark in student.marks} == {Verdict.RIGHT}


def test_entries_that_are_looked_up_are_those_of_the_run() -> None:
    exercise = load_exercise("embedding").exercise
    key = made(exercise, 3, 1).key
    for variant in key.variants:
        assert np.array_equal(variant.given["x"], [2, 4, 1, 2])
        trace = exercise.network.compile().run(dict(variant.given))
        cells = {cell.id: cell.value for cell in variant.cells}
        assert cells["dJ/dW1[2,1]"] == pytest.approx(trace.gradients["W1"][1, 0], rel=1e-12)
        assert cells["a1[3,2]"] == pytest.approx(trace.forward["a1"][2, 1], rel=1e-12)


def test_what_says_which_numbers_are_used_does_not_vary(tmp_path) -> None:
    (tmp_path / "tokens.yaml").write_text("network: embedding\nvary:\n  x: [1, 2]\n", encoding="utf-8")
    with pytest.raises(BackpropError, match=r"tokens\.yaml:3:3: 'x' says which numbers are used, and must be the same"):
        load_exercise(str(tmp_path / "tokens.yaml"))


WITHOUT_VARIANTS = ("nearest-neighbour", "relu-600-60-40-10")


@pytest.mark.every_spec
@pytest.mark.parametrize("name", [name for name in bundled_names() if name not in WITHOUT_VARIANTS])
def test_every_spec_has_variants(name: str) -> None:
    """What no numbers can change is no reason to reject them: the 0 of a mask or of what a maximum passes over."""
    assert len(made(load_exercise(name).exercise, 2, 0).key.variants) == 2


def test_relu_has_variants_though_its_slope_is_1(tmp_path) -> None:
    layers = "[dense: {units: 2, activation: relu}, dense: {units: 2, activation: identity}]"
    network = f"{{inputs: {{x: [1, 2]}}, targets: {{y: [0, 1]}}, layers: {layers}, loss: half_sse}}"
    (tmp_path / "relu.yaml").write_text(f"network: {network}\nquestions: [gradient: [z1, W1]]\n", encoding="utf-8")
    for variant in made(load_exercise(str(tmp_path / "relu.yaml")).exercise, 5, 1).key.variants:
        assert all(cell.value != 0 for cell in variant.cells)


@pytest.mark.parametrize("question", ["gradient: [z1, W1]", "gradient: a1", "paths: 'z1[1]'", "table: backward"])
@pytest.mark.parametrize("is_softmax", [True, False])
def test_classes_that_a_sample_does_not_have_are_no_reason(question: str, is_softmax: bool, tmp_path) -> None:
    """One path alone gives the right number where nothing arrives on the others, and no numbers change that."""
    parts = (", activation: softmax", "'-sum(y[i]*log(yhat[i]), i)'") if is_softmax else ("", "cross_entropy")
    layer = f"dense: {{units: 3{parts[0]}}}"
    network = f"{{inputs: {{x: [1, 2]}}, targets: {{y: [0, 1, 0]}}, layers: [{layer}], loss: {parts[1]}}}"
    (tmp_path / "classes.yaml").write_text(f"network: {network}\nquestions: [{question}]\n", encoding="utf-8")
    key = made(load_exercise(str(tmp_path / "classes.yaml")).exercise, 5, 1).key
    for variant in key.variants:
        absent = np.flatnonzero(np.asarray(variant.given["y"]) == 0) + 1
        zeros = {cell.id for cell in variant.cells if cell.value == 0}
        assert all("-" not in str(cell.value) for cell in variant.cells if cell.value == 0)
        if is_softmax and question == "gradient: a1":
            assert zeros == {f"dJ/da1[{place}]" for place in absent}


@pytest.mark.parametrize("values", ["[0]", "[0, 1]"])
def test_a_zero_that_other_inputs_would_change_is_none_of_a_class(values: str, tmp_path) -> None:
    text = f"network: two-two-two\nquestions: [gradient: 'W1[1,1]']\nvary: {{x: {values}}}\n"
    (tmp_path / "zero.yaml").write_text(text, encoding="utf-8")
    exercise = load_exercise(str(tmp_path / "zero.yaml")).exercise
    if values == "[0]":
        with pytest.raises(BackpropError, match=r"an answer is exactly 0 \(\d+, most often dJ/dW1\[1,1\]\)"):
            made(exercise, 2, 1)
    else:
        assert all(cell.value != 0 for variant in made(exercise, 8, 1).key.variants for cell in variant.cells)


def test_the_answer_that_turns_variants_away_is_named(tmp_path) -> None:
    text = "network: two-two-two\nquestions: [gradient: W2]\nvary: {y: [0.5], x: [0.000001]}\ndigits: 2\n"
    (tmp_path / "small.yaml").write_text(text.replace("gradient: W2", "gradient: W1"), encoding="utf-8")
    with pytest.raises(BackpropError, match=r"an answer vanishes .*\(\d+, most often dJ/dW1\[\d,\d\]\)"):
        made(load_exercise(str(tmp_path / "small.yaml")).exercise, 2, 1)


def test_letters_and_lines_are_read_as_they_are_written() -> None:
    exercise = load_exercise("first-sheet").exercise
    key = own_numbers(exercise)
    (variant,) = key.variants
    right = {cell.kind: cell for cell in variant.cells if cell.kind in (CellKind.CHOICE, CellKind.LINE)}
    letter, line = str(right[CellKind.CHOICE].value), str(right[CellKind.LINE].value)
    other = next(one for one in "ABC" if one != letter)
    for choice, number, verdict in (
        (letter.lower(), line, Verdict.RIGHT),
        (f"({letter})", f"line {line}", Verdict.RIGHT),
        (f"option {letter}", f"Line: {line}.", Verdict.RIGHT),
        (f"{letter}: a formula", f"#{line}", Verdict.RIGHT),
        (f" {letter}.", f"{line}.0", Verdict.RIGHT),
        (other, f"{line}1", Verdict.WRONG),
        (f"option {other}", "no line", Verdict.WRONG),
        (f"{letter} or {other}", f"{line} or {line}1", Verdict.WRONG),
        (f"{letter} {other}", f"{line} {line}", Verdict.WRONG),
    ):
        answers = {right[CellKind.CHOICE].id: choice, right[CellKind.LINE].id: number}
        report = grade(key, exercise.graph, [Submission("someone", variant.id, answers)])
        found = [mark.verdict for mark in report.students[0].marks if mark.cell.id in answers]
        assert found == [verdict, verdict], (choice, number)
