"""Formulas evaluated one number at a time, in plain loops over their indices: what every lowering has to agree with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
from sympy import Add, Expr, Mul, Pow, Symbol

from backprop_cli.symbolic.functions import LibraryFunction
from backprop_cli.symbolic.graph import Graph
from backprop_cli.symbolic.notation import Compare, Place, Reduce, Where

OPERATORS = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def run(graph: Graph, given: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Every quantity of the graph."""
    values = {name: np.asarray(value, dtype=float) for name, value in given.items()}
    for quantity in graph.quantities:
        if quantity.definition is None:
            continue
        array = np.empty(quantity.shape)
        for position in product(*(range(1, size + 1) for size in quantity.shape)):
            where = dict(zip(quantity.indices, position, strict=True))
            array[tuple(p - 1 for p in position)] = evaluate(quantity.definition, values, where)
        values[quantity.name] = array
    return values


def evaluate(expression: Expr, values: Mapping[str, np.ndarray], where: Mapping[Symbol, int]) -> float:
    """One number: the expression with its indices at these positions. What lies outside an array is 0."""
    if isinstance(expression, Place):
        position = tuple(round(evaluate(p, values, where)) - 1 for p in expression.positions)
        array = values[expression.name]
        inside = all(0 <= p < size for p, size in zip(position, array.shape, strict=True))
        return float(array[position]) if inside else 0.0
    if isinstance(expression, Reduce):
        return _reduce(expression, values, where)
    if isinstance(expression, Symbol):
        return float(where[expression])
    if isinstance(expression, Where):
        branch = expression.then if evaluate(expression.condition, values, where) else expression.otherwise
        return evaluate(branch, values, where)
    if expression.is_number and not expression.has(LibraryFunction):
        return float(expression)
    arguments = [evaluate(part, values, where) for part in expression.args if isinstance(part, Expr)]
    if isinstance(expression, Compare):
        return float(OPERATORS[expression.operator](*arguments))
    if isinstance(expression, Add):
        return math.fsum(arguments)
    if isinstance(expression, Mul):
        return math.prod(arguments)
    if isinstance(expression, Pow):
        return float(arguments[0] ** arguments[1])
    definition = getattr(expression, "definition", None)
    if definition is not None:
        return evaluate(definition, values, where)
    name = type(expression).__name__
    return float(getattr(math, {"Abs": "fabs"}.get(name, name))(*arguments))


def _reduce(reduction: Reduce, values: Mapping[str, np.ndarray], where: Mapping[Symbol, int]) -> float:
    terms = [evaluate(reduction.body, values, {**where, reduction.bound: k}) for k in range(1, reduction.size + 1)]
    match reduction.operation:
        case "sum":
            return math.fsum(terms)
        case "max":
            return max(terms)
        case "min":
            return min(terms)
        case "argmax":
            return float(terms.index(max(terms)) + 1)
        case _:
            return float(terms.index(min(terms)) + 1)
