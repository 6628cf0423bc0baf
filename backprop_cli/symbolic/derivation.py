"""The derivation: from the list of equations to the list of their adjoints, by the one rule.

:func:`derive` visits the quantities from the last to the first. Each adjoint ∂J/∂u is the sum of what its consumers
hand back, written in forward values and in the adjoints of those consumers; this is the two-step recurrence of the
textbooks when the quantities are layers. Its cost grows with the number of equations, not with their sizes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import product as pairs
from typing import NamedTuple

from sympy import Add, Expr, Mul, Number, Pow, S, Symbol

from backprop_cli.symbolic.closed_forms import Definition, in_terms_of_values
from backprop_cli.symbolic.costs_by_step import TakenApart, joined, taken_apart, windowed_loops
from backprop_cli.symbolic.formulas import Formula, Scattered, Term, canonical, fresh, gathered, named, product
from backprop_cli.symbolic.graph import Graph, Loop, Quantity, Role
from backprop_cli.symbolic.notation import Adjoint, Compare, Place, places
from backprop_cli.symbolic.rule import Occurrence, contribution, occurrences, scattered

WITHOUT_GRADIENT = (Role.TARGET, Role.CONSTANT, Role.COST)


class Path(NamedTuple):
    """One way from u to J: the consumer v, the places of u in its equation, each with its derivative in closed form."""

    through: Quantity
    occurrences: tuple[Occurrence, ...]


class Adjoints(NamedTuple):
    """∂J/∂(quantity) for every quantity that has one, in order of computation, and the paths each came by; ``apart``
    where the cost is taken apart by steps."""

    graph: Graph
    formulas: Mapping[str, Formula]
    paths: Mapping[str, tuple[Path, ...]]
    apart: TakenApart | None = None

    @property
    def copied(self) -> frozenset[str]:
        """The quantities whose gradients are sums over those of their copies by step."""
        return frozenset() if self.apart is None else self.apart.copied


def derive(graph: Graph) -> Adjoints:
    """The adjoint of every input, parameter and intermediate quantity of the graph.

    Where the graph has ``windows``, that of the truncated backpropagation: the graph of the result is then the one
    taken apart by the steps of the cost. Raises NoSumOverSteps where the cost is no sum over them.
    """
    return derive_by_step(graph, windowed_loops(graph)) if graph.windows else _derived(graph)


def derive_by_step(graph: Graph, loops: Sequence[Loop], gather: bool = True) -> Adjoints:
    """The same with the cost taken apart by the steps of these loops: ∂J_s/∂h_t for every s, whose sum is ∂J/∂h_t.
    Without ``gather`` the gradients of parameters stay sums over s."""
    apart = taken_apart(graph, loops)
    found = _derived(apart.graph)
    return Adjoints(apart.graph, joined(apart, found.formulas, gather), found.paths, apart)


def _derived(graph: Graph) -> Adjoints:
    consumers = _consumers(graph)
    to_come = _in_living_loops(graph)
    names = frozenset(quantity.name for quantity in graph.quantities)
    formulas: dict[str, Formula] = {}
    paths: dict[str, tuple[Path, ...]] = {}
    for u in reversed(graph.quantities):
        if u.role in WITHOUT_GRADIENT:
            continue
        arrived = tuple(
            Path(v, closed)
            for v in consumers[u.name]
            if (v.name == graph.cost or (formulas[v.name].terms if v.name in formulas else v.name in to_come))
            and (closed := closed_occurrences(v, u.name))
        )
        terms: list[Term] = []
        if u.name in graph.seeds:
            terms.append(Term((), (Place(graph.seeds[u.name], *u.indices),)))
        spread: list[Scattered] = []
        for path in arrived:
            solved, some = _handed_back(path, u, formulas.get(path.through.name), path.through.name == graph.cost)
            terms.extend(solved)
            spread.extend(some)
        taken = names | {symbol.name for symbol in u.indices}

        apart = {id(term) for one in spread for term in one.solved}
        direct = _simple([term for term in terms if id(term) not in apart], taken, graph) if spread else None
        simple = _simple(terms, taken, graph)
        formulas[u.name] = Formula(Adjoint(u.name, *u.indices), u.indices, u.shape, simple, direct, tuple(spread))
        paths[u.name] = arrived
    order = [q.name for q in graph.quantities if q.name in formulas]
    return Adjoints(graph, {name: formulas[name] for name in order}, {name: paths[name] for name in order})


def _simple(terms: Sequence[Term], taken: Collection[str], graph: Graph) -> tuple[Term, ...]:
    return tuple(named(term, taken) for term in gathered(_without_class_sums(terms, graph)))


def _consumers(graph: Graph) -> Mapping[str, list[Quantity]]:
    table: dict[str, list[Quantity]] = defaultdict(list)
    for quantity in graph.quantities:
        if quantity.definition is not None:
            for name in dict.fromkeys(place.name for place in places(quantity.definition)):
                table[name].append(quantity)
    return table


def closed_occurrences(v: Quantity, name: str) -> tuple[Occurrence, ...]:
    """The places of a quantity in v's equation, each derivative written in v's own value where that is simpler."""
    assert v.definition is not None
    definition = canonical(v.definition)
    return tuple(_closed(v, definition, occurrence) for occurrence in occurrences(definition, name))


def _closed(v: Quantity, definition: Expr, occurrence: Occurrence) -> Occurrence:
    alone = [in_terms_of_values(factor, [(v.place, definition)]) for factor in occurrence.chain]
    together = Mul(*alone)
    whole = in_terms_of_values(together, _definitions(v, definition, occurrence))
    chain = product(_in_order(whole, alone)) if whole != together else product(alone)
    return Occurrence(occurrence.place, occurrence.sums, chain)


def _definitions(v: Quantity, definition: Expr, occurrence: Occurrence) -> list[Definition]:
    """``v = E`` at v's own indices, and with each of them replaced by a bound index of the same size: softmax needs
    both exp(z_i) = a_i·S and exp(z_k) = a_k·S."""
    found = [(v.place, definition)]
    for (symbol, size), (bound, count) in pairs(zip(v.indices, v.shape, strict=True), occurrence.sums):
        if size == count:
            rule: dict[Expr, Expr] = {symbol: bound}
            found.append((v.place.xreplace(rule), definition.xreplace(rule)))
    return found


def _in_order(expression: Expr, teaching: list[Expr]) -> list[Expr]:
    """The factors of a product, those that stood in the teaching order first and in that order."""
    factors = list(Mul.make_args(expression))
    rank = {factor: place for place, factor in enumerate(teaching)}
    return sorted(factors, key=lambda factor: (rank.get(factor, -1), bool(factor.is_Add)))


def _in_living_loops(graph: Graph) -> frozenset[str]:
    """The quantities of loops that J depends on: their adjoints need each other before they are derived."""
    reaching = {graph.cost, *graph.seeds}
    for quantity in reversed(graph.quantities):
        loop = graph.loop_of(quantity.name)
        if loop is not None and reaching & set(loop.names):
            reaching.update(loop.names)
        if quantity.name in reaching and quantity.definition is not None:
            reaching.update(place.name for place in places(quantity.definition))
    return frozenset(name for loop in graph.loops for name in loop.names if name in reaching)


def _handed_back(
    path: Path, u: Quantity, upstream: Formula | None, is_cost: bool
) -> tuple[list[Term], list[Scattered]]:
    """What one consumer adds to ∂J/∂u[u's own indices], and what of it a program may scatter."""
    v = path.through
    free = dict(zip(v.indices, v.shape, strict=True))
    terms: list[Term] = []
    spread: list[Scattered] = []
    for occurrence in path.occurrences:
        above = None if is_cost or upstream is None else upstream.constant
        if not is_cost and above is None:
            above = Adjoint(v.name, *v.indices)
        plain = contribution(occurrence, above, free, u.indices, u.shape)
        cancelled = _divisions_cancelled(plain, v, upstream) if upstream and isinstance(above, Adjoint) else None
        terms.extend(cancelled or [plain])
        one = None if cancelled else scattered(occurrence, above, free, [plain])
        spread.extend([one] if one is not None else [])
    return terms, spread


def _divisions_cancelled(term: Term, v: Quantity, upstream: Formula) -> list[Term] | None:
    """The term with ∂J/∂v written out, where ∂J/∂v divides by a computed quantity and the division cancels.

    This keeps cross-entropy finite: ``-y/a`` times ``a`` is ``-y`` even where a has underflowed to 0.
    """
    if not any(_divisors(factor) for part in upstream.terms for factor in part.factors):
        return None
    adjoint = term.factors[0] if isinstance(term.factors[0], Adjoint) else term.factors[1]
    rest = [factor for factor in term.factors if factor is not adjoint]
    result = []
    for part in upstream.at(adjoint.positions):
        for written_out in _apart(part.factors):
            merged = Mul(*written_out, *rest)
            if _divisors(merged):
                return None
            result.append(Term((*term.sums, *part.sums), product(merged.as_ordered_factors())))
    return _expanded(result)


def _apart(factors: Sequence[Expr]) -> list[tuple[Expr, ...]]:
    """A product whose factors are sums of fractions as the list of the products it is the sum of."""
    choices = [Add.make_args(factor) if _divisors(factor) else (factor,) for factor in factors]
    return list(pairs(*choices))


def _divisors(expression: Expr) -> bool:
    """Whether the expression divides by something that holds a place."""
    return any(
        node.exp.could_extract_minus_sign() and node.base.has(Place) and not isinstance(node.base, Number)
        for node in expression.atoms(Pow)
    )


def _expanded(terms: list[Term]) -> list[Term]:
    """``-y(1 - a) + (1 - y)a`` becomes ``a - y``: products without sums are multiplied out where that is shorter."""
    loose = [term for term in terms if not term.sums]
    total = sum((term.expression for term in loose), S.Zero)
    short = total.expand()
    if len(loose) < 2 or short.count_ops() >= total.count_ops():
        return terms
    content, primitive = short.as_content_primitive()
    kept = [term for term in terms if term.sums]
    return [Term((), product((content, primitive))), *kept]


def _without_class_sums(terms: Sequence[Term], graph: Graph) -> list[Term]:
    """The terms with ``Σ_k [k = y + 1]`` worked out for a class number y: it names a class, so the sum is 1."""
    result = []
    for term in terms:
        for bound, size in term.sums:
            concerned = [factor for factor in term.factors if bound in factor.free_symbols]
            if len(concerned) == 1 and _names_a_class(concerned[0], bound, graph):
                sums = tuple(pair for pair in term.sums if pair != (bound, size))
                term = Term(sums, tuple(factor for factor in term.factors if factor is not concerned[0]))
        result.append(term)
    return result


def _names_a_class(factor: Expr, bound: Symbol, graph: Graph) -> bool:
    if not isinstance(factor, Compare) or factor.operator != "==" or bound not in (factor.left, factor.right):
        return False
    other = factor.right if factor.left == bound else factor.left
    found = other.atoms(Place)
    return bool(found) and all(graph[place.name].role is Role.CONSTANT for place in found)


def evaluated_at(formula: Formula, positions: Mapping[Symbol, int]) -> tuple[Term, ...]:
    """The formula for one entry: numbers put in for its indices."""
    rules: dict[Expr, Expr] = {symbol: S(positions[symbol]) for symbol in formula.indices}
    return tuple(fresh(term).replace(rules) for term in formula.terms)
