"""Exercises with several variants, whose numbers are those of the spec, moved a little."""

from __future__ import annotations

import numpy as np

from backprop_cli.exercise_loading import load_exercise
from backprop_cli.exercise_writing import Sheets
from backprop_cli.exercises.key import Key, Variant
from backprop_cli.exercises.solving import answers
from backprop_cli.symbolic.graph import Role


def sheets_of(name: str, count: int = 2, students: tuple[str | None, ...] = ()) -> Sheets:
    """The sheets of an exercise, with so many variants."""
    network, exercise = load_exercise(name)
    given = {}
    for quantity, array in network.values.items():
        start = np.asarray(array, dtype=np.float64)
        step = 0.1 * (1 + np.arange(start.size).reshape(start.shape))
        step = step * (network.graph[quantity].role is not Role.CONSTANT)  # class numbers are whole
        given[quantity] = np.stack([start + n * step for n in range(count)])
    codes = [f"CODE{n}" for n in range(1, count + 1)]
    cells = answers(exercise, given, codes)
    variants = tuple(
        Variant(
            str(n + 1),
            codes[n],
            students[n] if students else None,
            {name: array[n] for name, array in given.items()},
            cells[n],
        )
        for n in range(count)
    )
    spec = network.source.text
    key = Key(exercise.title, spec, exercise.digits, 0, exercise.learning_rate, variants)
    return Sheets(network, exercise, key)
