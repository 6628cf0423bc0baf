"""What formulas come to in the numbers of one run.

The trees of a derivation are evaluated as they are printed, entry by entry, so that what a page says equals what it was
computed from; the compiled program is not asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product as positions_of

import numpy as np
from numpy.typing import NDArray

from backprop_cli.language import tree
from backprop_cli.language.grammar import parse_expression
from backprop_cli.library.functions import FUNCTIONS
from backprop_cli.symbolic.notation import HOLDS, by_step, is_by_step
from backprop_cli.symbolic.steps import Derivation, FormKind, Kind

At = Mapping[str, float]
Array = NDArray[np.float64]


class NoNumber(ValueError):
    """A formula holds a symbol that has no number in the run: a local derivative, or the cost of one step."""


class Numbers:
    """The numbers of one run: ``values`` of every quantity, ``gradients`` of J and ``changes`` of quantities, by name;
    gradients of the cost of every step by the names of copies.

    What the run does not report (the loss of one sample, probabilities named by the tool) is computed from its formula
    in the derivation.
    """

    def __init__(
        self,
        derivation: Derivation,
        values: Mapping[str, Array],
        gradients: Mapping[str, Array],
        changes: Mapping[str, Array] | None = None,
    ) -> None:
        self._derivation = derivation
        self._changes = {} if changes is None else changes
        self._values = {name: np.asarray(value) for name, value in values.items()}
        self._gradients = {name: np.asarray(value) for name, value in gradients.items()}
        self._slopes = {
            (form.value.function, step.id.partition("/d")[2]): step
            for step in derivation.steps
            if step.kind is Kind.LOCAL_DERIVATIVE
            for form in step.forms
            if form.kind is FormKind.SLOPE and isinstance(form.value, tree.Prime)
        }

    @property
    def has_steps(self) -> bool:
        """Whether the gradients of the cost of every step are among the numbers."""
        return any(map(is_by_step, self._gradients))

    def of(self, node: tree.Node, at: At | None = None) -> float:
        """The number that a formula comes to; ``at`` are the numbers of its free indices. Raises NoNumber."""
        with np.errstate(all="ignore"):
            return float(self._number(node, at or {}))

    def has(self, node: tree.Node) -> bool:
        """Whether a formula without free indices comes to a number."""
        try:
            self.of(node)
        except NoNumber:
            return False
        return True

    def _number(self, node: tree.Node, at: At) -> float:
        match node:
            case tree.Number(text):
                return math.pi if text == "π" else float(text)
            case tree.Place(name, ()) if name in at:
                return at[name]
            case tree.Place(name, positions):
                return self._entry(name, False, positions, at)
            case tree.Partial(of, by) if of == tree.Place(self._derivation.graph.cost or "J"):
                return self._entry(by.name, True, by.positions, at)
            case tree.Partial(of, by) if of.name == self._derivation.graph.cost and self.has_steps:
                return self._entry(by_step(by.name), True, (*of.positions, *by.positions), at)
            case tree.Differential(place):
                return self._change(place, at)
            case tree.Prime(function, tree.Place() as argument):
                return self._slope(function, argument, at)
            case tree.Apply(function, arguments):
                return self._applied(function, arguments, at)
            case tree.Reduction():
                return self._reduced(node, at)
            case tree.Negative(operand):
                return -self._number(operand, at)
            case tree.Add(terms):
                return math.fsum(self._number(term, at) for term in terms)
            case tree.Product(factors):
                return math.prod(self._number(factor, at) for factor in factors)
            case tree.Quotient(above, below):
                return float(np.divide(self._number(above, at), self._number(below, at)))
            case tree.Power(base, exponent):
                return float(np.power(self._number(base, at), self._number(exponent, at)))
            case tree.Comparison(operator, left, right):
                return float(HOLDS[operator](self._number(left, at), self._number(right, at)))
            case tree.Struck():
                return 0.0
        raise NoNumber(f"{type(node).__name__} has no number in a run")

    def _entry(self, name: str, is_gradient: bool, positions: Sequence[tree.Node], at: At) -> float:
        where = tuple(round(self._number(position, at)) - 1 for position in positions)
        known = (self._gradients if is_gradient else self._values).get(name)
        if known is None:
            return self._by_formula(f"dJ/d{name}" if is_gradient else name, where)
        inside = all(0 <= place < size for place, size in zip(where, known.shape, strict=True))
        return float(known[where]) if inside else 0.0

    def _change(self, place: tree.Place, at: At) -> float:
        if place.name not in self._changes:
            return 0.0
        where = tuple(round(self._number(position, at)) - 1 for position in place.positions)
        known = self._changes[place.name]
        inside = all(0 <= place < size for place, size in zip(where, known.shape, strict=True))
        return float(known[where]) if inside else 0.0

    def _by_formula(self, step: str, where: tuple[int, ...]) -> float:
        told = self._derivation.by_id.get(step)
        if told is None:
            raise NoNumber(f"{step} is not in the run")
        shortest = next((form for form in told.forms if form.kind is FormKind.RESULT), told.forms[-1])
        return self._number(shortest.value, dict(zip(told.indices, (place + 1.0 for place in where), strict=True)))

    def _slope(self, function: str, argument: tree.Place, at: At) -> float:
        """σ′(z) by the local derivative of the quantity that is σ(z)."""
        step = self._slopes.get((function, argument.name))
        if step is None or not isinstance(step.target, tree.Partial):
            raise NoNumber(f"the slope of {function} at {argument.name}")
        names = [position.name for position in step.target.by.positions if isinstance(position, tree.Place)]
        inner = dict(zip(names, (self._number(position, at) for position in argument.positions), strict=True))
        return self._number(step.forms[-1].value, inner)

    def _applied(self, function: str, arguments: Sequence[tree.Node], at: At) -> float:
        if function == "where":
            condition, then, otherwise = arguments
            return self._number(then if self._number(condition, at) else otherwise, at)
        numbers = [self._number(argument, at) for argument in arguments]
        entry = FUNCTIONS[function]
        if entry.variadic:
            return max(numbers) if function == "max" else min(numbers)
        if entry.definition is None:
            return float(math.erf(numbers[0]) if function == "erf" else getattr(np, function)(numbers[0]))
        inner = dict(zip(entry.arguments, numbers, strict=True))
        return self._number(parse_expression(entry.definition), inner)

    def _reduced(self, node: tree.Reduction, at: At) -> float:
        ranges = [range(1, size + 1) for size in node.sizes]
        inner = [dict(zip(node.indices, map(float, places), strict=True)) for places in positions_of(*ranges)]
        numbers = [self._number(node.body, {**at, **places}) for places in inner]
        match node.operation:
            case "sum":
                return math.fsum(numbers)
            case "mean":
                return math.fsum(numbers) / len(numbers)
            case "max" | "argmax":
                best = int(np.argmax(numbers))
            case _:
                best = int(np.argmin(numbers))
        return float(best + 1) if node.operation.startswith("arg") else numbers[best]
