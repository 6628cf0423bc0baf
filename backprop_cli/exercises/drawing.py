"""Numbers that are pleasant to work with by hand, drawn the same way on every machine and with every library.

The generator is named :data:`~backprop_cli.exercises.key.GENERATOR`: each draw is the SHA-256 of the seed, the variant,
the attempt, the quantity and the entry, taken modulo the number of allowed values. Nothing else decides a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop_cli.exercises.key import GENERATOR
from backprop_cli.symbolic.graph import Graph, Quantity, Role

Array = NDArray[np.float64]


class Rule(NamedTuple):
    """The values that each entry of a quantity may have. ``is_one_hot`` draws the place of a single 1 among 0s along
    the last axis instead."""

    values: tuple[float, ...]
    is_one_hot: bool = False


def steps(start: str, end: str, step: str, nonzero: bool = False) -> tuple[float, ...]:
    """``start``, ``start + step``, … up to ``end`` in decimal arithmetic, so that 0.3 is 0.3."""
    found = []
    value, last, width = Decimal(start), Decimal(end), Decimal(step)
    while value <= last:
        if value or not nonzero:
            found.append(float(value))
        value += width
    return tuple(found)


INPUTS = steps("-2", "2", "0.5", nonzero=True)
PARAMETERS = steps("-1", "1", "0.1", nonzero=True)
MOST_SUMMED = 30  # by numbers that are not small: with more of them every unit would be saturated
SMALL_PARAMETERS = steps("-0.1", "0.1", "0.01", nonzero=True)
PATIENCE = 200  # attempts
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of targets between 0 and 1
EXACT_INPUTS = (-2.0, -1.0, 1.0, 2.0)
EXACT_PARAMETERS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)


def default_rules(graph: Graph, own: Mapping[str, Array], exact: bool = False) -> dict[str, Rule]:
    """What inputs, targets and parameters may become, by name, where nothing else is asked for; ``own`` are the numbers
    of the spec. ``exact`` keeps to numbers that stay short fractions."""
    rules: dict[str, Rule] = {}
    for quantity in graph.with_role(Role.INPUT, Role.PARAMETER, Role.TARGET, Role.CONSTANT):
        rule = _rule(quantity, own[quantity.name], exact)
        if rule is not None:
            rules[quantity.name] = rule
    return rules


def _rule(quantity: Quantity, own: Array, exact: bool) -> Rule | None:
    if quantity.whole is not None:
        return Rule(tuple(float(value) for value in quantity.whole))
    match quantity.role:
        case Role.INPUT:
            return Rule(EXACT_INPUTS if exact else INPUTS)
        case Role.PARAMETER:
            summed = prod(quantity.shape[1:])
            return Rule(EXACT_PARAMETERS if exact else SMALL_PARAMETERS if summed > MOST_SUMMED else PARAMETERS)
        case Role.TARGET:
            return _target(own)
    return None  # masks and given output gradients stay


def _target(own: Array) -> Rule:
    is_of_0_and_1 = set(np.unique(own)) <= {0.0, 1.0}
    if is_of_0_and_1 and own.ndim and own.shape[-1] > 1 and np.all(own.sum(axis=-1) == 1):
        return Rule((0.0, 1.0), is_one_hot=True)
    if np.all((own >= 0) & (own <= 1)):
        return Rule((0.0, 1.0) if is_of_0_and_1 and own.size > 1 else SHARES)
    least, most = int(np.floor(own.min())) - 1, int(np.ceil(own.max())) + 1
    return Rule(steps(str(least), str(most), "0.5"))


def drawn(seed: int, variant: int, attempt: int, name: str, shape: Sequence[int], rule: Rule) -> Array:
    """The numbers of one quantity in one variant. After :data:`PATIENCE` attempts those of every other quantity are
    positive: where there are many units of relu, hardly ever are all of them alive otherwise."""
    array = np.zeros(tuple(shape))
    if attempt >= PATIENCE and _draw(seed, variant, attempt, f"{name}:sign", 0, 2):
        rule = rule._replace(values=tuple(value for value in rule.values if value > 0) or rule.values)
    if rule.is_one_hot:
        for place, position in enumerate(np.ndindex(*array.shape[:-1])):
            array[(*position, _draw(seed, variant, attempt, name, place, array.shape[-1]))] = 1.0
        return array
    flat = [rule.values[_draw(seed, variant, attempt, name, place, len(rule.values))] for place in range(array.size)]
    return np.array(flat, dtype=np.float64).reshape(array.shape)


def _draw(seed: int, variant: int, attempt: int, name: str, place: int, choices: int) -> int:
    text = f"{GENERATOR}:{seed}:{variant}:{attempt}:{name}:{place}"
    return int.from_bytes(sha256(text.encode()).digest()[:8]) % choices
