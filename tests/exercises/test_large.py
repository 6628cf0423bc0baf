"""Exercises of large networks: what the sheet gives, what is too much, and that the answers are right all the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backprop_cli.errors import SpecError
from backprop_cli.exercise_loading import Loaded, load_exercise
from backprop_cli.exercises.making import made, vouched_for
from backprop_cli.exercises.nodes import Place

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
