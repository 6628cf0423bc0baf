"""The edges of a network's graph: how one quantity u enters the equation of another, v, taken by itself.

The derivation adds up what arrives at u from everything that uses it. Here each use stands alone: what v hands back to
u (∂J/∂v · ∂v/∂u), the Jacobian of v by u with all its entries, and how a change of u changes v (∂v/∂u · du). All three
are the local derivatives of :mod:`backprop_cli.symbolic.local`, put together in three ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from sympy import Add, Expr, Symbol

from backprop_cli.language import tree
from backprop_cli.language.walking import rebuilt
from backprop_cli.symbolic.derivation import Path, closed_occurrences
from backprop_cli.symbolic.display import terms_tree
from backprop_cli.symbolic.formulas import Term, gathered, named, product
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.local import LocalDerivative, local_derivative_of, put_in
from backprop_cli.symbolic.notation import Place, fresh_index, places
from backprop_cli.symbolic.rule import local_derivative

CHANGE = "d "  # before a quantity's name, the name of its change; no author's name has a space
WITHOUT_CHANGE = (Role.TARGET, Role.CONSTANT)


@dataclass(frozen=True)
class Edge:
    """One quantity in the equation of another; ``graph`` is the network they belong to."""

    graph: Graph
    path: Path
    by: Quantity

    @property
    def of(self) -> Quantity:
        return self.path.through

    @cached_property
    def derivative(self) -> LocalDerivative:
        """∂v/∂u in closed form, its indices tied where they can be."""
        return local_derivative_of(self.path, self.by)

    @property
    def handed_back(self) -> tuple[Term, ...]:
        """∂J/∂v · ∂v/∂u over u's own indices; from J itself ∂J/∂u as far as u stands in its equation."""
        return gathered(put_in(self.derivative, self.of.name != self.graph.cost))

    def change(self, with_slopes: bool = False) -> tuple[Term, ...]:
        """∂v/∂u · du over v's own indices; du is a place whose name begins with :data:`CHANGE`.

        ``with_slopes`` writes f′(u) where a named activation f is applied, which is for people and cannot be computed.
        """
        derivative = self.derivative
        rules: dict[Expr, Expr] = {symbol: fresh_index(symbol.name) for symbol, _ in derivative.own}
        changed = Place(f"{CHANGE}{self.by.name}", *derivative.positions).xreplace(rules)
        own = tuple((rules[symbol], size) for symbol, size in derivative.own)
        slope = derivative.slope if with_slopes else None
        terms = derivative.terms if slope is None else (Term((), (slope,)),)
        if len(terms) == 1:
            sums, factors = terms[0].sums, terms[0].factors
        else:
            sums, factors = (), (Add(*(term.expression for term in terms)),)
        return (Term((*own, *sums), (*(factor.xreplace(rules) for factor in factors), changed)),)

    @property
    def jacobian(self) -> tuple[tuple[Symbol, ...], tuple[Term, ...]]:
        """Indices for the positions of u, none of them one of v's, and ∂v/∂u for all values of both."""
        by = tuple(fresh_index(symbol.name) for symbol in self.by.indices)
        free = dict(zip(self.of.indices, self.of.shape, strict=True))
        terms = (local_derivative(one, free, by, self.by.shape) for one in self.path.occurrences)
        return by, tuple(terms)


def edges(graph: Graph) -> Iterator[Edge]:
    """Every use of a quantity that can change, in order of computation of what uses it."""
    for quantity in graph.quantities:
        if quantity.definition is None:
            continue
        for name in dict.fromkeys(place.name for place in places(quantity.definition)):
            if graph[name].role in WITHOUT_CHANGE:
                continue
            found = closed_occurrences(quantity, name)
            if found:
                yield Edge(graph, Path(quantity, found), graph[name])


def told(graph: Graph, terms: Sequence[Term], indices: Sequence[Symbol]) -> tree.Node:
    """Terms over these indices as a formula; changes are written as differentials."""
    taken = {quantity.name for quantity in graph.quantities} | {symbol.name for symbol in indices}
    return _with_differentials(terms_tree([named(Term(t.sums, product(t.factors)), taken) for t in terms]))


def _with_differentials(node: tree.Node) -> tree.Node:
    node = rebuilt(node, _with_differentials)
    if isinstance(node, tree.Place) and node.name.startswith(CHANGE):
        return tree.Differential(tree.Place(node.name.removeprefix(CHANGE), node.positions))
    return node
