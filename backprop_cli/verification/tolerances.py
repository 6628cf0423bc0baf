"""How far two right gradients may be apart.

Four things make right gradients differ, and each gets its own share:

- *Agreement*: a part of the numbers themselves. 1e-9 where an oracle is exact up to float64's rounding, 1e-7 for
  differences; both far below the 0.05 % that a wrong formula must not hide in.
- *Rounding* of the gradient: 32 units in the last place of the slope that J typically has in the entry. 1 - a of a
  saturated unit is the small difference of large numbers, however it is computed. The typical slope counts as at most
  1, or as the largest gradient of the network where that is larger, so that functions that explode far away do not
  loosen the check. Where J does not depend on an entry at all, what is left of its terms is rounding of the largest
  gradient: a bias shared by the logits of a softmax has the gradient Σ(p - y).
- *Inherited* rounding: a gradient that arrives through quantities whose own gradient is mostly rounding is no better
  than theirs.
- *Values* that are rounded: the gradient at values in float64 is not the gradient at the exact ones. Of 1/(1 - a) with
  a near 1 few digits are left. Where a gradient differs by more than the other three allow, it is measured how far
  slopes of J move when quantities and sums move by 8 units in the last place; and how much a local derivative that is
  not constant, like a·(1 - a), may owe to rounding. Where 0.05 % could hide in that, a gradient that differs by less is
  not judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from backprop_cli.symbolic.graph import Graph
from backprop_cli.verification.arrays import Array
from backprop_cli.verification.differences import Slope
from backprop_cli.verification.landscape import users

AGREEMENT = 1e-9  # of exact oracles
AGREEMENT_OF_DIFFERENCES = 1e-7
ROUNDING = 32 * float(np.finfo(np.float64).eps)
FORWARD = 8 * float(np.finfo(np.float64).eps)  # of every value and every sum of the forward pass
NOTHING = 1e-50  # beside the largest gradient: what differences with many digits leave of a slope that is 0
UNDERFLOW = 1e-300  # float64 has no full precision much below it


@dataclass(frozen=True)
class Tolerances:
    """The rounding of each gradient: an absolute part per entry and a relative part per quantity."""

    absolute: Mapping[str, Array]
    relative: Mapping[str, float]

    def at(self, name: str, entries: Sequence[int], size: Array, agreement: float) -> Array:
        """The difference allowed at entries (from 0, in the array laid flat) of which the larger number is ``size``."""
        return (agreement + self.relative[name]) * size + self.absolute[name][entries] + UNDERFLOW


def tolerances(graph: Graph, slopes: Mapping[tuple[str, int], Slope]) -> Tolerances:
    """From slopes by differences; what they left out counts like the most sensitive entry they looked at.

    At a kink, and where J is not finite or the slope is lost in its error, only the typical slope counts.
    """
    smooth = {entry: slope for entry, slope in slopes.items() if abs(slope.value) > slope.error and not slope.near}
    by_name: dict[str, dict[int, Slope]] = {}
    for (name, entry), slope in slopes.items():
        by_name.setdefault(name, {})[entry] = smooth.get((name, entry), replace(slope, value=0.0))
    largest = max((abs(slope.value) for slope in smooth.values()), default=0.0) or 1.0
    absolute: dict[str, Array] = {}
    relative: dict[str, float] = {}
    consumers = users(graph)
    for quantity in reversed(graph.quantities):
        some = by_name.get(quantity.name, {})
        rounding = {entry: _rounding(slope, largest) for entry, slope in some.items()}
        floor = max(rounding.values(), default=0.0)
        absolute[quantity.name] = np.full(prod(quantity.shape), floor)
        absolute[quantity.name][list(rounding)] = list(rounding.values())
        peak = max((abs(slope.value) for slope in some.values()), default=0.0)
        inherited = max((relative.get(user, 0.0) for user in consumers[quantity.name]), default=0.0)
        relative[quantity.name] = inherited + (floor / peak if peak else 0.0)
    return Tolerances(absolute, relative)


def _rounding(slope: Slope, largest: float) -> float:
    if abs(slope.value) <= NOTHING * largest:
        return ROUNDING * largest
    by_size = ROUNDING * min(max(slope.typical, abs(slope.value)), max(1.0, largest))
    return max(by_size, min(slope.error, ROUNDING * largest))
