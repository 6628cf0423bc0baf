"""Answers to choose from: a right formula among those that typical mistakes give, in an order of the variant's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from sympy import Expr

from backprop_cli.errors import BackpropError
from backprop_cli.exercises.ids import name_of
from backprop_cli.exercises.nodes import Node, Nodes
from backprop_cli.symbolic.graph import Role
from backprop_cli.symbolic.notation import Adjoint, Place, is_by_step, places
from backprop_cli.translation import tr

LETTERS = "ABCDEFGH"
MOST_OPTIONS = 4
FEWEST_OPTIONS = 2
REMEMBERED = 64  # gradients whose formulas are kept from one variant to the next

Distractor = Callable[[Nodes, Node], "Expr | None"]


class Option(NamedTuple):
    """``mistake`` is the id of the mistake that gives the formula, None for the right one."""

    letter: str
    formula: Expr
    mistake: str | None


def wrong_sign(nodes: Nodes, node: Node) -> Expr | None:
    return -node.formula


def transposed(nodes: Nodes, node: Node) -> Expr | None:
    """The formula of the entry with its positions exchanged, or with matrices read the wrong way round."""
    if len(node.place.positions) - is_by_step(node.place.name) == 2:
        swapped = _swapped(node.place)
        other = _is_inside(nodes, swapped) and nodes.node(swapped)
        return other.formula if isinstance(other, Node) and not nodes.is_cut_off(swapped) else None
    matrices = [
        place
        for place in places(node.formula)
        if len(place.positions) == 2 and nodes.graph[place.name].role is Role.PARAMETER
    ]
    if not matrices or not all(_is_inside(nodes, _swapped(place)) for place in matrices):
        return None
    return node.formula.xreplace({place: _swapped(place) for place in matrices})


def missing_derivative(nodes: Nodes, node: Node) -> Expr | None:
    """The gradient of an activation in place of that of its weighted sum, as if the slope were 1."""
    if (own := _without_slope(nodes, node)) is not None:
        return own
    rules = {}
    for place in places(node.formula):
        inner = nodes.node(place) if isinstance(place, Adjoint) else None
        short = None if inner is None else _without_slope(nodes, inner)
        if short is not None:
            rules[place] = short
    return node.formula.xreplace(rules) if rules else None


def single_path(nodes: Nodes, node: Node) -> Expr | None:
    return node.contributions[0].expression if len(node.contributions) > 1 else None


DISTRACTORS: Mapping[str, Distractor] = {
    "missing_derivative": missing_derivative,
    "transposed": transposed,
    "wrong_sign": wrong_sign,
    "single_path": single_path,
}


def options(nodes: Nodes, gradient: Place, code: str, cell: str) -> tuple[Option, ...]:
    """The formulas to choose from for one gradient, of which one is right. Raises BackpropError where no mistake gives
    another formula."""
    ordered = sorted(_alternatives(nodes, gradient), key=lambda one: digest(code, cell, str(one[1])))
    return tuple(Option(letter, *one) for letter, one in zip(LETTERS, ordered, strict=False))


@lru_cache(maxsize=REMEMBERED)
def _alternatives(nodes: Nodes, gradient: Place) -> tuple[tuple[Expr, str | None], ...]:
    """The formulas, the same for all variants, each with the mistake that gives it."""
    node = nodes.node(gradient)
    if node is None:
        raise KeyError(name_of(gradient))
    found: list[tuple[Expr, str | None]] = [(node.formula, None)]
    for mistake, made in DISTRACTORS.items():
        formula = made(nodes, node)
        if formula is not None and all(formula != other for other, _ in found) and len(found) < MOST_OPTIONS:
            found.append((formula, mistake))
    if len(found) < FEWEST_OPTIONS:
        message = tr("no mistake gives another formula of {name} to choose from")
        raise BackpropError(message.format(name=name_of(gradient)))
    return tuple(found)


def digest(*parts: str) -> str:
    """The same for the same texts on any machine."""
    return sha256("\n".join(parts).encode()).hexdigest()


def expanded(nodes: Nodes, gradient: Place) -> Expr:
    """A gradient in values of the forward pass alone."""
    formula: Expr = gradient
    while adjoints := list(_adjoints(formula)):
        formula = formula.xreplace({place: _formula(nodes, place) for place in adjoints})
    return formula


def _adjoints(formula: Expr) -> Iterator[Place]:
    return (place for place in dict.fromkeys(places(formula)) if isinstance(place, Adjoint))


def _formula(nodes: Nodes, place: Place) -> Expr:
    node = nodes.node(place)
    if node is None:
        raise KeyError(name_of(place))
    return node.formula


def _without_slope(nodes: Nodes, node: Node) -> Expr | None:
    """What arrives from an activation at its weighted sum, without the slope."""
    if len(node.contributions) != 1 or nodes.graph[node.place.name].role is not Role.WEIGHTED_SUM:
        return None
    only = node.contributions[0]
    return None if only.upstream is None or only.local.is_number else only.upstream


def _swapped(place: Place) -> Place:
    """The place on the other side of the diagonal, in a gradient of the cost of one step that of the same step."""
    start = int(is_by_step(place.name))
    return type(place)(place.name, *place.positions[:start], *place.positions[start:][::-1])


def _is_inside(nodes: Nodes, place: Place) -> bool:
    shape = nodes.graph[place.name].shape
    return all(1 <= int(p) <= size for p, size in zip(place.positions, shape, strict=True))
