"""The equations of a graph, put in for their left sides where those are made of exponentials.

Two kinds matter: *products* of exponentials and sums of them (softmax, sigmoid, whose value may underflow), and among
them the *growing* ones, which divide by nothing and may overflow (``e[i] = exp(z[i])``, ``s = sum(e[k], k)``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sympy import Add, Dummy, Expr, Integer, Mul, Number, Pow, S, Symbol, cancel, exp, fraction, tanh, together

from backprop_cli.numeric.exponentials import chosen_exponents, is_exponential, is_sum_of_exponentials
from backprop_cli.symbolic.functions import expanded
from backprop_cli.symbolic.notation import Adjoint, Place, Reduce, Where, fresh_index

MOST_OPERATIONS = 60  # of a sum that is tried as a quotient


class Definition(NamedTuple):
    """``name[indices] = expression``."""

    indices: tuple[Symbol, ...]
    expression: Expr


class Definitions:
    """What the quantities of a graph are defined as, if that is made of exponentials."""

    def __init__(self, table: Mapping[str, Definition]) -> None:
        self._table = table
        self._written: dict[str, Expr] = {}
        for name, definition in table.items():  # in order of computation, so each may use the ones before it
            written = self.written_out(definition.expression)
            if _is_made_of_exponentials(written):
                self._written[name] = written

    def __bool__(self) -> bool:
        return bool(self._written)

    def of(self, place: Expr) -> Expr | None:
        """What the place is, as a product of exponentials and sums of them, if it is one."""
        if not isinstance(place, Place) or isinstance(place, Adjoint) or place.name not in self._written:
            return None
        if not all(_stays_inside(position) for position in place.positions):
            return None  # outside its array a quantity reads 0, whatever its definition would come to there
        rules = dict(zip(self._table[place.name].indices, place.positions, strict=True))
        return fresh_bounds(self._written[place.name]).xreplace(rules)

    def grows(self, place: Expr) -> bool:
        """Whether the place may overflow where a quotient by it does not."""
        written = self._written.get(place.name) if isinstance(place, Place) else None
        if written is None or isinstance(place, Adjoint):
            return False
        return all(part.as_base_exp()[1] > 0 for part in Mul.make_args(written) if isinstance(part, Pow))

    def written_out(self, expression: Expr) -> Expr:
        """The expression as a product of exponentials and sums of them, as far as it is one."""
        expression = _by_exponentials(expression)
        if isinstance(expression, Add):
            quotient = as_quotient(self._inside(expression, growing_alone=False))
            return self._inside(expression) if quotient is None else quotient
        if isinstance(expression, Reduce):
            return self._inside(expression)
        return Mul(*(self._factor(factor) for factor in Mul.make_args(expression)))

    def _factor(self, factor: Expr) -> Expr:
        base, power = factor.as_base_exp() if isinstance(factor, Pow) else (factor, S.One)
        if isinstance(base, Place) and power.is_Integer:
            written = self.of(base)
            return factor if written is None else Pow(written, power)
        if isinstance(base, Add | Reduce | Where) and power.is_Integer:
            return Pow(self._inside(base), power)
        return factor

    def _inside(self, total: Expr, growing_alone: bool = True) -> Expr:
        """A sum with growing quantities put in; what is bounded, a probability, stays as it is."""
        if isinstance(total, Reduce):
            return Reduce(total.operation, self._inside(total.body), total.bound, total.size)
        if isinstance(total, Add | Mul):
            return total.func(*(self._inside(part, growing_alone) for part in total.args))
        if isinstance(total, Pow) and total.exp.is_Integer:
            return Pow(self._inside(total.base, growing_alone), total.exp)
        if isinstance(total, Where):
            branches = (self._inside(part, growing_alone) for part in (total.then, total.otherwise))
            return chosen_exponents(Where(total.condition, *branches))
        written = self.of(total) if not growing_alone or self.grows(total) else None
        return total if written is None else written


def _stays_inside(position: Expr) -> bool:
    """Whether a position is an index, a number, or a class number or token, which are checked to be inside."""
    looked_up = position - position.as_coeff_Add()[0]
    return isinstance(looked_up, Place) or isinstance(position, Symbol | Integer)


def fresh_bounds(expression: Expr) -> Expr:
    """The expression with bound indices that occur nowhere else, so that it can be put in anywhere."""
    if not expression.has(Reduce):
        return expression
    if isinstance(expression, Reduce):
        bound = fresh_index(expression.bound.name)
        body = fresh_bounds(expression.body).xreplace({expression.bound: bound})
        return Reduce(expression.operation, body, bound, expression.size)
    return expression.func(*(fresh_bounds(part) if isinstance(part, Expr) else part for part in expression.args))


def _is_made_of_exponentials(expression: Expr) -> bool:
    bases = [factor.as_base_exp()[0] if isinstance(factor, Pow) else factor for factor in Mul.make_args(expression)]
    return any(is_exponential(part) for part in Mul.make_args(expression)) or any(map(is_sum_of_exponentials, bases))


def _by_exponentials(expression: Expr) -> Expr:
    """Sigmoids, and 1 ± tanh, by the exponentials they are made of; nothing inside other functions."""
    if type(expression).__name__ == "sigmoid":
        return expanded(expression)
    if isinstance(expression, Add):
        one = any(isinstance(term, Number) for term in expression.args)
        return Add(*(_by_exponentials(_tanh_written_out(term) if one else term) for term in expression.args))
    if isinstance(expression, Mul | Pow):
        return expression.func(*map(_by_exponentials, expression.args))
    return expression


def _tanh_written_out(term: Expr) -> Expr:
    number, rest = term.as_coeff_Mul()
    if not isinstance(rest, tanh):
        return term
    power = exp(-2 * rest.args[0])
    return number * (1 - power) / (1 + power)


def as_quotient(total: Expr) -> Expr | None:
    """A sum as a quotient without negative terms, if it is one: 1 - 1/(1 + exp(-z)) is exp(-z)/(1 + exp(-z))."""
    negative = any(_has_negative_term(part) for part in (total, *(power.base for power in total.atoms(Pow))))
    divides = any(power.exp.is_negative for power in total.atoms(Pow))
    if not total.has(exp) or not (negative or divides) or total.count_ops() > MOST_OPERATIONS:
        return None
    nodes = [node for node in total.atoms(exp, Reduce, Place) if isinstance(node, Expr)]
    hidden: dict[Expr, Expr] = {}
    for node in sorted(nodes, key=lambda node: (-node.count_ops(), str(node))):
        hidden.setdefault(node, Dummy(positive=True if is_exponential(node) else None))
    back = {symbol: node for node, symbol in hidden.items()}
    above, below = fraction(cancel(together(total.xreplace(hidden))))
    if _has_negative_term(above) or _has_negative_term(below):
        return None
    quotient: Expr = above.xreplace(back) / below.xreplace(back)
    return quotient


def _has_negative_term(expression: Expr) -> bool:
    return any(term.could_extract_minus_sign() for term in Add.make_args(expression))
