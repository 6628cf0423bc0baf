"""Gradients as rows, which a Jacobian multiplies from the right."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop_cli.language import tree
from backprop_cli.symbolic.graph import Quantity
from backprop_cli.symbolic.steps import Note

Array = NDArray[np.float64]
Shape = tuple[int, int]


class RowKind(StrEnum):
    """How a row comes about."""

    WHOLE = "whole"  # the gradient from what arrives
    BY_STEP = "by step"  # ∂J_s/∂u from what arrives, a row for every s
    OWN_STEP = "own step"  # ∂J_s/∂u of what J_s depends on at one step alone: a part of ∂J/∂u
    SUM = "sum"  # ∂J/∂u = Σ_s ∂J_s/∂u


class Factor(NamedTuple):
    """What stands in a row's equation: rows of the gradient by ``of``, or numbers in as many columns."""

    of: str
    label: tree.Node
    values: Array


class Row(NamedTuple):
    """``label``, the gradient by a quantity, as a row, or as one row for the cost of every step: what arrives through
    each of ``through``, added up.

    ``factors`` are the rows that are multiplied by Jacobians, and ``shapes`` those of each such product. ``cut`` are
    the 0s and 1s by which the sum of all is multiplied, entry by entry, where older states are cut off.
    """

    by: str
    label: tree.Node
    equation: tree.Equality
    through: tuple[str, ...]
    shapes: tuple[tuple[Shape, Shape], ...]
    factors: tuple[Factor, ...]
    values: Array
    notes: tuple[Note, ...] = ()
    kind: RowKind = RowKind.WHOLE
    cut: Factor | None = None


def shapes_of(rows: int, through: Sequence[Quantity], by: Quantity) -> tuple[tuple[Shape, Shape], ...]:
    """The shapes of the products of this many rows and the Jacobians of these quantities by one."""
    return tuple(((rows, prod(v.shape)), (prod(v.shape), prod(by.shape))) for v in through)


def multiplied(rows: Sequence[tree.Node], through: Sequence[Quantity], by: Quantity) -> list[tree.Node]:
    """Each of these rows times the Jacobian of its quantity."""
    return [tree.MatrixProduct((row, tree.Jacobian(v.name, by.name))) for row, v in zip(rows, through, strict=True)]


def added(parts: Sequence[tree.Node]) -> tree.Node:
    return parts[0] if len(parts) == 1 else tree.Add(tuple(parts))
