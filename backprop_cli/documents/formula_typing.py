"""How a formula is typed as an answer: the quantities that may stand in it, as the sheet shows them and as they are
written in the equation language."""

from __future__ import annotations

from backprop_cli.documents.blocks import Inline
from backprop_cli.documents.exercise_wording import SHEET
from backprop_cli.documents.sentences import filled, gap
from backprop_cli.exercises.exercise import Exercise, QuestionKind
from backprop_cli.exercises.ids import name_of
from backprop_cli.exercises.solving import FORMULA
from backprop_cli.symbolic.display import tree_of
from backprop_cli.symbolic.graph import Role
from backprop_cli.symbolic.notation import Adjoint, Place
from backprop_cli.translation import between

UNSEEN = (Role.HELPER, Role.LOSS, Role.COST)


def typed_names(exercise: Exercise) -> tuple[Place, ...]:
    """An entry of every quantity that the gradients build on whose formulas are asked for, in order of computation."""
    nodes, graph = exercise.nodes, exercise.graph
    cells = [cell for question in exercise.questions for cell in question.cells if cell.startswith(FORMULA)]
    used = {
        place.name
        for cell in cells
        for node in nodes.in_order([nodes.place(cell.removeprefix(FORMULA))])
        for place in node.uses
        if not isinstance(place, Adjoint)
    }
    found = (quantity for quantity in graph.quantities if quantity.name in used and quantity.role not in UNSEEN)
    return tuple(
        Place(quantity.name, *(min(at, size) for at, size in enumerate(quantity.shape, start=1))) for quantity in found
    )


def how_to_type(exercise: Exercise) -> tuple[Inline, ...]:
    """The sentences that say so, empty where no formula is asked for."""
    if not any(question.kind is QuestionKind.FORMULA for question in exercise.questions):
        return ()
    pairs = [
        filled(SHEET["typed"], quantity=tree_of(place), typed=name_of(place))
        for place in typed_names(exercise)
        if place.positions or len(place.name) > 1
    ]
    names = [part for one in between(pairs) for part in ((one,) if isinstance(one, str) else one)]
    return (SHEET["typing"], *((gap(), *filled(SHEET["typing names"], names=names)) if names else ()))
