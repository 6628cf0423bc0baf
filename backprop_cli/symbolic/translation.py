"""Syntax trees as SymPy expressions: the arithmetic. What names and functions mean, the caller says.

Decimal numbers become exact fractions. A mean is a sum times 1/size, and a product of conditions is a product of 0s
and 1s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sympy import Add, Expr, Mul, Pow, Rational

from backprop_cli.language import tree
from backprop_cli.symbolic.notation import Compare, Where

Leaf: TypeAlias = Callable[[tree.Place | tree.Reduction], Expr]
Application: TypeAlias = Callable[[str, tuple[Expr, ...]], Expr]


def translate(node: tree.Node, leaf: Leaf, apply: Application) -> Expr:
    """The expression of a node; ``leaf`` gives that of a place or a reduction, ``apply`` that of a function's value.

    Raises TypeError for nodes that stand only in printed formulas (matrices, partial derivatives).
    """

    def inner(part: tree.Node) -> Expr:
        return translate(part, leaf, apply)

    match node:
        case tree.Number(text=text):
            return Rational(text)
        case tree.Place() | tree.Reduction():
            return leaf(node)
        case tree.Apply(function="where", arguments=(condition, then, otherwise)):
            return Where(inner(condition), inner(then), inner(otherwise))
        case tree.Apply(function=function, arguments=arguments):
            return apply(function, tuple(inner(argument) for argument in arguments))
        case tree.Negative(operand=operand):
            return -inner(operand)
        case tree.Add(terms=terms):
            return Add(*map(inner, terms))
        case tree.Product(factors=factors):
            return Mul(*map(inner, factors))
        case tree.Quotient(numerator=numerator, denominator=denominator):
            return inner(numerator) / inner(denominator)
        case tree.Power(base=base, exponent=exponent):
            return Pow(inner(base), inner(exponent))
        case tree.Comparison(operator=operator, left=left, right=right):
            return Compare(operator, inner(left), inner(right))
    raise TypeError(f"{type(node).__name__} has no value")
