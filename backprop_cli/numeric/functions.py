"""How functions are written numerically: fast, without overflow, and equal to their definitions.

SymPy's functions and the library's are either one NumPy function (:data:`UFUNCS`) or an expression in others
(:data:`FORMS`); one that has no entry here is computed by its definition. A test proves each equal to its definition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from sympy import Expr, S, exp, sqrt, sympify
from sympy.core.symbol import Str

from backprop_cli.symbolic.functions import CLASSES
from backprop_cli.symbolic.notation import Compare, Node, Where


class Numeric(Node):
    """An elementwise operation by the name NumPy has for it, where SymPy has no node that stays as written.

    ``Numeric("together", e)`` is e, computed by itself before it is added to anything else.
    """

    def __new__(cls, name: str | Str, *operands: Any) -> Self:
        made: Self = super().__new__(cls, name if isinstance(name, Str) else Str(name), *map(sympify, operands))
        return made

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def operands(self) -> tuple[Expr, ...]:
        operands: tuple[Expr, ...] = self.args[1:]
        return operands


# The name of a function here -> NumPy's.
UFUNCS: Mapping[str, str] = {
    **{name: name for name in ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sign")},
    **{name: name for name in ("log1p", "expm1", "logaddexp", "maximum", "minimum", "erf", "erfc")},
    "abs": "abs",
    "Abs": "abs",
    "max": "maximum",
    "min": "minimum",
}

FORMS: Mapping[str, Callable[..., Expr]] = {
    "sigmoid": lambda z: 1 / (1 + exp(-z)),
    "relu": lambda z: Numeric("maximum", z, 0),
    "leaky_relu": lambda z: Numeric("maximum", z, z / 100),
    "elu": lambda z: Where(Compare(">", z, 0), z, Numeric("expm1", Numeric("minimum", z, 0))),
    "gelu": lambda z: z * Numeric("erfc", -z / sqrt(2)) / 2,
    "softplus": lambda z: Numeric("logaddexp", z, 0),
    "silu": lambda z: z * CLASSES["sigmoid"](z),
    "heaviside": lambda z: Compare(">", z, 0),
}

# What a user writes out, or a derivative comes out as, and a function of the library is the same as.
RECOGNISED = ("relu", "abs", "sign", "leaky_relu", "max", "min")


def numeric_form(expression: Expr) -> Expr | None:
    """A function's form, or else its definition; None for what is one NumPy function."""
    name = type(expression).__name__
    if name in FORMS:
        return FORMS[name](*expression.args)
    if name in UFUNCS:
        return None
    definition: Expr | None = getattr(expression, "definition", None)
    return definition


def recognised(choice: Where) -> Expr:
    """The library's function whose definition the choice is, or the choice: ``where(z > 0, z, 0)`` is relu(z)."""
    condition = choice.condition
    if not isinstance(condition, Compare):
        return choice
    candidates: list[tuple[Expr, ...]] = [(condition.left, condition.right)]
    if condition.right is S.Zero:
        candidates.append((condition.left,))
    for arguments in candidates:
        for name in RECOGNISED:
            function = CLASSES[name]
            if len(function.entry.arguments) == len(arguments) and function(*arguments).definition == choice:
                return function(*arguments)
    return choice
