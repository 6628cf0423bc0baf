"""Students who compute with NumPy and make one mistake each: the mistakes here are written out by hand, apart from the
table that names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from backprop_cli.exercises.grading import grade
from backprop_cli.exercises.marks import Submission, Verdict
from benchmarks.planting import Exercise, exercise

Array = NDArray[np.float64]
SPEC = """
inputs: {x: [0.8, -0.6]}
targets: {y: [0.9, 0.2]}
layers:
  - dense: {weights: [[0.5, -0.7], [0.3, 0.9], [-0.4, 0.6]], bias: [0.3, -0.2, 0.4], activation: tanh}
  - dense: {weights: [[0.7, -0.3, 0.5], [-0.6, 0.4, 0.8]], bias: [-0.25, 0.15], activation: sigmoid}
loss: mse
"""
RATE = 0.1


def sigmoid(z: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-z)))


def solution(one: Exercise, **mistaken: Callable[[Mapping[str, Array]], Array]) -> dict[str, str]:
    """The answers to all cells; ``mistaken`` computes the gradient or quantity of its name in a wrong way."""
    known = {name: np.asarray(array) for name, array in one.key.variants[0].given.items()}

    def set_to(name: str, right: Array) -> None:
        value = np.asarray(mistaken[name](known) if name in mistaken else right)
        known[name] = np.round(value, 4)

    set_to("z1", known["W1"] @ known["x"] + known["b1"])
    set_to("a1", np.tanh(known["z1"]))
    set_to("z2", known["W2"] @ known["a1"] + known["b2"])
    set_to("a2", sigmoid(known["z2"]))
    set_to("J", np.mean((known["a2"] - known["y"]) ** 2))
    set_to("d_a2", known["a2"] - known["y"])
    set_to("d_z2", known["d_a2"] * known["a2"] * (1 - known["a2"]))
    set_to("d_W2", np.outer(known["d_z2"], known["a1"]))
    set_to("d_b2", known["d_z2"])
    set_to("new_W2", known["W2"] - RATE * known["d_W2"])
    set_to("new_b2", known["b2"] - RATE * known["d_b2"])
    set_to("d_a1", known["W2"].T @ known["d_z2"])
    set_to("d_z1", known["d_a1"] * (1 - known["a1"] ** 2))
    set_to("d_W1", np.outer(known["d_z1"], known["x"]))
    set_to("d_b1", known["d_z1"])
    set_to("new_W1", known["W1"] - RATE * known["d_W1"])
    set_to("new_b1", known["b1"] - RATE * known["d_b1"])
    answers = {}
    for cell in one.key.variants[0].cells:
        name, _, inside = cell.id.replace("dJ/d", "d_").replace("new ", "new_").removesuffix("]").partition("[")
        position = tuple(int(part) - 1 for part in inside.split(",")) if inside else ()
        answers[cell.id] = f"{known[name][position]:.4f}"
    return answers


STUDENTS: dict[str, tuple[str, str, Callable[[Mapping[str, Array]], Array]]] = {
    "slope left out": ("missing_derivative", "d_z1", lambda k: k["d_a1"]),
    "slope left out at the output": ("missing_derivative", "d_z2", lambda k: k["d_a2"]),
    "activation for slope": ("activation_for_derivative", "d_z1", lambda k: k["d_a1"] * k["a1"]),
    "slope at the activation": ("derivative_at_activation", "d_z1", lambda k: k["d_a1"] * (1 - np.tanh(k["a1"]) ** 2)),
    "sigmoid's slope at the activation": (
        "derivative_at_activation",
        "d_z2",
        lambda k: k["d_a2"] * sigmoid(k["a2"]) * (1 - sigmoid(k["a2"])),
    ),
    "first path alone": ("single_path", "d_a1", lambda k: k["W2"][0] * k["d_z2"][0]),
    "overwritten by the last path": ("single_path", "d_a1", lambda k: k["W2"][1] * k["d_z2"][1]),
    "target minus output": ("wrong_sign", "d_a2", lambda k: k["y"] - k["a2"]),
    "uphill": ("wrong_sign", "new_W2", lambda k: k["W2"] + RATE * k["d_W2"]),
    "twice the gradient of the cost": ("lost_factor", "d_a2", lambda k: 2 * (k["a2"] - k["y"])),
    "half the gradient of the cost": ("lost_factor", "d_a2", lambda k: (k["a2"] - k["y"]) / 2),
    "rate left out": ("lost_factor", "new_b1", lambda k: k["b1"] - k["d_b1"]),
    "another unit's activation": ("wrong_input", "d_W2", lambda k: np.outer(k["d_z2"], np.roll(k["a1"], 1))),
    "z for a": ("wrong_input", "d_W2", lambda k: np.outer(k["d_z2"], k["z1"])),
    "updated weights": ("updated_too_early", "d_a1", lambda k: k["new_W2"].T @ k["d_z2"]),
    "no bias": ("bias_forgotten", "z1", lambda k: k["W1"] @ k["x"]),
    "no activation": ("forward_slip", "a1", lambda k: k["z1"]),
    "sigmoid for tanh": ("forward_slip", "a1", lambda k: sigmoid(k["z1"])),
    "sum for mean": ("lost_factor", "J", lambda k: np.sum((k["a2"] - k["y"]) ** 2)),
}


@pytest.fixture(scope="module")
def one() -> Exercise:
    return exercise(SPEC, np.random.default_rng(0))


def test_without_a_mistake_everything_is_right(one: Exercise) -> None:
    report = grade(one.key, one.network.graph, [Submission("Ann", "1", solution(one))])
    assert [mark.verdict for mark in report.students[0].marks] == [Verdict.RIGHT] * len(one.asked)
    assert report.students[0].points == report.students[0].of
    assert report.is_all_right


@pytest.mark.parametrize("student", STUDENTS)
def test_the_mistake_is_named_and_only_its_step_loses_points(one: Exercise, student: str) -> None:
    mistake, where, compute = STUDENTS[student]
    answers = solution(one, **{where: compute})
    marks = grade(one.key, one.network.graph, [Submission(student, "1", answers)]).students[0].marks
    wrong = [mark for mark in marks if mark.verdict is Verdict.WRONG]
    assert wrong
    of = where.replace("d_", "dJ/d").replace("new_", "new ")
    assert all(mark.cell.id.partition("[")[0] == of for mark in wrong), [mark.cell.id for mark in wrong]
    assert all(mistake in mark.mistakes for mark in wrong), [(mark.cell.id, mark.mistakes) for mark in wrong]
    assert any(mark.mistakes == (mistake,) for mark in wrong)
    others = [mark for mark in marks if mark not in wrong]
    assert all(mark.points == mark.cell.points for mark in others)


def test_a_row_for_a_column_is_named(one: Exercise) -> None:
    """With two outputs and three hidden units only the entries inside the matrix can be exchanged."""
    answers = solution(one, d_a1=lambda k: np.append(k["W2"][:, :2] @ k["d_z2"], k["W2"][:, 2] @ k["d_z2"]))
    marks = grade(one.key, one.network.graph, [Submission("Ann", "1", answers)]).students[0].marks
    assert {mark.cell.id: mark.mistakes for mark in marks if mark.verdict is Verdict.WRONG} == {
        "dJ/da1[1]": ("transposed",),
        "dJ/da1[2]": ("transposed",),
    }


def test_an_answer_that_makes_the_rest_trivial_is_flagged(one: Exercise) -> None:
    answers = solution(one, d_z2=lambda k: np.zeros(2))
    marks = {
        mark.cell.id: mark
        for mark in grade(one.key, one.network.graph, [Submission("A", "1", answers)]).students[0].marks
    }
    assert marks["dJ/dz2[1]"].verdict is Verdict.WRONG
    assert marks["dJ/dW2[1,1]"].verdict is Verdict.FLAGGED
    assert (marks["dJ/dW2[1,1]"].points, marks["dJ/dW2[1,1]"].held) == (0.0, 1.0)
    assert marks["dJ/da1[1]"].verdict is Verdict.FLAGGED


def test_what_is_missing_gets_no_points_and_what_follows_is_recomputed(one: Exercise) -> None:
    answers = solution(one)
    del answers["dJ/dz1[1]"]
    answers["dJ/dz1[2]"] = "  "
    answers["a1[1]"] = "much"
    marks = {
        mark.cell.id: mark
        for mark in grade(one.key, one.network.graph, [Submission("A", "1", answers)]).students[0].marks
    }
    assert marks["dJ/dz1[1]"].verdict is marks["dJ/dz1[2]"].verdict is Verdict.MISSING
    assert (marks["a1[1]"].verdict, marks["a1[1]"].answer) == (Verdict.WRONG, "much")
    assert all(m.verdict is Verdict.RIGHT for n, m in marks.items() if n not in ("dJ/dz1[1]", "dJ/dz1[2]", "a1[1]"))


def test_answers_in_each_others_cells_are_another_units_numbers(one: Exercise) -> None:
    answers = solution(one)
    swapped = {**answers, "z1[1]": answers["z1[3]"], "z1[3]": answers["z1[1]"], "z2[1]": answers["z2[2]"]}
    marks = {
        mark.cell.id: mark
        for mark in grade(one.key, one.network.graph, [Submission("A", "1", swapped)]).students[0].marks
    }
    wrong = {name: mark.mistakes for name, mark in marks.items() if mark.verdict.is_lost}
    assert wrong == dict.fromkeys(("z1[1]", "z1[3]", "z2[1]"), ("wrong_input",))
