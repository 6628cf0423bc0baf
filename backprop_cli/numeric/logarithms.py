"""Logarithms of quantities, through their definitions: log of a softmax or a sigmoid from the logits.

``log(p[i])`` with ``p[i] = exp(z[i])/Σ exp(z[k])`` is ``(z[i] - m) - log Σ exp(z[k] - m)``, finite where p underflows;
``log(1 - p)`` of a sigmoid p is ``-log(1 + exp(z))``. The products they stand in are exact where 0 multiplies log 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Add, Dummy, Expr, Mul, Number, Pow, S, Symbol, cancel, exp, fraction, log, together

from backprop_cli.numeric.exponentials import Shifts, is_exponential, is_sum_of_exponentials, of_two, parts
from backprop_cli.numeric.exponentials import together as as_one
from backprop_cli.numeric.functions import Numeric
from backprop_cli.symbolic.functions import expanded
from backprop_cli.symbolic.notation import Adjoint, Place, Reduce, fresh_index

DEPTH = 8  # how many definitions may stand between a logarithm and its exponentials


@dataclass(frozen=True)
class Definition:
    """``name[indices] = expression``."""

    indices: tuple[Symbol, ...]
    expression: Expr


class Definitions:
    """The equations of a graph, put in for their left sides where those are made of exponentials."""

    def __init__(self, table: Mapping[str, Definition]) -> None:
        self._table = table
        self._known: dict[tuple[str, int], Expr | None] = {}

    def exponential(self, place: Place, depth: int = DEPTH) -> Expr | None:
        """What the place is defined as, if that is a product of exponentials and sums of them; else None."""
        if isinstance(place, Adjoint) or place.name not in self._table or depth == 0:
            return None
        definition = self._table[place.name]
        found = self._found(place.name, depth)
        if found is None:
            return None
        return fresh_bounds(found).xreplace(dict(zip(definition.indices, place.positions, strict=True)))

    def _found(self, name: str, depth: int) -> Expr | None:
        if (name, depth) not in self._known:
            expression = _sigmoids_written_out(self._table[name].expression)
            self._known[name, depth] = self._made_of_exponentials(expression, depth)
        return self._known[name, depth]

    def _made_of_exponentials(self, expression: Expr, depth: int) -> Expr | None:
        written: list[Expr] = []
        found = False
        for factor in Mul.make_args(expression):
            base, power = factor.as_base_exp() if isinstance(factor, Pow) else (factor, S.One)
            inner = self.exponential(base, depth - 1) if isinstance(base, Place) and power.is_Integer else None
            found = found or inner is not None or is_exponential(factor) or is_sum_of_exponentials(base)
            written.append(factor if inner is None else Pow(inner, power))
        return Mul(*written) if found else None


def fresh_bounds(expression: Expr) -> Expr:
    """The expression with bound indices that occur nowhere else, so that it can be put in anywhere."""
    if not expression.has(Reduce):
        return expression
    if isinstance(expression, Reduce):
        bound = fresh_index(expression.bound.name)
        body = fresh_bounds(expression.body).xreplace({expression.bound: bound})
        return Reduce(expression.operation, body, bound, expression.size)
    return expression.func(*(fresh_bounds(part) if isinstance(part, Expr) else part for part in expression.args))


def _sigmoids_written_out(expression: Expr) -> Expr:
    """Library functions that are made of exponentials, by their definitions, except inside other functions."""
    name = type(expression).__name__
    if name == "sigmoid":
        return expanded(expression)
    if isinstance(expression, Add | Mul | Pow):
        return expression.func(*map(_sigmoids_written_out, expression.args))
    return expression


def logarithm(argument: Expr, definitions: Definitions, shifts: Shifts) -> Expr:
    """log of the argument, equal to it and finite wherever its exact value is."""
    written = _written_out(argument, definitions)
    result = _of_product(written, shifts) if written is not None else None
    if result is not None:
        return result
    if isinstance(argument, Add) and S.One in argument.args:
        return Numeric("log1p", argument - 1)
    return log(argument)


def _written_out(argument: Expr, definitions: Definitions) -> Expr | None:
    """The argument as a product of exponentials and sums of them, if it is one."""
    argument = _sigmoids_written_out(argument)
    if isinstance(argument, Add):
        inlined = argument.xreplace(_inlined(argument, definitions))
        return _as_quotient(inlined) if inlined.has(exp) else None
    result = [
        factor if inner is None else Pow(inner, power)
        for factor in Mul.make_args(argument)
        for base, power in [factor.as_base_exp() if isinstance(factor, Pow) else (factor, S.One)]
        for inner in [definitions.exponential(base) if isinstance(base, Place) else None]
    ]
    return Mul(*result)


def _inlined(argument: Expr, definitions: Definitions) -> dict[Expr, Expr]:
    places = [part for term in argument.args for part in Mul.make_args(term) if isinstance(part, Place)]
    found = {place: definitions.exponential(place) for place in places}
    return {place: inner for place, inner in found.items() if inner is not None}


def _as_quotient(total: Expr) -> Expr | None:
    """1 - 1/(1 + exp(-z)) as exp(-z)/(1 + exp(-z)): a sum that is a quotient without negative terms; or the sum itself,
    where all its terms are positive."""
    hidden: dict[Expr, Expr] = {}
    heads = [node for node in total.atoms(exp, Reduce, Place) if isinstance(node, Expr)]
    for node in sorted(heads, key=lambda node: -node.count_ops()):
        hidden[node] = Dummy(positive=is_exponential(node))
    back = {symbol: node for node, symbol in hidden.items()}
    above, below = fraction(cancel(together(total.xreplace(hidden))))
    if any(_has_negative_term(part) for part in (above, below)):
        return None
    return (above.xreplace(back)) / (below.xreplace(back))


def _has_negative_term(expression: Expr) -> bool:
    return any(term.could_extract_minus_sign() for term in Add.make_args(expression))


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
        if _is_positive(total):
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


def _is_positive(total: Expr) -> bool:
    if isinstance(total, Reduce):
        return _is_positive(total.body)
    if isinstance(total, Add | Mul):
        return all(_is_positive(part) for part in total.args)
    return is_exponential(total) or bool(isinstance(total, Number) and total > 0)
