"""Positions in formulas as sums of indices: ``2*(p-1)+k`` is -2 + 2·p + 1·k."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from backprop_cli.language import tree
from backprop_cli.translation import marked, tr

FORM = marked(
    "a position is an index, a whole number, a quantity of whole numbers, or a sum of such, like x[2*(p-1)+k]"
)


class NoPosition(Exception):
    """A node that cannot stand in a position, and why: a marked message."""

    def __init__(self, node: tree.Node, message: str = FORM) -> None:
        self.node, self.message = node, tr(message)
        super().__init__(self.message)


@dataclass
class Sum:
    """``constant + Σ coefficient · index + Σ coefficient · looked-up value``; indices by the names written."""

    constant: int = 0
    indices: dict[str, int] = field(default_factory=dict)
    looked_up: list[tuple[tree.Node, int]] = field(default_factory=list)

    @property
    def index(self) -> str | None:
        """The index, where the position is nothing else."""
        if self.constant or self.looked_up or list(self.indices.values()) != [1]:
            return None
        return next(iter(self.indices))

    def add(self, other: Sum, factor: int) -> None:
        self.constant += factor * other.constant
        for name, coefficient in other.indices.items():
            self.indices[name] = self.indices.get(name, 0) + factor * coefficient
        self.looked_up += [(node, factor * coefficient) for node, coefficient in other.looked_up]


def position_sum(node: tree.Node, is_index: Callable[[str], bool]) -> Sum:
    """The position as a sum. Raises NoPosition."""
    found = Sum()
    match node:
        case tree.Number(text=text):
            if not text.isdigit():
                raise NoPosition(node, marked("positions are whole numbers"))
            found.constant = int(text)
        case tree.Place(name=name, positions=()) if is_index(name):
            found.indices[name] = 1
        case tree.Place() | tree.Reduction(operation="argmax" | "argmin"):
            found.looked_up.append((node, 1))
        case tree.Negative(operand=operand):
            found.add(position_sum(operand, is_index), -1)
        case tree.Add(terms=terms):
            for term in terms:
                found.add(position_sum(term, is_index), 1)
        case tree.Product(factors=factors):
            return _product(node, [position_sum(factor, is_index) for factor in factors])
        case _:
            raise NoPosition(node)
    return found


def _product(node: tree.Node, factors: list[Sum]) -> Sum:
    number = 1
    rest = Sum(1)
    for factor in factors:
        if not factor.indices and not factor.looked_up:
            number *= factor.constant
        elif rest.indices or rest.looked_up:
            raise NoPosition(node)
        else:
            rest = factor
    scaled = Sum()
    scaled.add(rest, number)
    return scaled
