"""The syntax tree of formulas: what authors write, and what the tool prints.

The grammar turns text into these nodes without changing a thing (``2*(p-1)`` stays as written, where SymPy would
rewrite it), and every printed formula is made of them, so each output format is one function over this tree.
The nodes carry names and numbers only: no mathematics happens here and no markup.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True)
class Number:
    """A non-negative number as it is written: ``2``, ``0.5``, ``1e-3``."""

    text: str


@dataclass(frozen=True)
class Place:
    """A quantity at positions, ``W1[i,j]``; a scalar or a bare index has no positions."""

    name: str
    positions: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Apply:
    """A function of one or more arguments: ``tanh(z)``, ``max(0, z)``, ``where(condition, a, b)``."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Reduction:
    """``sum(body, i, j)`` and likewise ``mean``, ``max``, ``min``, ``argmax``, ``argmin``: the indices are bound.

    ``sizes`` are how many values each index takes, once a formula stands in a network; no part of what is written.
    """

    operation: str
    body: Node
    indices: tuple[str, ...]
    sizes: tuple[int, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Negative:
    operand: Node


@dataclass(frozen=True)
class Add:
    """A sum of two or more terms in the order written; a difference has :class:`Negative` terms."""

    terms: tuple[Node, ...]


@dataclass(frozen=True)
class Product:
    """Two or more factors in the order written (a derivation keeps its teaching order here)."""

    factors: tuple[Node, ...]


@dataclass(frozen=True)
class Quotient:
    numerator: Node
    denominator: Node


@dataclass(frozen=True)
class Power:
    base: Node
    exponent: Node


@dataclass(frozen=True)
class Comparison:
    """``left operator right`` with one of ``< <= > >= == !=``; as a number it is 1 where it holds and 0 elsewhere
    (an Iverson bracket; with ``==`` between indices the Kronecker delta)."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Partial:
    """The partial derivative ∂of/∂by in Leibniz' notation, as one symbol: ``dJ/dW1[i,j]``."""

    of: Place
    by: Place


@dataclass(frozen=True)
class Differential:
    """A small change of a quantity, da, to first order in the change it comes from: ``da1[i]``."""

    of: Place


@dataclass(frozen=True)
class Prime:
    """The derivative of a named function of one argument: ``sigmoid'(z1[i])``."""

    function: str
    argument: Node


@dataclass(frozen=True)
class Struck:
    """What would stand here and is left out, as a term that truncation drops: it counts 0."""

    operand: Node


@dataclass(frozen=True)
class Matrix:
    """A whole quantity in the matrix view, as a matrix or a column vector: ``W1``, ``z1``."""

    name: str


@dataclass(frozen=True)
class Gradient:
    """The gradient of the cost as a whole array in the matrix view: ``dJ/dW1``; ``delta`` writes it as δ⁽ˡ⁾."""

    name: str
    delta: bool = False


@dataclass(frozen=True)
class StepGradient:
    """The gradient of the cost of one step, ``J[s]``, as a whole array: ``dJ[s]/dh``."""

    of: Place
    name: str


@dataclass(frozen=True)
class Jacobian:
    """The Jacobian matrix ∂of/∂by of one whole quantity by another."""

    of: str
    by: str


@dataclass(frozen=True)
class Transposed:
    operand: Node


@dataclass(frozen=True)
class MatrixProduct:
    factors: tuple[Node, ...]


@dataclass(frozen=True)
class Hadamard:
    """The elementwise product A ⊙ B."""

    factors: tuple[Node, ...]


@dataclass(frozen=True)
class Equality:
    """A chain of sides that are all equal, in the order a teacher writes them."""

    sides: tuple[Node, ...]


@dataclass(frozen=True)
class Ones:
    """A matrix all of whose entries are 1; with one column the vector of ones. Sizes are whole numbers."""

    rows: Number
    columns: Number = Number("1")


@dataclass(frozen=True)
class Identity:
    """The square identity matrix."""

    size: Number


@dataclass(frozen=True)
class Diagonal:
    """The square matrix with the entries of a column vector on its diagonal."""

    operand: Node


@dataclass(frozen=True)
class OneHot:
    """The matrix with one row for every entry p of a column vector of positions: 1 in column p and 0 elsewhere.
    A scalar position p gives a column: 1 in row p and 0 elsewhere."""

    positions: Node
    size: Number


Node: TypeAlias = (
    Number
    | Place
    | Apply
    | Reduction
    | Negative
    | Add
    | Product
    | Quotient
    | Power
    | Comparison
    | Partial
    | Differential
    | Prime
    | Struck
    | Matrix
    | Gradient
    | StepGradient
    | Jacobian
    | Transposed
    | MatrixProduct
    | Hadamard
    | Equality
    | Ones
    | Identity
    | Diagonal
    | OneHot
)
