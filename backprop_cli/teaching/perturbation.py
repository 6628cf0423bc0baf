"""A small change of one number, followed forward through a network to first order: dv = Σ ∂v/∂u · du.

Source: Y. LeCun, Deep Learning (New York University), lecture 2: a perturbation ds of a sum perturbs the activation by
dz = ds · h′(s), and the cost by dC = dz · dC/dz.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from itertools import product as positions_of
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop_cli.errors import BackpropError
from backprop_cli.language import tree
from backprop_cli.language.walking import rebuilt, walk
from backprop_cli.symbolic.edges import CHANGE, Edge, edges, told
from backprop_cli.symbolic.entries import folded, whole_number, with_numbers
from backprop_cli.symbolic.graph import Graph, Quantity
from backprop_cli.symbolic.selection import asked_for
from backprop_cli.symbolic.steps import Derivation
from backprop_cli.teaching.numbers import Numbers
from backprop_cli.teaching.putting_in import numbers_put_in
from backprop_cli.teaching.rounding import Rounding
from backprop_cli.teaching.whole_arrays import WholeArrays
from backprop_cli.translation import tr

ASKED = re.compile(r"\s*(?P<quantity>[^=]*[^=\s])\s*=\s*(?P<change>[^=]*[^=\s])\s*")
MOST_TERMS = 6  # of a sum that are written out
MOST_EXPANDED = 4096  # terms of a sum that are gone through to find those that change

Array = NDArray[np.float64]
Position = tuple[int, ...]


class Perturbation(NamedTuple):
    """One entry of a given quantity, and by how much it is changed."""

    of: str
    position: Position
    change: float


class ToldChange(NamedTuple):
    """``target = formula = put_in = value`` for one entry; ``is_exact`` says that the rounded numbers give the rounded
    result."""

    position: Position
    target: tree.Node
    formula: tree.Node
    put_in: tree.Node | None
    value: float
    is_exact: bool


class Change(NamedTuple):
    """How one quantity changes: the general formula, entries of it, and all first-order changes; ``size`` is the number
    of entries that change."""

    of: str
    target: tree.Node
    formula: tree.Node
    entries: tuple[ToldChange, ...]
    values: Array
    size: int


def asked(derivation: Derivation, text: str) -> Perturbation:
    """What a text such as ``W1[1,2]=0.01`` asks for. Raises BackpropError for what cannot be perturbed."""
    match = ASKED.fullmatch(text)
    try:
        change = float(match["change"]) if match is not None else np.nan
    except ValueError:
        change = np.nan
    if match is None or not np.isfinite(change):
        raise BackpropError(
            tr("cannot read '{text}'; expected an entry and its change, such as W1[1,2]=0.01").format(text=text)
        )
    name, position = asked_for(derivation, match["quantity"])
    quantity = derivation.graph[name]
    if not quantity.is_given:
        message = tr("{name} is computed from others; change an input or a parameter")
        raise BackpropError(message.format(name=name))
    if position is None and quantity.shape:
        message = tr("{name} has {size} entries; change one of them, such as {example}")
        example = f"{name}[{','.join('1' for _ in quantity.shape)}]={match['change']}"
        raise BackpropError(message.format(name=name, size=int(np.prod(quantity.shape)), example=example))
    if change == 0:
        raise BackpropError(tr("'{text}' changes nothing; give another number than 0").format(text=text))
    return Perturbation(name, position or (), change)


class Changes:
    """What a perturbation changes, to first order, from the perturbed entry to the cost.

    ``values`` are those of a run before the change, by name.
    """

    def __init__(
        self, derivation: Derivation, graph: Graph, values: Mapping[str, Array], perturbation: Perturbation
    ) -> None:
        self._derivation, self._graph, self._values = derivation, graph, values
        self._perturbation = perturbation
        self._arrays = WholeArrays(graph, values)
        self.by_name: dict[str, Array] = {}
        self._edges: dict[str, list[Edge]] = {}
        for edge in edges(graph):
            self._edges.setdefault(edge.of.name, []).append(edge)
        start = np.zeros(graph[perturbation.of].shape)
        start[tuple(place - 1 for place in perturbation.position)] = perturbation.change
        self._put(graph[perturbation.of], start)
        for quantity in graph.quantities:
            loop = graph.loop_of(quantity.name)
            if loop is None:
                self._follow(quantity)
            elif quantity.name == loop.names[0]:
                self._follow_steps([q for q in graph.quantities if q.name in loop.names], loop.steps)

    def _put(self, quantity: Quantity, change: Array) -> None:
        self.by_name[quantity.name] = change
        self._arrays.put(f"{CHANGE}{quantity.name}", change, quantity.indices)

    def _arriving(self, quantity: Quantity) -> list[Edge]:
        """The edges along which something changes the quantity."""
        return [edge for edge in self._edges.get(quantity.name, ()) if edge.by.name in self.by_name]

    def _follow(self, quantity: Quantity) -> bool:
        """The change of one quantity from those of what it is computed from; whether that is news."""
        terms = [term for edge in self._arriving(quantity) for term in edge.change()]
        if not terms:
            return False
        change = self._arrays.of(terms, quantity.indices, quantity.shape)
        before = self.by_name.get(quantity.name)
        if before is None and not np.any(change):
            return False
        self._put(quantity, change)
        return before is None or not np.array_equal(before, change, equal_nan=True)

    def _follow_steps(self, quantities: Sequence[Quantity], steps: int) -> None:
        """The changes in a loop: a step is right once the steps before it are, so each round settles one more."""
        for _ in range(steps + 1):
            news = [self._follow(quantity) for quantity in quantities]
            if not any(news):
                return

    def told(self, rounding: Rounding, most: int) -> Iterator[Change]:
        """The quantities that change, each with its first ``most`` changed entries, in order of computation."""
        numbers = Numbers(self._derivation, self._values, {}, self.by_name)
        for quantity in self._graph.quantities:
            if quantity.definition is None or quantity.name not in self.by_name:
                continue
            values = self.by_name[quantity.name]
            if not np.any(values):
                continue
            terms = [term for edge in self._arriving(quantity) for term in edge.change(with_slopes=True)]
            formula = told(self._graph, terms, quantity.indices)
            names = [symbol.name for symbol in quantity.indices]
            target = tree.Differential(tree.Place(quantity.name, tuple(map(tree.Place, names))))
            ranges = [range(1, size + 1) for size in quantity.shape]
            changed = (at for at in positions_of(*ranges) if values[tuple(place - 1 for place in at)] != 0)
            entries = tuple(
                self._entry(quantity, target, formula, names, position, numbers, rounding)
                for position in islice(changed, most)
            )
            yield Change(quantity.name, target, formula, entries, values, int(np.count_nonzero(values)))

    def _entry(
        self,
        quantity: Quantity,
        target: tree.Node,
        formula: tree.Node,
        names: Sequence[str],
        position: Position,
        numbers: Numbers,
        rounding: Rounding,
    ) -> ToldChange:
        at = dict(zip(names, position, strict=True))
        one = folded(self._changing(with_numbers(formula, at)), self._graph)
        value = float(self.by_name[quantity.name][tuple(place - 1 for place in position)])
        put_in = numbers_put_in(one, numbers, rounding)
        is_exact = put_in is None or rounding.agrees(numbers.of(put_in), value)
        return ToldChange(position, with_numbers(target, at), one, put_in, value, is_exact)

    def _changing(self, node: tree.Node) -> tree.Node:
        """The formula of one entry without what does not change: differentials that are 0 are 0, and of a sum over a
        differential the terms that are left are written out where they are few."""
        if isinstance(node, tree.Differential):
            return tree.Number("0") if self._is_still(node.of) else node
        if isinstance(node, tree.Product):
            factors = [self._changing(factor) for factor in node.factors]
            flat = [part for f in factors for part in (f.factors if isinstance(f, tree.Product) else (f,))]
            return tree.Product(tuple(flat))
        if not isinstance(node, tree.Reduction) or node.operation != "sum" or not _changes(node.body):
            return rebuilt(node, self._changing)
        ranges = [range(1, size + 1) for size in node.sizes]
        if int(np.prod(node.sizes)) > MOST_EXPANDED:
            return node
        kept: list[tree.Node] = []
        for at in positions_of(*ranges):
            term = folded(
                self._changing(with_numbers(node.body, dict(zip(node.indices, at, strict=True)))), self._graph
            )
            if term != tree.Number("0"):
                kept.append(term)
            if len(kept) > MOST_TERMS:
                return node
        return tree.Number("0") if not kept else kept[0] if len(kept) == 1 else tree.Add(tuple(kept))

    def _is_still(self, place: tree.Place) -> bool:
        """Whether the entry does not change; False where its position is not known yet."""
        change = self.by_name.get(place.name)
        if change is None:
            return True
        numbers = [whole_number(position) for position in place.positions]
        found = [number for number in numbers if number is not None]
        if len(found) < len(numbers):
            return False
        inside = all(1 <= number <= size for number, size in zip(found, change.shape, strict=True))
        return not inside or change[tuple(number - 1 for number in found)] == 0


def _changes(node: tree.Node) -> bool:
    return any(isinstance(part, tree.Differential) for part in walk(node))
