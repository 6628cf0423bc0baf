"""Sums of exponentials whose largest exponent is taken out, so that nothing overflows: S = exp(m)·S'.

The identity holds for every m; a product in which the powers of exp(m) cancel, or meet another exponential, is then
computed without them. Softmax with a temperature, weights or a mask, ``1 + exp(z)`` and ``1 + Σ exp(z)`` are all such
products.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import product

from sympy import Add, Expr, Mul, Number, Pow, S, Symbol, exp

from backprop_cli.numeric.functions import Numeric
from backprop_cli.symbolic.notation import Compare, Reduce, Where, fresh_index


def is_exponential(expression: Expr) -> bool:
    """Whether it is exp of something that is no number."""
    return isinstance(expression, exp) and not expression.args[0].is_number


def is_sum_of_exponentials(expression: Expr) -> bool:
    """A sum, over an index or of terms, that holds exponentials as terms, with or without factors."""
    return isinstance(expression, Add | Reduce) and _holds_exponential(expression)


def _holds_exponential(expression: Expr) -> bool:
    if isinstance(expression, Reduce):
        return expression.operation == "sum" and _holds_exponential(expression.body)
    if isinstance(expression, Add | Mul):
        return any(_holds_exponential(part) for part in expression.args)
    if isinstance(expression, Where):
        return _holds_exponential(expression.then) or _holds_exponential(expression.otherwise)
    return is_exponential(expression)


class Shifts:
    """Largest exponents. One bound index gets one partner, so that equal sums have equal largest exponents."""

    def __init__(self) -> None:
        self._partners: dict[Symbol, Symbol] = {}

    def largest(self, total: Expr) -> Expr:
        """m: the largest exponent in a sum of exponentials; terms that are 0 do not count."""
        if is_exponential(total):
            return total.args[0]
        if isinstance(total, Add):
            return reduce(lambda left, right: Numeric("maximum", left, right), map(self.largest, total.args))
        if isinstance(total, Reduce) and total.operation == "sum":
            partner = self._partners.setdefault(total.bound, fresh_index(total.bound.name))
            body = self.largest(total.body)
            if not body.has(total.bound):
                return body
            return Reduce("max", body.xreplace({total.bound: partner}), partner, total.size)
        if isinstance(total, Where):
            then, otherwise = self.largest(total.then), self.largest(total.otherwise)
            return Where(total.condition, then, otherwise)
        if total is S.Zero:
            return S.NegativeInfinity
        if isinstance(total, Mul):
            inner = [part for part in total.args if _holds_exponential(part)]
            weight = Mul(*(part for part in total.args if part not in inner))
            exponent = Add(*map(self.largest, inner)) if inner else S.Zero
            return exponent if weight.is_number else Where(Compare("!=", weight, 0), exponent, S.NegativeInfinity)
        return S.Zero

    def shifted(self, total: Expr, m: Expr, bounded: bool = True) -> Expr:
        """S' = S·exp(-m); ``bounded``: m is the largest exponent of this very sum."""
        if isinstance(total, Add):
            return Add(*(self.shifted(part, m, bounded) for part in total.args))
        if isinstance(total, Reduce) and total.operation == "sum":
            return Reduce("sum", self.shifted(total.body, m, bounded), total.bound, total.size)
        if isinstance(total, Where):
            then, otherwise = (self.shifted(part, m, bounded) for part in (total.then, total.otherwise))
            return Where(total.condition, then, otherwise)
        inner = [part for part in Mul.make_args(total) if _holds_exponential(part)]
        if not inner:
            return total * exp(as_one(-m))
        weight = Mul(*(part for part in Mul.make_args(total) if part not in inner))
        if not is_exponential(inner[0]):
            return Mul(weight, self.shifted(inner[0], m, bounded), *inner[1:])
        exponent = as_one(as_one(inner[0].args[0]) - m)
        if bounded and not weight.is_number:  # where the weight is 0, the exponent may be greater than m
            exponent = Numeric("minimum", exponent, 0)
        return Mul(weight, exp(exponent), *inner[1:])


def as_one(exponent: Expr) -> Expr:
    """The difference as one thing: (z - m) - log S keeps its digits where z - (m + log S) loses them."""
    return Numeric("together", exponent) if isinstance(exponent, Add) else exponent


