"""A network's equations evaluated as they stand, in any array library.

The evaluator reads each definition node by node and broadcasts by the names of the indices. It knows nothing of the
derivation, of stable forms or of the compiled program, so what it finds is independent of them. A *probe* is an array
added to a quantity: perturbing it, or differentiating by it, gives dJ/d(that quantity) for given and computed
quantities alike.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from string import ascii_letters
from typing import TypeVar

import numpy as np
from sympy import Add, Expr, Integer, Mul, Pow, Symbol

from backprop_cli.symbolic.functions import CLASSES
from backprop_cli.symbolic.graph import Graph, Loop, Quantity, Role
from backprop_cli.symbolic.notation import Adjoint, Compare, Digit, Place, Reduce, Where, fresh_value
from backprop_cli.verification.arrays import Array, Arrays, Named
from backprop_cli.verification.kinks import Watch

T = TypeVar("T")

COMPARE: Mapping[str, Callable[[Array, Array], Array]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True)
class Scope:
    """What the indices and the arguments of a definition mean where an expression is evaluated."""

    quantity: Quantity
    sizes: Mapping[Symbol, int]
    arguments: Mapping[Symbol, Named] = field(default_factory=dict)
    function: str = ""  # whose definition is being evaluated


def forward(
    graph: Graph,
    evaluator: Evaluator,
    given: Mapping[str, Array],
    probes: Mapping[str, Named] | None = None,
    known: Mapping[str, Named] | None = None,
) -> dict[str, Named]:
    """Every quantity of the graph, from the given ones, by a fresh evaluator.

    ``probes`` are added to quantities; ``known`` holds the values without them, to be used again for whatever they do
    not reach.
    """
    probes = probes or {}
    reached: set[str] = set()
    for quantity in graph.quantities:
        name = quantity.name
        loop = graph.loop_of(name)
        together = [quantity] if loop is None else [graph[member] for member in loop.names]
        if quantity is not together[0]:
            continue
        uses = {place.name for q in together if q.definition is not None for place in q.definition.atoms(Place)}
        names = {q.name for q in together}
        if known is not None and not names & probes.keys() and not (uses - names) & reached:
            evaluator.values.update({member: known[member] for member in names})
            continue
        reached |= names
        if loop is not None:
            evaluator.run(loop, together, probes)
            continue
        if quantity.definition is None:
            value = Named(evaluator.arrays.given(given[name]), quantity.indices)
        else:
            value = evaluator.defined(quantity)
        evaluator.values[name] = evaluator.combined(operator.add, probes[name], value) if name in probes else value
    return evaluator.values


def objective(graph: Graph, arrays: Arrays, values: Mapping[str, Named]) -> Named:
    """J, or for a module on its own the sum of its output times the given output gradient."""
    if graph.cost is not None:
        return values[graph.cost]
    evaluator = Evaluator(arrays)
    total = Named(arrays.given(0.0))
    for name, seed in sorted(graph.seeds.items()):
        term = evaluator.combined(operator.mul, values[name], values[seed])
        for axis in graph[name].indices:
            term = evaluator.totalled(term, axis)
        total = evaluator.combined(operator.add, total, term)
    return total


class Evaluator:
    """Evaluates expressions over the quantities in ``values`` in one array library.

    ``watch`` records which side of every comparison the values chose.
    """

    def __init__(self, arrays: Arrays, watch: Watch | None = None) -> None:
        self.arrays = arrays
        self.watch = watch
        self.values: dict[str, Named] = {}
        self._steps: dict[str, tuple[int, list[Named]]] = {}  # of a loop that runs: the axis, and the steps so far

    def run(self, loop: Loop, quantities: Sequence[Quantity], probes: Mapping[str, Named]) -> None:
        """The quantities of a loop, step by step."""
        self._steps.update({q.name: (loop.axes[q.name], []) for q in quantities})
        for number in range(1, loop.steps + 1):
            for quantity in quantities:
                axis = loop.axes[quantity.name]
                step = {quantity.indices[axis]: Named(self.arrays.given(float(number)))}
                rest = replace(quantity, indices=_without(quantity.indices, axis), shape=_without(quantity.shape, axis))
                value = self.defined(rest, step)
                if quantity.name in probes:
                    probe = probes[quantity.name]
                    at = probe.axes.index(quantity.indices[axis])
                    part = Named(probe.array[(slice(None),) * at + (number - 1,)], _without(probe.axes, at))
                    value = self.combined(operator.add, part, value)
                self._steps[quantity.name][1].append(value)
        for quantity in quantities:
            axis, steps = self._steps.pop(quantity.name)
            own = _without(quantity.indices, axis)
            loose = tuple(dict.fromkeys(a for value in steps for a in value.axes if a not in own))
            sizes = {a: n for value in steps for a, n in value.sizes.items()}
            sizes |= dict(zip(quantity.indices, quantity.shape, strict=True))
            shape = tuple(sizes[a] for a in (*loose, *own))
            whole = [self.arrays.expanded(self._along(value, (*loose, *own)), shape) for value in steps]
            array = self.arrays.stacked(whole, len(loose) + axis)
            self.values[quantity.name] = Named(array, (*loose, *quantity.indices))

    def defined(self, quantity: Quantity, step: Mapping[Symbol, Named] | None = None) -> Named:
        """The quantity from its definition, over all its indices, and at one ``step`` of a loop; axes of probes come
        first."""
        sizes = dict(zip(quantity.indices, quantity.shape, strict=True))
        value = self._value(quantity.definition, Scope(quantity, sizes, step or {}))
        loose = tuple(axis for axis in value.axes if axis not in sizes)
        axes = loose + quantity.indices
        shape = tuple((value.sizes | sizes)[axis] for axis in axes)
        return Named(self.arrays.expanded(self._along(value, axes), shape), axes)

    def over(self, expression: Expr, sizes: Mapping[Symbol, int]) -> Array:
        """An expression for all values of these indices, whose sizes are given; they number the axes in this order."""
        quantity = Quantity("", tuple(sizes), tuple(sizes.values()), Role.INTERMEDIATE)
        value = self._value(expression, Scope(quantity, sizes))
        return self.arrays.expanded(self._along(value, quantity.indices), quantity.shape)

    def combined(self, step: Callable[..., Array], *parts: Named) -> Named:
        """An operation between arrays, each over the axes of all."""
        axes = tuple(dict.fromkeys(axis for part in parts for axis in part.axes))
        return Named(self.arrays.array(step(*(self._along(part, axes) for part in parts))), axes)

    def totalled(self, value: Named, axis: Symbol) -> Named:
        place = value.axes.index(axis)
        return Named(self.arrays.total(value.array, place), value.axes[:place] + value.axes[place + 1 :])

    def _along(self, value: Named, axes: tuple[Symbol, ...]) -> Array:
        """The array with its axes in this order and one of size 1 for each that it does not have."""
        if value.axes == axes:
            return value.array
        order = [value.axes.index(axis) for axis in axes if axis in value.axes]
        return self.arrays.arranged(value.array, order, tuple(value.sizes.get(axis, 1) for axis in axes))

    def _value(self, expression: Expr, scope: Scope) -> Named:
        if isinstance(expression, Adjoint):
            raise TypeError("a definition holds no adjoints")
        if isinstance(expression, Place):
            return self._read(expression, scope)
        if isinstance(expression, Symbol):
            found = scope.arguments.get(expression)
            return self._counted(expression, scope.sizes[expression]) if found is None else found
        if isinstance(expression, Add | Mul):
            result, *others = (self._value(part, scope) for part in expression.args)
            for other in others:
                result = self.combined(operator.add if isinstance(expression, Add) else operator.mul, result, other)
            return result
        if isinstance(expression, Pow):
            return self.combined(self.arrays.power, *(self._value(part, scope) for part in expression.args))
        if isinstance(expression, Reduce):
            return self._reduced(expression, scope)
        if isinstance(expression, Digit):
            argument = self._value(expression.argument, scope)
            entry = self.arrays.whole_numbers(argument.array) - 1
            return Named(entry // expression.below % expression.size + 1, argument.axes)
        if isinstance(expression, Compare):
            condition = self._condition(expression, scope)
            return Named(self.arrays.as_number(condition.array), condition.axes)
        if isinstance(expression, Where):
            condition = self._condition(expression.condition, scope)
            branches = [self._value(branch, scope) for branch in (expression.then, expression.otherwise)]
            return self.combined(self.arrays.chosen, condition, *branches)
        if not expression.args:
            return Named(self.arrays.number(expression))
        return self._applied(expression, scope)

    def _applied(self, expression: Expr, scope: Scope) -> Named:
        name = function_name(expression)
        arguments = [self._value(argument, scope) for argument in expression.args]
        if name in self.arrays.functions:
            return self.combined(self.arrays.functions[name], *arguments)
        symbols, body = definition(name)
        named = dict(zip(symbols, arguments, strict=True))
        return self._value(body, replace(scope, arguments=named, function=name))

    def _read(self, place: Place, scope: Scope) -> Named:
        """A quantity at positions; axes that a probe has given it stay in front."""
        if place.name in self._steps:
            return self._read_step(place, scope)
        value = self.values[place.name]
        return self._at(value, place, scope)

    def _read_step(self, place: Place, scope: Scope) -> Named:
        """A quantity of the loop that runs, at a step that is computed already; 0 before the first."""
        axis, steps = self._steps[place.name]
        number = int(self.arrays.whole_numbers(self._value(place.positions[axis], scope).array))
        rest = Place(place.name, *_without(place.positions, axis))
        if not 1 <= number <= len(steps):
            return Named(self.arrays.given(0.0))
        return self._at(steps[number - 1], rest, scope) if rest.positions else steps[number - 1]

    def _at(self, value: Named, place: Place, scope: Scope) -> Named:
        loose = value.axes[: len(value.axes) - len(place.positions)]
        sizes = value.array.shape[len(loose) :]
        whole = all(scope.sizes.get(p) == size for p, size in zip(place.positions, sizes, strict=True))
        if whole and len(set(place.positions)) == len(place.positions):
            return Named(value.array, loose + place.positions)
        positions = [self._value(position, scope) for position in place.positions]
        axes = tuple(dict.fromkeys(axis for position in positions for axis in position.axes))
        from_0 = [self.arrays.whole_numbers(self._along(position, axes)) - 1 for position in positions]
        both = [axis for axis in loose if axis in axes]  # a probe may move the array and the positions at once
        kept = tuple(axis for axis in loose if axis not in both)
        array = self._along(value, (*kept, *both, *value.axes[len(loose) :])) if both else value.array
        along = [self._along(Named(np.arange(value.sizes[axis]), (axis,)), axes) for axis in both]
        return Named(self.arrays.read(array, [*along, *from_0]), kept + axes)

    def _counted(self, symbol: Symbol, size: int) -> Named:
        """1, 2, ..., size along an index: an index used as a number."""
        return Named(self.arrays.given([float(k) for k in range(1, size + 1)]), (symbol,))

    def _condition(self, expression: Expr, scope: Scope) -> Named:
        if not isinstance(expression, Compare):
            return self.combined(operator.ne, self._value(expression, scope), Named(self.arrays.number(Integer(0))))
        left, right = self._value(expression.left, scope), self._value(expression.right, scope)
        if self.watch is not None and (scope.arguments or expression.has(Place)):
            sides = self.combined(lambda a, b: (a > b) * 1 - (a < b) * 1, left, right)
            self.watch.record(scope.quantity, scope.function or "where", sides)
        return self.combined(COMPARE[expression.operator], left, right)

    def _reduced(self, node: Reduce, scope: Scope) -> Named:
        inner = replace(scope, sizes={**scope.sizes, node.bound: node.size})
        if node.operation == "sum":
            return self._summed([self._value(factor, inner) for factor in Mul.make_args(node.body)], node)
        # The first of equal values takes the gradient, so its position is looked up and the value read there.
        everywhere = Named(self.arrays.given([0.0] * node.size), (node.bound,))
        body = self.combined(operator.add, everywhere, self._value(node.body, inner))
        axes = (*(axis for axis in body.axes if axis != node.bound), node.bound)
        array = self._along(body, axes)
        first = self.arrays.first_largest(array if node.operation.endswith("max") else -array)
        position = Named(self.arrays.as_number(first + 1), axes[:-1])
        if self.watch is not None:
            self.watch.record(scope.quantity, node.operation, Named(first, axes[:-1]))
        if node.operation.startswith("arg"):
            return position
        here = self.combined(operator.eq, self._counted(node.bound, node.size), position)
        return self.totalled(self.combined(self.arrays.chosen, here, body, Named(self.arrays.given(0.0))), node.bound)

    def _summed(self, factors: list[Named], node: Reduce) -> Named:
        """The sum of a product, without the array of all its terms."""
        inside = [factor for factor in factors if node.bound in factor.axes]
        outside = [factor for factor in factors if node.bound not in factor.axes]
        if not inside:
            result = Named(self.arrays.given(float(node.size)))
        elif len(inside) == 1:
            result = self.totalled(inside[0], node.bound)
        else:
            axes = tuple(dict.fromkeys(axis for factor in inside for axis in factor.axes))
            letters = dict(zip(axes, ascii_letters, strict=False))
            kept = tuple(axis for axis in axes if axis != node.bound)
            written = [*("".join(letters[axis] for axis in factor.axes) for factor in inside)]
            subscripts = ",".join(written) + "->" + "".join(letters[axis] for axis in kept)
            result = Named(self.arrays.contracted(subscripts, [factor.array for factor in inside]), kept)
        for factor in outside:
            result = self.combined(operator.mul, result, factor)
        return result


def _without(several: tuple[T, ...], axis: int) -> tuple[T, ...]:
    return (*several[:axis], *several[axis + 1 :])


def function_name(expression: Expr) -> str:
    """The function's name in the library. SymPy turns the root of a square into an ``Abs`` of its own."""
    return {"Abs": "abs"}.get(name := type(expression).__name__, name)


@cache
def definition(name: str) -> tuple[tuple[Symbol, ...], Expr]:
    """The definition of a library function in symbols of its own, so that its arguments are evaluated once."""
    function = CLASSES[name]
    symbols = tuple(fresh_value(argument) for argument in function.entry.arguments)
    return symbols, function(*symbols).definition
