"""A run told in Jacobian matrices: gradients are rows, and each is a product of the next one and a Jacobian.

Every quantity counts as a vector of all its entries, row by row, so that ∂v/∂u is one matrix whatever their shapes:
[1×d_u] = [1×d_v] · [d_v×d_u]. A module has one Jacobian by its inputs and one by its parameters.
Source: Y. LeCun, Deep Learning (New York University), lecture 2: backpropagation through a functional module.

Where the cost is taken apart by steps, J = Σ_s J_s, the gradients of what its parts reach at other steps have one row
for every s (:mod:`backprop_cli.teaching.rows_by_step`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop_cli.language import tree
from backprop_cli.symbolic.display import tree_of
from backprop_cli.symbolic.edges import Edge, edges, told
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.matrix_algebra import NoMatrixFormError
from backprop_cli.symbolic.matrix_reading import Reader
from backprop_cli.symbolic.matrix_view import matrix_steps
from backprop_cli.symbolic.notation import Adjoint
from backprop_cli.symbolic.steps import Derivation, FormKind, Note
from backprop_cli.teaching.rows import Factor, Row, Shape, added, multiplied, shapes_of
from backprop_cli.teaching.rows_by_step import RowsByStep
from backprop_cli.teaching.whole_arrays import WholeArrays

MOST_NUMBERS = 200_000  # of a Jacobian that is computed

Array = NDArray[np.float64]


class Jacobian(NamedTuple):
    """∂of/∂by: as a whole matrix, or ``in_entries`` by the formula of one entry; then the entries that the formula does
    not name are 0 if it ``is_sparse``. ``values`` is None where there are too many."""

    of: str
    by: str
    equation: tree.Equality
    in_entries: bool
    is_sparse: bool
    shape: Shape
    values: Array | None
    notes: tuple[Note, ...] = ()


class Block(NamedTuple):
    """One module on the way back: its equation, the Jacobians by what stands in it, and the rows that are complete with
    it."""

    of: str
    definition: tree.Equality
    jacobians: tuple[Jacobian, ...]
    rows: tuple[Row, ...]


def blocks(derivation: Derivation, whole: Derivation, arrays: WholeArrays) -> tuple[Block, ...]:
    """The modules of a network from the cost to the inputs. Where ``derivation`` takes it apart by steps, ``whole``
    is that of the same network without truncation; the Jacobians are its."""
    return tuple(_Teller(derivation, whole, arrays).blocks())


class _Teller:
    def __init__(self, derivation: Derivation, whole: Derivation, arrays: WholeArrays) -> None:
        self._derivation, self._whole, self._arrays = derivation, whole, arrays
        self._graph: Graph = whole.graph
        self._reader = Reader(self._graph)
        self._in_matrices = {step.id: step for step in matrix_steps(whole)}
        formulas, apart = derivation.adjoints.formulas, derivation.adjoints.apart
        self._by_step = None if apart is None else RowsByStep(derivation, apart, arrays)
        self._edges = [
            edge
            for edge in edges(self._graph)
            if edge.by.name in formulas
            and (edge.of.name == self._graph.cost or (edge.of.name in formulas and formulas[edge.of.name].terms))
        ]

    def blocks(self) -> Iterator[Block]:
        order = [quantity for quantity in self._graph.quantities if quantity.definition is not None]
        rank = {quantity.name: number for number, quantity in enumerate(order)}
        last = {edge.by.name: edge.of.name for edge in reversed(self._edges)}  # what hands back to it last
        for quantity in reversed(order):
            mine = [edge for edge in self._edges if edge.of.name == quantity.name]
            seed = self._given(quantity)
            if not mine and not seed:
                continue
            jacobians = tuple(self._jacobian(edge) for edge in mine if quantity.name != self._graph.cost)
            complete = [edge.by for edge in mine if last[edge.by.name] == quantity.name]
            complete.sort(key=lambda by: (by.role is Role.PARAMETER, -rank.get(by.name, -1)))
            own_step = () if self._by_step is None else tuple(self._by_step.own_step(quantity, mine))
            rows = tuple(row for by in complete for row in self._rows(by))
            yield Block(quantity.name, self._definition(quantity), jacobians, (*seed, *own_step, *rows))

    def _definition(self, quantity: Quantity) -> tree.Equality:
        step = self._in_matrices.get(quantity.name) or self._whole.by_id[quantity.name]
        return tree.Equality((step.target, step.forms[step.main].value))

    def _given(self, quantity: Quantity) -> tuple[Row, ...]:
        """The row that the backward pass of a module on its own starts from, where nothing else reaches it."""
        seed = self._graph.seeds.get(quantity.name)
        if seed is None or any(edge.by.name == quantity.name for edge in self._edges):
            return ()
        if len(quantity.shape) > 1:
            given = tree_of(self._graph[seed].place)
            target: tree.Node = tree_of(Adjoint(quantity.name, *quantity.indices))
        else:
            given, target = _as_row(tree.Matrix(seed), quantity), tree.Gradient(quantity.name)
        row = self._arrays.gradient(quantity.name).reshape(1, -1)
        return (Row(quantity.name, tree.Gradient(quantity.name), tree.Equality((target, given)), (), (), (), row),)

    def _jacobian(self, edge: Edge) -> Jacobian:
        v, u = edge.of, edge.by
        shape = prod(v.shape), prod(u.shape)
        values = None
        if prod(shape) <= MOST_NUMBERS:
            by, terms = edge.jacobian
            values = self._arrays.of(terms, (*v.indices, *by), (*v.shape, *u.shape)).reshape(shape)
        step = self._whole.by_id[f"d{v.name}/d{u.name}"]
        whole = self._in_matrices[step.id]
        in_entries = max(len(v.shape), len(u.shape)) > 1 or not isinstance(whole.target, tree.Jacobian)
        told_by = step if in_entries else whole
        value = next(form.value for form in reversed(told_by.forms) if form.kind is FormKind.LOCAL)
        notes = tuple(note for note in told_by.notes if note.key not in ("many_indices", "no_matrix_form", "shapes"))
        is_sparse = in_entries and bool(edge.derivative.tied)
        equation = tree.Equality((told_by.target, value))
        return Jacobian(v.name, u.name, equation, in_entries, is_sparse, shape, values, notes)

    def _rows(self, u: Quantity) -> Iterator[Row]:
        """∂J/∂u, from everything that hands back to it."""
        arriving = [edge for edge in self._edges if edge.by.name == u.name]
        if self._by_step is not None and self._by_step.has(u):
            yield from self._by_step.rows(u, arriving)
        else:
            yield self._row(u, arriving)

    def _row(self, u: Quantity, arriving: Sequence[Edge]) -> Row:
        through = [edge.of for edge in reversed(arriving) if edge.of.name != self._graph.cost]
        direct = [edge for edge in arriving if edge.of.name == self._graph.cost]
        values = self._arrays.gradient(u.name).reshape(1, -1)
        parts = multiplied([tree.Gradient(v.name) for v in through], through, u)
        names = tuple(edge.of.name for edge in reversed(arriving))
        factors = tuple(
            Factor(v.name, tree.Gradient(v.name), self._arrays.gradient(v.name).reshape(1, -1)) for v in through
        )
        shapes, label = shapes_of(1, through, u), tree.Gradient(u.name)
        notes: tuple[Note, ...] = ()
        if direct or u.name in self._graph.seeds:
            own, step = self._own_part(u, direct), self._derivation.by_id[f"dJ/d{u.name}"]
            if own is None:
                return Row(u.name, label, step.formula, names, (), factors, values, step.notes)
            parts.append(own)
            notes = step.notes if not through else ()
        return Row(u.name, label, tree.Equality((label, added(parts))), names, shapes, factors, values, notes)

    def _own_part(self, u: Quantity, direct: Sequence[Edge]) -> tree.Node | None:
        """What the cost's own equation adds as a row, None where it is written entry by entry alone."""
        if len(u.shape) > 1:
            return None
        terms = [term for edge in direct for term in edge.handed_back]
        nodes = [told(self._graph, terms, u.indices)] if terms else []
        seed = self._graph.seeds.get(u.name)
        try:
            found = [self._reader.whole(node, u) for node in nodes]
        except NoMatrixFormError:
            return None
        found += [tree.Matrix(seed)] if seed is not None else []
        return _as_row(found[0] if len(found) == 1 else tree.Add(tuple(found)), u)


def _as_row(column: tree.Node, quantity: Quantity) -> tree.Node:
    if not quantity.shape:
        return column
    return column.operand if isinstance(column, tree.Transposed) else tree.Transposed(column)
