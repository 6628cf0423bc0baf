"""The library's functions as SymPy functions, made from their entries.

A function that SymPy has is SymPy's own. Every other one is a class of its name that stays as it is written until
:func:`expanded` puts its definition in; its derivative is ``sympy.diff`` of that definition, worked out once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, reduce
from typing import Any, ClassVar

import sympy
from sympy import Expr, Function
from sympy.core.function import ArgumentIndexError

from backprop_cli.language import tree
from backprop_cli.language.grammar import parse_expression
from backprop_cli.library.functions import FUNCTIONS, FunctionEntry
from backprop_cli.symbolic.closed_forms import in_terms_of_values
from backprop_cli.symbolic.notation import fresh_value
from backprop_cli.symbolic.translation import translate


class LibraryFunction(Function):  # type: ignore[misc]
    """A function of the library, applied to numbers. It is real and is never evaluated by itself."""

    entry: ClassVar[FunctionEntry]
    is_real = True
    is_commutative = True

    def _eval_is_finite(self) -> bool | None:
        return None

    def fdiff(self, argindex: int = 1) -> Expr:
        """∂f/∂(argument), worked out from the definition."""
        if not 1 <= argindex <= len(self.args):
            raise ArgumentIndexError(self, argindex)
        arguments, _ = _definition(self.entry.name)
        return _slope(self.entry.name, argindex).xreplace(dict(zip(arguments, self.args, strict=True)))

    @property
    def definition(self) -> Expr:
        """The library's definition with these arguments put in."""
        arguments, definition = _definition(self.entry.name)
        return definition.xreplace(dict(zip(arguments, self.args, strict=True)))


def _made(entry: FunctionEntry) -> Any:
    if entry.definition is None:
        return getattr(sympy, entry.name)
    members = {"entry": entry, "nargs": len(entry.arguments), "__module__": __name__, "__doc__": entry.definition}
    return type(entry.name, (LibraryFunction,), members)


CLASSES: Mapping[str, Any] = {name: _made(entry) for name, entry in FUNCTIONS.items()}


def apply(name: str, arguments: tuple[Expr, ...]) -> Expr:
    """The function of this name applied; ``max(a, b, c)`` is ``max(max(a, b), c)``. Raises KeyError for other names."""
    function = CLASSES[name]
    if FUNCTIONS[name].variadic:
        return reduce(function, arguments)
    return function(*arguments)


def expanded(expression: Expr) -> Expr:
    """The expression with the definition of every library function put in, also inside definitions."""
    while calls := sorted(expression.atoms(LibraryFunction), key=sympy.default_sort_key):
        expression = expression.xreplace({call: call.definition for call in calls})
    return expression


@cache
def _definition(name: str) -> tuple[tuple[Expr, ...], Expr]:
    entry = FUNCTIONS[name]
    symbols = {argument: fresh_value(argument) for argument in entry.arguments}

    def leaf(node: tree.Place | tree.Reduction) -> Expr:
        if isinstance(node, tree.Reduction):
            raise TypeError(f"{name} is a function of numbers, not of arrays")
        return symbols[node.name]

    return tuple(symbols.values()), translate(parse_expression(entry.definition or name), leaf, apply)


@cache
def _slope(name: str, argindex: int) -> Expr:
    """The slope in the function's own value where that is simpler, else in the value of the sigmoid: σ for softplus."""
    arguments, definition = _definition(name)
    slope = definition.diff(arguments[argindex - 1])
    own = in_terms_of_values(slope, [(CLASSES[name](*arguments), expanded(definition))])
    if own != slope or name == "sigmoid":
        return own
    sigmoid = CLASSES["sigmoid"](arguments[0])
    return in_terms_of_values(slope, [(sigmoid, expanded(sigmoid))])
