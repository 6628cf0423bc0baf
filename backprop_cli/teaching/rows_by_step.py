"""Gradients of the costs of single steps as rows: where J = Σ_s J_s is propagated back step by step, ∂J_s/∂u has one
row for every s, and a Jacobian multiplies all of them at once.

The Jacobians are those of the whole network. What truncation cuts off, [t > s − k] sets to 0 in the rows; as it depends
on the state that is reached alone and on no way there, it multiplies the sum of all that arrives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from backprop_cli.language import tree
from backprop_cli.symbolic.costs_by_step import TakenApart
from backprop_cli.symbolic.display import cost_of, position_tree, tree_of
from backprop_cli.symbolic.edges import Edge
from backprop_cli.symbolic.formulas import Term
from backprop_cli.symbolic.graph import Quantity
from backprop_cli.symbolic.notation import Adjoint, Compare, by_step
from backprop_cli.symbolic.steps import Derivation
from backprop_cli.teaching.rows import Factor, Row, RowKind, added, multiplied, shapes_of
from backprop_cli.teaching.whole_arrays import GRADIENT, WholeArrays

Array = NDArray[np.float64]


class RowsByStep:
    """The rows of a network taken apart by steps."""

    def __init__(self, derivation: Derivation, apart: TakenApart, arrays: WholeArrays) -> None:
        self._derivation, self._apart, self._arrays = derivation, apart, arrays
        self._step = apart.step
        self._count = next(apart.graph[by_step(name)].shape[0] for name in apart.copied)

    def has(self, u: Quantity) -> bool:
        """Whether the gradient by a quantity is told for every J_s."""
        return u.name in self._apart.copied or self._cut(u) is not None

    def own_step(self, v: Quantity, given: Sequence[Edge]) -> Iterator[Row]:
        """∂J_s/∂v of what J_s depends on at one step alone, where it is handed on along one of these edges."""
        if v.name in self._apart.copied or not self._has_steps(v) or not any(self.has(edge.by) for edge in given):
            return
        terms = (Compare("==", self._apart.at[v.name], self._step), Adjoint(v.name, *v.indices))
        values = self._arrays.of([Term((), terms)], (self._step, *v.indices), (self._count, *v.shape))
        self._arrays.put(f"{GRADIENT}{by_step(v.name)}", values, (self._step, *v.indices))
        target = tree.Partial(cost_of(self._step.name), position_tree(v.place))
        equation = tree.Equality((target, tree.Product(tuple(map(tree_of, terms)))))
        rows = values.reshape(self._count, -1)
        yield Row(v.name, self._label(v), equation, (), (), (self._whole(v),), rows, kind=RowKind.OWN_STEP)

    def rows(self, u: Quantity, arriving: Sequence[Edge]) -> Iterator[Row]:
        """∂J_s/∂u and its sum over s; entry by entry where something arrives that gathers all steps, such as J."""
        if all(self._has_steps(edge.of) for edge in arriving):
            yield self._multiplied(u, arriving)
        elif u.name in self._apart.copied:
            yield self._in_entries(u, arriving, f"dJ[{self._step}]/d{u.name}", self._factor(u))
        else:
            yield self._in_entries(u, arriving, f"dJ/d{u.name}", self._whole(u))
            return
        total = tree.Reduction("sum", self._label(u), (self._step.name,), (self._count,))
        whole = self._whole(u)
        equation = tree.Equality((whole.label, total))
        yield Row(u.name, whole.label, equation, (), (), (), whole.values, kind=RowKind.SUM)

    def _multiplied(self, u: Quantity, arriving: Sequence[Edge]) -> Row:
        through = [edge.of for edge in reversed(arriving)]
        factors = tuple(self._factor(v) for v in through)
        value, cut = added(multiplied([factor.label for factor in factors], through, u)), self._cut(u)
        if cut is not None:
            value = tree.Hadamard((value, cut.label))
        if u.name in self._apart.copied:
            values = self._factor(u).values
        else:
            values = np.asarray(sum(self._along(edge, u) for edge in arriving)) * (1 if cut is None else cut.values)
        return Row(
            u.name,
            self._label(u),
            tree.Equality((self._label(u), value)),
            tuple(v.name for v in through),
            shapes_of(self._count, through, u),
            factors,
            values,
            kind=RowKind.BY_STEP,
            cut=cut,
        )

    def _in_entries(self, u: Quantity, arriving: Sequence[Edge], step: str, gradient: Factor) -> Row:
        told, through = self._derivation.by_id[step], [edge.of for edge in reversed(arriving)]
        factors = tuple(
            self._factor(v) if v.name in self._apart.copied else self._whole(v)
            for v in through
            if v.name != self._apart.graph.cost
        )
        names = tuple(v.name for v in through)
        return Row(u.name, gradient.label, told.formula, names, (), factors, gradient.values, told.notes)

    def _has_steps(self, v: Quantity) -> bool:
        """Whether ∂J_s/∂v means something: what gathers all steps, such as J, belongs to no J_s."""
        return v.name in self._apart.at

    def _label(self, u: Quantity) -> tree.Node:
        return tree.StepGradient(cost_of(self._step.name), u.name)

    def _whole(self, v: Quantity) -> Factor:
        return Factor(v.name, tree.Gradient(v.name), self._arrays.gradient(v.name).reshape(1, -1))

    def _factor(self, v: Quantity) -> Factor:
        values = self._arrays.gradient(by_step(v.name)).reshape(self._count, -1)
        return Factor(v.name, self._label(v), values)

    def _along(self, edge: Edge, u: Quantity) -> Array:
        """What arrives along one edge for every J_s, before anything is cut off."""

        def of_step(node: Expr) -> Expr:
            found = node.atoms(Adjoint)
            return node.xreplace({a: Adjoint(by_step(a.name), self._step, *a.positions) for a in found})

        terms = [Term(term.sums, tuple(map(of_step, term.factors))) for term in edge.handed_back]
        shape = (self._count, *u.shape)
        return self._arrays.of(terms, (self._step, *u.indices), shape).reshape(self._count, -1)

    def _cut(self, u: Quantity) -> Factor | None:
        """What is 0 at states that are too old for J_s, where there are any."""
        window = self._apart.windows.get(u.name)
        if window is None:
            return None
        shape = (self._count, *u.shape)
        values = self._arrays.of([Term((), (window,))], (self._step, *u.indices), shape).reshape(self._count, -1)
        return None if values.all() else Factor(u.name, tree_of(window), values)
