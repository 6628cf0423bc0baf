"""Exercises of large networks: what the sheet gives, what is too much, and that the answers are right all the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backprop_cli.documents.exercise_labels import label_of
from backprop_cli.errors import SpecError
from backprop_cli.exercise_loading import Loaded, load_exercise
from backprop_cli.exercises.exercise import Exercise
from backprop_cli.exercises.ids import name_of
from backprop_cli.exercises.making import made, vouched_for
from backprop_cli.network import load_text
from backprop_cli.symbolic.notation import Place

LARGE = "relu-600-60-40-10"


def asking(folder: Path, text: str, network: str = LARGE) -> Loaded:
    file = folder / "sheet.yaml"
    file.write_text(f"network: {network}\n{text}")
    return load_exercise(str(file))


def test_a_sheet_gives_what_a_single_gradient_needs_and_no_more(tmp_path: Path) -> None:
    exercise = asking(tmp_path, "questions: [{gradient: 'W3[1,2]'}]").exercise
    assert exercise.given == ("y", "a2", "a3")
    assert {place.name for place in exercise.needed} == {"y", "a2", "a3"}
    assert exercise.few("a2") is None


def test_large_matrices_are_given_by_the_entries_that_are_needed(tmp_path: Path) -> None:
    exercise = asking(tmp_path, "questions: [{gradient: 'a2[5]'}]").exercise
    assert exercise.few("W3") == tuple(Place("W3", row, 5) for row in range(1, 11))


def test_what_is_asked_for_does_not_follow_from_what_is_given(tmp_path: Path) -> None:
    exercise = asking(tmp_path, "questions: [{forward: 'z2[3]'}]").exercise
    assert "a1" in exercise.given
    assert not {"z2", "a2", "z3", "a3"} & set(exercise.given)


@pytest.mark.thorough
def test_the_answers_are_those_of_the_whole_network(tmp_path: Path) -> None:
    network, exercise = asking(tmp_path, "questions: [{gradient: ['W3[1,2]', 'W2[1,3]']}]")
    key = made(exercise, 2, seed=1).key
    first, second = key.variants
    assert not np.array_equal(first.given["W3"], second.given["W3"])
    for variant in key.variants:
        own = {name: array for name, array in variant.given.items() if network.graph[name].definition is None}
        trace = network.compile().run(own)
        assert np.allclose(variant.given["a2"], trace.forward["a2"], rtol=1e-12)
        right = [trace.gradients["W3"][0, 1], trace.gradients["W2"][0, 2]]
        assert [cell.value for cell in variant.cells] == pytest.approx(right, rel=1e-9)
        assert all(cell.tolerance >= 0.5e-4 for cell in variant.cells)
    vouched = vouched_for(exercise, key.variants)
    assert vouched is not None
    assert vouched.differences >= 7
    assert vouched.gradients < 1000


@pytest.mark.thorough
def test_what_stays_on_every_sheet_is_used_as_it_stands_there(tmp_path: Path) -> None:
    exercise = asking(tmp_path, "questions: [{update: 'W1[1,2]'}]").exercise
    variant = made(exercise, 1, seed=1).key.variants[0]
    assert exercise.few("W1") is not None
    assert np.array_equal(variant.given["W1"], np.round(variant.given["W1"], exercise.digits))


@pytest.mark.thorough
def test_what_takes_thousands_of_numbers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="more than 10,000 numbers have to be put in for these answers"):
        asking(tmp_path, "questions: [{forward: z1}]")
    with pytest.raises(SpecError, match="more than 10,000 numbers have to be put in for these answers"):
        asking(tmp_path, "given: [x, y, W1, b1, W2, b2, W3, b3]\nquestions: [{gradient: 'W3[1,2]'}]")


def test_computed_values_that_are_given_are_taken_as_they_stand_on_the_sheet(tmp_path: Path) -> None:
    text = "questions: [{gradient: 'W2[1,1]'}]"
    usual = made(asking(tmp_path, text, "two-two-two").exercise, 1, seed=1).key.variants[0].cells[0]
    more = "given: [y, a1, a2, z1, z2]\n"
    given = made(asking(tmp_path, more + text, "two-two-two").exercise, 1, seed=1).key.variants[0].cells[0]
    assert given.tolerance < usual.tolerance


def test_a_network_whose_parameters_have_no_gradient_has_variants() -> None:
    network, exercise = load_exercise("nearest-neighbour")
    key = made(exercise, 3, seed=1).key
    cells = [cell.id for cell in key.variants[0].cells]
    assert "dJ/dyhat" in cells
    assert not any("W" in cell for cell in cells)
    for variant in key.variants:
        trace = network.compile().run(dict(variant.given))
        found = {cell.id: cell.value for cell in variant.cells}
        assert not np.any(trace.gradients["W"])
        assert found["dJ/dyhat"] == pytest.approx(float(trace.gradients["yhat"]))
        assert found["yhat"] == trace.forward["yhat"]


@pytest.mark.parametrize(
    "equations",
    [
        "z[i] = sum(M[i,j]*x[j], j) + x[i]*c + M[1,2]*x[i]\n  - q = z[1]*z[2]*sum(z[k]*z[k], k) + x[1]*x[2]",
        "z[i] = x[i]*x[i] + M[1,1]*x[1]\n  - q = sum(z[i]*M[1,1] + z[i]*M[i,1], i) + M[1,1]*z[2]",
    ],
)
def test_every_path_has_a_label_of_its_own(equations: str) -> None:
    spec = "inputs: {x: [1, 2]}\nparameters: {c: 3, M: [[1, 2], [3, 4]]}\nequations:\n"
    network = load_text(f"{spec}  - {equations}\n  - L = q**2\nloss: L\n", "spec", "spec")
    exercise = Exercise(network, "", 4, (), (), str)
    compared = 0
    for name in exercise.nodes.differentiated:
        for place in exercise.nodes.entries(name, is_gradient=True):
            node = exercise.nodes.node(place)
            paths = range(1, 1 + len(node.contributions if node is not None else ()))
            labels = [repr(label_of(exercise, f"path {number} of {name_of(place)}")) for number in paths]
            assert len(set(labels)) == len(labels), name_of(place)
            compared += len(labels) > 1
    assert compared
