"""What rounding can do to a number: the evaluation repeated with the results of its operations moved a little.

A number that such moves change by much is the small difference of large terms, or hangs on one, and no evaluation with
that rounding knows it any better (Vignes' stochastic arithmetic). Every entry moves by a whole unit one way or the
other, and by the same in every variant of one evaluation, so that differences between variants keep their meaning.
Whole numbers computed from whole numbers stay: they are exact, and comparisons and positions hang on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any

import numpy as np
from sympy import Symbol

from backprop_cli.symbolic.graph import Quantity, Role
from backprop_cli.symbolic.notation import Reduce
from backprop_cli.verification.arrays import Array, Named, NumPyArrays
from backprop_cli.verification.evaluation import Evaluator
from backprop_cli.verification.kinks import Watch

PATTERNS = 3  # of moves that are tried: one, its opposite, and another in case these cancel themselves


@dataclass(frozen=True)
class Rounding:
    """One pattern of moves by ``unit``.

    With ``everywhere``, the result of every operation moves; else only what is summed or is the value of a quantity.
    The equations, and those of the helpers of a cost, may be computed in forms that are more precise than the written.
    """

    unit: Any
    seed: int
    everywhere: bool = True


def roundings(unit: Any, everywhere: bool = True) -> list[Rounding]:
    """The patterns of moves by a unit."""
    return [Rounding(move, seed, everywhere) for move, seed in ((unit, 0), (-unit, 0), (unit, 1))]


class Moves:
    """The moves of one pattern: drawn in the first evaluation, the same in all others."""

    def __init__(self, rounding: Rounding, arrays: NumPyArrays) -> None:
        self.rounding = rounding
        self.arrays = arrays
        self._random = np.random.default_rng(rounding.seed)
        self._known: dict[tuple[str, int], Named] = {}

    def of(self, key: tuple[str, int], values: Named, exact: Callable[[], Array]) -> Named:
        """How far the entries move, in parts of themselves; ``exact`` says which do not."""
        if key not in self._known:
            signs = self._random.choice([-1.0, 1.0], size=values.array.shape)
            moves = self.arrays.given(np.where(exact(), 0.0, signs)) * self.rounding.unit
            self._known[key] = Named(self.arrays.array(moves), values.axes)
        return self._known[key]


class RoughEvaluator(Evaluator):
    """Evaluates with moves."""

    def __init__(self, moves: Moves, watch: Watch | None) -> None:
        super().__init__(moves.arrays, watch)
        self._moves = moves
        self._name: str | None = None
        self._count = 0

    def defined(self, quantity: Quantity, step: Mapping[Symbol, Named] | None = None) -> Named:
        at = "".join(f" {float(number.array):g}" for number in (step or {}).values())
        self._name, self._count = f"{quantity.name}{at}", 0
        value = super().defined(quantity, step)
        if self._moves.rounding.everywhere or quantity.role is not Role.HELPER:
            value = self._moved(value)
        self._name = None
        return value

    def combined(self, step: Callable[..., Array], *parts: Named) -> Named:
        value = super().combined(step, *parts)
        return self._moved(value, *parts) if self._moves.rounding.everywhere else value

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
            whole = [Named(self._moves.arrays.whole(some.array), some.axes) for some in (value, *parts)]
            return plain(lambda *some: reduce(and_, some), *whole).array

        plain = super().combined
        self._count += 1
        move = self._moves.of((self._name, self._count), value, exact)
        return plain(lambda values, moves: values * (1 + moves), value, move)
