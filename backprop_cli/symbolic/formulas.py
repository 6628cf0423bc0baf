"""A formula as the derivation keeps it: sums of products whose factors stay in teaching order.

SymPy's products and sums reorder their arguments, so a :class:`Term` keeps its factors as a tuple and multiplies them
only to evaluate. Bound indices are fresh while formulas are combined and are named by :func:`named` at the end, by
nesting, so that equal formulas are equal objects whatever their history.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from sympy import Add, Expr, Integer, Mul, Number, Rational, S, Symbol

from backprop_cli.symbolic.notation import Adjoint, Place, Reduce, fresh_index, index

BOUND_NAMES = ("k", "l", "m", "p", "q", "r", "s", "u", "v", "w")


class Term(NamedTuple):
    """``Σ over sums of the product of factors``; ``sums`` pairs each bound index with its size, outermost first."""

    sums: tuple[tuple[Symbol, int], ...]
    factors: tuple[Expr, ...]

    @property
    def expression(self) -> Expr:
        value: Expr = Mul(*(factor for factor in self.factors if factor.free_symbols & self.bound))
        for bound, size in reversed(self.sums):
            value = Reduce("sum", value, bound, size)
        return Mul(*(factor for factor in self.factors if not factor.free_symbols & self.bound), value)

    @property
    def bound(self) -> frozenset[Symbol]:
        return frozenset(symbol for symbol, _ in self.sums)

    def replace(self, rules: dict[Expr, Expr]) -> Term:
        """The term with subexpressions replaced; the caller makes sure that nothing is captured."""
        return Term(self.sums, tuple(factor.xreplace(rules) for factor in self.factors)) if rules else self


class Scattered(NamedTuple):
    """What is added to a quantity at ``positions``, for all values of the sums' indices; ``solved`` are the terms that
    say the same for one entry of the quantity."""

    term: Term
    positions: tuple[Expr, ...]
    solved: tuple[Term, ...]


@dataclass(frozen=True)
class Formula:
    """``target = Σ terms`` for all values of ``indices``, whose sizes are ``shape``. No terms: the target is 0.

    ``terms`` say everything. A program may rather add up ``direct`` and ``scattered``, which together are the same.
    """

    target: Place
    indices: tuple[Symbol, ...]
    shape: tuple[int, ...]
    terms: tuple[Term, ...]
    direct: tuple[Term, ...] | None = field(default=None, compare=False)
    scattered: tuple[Scattered, ...] = field(default=(), compare=False)
    constant: Expr | None = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "constant", self._constant())

    def _constant(self) -> Expr | None:
        """The value, where it is one number for all positions."""
        if not self.terms:
            return S.Zero
        if (
            len(self.terms) == 1
            and not self.terms[0].sums
            and all(isinstance(f, Number) for f in self.terms[0].factors)
        ):
            return Mul(*self.terms[0].factors)
        return None

    @property
    def expression(self) -> Expr:
        return Add(*(term.expression for term in self.terms))

    def at(self, positions: Iterable[Expr]) -> tuple[Term, ...]:
        """The terms with other positions put in for the indices; bound indices are fresh in the result."""
        rules = dict(zip(self.indices, positions, strict=True))
        return tuple(fresh(term).replace(rules) for term in self.terms)


def fresh(term: Term) -> Term:
    """The same term with bound indices that occur nowhere else."""
    rules: dict[Expr, Expr] = {symbol: fresh_index(readable(symbol.name)) for symbol, _ in term.sums}
    sums = tuple((rules[symbol], size) for symbol, size in term.sums)
    return Term(sums, tuple(canonical(factor).xreplace(rules) for factor in term.factors))


def without_idle_sums(term: Term) -> Term:
    """The term with every sum worked out whose index stands in no factor: ``Σ_n a`` over N samples is ``N·a``."""
    used = {symbol for factor in term.factors for symbol in factor.free_symbols}
    idle = [size for symbol, size in term.sums if symbol not in used]
    if not idle:
        return term
    return Term(tuple(pair for pair in term.sums if pair[0] in used), product((*map(Integer, idle), *term.factors)))


def canonical(expression: Expr) -> Expr:
    """The expression with the bound index of every reduction named after its height, so that equal formulas are equal.

    A reduction around another has the greater height, so nothing is captured wherever the expression is put; no
    author's name begins with an underscore. The author's name is kept behind the height: :func:`named` prefers it.
    """
    return _canonical(expression)[0] if expression.has(Reduce) else expression


def _canonical(expression: Expr) -> tuple[Expr, int]:
    if not isinstance(expression, Expr) or not expression.has(Reduce):
        return expression, 0
    if isinstance(expression, Reduce):
        body, height = _canonical(expression.body)
        bound = index(f"_{height + 1}{readable(expression.bound.name)}")
        return Reduce(
            expression.operation, body.xreplace({expression.bound: bound}), bound, expression.size
        ), height + 1
    parts = [_canonical(part) for part in expression.args]
    return expression.func(*(part for part, _ in parts)), max(height for _, height in parts)


def readable(name: str) -> str:
    """The author's part of a bound index's name."""
    return name.lstrip("_0123456789")


def named(term: Term, taken: Collection[str]) -> Term:
    """The term with readable names for all bound indices, none of them in ``taken``.

    A bound index keeps the name it came with where that is free; otherwise it takes the next of k, l, m, …
    """
    term = without_idle_sums(term)
    used = set(taken)
    rules: dict[Expr, Expr] = {}
    sums = []
    for symbol, size in term.sums:
        name = next(_candidates(symbol.name, used))
        used.add(name)
        rules[symbol] = index(name)
        sums.append((rules[symbol], size))
    given: dict[str, int] = {}
    return Term(tuple(sums), tuple(with_names(factor, used, given).xreplace(rules) for factor in term.factors))


def with_names(expression: Expr, taken: Collection[str], sizes: dict[str, int] | None = None) -> Expr:
    """The expression with readable names for the bound indices of its reductions; siblings may share a name, if they
    have the same range. ``sizes`` are the ranges of the names given so far."""
    if not expression.has(Reduce):
        return expression
    sizes = {} if sizes is None else sizes
    if isinstance(expression, Reduce):
        size = expression.size
        name = next(n for n in _candidates(expression.bound.name, taken) if sizes.get(n, size) == size)
        sizes[name] = size
        body = with_names(expression.body, {*taken, name}, sizes).xreplace({expression.bound: index(name)})
        return Reduce(expression.operation, body, index(name), size)
    parts = (with_names(part, taken, sizes) if isinstance(part, Expr) else part for part in expression.args)
    return expression.func(*parts)


def _candidates(preferred: str, taken: Collection[str]) -> Iterator[str]:
    yield from (name for name in (readable(preferred), *BOUND_NAMES) if name and name not in taken)
    yield from (name for name in (f"k_{number}" for number in count(1)) if name not in taken)


def product(factors: Iterable[Expr]) -> tuple[Expr, ...]:
    """Factors in the order given, with their numbers gathered in one leading number and products taken apart.

    ``2*a - 2*y``, which SymPy makes of ``2*(a - y)``, becomes the factors ``2`` and ``a - y`` again, and of a
    product in SymPy's own order the differences come last: ``a(1 - a)``. The product of the result is the product of
    the factors given; an empty result is 1.
    """
    number: Expr = S.One
    rest: list[Expr] = []
    for factor in factors:
        for part in sorted(Mul.make_args(factor), key=lambda part: bool(part.is_Add)):
            content, primitive = part.as_content_primitive() if isinstance(part, Add) else (S.One, part)
            if isinstance(primitive, Number):
                content, primitive = content * primitive, S.One
            number = number * content
            if primitive is not S.One:
                rest.append(primitive)
    if number is S.Zero:
        return (S.Zero,)
    return tuple(rest) if number is S.One else (number, *rest)


def coefficient(factors: tuple[Expr, ...]) -> tuple[Expr, tuple[Expr, ...]]:
    """The leading number of a product and the other factors."""
    if factors and isinstance(factors[0], Number):
        return factors[0], factors[1:]
    return S.One, factors


def gathered(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Like terms added up and what all terms share pulled out in front: ``a·(g - Σ g·a)``, ``(1/N)·(p - y)``.

    A sum that stands in such a bracket becomes a :class:`Reduce` inside it.
    """
    kept = _added([without_idle_sums(term) for term in terms if S.Zero not in term.factors])
    if len(kept) < 2:
        return tuple(kept)
    shared = _shared(kept)
    if not shared:
        return tuple(kept)
    inner = [Term(t.sums, _without(t.factors, shared)) for t in kept]
    bracket = Add(*(t.expression for t in inner))
    return (Term((), product((*shared, bracket))),) if bracket is not S.Zero else ()


