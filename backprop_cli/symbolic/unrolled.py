"""The backward pass through time, written out: for the cost J_s of every step, its gradient at each earlier state.

The gradients of one step's cost are the general formulas with numbers for the steps, so that unrolling derives nothing
anew. A weight's gradient ∂J_s/∂W is a sum with one term for each state that J_s reaches; what truncation drops is kept,
struck out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sympy import Add, Expr, Integer, S, Symbol

from backprop_cli.errors import BackpropError
from backprop_cli.language import tree
from backprop_cli.symbolic.costs_by_step import NoSumOverSteps, dropped, windowed_loops
from backprop_cli.symbolic.derivation import Adjoints, derive_by_step
from backprop_cli.symbolic.display import COST, term_tree, tree_of
from backprop_cli.symbolic.entries import folded
from backprop_cli.symbolic.formulas import Formula, Term, named, product
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.notation import Adjoint, is_by_step, plain_name
from backprop_cli.symbolic.steps import Form, FormKind, Kind, Rule, Step
from backprop_cli.translation import tr

MOST_STEPS = 20  # of a sequence that is written out: 210 pairs of a cost and a state
NOTHING = tree.Number("0")


class OneCost(NamedTuple):
    """The gradients of the cost of one step: those at the states it reaches, the latest first, then those of the
    parameters. ``step`` is None for the sums over all costs, which come last."""

    step: int | None
    steps: tuple[Step, ...]


def unrolled(graph: Graph) -> tuple[OneCost, ...]:
    """The gradients of each step's cost by itself.

    Raises BackpropError where there is no recurrence, or one too long to be written out, and NoSumOverSteps.
    """
    loops = windowed_loops(graph) or graph.loops
    if not loops:
        raise BackpropError(tr("there is nothing to unroll: no quantity refers to an earlier step of itself"))
    steps = loops[0].steps
    if steps > MOST_STEPS:
        message = tr("--unroll writes out every pair of steps; {steps} steps are more than {most}")
        raise BackpropError(message.format(steps=steps, most=MOST_STEPS))
    try:
        adjoints = derive_by_step(graph, loops, gather=False)
    except NoSumOverSteps as error:
        message = tr("the cost is no sum over the steps, so there is nothing to unroll: {reason}")
        raise BackpropError(message.format(reason=error)) from None
    return tuple(_Unrolled(adjoints, steps).costs())


class Told(NamedTuple):
    """One term of a gradient, and whether truncation keeps it."""

    value: tree.Node
    is_kept: bool


@dataclass
class _Unrolled:
    adjoints: Adjoints
    count: int

    def __post_init__(self) -> None:
        self.graph = self.adjoints.graph
        self.names = frozenset(quantity.name for quantity in self.graph.quantities)
        self.axes = {
            name: axis for loop in self.graph.loops for name, axis in loop.axes.items() if is_by_step(name)
        }  # where the copy of each quantity of the loops has its own step, the cost's being first
        self.parameters = [
            quantity
            for quantity in self.graph.with_role(Role.PARAMETER)
            if any(map(self._through, self.adjoints.formulas[quantity.name].terms))
        ]
        self.zero: set[tuple[str, int, int]] = set()  # (quantity, cost, step): the gradients that are 0
        self.dropped: set[tuple[str, int, int]] = set()  # and those that truncation makes 0

    def costs(self) -> Iterator[OneCost]:
        found = []
        for cost in range(1, self.count + 1):
            times = range(self.count, 0, -1)
            names = list(reversed(self.axes))
            states = [step for time in times for name in names for step in self._state(self.graph[name], cost, time)]
            if states:
                found.append(cost)
                yield OneCost(cost, (*states, *(self._parameter(quantity, cost) for quantity in self.parameters)))
        yield OneCost(None, tuple(self._total(quantity, found) for quantity in self.parameters))

    def _state(self, quantity: Quantity, cost: int, time: int) -> Iterator[Step]:
        """∂J_cost/∂(the quantity at a step), where J_cost depends on it."""
        numbers = {quantity.indices[0]: cost, quantity.indices[self.axes[quantity.name]]: time}
        formula = self.adjoints.formulas[quantity.name]
        terms: list[Told] = []
        for term in formula.terms:
            terms.extend(self._told(term, numbers, formula))
            left_out = dropped(term)
            terms.extend(one._replace(is_kept=False) for one in self._told(left_out, numbers, formula))
        where = (quantity.name, cost, time)
        if not terms:
            self.zero.add(where)
            return
        if not any(one.is_kept for one in terms):
            self.dropped.add(where)
        target = tree_of(Adjoint(quantity.name, *quantity.indices).xreplace(_as_rules(numbers)))
        name = f"dJ[{cost}]/d{plain_name(quantity.name)}[{time}]"
        yield self._step(quantity, name, Kind.QUANTITY_GRADIENT, target, terms)

    def _parameter(self, quantity: Quantity, cost: int) -> Step:
        """∂J_cost/∂(a parameter): one term for each state on the way back."""
        formula = self.adjoints.formulas[quantity.name]
        terms: list[Told] = []
        for time in range(self.count, 0, -1):
            for term in formula.terms:
                through = self._through(term)
                if through is not None:
                    date, step = through
                    one = Term(tuple(pair for pair in term.sums if pair[0] not in through), term.factors)
                    terms.extend(self._told(one, {date: cost, step: time}, formula))
        target = tree.Partial(_cost_of(cost), _own_place(quantity))
        return self._step(quantity, f"dJ[{cost}]/d{quantity.name}", Kind.PARAMETER_GRADIENT, target, terms)

    def _total(self, quantity: Quantity, costs: Sequence[int]) -> Step:
        place = _own_place(quantity)
        terms = [Told(tree.Partial(_cost_of(cost), place), True) for cost in costs]
        target = tree_of(Adjoint(quantity.name, *quantity.indices))
        return self._step(quantity, f"dJ[:]/d{quantity.name}", Kind.PARAMETER_GRADIENT, target, terms)

    def _through(self, term: Term) -> tuple[Symbol, Symbol] | None:
        """The indices of the cost and of the state in a term of a gradient that comes through a state."""
        for factor in term.factors:
            if isinstance(factor, Adjoint) and factor.name in self.axes:
                date, step = factor.positions[0], factor.positions[self.axes[factor.name]]
                if {date, step} <= term.bound:
                    return date, step
        return None

    def _told(self, term: Term | None, numbers: Mapping[Symbol, int], formula: Formula) -> Iterator[Told]:
        """The term with numbers for steps, unless it is 0; kept, unless it is 0 for what has been dropped before it."""
        if term is None:
            return
        for part in self._apart(term.replace(_as_rules(numbers))):
            alive = self._without(part, self.zero)
            value = self._as_tree(alive, formula)
            if value != NOTHING:
                yield Told(value, self._as_tree(self._without(alive, self.dropped), formula) != NOTHING)

    def _apart(self, term: Term) -> list[Term]:
        """The term, with a sum of several gradients as one term for each of them."""
        for place, factor in enumerate(term.factors):
            if isinstance(factor, Add) and any(adjoint.name in self.axes for adjoint in factor.atoms(Adjoint)):
                before, after = term.factors[:place], term.factors[place + 1 :]
                parts = (Term(term.sums, product((*before, part, *after))) for part in factor.args)
                return [one for part in parts for one in self._apart(part)]
        return [term]

    def _without(self, term: Term, gone: Collection[tuple[str, int, int]]) -> Term:
        """The term with 0 for these gradients."""
        rules: dict[Expr, Expr] = {
            adjoint: S.Zero
            for factor in term.factors
            for adjoint in factor.atoms(Adjoint)
            if adjoint.name in self.axes
            and (adjoint.name, adjoint.positions[0], adjoint.positions[self.axes[adjoint.name]]) in gone
        }
        return term.replace(rules)

    def _as_tree(self, term: Term, formula: Formula) -> tree.Node:
        if S.Zero in term.factors:
            return NOTHING
        taken = self.names | {symbol.name for symbol in formula.indices}
        return folded(term_tree(named(term, taken)), self.graph)

    def _step(self, quantity: Quantity, name: str, kind: Kind, target: tree.Node, terms: Sequence[Told]) -> Step:
        """``terms`` are the whole gradient, and what is not kept of it struck out."""
        kept = Form(FormKind.RESULT, _sum([one.value for one in terms if one.is_kept]))
        shown = _sum([one.value if one.is_kept else tree.Struck(one.value) for one in terms])
        forms = (kept,) if shown == kept.value else (Form(FormKind.TRUNCATED, shown), kept)
        place = len(forms) - 1
        of = name.replace("[:]", "")
        return Step(name, quantity.layer, kind, of, Rule.SUM_OVER_STEPS, target, (), (), forms, place)


def _cost_of(step: int) -> tree.Place:
    return tree.Place(COST, (tree.Number(str(step)),))


def _as_rules(numbers: Mapping[Symbol, int]) -> dict[Expr, Expr]:
    return {symbol: Integer(number) for symbol, number in numbers.items()}


def _own_place(quantity: Quantity) -> tree.Place:
    return tree.Place(quantity.name, tuple(tree.Place(symbol.name) for symbol in quantity.indices))


def _sum(terms: Sequence[tree.Node]) -> tree.Node:
    flat = [part for term in terms for part in (term.terms if isinstance(term, tree.Add) else (term,))]
    return NOTHING if not flat else flat[0] if len(flat) == 1 else tree.Add(tuple(flat))
