"""The answers of a key against other ways to compute them: a compiled run, differences, and the printed formulas."""

from __future__ import annotations

import re

import numpy as np
import pytest

from backprop_cli.exercises.choices import options
from backprop_cli.exercises.exercise import QuestionKind
from backprop_cli.exercises.key import CellKind
from backprop_cli.exercises.nodes import PATH, UPDATED, evaluated, given_values
from backprop_cli.exercises.solving import gradient_of, planted_in
from backprop_cli.network import Network
from backprop_cli.symbolic.notation import places
from tests.exercises.making import sheets_of

NAMES = ("first-sheet", "through-time", "softmax-classifier", "xor", "residual-sum", "rnn", "rnn-truncated")
ENTRY = re.compile(r"\b([A-Za-z_]\w*)\[([0-9, ]+)\]")


def cost(network: Network, given: dict[str, np.ndarray]) -> float:
    loss = network.compile().run(given).loss
    assert loss is not None
    return loss


def entry(found: object, positions: tuple[int, ...]) -> float:
    return float(np.asarray(found)[tuple(p - 1 for p in positions)])


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_those_of_a_run(name: str) -> None:
    sheets = sheets_of(name)
    checked = 0
    for variant in sheets.key.variants:
        trace = sheets.network.compile().run(dict(variant.given))
        for cell in variant.cells:
            if cell.kind is not CellKind.NUMBER or cell.id.startswith(PATH):
                continue
            place = sheets.exercise.place(cell.id.removeprefix(UPDATED))
            positions = tuple(int(p) for p in place.positions)
            if cell.id.startswith(UPDATED):
                slope = entry(trace.gradients[place.name], positions)
                expected = entry(variant.given[place.name], positions) - sheets.exercise.learning_rate * slope
            elif cell.id.startswith("dJ/d"):
                expected = entry(trace.gradients[place.name], positions)
            elif cell.id == sheets.network.graph.cost:
                expected = float(trace.loss or 0)
            else:
                expected = entry(trace.forward[place.name], positions)
            assert cell.value == pytest.approx(expected, rel=1e-9, abs=1e-12), cell.id
            checked += 1
    assert checked > 4


@pytest.mark.parametrize("name", [name for name in NAMES if name != "rnn-truncated"])
def test_gradients_of_parameters_are_those_of_central_differences(name: str) -> None:
    sheets = sheets_of(name, 1)
    variant = sheets.key.variants[0]
    checked = 0
    for cell in variant.cells:
        if not cell.id.startswith("dJ/d") or (place := sheets.exercise.place(cell.id)).name not in variant.given:
            continue
        at = tuple(int(p) - 1 for p in place.positions)
        ends = []
        for step in (1e-5, -1e-5):
            moved = {key: np.array(value, dtype=float) for key, value in variant.given.items()}
            moved[place.name][at] += step
            ends.append(cost(sheets.network, moved))
        assert cell.value == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5, abs=1e-8)
        checked += 1
    assert checked


def test_the_paths_add_up_to_the_gradient() -> None:
    variant = sheets_of("first-sheet").key.variants[1]
    values = {cell.id: cell.value for cell in variant.cells}
    parts = [float(value) for cell, value in values.items() if cell.startswith(PATH)]
    assert len(parts) == 2
    assert sum(parts) == pytest.approx(values["dJ/da1[1]"])


def test_a_formula_is_its_gradient_in_values_of_the_forward_pass() -> None:
    sheets = sheets_of("first-sheet")
    for variant in sheets.key.variants:
        cell = next(cell for cell in variant.cells if cell.kind is CellKind.FORMULA)
        trace = sheets.network.compile().run(dict(variant.given))
        known = {**variant.given, **trace.forward}

        def number(found: re.Match[str], known: dict[str, object] = known) -> str:
            return repr(entry(known[found[1]], tuple(map(int, found[2].split(",")))))

        assert isinstance(cell.value, str)
        assert "dJ" not in cell.value
        expected = entry(trace.gradients["W2"], (1, 1))
        assert eval(ENTRY.sub(number, cell.value)) == pytest.approx(expected)


def test_one_choice_is_right_and_the_others_are_wrong() -> None:
    sheets = sheets_of("first-sheet", 4)
    question = next(q for q in sheets.exercise.questions if q.kind is QuestionKind.CHOICE)
    letters = set()
    for variant in sheets.key.variants:
        cell = next(cell for cell in variant.cells if cell.kind is CellKind.CHOICE)
        gradient = gradient_of(sheets.exercise, question.of[0])
        given = given_values(sheets.network.graph, {k: np.asarray(v)[np.newaxis] for k, v in variant.given.items()})
        found = options(sheets.exercise.nodes, gradient, variant.code, cell.id)
        values = sheets.exercise.nodes.values(given, [place for one in found for place in places(one.formula)])
        right = float(sheets.exercise.nodes.values(given, [gradient])[gradient][0])
        for one in found:
            is_same = float(np.ravel(evaluated(one.formula, values))[0]) == pytest.approx(right)
            assert is_same == (one.letter == cell.value)
        assert cell.mistakes == {one.letter: one.mistake for one in found if one.letter != cell.value}
        letters.add(cell.value)
    assert len(letters) > 1  # each variant has an order of its own


def test_one_line_of_a_solution_is_wrong_and_the_rest_follows_from_it() -> None:
    sheets = sheets_of("first-sheet", 4)
    question = next(q for q in sheets.exercise.questions if q.kind is QuestionKind.MISTAKE)
    for variant in sheets.key.variants:
        found = planted_in(sheets.exercise, variant, question.cells[0], question.of[0])
        cell = next(cell for cell in variant.cells if cell.kind is CellKind.LINE)
        assert cell.value == str(found.wrong)
        known = given_values(sheets.network.graph, {k: np.asarray(v)[np.newaxis] for k, v in variant.given.items()})
        for line in found.lines:
            node = sheets.exercise.nodes.node(line.place)
            assert node is not None
            unit = 10.0**-sheets.exercise.digits  # each line from the numbers that stand above it, rounded like them
            assert np.allclose(line.value / unit, np.round(line.value / unit))
            is_right = bool(np.all(np.abs(evaluated(node.formula, known) - line.value) <= 0.5001 * unit))
            assert is_right == (line.number != found.wrong)
            known[line.place] = line.value


@pytest.mark.parametrize("name", NAMES)
def test_rounding_every_step_stays_within_the_tolerance(name: str) -> None:
    sheets = sheets_of(name, 2)
    for variant in sheets.key.variants:
        given = given_values(sheets.network.graph, {k: np.asarray(v)[np.newaxis] for k, v in variant.given.items()})
        cells = {cell.id: cell for cell in variant.cells if cell.kind is CellKind.NUMBER}
        places = {sheets.exercise.place(cell): cell for cell in cells}
        known = dict(given)
        for node in sheets.exercise.nodes.in_order(places):
            known[node.place] = np.round(evaluated(node.formula, known), sheets.exercise.digits)
            if node.place in places:
                cell = cells[places[node.place]]
                assert abs(float(np.ravel(known[node.place])[0]) - cell.value) <= cell.tolerance, cell.id