def parts(factors: Sequence[Expr]) -> tuple[Expr, list[tuple[Expr, int]], list[Expr]]:
    """A product as the exponent of its exponentials, its sums of exponentials with their powers, and the rest."""
    exponent: Expr = S.Zero
    sums: list[tuple[Expr, int]] = []
    rest: list[Expr] = []
    for factor in factors:
        base, power = factor.as_base_exp() if isinstance(factor, Pow) else (factor, S.One)
        if is_exponential(factor):
            exponent = exponent + factor.args[0]
        elif power.is_Integer and is_sum_of_exponentials(base):
            sums.append((base, int(power)))
        else:
            rest.append(factor)
    return exponent, sums, rest


def fractions(factors: Sequence[Expr]) -> list[tuple[Expr, ...]]:
    """A product of an exponential and a sum of fractions with exponentials below, as the products it is the sum of."""
    if not any(is_exponential(factor) for factor in factors):
        return [tuple(factors)]
    return list(product(*(Add.make_args(f) if _divides_by_exponentials(f) else (f,) for f in factors)))


def _divides_by_exponentials(factor: Expr) -> bool:
    return isinstance(factor, Add) and any(
        power.exp.is_negative and is_sum_of_exponentials(power.base) for power in factor.atoms(Pow)
    )


def without_overflow(factors: Sequence[Expr], shifts: Shifts) -> list[Expr]:
    """The factors of a product with their common exponentials cancelled; unchanged where nothing could overflow in the
    product that does not overflow in its value."""
    exponent, sums, rest = parts(factors)
    below = [(total, power) for total, power in sums if power < 0]
    if not below or (exponent is S.Zero and len(sums) == 1):
        return list(factors)
    if len(sums) == 1 and (simple := of_two(exponent, *sums[0])) is not None:
        return [*rest, *simple]
    # A sum above is usually one of the same exponentials as the sum below, with weights: it takes the same m, unless
    # some of the exponentials below do not count for it.
    common = shifts.largest(below[0][0])
    if len(below) > 1 or common.has(Where):
        common = None
    result: list[Expr] = list(rest)
    shift: Expr = S.Zero
    for total, power in sums:
        m = shifts.largest(total) if common is None else common
        shift = shift + power * m
        result.append(Pow(shifts.shifted(total, m, bounded=common is None), power))
    exponent = exponent if shift is S.Zero else as_one(exponent) + shift
    if exponent is not S.Zero:
        result.append(exp(as_one(_bounded(exponent, rest, below))))
    return result


def _bounded(exponent: Expr, rest: Sequence[Expr], below: Sequence[tuple[Expr, int]]) -> Expr:
    """Where a weight that may be 0 multiplies the exponential above as it does below, the exponent is at most 0 unless
    the weight is 0; the bound keeps 0·exp(1000) from being 0·inf."""
    if len(below) != 1 or below[0][1] != -1:
        return exponent
    total = below[0][0]
    if not isinstance(total, Reduce) or not isinstance(total.body, Mul):
        return exponent
    weights = [part for part in total.body.args if not _holds_exponential(part) and not isinstance(part, Number)]
    if any(_same_at(weight, total.bound, part) for weight in weights for part in rest):
        return Numeric("minimum", as_one(exponent), 0)
    return exponent


def _same_at(weight: Expr, bound: Symbol, part: Expr) -> bool:
    """Whether the part is the weight at some other index."""
    symbols = sorted((symbol for symbol in part.free_symbols if isinstance(symbol, Symbol)), key=str)
    return any(weight.xreplace({bound: symbol}) == part for symbol in symbols)


def of_two(exponent: Expr, total: Expr, power: int) -> list[Expr] | None:
    """exp(E)/(p·exp(a) + q·exp(b))ⁿ with E = j·a + (n-j)·b, as powers of 1/(p + q·exp(b - a)) and its partner."""
    if not isinstance(total, Add) or len(total.args) != 2:
        return None
    if power >= 0:
        return None
    (p, a), (q, b) = (_weight_and_exponent(term) for term in total.args)
    if a is None or b is None:
        return None
    count = -power
    for j in range(count + 1):
        if (exponent - j * a - (count - j) * b).expand() is S.Zero:
            first, second = p + q * exp((b - a).expand()), q + p * exp((a - b).expand())
            return [part for part in (Pow(first, -j), Pow(second, j - count)) if part is not S.One]
    return None


def _weight_and_exponent(term: Expr) -> tuple[Expr, Expr | None]:
    if is_exponential(term):
        return S.One, term.args[0]
    if isinstance(term, Mul):
        heads = [part for part in term.args if is_exponential(part)]
        weight = Mul(*(part for part in term.args if part not in heads))
        if len(heads) == 1 and not _holds_exponential(weight):
            return weight, heads[0].args[0]
        return S.One, None
    return (S.One, None) if _holds_exponential(term) else (term, S.Zero)
