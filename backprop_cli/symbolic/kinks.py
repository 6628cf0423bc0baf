"""Where the derivative of an equation rests on a choice: at the kinks of its functions and at ties of maxima.

A kink that no branch reaches is none: the |d| in Huber's cost stands where |d| > delta, and d = 0 lies elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr, Function, Integer, S

from backprop_cli.library.functions import FUNCTIONS
from backprop_cli.symbolic.functions import expanded
from backprop_cli.symbolic.notation import HOLDS, Compare, Place, Reduce, Where

KINKS = {name: entry.kink for name, entry in FUNCTIONS.items() if entry.kink is not None}

Guards = tuple[tuple[Expr, bool], ...]  # conditions around a part of an equation, and whether they hold there


def choices(definition: Expr, name: str) -> tuple[str, ...]:
    """The functions, by name, of whose slope at a kink the derivative by the quantity ``name`` makes use; ``max`` and
    ``min`` over an index as ``maximum`` and ``minimum``. Each stands once, in the order of the alphabet."""
    return tuple(sorted(set(_choices(definition, name, ()))))


def _choices(expression: Expr, name: str, guards: Guards) -> Iterator[str]:
    if isinstance(expression, Where):
        yield from _choices(expression.then, name, (*guards, (expression.condition, True)))
        yield from _choices(expression.otherwise, name, (*guards, (expression.condition, False)))
    elif isinstance(expression, Reduce):
        if not expression.operation.startswith("arg") and _has(expression.body, name):
            if expression.operation in ("max", "min"):
                yield f"{expression.operation}imum"
            yield from _choices(expression.body, name, guards)
    elif not isinstance(expression, Place | Compare):
        is_kinked = isinstance(expression, Function) and expression.func.__name__ in KINKS
        if is_kinked and _has(expression, name) and all(_may_be(*guard, expression) for guard in guards):
            yield expression.func.__name__
        for part in expression.args:
            if isinstance(part, Expr):
                yield from _choices(part, name, guards)


def _has(expression: Expr, name: str) -> bool:
    """Whether the value, and not a choice in it alone, depends on the quantity."""
    if isinstance(expression, Place):
        return expression.name == name
    if isinstance(expression, Compare) or (isinstance(expression, Reduce) and expression.operation.startswith("arg")):
        return False
    parts = (expression.then, expression.otherwise) if isinstance(expression, Where) else expression.args
    return any(_has(part, name) for part in parts if isinstance(part, Expr))


def _may_be(condition: Expr, holds: bool, call: Expr) -> bool:
    """Whether the condition can hold (or fail) where the function is at its kink: at 0, or its arguments are equal."""
    first, second = (*call.args, S.Zero)[:2]
    rules = {first: second} if len(call.args) == 2 else {first: second, -first: second}
    there = _decided(expanded(condition.xreplace(rules)))
    return not there.is_number or bool(there) == holds


def _decided(expression: Expr) -> Expr:
    """The expression with every comparison between numbers decided."""
    if not expression.has(Compare, Where):
        return expression
    parts = [_decided(part) if isinstance(part, Expr) else part for part in expression.args]
    if isinstance(expression, Where) and parts[0].is_number:
        return parts[1] if parts[0] != 0 else parts[2]
    if isinstance(expression, Compare) and parts[1].is_number and parts[2].is_number:
        return Integer(bool(HOLDS[expression.operator](parts[1], parts[2])))
    return expression.func(*parts)
