"""What formulas over whole arrays come to in the numbers of one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Symbol

from backprop_cli.symbolic.costs_by_step import values as plain_values
from backprop_cli.symbolic.formulas import Formula, Term
from backprop_cli.symbolic.graph import Graph
from backprop_cli.symbolic.notation import Adjoint, Place, by_step, is_by_step, plain_name
from backprop_cli.verification.arrays import Named, NumPyArrays
from backprop_cli.verification.evaluation import Evaluator

Array = NDArray[np.float64]
GRADIENT = "dJ/d"  # before a quantity's name, the name of its gradient among the values


class WholeArrays:
    """The arrays of one run: ``values`` of quantities and ``gradients`` of J by name. What the run does not report (the
    loss of one sample, probabilities that the tool names, the gradients of the cost of each step) is computed from its
    equation or its gradient's formula.

    Formulas are evaluated as they stand, and not by the compiled program, so that what a page says equals what it was
    computed from.
    """

    def __init__(
        self,
        graph: Graph,
        values: Mapping[str, Array],
        formulas: Mapping[str, Formula] | None = None,
        gradients: Mapping[str, Array] | None = None,
    ) -> None:
        self._evaluator = Evaluator(NumPyArrays())
        self._found: dict[str, Array] = {}
        for quantity in graph.quantities:
            if quantity.name in values:
                self.put(quantity.name, values[quantity.name], quantity.indices)
            elif quantity.definition is not None:
                terms = [Term((), (quantity.definition,))]
                self.put(quantity.name, self.of(terms, quantity.indices, quantity.shape), quantity.indices)
        found = dict(gradients or {})
        for name, formula in reversed(list((formulas or {}).items())):
            if name not in found:
                loop = graph.loop_of(plain_name(name))
                named = by_step if is_by_step(name) else plain_name
                together = [name] if loop is None else [named(member) for member in loop.names]
                wanted = [(formulas or {})[member] for member in reversed(together) if member not in found]
                found |= self._computed(wanted, 1 if loop is None else loop.steps)
            self.put(f"{GRADIENT}{name}", found[name], formula.indices)

    def __getitem__(self, name: str) -> Array:
        """A quantity's value, or what was :meth:`put`."""
        return self._found[name]

    def __contains__(self, name: object) -> bool:
        return name in self._found

    def gradient(self, name: str) -> Array:
        """∂J/∂(the quantity). Raises KeyError for one that has none."""
        return self._found[f"{GRADIENT}{name}"]

    def put(self, name: str, value: Array, indices: Sequence[Symbol]) -> None:
        """An array under a name of its own, for formulas that hold it."""
        self._found[name] = np.asarray(value, dtype=np.float64)
        self._evaluator.values[name] = Named(self._evaluator.arrays.given(self._found[name]), tuple(indices))

    def _computed(self, formulas: Sequence[Formula], steps: int) -> dict[str, Array]:
        """Gradients by their formulas, which may read each other at later steps: from 0, each round gets one more step
        right, the last one first."""
        found = {formula.target.name: np.zeros(formula.shape) for formula in formulas}
        for _ in range(steps):
            before = dict(found)
            for formula in formulas:
                self.put(f"{GRADIENT}{formula.target.name}", found[formula.target.name], formula.indices)
            for formula in formulas:
                name = formula.target.name
                found[name] = self.of(formula.terms, formula.indices, formula.shape)
                self.put(f"{GRADIENT}{name}", found[name], formula.indices)
            if all(np.array_equal(found[name], before[name], equal_nan=True) for name in found):
                break
        return found

    def of(self, terms: Sequence[Term], indices: Sequence[Symbol], shape: Sequence[int]) -> Array:
        """A sum of terms for all values of these indices."""
        total = np.zeros(tuple(shape))
        with np.errstate(all="ignore"):
            for term in terms:
                value = self._evaluator.over(_plain(term.expression), dict(zip(indices, shape, strict=True)))
                total = total + np.asarray(value, dtype=np.float64)
        return total


def _plain(expression: Expr) -> Expr:
    """The expression with ∂J/∂u as a quantity like any other, and quantities in place of their copies by step."""
    expression = plain_values(expression)
    adjoints = {node: Place(f"{GRADIENT}{node.name}", *node.positions) for node in expression.atoms(Adjoint)}
    return expression.xreplace(adjoints) if adjoints else expression
