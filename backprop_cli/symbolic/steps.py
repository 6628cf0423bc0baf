"""The derivation as steps a reader can follow: plain data from which every output is made.

A :class:`Step` states one equality, as a chain of forms from the rule that is used to the result. A form is data
(trees), so a renderer decides nothing but how to write it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from backprop_cli.language import tree
from backprop_cli.symbolic.derivation import Adjoints
from backprop_cli.symbolic.graph import Graph


class Kind(StrEnum):
    """What a step is, for people and for scripts (the contract's list)."""

    DEFINITION = "definition"
    LOCAL_DERIVATIVE = "local_derivative"
    BOUNDARY = "boundary"
    ACTIVATION_GRADIENT = "activation_gradient"
    PREACTIVATION_GRADIENT = "preactivation_gradient"
    PARAMETER_GRADIENT = "parameter_gradient"
    INPUT_GRADIENT = "input_gradient"
    QUANTITY_GRADIENT = "quantity_gradient"


class Rule(StrEnum):
    """Why the first equality of a step holds."""

    DEFINITION = "definition"
    DIFFERENTIATION = "differentiation"
    CHAIN_RULE = "chain rule"
    SUM_OVER_PATHS = "chain rule, summed over every path to the cost"
    SUM_OVER_STEPS = "sum over the costs of all steps"
    GIVEN = "given output gradient"
    NO_PATH = "no path to the cost"


class FormKind(StrEnum):
    """How a form of a step's value is written."""

    DEFINED = "defined"  # as the author or the library defines it
    CHAIN = "chain"  # Leibniz: ∂J/∂a · ∂a/∂z · ∂z/∂w
    SLOPE = "slope"  # with σ′
    LOCAL = "local"  # local derivatives put in
    RECURRENCE = "recurrence"  # in terms of the next layer's ∂J/∂a
    TRUNCATED = "truncated"  # the result with the terms that truncation drops, struck out
    RESULT = "result"  # the shortest: in terms of ∂J/∂z
    COMBINED = "combined"  # both uses of the chain rule in one formula
    EXPANDED = "expanded"  # in inputs and parameters alone
    UNIT_SUM = "unit_sum"  # the result where the targets sum to 1


@dataclass(frozen=True)
class Form:
    kind: FormKind
    value: tree.Node


@dataclass(frozen=True)
class Note:
    """A remark that belongs to a step: a key that the documents put into words, and what it speaks of."""

    key: str
    about: Mapping[str, str]


@dataclass(frozen=True)
class Step:
    """One equality ``target = forms[0] = forms[1] = …`` for all values of ``indices`` (sizes: ``shape``).

    ``main`` is the place in ``forms`` of the one formula to quote where only one is wanted: a parameter's gradient from
    ∂J/∂a of its own layer, ∂J/∂a from ∂J/∂a of the next. ``uses`` are the ids of the steps it builds on.
    """

    id: str
    layer: int | None
    kind: Kind
    of: str
    rule: Rule
    target: tree.Node
    indices: tuple[str, ...]
    shape: tuple[int, ...]
    forms: tuple[Form, ...]
    main: int = 0
    uses: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def formula(self) -> tree.Equality:
        """``target = value`` with the main form."""
        return tree.Equality((self.target, self.forms[self.main].value))

    @property
    def chain(self) -> tree.Equality:
        """``target = form = form = …``."""
        return tree.Equality((self.target, *(form.value for form in self.forms)))


@dataclass(frozen=True)
class Derivation:
    """The graph, its adjoints as formulas, and the steps from the definitions to every ∂J/∂w."""

    graph: Graph
    adjoints: Adjoints
    steps: tuple[Step, ...]

    @cached_property
    def by_id(self) -> Mapping[str, Step]:
        return {step.id: step for step in self.steps}

    def of_layer(self, layer: int | None) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.layer == layer)
