"""What a network taken apart by the steps of its cost, J = Σ_s J_s, is made of for a student who computes it by hand.

The forward pass is that of the network itself: no state is computed again for every J_s. Backward, every J_s has
gradients ∂J_s/∂h_t of its own, as far back as it is propagated; their sum ∂J/∂h_t goes on to all that is not taken
apart, such as the parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from backprop_cli.symbolic.costs_by_step import values
from backprop_cli.symbolic.derivation import Adjoints
from backprop_cli.symbolic.edges import Edge, edges
from backprop_cli.symbolic.graph import Graph
from backprop_cli.symbolic.notation import Place, Window, by_step, is_by_step, plain_name


def with_copies(graph: Graph, adjoints: Adjoints) -> Graph:
    """The network with copies h@[s,t] for the gradients of every J_s; each copy is h[t], the quantity itself."""
    apart = adjoints.apart
    if apart is None:
        return graph
    quantities = []
    for quantity in graph.quantities:
        quantities.append(quantity)
        if quantity.name in apart.copied:
            copy = apart.graph[by_step(quantity.name)]
            itself = Place(quantity.name, *copy.indices[1:])
            quantities.append(replace(copy, definition=itself, activation=None))
    return replace(graph, quantities=tuple(quantities), windows={})


def edges_backward(graph: Graph, adjoints: Adjoints) -> Iterator[Edge]:
    """The edges that gradients come back along; ``graph`` is that of :func:`with_copies`.

    From a copy to what is not copied they start at ∂J/∂h_t, unless it depends on s whether they count.
    """
    apart = adjoints.apart
    if apart is None:
        yield from edges(graph) if adjoints.formulas else ()
        return
    plain = {(edge.of.name, edge.by.name): edge for edge in edges(graph)}
    for edge in edges(apart.graph):
        if edge.of.name in apart.copied:
            continue
        leaves = is_by_step(edge.of.name) and not is_by_step(edge.by.name) and not _has_window(edge)
        yield plain[plain_name(edge.of.name), edge.by.name] if leaves else edge
    yield from (edge for edge in plain.values() if is_by_step(edge.of.name))


def _has_window(edge: Edge) -> bool:
    derivative = edge.derivative
    factors = (values(factor) for term in derivative.terms for factor in term.factors)
    return any(factor.has(Window) for factor in (*derivative.conditions, *factors))
