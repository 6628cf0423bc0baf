"""From a graph and its adjoints to scheduled programs: one for the gradients alone, one for everything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sympy import Add

from backprop_cli.numeric.carried import Carried, without_unread
from backprop_cli.numeric.definitions import fresh_bounds
from backprop_cli.numeric.loops import Member, Summed
from backprop_cli.numeric.lowering import Lowering
from backprop_cli.numeric.operations import SOURCES, VIEWS, Operation, Table, Value
from backprop_cli.numeric.schedule import Schedule, schedule
from backprop_cli.numeric.stable import Stable
from backprop_cli.numeric.stepwise import lower_loop
from backprop_cli.symbolic.derivation import Adjoints
from backprop_cli.symbolic.formulas import Formula, Term, canonical
from backprop_cli.symbolic.graph import Graph, Loop, Quantity, Role
from backprop_cli.symbolic.notation import BY_STEP, Adjoint, Place, Reduce


class Wanted(NamedTuple):
    """A result of a program: a quantity's value, or its adjoint."""

    name: str
    adjoint: bool = False

    @property
    def label(self) -> str:
        return f"dJ/d{self.name}" if self.adjoint else self.name

    @property
    def identifier(self) -> str:
        return identifier(self.name, self.adjoint)


def identifier(name: str, adjoint: bool) -> str:
    """What the program calls a quantity's value or its adjoint; ``dh_by_step`` holds ∂J_s/∂h for every s."""
    plain = name.replace(BY_STEP, "_by_step")
    return f"d{plain}" if adjoint else plain


def gradients_wanted(graph: Graph) -> tuple[Wanted, ...]:
    """J, then dJ/d(every parameter), then dJ/d(every input)."""
    cost = () if graph.cost is None else (Wanted(graph.cost),)
    given = (*graph.with_role(Role.PARAMETER), *graph.with_role(Role.INPUT))
    return (*cost, *(Wanted(quantity.name, adjoint=True) for quantity in given))


def everything_wanted(graph: Graph, adjoints: Adjoints) -> tuple[Wanted, ...]:
    """Every computed quantity, then every adjoint of the graph's quantities, in order of computation."""
    computed = (Wanted(quantity.name) for quantity in graph.quantities if not quantity.is_given)
    return (*computed, *(Wanted(name, adjoint=True) for name in adjoints.formulas if name in graph))


def scheduled(graph: Graph, derived: Adjoints, wanted: Iterable[Wanted]) -> Schedule:
    """The program for these results, which share no memory with each other or with the arguments.

    ``graph`` is the network to be computed; ``derived`` may be of the same network taken apart by steps.
    """
    results = tuple(wanted)
    adjoints = derived.formulas
    lowering = Lowering(Table(), _whole_numbers(graph))
    stable = Stable(graph)
    quantities = _with_losses_put_in(graph, {result.name for result in results if not result.adjoint})
    for quantity in quantities:
        loop = graph.loop_of(quantity.name)
        if quantity.definition is None:
            lowering.give(quantity.place, quantity.shape)
        elif loop is None:
            definition = stable.expression(canonical(quantity.definition))
            lowering.define(quantity.place, quantity.shape, [({}, (definition,))])
        elif quantity.name == loop.names[0]:
            lower_loop(lowering, _forward_members(graph, loop, quantities, adjoints, stable, results), backwards=False)
    carried = Carried()
    products = _products(derived, stable, carried)
    for formula in reversed(list(adjoints.values())):  # each after those it uses
        loop = _loop_of_adjoints(derived, formula.target.name)
        if loop is None:
            spread = stable.scattered(formula, adjoints)
            lowering.define(formula.target, formula.shape, products.sums[formula.target.name], spread)
        elif formula.target.name == loop.names[-1]:
            lower_loop(lowering, _backward_members(loop, adjoints, products, results), backwards=True)
    outputs = _apart(lowering.table, [lowering.whole(result.name, result.adjoint) for result in results])
    names: dict[Value, str] = {}
    for result in _by_interest(derived):
        if not lowering.knows(result.name, result.adjoint):
            continue
        value = lowering.value_of(result.name, result.adjoint)
        value = None if value is None else lowering.table.filled(value)
        if value is not None and _is_computed(lowering.table[value]):
            names.setdefault(value, result.identifier)
    for value, result in zip(outputs, results, strict=True):
        names.setdefault(value, result.identifier)
    for name in carried.names:
        found = lowering.value_of(name, True)
        if found is not None:
            names.setdefault(lowering.table.filled(found), Wanted(name, adjoint=True).identifier)
    arguments = {q.name: lowering.argument(q.name) for q in graph.quantities if q.is_given}
    return schedule(lowering.table, arguments, names, outputs, [result.identifier for result in results])


def _whole_numbers(graph: Graph) -> dict[str, range]:
    """The values that class numbers, tokens and the results of argmin and argmax may have."""
    found = {q.name: q.whole for q in graph.quantities if q.whole is not None}
    for quantity in graph.quantities:
        definition = quantity.definition
        if isinstance(definition, Reduce) and definition.operation.startswith("arg"):
            found[quantity.name] = range(1, definition.size + 1)
    return found


def _forward_members(
    graph: Graph,
    loop: Loop,
    quantities: Sequence[Quantity],
    adjoints: Mapping[str, Formula],
    stable: Stable,
    results: Sequence[Wanted],
) -> list[Member]:
    """The quantities of a loop, in order of computation."""
    outside = {place.name for formula in adjoints.values() for term in _all_terms(formula) for place in _values(term)}
    for quantity in quantities:
        if quantity.definition is not None and quantity.name not in loop.axes:
            outside |= {place.name for place in quantity.definition.atoms(Place)}
    outside |= {result.name for result in results if not result.adjoint}
    members = []
    for name in loop.names:
        quantity = graph[name]
        definition = stable.expression(canonical(quantity.definition))
        given: list[Summed] = [({}, (term,)) for term in Add.make_args(definition)]
        members.append(Member(quantity.place, quantity.shape, loop.axes[name], given, name in outside))
    return members