def _added(terms: list[Term]) -> list[Term]:
    """Terms that differ in their number alone become one."""
    totals: dict[tuple[object, ...], tuple[Expr, Term]] = {}
    for term in terms:
        number, rest = coefficient(term.factors)
        key = (term.sums, Mul(*rest)) if not term.sums else (term.sums, rest)
        total, first = totals.get(key, (S.Zero, Term(term.sums, rest)))
        totals[key] = (total + number, first)
    return [
        Term(term.sums, product((number, *term.factors))) for number, term in totals.values() if number is not S.Zero
    ]


def _shared(terms: list[Term]) -> tuple[Expr, ...]:
    """The factors, free of bound indices, that every term has, and the number that divides all their numbers."""
    numbers = [coefficient(term.factors)[0] for term in terms]
    first = terms[0]
    common = [
        factor
        for factor in coefficient(first.factors)[1]
        if all(factor in term.factors and not factor.free_symbols & term.bound for term in terms)
    ]
    sizes = {abs(number) for number in numbers}
    number = sizes.pop() if len(sizes) == 1 else S.One
    if isinstance(number, Rational) and number is not S.One:
        return (number, *common)
    return tuple(common)


def _without(factors: tuple[Expr, ...], shared: tuple[Expr, ...]) -> tuple[Expr, ...]:
    number, rest = coefficient(factors)
    divisor, common = coefficient(shared)
    left = list(rest)
    for factor in common:
        left.remove(factor)
    return product((number / divisor, *left))


def adjoint_names(term: Term) -> frozenset[str]:
    """The names of the quantities whose adjoints the term uses."""
    return frozenset(place.name for factor in term.factors for place in factor.atoms(Adjoint))
