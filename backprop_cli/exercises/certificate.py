"""What a key vouches for: its gradients by the recurrence equal those of other ways, for the numbers of these variants.

The gradient of a truncated network is, by definition, that of the same network with older states frozen, and it is
compared with that one.

The other ways are ``sympy.diff`` of the cost written out in given numbers, central differences of the cost, and
PyTorch where it is installed; all are computed for every variant at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop_cli.errors import BackpropError
from backprop_cli.exercises.elementary import Numbers
from backprop_cli.exercises.nodes import Nodes, evaluated
from backprop_cli.exercises.tolerances import derivative
from backprop_cli.symbolic.derivation import Adjoints
from backprop_cli.symbolic.expansion import Expansion
from backprop_cli.symbolic.notation import Adjoint, Place
from backprop_cli.verification.automatic import gradients_of_many, is_installed

STEP = 1e-4  # of a central difference, for a number of size 1; four points leave an error of its fourth power
SHIFTS = np.array([1.0, -1.0, 2.0, -2.0])  # in steps
MOST_LANES = 200_000  # costs computed at once
MOST_OPERATIONS = 100_000  # of the derivatives of a cost written out, all together
# What is claimed at most. More digits do agree, but how many differs from processor to processor.
MOST_DIGITS = 12
MOST_BY_DIFFERENCES = 9

Array = NDArray[np.float64]
Costs = Callable[[Mapping[str, Array]], Array]


class Certificate(NamedTuple):
    """To how many digits the gradients agree at least, by the other way: ``direct``, None where the cost is too long to
    be written out, ``differences``, and ``torch``, None where PyTorch is not installed. ``gradients`` are how many were
    compared for each variant. ``truncated`` says that the other ways had the cost with older states frozen."""

    gradients: int
    direct: int | None
    differences: int
    torch: int | None = None
    truncated: bool = False


def certificate(
    nodes: Nodes,
    adjoints: Adjoints,
    values: Mapping[Place, Numbers],
    names: Sequence[str],
    arrays: Mapping[str, Array] | None = None,
    costs: Costs | None = None,
) -> Certificate:
    """The agreement for the gradients by the given quantities of these names.

    ``arrays`` are the given quantities with one axis more in front, for the variants; without them PyTorch is not
    asked. ``costs`` computes the costs of such arrays where single numbers do not lead there: some are given.
    Raises ValueError without a cost.
    """
    cost = nodes.graph.cost
    if cost is None:
        raise ValueError("a module on its own has no cost to differentiate")
    root = Place(cost)
    entries = [place for name in names for place in nodes.entries(name) if Adjoint(name, *place.positions) in values]
    forward = {place: number for place, number in values.items() if not isinstance(place, Adjoint)}
    given = {place: number for place, number in forward.items() if nodes.node(place) is None}
    found = [values[Adjoint(place.name, *place.positions)] for place in entries]
    if costs is not None and arrays is not None:
        differences = list(_central_as_a_whole(costs, arrays, entries))
    else:
        differences = list(_central(nodes, given, root, entries))
    by_torch = None
    if arrays is not None and is_installed("torch"):
        tensors = gradients_of_many(nodes.graph, arrays, names)
        by_torch = _digits(found, [tensors[p.name][(..., *(int(at) - 1 for at in p.positions))] for p in entries])
    return Certificate(
        len(entries),
        _direct(nodes, adjoints, given, root, entries, found),
        _digits(found, differences, MOST_BY_DIFFERENCES),
        by_torch,
    )


def _direct(
    nodes: Nodes,
    adjoints: Adjoints,
    given: Mapping[Place, Numbers],
    root: Place,
    entries: Sequence[Place],
    found: Sequence[Numbers],
) -> int | None:
    try:
        written = nodes.single(Expansion(adjoints).expanded(root))
    except BackpropError:
        return None
    if written.count_ops() * len(entries) > MOST_OPERATIONS:
        return None
    return _digits(found, [evaluated(derivative(written, place), given) for place in entries])


def _central(nodes: Nodes, given: Mapping[Place, Numbers], root: Place, entries: Sequence[Place]) -> Iterator[Numbers]:
    """(8(J₊ - J₋) - (J₊₊ - J₋₋))/12h, the five-point formula, for many entries at once."""
    variants = max((np.size(number) for number in given.values()), default=1)
    some = max(1, MOST_LANES // (len(SHIFTS) * variants))
    for start in range(0, len(entries), some):
        moved = entries[start : start + some]
        shape = len(moved), len(SHIFTS), variants
        numbers = {place: np.broadcast_to(number, shape) for place, number in given.items()}
        steps = [STEP * np.maximum(1.0, np.abs(np.broadcast_to(given[place], (variants,)))) for place in moved]
        for lane, (place, step) in enumerate(zip(moved, steps, strict=True)):
            numbers[place] = np.array(numbers[place])
            numbers[place][lane] += SHIFTS[:, np.newaxis] * step
        costs = np.broadcast_to(nodes.values(numbers, [root])[root], shape)
        for cost, step in zip(costs, steps, strict=True):
            yield (8 * (cost[0] - cost[1]) - (cost[2] - cost[3])) / (12 * step)


def _central_as_a_whole(costs: Costs, arrays: Mapping[str, Array], entries: Sequence[Place]) -> Iterator[Numbers]:
    """The same formula, one entry after the other."""
    for place in entries:
        at: tuple[Any, ...] = (..., *(int(position) - 1 for position in place.positions))
        step = STEP * np.maximum(1.0, np.abs(arrays[place.name][at]))
        cost = []
        for shift in SHIFTS:
            moved = np.array(arrays[place.name])
            moved[at] += shift * step
            cost.append(costs({**arrays, place.name: moved}))
        yield (8 * (cost[0] - cost[1]) - (cost[2] - cost[3])) / (12 * step)


def _digits(found: Sequence[Numbers], others: Sequence[Numbers], most: int = MOST_DIGITS) -> int:
    """The digits to which numbers agree at least, relative to the largest of them; ``most`` for any more."""
    scale = max((float(np.max(np.abs(value))) for value in found), default=0.0) or 1.0
    largest = max((float(np.max(np.abs(a - b))) for a, b in zip(found, others, strict=True)), default=0.0) / scale
    return most if largest == 0 else max(0, min(most, int(-np.log10(largest))))
