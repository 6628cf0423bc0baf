"""Choices that a cost or a network's form makes, and that a class asks about: factors, means, layers without a bend."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from sympy import Expr, Pow, Rational

from backprop_cli.language import tree
from backprop_cli.library.functions import FUNCTIONS, IDENTITY
from backprop_cli.library.losses import LOSSES
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.notation import Reduce, places

HALF = "1/2*"  # how the definition of a loss begins
MEAN = "1/K*"


class Convention(NamedTuple):
    """What was chosen, as a key of the sentences, and the number that it is about."""

    key: str
    number: int = 0


def of_the_cost(graph: Graph, quantity: Quantity, loss: str) -> Iterator[Convention]:
    """The choices in the equation of the cost, or of the loss of one sample; ``loss`` is its name or its expression."""
    if quantity.role not in (Role.COST, Role.LOSS) or quantity.definition is None:
        return
    if quantity.definition.is_Add:  # with a penalty no factor is common to all
        return
    factor, rest = quantity.definition.as_coeff_Mul()
    factor = abs(factor)
    if graph.samples is not None and quantity.name == graph.cost and _adds_up_losses(graph, rest):
        yield Convention("batch mean" if factor == Rational(1, graph.samples) else "batch sum", graph.samples)
        return
    definition = LOSSES[loss].definition if loss in LOSSES else ""
    if definition.startswith(HALF) or (not definition and _is_half_of_squares(quantity, factor, rest)):
        yield Convention("half")
    elif definition.removeprefix("-").startswith(MEAN) and (size := _numbers(rest)) > 1:
        yield Convention("mean", size)


def _adds_up_losses(graph: Graph, rest: Expr) -> bool:
    return any(graph[place.name].role is Role.LOSS for place in places(rest))


def _is_half_of_squares(quantity: Quantity, factor: Expr, rest: Expr) -> bool:
    """Whether an author has written ½ before squares, and not a mean of two."""
    means = isinstance(quantity.written, tree.Reduction) and quantity.written.operation == "mean"
    return factor == Rational(1, 2) and not means and any(node.exp == 2 for node in rest.atoms(Pow))


def _numbers(rest: Expr) -> int:
    """How many numbers a sum goes over."""
    sizes = []
    while isinstance(rest, Reduce) and rest.operation == "sum":
        sizes.append(rest.size)
        rest = rest.body
    return prod(sizes)


def collapsing(graph: Graph, quantity: Quantity) -> Quantity | None:
    """The weighted sum of the layer before, where no bend stands between it and this weighted sum."""
    if quantity.role is not Role.WEIGHTED_SUM or quantity.definition is None:
        return None
    inputs = {graph[place.name].name for place in places(quantity.definition) if not graph[place.name].is_given}
    if len(inputs) != 1:
        return None
    before = graph[inputs.pop()]
    if before.role is Role.ACTIVATION and before.activation == IDENTITY and before.definition is not None:
        sources = {place.name for place in places(before.definition)}
        before = graph[sources.pop()] if len(sources) == 1 else before
    return before if before.role is Role.WEIGHTED_SUM else None


def kink_of(activation: str | None) -> str | None:
    """Where the slope of an activation jumps and which it is given there, None for a smooth one."""
    return FUNCTIONS[activation].kink if activation in FUNCTIONS else None
