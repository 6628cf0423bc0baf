"""What a truncated gradient is, as a network of its own: the same cost with every state that is too old frozen.

For the cost J_s of each step the recurrence is computed anew, and where it reads a state that J_s is not propagated
back to, it reads the number that the forward pass found there, which does not change. The gradient of that network's
cost is the truncated gradient by definition, so that any oracle may judge it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from sympy import Expr

from backprop_cli.symbolic.costs_by_step import taken_apart, windowed_loops
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.notation import Place, Truncated, is_by_step, plain_name, without_step
from backprop_cli.verification.arrays import Array

FROZEN = "#"  # no author's name has it


def frozen(graph: Graph, values: Mapping[str, Array]) -> tuple[Graph, dict[str, Array]]:
    """The network with frozen states, and the values of what is given in it. ``values`` are those of every quantity.
    Where nothing is truncated, all loops are computed anew for each step and nothing is frozen.

    The gradient of a copied quantity h is that of what is added to all its copies: an input of this name, which is 0.
    """
    apart = taken_apart(graph, windowed_loops(graph) or graph.loops)
    quantities: list[Quantity] = []
    constants: dict[str, Quantity] = {}
    given: dict[str, Array] = {}
    for quantity in apart.graph.quantities:
        if quantity.name in apart.copied:
            given[quantity.name] = np.zeros(quantity.shape)
            quantity = replace(quantity, role=Role.INPUT, definition=None)
        elif quantity.definition is None:
            given[quantity.name] = values[quantity.name]
        else:
            definition = _with_frozen(quantity.definition, apart.graph, constants)
            if is_by_step(quantity.name):
                definition += Place(plain_name(quantity.name), *quantity.indices[1:])
            quantity = replace(quantity, definition=definition)
        quantities.append(quantity)
    given.update({name: values[constant.name.removesuffix(FROZEN)] for name, constant in constants.items()})
    loops = tuple(loop for loop in apart.graph.loops if loop.names[0] not in apart.copied)
    everything = sorted((*constants.values(), *quantities), key=lambda quantity: not quantity.is_given)
    return replace(apart.graph, quantities=tuple(everything), loops=loops, windows={}), given


def _with_frozen(definition: Expr, graph: Graph, constants: dict[str, Quantity]) -> Expr:
    """The definition with a choice between the state and its frozen value wherever truncation decides; the frozen ones
    are added to ``constants``."""
    rules: dict[Expr, Expr] = {}
    for node in definition.atoms(Truncated):
        place = node.value
        itself = without_step(place) if is_by_step(place.name) else place
        name = f"{itself.name}{FROZEN}"
        original = graph[itself.name]
        constants.setdefault(name, replace(original, name=name, role=Role.CONSTANT, definition=None))
        rules[node] = node.condition * place + (1 - node.condition) * Place(name, *itself.positions)
    return definition.xreplace(rules)
