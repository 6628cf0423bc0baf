"""Products of formulas prepared for lowering: taken apart into factors, their sums flattened, their brackets solved.

Everything here is algebra on formulas that are never shown; nothing about arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product as combinations
from math import inf

from sympy import Add, Expr, Integer, Mul, Pow, S, Symbol

from backprop_cli.numeric.positions import affine
from backprop_cli.symbolic.notation import Compare, Place, Reduce, fresh_index

MIRRORED = {"==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
MOST_REPEATED = 4  # a power up to this is a product
MOST_PRODUCTS = 64  # a product of sums is multiplied out to no more than this


@dataclass
class Product:
    """Σ over ``sums`` of the product of ``above`` divided by the product of ``below``."""

    sums: dict[Symbol, int]
    above: list[Expr] = field(default_factory=list)
    below: list[Expr] = field(default_factory=list)


def products(factors: Sequence[Expr], sums: Mapping[Symbol, int], sizes: Mapping[Symbol, int]) -> Iterator[Product]:
    """The products whose sum is ``Σ over sums of the product of factors``; ``sizes`` are those of all free indices."""
    product = _flattened(factors, dict(sums))
    apart = [Add.make_args(f) if _is_better_apart(f, product.sums) else (f,) for f in product.above]
    if all(len(choice) == 1 for choice in apart) or _count(apart) > MOST_PRODUCTS:
        yield _solved(product, sizes)
        return
    for choice in combinations(*apart):
        inverse = [Pow(factor, -1) for factor in product.below]
        yield from products([*choice, *inverse], product.sums, sizes)


def _count(choices: Sequence[Sequence[Expr]]) -> int:
    count = 1
    for choice in choices:
        count *= len(choice)
    return count


def _flattened(factors: Sequence[Expr], sums: dict[Symbol, int]) -> Product:
    """Products in products, small powers, and sums that a summed index stands in, taken into one product."""
    result = Product(sums)
    stack = list(reversed(factors))
    while stack:
        factor = stack.pop()
        if isinstance(factor, Mul):
            stack.extend(reversed(factor.args))
        elif isinstance(factor, Pow) and factor.exp.is_Integer and abs(factor.exp) <= MOST_REPEATED:
            power = int(factor.exp)
            if power < 0:
                result.below.extend([factor.base] * -power)
            else:
                stack.extend([factor.base] * power)
        elif isinstance(factor, Pow) and factor.exp.is_number and factor.exp.could_extract_minus_sign():
            result.below.append(Pow(factor.base, -factor.exp))
        elif isinstance(factor, Reduce) and factor.operation == "sum":
            bound = fresh_index(factor.bound.name)
            sums[bound] = factor.size
            stack.append(factor.body.xreplace({factor.bound: bound}))
        else:
            result.above.append(factor)
    return result


def _is_better_apart(factor: Expr, sums: Mapping[Symbol, int]) -> bool:
    """Whether a sum of terms inside Σ is better multiplied out: where that avoids the array of all its values, lets a
    matrix product be one, or a bracket be solved. Other differences stay whole, for their digits: Σ_n (Σ_j w_j x_nj -
    y_n)² multiplied out would lose all of them near the least cost."""
    if not isinstance(factor, Add) or not factor.free_symbols & set(sums):
        return False
    indices = [_indices(term) for term in factor.args]
    everything = frozenset().union(*indices)
    if all(found != everything for found in indices):
        return True
    return any(_wants_its_own_sum(part, set(sums)) for term in factor.args for part in _contracted(term, set(sums)))


def _indices(expression: Expr) -> frozenset[Expr]:
    return frozenset(symbol for symbol in expression.free_symbols if isinstance(symbol, Symbol))


def _contracted(term: Expr, sums: set[Symbol]) -> Iterator[tuple[Expr, ...]]:
    factors = Mul.make_args(term)
    yield from ((factor,) for factor in factors)
    held = [factor for factor in factors if factor.free_symbols & sums]
    if len(held) > 1:
        yield tuple(held)


def _wants_its_own_sum(factors: tuple[Expr, ...], sums: set[Symbol]) -> bool:
    if len(factors) > 1:
        return len({_indices(factor) for factor in factors}) > 1
    (factor,) = factors
    is_bracket = isinstance(factor, Compare) and factor.operator == "==" and not factor.has(Place)
    return is_bracket and bool(factor.free_symbols & sums)


def _solved(product: Product, sizes: Mapping[Symbol, int]) -> Product:
    """Brackets [k = e] over a summed k solved where e stays in k's range: e replaces k, and the sum falls away."""
    while (found := next(_solutions(product, sizes), None)) is not None:
        bracket, symbol, solution = found
        product.above.remove(bracket)
        del product.sums[symbol]
        rule = {symbol: solution}
        product.above = [factor.xreplace(rule) for factor in product.above]
        product.below = [factor.xreplace(rule) for factor in product.below]
    for symbol in tuple(product.sums):
        product, (first, last) = narrowed(product, symbol, product.sums[symbol])
        product.sums[symbol] = last - first + 1
    if any(size < 1 for size in product.sums.values()):
        return Product({}, [S.Zero])
    return product


