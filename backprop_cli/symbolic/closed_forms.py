"""Derivatives written in the value of the function itself: ``1 - a²`` for tanh, ``a(1 - a)`` for 1/(1 + e⁻ᶻ), softmax.

For an equation ``v = E`` the forward pass has already computed v, so a derivative in v costs nothing and is what
textbooks show. It is found, not looked up: where E is a Möbius function of one head h (a power of ``exp(z)``,
``tanh(z)``, …, or a choice, such as ``where(u <= t, exp(s), 0)`` in a masked softmax), the equation is solved for h and
the solution is put into the derivative. A result that needs a new quantity, divides by one, is no shorter or brings
back a term of ``E`` (``v - z³`` for ``exp(z)``) is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce
from math import gcd

from sympy import (
    Add,
    Dummy,
    Expr,
    Function,
    Mul,
    Poly,
    PolynomialError,
    Pow,
    Rational,
    S,
    Symbol,
    cancel,
    exp,
    factor,
    fraction,
    igcd,
    ilcm,
    together,
)

from backprop_cli.symbolic.notation import Place, Reduce, Where

Definition = tuple[Expr, Expr]  # v and its E


def in_terms_of_values(derivative: Expr, definitions: Sequence[Definition]) -> Expr:
    """The derivative rewritten in the values v of the definitions ``v = E`` where that makes it simpler.

    Equal to ``derivative`` wherever the definitions hold; returned unchanged where no closed form is found.
    """
    if not any(e.has(Function) for _, e in definitions) or not derivative.free_symbols | derivative.atoms(Place):
        return derivative
    hidden: dict[Expr, Expr] = {}
    for expression in (derivative, *(side for definition in definitions for side in definition)):
        _hide(expression, hidden)
    pairs = tuple((v.xreplace(hidden), e.xreplace(hidden)) for v, e in definitions)
    back = {symbol: node for node, symbol in hidden.items()}
    return _rewritten(derivative.xreplace(hidden), pairs).xreplace(back)


def _hide(expression: Expr, table: dict[Expr, Expr]) -> None:
    """Numbers the places and reductions of an expression, so that equal shapes become equal keys of the cache."""
    stack: list[Expr] = [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, Place | Reduce):
            table.setdefault(node, Symbol(f"p{len(table)}", real=True))
        else:
            stack.extend(reversed([part for part in node.args if isinstance(part, Expr)]))


@lru_cache(maxsize=4096)
def _rewritten(derivative: Expr, definitions: tuple[Definition, ...]) -> Expr:
    values = {v for v, _ in definitions}
    candidates = [derivative.xreplace({e: v for v, e in definitions if e.has(Function)})]
    for v, e in definitions:
        candidates.extend(_solved_for_a_head(candidates[-1], v, e))
    tidy = [tidied(candidate) for candidate in candidates[1:] + candidates[:1] if candidate != derivative]
    terms = {term for _, e in definitions for term in Add.make_args(e) if term != e and not term.is_number}
    accepted = [candidate for candidate in tidy if _acceptable(candidate, derivative, values, terms)]
    return min(accepted, key=_size, default=derivative)


def _acceptable(result: Expr, derivative: Expr, values: set[Expr], terms: set[Expr]) -> bool:
    divides = _denominator(result) - _denominator(derivative)
    known = derivative.free_symbols | values
    brought_back = any(result.has(term) and not derivative.has(term) for term in terms)
    return result.free_symbols <= known and not divides and not brought_back and _size(result) < _size(derivative)


def _denominator(expression: Expr) -> set[Expr]:
    """What the expression divides by. ``1 + e⁻ᶻ`` is no division by z: it is never 0."""
    plain = expression.xreplace({call: Dummy(positive=True) for call in expression.atoms(Function)})
    return set(fraction(together(plain))[1].free_symbols & expression.free_symbols)


def _size(expression: Expr) -> int:
    return int(expression.count_ops())


def _solved_for_a_head(derivative: Expr, v: Expr, e: Expr) -> list[Expr]:
    """The derivative with a head of ``v = e`` replaced by its solution, one result for each head that has one."""
    found = []
    for head in _heads(e):
        base = Dummy("x", positive=True)
        try:
            in_e = _in_powers(e, head, e, base)
            in_derivative = _in_powers(derivative, head, e, base)
            if in_derivative is None or in_e is None or not in_derivative[0].has(base) | in_derivative[1].has(base):
                continue
            step = _common_step((*in_e, *in_derivative), base)
            power = _solution(in_e[0] - v * in_e[1], base, step)
            if power is not None:
                numerator, denominator = (_put_in(side, base, step, power) for side in in_derivative)
                found.append(numerator / denominator)
        except PolynomialError:
            continue
    return found


def _heads(e: Expr) -> list[Expr]:
    """The functions and the choices between functions that ``e`` is made of, none of which stands in a choice."""
    choices = [choice for choice in e.atoms(Where) if choice.has(Function)]
    outermost = [one for one in choices if not any(one != other and other.has(one) for other in choices)]
    plain = e.xreplace({choice: Dummy() for choice in outermost})
    return sorted([*plain.atoms(Function), *outermost], key=lambda head: (head.count_ops(), str(head)))


def _in_powers(expression: Expr, head: Expr, e: Expr, base: Symbol) -> tuple[Expr, Expr] | None:
    """Numerator and denominator as polynomials in ``base``: the head itself, or for ``exp(g)`` the largest root
    ``exp(g/n)`` of which every exponential of a multiple of g in ``e`` is a whole power."""
    if not isinstance(head, exp):
        return fraction(cancel(together(expression.xreplace({head: base}))))
    ratios = {other: other.args[0] / head.args[0] for other in (e.atoms(exp) | expression.atoms(exp))}
    ratios = {other: ratio for other, ratio in ratios.items() if isinstance(ratio, Rational)}
    unit = Rational(igcd(*(r.p for r in ratios.values()), 0), ilcm(*(r.q for r in ratios.values()), 1))
    rules = {other: Pow(base, ratio / unit) for other, ratio in ratios.items()}
    return fraction(cancel(together(expression.xreplace(rules))))


def _common_step(polynomials: Sequence[Expr], base: Symbol) -> int:
    exponents = [monomial[0] for side in polynomials for monomial in Poly(side, base).monoms()]
    return reduce(gcd, exponents) or 1


def _solution(equation: Expr, base: Symbol, step: int) -> Expr | None:
    """``base**step`` from an equation that is linear in it, else None."""
    coefficients = Poly(equation, base).as_dict()
    if set(coefficients) - {(0,), (step,)} or (step,) not in coefficients:
        return None
    return -coefficients.get((0,), S.Zero) / coefficients[(step,)]


def _put_in(polynomial: Expr, base: Symbol, step: int, power: Expr) -> Expr:
    return sum(c * power ** (exponent // step) for (exponent,), c in Poly(polynomial, base).as_dict().items())


def tidied(expression: Expr) -> Expr:
    """The shortest of the expression as it is, cancelled, and factored, with ``-a(a - 1)`` turned into ``a(1 - a)``."""
    if not expression.free_symbols:
        return expression
    try:
        short = cancel(together(expression))
        return min((_turned(factor(short)), expression, short), key=_size)
    except PolynomialError:
        return expression


def _turned(expression: Expr) -> Expr:
    """A product without a leading minus sign, where one of its differences can take it up."""
    number, rest = expression.as_coeff_Mul()
    factors = list(Mul.make_args(rest))
    turned = [_upright(part) for part in factors]
    sign = Mul(*(S.NegativeOne for before, after in zip(factors, turned, strict=True) if before != after))
    return Mul(number * sign, *turned) if (number * sign).is_positive or not number.is_positive else expression


def _upright(part: Expr) -> Expr:
    """``1 - a`` for ``a - 1``: a difference with its number first and positive."""
    if part.is_Add and part.as_coeff_Add()[0].is_negative:
        return Mul(S.NegativeOne, part)
    return part
