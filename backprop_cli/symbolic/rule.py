"""The one rule of the derivation.

For an equation ``v[F] = E`` and each place ``u[s]`` where a quantity u stands in E under reductions over B,

    ∂J/∂u[q]  gains   Σ over the indices F and B with s = q   of   ∂J/∂v[F] · ∂E/∂(that place).

:func:`occurrences` finds the places and lets ``sympy.diff`` differentiate by each; :func:`contribution` solves s = q.
No function's derivative is written down here or anywhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sympy import Basic, Expr, Integer, Mul, S, Symbol

from backprop_cli.symbolic.formulas import Scattered, Term, canonical, product, readable
from backprop_cli.symbolic.notation import Compare, Digit, Local, Place, Reduce, Where, entry, fresh_index, fresh_value


class Occurrence(NamedTuple):
    """One place of a quantity in an equation and the derivative of the equation's right side by it.

    ``sums`` are the reductions around the place with their sizes, outermost first, their indices fresh; the derivative
    is the product of ``chain``, from the outermost function to the innermost.
    """

    place: Place
    sums: tuple[tuple[Symbol, int], ...]
    chain: tuple[Expr, ...]


def occurrences(expression: Expr, name: str) -> tuple[Occurrence, ...]:
    """Every place of the quantity ``name`` in the expression by which the expression has a derivative that is not 0.

    The slope of max and min over an index belongs to the first position that attains it; argmax and argmin are
    piecewise constant and have no places.
    """
    return tuple(_occurrences(canonical(expression), name))


def _occurrences(expression: Expr, name: str) -> Iterator[Occurrence]:
    outermost = _outermost(expression)
    symbols = {node: fresh_value("v") for node in outermost}
    back = {symbol: node for node, symbol in symbols.items()}
    skeleton = expression.xreplace(symbols)
    for node in outermost:
        if isinstance(node, Place):
            if node.name == name:
                slope = skeleton.diff(symbols[node]).xreplace(back)
                if slope is not S.Zero:
                    yield Occurrence(node, (), product((slope,)))
        elif node.operation not in ("argmax", "argmin") and any(p.name == name for p in node.atoms(Place)):
            slope = skeleton.diff(symbols[node]).xreplace(back)
            if slope is not S.Zero:
                yield from _inside(node, slope, name)


def _inside(reduction: Reduce, slope: Expr, name: str) -> Iterator[Occurrence]:
    bound = fresh_index(readable(reduction.bound.name))
    body = reduction.body.xreplace({reduction.bound: bound})
    chain: tuple[Expr, ...] = (slope,)
    if reduction.operation != "sum":
        first = Reduce(f"arg{reduction.operation}", reduction.body, reduction.bound, reduction.size)
        chain = (slope, Compare("==", bound, first))
    for inner in _occurrences(body, name):
        yield Occurrence(inner.place, ((bound, reduction.size), *inner.sums), product((*chain, *inner.chain)))


def _outermost(expression: Expr) -> list[Place | Reduce]:
    """The places and reductions that no reduction encloses, each once, left to right; what stands in a condition does
    not count, since conditions are piecewise constant."""
    found: dict[Place | Reduce, None] = {}
    stack: list[Basic] = [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, Place | Reduce):
            found[node] = None
        elif isinstance(node, Where):
            stack.extend((node.otherwise, node.then))
        elif not isinstance(node, Compare):
            stack.extend(reversed(node.args))
    return list(found)


def contribution(
    occurrence: Occurrence,
    upstream: Expr | None,
    free: Mapping[Symbol, int],
    target: Sequence[Symbol],
    shape: Sequence[int],
) -> Term:
    """What one occurrence adds to ∂J/∂u[target].

    ``free`` are the indices F of the equation with their sizes; ``upstream`` is ∂J/∂v[F], None for the cost itself.
    Each equation s = q is solved for one unknown with coefficient ±1, an index of F before one of B; a solution that
    can leave its range is multiplied by brackets, and an equation without such an unknown stays as a bracket [s = q].
    """
    renamed: dict[Expr, Expr] = {symbol: fresh_index(symbol.name) for symbol in free}
    unknown = {renamed[symbol]: size for symbol, size in free.items()} | dict(occurrence.sums)
    factors = [factor.xreplace(renamed) for factor in ((upstream,) if upstream is not None else ()) + occurrence.chain]
    equations = _equations([position.xreplace(renamed) for position in occurrence.place.positions], target)
    ranges = dict(zip(target, shape, strict=True))
    brackets: list[Expr] = []
    while equations:
        position, wanted = equations.pop(0)
        symbol = _solvable(position, unknown)
        if symbol is None:
            brackets.append(Compare("==", position, wanted))
            continue
        slope = position.coeff(symbol)
        solution = ((wanted - (position - slope * symbol)) / slope).expand()
        size = unknown.pop(symbol)
        rule: dict[Expr, Expr] = {symbol: solution}
        factors = [factor.xreplace(rule) for factor in factors]
        brackets = [bracket.xreplace(rule) for bracket in brackets]
        equations = [(other.xreplace(rule).expand(), value) for other, value in equations]
        brackets.extend(bounds(solution, size, {**ranges, **unknown}))
    return Term(tuple(unknown.items()), product((*factors, *brackets)))


def scattered(
    occurrence: Occurrence, upstream: Expr | None, free: Mapping[Symbol, int], solved: Sequence[Term]
) -> Scattered | None:
    """The same contribution before s = q is solved, None where solving loses nothing: at bare indices and numbers."""
    if not any(_is_spread(position) for position in occurrence.place.positions):
        return None
    renamed: dict[Expr, Expr] = {symbol: fresh_index(symbol.name) for symbol in free}
    sums = (*((renamed[symbol], size) for symbol, size in free.items()), *occurrence.sums)
    factors = ((upstream,) if upstream is not None else ()) + occurrence.chain
    positions = tuple(position.xreplace(renamed) for position in occurrence.place.positions)
    return Scattered(Term(sums, product(factor.xreplace(renamed) for factor in factors)), positions, tuple(solved))


def _is_spread(position: Expr) -> bool:
    """Whether a position is looked up, or is more than one index and a number."""
    if isinstance(position, Digit):
        return False
    rest = position.as_coeff_Add()[1]
    return not isinstance(rest, Symbol) and rest is not S.Zero


def _equations(positions: Sequence[Expr], wanted: Sequence[Expr]) -> list[tuple[Expr, Expr]]:
    """s = q axis by axis; the axes of an array laid flat together, as the one entry that their positions are."""
    found: list[tuple[Expr, Expr]] = []
    flat: dict[Expr, list[tuple[Digit, Expr]]] = {}
    for position, value in zip(positions, wanted, strict=True):
        if isinstance(position, Digit):
            flat.setdefault(position.argument, []).append((position, value))
        else:
            found.append((position, value))
    for argument, axes in flat.items():
        found.append((argument, entry([value for _, value in axes], [digit.size for digit, _ in axes])))
    return found


def _solvable(position: Expr, unknown: Mapping[Symbol, int]) -> Symbol | None:
    """The first unknown that stands in the position with coefficient 1 or -1, and nowhere inside another place."""
    for symbol in unknown:
        if symbol == position:
            return symbol
        if (
            position.coeff(symbol) in (S.One, S.NegativeOne)
            and symbol not in (position - position.coeff(symbol) * symbol).expand().free_symbols
        ):
            return symbol
    return None


def bounds(solution: Expr, size: int, ranges: Mapping[Expr, int]) -> list[Expr]:
    """The brackets [1 ≤ solution] and [solution ≤ size], each only where the ranges do not imply it."""
    low = high = solution
    for symbol in sorted(solution.free_symbols, key=str):
        rising = solution.coeff(symbol) > 0
        low = low.xreplace({symbol: Integer(1 if rising else ranges[symbol])})
        high = high.xreplace({symbol: Integer(ranges[symbol] if rising else 1)})
    below = [] if low.is_Integer and low >= 1 else [Compare(">=", solution, 1)]
    above = [] if high.is_Integer and high <= size else [Compare("<=", solution, size)]
    return [*below, *above]


def local_derivative(
    occurrence: Occurrence, free: Mapping[Symbol, int], by: Sequence[Expr], shape: Sequence[int]
) -> Term:
    """∂v[F]/∂u[by] through one occurrence, with the reductions' indices alone as unknowns.

    An index of F that a position names stays as a Kronecker delta, which gives the a_i(δ_ik - a_k) of softmax.
    """
    unknown = dict(occurrence.sums)
    ranges = {**free, **dict(zip(by, shape, strict=True))}
    factors, brackets = list(occurrence.chain), []
    for position, wanted in _equations(occurrence.place.positions, by):
        symbol = _solvable(position, unknown)
        if symbol is None:
            if position != wanted:
                brackets.append(Compare("==", position, wanted))
            continue
        slope = position.coeff(symbol)
        solution = ((wanted - (position - slope * symbol)) / slope).expand()
        size = unknown.pop(symbol)
        rule: dict[Expr, Expr] = {symbol: solution}
        factors = [factor.xreplace(rule) for factor in factors]
        brackets = [bracket.xreplace(rule) for bracket in brackets]
        brackets.extend(bounds(solution, size, {**ranges, **unknown}))
    return Term(tuple(unknown.items()), product((*factors, *brackets)))


def chain_symbol(of: Place, by: Place) -> Expr:
    """∂of/∂by as one symbol, or 1 where both are the same."""
    return S.One if of == by else Local(of, by)


def value(chain: Sequence[Expr]) -> Expr:
    return Mul(*chain)
