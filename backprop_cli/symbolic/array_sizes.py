"""How large an array a definition needs while it is evaluated, before anything is computed.

A function, a maximum or a comparison needs an array of all its arguments' values. A sum of a product does not: it
becomes matrix products, whose steps are followed here without the arrays. Where there are several ways (a product of
sums may be multiplied out or not), the smallest counts: what is refused for its size is too large in any way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, product
from math import prod
from typing import TypeAlias

from sympy import Add, Basic, Expr, Mul, Pow, Symbol

from backprop_cli.symbolic.notation import Compare, Place, Reduce, fresh_index

Axes: TypeAlias = frozenset[Basic]
Factors: TypeAlias = list[Expr]

_MOST_REPEATED = 4  # a power up to this is a product
_MOST_PRODUCTS = 64  # a product of sums is multiplied out to no more than this


def largest_array(definition: Expr, sizes: Mapping[Symbol, int], enough: int) -> int:
    """The numbers in the largest array, where the definition's free indices have these sizes.

    What cannot be above ``enough`` is not looked at closely: the result is then that bound.
    """
    bound = prod(sizes.values()) * prod(node.size for node in definition.atoms(Reduce))
    return bound if bound <= enough else _Estimate(sizes).needed(definition)


class _Estimate:
    """The sizes of all indices, bound ones under names of their own, and what is known of parts of the definition."""

    def __init__(self, sizes: Mapping[Symbol, int]) -> None:
        self._sizes: dict[Basic, int] = dict(sizes)
        self._bodies: dict[Reduce, tuple[Expr, Symbol]] = {}
        self._known: dict[Expr, int] = {}

    def needed(self, expression: Expr) -> int:
        """The numbers in the largest array that this part needs."""
        if expression not in self._known:
            self._known[expression] = self._needed(expression)
        return self._known[expression]

    def _needed(self, expression: Expr) -> int:
        factors, sums = self._factors([expression])
        if factors != [expression]:
            return self._product(factors, sums)
        if isinstance(expression, Reduce):
            body, _ = self._body(expression)
            return max(self._count(self._axes(body)), self.needed(body))
        parts = [self.needed(part) for part in expression.args if isinstance(part, Expr)]
        return max([self._count(self._axes(expression)), *parts])

    def _factors(self, given: Iterable[Expr]) -> tuple[Factors, Axes]:
        """What is multiplied in a product, and the indices of the sums around it."""
        found: Factors = []
        sums: set[Basic] = set()
        stack = list(given)
        while stack:
            factor = stack.pop()
            if isinstance(factor, Mul):
                stack.extend(factor.args)
            elif isinstance(factor, Pow) and factor.exp.is_Integer and 1 < abs(factor.exp) <= _MOST_REPEATED:
                stack.extend([factor.base] * abs(int(factor.exp)))
            elif isinstance(factor, Reduce) and factor.operation == "sum":
                body, bound = self._body(factor)
                sums.add(bound)
                stack.append(body)
            else:
                found.append(factor)
        return found, frozenset(sums)

    def _body(self, node: Reduce) -> tuple[Expr, Symbol]:
        """The body of a reduction under an index of its own, the same one each time."""
        if node not in self._bodies:
            bound = fresh_index(node.bound.name)
            self._sizes[bound] = node.size
            self._bodies[node] = node.body.xreplace({node.bound: bound}), bound
        return self._bodies[node]

    def _product(self, factors: Factors, sums: Axes) -> int:
        """Σ over ``sums`` of the product, in one piece or multiplied out."""
        whole = self._contracted(factors, sums)
        apart = [Add.make_args(factor) if self._axes(factor) & sums else (factor,) for factor in factors]
        if not 1 < prod(map(len, apart)) <= _MOST_PRODUCTS:
            return whole
        return min(whole, max(self._multiplied_out(choice, sums) for choice in product(*apart)))

    def _multiplied_out(self, choice: Iterable[Expr], sums: Axes) -> int:
        factors, more = self._factors(choice)
        return self._contracted(factors, sums | more)

    def _contracted(self, factors: Sequence[Expr], sums: Axes) -> int:
        """The largest array on the way through matrix products, each of two factors that share an index."""
        # Where one index equals another it is solved for: the comparison is no array.
        kept = [f for f in factors if not (isinstance(f, Compare) and f.operator == "==" and not f.has(Place))]
        largest = max(map(self.needed, kept), default=1)
        live = [self._axes(factor) for factor in kept]
        pending = set(sums)
        while pending:
            holders = {index: [axes for axes in live if index in axes] for index in pending}
            alone = {index for index, found in holders.items() if len(found) < 2}
            if alone:
                pending -= alone
                live = [axes - alone for axes in live]
                continue
            pairs = [found for found in holders.values() if len(found) == 2]
            if pairs:
                first, second = min(pairs, key=lambda pair: self._count(pair[0] ^ pair[1]))
                summed = {index for index, found in holders.items() if found == [first, second]}
            else:
                crowded = next(iter(holders.values()))
                first, second = min(combinations(crowded, 2), key=lambda pair: self._count(pair[0] | pair[1]))
                summed = set()
            merged = (first | second) - summed
            largest = max(largest, self._count(merged))
            live.remove(first)
            live.remove(second)
            live.append(merged)
            pending -= summed
        return max(largest, self._count(frozenset().union(*live)))

    def _axes(self, expression: Expr) -> Axes:
        return frozenset(symbol for symbol in expression.free_symbols if symbol in self._sizes)

    def _count(self, axes: Axes) -> int:
        return prod(self._sizes[index] for index in axes)
