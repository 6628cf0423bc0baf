"""How much there is to compute by hand for what a sheet asks, and what it gives so that it is not too much.

A number is counted once for every number that it is computed from: a weighted sum of 600 inputs counts 1200.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import prod

from sympy import Expr

from backprop_cli.errors import BackpropError
from backprop_cli.exercises.exercise import Exercise
from backprop_cli.exercises.nodes import Nodes
from backprop_cli.symbolic.graph import Graph, Role
from backprop_cli.symbolic.notation import Adjoint, Place, Reduce, places
from backprop_cli.translation import grouped, tr

MOST_WORK = 10_000  # of the numbers on a sheet, as it is counted here
UNSEEN = (Role.HELPER, Role.LOSS, Role.COST)


def manageable(exercise: Exercise) -> Exercise:
    """The exercise, whose sheet gives values of the forward pass where it would be too much to compute them.

    It then gives what the answers are computed from alone. Raises BackpropError where they are too much work all the
    same.
    """
    if _is_manageable(exercise):
        return exercise
    after = _after(exercise)
    known = [q.name for q in exercise.graph.quantities if q.definition is not None and q.role not in UNSEEN]
    more = replace(exercise, given=(*exercise.given, *(name for name in known if name not in after)))
    require_manageable(more)
    needed = {place.name for place in more.needed}
    return replace(more, given=tuple(q.name for q in exercise.graph.quantities if q.name in needed))


def require_manageable(exercise: Exercise) -> None:
    """Raises BackpropError where a sheet asks for too much."""
    if not _is_manageable(exercise):
        message = tr(
            "more than {most} numbers have to be put in for these answers; ask for less, or give more values of the "
            "forward pass"
        )
        raise BackpropError(message.format(most=grouped(MOST_WORK)))


def _is_manageable(exercise: Exercise) -> bool:
    return has_short_pass(exercise.graph) or _is_short(exercise.nodes, exercise.asked)


def has_short_pass(graph: Graph) -> bool:
    """Whether the whole forward pass is little work, by its equations alone."""
    return sum(prod(q.shape) * _terms(q.definition) for q in graph.quantities if q.definition is not None) <= MOST_WORK


def _terms(expression: Expr) -> int:
    """The numbers that an equation puts together, every sum written out."""
    if isinstance(expression, Place):
        return 1
    inside = sum(_terms(part) for part in expression.args if isinstance(part, Expr))
    return expression.size * inside if isinstance(expression, Reduce) else inside


def _is_short(nodes: Nodes, asked: Iterable[Place]) -> bool:
    """Whether what these places build on is little work; what lies beyond is not looked at."""
    waiting = list(dict.fromkeys(asked))
    seen, work = set(waiting), 0
    while waiting and work <= MOST_WORK:
        node = nodes.node(waiting.pop())
        if node is not None:
            work += len(node.uses)
            some = [place for place in node.uses if place not in seen]
            seen.update(some)
            waiting.extend(some)
    return work <= MOST_WORK


def _after(exercise: Exercise) -> set[str]:
    """The quantities of the forward pass that are asked for, and those that are computed from them."""
    found = {place.name for place in exercise.asked if not isinstance(place, Adjoint)}
    while True:
        more = {
            quantity.name
            for quantity in exercise.graph.quantities
            if quantity.definition is not None and found & {place.name for place in places(quantity.definition)}
        }
        if more <= found:
            return found
        found |= more
