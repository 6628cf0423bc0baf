"""A network taken apart into single numbers: entries of quantities and gradients, each with its one-step formula.

A student computes entry by entry, each from entries found before. A :class:`Node` is one such number: an entry of a
quantity by its equation, or ∂J/∂(an entry) as the sum of what arrives along every edge. Of a truncated network the
gradients are the truncated ones, by way of ∂J_s/∂(an entry), those of the cost of every step. The numbers of many
variants are computed at once: a node's value is an array with one number for each variant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache, reduce
from itertools import product as positions_of
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sympy import Add, Expr, Integer, Mul, Number, NumberSymbol, Pow, S

from backprop_cli.errors import BackpropError
from backprop_cli.exercises.by_step import edges_backward, with_copies
from backprop_cli.exercises.elementary import FAST, POWER, Functions, Numbers
from backprop_cli.exercises.ids import read_name
from backprop_cli.symbolic.costs_by_step import values as without_copies
from backprop_cli.symbolic.derivation import Adjoints, derive
from backprop_cli.symbolic.edges import Edge
from backprop_cli.symbolic.expansion import written_out
from backprop_cli.symbolic.formulas import Term
from backprop_cli.symbolic.functions import LibraryFunction
from backprop_cli.symbolic.graph import Graph
from backprop_cli.symbolic.local import put_in
from backprop_cli.symbolic.notation import (
    HOLDS,
    Adjoint,
    Compare,
    Place,
    Where,
    is_by_step,
    places,
    plain_name,
)
from backprop_cli.translation import tr

Values = Mapping[Place, Numbers]  # one number for each variant
REMEMBERED = 4096  # formulas whose places are kept: they are asked for again and again


class Contribution(NamedTuple):
    """What arrives at a gradient along one edge from one entry: ``upstream`` (∂J/∂v there, None from J itself) times
    ``local``, the local derivative."""

    edge: Edge
    upstream: Adjoint | None
    local: Expr

    @property
    def expression(self) -> Expr:
        return self.local if self.upstream is None else self.upstream * self.local

    @property
    def is_share(self) -> bool:
        """Whether it is ∂J_s/∂h_t, the share that the cost of one step has in ∂J/∂h_t."""
        of, by = self.edge.of.name, self.edge.by.name
        return is_by_step(of) and plain_name(of) == by


class Node(NamedTuple):
    """One number: its place with whole positions, its formula in other places, and for a gradient what arrives."""

    place: Place
    formula: Expr
    contributions: tuple[Contribution, ...] = ()

    @property
    def is_gradient(self) -> bool:
        return isinstance(self.place, Adjoint)

    @property
    def uses(self) -> tuple[Place, ...]:
        """The places in the formula, each once."""
        return _used(self.formula)


@lru_cache(maxsize=REMEMBERED)
def _used(formula: Expr) -> tuple[Place, ...]:
    return tuple(dict.fromkeys(places(formula)))


class NotSingleError(BackpropError):
    """Which number an entry is made of depends on other numbers, as where tokens are looked up."""


UPDATED = "new "  # before a parameter's name, the name of its value after one update
PATH = "path "  # before the number of a contribution and the name of a gradient, the name of that contribution


class Nodes:
    """The nodes of one network, made when they are asked for. Where the network is truncated, so are its adjoints, and
    ``graph`` has copies of the quantities that the cost of every step has gradients of.

    ``look_ups`` are the numbers of given quantities that say which numbers of others are used, as tokens do; they are
    put in, so that every node is made of single numbers. ``known`` are quantities whose numbers are given though they
    could be computed: what they are computed from plays no part.

    Besides entries of quantities and gradients there are parameters after one update (:meth:`updated`) and single
    contributions to a gradient (:meth:`path`), under names that no author can give.
    """

    def __init__(
        self,
        graph: Graph,
        adjoints: Adjoints,
        look_ups: Mapping[str, NDArray[np.float64]] = {},
        known: Collection[str] = (),
    ) -> None:
        self.windows, self._whole, self._arrays = graph.windows, replace(graph, windows={}), look_ups
        self.graph, self._adjoints, self.known = with_copies(graph, adjoints), adjoints, frozenset(known)
        self._look_ups: dict[Expr, Expr] = {
            Place(name, *(at + 1 for at in position)): Integer(int(number))
            for name, numbers in look_ups.items()
            for position, number in np.ndenumerate(numbers)
        }
        self._edges: dict[str, list[Edge]] = {}
        for edge in edges_backward(self.graph, adjoints):
            if edge.by.name in adjoints.formulas and self._reaches(edge.of.name):
                self._edges.setdefault(edge.by.name, []).append(edge)
        self._known: dict[Place, Node | None] = {}
        self._equations: dict[Place, Node | None] = {}
        self._before: dict[Place, frozenset[Place]] = {}
        self._truncated: dict[tuple[tuple[str, int], ...], Nodes] = {}

    def _reaches(self, name: str) -> bool:
        formula = self._adjoints.formulas.get(name)
        return name == self.graph.cost or (formula is not None and bool(formula.terms))

    @property
    def differentiated(self) -> tuple[str, ...]:
        """The quantities that have a gradient, in order of computation."""
        return tuple(self._adjoints.formulas)

    def node(self, place: Place) -> Node | None:
        """The node at a place with whole positions; None for a number that is given."""
        if place not in self._known:
            if isinstance(place, Adjoint):
                self._make_gradient(place)
            else:
                self._known[place] = None if place.name in self.known else self._made(place)
        return self._known[place]

    def equation(self, place: Place) -> Node | None:
        """The node at a place, also where its number is :attr:`known`."""
        if place.name not in self.known or isinstance(place, Adjoint):
            return self.node(place)
        if place not in self._equations:
            self._equations[place] = self._made(place)
        return self._equations[place]

    def leaves(self, wanted: Iterable[Place]) -> list[Place]:
        """The given numbers that these places build on, each once."""
        some = list(wanted)
        used = (place for node in self.in_order(some) for place in node.uses)
        return [place for place in dict.fromkeys((*used, *some)) if self.node(place) is None]

    def is_cut_off(self, place: Place) -> bool:
        """Whether truncation, or the order of the steps, leaves nothing of a gradient: it is 0 with any numbers."""
        node = self.node(place) if self._adjoints.apart is not None and isinstance(place, Adjoint) else None
        return node is not None and node.formula is S.Zero

    def entries(self, name: str, is_gradient: bool = False, start: tuple[int, ...] = ()) -> Iterator[Place]:
        """Every entry of a quantity, or of its gradient, whose positions begin with these; the last index fastest."""
        kind = Adjoint if is_gradient else Place
        for position in positions_of(*(range(1, size + 1) for size in self.graph[name].shape[len(start) :])):
            yield kind(name, *map(Integer, (*start, *position)))

    def updated(self, parameter: Place, rate: Expr) -> Place:
        """The place of a parameter's entry after one step against its gradient: ``new W1[1,2]``."""
        place = Place(f"{UPDATED}{parameter.name}", *parameter.positions)
        gradient = Adjoint(parameter.name, *parameter.positions)
        self._known[place] = Node(place, parameter - rate * gradient)
        return place

    def path(self, gradient: Adjoint, number: int) -> Place:
        """The place of what arrives at a gradient's entry along its contribution of this number, from 1."""
        node = self.node(gradient)
        if node is None or not 1 <= number <= len(node.contributions):
            raise ValueError(f"{gradient} has no contribution {number}")
        stem, positions = f"dJ/d{gradient.name}", gradient.positions
        if is_by_step(gradient.name):
            stem, positions = f"dJ[{positions[0]}]/d{plain_name(gradient.name)}", positions[1:]
        place = Place(f"{PATH}{number} of {stem}", *positions)
        only = node.contributions[number - 1]
        self._known[place] = Node(place, only.expression, (only,))
        return place

    def by_paths(self, gradient: Adjoint, paths: Mapping[int, Place]) -> None:
        """Let a gradient's entry add up these places, of :meth:`path`, in place of the contributions they stand for."""
        node = self.node(gradient)
        if node is None:
            raise ValueError(f"{gradient} is given")
        some = tuple(
            Contribution(one.edge, None, paths[number]) if number in paths else one
            for number, one in enumerate(node.contributions, 1)
        )
        arrived = Add(*(one.expression for one in node.contributions))
        formula = node.formula - arrived + Add(*(one.expression for one in some))
        self._known[gradient] = Node(gradient, formula, some)

    def define(self, place: Place, formula: Expr) -> None:
        """Let a place, under a name that no author can give, stand for a formula."""
        self._known[place] = Node(place, formula)

    def truncated(self, windows: Mapping[str, int]) -> Nodes:
        """The nodes of the same network where the cost of each step goes back through so many states of each."""
        key = tuple(windows.items())
        if key not in self._truncated:
            graph = replace(self._whole, windows=windows)
            self._truncated[key] = Nodes(graph, derive(graph), self._arrays, self.known)
        return self._truncated[key]

    def has_gradient(self, name: str) -> bool:
        """Whether there is a gradient of the quantity."""
        return name in self._adjoints.formulas or " " in name

    def place(self, name: str) -> Place:
        """The place with an id as ``name_of`` writes it. Raises KeyError where there is none."""
        try:
            stem, positions, is_gradient = read_name(name)
        except ValueError:
            raise KeyError(name) from None
        place = (Adjoint if is_gradient else Place)(stem, *map(Integer, positions or ()))
        if place not in self._known:
            if stem not in self.graph or len(place.positions) != len(self.graph[stem].shape):
                raise KeyError(name)
            if not _is_inside(place, self.graph) or (is_gradient and stem not in self._adjoints.formulas):
                raise KeyError(name)
        return place

    def in_order(self, wanted: Iterable[Place]) -> list[Node]:
        """The nodes that these places build on, directly or not, and their own, each after those that it uses."""
        found: dict[Place, Node] = {}
        open_: set[Place] = set()
        waiting = list(wanted)[::-1]
        while waiting:
            place = waiting[-1]
            node = None if place in found else self.node(place)
            if node is None:
                waiting.pop()
                continue
            missing = [other for other in node.uses if other not in found and self.node(other) is not None]
            if missing and place not in open_:
                open_.add(place)
                waiting.extend(reversed(missing))
            else:
                waiting.pop()
                found[place] = node
        return list(found.values())

    def before(self, place: Place) -> frozenset[Place]:
        """The places that a place builds on, directly or not, and itself."""
        if place not in self._before:
            self._before[place] = frozenset((*(node.place for node in self.in_order([place])), place))
        return self._before[place]

    def _made(self, place: Place) -> Node | None:
        quantity = self.graph[place.name]
        if quantity.definition is None:
            return None
        numbers = dict(zip(quantity.indices, place.positions, strict=True))
        return Node(place, self._inside(self._written_out(self._plain(quantity.definition.xreplace(numbers)))))

    def _make_gradient(self, gradient: Adjoint) -> None:
        """Make the node of a gradient; of a network taken apart by steps first those of what arrives, as what is cut
        off arrives nowhere. In other networks a path that brings 0 counts: keys name paths by their numbers."""
        arriving: dict[Adjoint, tuple[Contribution, ...]] = {}
        waiting = [gradient]
        while waiting:
            place = waiting[-1]
            if place in self._known:
                waiting.pop()
                continue
            if place not in arriving:
                arriving[place] = tuple(self._contributions(place))
            some = arriving[place]
            if self._adjoints.apart is not None:
                missing = [one.upstream for one in some if one.upstream is not None and one.upstream not in self._known]
                if missing:
                    waiting.extend(missing)
                    continue
                some = tuple(one for one in some if one.upstream is None or not self.is_cut_off(one.upstream))
            seed = self.graph.seeds.get(place.name)
            own = [] if seed is None else [Place(seed, *place.positions)]
            self._known[place] = Node(place, Add(*own, *(one.expression for one in some)), some)

    def _contributions(self, place: Adjoint) -> Iterator[Contribution]:
        numbers = dict(zip(self.graph[place.name].indices, place.positions, strict=True))
        for edge in self._edges.get(place.name, ()):
            yield from self._arriving(edge, numbers)

    def single(self, expression: Expr) -> Expr:
        """An expression without indices in single numbers. Raises NotSingleError where a position is no number."""
        return self._inside(self._written_out(expression))

    def _plain(self, expression: Expr) -> Expr:
        """The expression in the values of the quantities themselves."""
        return expression if self._adjoints.apart is None else without_copies(expression)

    def _written_out(self, expression: Expr) -> Expr:
        written = written_out(expression)
        looked_up = written.xreplace(self._look_ups) if self._look_ups else written
        return written_out(looked_up) if looked_up is not written else written

    def _checked(self, expression: Expr) -> Expr:
        """Raises NotSingleError where a position is no number."""
        for place in places(expression):
            if not all(position.is_Integer for position in place.positions):
                message = tr("exercises ask for single numbers, and which numbers of {name} are used depends on others")
                raise NotSingleError(message.format(name=place.name))
        return expression

    def _arriving(self, edge: Edge, numbers: Mapping[Any, Any]) -> Iterator[Contribution]:
        for term in put_in(edge.derivative, edge.of.name != self.graph.cost):
            for factors in self._single(term, numbers):
                upstream = next((factor for factor in factors if isinstance(factor, Adjoint)), None)
                local = self._inside(self._written_out(Mul(*(f for f in factors if f is not upstream))))
                if local is not S.Zero and (upstream is None or _is_inside(upstream, self.graph)):
                    yield Contribution(edge, upstream, local)

    def _single(self, term: Term, numbers: Mapping[Any, Any]) -> Iterator[tuple[Expr, ...]]:
        """The products that a term adds up, one for all values of its bound indices, without those that are 0."""
        for at in positions_of(*(range(1, size + 1) for _, size in term.sums)):
            rules = {**numbers, **{symbol: Integer(n) for (symbol, _), n in zip(term.sums, at, strict=True)}}
            factors = tuple(self._written_out(self._plain(factor.xreplace(rules))) for factor in term.factors)
            if S.Zero not in factors:
                yield tuple(factor for factor in factors if factor is not S.One) or (S.One,)

    def _inside(self, expression: Expr) -> Expr:
        """The expression with 0 for what lies outside its array."""
        self._checked(expression)
        outside = {place: S.Zero for place in places(expression) if not _is_inside(place, self.graph)}
        return expression.xreplace(outside) if outside else expression

    def values(self, given: Values, wanted: Iterable[Place], functions: Functions = FAST) -> dict[Place, Numbers]:
        """The numbers of these places and all they build on."""
        found = dict(given)
        for node in self.in_order(wanted):
            found[node.place] = evaluated(node.formula, found, functions)
        return found


