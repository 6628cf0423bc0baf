"""What rounding can do to a number: the evaluation repeated with the results of its operations moved a little.

A number that such moves change by much is the small difference of large terms, or hangs on one, and no evaluation with
that rounding knows it any better (Vignes' stochastic arithmetic). Every entry moves by a whole unit one way or the
other, and by the same in every variant of one evaluation, so that differences between variants keep their meaning.
Whole numbers computed from whole numbers stay: they are exact, and comparisons and positions hang on them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import and_
from typing import Any

import numpy as np
from sympy import Symbol

from backprop_cli.symbolic.graph import Quantity
from backprop_cli.symbolic.notation import Reduce
from backprop_cli.verification.arrays import Array, Named, NumPyArrays
from backprop_cli.verification.evaluation import Evaluator
from backprop_cli.verification.kinks import Watch

PATTERNS = 2  # of moves that are tried: one alone may cancel itself


class Rounding:
    """One pattern of moves by ``unit``: drawn in the first evaluation, the same in all others.

    Without ``inside``, only what is summed and what is stored moves, each quantity by itself; what a definition does
    in between may have a form that is more precise than it is written.
    """

    def __init__(self, unit: Any, pattern: int, inside: bool = True) -> None:
        self.unit = unit
        self.inside = inside
        self._random = np.random.default_rng(pattern)
        self._moves: dict[tuple[str, int], Named] = {}

    def move(self, key: tuple[str, int], values: Named, exact: Callable[[], Array], arrays: NumPyArrays) -> Named:
        """How far the entries move, in parts of themselves; ``exact`` says which do not."""
        if key not in self._moves:
            signs = self._random.choice([-1.0, 1.0], size=values.array.shape)
            moves = arrays.given(np.where(exact(), 0.0, signs)) * self.unit
            self._moves[key] = Named(arrays.array(moves), values.axes)
        return self._moves[key]


def roundings(unit: Any, inside: bool = True) -> list[Rounding]:
    """The patterns of moves by a unit."""
    return [Rounding(unit, pattern, inside) for pattern in range(PATTERNS)]


class RoughEvaluator(Evaluator):
    """Evaluates with the moves of a rounding."""

    def __init__(self, arrays: NumPyArrays, watch: Watch | None, rounding: Rounding) -> None:
        super().__init__(arrays, watch)
        self._numbers = arrays
        self._rounding = rounding
        self._name: str | None = None
        self._count = 0

    def defined(self, quantity: Quantity) -> Named:
        self._name, self._count = quantity.name, 0
        value = self._moved(super().defined(quantity))
        self._name = None
        return value

    def combined(self, step: Callable[..., Array], *parts: Named) -> Named:
        value = super().combined(step, *parts)
        return self._moved(value, *parts) if self._rounding.inside else value

    def totalled(self, value: Named, axis: Symbol) -> Named:
        return super().totalled(self._moved(value), axis)

    def _summed(self, factors: Sequence[Named], node: Reduce) -> Named:
        """A sum of products is as if computed exactly from moved factors: what cancels in it shows."""
        return super()._summed([self._moved(factors[0]), *factors[1:]], node)

    def _moved(self, value: Named, *parts: Named) -> Named:
        """The value, computed from ``parts``, with its moves."""
        if self._name is None or value.array.dtype.kind not in "fO":
            return value

        def exact() -> Array:
            whole = [Named(self._numbers.whole(some.array), some.axes) for some in (value, *parts)]
            return plain(lambda *some: reduce(and_, some), *whole).array

        plain = super().combined
        self._count += 1
        move = self._rounding.move((self._name, self._count), value, exact, self._numbers)
        return plain(lambda values, moves: values + values * moves, value, move)
