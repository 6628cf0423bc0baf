"""A cost that is a sum over steps, J = Σ_s J_s, taken apart: the same network with every J_s propagated back by itself.

Truncated backpropagation through time stops each J_s at states that are k steps older, so that one ∂J/∂h_t for all of
them does not do: ∂J_s/∂h_t is needed for every s (Williams and Peng, 1990). :func:`taken_apart` writes the network so
that the ordinary derivation finds these. A quantity through which J_s reaches another step gets a copy of its own for
every s, h@[s,t,i], that has the same value for all s; where a copy reads a state that is too old for J_s, the state
stands as it is without passing a derivative on (:class:`Truncated`). :func:`values` puts the quantities themselves back
in place of their copies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sympy import Add, Expr, Integer, Mul, Symbol

from backprop_cli.symbolic.formulas import Formula, Scattered, Term
from backprop_cli.symbolic.graph import Graph, Loop, Quantity
from backprop_cli.symbolic.notation import (
    Adjoint,
    Compare,
    Place,
    Reduce,
    Truncated,
    Window,
    by_step,
    index,
    is_by_step,
    places,
    plain_name,
    without_step,
)
from backprop_cli.translation import tr

DATES = ("s", "r", "u", "v", "p", "q")


class NoSumOverSteps(ValueError):
    """The cost is no sum over the steps of a loop; the message says why."""


@dataclass(frozen=True)
class TakenApart:
    """The network with copies by step, of the quantities ``copied``; ``step`` is the index s of J_s and the first index
    of every copy. ``at`` is the step that each quantity belongs to, one of its indices or a number; ``windows`` say for
    each state, and for what holds it before the first step, whether it is recent enough for J_s."""

    graph: Graph
    step: Symbol
    copied: frozenset[str]
    at: Mapping[str, Expr]
    windows: Mapping[str, Window]


def windowed_loops(graph: Graph) -> tuple[Loop, ...]:
    """The loops with a state that is propagated back through a limited number of steps."""
    return tuple(loop for loop in graph.loops if not graph.windows.keys().isdisjoint(loop.names))


def taken_apart(graph: Graph, loops: Sequence[Loop]) -> TakenApart:
    """The network in which J is the sum of what it is at each step of these loops.

    ``graph.windows`` says for states how many steps each J_s is propagated back through them. Raises NoSumOverSteps.
    """
    return _Apart(graph, loops).result()


@dataclass
class _Apart:
    graph: Graph
    loops: Sequence[Loop]
    at: dict[str, Expr | None] = field(default_factory=dict)  # by quantity: the step it belongs to, None: to all
    copied: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        used = {symbol.name for quantity in self.graph.quantities for symbol in quantity.indices}
        used |= {
            node.bound.name
            for q in self.graph.quantities
            if q.definition is not None
            for node in q.definition.atoms(Reduce)
        }
        names = (*DATES, *(f"s_{number}" for number in range(1, len(used) + 2)))
        self.step = index(next(name for name in names if name not in used | {q.name for q in self.graph.quantities}))
        self.steps = self.loops[0].steps
        self.windows = dict(self.graph.windows)
        for loop in self.loops:
            for state, initial in loop.initial.items():
                if state in self.windows:
                    self.windows[initial] = self.windows[state]
        self.initial = {name for loop in self.graph.loops for name in loop.initial.values()}

    def result(self) -> TakenApart:
        if self.graph.cost is None:
            raise NoSumOverSteps(tr("there is none, only the derivative 'grad_output'"))
        self._find_steps()
        self._find_copied()
        quantities: list[Quantity] = []
        for quantity in self.graph.quantities:
            if quantity.name in self.copied:
                quantities.extend((quantity, self._copy(quantity)))
            elif quantity.name in self.at:
                quantities.append(self._with_copies(quantity))
            else:
                quantities.append(quantity)
        loops = [
            Loop({by_step(name): axis + 1 for name, axis in loop.axes.items()}, loop.steps)
            for loop in self.graph.loops
            if loop.names[0] in self.copied
        ]
        graph = replace(self.graph, quantities=tuple(quantities), loops=(*self.graph.loops, *loops))
        at = {name: step for name, step in self.at.items() if step is not None}
        windows = {name: Window(">", at.get(name, 0), self.step - size) for name, size in self.windows.items()}
        return TakenApart(graph, self.step, frozenset(self.copied), at, windows)

    def _find_steps(self) -> None:
        """Which quantities depend on the loops, and the step that each entry of them belongs to."""
        for quantity in self.graph.quantities:
            loop = self.graph.loop_of(quantity.name)
            if loop is not None:
                if quantity.name == loop.names[0] and (loop in self.loops or self._reads(loop)):
                    if loop.steps != self.steps:
                        message = tr("there are loops of {number} and of {other} steps")
                        raise NoSumOverSteps(message.format(number=self.steps, other=loop.steps))
                    self.at.update({name: self.graph[name].indices[axis] for name, axis in loop.axes.items()})
            elif quantity.definition is not None and self._moving(quantity.definition):
                self.at[quantity.name] = self._step_of(quantity)

    def _reads(self, loop: Loop) -> bool:
        definitions = (self.graph[name].definition for name in loop.names)
        return any(self._moving(definition) for definition in definitions if definition is not None)

    def _moving(self, expression: Expr) -> list[Place]:
        """The places of quantities that depend on the loops."""
        return [place for place in places(expression) if place.name in self.at]

    def _read_at(self, place: Place) -> Expr | None:
        """The step that a place reads, None where what it reads belongs to all steps."""
        step = self.at[place.name]
        indices = self.graph[place.name].indices
        return place.positions[indices.index(step)] if step in indices else step

    def _step_of(self, quantity: Quantity) -> Expr | None:
        assert quantity.definition is not None
        read = {self._read_at(place) for place in self._moving(quantity.definition)}
        own = [step for step in read if step in quantity.indices] or self._shifted(quantity, read)
        if len(own) > 1:
            raise NoSumOverSteps(tr("'{name}' compares steps with each other").format(name=quantity.name))
        if own:
            return own[0]
        fixed = [step for step in read if isinstance(step, Integer)]
        if quantity.name != self.graph.cost and len(read) == len(fixed) == 1:
            return fixed[0]
        self._additive(quantity.definition, quantity.name)
        return None

    def _shifted(self, quantity: Quantity, read: Collection[Expr | None]) -> list[Symbol]:
        """The indices of a quantity that has as many entries as there are steps, where it reads others than its own:
        t for ``d[t] = h[t-1]``."""
        sizes = dict(zip(quantity.indices, quantity.shape, strict=True))
        shifted = {step.as_coeff_Add()[1] for step in read if step is not None}
        return [symbol for symbol in quantity.indices if symbol in shifted and sizes[symbol] == self.steps]

    def _additive(self, expression: Expr, name: str) -> Expr:
        """A part of the cost that is a sum over steps, each of its terms with the copies of its own step."""
        found = self._moving(expression)
        if not found:
            return expression
        if isinstance(expression, Add):
            return Add(*(self._additive(term, name) for term in expression.args))
        if isinstance(expression, Mul):
            moving = [factor for factor in expression.args if self._moving(factor)]
            if len(moving) == 1:
                rest = [factor for factor in expression.args if factor is not moving[0]]
                return Mul(*rest, self._additive(moving[0], name))
        if isinstance(expression, Place) and self.at.get(expression.name, self.step) is None:
            return expression
        read = {self._read_at(place) for place in found}
        if isinstance(expression, Reduce) and expression.operation == "sum" and read != {expression.bound}:
            body = self._additive(expression.body, name) if expression.bound not in read else None
            if body is not None:
                return Reduce("sum", body, expression.bound, expression.size)
        elif isinstance(expression, Reduce) and expression.operation == "sum":
            return Reduce("sum", self._at_step(expression.body, expression.bound), expression.bound, expression.size)
        step = next(iter(read))
        if len(read) == 1 and isinstance(step, Integer):
            return self._at_step(expression, step)
        raise NoSumOverSteps(tr("'{name}' is no sum of one term per step").format(name=name))

    def _find_copied(self) -> None:
        """A quantity needs copies where it is read at another step than the one that the reader belongs to."""
        for quantity in reversed(self.graph.quantities):
            if quantity.name not in self.at:
                continue
            loop = self.graph.loop_of(quantity.name)
            if loop is not None or any(self._needs_copy(quantity.name, reader) for reader in self._readers(quantity)):
                if self.at[quantity.name] is None:
                    message = tr("'{name}' gathers all steps and is used at single ones")
                    raise NoSumOverSteps(message.format(name=quantity.name))
                self.copied.add(quantity.name)

    def _readers(self, quantity: Quantity) -> Iterator[Quantity]:
        for reader in self.graph.quantities:
            if reader.definition is not None and any(p.name == quantity.name for p in places(reader.definition)):
                yield reader

    def _needs_copy(self, name: str, reader: Quantity) -> bool:
        assert reader.definition is not None
        if reader.name in self.copied:
            return True
        step = self.at[reader.name]
        if step is None:
            return False
        return any(self._read_at(place) != step for place in places(reader.definition) if place.name == name)

    def _copy(self, quantity: Quantity) -> Quantity:
        return replace(
            quantity,
            name=by_step(quantity.name),
            indices=(self.step, *quantity.indices),
            shape=(self.steps, *quantity.shape),
            definition=self._at_step(quantity.definition, self.step),
            depends_on_sample=False,
        )

    def _with_copies(self, quantity: Quantity) -> Quantity:
        assert quantity.definition is not None
        step = self.at[quantity.name]
        if step is None:
            return replace(quantity, definition=self._additive(quantity.definition, quantity.name))
        return replace(quantity, definition=self._at_step(quantity.definition, step))

    def _at_step(self, expression: Expr, step: Expr) -> Expr:
        """The expression as J of this step sees it."""
        rules: dict[Expr, Expr] = {}
        for place in set(places(expression)):
            if place.name in self.copied:
                copy = Place(by_step(place.name), step, *place.positions)
                rules[place] = self._windowed(copy, place.name, self._read_at(place), step)
            elif place.name in self.initial:
                rules[place] = self._windowed(place, place.name, Integer(0), step)
        return expression.xreplace(rules)

    def _windowed(self, copy: Place, name: str, read: Expr | None, step: Expr) -> Expr:
        """The copy, which passes a derivative on only if the state it stands for is recent enough."""
        window = self.windows.get(name)
        if window is None or read is None:
            return copy
        age = (step - read).expand()
        if age.is_Integer:
            return copy if age < window else Truncated(copy, Integer(0))
        return Truncated(copy, Window(">", read, step - window))


def joined(apart: TakenApart, formulas: Mapping[str, Formula], gather: bool) -> dict[str, Formula]:
    """The adjoints of a network taken apart, in the values of the quantities themselves, with those of the copied
    quantities as the sums over all J_s; ``gather`` puts these sums into the other formulas."""
    result: dict[str, Formula] = {}
    for name, formula in formulas.items():
        formula = _with_values(formula)
        if name in apart.copied:
            copy = apart.graph[by_step(name)]
            all_steps = Term(((apart.step, copy.shape[0]),), (Adjoint(copy.name, *copy.indices),))
            terms = (all_steps,) if formulas[copy.name].terms else ()
            formula = replace(formula, terms=terms, direct=None, scattered=())
        elif gather:
            formula = replace(formula, terms=tuple(map(_gathered, formula.terms)))
        result[name] = formula
    return result


def _with_values(formula: Formula) -> Formula:
    def term(one: Term) -> Term:
        return Term(one.sums, tuple(values(factor) for factor in one.factors))

    return replace(
        formula,
        terms=tuple(map(term, formula.terms)),
        direct=None if formula.direct is None else tuple(map(term, formula.direct)),
        scattered=tuple(
            Scattered(term(one.term), one.positions, tuple(map(term, one.solved))) for one in formula.scattered
        ),
    )


def _gathered(term: Term) -> Term:
    """``Σ_s Σ_t ∂J_s/∂h_t · x_t`` as ``Σ_t ∂J/∂h_t · x_t``."""
    for place, factor in enumerate(term.factors):
        if not isinstance(factor, Adjoint) or not is_by_step(factor.name):
            continue
        step = factor.positions[0]
        others = (*term.factors[:place], *factor.positions[1:], *term.factors[place + 1 :])
        if step in term.bound and all(step not in other.free_symbols for other in others):
            whole = Adjoint(plain_name(factor.name), *factor.positions[1:])
            sums = tuple(pair for pair in term.sums if pair[0] != step)
            return Term(sums, (*term.factors[:place], whole, *term.factors[place + 1 :]))
    return term


def dropped(term: Term) -> Term | None:
    """What a term leaves out because it is too old; None where it has no window."""
    if not any(isinstance(factor, Window) for factor in term.factors):
        return None
    factors = (Compare("<=", f.left, f.right) if isinstance(f, Window) else f for f in term.factors)
    return Term(term.sums, tuple(factors))


def values(expression: Expr) -> Expr:
    """The expression with the quantities themselves in place of their copies, which have the same values."""
    rules: dict[Expr, Expr] = {node: node.value for node in expression.atoms(Truncated)}
    expression = expression.xreplace(rules)
    copies = [p for p in set(places(expression)) if is_by_step(p.name) and not isinstance(p, Adjoint)]
    return expression.xreplace({copy: without_step(copy) for copy in copies})
