"""How far an answer may be off when every number on the way to it is rounded: derived, not guessed.

A student writes down each number with so many digits and computes on with what is written. The width of a number is
then half a unit of its own last digit, plus the widths of the numbers it is computed from, each times the size of the
derivative by it. The derivative is taken at its largest between the number and both ends of what is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cache

import numpy as np
from sympy import Expr

from backprop_cli.exercises.elementary import FAST, Functions, Numbers
from backprop_cli.exercises.nodes import Node, Nodes, Values
from backprop_cli.exercises.slopes import slopes
from backprop_cli.symbolic.notation import Place, fresh_value

SLACK = 1e-9  # of a width, for the rounding of floating point


def widths(
    nodes: Nodes,
    values: Values,
    wanted: Iterable[Place],
    digits: int,
    exact: Collection[Place] = (),
    functions: Functions = FAST,
) -> dict[Place, Numbers]:
    """The width of every number that ``wanted`` builds on, by place.

    ``values`` are the right numbers; those of ``exact`` places, and all that is given, are known without rounding,
    except what could be computed: the sheet gives it rounded.
    """
    found: dict[Place, Numbers] = {}
    half = 0.5 * 10.0**-digits
    wanted = list(wanted)
    if nodes.known:
        rounded = (place for place in nodes.leaves(wanted) if place.name in nodes.known and place not in exact)
        found.update(dict.fromkeys(rounded, np.asarray(half)))
    for node in nodes.in_order(wanted):
        if node.place in exact:
            found[node.place] = np.asarray(0.0)
        elif node.formula in found:  # a copy of what is written already
            found[node.place] = found[node.formula]
        else:
            found[node.place] = arriving(node, values, found, functions) + half
    return found


def is_too_strict(tolerance: float, digits: int) -> bool:
    """Whether rounding a right number to so many digits alone brings it out of a tolerance."""
    return tolerance < 0.5 * 10.0**-digits * (1 - SLACK)


def arriving(node: Node, values: Values, found: Mapping[Place, Numbers], functions: Functions = FAST) -> Numbers:
    """The width of a node's formula before it is rounded itself."""
    moved = {place: width for place in node.uses if (width := found.get(place)) is not None and np.any(width)}
    largest: dict[Place, Numbers] = {}
    with np.errstate(all="ignore"):  # what is not finite is for the caller to turn away
        for sign in (0.0, 1.0, -1.0) if moved else ():
            ends = {**values, **{p: values[p] + sign * width for p, width in moved.items()}} if sign else values
            for place, slope in slopes(node.formula, ends, functions).items():
                largest[place] = np.fmax(largest.get(place, np.asarray(0.0)), np.abs(slope))
        total = sum((width * largest[place] for place, width in moved.items() if place in largest), np.asarray(0.0))
        return np.asarray(total * (1 + SLACK))


@cache
def derivative(formula: Expr, place: Place) -> Expr:
    """∂formula/∂(one place in it)."""
    symbol = fresh_value("v")
    return formula.xreplace({place: symbol}).diff(symbol).xreplace({symbol: place})
