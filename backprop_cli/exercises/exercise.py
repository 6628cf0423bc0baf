"""An exercise: a network, what is given of it, and what is asked; sheet, key and every file are made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from sympy import Rational

from backprop_cli.errors import BackpropError
from backprop_cli.exercises.nodes import PATH, UPDATED, Nodes, look_ups
from backprop_cli.language import tree
from backprop_cli.numeric.program import Program
from backprop_cli.symbolic.derivation import derive
from backprop_cli.symbolic.graph import Graph
from backprop_cli.symbolic.notation import Adjoint, Place
from backprop_cli.translation import tr

LEARNING_RATE = 0.5
DIGITS = 4


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
        """The network taken apart. Raises BackpropError for a truncated one."""
        return nodes_of(self.network)

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


def nodes_of(network: Network) -> Nodes:
    """The nodes of a network, with what its look-ups use. Raises BackpropError for a truncated one."""
    graph = network.graph
    if graph.windows:
        raise BackpropError(
            tr("exercises ask for the gradients of the cost itself, as they are without truncation; leave out truncate")
        )
    return Nodes(graph, derive(graph), look_ups(graph, network.values))


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


def stem_and_positions(text: str) -> tuple[str, tuple[int, ...] | None]:
    """``W1[1,2]`` as its name and positions, None for a whole quantity. Raises ValueError for any other text."""
    stem, bracket, inside = text.partition("[")
    if not bracket:
        return stem.strip(), None
    if not inside.rstrip().endswith("]"):
        raise ValueError(text)
    return stem.strip(), tuple(int(part) for part in inside.rstrip().removesuffix("]").split(","))
