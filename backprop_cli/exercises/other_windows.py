"""What a gradient comes to where every step's cost is propagated back through another number of states.

A student who truncates too late computes gradients ∂J_s/∂h_t that the right solution does not have. They stand under
names of their own, made of what the solution has; so what follows from a student's own numbers still does.
"""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr

from backprop_cli.exercises.nodes import Nodes
from backprop_cli.symbolic.notation import Adjoint


def with_windows(nodes: Nodes, gradient: Adjoint, windows: Mapping[str, int]) -> Expr:
    """The formula of a gradient where the costs go back through so many states of each."""
    other = nodes.truncated(windows)
    told = " ".join(map(str, windows.values()))
    renamed: dict[Expr, Expr] = {}
    for node in other.in_order([gradient]):
        place = node.place
        if not isinstance(place, Adjoint):
            continue
        formula = node.formula.xreplace(renamed)
        if place == gradient:
            return formula
        own = nodes.node(place)
        if own is None or formula != own.formula:
            renamed[place] = Adjoint(f"{told} states of {place.name}", *place.positions)
            nodes.define(renamed[place], formula)
    raise ValueError(f"{gradient} is no gradient")


def longest(nodes: Nodes) -> int:
    """Through how many states a cost goes back at most, with no truncation."""
    return max((loop.steps for loop in nodes.graph.loops), default=1)


def shifted(nodes: Nodes, by: int) -> Mapping[str, int] | None:
    """Windows of so many states more, or fewer; None where they are none, or cut nothing off."""
    windows = {name: window + by for name, window in nodes.windows.items()}
    is_cutting = any(window < longest(nodes) for window in windows.values())
    return windows if is_cutting and all(window >= 1 for window in windows.values()) else None
