"""Logarithms of quantities, through their definitions: log of a softmax or a sigmoid from the logits.

``log(p[i])`` with ``p[i] = exp(z[i])/Σ exp(z[k])`` is ``(z[i] - m) - log Σ exp(z[k] - m)``, finite where p underflows;
``log(1 - p)`` of a sigmoid p is ``-log(1 + exp(z))``. The products they stand in are exact where 0 multiplies log 0.
"""

from __future__ import annotations

from sympy import Add, Expr, Mul, Number, Pow, S, cosh, exp, log

from backprop_cli.numeric.definitions import Definitions
from backprop_cli.numeric.exponentials import Shifts, as_one, is_exponential, of_two, parts
from backprop_cli.numeric.functions import Numeric
from backprop_cli.symbolic.notation import Reduce


def logarithm(argument: Expr, definitions: Definitions, shifts: Shifts) -> Expr:
    """log of the argument, equal to it and finite wherever its exact value is."""
    result = _of_product(_cosh_written_out(definitions.written_out(argument)), shifts)
    if result is not None:
        return result
    if isinstance(argument, Add) and S.One in argument.args:
        return Numeric("log1p", argument - 1)
    return log(argument)


def _cosh_written_out(product: Expr) -> Expr:
    """log(cosh(z)) has no reason to overflow where cosh(z) does."""
    found = [factor for factor in Mul.make_args(product) if isinstance(factor, cosh)]
    return product.xreplace({factor: (exp(factor.args[0]) + exp(-factor.args[0])) / 2 for factor in found})


def _of_product(product: Expr, shifts: Shifts) -> Expr | None:
    exponent, sums, rest = parts(Mul.make_args(product))
    if exponent is S.Zero and not sums:
        return None
    if len(sums) == 1 and (simple := of_two(exponent, *sums[0])) is not None:
        exponent, sums, more = parts(simple)
        rest += more
    logarithms: list[Expr] = []
    for total, power in sums:
        if (pair := _pair(total)) is not None:
            logarithms.append(power * Numeric("logaddexp", *pair))
            continue
        m = shifts.largest(total)
        exponent = exponent + power * m
        if is_positive(total):
            logarithms.append(power * log(shifts.shifted(total, m)))
        else:  # its sign may need that of another factor
            rest.append(Pow(shifts.shifted(total, m), power))
    if rest and rest != [S.One]:
        logarithms.append(log(Mul(*rest)))
    return Add(as_one(exponent), *logarithms)


def _pair(total: Expr) -> tuple[Expr, Expr] | None:
    """The exponents of a sum of two exponentials, for logaddexp: the one that varies first."""
    if not isinstance(total, Add) or len(total.args) != 2:
        return None
    if not all(term is S.One or is_exponential(term) for term in total.args):
        return None
    first, second = sorted(total.args, key=lambda term: term is S.One)
    return first.args[0], S.Zero if second is S.One else second.args[0]


def is_positive(total: Expr) -> bool:
    """Whether it is a sum of exponentials and positive numbers, which is never 0."""
    if isinstance(total, Reduce):
        return is_positive(total.body)
    if isinstance(total, Add | Mul):
        return all(is_positive(part) for part in total.args)
    return is_exponential(total) or bool(isinstance(total, Number) and total > 0)
