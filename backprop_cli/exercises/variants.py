"""Variants of an exercise: numbers drawn for each, and drawn again where the gate rejects them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backprop_cli.errors import BackpropError
from backprop_cli.exercises.drawing import Rule, drawn
from backprop_cli.exercises.gate import Mutations, Reason, rejected
from backprop_cli.exercises.nodes import Nodes, Numbers, given_values
from backprop_cli.exercises.tolerances import widths
from backprop_cli.symbolic.notation import Place
from backprop_cli.translation import Sentences, marked, tr, tr_n

MOST_ATTEMPTS = 200  # for one variant

Array = NDArray[np.float64]
Progress = Callable[[int], None]

REASONS = Sentences[Reason](
    {
        Reason.NOT_FINITE: marked("a number is not finite"),
        Reason.DEAD: marked("a unit is dead: its slope is 0"),
        Reason.SATURATED: marked("a unit is saturated: its slope is next to 0"),
        Reason.TIE: marked("a number lies at a kink, where the slope is a convention"),
        Reason.ZERO: marked("an answer is exactly 0"),
        Reason.VANISHING: marked("an answer vanishes in the digits asked for"),
        Reason.MISTAKE: marked("a typical mistake would give the right answer"),
        Reason.ALIKE: marked("the numbers are those of another variant"),
    }
)


@dataclass(frozen=True)
class Batch:
    """The numbers of several variants, each array with one axis more in front for them.

    ``values`` and ``tolerances`` are those of single numbers, one for each variant; ``rejected`` counts the candidates
    that the gate turned away, by reason.
    """

    given: Mapping[str, Array]
    values: Mapping[Place, Numbers]
    tolerances: Mapping[Place, Numbers]
    rejected: Mapping[Reason, int]

    @property
    def count(self) -> int:
        return len(next(iter(self.given.values())))


def batch(
    nodes: Nodes,
    asked: Sequence[Place],
    own: Mapping[str, Array],
    rules: Mapping[str, Rule],
    count: int,
    seed: int,
    digits: int,
    mutations: Mutations | None = None,
    progress: Progress | None = None,
) -> Batch:
    """Numbers for ``count`` variants of a network: quantities with a rule are drawn, the others keep their ``own``.

    All variants that are still wanted are tried at once, and more variants change nothing in the first ones.
    ``progress`` is told how many are found. Raises BackpropError where an attempt too many fails, with the reasons.
    """
    order = nodes.in_order(asked)
    attempts = [0] * count
    chosen: list[dict[str, Array] | None] = [None] * count
    counted: Counter[Reason] = Counter()
    while open_ := [number for number, found in enumerate(chosen) if found is None]:
        if any(attempts[number] >= MOST_ATTEMPTS for number in open_):
            raise BackpropError(_too_few(count - len(open_), count, counted))
        candidates = [_candidate(own, rules, seed, number, attempts[number]) for number in open_]
        given = _stacked(candidates)
        values = nodes.values(given_values(nodes.graph, given), asked)
        tolerances = widths(nodes, values, asked, digits)
        why = rejected(order, asked, values, tolerances, digits, len(open_), mutations)
        for place, number in enumerate(open_):
            reason = next((reason for reason, mask in why.items() if mask[place]), None)
            if reason is None:
                chosen[number] = candidates[place]
            else:
                counted[reason] += 1
                attempts[number] += 1
        for number in _alike(chosen, sorted(rules)):
            chosen[number] = None
            counted[Reason.ALIKE] += 1
            attempts[number] += 1
        if progress is not None:
            progress(count - sum(found is None for found in chosen))
    kept = [found for found in chosen if found is not None]
    given = _stacked(kept)
    values = nodes.values(given_values(nodes.graph, given), asked)
    return Batch(given, values, widths(nodes, values, asked, digits), dict(counted))


def _alike(chosen: Sequence[Mapping[str, Array] | None], names: Sequence[str]) -> list[int]:
    """The variants with the numbers of one before them, so that what a variant is depends on those before it alone.

    While one before a variant is still open, it is not looked at.
    """
    seen: set[bytes] = set()
    found = []
    for number, one in enumerate(chosen):
        if one is None:
            break
        numbers = b"".join(one[name].tobytes() for name in names)
        found.extend([number] if numbers in seen else [])
        seen.add(numbers)
    return found


def own_batch(nodes: Nodes, asked: Sequence[Place], own: Mapping[str, Array], digits: int) -> Batch:
    """The spec's own numbers as the one variant."""
    given = _stacked([dict(own)])
    values = nodes.values(given_values(nodes.graph, given), asked)
    return Batch(given, values, widths(nodes, values, asked, digits), {})


def _candidate(
    own: Mapping[str, Array], rules: Mapping[str, Rule], seed: int, number: int, attempt: int
) -> dict[str, Array]:
    return {
        name: drawn(seed, number, attempt, name, array.shape, rules[name]) if name in rules else array
        for name, array in own.items()
    }


def _stacked(several: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    return {name: np.stack([one[name] for one in several]) for name in several[0]}


def _too_few(found: int, count: int, counted: Counter[Reason]) -> str:
    message = tr("only {found} of {count} variants fit: {reasons}; let other numbers vary, or ask for other answers")
    reasons = (f"{REASONS[reason]} ({number})" for reason, number in counted.most_common())
    return message.format(found=found, count=count, reasons=tr("; ").join(reasons))


def told(counted: Mapping[Reason, int]) -> str:
    """How many candidates were rejected and why, in one sentence; empty where none was."""
    total = sum(counted.values())
    if not total:
        return ""
    reasons = (f"{REASONS[reason]} ({number})" for reason, number in sorted(counted.items(), key=lambda pair: -pair[1]))
    rejected_ones = tr_n("{number} candidate rejected", "{number} candidates rejected", total).format(number=total)
    return tr("{rejected}: {reasons}").format(rejected=rejected_ones, reasons=tr("; ").join(reasons))
