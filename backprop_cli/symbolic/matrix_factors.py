"""What a matrix reading needs to know before it reads: the factors of a product and the ranges of its indices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from sympy import Expr, Symbol

from backprop_cli.language import tree
from backprop_cli.language.walking import walk
from backprop_cli.symbolic.graph import Graph
from backprop_cli.symbolic.matrix_algebra import ONE, NoMatrixFormError
from backprop_cli.symbolic.notation import Place, Reduce


@dataclass(frozen=True)
class Piece:
    """A factor of a product as it is written, or a divisor."""

    node: tree.Node
    below: bool = False


def taken_apart(node: tree.Node) -> tuple[bool, list[Piece]]:
    """The sign of a product, and its factors and divisors from left to right."""
    match node:
        case tree.Negative(operand):
            sign, pieces = taken_apart(operand)
            return not sign, pieces
        case tree.Product(factors):
            sign, found = False, []
            for factor in factors:
                negative, pieces = taken_apart(factor)
                sign ^= negative
                found.extend(pieces)
            return sign, found
        case tree.Quotient(above, below):
            first, top = taken_apart(above)
            second, bottom = taken_apart(below)
            kept = [piece for piece in top if piece.node != ONE]
            return first ^ second, [*kept, *(replace(piece, below=not piece.below) for piece in bottom)]
    return False, [Piece(node)]


def flat(terms: Iterable[tree.Node]) -> list[tree.Node]:
    """The terms of a sum, those of sums inside it included."""
    return [part for term in terms for part in (flat(term.terms) if isinstance(term, tree.Add) else [term])]


class Ranges:
    """The ranges of the indices that sums bind in the formulas of one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.in_part = frozenset(self._read_in_part())

    def of(self, name: str, body: tree.Node) -> int:
        """The size of a bound index, read off the places that have it alone at a position.

        Raises NoMatrixFormError where none has, where two disagree, and where some definition reads such an axis in
        part: then the place does not tell.
        """
        sizes = set()
        for place in walk(body):
            if isinstance(place, tree.Place) and place.name in self.graph:
                shape = self.graph[place.name].shape
                for axis, (position, size) in enumerate(zip(place.positions, shape, strict=False)):
                    if position == tree.Place(name):
                        sizes.add(0 if (place.name, axis) in self.in_part else size)
        if len(sizes) != 1 or 0 in sizes:
            raise NoMatrixFormError("range")
        return sizes.pop()

    def _read_in_part(self) -> Iterator[tuple[str, int]]:
        """The axes (quantity and number of the axis) of which some definition reads only a part."""
        for quantity in self.graph.quantities:
            if quantity.definition is not None:
                sizes = dict(zip(quantity.indices, quantity.shape, strict=True))
                yield from self._short(quantity.definition, sizes)

    def _short(self, expression: Expr, sizes: Mapping[Symbol, int]) -> Iterator[tuple[str, int]]:
        if isinstance(expression, Reduce):
            sizes = {**sizes, expression.bound: expression.size}
        if isinstance(expression, Place):
            shape = self.graph[expression.name].shape
            for axis, (position, size) in enumerate(zip(expression.positions, shape, strict=True)):
                if sizes.get(position, size) != size:
                    yield expression.name, axis
        for part in expression.args:
            yield from self._short(part, sizes)
