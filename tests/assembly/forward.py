"""The forward pass of a graph, entry by entry, read off the definitions and, independently, off what was written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Add, Expr, Mul, Pow, Symbol

from backprop_cli.language import tree
from backprop_cli.symbolic.functions import LibraryFunction
from backprop_cli.symbolic.graph import Graph, Quantity
from backprop_cli.symbolic.notation import Compare, Place, Reduce, Where

Values = Mapping[str, NDArray[np.float64]]

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
REDUCTIONS: dict[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "mean": lambda values: sum(values) / len(values),
    "max": max,
    "min": min,
    "argmax": lambda values: values.index(max(values)) + 1,
    "argmin": lambda values: values.index(min(values)) + 1,
}
FUNCTIONS: dict[str, Callable[..., float]] = {
    **{
        name: getattr(math, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "erf")
    },
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "relu": lambda z: max(z, 0.0),
    "leaky_relu": lambda z: z if z > 0 else 0.01 * z,
    "elu": lambda z: z if z > 0 else math.expm1(z),
    "gelu": lambda z: z * (1 + math.erf(z / math.sqrt(2))) / 2,
    "softplus": lambda z: math.log1p(math.exp(z)),
    "silu": lambda z: z / (1 + math.exp(-z)),
    "sign": lambda z: float(np.sign(z)),
    "abs": abs,
    "heaviside": lambda z: float(z > 0),
    "max": max,
    "min": min,
}


def by_definition(graph: Graph, given: Values) -> dict[str, NDArray[np.float64]]:
    """Every quantity, computed from ``Quantity.definition``."""
    return _forward(graph, given, lambda quantity, env, values: _expression(quantity.definition, env, values))


def as_written(graph: Graph, given: Values) -> dict[str, NDArray[np.float64]]:
    """Every quantity, computed from ``Quantity.written``."""

    def entry(quantity: Quantity, env: dict[str, int], values: Values) -> float:
        assert quantity.written is not None
        return _Tree(graph, values).value(quantity.written, env)

    return _forward(graph, given, entry)


def _forward(graph: Graph, given: Values, entry: Callable[..., float]) -> dict[str, NDArray[np.float64]]:
    values: dict[str, NDArray[np.float64]] = {}
    for quantity in graph.quantities:
        if quantity.is_given:
            values[quantity.name] = np.asarray(given[quantity.name])
            assert values[quantity.name].shape == quantity.shape, quantity.name
            continue
        array = np.empty(quantity.shape)
        for at in np.ndindex(quantity.shape):
            env = {symbol.name: place + 1 for symbol, place in zip(quantity.indices, at, strict=True)}
            array[at] = entry(quantity, env, values)
        values[quantity.name] = array
    return values


def _expression(node: Expr, env: dict[str, int], values: Values) -> float:
    def inner(part: Expr) -> float:
        return _expression(part, env, values)

    match node:
        case Place():
            return float(values[node.name][tuple(int(inner(position)) - 1 for position in node.positions)])
        case Reduce():
            entries = [_expression(node.body, {**env, node.bound.name: at}, values) for at in range(1, node.size + 1)]
            return REDUCTIONS[node.operation](entries)
        case Where():
            return inner(node.then) if inner(node.condition) else inner(node.otherwise)
        case Compare():
            return float(COMPARISONS[node.operator](inner(node.left), inner(node.right)))
        case LibraryFunction():
            return FUNCTIONS[node.entry.name](*map(inner, node.args))
        case Symbol():
            return env[node.name]
        case Add():
            return sum(map(inner, node.args))
        case Mul():
            return math.prod(map(inner, node.args))
        case Pow() if node.exp.is_Rational or node.exp.has(Place):
            return float(inner(node.base) ** inner(node.exp))
    if node.is_number:
        return float(node)
    return FUNCTIONS[type(node).__name__](*map(inner, node.args))


class _Tree:
    def __init__(self, graph: Graph, values: Values) -> None:
        self._graph, self._values = graph, values

    def value(self, node: tree.Node, env: dict[str, int]) -> float:
        def inner(part: tree.Node) -> float:
            return self.value(part, env)

        match node:
            case tree.Number(text=text):
                return float(text)
            case tree.Place(name=name, positions=()) if name not in self._graph or self._graph[name].shape:
                return env[name]
            case tree.Place(name=name, positions=positions):
                return float(self._values[name][tuple(int(self.position(part, env)) - 1 for part in positions)])
            case tree.Reduction(operation=operation, body=body, indices=indices):
                entries = [self.value(body, env | at) for at in self.ranges(body, indices, env)]
                return REDUCTIONS[operation](entries)
            case tree.Apply(function="where", arguments=(condition, then, otherwise)):
                return inner(then) if inner(condition) else inner(otherwise)
            case tree.Apply(function=function, arguments=arguments):
                return FUNCTIONS[function](*map(inner, arguments))
            case tree.Comparison(operator=operator, left=left, right=right):
                return float(COMPARISONS[operator](inner(left), inner(right)))
            case tree.Negative(operand=operand):
                return -inner(operand)
            case tree.Add(terms=terms):
                return sum(map(inner, terms))
            case tree.Product(factors=factors):
                return math.prod(map(inner, factors))
            case tree.Quotient(numerator=numerator, denominator=denominator):
                return inner(numerator) / inner(denominator)
            case tree.Power(base=base, exponent=exponent):
                return float(inner(base) ** inner(exponent))
        raise AssertionError(node)

    def position(self, node: tree.Node, env: dict[str, int]) -> float:
        return env[node.name] if isinstance(node, tree.Place) else self.value(node, env)

    def ranges(self, body: tree.Node, indices: tuple[str, ...], env: dict[str, int]) -> Iterator[dict[str, int]]:
        sizes = [self.size(body, name) for name in indices]
        for at in np.ndindex(*sizes):
            yield {name: place + 1 for name, place in zip(indices, at, strict=True)}

    def size(self, node: Any, name: str) -> int:
        """The smallest axis in whose positions the index stands bare."""
        found: list[int] = []
        waiting = [node]
        while waiting:
            current = waiting.pop()
            if isinstance(current, tree.Place):
                found.extend(
                    self._graph[current.name].shape[axis]
                    for axis, position in enumerate(current.positions)
                    if position == tree.Place(name)
                )
            elif isinstance(current, tuple):
                waiting.extend(current)
            elif hasattr(current, "__dataclass_fields__"):
                waiting.extend(getattr(current, field) for field in current.__dataclass_fields__)
        return min(found)