def given_values(
    graph: Graph, arrays: Mapping[str, NDArray[np.float64]], wanted: Iterable[Place] | None = None
) -> dict[Place, Numbers]:
    """The entries of given quantities, or those that are ``wanted``; each array has one axis more in front, for the
    variants."""
    found: dict[Place, Numbers] = {}
    last = {name: np.moveaxis(np.asarray(array, dtype=np.float64), 0, -1) for name, array in arrays.items()}
    if wanted is not None:
        return {place: last[place.name][tuple(int(at) - 1 for at in place.positions)] for place in wanted}
    for name, array in last.items():
        for position in positions_of(*(range(size) for size in graph[name].shape)):
            place = Place(name, *(Integer(at + 1) for at in position))
            found[place] = array[position]
    return found


def _is_inside(place: Place, graph: Graph) -> bool:
    shape = graph[place.name].shape
    return all(not p.is_Integer or 1 <= p <= size for p, size in zip(place.positions, shape, strict=True))


def evaluated(expression: Expr, values: Values, functions: Functions = FAST) -> Numbers:
    """What an expression without reductions comes to, for every variant. Raises KeyError for a place without value."""
    with np.errstate(all="ignore"):
        return _evaluated(expression, values, functions)


def _evaluated(expression: Expr, values: Values, functions: Functions) -> Numbers:
    if isinstance(expression, Place):
        return values[expression]
    if isinstance(expression, Number | NumberSymbol):
        return np.asarray(float(expression))
    parts = [_evaluated(part, values, functions) for part in expression.args if isinstance(part, Expr)]
    if isinstance(expression, Add):
        return reduce(np.add, parts)
    if isinstance(expression, Mul):
        return reduce(np.multiply, parts)
    if isinstance(expression, Pow):
        return functions[POWER](*parts)
    if isinstance(expression, Compare):
        return np.asarray(HOLDS[expression.operator](*parts), dtype=np.float64)
    if isinstance(expression, Where):
        return np.where(parts[0] != 0, parts[1], parts[2])
    if isinstance(expression, LibraryFunction):
        return _evaluated(expression.definition, values, functions)
    return functions[type(expression).__name__](*parts)
