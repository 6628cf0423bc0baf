"""The derivatives of a formula by every place in it at once, as numbers: one pass forward and one back through it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from sympy import Add, Expr, Function, Mul, Pow, Symbol

from backprop_cli.exercises.elementary import FAST, Functions, Numbers
from backprop_cli.exercises.nodes import Values, evaluated
from backprop_cli.symbolic.functions import LibraryFunction
from backprop_cli.symbolic.notation import Compare, Place, Where, fresh_value


def slopes(formula: Expr, values: Values, functions: Functions = FAST) -> dict[Place, Numbers]:
    """∂formula/∂place for every place in it, for every variant."""
    found: dict[Place, Numbers] = {}
    with np.errstate(all="ignore"):
        waiting: list[tuple[Expr, Numbers]] = [(formula, np.asarray(1.0))]
        while waiting:
            part, arrived = waiting.pop()
            if isinstance(part, Place):
                found[part] = found[part] + arrived if part in found else arrived
            elif part.has(Place):
                waiting.extend((inner, arrived * slope) for inner, slope in _inner(part, values, functions))
    return found


def _inner(part: Expr, values: Values, functions: Functions) -> Iterator[tuple[Expr, Numbers]]:
    """What a part is made of, each with the derivative by it."""
    if isinstance(part, Add):
        yield from ((inner, np.asarray(1.0)) for inner in part.args)
    elif isinstance(part, Mul):
        for place, inner in enumerate(part.args):
            if inner.has(Place):
                yield inner, evaluated(Mul(*part.args[:place], *part.args[place + 1 :]), values, functions)
    elif isinstance(part, Where):
        chosen = evaluated(part.condition, values, functions) != 0
        yield part.then, np.where(chosen, 1.0, 0.0)
        yield part.otherwise, np.where(chosen, 0.0, 1.0)
    elif isinstance(part, LibraryFunction):
        yield part.definition, np.asarray(1.0)
    elif isinstance(part, Pow | Function):
        function: Any = type(part)
        for number, inner in enumerate(part.args):
            if inner.has(Place):
                arguments, derivative = _derivative(function, len(part.args), number)
                known = {
                    Place(f"argument {n}"): evaluated(value, values, functions) for n, value in enumerate(part.args)
                }
                rules = {symbol: Place(f"argument {n}") for n, symbol in enumerate(arguments)}
                yield inner, evaluated(derivative.xreplace(rules), known, functions)
    elif not isinstance(part, Compare):  # conditions are piecewise constant
        raise TypeError(f"a formula of single numbers does not contain {type(part).__name__}")


@cache
def _derivative(function: Any, count: int, number: int) -> tuple[tuple[Symbol, ...], Expr]:
    """The derivative of a function by one of its arguments, in symbols for all of them."""
    symbols = tuple(fresh_value("v") for _ in range(count))
    return symbols, function(*symbols).diff(symbols[number])
