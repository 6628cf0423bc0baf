"""Where a network has no slope: the sides that comparisons and maxima chose, and which of them a step changes.

A kink is wherever relu, abs, max, ``where`` and their like change branch. No list of functions is kept: each function
is evaluated by its definition, and its comparisons are watched.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
from sympy import Symbol

from backprop_cli.symbolic.graph import Quantity
from backprop_cli.symbolic.notation import is_by_step, plain_name
from backprop_cli.verification.arrays import Array, Named
from backprop_cli.verification.report import Kink


class Choice(NamedTuple):
    """What one comparison or one maximum of a quantity's equation chose, at every position."""

    quantity: Quantity
    function: str
    sides: Named

    def kink(self, where: Array, axes: tuple[Symbol, ...]) -> Kink:
        """The first of the positions marked in ``where``."""
        first = dict(zip(axes, np.argwhere(where)[0], strict=True)) if axes else {}
        position = tuple(int(first[index]) + 1 for index in self.quantity.indices if index in first)
        exact = len(position) == len(self.quantity.indices)
        name = plain_name(self.quantity.name)
        own = position[is_by_step(self.quantity.name) :] if exact else ()
        return Kink(self.function, name, own)


class Watch:
    """The choices of one evaluation, by quantity and by order within its equation."""

    def __init__(self) -> None:
        self.choices: dict[tuple[str, int], Choice] = {}
        self._counts: Counter[str] = Counter()

    def record(self, quantity: Quantity, function: str, sides: Named) -> None:
        self.choices[quantity.name, self._counts[quantity.name]] = Choice(quantity, function, sides)
        self._counts[quantity.name] += 1

    def changes(self, base: Watch, variant: Symbol, count: int) -> list[tuple[Kink, ...]]:
        """For each of ``count`` variants, the functions that chose otherwise than in ``base``.

        ``variant`` is the index of the axis that the variants run over.
        """
        found: list[list[Kink]] = [[] for _ in range(count)]
        for key, choice in self.choices.items():
            axes = choice.sides.axes
            if variant not in axes:
                continue
            before = base.choices[key].sides
            rest = tuple(axis for axis in axes if axis != variant)
            after = np.moveaxis(choice.sides.array, axes.index(variant), 0)
            order = [before.axes.index(axis) for axis in rest if axis in before.axes]
            shape = [before.sizes.get(axis, 1) for axis in rest]
            different = after != np.transpose(before.array, order).reshape(shape)
            for k in np.flatnonzero(different.reshape(count, -1).any(1)):
                found[k].append(choice.kink(different[k], rest))
        return [tuple(dict.fromkeys(kinks)) for kinks in found]
