"""Positions as sums of indices, and the values they run through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from sympy import Add, Expr, Integer, Symbol

Sizes: TypeAlias = Mapping[Symbol, int]  # of all indices that mean something, in the order of axes to be preferred


class Affine(NamedTuple):
    """A position ``constant + Σ step · index``, and the values it runs through."""

    constant: int
    steps: tuple[tuple[Symbol, int], ...]
    low: int
    high: int

    @property
    def indices(self) -> tuple[Symbol, ...]:
        return tuple(symbol for symbol, _ in self.steps)

    def digits(self, sizes: Sizes) -> tuple[Symbol, ...] | None:
        """The indices, the slowest first, if they count through the values from low to high one by one."""
        ordered = sorted(self.steps, key=lambda pair: -pair[1])
        below = 1
        for symbol, step in reversed(ordered):
            if step != below:
                return None
            below *= sizes[symbol]
        return tuple(symbol for symbol, _ in ordered)

    def moved(self, by: int) -> Affine:
        return Affine(self.constant + by, self.steps, self.low + by, self.high + by)


def affine(position: Expr, sizes: Sizes) -> Affine | None:
    """The position as a sum of indices; None where it holds anything else."""
    constant = low = high = 0
    steps = []
    for term in Add.make_args(position):
        number, rest = term.as_coeff_Mul()
        if rest == 1 and number.is_Integer:
            constant, low, high = constant + int(number), low + int(number), high + int(number)
        elif isinstance(rest, Symbol) and rest in sizes and isinstance(number, Integer):
            ends = sorted((int(number), int(number) * sizes[rest]))
            low, high = low + ends[0], high + ends[1]
            steps.append((rest, int(number)))
        else:
            return None
    return Affine(constant, tuple(steps), low, high)
