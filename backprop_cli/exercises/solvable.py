"""Whether a sheet gives what its questions need, and does not give what they ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from backprop_cli.exercises.exercise import Exercise
from backprop_cli.exercises.nodes import Nodes
from backprop_cli.exercises.solving import is_number
from backprop_cli.symbolic.notation import Adjoint, Place
from backprop_cli.translation import tr


class Unsolvable(NamedTuple):
    """What is wrong with a question, by its place among them, or with what is given where that is None."""

    question: int | None
    message: str


def unsolvable(exercise: Exercise) -> Iterator[Unsolvable]:
    """What is missing on the sheet, each quantity once, and the numbers that are asked for though they stand on it."""
    told: set[str] = set()
    for number, question in enumerate(exercise.questions):
        cells = {cell: exercise.place(cell) for cell in question.cells if is_number(cell)}
        shown = [cell for cell, place in cells.items() if _is_given(place, exercise.given)]
        if shown:
            yield Unsolvable(number, tr("{cell} stands on the sheet, as it is given").format(cell=shown[0]))
        for cell, place in cells.items():
            for name in _missing(exercise.nodes, place, exercise.given):
                if name not in told:
                    message = tr("'{name}' is needed for {cell} and is not given")
                    yield Unsolvable(None, message.format(name=name, cell=cell))
                told.add(name)


def _is_given(place: Place, given: Collection[str]) -> bool:
    return not isinstance(place, Adjoint) and place.name in given


def _missing(nodes: Nodes, asked: Place, given: Collection[str]) -> Iterator[str]:
    """The quantities that a number is computed from and that the sheet does not give."""
    seen, waiting = {asked}, [asked]
    while waiting:
        place = waiting.pop()
        node = nodes.node(place)
        if _is_given(place, given):
            continue
        if node is None:
            yield place.name
            continue
        some = [other for other in node.uses if other not in seen]
        seen.update(some)
        waiting.extend(some)
