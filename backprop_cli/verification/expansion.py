"""The cost written out in single entries as one SymPy expression, and ``sympy.diff`` of it.

J becomes an expression in the entries of parameters, inputs and targets alone; every function of the library is
replaced by its definition. Where the equations choose (``where``, max, comparisons), the branch that the run's numbers
choose is put in, which is the slope the conventions ask for. The derivatives are evaluated with many digits.

To differentiate by computed quantities too, a symbol that is 0 is added to each of their entries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import mpmath  # type: ignore[import-untyped]  # mpmath ships no types
import numpy as np
from sympy import Add, Expr, Integer, Mul, Pow, Symbol, diff

from backprop_cli.symbolic.functions import LibraryFunction
from backprop_cli.symbolic.graph import Graph, Quantity
from backprop_cli.symbolic.notation import Compare, Digit, Place, Reduce, Where, fresh_value
from backprop_cli.verification.arrays import Array
from backprop_cli.verification.evaluation import COMPARE, definition, function_name
from backprop_cli.verification.precise import DIGITS, PRECISE_FUNCTIONS, mpmath_number, mpmath_power


def expanded_size(graph: Graph) -> int:
    """How many operations J has, written out in entries of parameters and inputs; computed before it is written."""
    sizes: dict[str, int] = {}
    for quantity in graph.quantities:
        loop = graph.loop_of(quantity.name)
        if quantity.definition is None:
            sizes[quantity.name] = 1
        elif loop is None:
            sizes[quantity.name] = _written_out(quantity.definition, sizes)
        elif quantity.name == loop.names[0]:
            sizes.update(dict.fromkeys(loop.names, 1))
            for _ in range(min(loop.steps, MOST_STEPS)):
                for name in loop.names:  # each may use those before it at the same step
                    sizes[name] = _written_out(graph[name].definition, sizes)
    if graph.cost is not None:
        return sizes[graph.cost]
    return sum(sizes[name] * prod(graph[name].shape) for name in graph.seeds)


def _written_out(expression: Expr, sizes: Mapping[str, int]) -> int:
    if isinstance(expression, Place):
        return sizes[expression.name]
    if isinstance(expression, Reduce):
        body = _written_out(expression.body, sizes)
        return expression.size * (body + 1) if expression.operation == "sum" else body
    if isinstance(expression, Where):
        return max(_written_out(branch, sizes) for branch in (expression.then, expression.otherwise))
    if isinstance(expression, Compare):
        return 1
    if isinstance(expression, LibraryFunction):
        return _written_out(expression.definition, sizes)
    return len(expression.args) + sum(_written_out(part, sizes) for part in expression.args)


MOST_STEPS = 50  # of a loop; written out, its last step is longer than any limit long before


class Expansion:
    """J written out, ready to be differentiated by entries of the quantities in ``names``."""

    def __init__(self, graph: Graph, given: Mapping[str, Array], names: Sequence[str]) -> None:
        self.graph = graph
        self.numbers: dict[Expr, Any] = {}  # what each symbol, and each expression met so far, is worth
        self.symbols: dict[str, Array] = {}
        self._entries: dict[str, Array] = {}
        with mpmath.workdps(DIGITS):
            for quantity in graph.quantities:
                loop = graph.loop_of(quantity.name)
                if loop is None:
                    self._prepare(quantity)
                    self._write_out(quantity, given, quantity.name in names)
                elif quantity.name == loop.names[0]:
                    for name in loop.names:
                        self._prepare(graph[name])
                    for step in range(loop.steps):
                        for name in loop.names:
                            self._write_out(graph[name], given, name in names, (loop.axes[name], step))
            self.cost = self._objective()

    def slope(self, name: str, entry: int) -> float:
        """∂J/∂(one entry), its position counted from 0 in the array laid flat."""
        symbol = self.symbols[name].reshape(-1)[entry]
        with mpmath.workdps(DIGITS):
            return float(self._number(diff(self.cost, symbol)))

    def _prepare(self, quantity: Quantity) -> None:
        self._entries[quantity.name] = np.full(quantity.shape, Integer(0), dtype=object)
        self.symbols[quantity.name] = np.empty(quantity.shape, dtype=object)

    def _write_out(
        self, quantity: Quantity, given: Mapping[str, Array], probed: bool, step: tuple[int, int] | None = None
    ) -> None:
        """The entries of a quantity, of one in a loop those at one step of its axis."""
        name, entries, symbols = quantity.name, self._entries[quantity.name], self.symbols[quantity.name]
        for position in np.ndindex(quantity.shape):
            if step is not None and position[step[0]] != step[1]:
                continue
            symbol = fresh_value(name + "_".join(str(p + 1) for p in position))
            symbols[position] = symbol
            if quantity.definition is None:
                entries[position] = symbol
                self.numbers[symbol] = mpmath.mpf(float(np.asarray(given[name])[position]))
                continue
            counts = {index: Integer(p + 1) for index, p in zip(quantity.indices, position, strict=True)}
            entries[position] = self._entry(quantity.definition, counts)
            if probed:
                entries[position] += symbol
                self.numbers[symbol] = mpmath.mpf(0)

    def _objective(self) -> Expr:
        if self.graph.cost is not None:
            return self._entries[self.graph.cost][()]
        return Add(
            *(
                value * seed
                for name, by in sorted(self.graph.seeds.items())
                for value, seed in zip(self._entries[name].flat, self._entries[by].flat, strict=True)
            )
        )

    def _entry(self, expression: Expr, at: Mapping[Symbol, Expr]) -> Expr:
        """The expression at one position of its indices, in symbols of entries."""
        if isinstance(expression, Place):
            positions = tuple(int(self._number(self._entry(p, at))) - 1 for p in expression.positions)
            entries = self._entries[expression.name]
            inside = all(0 <= p < size for p, size in zip(positions, entries.shape, strict=True))
            return entries[positions] if inside else Integer(0)
        if isinstance(expression, Symbol):
            return at.get(expression, expression)
        if isinstance(expression, Reduce):
            return self._reduced(expression, at)
        if isinstance(expression, Digit):
            return Digit(self._entry(expression.argument, at), expression.below, expression.size)
        if isinstance(expression, Compare):
            return Integer(self._holds(expression, at))
        if isinstance(expression, Where):
            return self._entry(expression.then if self._holds(expression.condition, at) else expression.otherwise, at)
        if not expression.args:
            return expression
        arguments = [self._entry(argument, at) for argument in expression.args]
        if isinstance(expression, Add | Mul | Pow) or (name := function_name(expression)) in PRECISE_FUNCTIONS:
            return expression.func(*arguments)
        symbols, body = definition(name)
        return self._entry(body, dict(zip(symbols, arguments, strict=True)))

    def _reduced(self, node: Reduce, at: Mapping[Symbol, Expr]) -> Expr:
        terms = [self._entry(node.body, {**at, node.bound: Integer(k)}) for k in range(1, node.size + 1)]
        if node.operation == "sum":
            return Add(*terms)
        sign = 1 if node.operation.endswith("max") else -1
        numbers = [sign * self._number(term) for term in terms]
        first = numbers.index(max(numbers))
        return Integer(first + 1) if node.operation.startswith("arg") else terms[first]

    def _holds(self, condition: Expr, at: Mapping[Symbol, Expr]) -> bool:
        if not isinstance(condition, Compare):
            return bool(self._number(self._entry(condition, at)) != 0)
        left, right = (self._number(self._entry(side, at)) for side in (condition.left, condition.right))
        return bool(COMPARE[condition.operator](left, right))

    def _number(self, expression: Expr) -> Any:
        """The expression's value; every part is worked out once."""
        known = self.numbers.get(expression)
        if known is None:
            known = self.numbers[expression] = self._worked_out(expression)
        return known

    def _worked_out(self, expression: Expr) -> Any:
        if not expression.args:
            return mpmath_number(expression)
        arguments = [self._number(argument) for argument in expression.args]
        if isinstance(expression, Add):
            return mpmath.fsum(arguments)
        if isinstance(expression, Mul):
            return mpmath.fprod(arguments)
        if isinstance(expression, Pow):
            return mpmath_power(*arguments)
        return PRECISE_FUNCTIONS[type(expression).__name__](*arguments)[()]
