"""The derivation of a network as the Python interface gives it: steps, one gradient on demand, and plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from backprop_cli.documents.names import Names
from backprop_cli.renderers import formula_latex
from backprop_cli.renderers.derivation_data import steps_as_data
from backprop_cli.symbolic.graph import Graph
from backprop_cli.symbolic.matrix_view import matrix_steps
from backprop_cli.symbolic.selection import selected
from backprop_cli.symbolic.steps import Derivation as Steps
from backprop_cli.symbolic.steps import Step
from backprop_cli.symbolic.unrolled import OneCost, unrolled


@dataclass(frozen=True)
class Derivation:
    """The derivation of a network, step by step from the cost back to the first layer.

    ``steps`` are plain data; :meth:`as_data` is what ``derive --format json`` prints.
    """

    told: Steps
    names: Names
    network: Graph

    @property
    def graph(self) -> Graph:
        return self.told.graph

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.told.steps

    @cached_property
    def matrix_steps(self) -> tuple[Step, ...]:
        """The same steps in matrix notation."""
        return matrix_steps(self.told)

    @cached_property
    def unrolled(self) -> tuple[OneCost, ...]:
        """The gradients of the cost of each step by itself, for a recurrent network of at most 20 steps.

        Raises BackpropError where there is no recurrence, or a longer one.
        """
        return unrolled(self.network)

    def of(self, quantity: str, expand: bool = False) -> tuple[Step, ...]:
        """The steps that lead to the gradient of one quantity or entry (``W1``, ``W1[1,2]``), that gradient last.

        ``expand``: that one gradient alone, in inputs and parameters. Raises BackpropError for what is not there.
        """
        return selected(self.told, quantity, expand)

    def as_data(self) -> dict[str, Any]:
        return steps_as_data(self.graph.name, self.steps, self.names)

    def _repr_markdown_(self) -> str:
        """The gradients as mathematics, for a notebook."""
        return self._as_markdown(step for step in self.steps if step.id.startswith("dJ/d"))

    def definitions_as_markdown(self) -> str:
        """The equations of the network as mathematics, in order of computation."""
        return self._as_markdown(
            self.told.by_id[quantity.name] for quantity in self.graph.quantities if quantity.name in self.told.by_id
        )

    def _as_markdown(self, steps: Iterable[Step]) -> str:
        return "\n\n".join(f"$$\n{formula_latex.render(step.formula, self.names)}\n$$" for step in steps)
