"""Matrix formulas put together without clutter: no double transposes, no products with 1, numbers in front.

An :class:`Array` is a formula in matrix notation together with what its rows and columns count: ``W1`` with rows i and
columns j is w_ij. A vector is a column. An array can be laid the other way round, and repeated along an index that it
lacks: a bias b with rows i becomes 1bᵀ where the rows are samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from backprop_cli.language import tree
from backprop_cli.language.walking import walk

ONE = tree.Number("1")
Orientation = tuple[str | None, str | None]


class NoMatrixFormError(Exception):
    """The formula cannot be said in matrices. The text is a key: ``axes``, ``position``, ``bracket``, ``range``, …"""


@dataclass(frozen=True)
class Array:
    """The matrix ``node`` whose entry at (r, c) belongs to the values r of the index ``rows`` and c of ``columns``.

    Without an index there is one row, or one column: a scalar has neither, a vector has rows. ``is_mask`` marks given
    constants, which stand in front of elementwise products as numbers do.
    """

    node: tree.Node
    rows: str | None = None
    columns: str | None = None
    is_mask: bool = False

    @property
    def axes(self) -> tuple[str, ...]:
        return tuple(name for name in (self.rows, self.columns) if name is not None)

    @property
    def orientation(self) -> Orientation:
        return self.rows, self.columns


def weight(node: tree.Node) -> int:
    """The number of parts of a formula: of two ways to write it the lighter one is shown."""
    return sum(1 for _ in walk(node))


def number(value: int) -> tree.Number:
    return tree.Number(str(value))


def ones(rows: int, columns: int = 1) -> tree.Node:
    return tree.Ones(number(rows), number(columns))


def transposed(node: tree.Node) -> tree.Node:
    """The transpose, worked into products where that costs nothing: ``(X Wᵀ)ᵀ`` is ``W Xᵀ``."""
    match node:
        case tree.Transposed(operand):
            return operand
        case tree.Identity() | tree.Diagonal():
            return node
        case tree.Ones(rows, columns) if ONE not in (rows, columns):
            return tree.Ones(columns, rows)
        case tree.Negative(operand):
            return tree.Negative(transposed(operand))
        case tree.Product((*scalars, last)):
            return tree.Product((*scalars, transposed(last)))
        case tree.MatrixProduct(factors):
            return tree.MatrixProduct(tuple(transposed(factor) for factor in reversed(factors)))
        case tree.Add(terms):
            inside = tree.Add(tuple(transposed(term) for term in terms))
            return inside if weight(inside) <= weight(node) else tree.Transposed(node)
    return tree.Transposed(node)


def laid(array: Array, rows: str | None, columns: str | None, sizes: Mapping[str, int]) -> tree.Node:
    """The array with these rows and columns, repeated along those that it does not have.

    Raises NoMatrixFormError where the array has an index that is neither.
    """
    if not {rows, columns} >= set(array.axes):
        raise NoMatrixFormError("axes")
    if array.orientation == (rows, columns):
        return array.node
    if array.axes and array.orientation == (columns, rows):
        return transposed(array.node)
    height = 1 if rows is None else sizes[rows]
    width = 1 if columns is None else sizes[columns]
    if not array.axes:
        return scaled([array.node], [], ones(height, width))
    if array.axes[0] == rows:
        return times(array.node, tree.Transposed(ones(width)))
    return times(ones(height), transposed(array.node))


def times(*factors: tree.Node) -> tree.Node:
    """The matrix product of two or more matrices, their numbers and signs in front."""
    sign = False
    scalars: list[tree.Node] = []
    found: list[tree.Node] = []
    for factor in factors:
        is_negative, numbers, core = apart(factor)
        sign ^= is_negative
        scalars.extend(numbers)
        if not isinstance(core, tree.Identity):
            found.extend(core.factors if isinstance(core, tree.MatrixProduct) else (core,))
    core = tree.MatrixProduct(tuple(found)) if len(found) > 1 else (found or [apart(factors[0])[2]])[0]
    return signed(sign, scaled(scalars, [], core))


def hadamard(factors: Sequence[tree.Node]) -> tree.Node:
    """The elementwise product, numbers and signs in front."""
    sign = False
    scalars: list[tree.Node] = []
    found: list[tree.Node] = []
    for factor in factors:
        is_negative, numbers, core = apart(factor)
        sign ^= is_negative
        scalars.extend(numbers)
        if not isinstance(core, tree.Ones):
            found.extend(core.factors if isinstance(core, tree.Hadamard) else (core,))
    core = tree.Hadamard(tuple(found)) if len(found) > 1 else (found or [apart(factors[0])[2]])[0]
    return signed(sign, scaled(scalars, [], core))


def apart(node: tree.Node) -> tuple[bool, tuple[tree.Node, ...], tree.Node]:
    """Whether a minus sign stands before a matrix, the scalars that multiply it, and what is left."""
    if isinstance(node, tree.Negative):
        sign, scalars, core = apart(node.operand)
        return not sign, scalars, core
    if isinstance(node, tree.Product):
        return False, node.factors[:-1], node.factors[-1]
    return False, (), node


def signed(is_negative: bool, node: tree.Node) -> tree.Node:
    """The node or its negative."""
    if not is_negative:
        return node
    return node.operand if isinstance(node, tree.Negative) else tree.Negative(node)


def scaled(above: Iterable[tree.Node], below: Sequence[tree.Node], core: tree.Node | None) -> tree.Node:
    """``(above/below) · core``, the numbers first; without a core the scalar alone."""
    signs = False
    factors: list[tree.Node] = []
    if core is not None:
        signs, inside, core = apart(core)
        above = [*above, *inside]
    for node in above:
        is_negative = isinstance(node, tree.Negative)
        signs ^= is_negative
        inner = node.operand if isinstance(node, tree.Negative) else node
        factors.extend(inner.factors if isinstance(inner, tree.Product) else (inner,))
    factors = sorted((node for node in factors if node != ONE), key=lambda node: not is_number(node))
    below = [node for node in below if node != ONE]
    if core is not None and not below:
        return signed(signs, product([*factors, core]))
    if below:
        numbers = [node for node in factors if is_number(node)] if core is not None else factors
        rest = factors[len(numbers) :]
        fraction: list[tree.Node] = [tree.Quotient(product(numbers), product(below))]
        return signed(signs, product([*fraction, *rest, *(() if core is None else (core,))]))
    return signed(signs, product(factors))


def is_number(node: tree.Node) -> bool:
    return all(isinstance(part, tree.Number | tree.Quotient | tree.Negative | tree.Power) for part in walk(node))


def product(factors: Sequence[tree.Node]) -> tree.Node:
    """An ordinary product of scalars, the last of which may be a matrix."""
    flat = [part for node in factors for part in (node.factors if isinstance(node, tree.Product) else (node,))]
    if not flat:
        return ONE
    return flat[0] if len(flat) == 1 else tree.Product(tuple(flat))


def lightest(axes: Sequence[str], wanted: Orientation, make: Callable[[str | None, str | None], tree.Node]) -> Array:
    """What ``make`` gives for the orientation in which it is shorter; of two equally short ones the one wanted.

    ``axes`` are the one or two indices in their natural order. Raises NoMatrixFormError for more.
    """
    if len(axes) > 2:
        raise NoMatrixFormError("axes")
    if len(axes) < 2:
        rows = axes[0] if axes else None
        return Array(make(rows, None), rows)
    first, second = axes
    options = [Array(make(first, second), first, second), Array(make(second, first), second, first)]
    return min(options, key=lambda array: (weight(array.node) + _turns(array, wanted), -_fit(array, wanted)))


def _turns(array: Array, wanted: Orientation) -> int:
    """1 where the array lies across what is wanted and will have to be transposed."""
    return int(array.orientation == (wanted[1], wanted[0]))


def _fit(array: Array, wanted: Orientation) -> int:
    """How many of the array's axes lie as wanted."""
    return (array.rows == wanted[0]) + (array.columns == wanted[1])