class _Products(NamedTuple):
    """The sums of products that adjoints are: of those outside loops by name, of those in a loop as its members."""

    sums: Mapping[str, Sequence[Summed]]
    loops: Mapping[tuple[str, ...], Sequence[Member]]


def _products(derived: Adjoints, stable: Stable, carried: Carried) -> _Products:
    sums: dict[str, Sequence[Summed]] = {}
    loops: dict[tuple[str, ...], Sequence[Member]] = {}
    adjoints = derived.formulas
    for formula in reversed(list(adjoints.values())):  # what reads a loop's adjoints comes behind the loop
        name = formula.target.name
        loop = _loop_of_adjoints(derived, name)
        if loop is None:
            sums[name] = carried.put_in(stable.terms(formula, adjoints))
        elif name == loop.names[-1]:
            members = []
            for own in reversed(loop.names):
                if own in adjoints:
                    given = carried.put_in(_solved(adjoints[own], adjoints, stable))
                    members.append(Member(adjoints[own].target, adjoints[own].shape, loop.axes[own], given))
            loops[loop.names] = carried.members(members)
    return _Products(sums, loops)


def _solved(formula: Formula, adjoints: Mapping[str, Formula], stable: Stable) -> list[Summed]:
    """An adjoint in a loop, as sums of products that hold for each of its entries."""
    given: list[Summed] = list(stable.terms(formula, adjoints))
    return given + [product for _, _, solved in stable.scattered(formula, adjoints) for product in solved]


def _backward_members(
    loop: Loop, adjoints: Mapping[str, Formula], products: _Products, results: Sequence[Wanted]
) -> list[Member]:
    """The adjoints of a loop's quantities, the last quantity's first, and the products of them that it carries on."""
    outside = {result.name for result in results if result.adjoint}
    given = [each for name, found in products.sums.items() for each in found]
    given += [each for names, found in products.loops.items() if names != loop.names for m in found for each in m.given]
    outside |= {place.name for _, factors in given for factor in factors for place in factor.atoms(Adjoint)}
    for name, formula in adjoints.items():
        if name not in loop.axes:
            outside |= {place.name for one in formula.scattered for place in _adjoints(one.term)}
    members = [m._replace(is_stored=m.place.name in outside) for m in products.loops[loop.names]]
    return without_unread(members)


def _all_terms(formula: Formula) -> Sequence[Term]:
    return (*formula.terms, *(one.term for one in formula.scattered))


def _values(term: Term) -> set[Place]:
    return {p for factor in term.factors for p in factor.atoms(Place) if not isinstance(p, Adjoint)}


def _adjoints(term: Term) -> set[Place]:
    return {p for factor in term.factors for p in factor.atoms(Adjoint)}


def _is_computed(operation: Operation) -> bool:
    return not operation.constant and operation.kind not in VIEWS | SOURCES


def _by_interest(derived: Adjoints) -> Iterable[Wanted]:
    """Quantities in the order in which they name a value that several of them are: dz1 rather than db1."""
    graph = derived.graph
    yield from (Wanted(quantity.name) for quantity in graph.quantities)
    yield from (Wanted(name, adjoint=True) for name in derived.formulas if not graph[name].is_given)
    yield from (Wanted(name, adjoint=True) for name in derived.formulas if graph[name].is_given)


def _loop_of_adjoints(derived: Adjoints, name: str) -> Loop | None:
    """The loop of the quantity, if the adjoints of its quantities need each other at other steps."""
    loop = derived.graph.loop_of(name)
    if loop is None:
        return None
    formulas = [derived.formulas[member] for member in loop.names if member in derived.formulas]
    used = {place.name for formula in formulas for term in _all_terms(formula) for place in _adjoints(term)}
    return loop if used & set(loop.names) else None


def _with_losses_put_in(graph: Graph, wanted: set[str]) -> list[Quantity]:
    """The quantities, with the losses of single samples put into J: then J is one sum over everything."""
    losses = {q.name: q for q in graph.with_role(Role.LOSS) if q.name not in wanted and q.definition is not None}
    result = []
    for quantity in graph.quantities:
        definition = quantity.definition
        if losses and definition is not None and quantity.name == graph.cost:
            definition = canonical(definition)
            places = [place for place in definition.atoms(Place) if place.name in losses]
            rules = {place: _at(losses[place.name], place) for place in places if not isinstance(place, Adjoint)}
            definition = definition.xreplace(rules)
            quantity = Quantity(quantity.name, quantity.indices, quantity.shape, quantity.role, definition)
        result.append(quantity)
    return result


def _at(quantity: Quantity, place: Place) -> object:
    rules = dict(zip(quantity.indices, place.positions, strict=True))
    return fresh_bounds(quantity.definition).xreplace(rules)


def _apart(table: Table, values: list[Value]) -> list[Value]:
    """The values, with copies of those that share memory with an argument, a constant or an earlier one."""
    seen: set[Value] = set()
    result = []
    for value in values:
        owner = value
        while table[owner].kind in VIEWS or table[owner].kind == "broadcast":
            owner = table[owner].operands[0]
        kept = table[owner].kind in SOURCES or table[owner].constant
        lent = kept or owner in seen or table[value].kind == "broadcast"
        seen.add(owner)
        result.append(table.copy(value) if lent and table[value].kind != "number" else value)
    return result
