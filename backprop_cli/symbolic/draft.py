"""A graph while it is put together: what is known so far, where it came from, and everything that is wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, islice
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sympy import Symbol

from backprop_cli.errors import Problem
from backprop_cli.language import tree
from backprop_cli.language.offsets import Offsets
from backprop_cli.spec import limits
from backprop_cli.spec.findings import Path
from backprop_cli.spec.positions import Positions
from backprop_cli.symbolic.graph import Loop, Quantity
from backprop_cli.symbolic.notation import Reduce
from backprop_cli.translation import grouped, tr

MOST_PROBLEMS = 100
INDEX_NAMES = ("i", "j", "k", "l", "m", "p", "q", "r", "s", "u", "v", "w")


class TooManyProblems(Exception):
    """Nobody reads on after the first hundred, and looking for the nearest name of each takes time."""


class Origin(NamedTuple):
    """Where something stands in the spec: at a path, or at one node of the formula that stands there."""

    positions: Positions
    path: Path
    at_key: bool = False
    offsets: Offsets | None = None

    def problem(self, message: str, node: tree.Node | None = None) -> Problem:
        offset = self.offsets.of(node) if self.offsets is not None and node is not None else 0
        return self.positions.problem(self.path, message, key=self.at_key, offset=offset)

    def __str__(self) -> str:
        """``line:column`` for messages about something else; empty where there is no text."""
        line, column = self.positions.at(self.path, key=self.at_key)
        return f"{line}:{column}" if line else ""


class ToDraw(NamedTuple):
    """A parameter without values: its part in the layer (W, b), the numbers of inputs and units of that layer, the
    mask of the entries that are not 0, and the number it starts with where it is not drawn."""

    part: str
    shape: tuple[int, ...]
    fans: tuple[int, int]
    mask: NDArray[np.float64] | None = None
    start: float | None = None


@dataclass
class Draft:
    """The quantities found so far, in order, with their values where they are given.

    ``broken`` names have an equation with a problem of its own, so using them is no further problem; ``later`` are
    the names that are still to come. ``reserved`` are the names that the tool gives, each with what it names;
    ``aliases`` are other names of quantities. ``parts`` says which part a parameter plays in its layer (W, b), by the
    letter in the library; ``sequences`` are the outputs of layers whose first own axis are steps; ``initial`` are the
    names of initial states by that of the state, ``labels`` what people call the layer of each quantity; ``windows``
    say through how many states the cost of each step is propagated back, and where the spec says so.
    """

    positions: Positions
    reserved: Mapping[str, str] = field(default_factory=dict)
    sample: Symbol | None = None
    samples: int | None = None
    problems: list[Problem] = field(default_factory=list)
    quantities: dict[str, Quantity] = field(default_factory=dict)
    values: dict[str, NDArray[np.float64] | None] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    later: dict[str, Origin] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    to_draw: dict[str, ToDraw] = field(default_factory=dict)
    sequences: set[str] = field(default_factory=set)
    initial: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    loops: list[Loop] = field(default_factory=list)
    windows: dict[str, tuple[int, Origin]] = field(default_factory=dict)
    numbers: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})

    def origin(self, *path: str | int, at_key: bool = False) -> Origin:
        return Origin(self.positions, path, at_key)

    def report(self, problem: Problem) -> None:
        if len(self.problems) == MOST_PROBLEMS:
            self.problems.append(replace(problem, message=tr("... and perhaps more problems from here on")))
            raise TooManyProblems
        self.problems.append(problem)

    def add(self, quantity: Quantity, origin: Origin) -> Quantity:
        """Take the quantity in; a name that is taken already is the caller's to report."""
        self.later.pop(quantity.name, None)
        self.quantities[quantity.name] = quantity
        self.origins[quantity.name] = origin
        self._count(quantity, origin)
        return quantity

    def _count(self, quantity: Quantity, origin: Origin) -> None:
        given, before = quantity.is_given, self.numbers[quantity.is_given]
        self.numbers[given] += prod(quantity.shape)
        if before <= limits.NUMBERS < self.numbers[given]:
            message = tr("{number} numbers are computed up to '{name}'; at most {most} are allowed")
            if given:
                message = tr("{number} numbers are given up to '{name}'; at most {most} are allowed")
            numbers = {"number": grouped(self.numbers[given]), "most": grouped(limits.NUMBERS)}
            self.report(origin.problem(message.format(name=quantity.name, **numbers)))

    def give_up(self, name: str, origin: Origin) -> None:
        """The equation of this name has a problem: whatever uses the name is not to blame."""
        self.later.pop(name, None)
        if name not in self.quantities:
            self.broken.add(name)
            self.origins.setdefault(name, origin)

    def known(self, name: str) -> Quantity | None:
        """The quantity of this name or alias."""
        return self.quantities.get(self.aliases.get(name, name))

    def names(self) -> list[str]:
        """Every name that a formula could use here."""
        return [*self.quantities, *self.aliases]

    def free_name(self, preferred: Sequence[str]) -> str:
        """The first of the names that no quantity, present or to come, and no index has; numbered where all are
        taken."""
        indices = self._index_names()
        return next(name for name in candidates(preferred) if not self.is_taken(name) and name not in indices)

    def _index_names(self) -> set[str]:
        found = {symbol.name for quantity in self.quantities.values() for symbol in quantity.indices}
        definitions = (q.definition for q in self.quantities.values() if q.definition is not None)
        return found | {node.bound.name for definition in definitions for node in definition.atoms(Reduce)}

    def is_taken(self, name: str) -> bool:
        return name in self.origins or name in self.later or name in self.aliases or name in self.reserved


def candidates(preferred: Sequence[str]) -> Iterator[str]:
    """The preferred names and then the first of them with numbers: L, L_sample, L_1, L_2 ..."""
    yield from preferred
    for number in count(1):
        yield f"{preferred[0]}_{number}"


def free_indices(number: int, taken: Collection[str] = ()) -> tuple[str, ...]:
    """So many names for indices, none of them taken: i, j, k ..."""
    return tuple(islice((name for name in candidates(INDEX_NAMES) if name not in taken), number))
