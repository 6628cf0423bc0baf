"""Local derivatives that are 0 although their formula does not look it: the sum of all deviations from a mean.

``∂var/∂μ`` is a multiple of ``Σ_n (μ - x_n)``, and with μ put in, ``Σ_n x_n - Σ_n x_n`` is left. The formula stays as
the rule gives it; a remark says that it comes to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Add, Expr, Integer, Mul, Rational, S

from backprop_cli.symbolic.formulas import Term, canonical
from backprop_cli.symbolic.graph import Quantity
from backprop_cli.symbolic.notation import Place, Reduce

SUMS = ("sum", "mean")


def vanishes(terms: Sequence[Term], quantity: Quantity) -> bool:
    """Whether the terms add up to 0 once the quantity's definition is put in; only sums are looked into."""
    definition = quantity.definition
    if definition is None or not definition.has(Reduce) or not terms:
        return False
    total = Add(*(term.expression for term in terms))
    found = [place for place in total.atoms(Place) if place.name == quantity.name]
    if not found or not total.has(Reduce):
        return False
    put_in: dict[Expr, Expr] = {
        place: canonical(definition).xreplace(dict(zip(quantity.indices, place.positions, strict=True)))
        for place in found
    }
    return canonical(_apart(total.xreplace(put_in))).expand() is S.Zero


def _apart(expression: Expr) -> Expr:
    """The expression with every sum and mean taken apart: term by term, and with what no index concerns in front."""
    if not expression.args or isinstance(expression, Place):
        return expression
    if not isinstance(expression, Reduce):
        return expression.func(*(_apart(part) for part in expression.args))
    if expression.operation not in SUMS:
        return expression
    bound, size = expression.bound, expression.size
    share = S.One if expression.operation == "sum" else Rational(1, size)
    terms = []
    for term in Add.make_args(_apart(expression.body).expand()):
        inside = [factor for factor in Mul.make_args(term) if bound in factor.free_symbols]
        outside = [factor for factor in Mul.make_args(term) if factor not in inside]
        summed = Reduce("sum", Mul(*inside), bound, size) if inside else Integer(size)
        terms.append(Mul(share, *outside, summed))
    return Add(*terms)
