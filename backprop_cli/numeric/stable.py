"""Formulas rewritten so that they can be computed in double precision: equal in value, never shown to anyone.

What overflows is only what overflows in exact arithmetic: see :mod:`exponentials` and :mod:`logarithms`. Where a target
is 0, a logarithm or a quotient that it multiplies counts as 0 even if the probability has underflowed to 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from sympy import Add, Expr, Mul, Pow, S, Symbol, cosh, erf, exp, log, sinh, tanh

from backprop_cli.numeric.cancelling import cancelled
from backprop_cli.numeric.definitions import Definition, Definitions
from backprop_cli.numeric.exponentials import Shifts, fractions, is_exponential, without_overflow
from backprop_cli.numeric.functions import Numeric, recognised
from backprop_cli.numeric.logarithms import is_positive, logarithm
from backprop_cli.symbolic.formulas import Formula, Term, canonical
from backprop_cli.symbolic.graph import Graph, Role
from backprop_cli.symbolic.notation import Adjoint, Compare, Place, Reduce, Where

WITHOUT_GRADIENT = (Role.TARGET, Role.CONSTANT)
Rewritten: TypeAlias = tuple[Mapping[Symbol, int], list[Expr]]  # what a product is summed over, and its factors


class Stable:
    """The rewriting for one graph, whose definitions it may put in for quantities."""

    def __init__(self, graph: Graph) -> None:
        self._shifts = Shifts()
        defined = {q.name: q for q in graph.quantities if q.definition is not None}
        table = {name: Definition(q.indices, canonical(q.definition)) for name, q in defined.items()}
        self._definitions = Definitions(table)
        self._targets = frozenset(quantity.name for quantity in graph.with_role(*WITHOUT_GRADIENT))
        self._logged = frozenset(
            place.name
            for definition in table.values()
            for call in definition.expression.atoms(log)
            for place in call.args[0].atoms(Place)
        )

    def terms(self, formula: Formula, adjoints: Mapping[str, Formula]) -> list[Rewritten]:
        """The products whose sum an adjoint is, rewritten: what each is summed over, with sizes, and its factors.
        What the formula scatters is left out."""
        return self._rewritten(formula.terms if formula.direct is None else formula.direct, adjoints)

    def scattered(
        self, formula: Formula, adjoints: Mapping[str, Formula]
    ) -> list[tuple[tuple[Expr, ...], list[Rewritten], list[Rewritten]]]:
        """What is scattered: at which positions, the products, and the same products solved for one entry."""
        return [
            (one.positions, self._rewritten([one.term], adjoints), self._rewritten(one.solved, adjoints))
            for one in formula.scattered
        ]

    def _rewritten(self, terms: Iterable[Term], adjoints: Mapping[str, Formula]) -> list[Rewritten]:
        found = [part for term in terms for part in cancelled(term, adjoints, self._definitions)]
        apart = [(term.sums, factors) for term in found for factors in fractions(term.factors)]
        return [(dict(sums), self.factors([canonical(factor) for factor in factors])) for sums, factors in apart]

    def factors(self, factors: Sequence[Expr]) -> list[Expr]:
        """The factors of a product, rewritten one by one and against each other."""
        flat = [part for factor in factors for part in Mul.make_args(self.expression(factor))]
        if self._definitions:
            flat = self._growing_put_in(flat)
        if any(is_exponential(factor) for factor in flat) or sum(factor.has(exp) for factor in flat) > 1:
            flat = without_overflow(flat, self._shifts)
        flat = _quotients_of_hyperbolic(flat)
        weights = [factor for factor in flat if self._is_of_targets(factor)]
        return [self._exact_at_0(factor, weights[0]) for factor in flat] if weights else flat

    def _growing_put_in(self, factors: list[Expr]) -> list[Expr]:
        """e/s with e[i] = exp(z[i]) and s = sum(e[k], k), which may both overflow, from their definitions."""
        divisors = [
            factor.base for factor in factors if isinstance(factor, Pow) and factor.exp.could_extract_minus_sign()
        ]
        if not any(self._definitions.grows(place) for divisor in divisors for place in divisor.atoms(Place)):
            return factors
        return [part for factor in factors for part in Mul.make_args(self._definitions.written_out(factor))]

    def expression(self, expression: Expr) -> Expr:
        """The expression rewritten, from the inside out."""
        if not expression.args or isinstance(expression, Place):
            return expression
        if isinstance(expression, Mul):
            return Add(*(Mul(*self.factors(factors)) for factors in fractions(expression.args)))
        if isinstance(expression, Reduce):
            body = self.expression(expression.body)
            return Reduce(expression.operation, body, expression.bound, expression.size)
        if isinstance(expression, log):
            return self._inside(logarithm(expression.args[0], self._definitions, self._shifts))
        parts = [self.expression(part) if isinstance(part, Expr) else part for part in expression.args]
        if isinstance(expression, Where):
            return self._choice(*parts)
        if isinstance(expression, Add):
            return _differences(Add(*parts))
        result = expression.func(*parts)
        if isinstance(result, Pow) and result.exp.is_Integer and result.exp < 0:
            return Mul(*without_overflow([result], self._shifts))
        return result

    def _inside(self, found: Expr) -> Expr:
        """What still stands in the logarithms of a logarithm that was written out is rewritten too."""
        if isinstance(found, log):
            return log(self.expression(found.args[0]))
        if isinstance(found, Mul | Add | Numeric):
            return found.func(*(self._inside(part) if isinstance(part, Expr) else part for part in found.args))
        return found

    def _choice(self, condition: Expr, then: Expr, otherwise: Expr) -> Expr:
        """In the branch for z ≤ 0, exp(z) is computed of no larger z: what is not chosen shall not overflow."""
        if isinstance(condition, Compare) and condition.operator in (">", ">=") and condition.right is S.Zero:
            z = condition.left
            if otherwise.has(exp):
                bounded: Mapping[Expr, Expr] = {exp(z): exp(Numeric("minimum", z, 0))}
                otherwise = otherwise.xreplace(bounded)
        choice = Where(condition, then, otherwise)
        return recognised(choice) if isinstance(choice, Where) else choice

    def _is_of_targets(self, factor: Expr) -> bool:
        """Whether the factor is made of targets and constants alone, so that it may well be 0."""
        places = factor.atoms(Place)
        return bool(places) and all(p.name in self._targets and not isinstance(p, Adjoint) for p in places)

    def _exact_at_0(self, factor: Expr, weight: Expr) -> Expr:
        """w·log(q) and w/p are 0 where w is, also for q = 0 and for a p that is positive and has underflowed."""
        zero = Compare("==", weight, 0)
        if isinstance(factor, Add | Mul) and factor.has(log):
            return factor.func(*(self._exact_at_0(part, weight) for part in factor.args))
        if isinstance(factor, log) and factor.args[0].has(Place) and not is_positive(factor.args[0]):
            return log(Where(zero, S.One, factor.args[0]))
        if isinstance(factor, Numeric) and factor.name == "log1p":
            return Numeric("log1p", Where(zero, S.Zero, factor.operands[0]))
        divides = isinstance(factor, Pow) and factor.exp.is_Integer and factor.exp < 0
        if divides and self._had_to_be_positive(factor.base):
            return Pow(Where(zero, S.One, factor.base), factor.exp)
        return factor

    def _had_to_be_positive(self, base: Expr) -> bool:
        names = {place.name for place in base.atoms(Place)}
        return bool(names) and isinstance(base, Place | Add) and names <= self._logged


def _quotients_of_hyperbolic(factors: list[Expr]) -> list[Expr]:
    """sinh(z)/cosh(z) is tanh(z), which does not overflow."""
    result = list(factors)
    for factor in factors:
        if isinstance(factor, Pow) and isinstance(factor.base, cosh) and factor.exp is S.NegativeOne:
            above = sinh(factor.base.args[0])
            if above in result:
                result.remove(above)
                result[result.index(factor)] = tanh(factor.base.args[0])
    return result


def _differences(total: Expr) -> Expr:
    """exp(e) - 1 and 1 ± erf(e) by the functions that lose no digits there."""
    if not isinstance(total, Add):
        return total
    number, rest = total.as_coeff_Add()
    terms = list(Add.make_args(rest))
    if number is S.One:
        for sign in (S.One, S.NegativeOne):
            found = next((t for t in terms if isinstance(sign * t, erf)), None)
            if found is not None:
                terms.remove(found)
                return Add(Numeric("erfc", -sign * (sign * found).args[0]), *terms)
    if number is S.NegativeOne:
        found = next((t for t in terms if is_exponential(t)), None)
        if found is not None:
            terms.remove(found)
            return Add(Numeric("expm1", found.args[0]), *terms)
    return total