def _solutions(product: Product, sizes: Mapping[Symbol, int]) -> Iterator[tuple[Expr, Symbol, Expr]]:
    ranges = {**sizes, **product.sums}
    for bracket in product.above:
        if not isinstance(bracket, Compare) or bracket.operator != "==" or bracket.has(Place, Reduce):
            continue
        difference = (bracket.left - bracket.right).expand()
        for symbol in product.sums:
            slope = difference.coeff(symbol)
            if slope in (S.One, S.NegativeOne):
                solution = (symbol - slope * difference).expand()
                if symbol not in solution.free_symbols and _stays_within(solution, product.sums[symbol], ranges):
                    yield bracket, symbol, solution


def narrowed(product: Product, symbol: Symbol, size: int) -> tuple[Product, tuple[int, int]]:
    """The product without its brackets that bound ``symbol`` alone, and the first and last value they leave it.

    In the result the symbol starts at 1 again, with what it started at added to it where it stands; where one value is
    left, that number stands for it. An empty range has a last value below the first.
    """
    low, high = 1, size
    bounding = []
    for factor in product.above:
        bounds = _bounds_of(factor, symbol)
        if bounds is not None:
            bounding.append(factor)
            low, high = int(max(low, bounds[0])), int(min(high, bounds[1]))
    if not bounding:
        return product, (1, size)
    rule = {symbol: Integer(low) if low == high else symbol + (low - 1)}
    above = [factor.xreplace(rule) for factor in product.above if factor not in bounding]
    return Product(product.sums, above, [factor.xreplace(rule) for factor in product.below]), (low, high)


def _bounds_of(factor: Expr, symbol: Symbol) -> tuple[float, float] | None:
    """The values between which a bracket holds for a symbol that is all it is about."""
    if not isinstance(factor, Compare) or factor.operator == "!=" or factor.free_symbols != {symbol}:
        return None
    if factor.has(Place, Reduce):
        return None
    difference = (factor.left - factor.right).expand()
    slope = difference.coeff(symbol)
    edge = symbol - slope * difference
    if slope not in (S.One, S.NegativeOne) or not (edge := edge.expand()).is_Integer:
        return None
    operator = factor.operator if slope is S.One else MIRRORED[factor.operator]
    return {
        "==": (int(edge), int(edge)),
        "<=": (-inf, int(edge)),
        "<": (-inf, int(edge) - 1),
        ">=": (int(edge), inf),
        ">": (int(edge) + 1, inf),
    }[operator]


def _stays_within(position: Expr, size: int, ranges: Mapping[Symbol, int]) -> bool:
    """Whether an affine position is one of 1, ..., size for all values of its indices."""
    found = affine(position, ranges)
    return found is not None and found.low >= 1 and found.high <= size
