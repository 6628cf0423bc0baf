"""An exercise: a network, what is given of it, and what is asked; sheet, key and every file are made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from math import prod
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from sympy import Rational

from backprop_cli.exercises.look_ups import look_ups
from backprop_cli.exercises.nodes import PATH, UPDATED, Nodes
from backprop_cli.language import tree
from backprop_cli.numeric.program import Program
from backprop_cli.symbolic.derivation import derive
from backprop_cli.symbolic.graph import Graph
from backprop_cli.symbolic.notation import Adjoint, Place

LEARNING_RATE = 0.5
DIGITS = 4
DECIMALS = 10  # of computed quantities that are given
WHOLE = 100  # entries of a quantity that is given whole, whatever is needed
FEW = 4  # of so many entries at most one is needed where they are given one by one


class Network(Protocol):
    """What an exercise needs of a network; :class:`backprop_cli.network.Network` is one."""

    @property
    def graph(self) -> Graph: ...

    @property
    def values(self) -> Mapping[str, NDArray[np.float64] | None]: ...

    @property
    def source(self) -> Any: ...

    def compile(self) -> Program: ...


class QuestionKind(StrEnum):
    """The kinds of question, as exercise files name them."""

    FORWARD = "forward"
    COST = "cost"
    GRADIENT = "gradient"
    FORMULA = "formula"
    UPDATE = "update"
    TABLE = "table"
    PATHS = "paths"
    BPTT = "bptt"
    MISTAKE = "mistake"
    CHOICE = "choice"


class Question(NamedTuple):
    """``cells`` are ids of nodes, or ids such as ``formula dJ/dW1[1,2]``, ``choice 3`` and ``mistake 4``, where the
    number is that of the question. ``of`` is what the question names: quantities, entries, or a direction.
    ``set_points`` are those that the file sets, None where every answer has one; ``tolerance`` is how far its numbers
    may be off, None where that is left to the exercise."""

    kind: QuestionKind
    cells: tuple[str, ...]
    set_points: float | None = None
    of: tuple[str, ...] = ()
    tolerance: float | None = None

    @property
    def points(self) -> float:
        """The points of all answers together."""
        return float(len(self.cells)) if self.set_points is None else self.set_points


class Range(NamedTuple):
    """The numbers from ``start`` to ``end`` in steps, without 0 where it says ``nonzero``."""

    start: float
    end: float
    step: float
    nonzero: bool = False


Rule = tuple[float, ...] | Range  # the values that numbers of a given quantity may have


@dataclass(frozen=True)
class Exercise:
    """``given`` names the quantities whose numbers stand on the sheet; ``vary`` says how those of variants are drawn,
    by name, and leaves the rest to the default. ``exact`` asks for fractions. ``tolerance`` is how far answers may be
    off, None for what rounding can cause. ``write`` gives the text of a formula in the equation language, which keys
    hold."""

    network: Network
    title: str
    digits: int
    given: tuple[str, ...]
    questions: tuple[Question, ...]
    write: Callable[[tree.Node], str]
    vary: Mapping[str, Rule] = field(default_factory=dict)
    learning_rate: float = LEARNING_RATE
    exact: bool = False
    tolerance: float | None = None

    @property
    def graph(self) -> Graph:
        return self.network.graph

    @cached_property
    def nodes(self) -> Nodes:
        """The network taken apart."""
        return nodes_of(self.network, self.computed)

    @property
    def computed(self) -> tuple[str, ...]:
        """The given quantities that could be computed."""
        return tuple(name for name in self.given if self.graph[name].definition is not None)

    @cached_property
    def needed(self) -> tuple[Place, ...]:
        """The given numbers that the answers are computed from."""
        return tuple(self.nodes.leaves(self.asked))

    def few(self, name: str) -> tuple[Place, ...] | None:
        """The entries of a given quantity that stand on the sheet one by one, in order: where it is large and the sheet
        gives values of the forward pass, so that few are needed. None where it is given whole."""
        size = prod(self.graph[name].shape)
        if not self.computed or size <= WHOLE:
            return None
        some = [place for place in self.needed if place.name == name]
        few = tuple(sorted(some, key=lambda place: tuple(map(int, place.positions))))
        return few if len(few) <= size // FEW else None

    @cached_property
    def asked(self) -> tuple[Place, ...]:
        """The places of all that is asked for; of a formula, a line or a choice that of the gradient it is about."""
        found: list[Place] = []
        for question in self.questions:
            for cell in question.cells:
                if cell.startswith(("choice ", "mistake ")):
                    names = (of.replace(" ", "") for of in question.of)
                    found += (self.nodes.place(of if of.startswith("dJ") else f"dJ/d{of}") for of in names)
                else:
                    found.append(self.place(cell.removeprefix("formula ")))
        return tuple(dict.fromkeys(found))

    def completed(self, arrays: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        """The numbers of variants, each array with an axis in front for them, with those of what is given though it
        could be computed: to so many digits that they are the same on every machine."""
        if not self.computed:
            return dict(arrays)
        decimals = max(DECIMALS, self.digits + 2)
        found = with_forward(self._program, arrays, self.computed)
        return {name: np.round(array, decimals) if name in self.computed else array for name, array in found.items()}

    def costs(self, arrays: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """The costs of variants, each array with an axis in front for them."""
        count = len(next(iter(arrays.values())))
        runs = (self._program.run({name: array[number] for name, array in arrays.items()}) for number in range(count))
        return np.array([run.loss for run in runs], dtype=np.float64)

    @cached_property
    def _program(self) -> Program:
        return self.network.compile()

    @cached_property
    def fixed(self) -> Mapping[str, float]:
        """The tolerances that were set and not derived, by cell."""
        found = {
            cell: self.tolerance if question.tolerance is None else question.tolerance
            for question in self.questions
            for cell in question.cells
        }
        return {cell: tolerance for cell, tolerance in found.items() if tolerance is not None}

    def place(self, cell: str) -> Place:
        """The place of a cell's node. Raises KeyError where the id is none of a node."""
        return place_of(self.nodes, cell, self.learning_rate)


def numbers_of(network: Network) -> dict[str, NDArray[np.float64]]:
    """The numbers of the spec; of a size alone some that do not matter, as they are drawn anew."""
    return {
        name: np.full(network.graph[name].shape, 0.25) if array is None else np.asarray(array, dtype=np.float64)
        for name, array in network.values.items()
    }


def with_forward(
    program: Program, arrays: Mapping[str, NDArray[np.float64]], names: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """The numbers of variants, each array with an axis in front for them, and those of these quantities."""
    count = len(next(iter(arrays.values())))
    traces = [program.run({name: array[number] for name, array in arrays.items()}) for number in range(count)]
    return {**arrays, **{name: np.stack([np.asarray(trace.forward[name]) for trace in traces]) for name in names}}


def nodes_of(network: Network, known: Sequence[str] = ()) -> Nodes:
    """The nodes of a network, with what its look-ups use; the numbers of ``known`` quantities are given."""
    graph = network.graph
    return Nodes(graph, derive(graph), look_ups(graph, network.values), known)


def place_of(nodes: Nodes, cell: str, learning_rate: float) -> Place:
    """The place of the node with this id. Raises KeyError where there is none."""
    if cell.startswith(UPDATED):
        return nodes.updated(nodes.place(cell.removeprefix(UPDATED)), Rational(repr(learning_rate)))
    if cell.startswith(PATH):
        number, _, gradient = cell.removeprefix(PATH).partition(" of ")
        place = nodes.place(gradient)
        if not isinstance(place, Adjoint):
            raise KeyError(cell)
        return nodes.path(place, int(number))
    return nodes.place(cell)
