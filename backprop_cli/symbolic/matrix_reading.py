"""Index notation read as matrix notation: a formula over free indices becomes one formula in whole arrays.

The reading is general: it knows no layer and no loss, only what a product over indices means
(:mod:`backprop_cli.symbolic.matrix_contraction`), that sums and functions act elementwise, that ``[i = k]`` is the
identity, and that a row which is looked up, ``E[x+1]``, is a product with 0s and a 1. What it cannot say raises
:class:`NoMatrixFormError`: three axes, shifted or repeated positions, a bracket between positions, an index used as a
number, a maximum over an index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from backprop_cli.language import tree
from backprop_cli.language.walking import walk
from backprop_cli.library.functions import CALLABLE
from backprop_cli.symbolic.display import COST
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.matrix_algebra import (
    Array,
    NoMatrixFormError,
    Orientation,
    apart,
    laid,
    lightest,
    number,
    scaled,
    signed,
    weight,
)
from backprop_cli.symbolic.matrix_contraction import Factor, contract
from backprop_cli.symbolic.matrix_factors import Piece, Ranges, flat, taken_apart

LOOKED_UP = "_row"  # the index that runs over all rows of what is looked up; no author's name begins with a _
REPEATED = {"2": 2, "3": 3}  # powers that are written as products


@dataclass(frozen=True)
class Scope:
    """The indices that mean something where a formula is read, with their sizes, and how the result should lie."""

    sizes: Mapping[str, int]
    wanted: Orientation = (None, None)


class Reader:
    """Reads the formulas of one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.ranges = Ranges(graph)

    def matrix(self, node: tree.Node, lying: Orientation, sizes: Mapping[str, int]) -> tree.Node:
        """The formula as one matrix formula with these rows and columns; 0 stands for a whole array of zeros."""
        if node == tree.Number("0"):
            return node
        return laid(self.read(node, Scope(sizes, lying)), *lying, sizes)

    def whole(self, node: tree.Node, quantity: Quantity) -> tree.Node:
        """A formula over a quantity's own indices, lying as the quantity does."""
        if len(quantity.shape) > 2:
            raise NoMatrixFormError("axes")
        names = [symbol.name for symbol in quantity.indices]
        rows, columns = (*names, None, None)[:2]
        return self.matrix(node, (rows, columns), dict(zip(names, quantity.shape, strict=True)))

    def diagonal(self, node: tree.Node, name: str, sizes: Mapping[str, int]) -> tree.Node:
        """The diagonal matrix of the formula's values over one index."""
        found = self.read(node, Scope(sizes, (name, None)))
        if not found.axes:
            return scaled([found.node], [], tree.Identity(number(sizes[name])))
        is_negative, scalars, core = apart(laid(found, name, None, sizes))
        return signed(is_negative, scaled(scalars, [], tree.Diagonal(core)))

    def read(self, node: tree.Node, scope: Scope) -> Array:
        """The formula as an array over those of the scope's indices that it has."""
        match node:
            case tree.Number():
                return Array(node)
            case tree.Place(name):
                return self._entry(node, tree.Matrix(name), node, scope)
            case tree.Partial(of, by) if of == tree.Place(COST):
                delta = by.name in self.graph and self.graph[by.name].role is Role.WEIGHTED_SUM
                return self._entry(by, tree.Gradient(by.name, delta), node, scope)
            case tree.Partial():
                raise NoMatrixFormError("jacobian")
            case tree.Prime(_, argument):
                inner = self.read(argument, scope)
                return replace(inner, node=replace(node, argument=inner.node), is_mask=False)
            case tree.Apply():
                return self._apply(node, scope)
            case tree.Comparison():
                return self._comparison(node, scope)
            case tree.Add(terms):
                return self._sum([self.read(term, scope) for term in flat(terms)], scope)
            case tree.Quotient(above, below):
                divisor = self.read(below, scope)
                if not divisor.axes and not isinstance(above, tree.Number):
                    inner = self.read(above, scope)
                    return replace(inner, node=tree.Quotient(inner.node, divisor.node), is_mask=False)
        return self._product(node, scope)

    def _entry(self, place: tree.Place, whole: tree.Node, entry: tree.Node, scope: Scope) -> Array:
        """A quantity, or a gradient, at positions: a scalar, or a whole array where the positions are its indices."""
        if place.name not in self.graph:
            raise NoMatrixFormError("index as a number" if place.name in scope.sizes else "name")
        shape = self.graph[place.name].shape
        if len(shape) != len(place.positions):
            raise NoMatrixFormError("positions")
        if not shape:
            return Array(whole)
        if all(isinstance(position, tree.Number) for position in place.positions):
            return Array(entry)
        looked_up = next((n for n, position in enumerate(place.positions) if self._is_looked_up(position)), None)
        if looked_up is not None:
            return self.read(_one_row(entry, place, looked_up, shape[looked_up]), scope)
        names = [p.name for p in place.positions if isinstance(p, tree.Place) and not p.positions]
        if len(set(names) & scope.sizes.keys()) < len(shape):
            raise NoMatrixFormError("position")
        if len(shape) > 2:
            raise NoMatrixFormError("axes")
        if any(scope.sizes[name] != size for name, size in zip(names, shape, strict=True)):
            raise NoMatrixFormError("range")
        rows, columns = (*names, None)[:2]
        return Array(whole, rows, columns, is_mask=self.graph[place.name].role is Role.CONSTANT)

    def _is_looked_up(self, position: tree.Node) -> bool:
        return any(isinstance(part, tree.Place) and part.name in self.graph for part in walk(position))

    def _apply(self, node: tree.Apply, scope: Scope) -> Array:
        if node.function not in CALLABLE:
            raise NoMatrixFormError("function")
        parts = [self.read(argument, scope) for argument in node.arguments]
        return self._elementwise(parts, scope, lambda *sides: tree.Apply(node.function, sides))

    def _elementwise(self, parts: Sequence[Array], scope: Scope, make: Callable[..., tree.Node]) -> Array:
        """``make`` of the arrays, entry by entry; scalars stay scalars."""

        def over(rows: str | None, columns: str | None) -> tree.Node:
            return make(*(laid(part, rows, columns, scope.sizes) if part.axes else part.node for part in parts))

        return lightest(_axes(parts), scope.wanted, over)

    def _comparison(self, node: tree.Comparison, scope: Scope) -> Array:
        for one, other in ((node.left, node.right), (node.right, node.left)):
            name = _index(one, scope)
            if name is not None and node.operator == "==":
                return self._one_hot(name, other, scope)
        parts = [self.read(side, scope) for side in (node.left, node.right)]
        return self._elementwise(parts, scope, lambda *sides: tree.Comparison(node.operator, *sides))

    def _one_hot(self, own: str, other: tree.Node, scope: Scope) -> Array:
        """``[k = position]``: the identity, or a 1 at each position."""
        size = scope.sizes[own]
        name = _index(other, scope)
        if name is not None:
            if scope.sizes[name] != size:
                raise NoMatrixFormError("bracket")
            return Array(tree.Identity(number(size)), own, name)
        positions = self.read(other, scope)
        found = tree.OneHot(positions.node, number(size))
        if not positions.axes:
            return Array(found, own)
        if len(positions.axes) > 1 or own in positions.axes:
            raise NoMatrixFormError("bracket")
        return Array(found, positions.axes[0], own)

    def _sum(self, parts: Sequence[Array], scope: Scope) -> Array:
        if len(parts) == 1:
            return parts[0]
        return lightest(
            _axes(parts), scope.wanted, lambda r, c: tree.Add(tuple(laid(part, r, c, scope.sizes) for part in parts))
        )

    def _product(self, node: tree.Node, scope: Scope) -> Array:
        sign, pieces = taken_apart(node)
        if len(pieces) == 1 and isinstance(pieces[0].node, tree.Reduction) and not pieces[0].below:
            found = self._reduction(pieces[0].node, scope)
        elif len(pieces) == 1 and not pieces[0].below and pieces[0].node != node and not sign:
            return self.read(pieces[0].node, scope)
        else:
            found = self._contracted(pieces, (), scope)
        return replace(found, node=signed(sign, found.node))

    def _reduction(self, node: tree.Reduction, scope: Scope) -> Array:
        if node.operation not in ("sum", "mean"):
            raise NoMatrixFormError("reduction")
        bound = {name: self.ranges.of(name, node.body) for name in node.indices}
        inner = replace(scope, sizes={**scope.sizes, **bound})
        sign, pieces = taken_apart(node.body)
        if node.operation == "mean":
            pieces.append(Piece(number(prod(bound.values())), below=True))
        found = self._shorter(node, pieces, inner, scope)
        return replace(found, node=signed(sign, found.node))

    def _shorter(self, node: tree.Reduction, pieces: Sequence[Piece], inner: Scope, scope: Scope) -> Array:
        """A bracket summed whole or term by term: ``1ᵀ(p - y)``, but ``yᵀ log p + (1 - y)ᵀ log(1 - p)``."""
        ways: list[Callable[[], Array]] = [lambda: self._contracted(pieces, node.indices, inner)]
        if len(pieces) == 1 and isinstance(pieces[0].node, tree.Add):
            each = [replace(node, body=term) for term in flat(pieces[0].node.terms)]
            ways.append(lambda: self._sum([self.read(term, scope) for term in each], scope))
        found: list[Array] = []
        problems: list[NoMatrixFormError] = []
        for way in ways:
            try:
                found.append(way())
            except NoMatrixFormError as error:
                problems.append(error)
        if not found:
            raise problems[0]
        return min(found, key=lambda array: weight(array.node))

    def _contracted(self, pieces: Sequence[Piece], sums: Sequence[str], scope: Scope) -> Array:
        """Σ over the sums of the product. A bracket with a Kronecker delta is multiplied out: ``a_i(δ_ik - a_k)`` is
        diag(a) - aaᵀ."""
        brackets = [piece for piece in pieces if self._has_delta(piece, scope)]
        if not brackets:
            return contract(self._factors(pieces, scope), sums, scope.sizes, scope.wanted)
        assert isinstance(brackets[0].node, tree.Add)
        terms = flat(brackets[0].node.terms)
        rest = [piece for piece in pieces if piece is not brackets[0]]
        try:
            return self._beside(terms, rest, sums, scope)
        except NoMatrixFormError:
            return self._sum([self._with_term(term, rest, sums, scope) for term in terms], scope)

    def _has_delta(self, piece: Piece, scope: Scope) -> bool:
        """Whether the factor is a bracket one of whose terms has a factor ``[i = k]``."""
        if piece.below or not isinstance(piece.node, tree.Add):
            return False
        found = [inner.node for term in piece.node.terms for inner in taken_apart(term)[1]]
        return any(
            isinstance(node, tree.Comparison) and _index(node.left, scope) is not None is not _index(node.right, scope)
            for node in found
        )

    def _with_term(self, term: tree.Node, rest: Sequence[Piece], sums: Sequence[str], scope: Scope) -> Array:
        sign, pieces = taken_apart(term)
        found = self._contracted([*rest, *pieces], sums, scope)
        return replace(found, node=signed(sign, found.node))

    def _beside(self, terms: Sequence[tree.Node], rest: Sequence[Piece], sums: Sequence[str], scope: Scope) -> Array:
        """The bracket multiplied by what is no gradient, as the Jacobian matrix that it is, times the gradient."""
        bracket = self._sum([self.read(term, scope) for term in terms], scope)
        inside = [piece for piece in rest if self._belongs(piece, bracket, scope)]
        jacobian = self._sum([self._with_term(term, inside, (), scope) for term in terms], scope)
        others = self._factors([piece for piece in rest if piece not in inside], scope)
        return contract([*others, Factor(jacobian)], sums, scope.sizes, scope.wanted)

    def _belongs(self, piece: Piece, bracket: Array, scope: Scope) -> bool:
        axes = self.read(piece.node, scope).axes
        is_gradient = any(isinstance(node, tree.Partial) for node in walk(piece.node))
        return not is_gradient and axes != () and set(axes) <= set(bracket.axes)

    def _factors(self, pieces: Iterable[Piece], scope: Scope) -> list[Factor]:
        found: list[Factor] = []
        for piece in pieces:
            if not isinstance(piece.node, tree.Power):
                found.append(Factor(self.read(piece.node, scope), piece.below))
                continue
            base, exponent = self.read(piece.node.base, scope), self.read(piece.node.exponent, scope)
            if exponent.axes:
                raise NoMatrixFormError("power")
            count = REPEATED.get(exponent.node.text, 0) if isinstance(exponent.node, tree.Number) else 0
            if base.axes and count:
                found.extend([Factor(base, piece.below)] * count)
            else:
                power = replace(base, node=tree.Power(base.node, exponent.node), is_mask=False)
                found.append(Factor(power, piece.below))
        return found


def _one_row(entry: tree.Node, place: tree.Place, axis: int, size: int) -> tree.Node:
    """``E[x+1,j]``, looked up, as the sum over all rows ``Σ_k [k = x+1]·E[k,j]``."""
    row = tree.Place(f"{LOOKED_UP}{axis}")
    positions = (*place.positions[:axis], row, *place.positions[axis + 1 :])
    at_row = replace(place, positions=positions)
    found = replace(entry, by=at_row) if isinstance(entry, tree.Partial) else at_row
    bracket = tree.Comparison("==", row, place.positions[axis])
    return tree.Reduction("sum", tree.Product((bracket, found)), (row.name,), (size,))


def _index(node: tree.Node, scope: Scope) -> str | None:
    """The name of a bare index used as a number. The language gives no index the name of a scalar quantity."""
    return node.name if isinstance(node, tree.Place) and not node.positions and node.name in scope.sizes else None


def _axes(parts: Iterable[Array]) -> list[str]:
    return list(dict.fromkeys(axis for part in sorted(parts, key=lambda part: -len(part.axes)) for axis in part.axes))
