"""What grading must hold for every network: honest rounding is never wrong, a planted mistake is found at its step, and
consistent work after it keeps its points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backprop_cli.exercises.grading import grade
from backprop_cli.exercises.ids import name_of
from backprop_cli.exercises.marks import Mark, Submission, Verdict
from backprop_cli.exercises.mistakes import MISTAKES
from backprop_cli.exercises.nodes import NotSingleError
from benchmarks.planting import Exercise, exercise, first_visible, random_network, slips, solved, written
from tests.strategies import Spec, as_yaml, equation_networks, examples, layer_networks

pytestmark = pytest.mark.thorough
DIGITS = 4
STYLES = ("every", "asked", "none")
LARGEST = 1e4  # numbers that nobody computes by hand
networks = st.one_of(layer_networks(max_depth=3, max_width=3), equation_networks(max_equations=4, max_size=3))


def graded(one: Exercise, answers: dict[str, str]) -> dict[str, Mark]:
    """The marks by cell, in the order of computation."""
    report = grade(one.key, one.network.graph, [Submission("somebody", "1", answers)])
    marks = {mark.cell.id: mark for mark in report.students[0].marks}
    return {name: marks[name] for node in one.order if (name := name_of(node.place)) in marks}


def drawn(spec: Spec, seed: int, share: float) -> Exercise:
    try:
        one = exercise(as_yaml(spec), np.random.default_rng(seed), DIGITS, share)
    except NotSingleError:
        assume(False)
        raise
    right = solved(one, DIGITS, "none")
    assume(len(one.order) < 150 and all(abs(value) < LARGEST for value in right.values()))
    return one


@given(networks, st.integers(0, 9), st.sampled_from(STYLES), st.sampled_from((1.0, 0.4)))
@settings(max_examples=examples(8))
def test_honest_rounding_is_never_wrong(spec: Spec, seed: int, style: str, share: float) -> None:
    one = drawn(spec, seed, share)
    marks = graded(one, written(solved(one, DIGITS, style), DIGITS))
    assert {name: mark for name, mark in marks.items() if mark.verdict is not Verdict.RIGHT} == {}


@given(networks, st.integers(0, 9), st.sampled_from(STYLES), st.data())
@settings(max_examples=examples(8))
def test_a_planted_mistake_is_found_at_its_step_and_the_rest_keeps_its_points(
    spec: Spec, seed: int, style: str, data: st.DataObject
) -> None:
    one = drawn(spec, seed, 1.0)
    some = list(slips(one))
    assume(some)
    mistake = data.draw(st.sampled_from(sorted({slip.mistake for slip in some})))
    slip = data.draw(st.sampled_from([slip for slip in some if slip.mistake == mistake]))
    right, planted = solved(one, DIGITS, style), solved(one, DIGITS, style, slip)
    at = first_visible(one, right, planted)
    assume(at is not None and all(abs(value) < LARGEST for value in planted.values()))
    assert at is not None
    marks = graded(one, written(planted, DIGITS))
    wrong = [name for name, mark in marks.items() if mark.verdict.is_lost]
    assert wrong == [name_of(at)]
    assert mistake in marks[name_of(at)].mistakes


@pytest.mark.parametrize("number", range(2))
def test_every_mistake_is_found_where_only_a_part_is_asked_for(number: int) -> None:
    rng = np.random.default_rng((7, number))
    one = exercise(random_network(rng), rng, DIGITS, 0.5)
    right = solved(one, DIGITS, "asked")
    found = missed = 0
    for mistake in MISTAKES:
        for slip in [slip for slip in slips(one) if slip.mistake == mistake.id][::11]:
            planted = solved(one, DIGITS, "asked", slip)
            at = first_visible(one, right, planted)
            if at is None:
                continue
            marks = graded(one, written(planted, DIGITS))
            if mistake.id in marks[name_of(at)].mistakes:
                found += 1
            else:
                missed += 1
    assert found > 0
    assert missed <= 0.05 * (found + missed)
