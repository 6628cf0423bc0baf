"""Variants of an exercise: numbers drawn for each, and drawn again where the gate rejects them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from backprop_cli.errors import BackpropError
from backprop_cli.exercises.drawing import PARAMETERS, Rule, drawn
from backprop_cli.exercises.elementary import Numbers
from backprop_cli.exercises.gate import Mutations, Reason, Verdicts, judged
from backprop_cli.exercises.ids import name_of
from backprop_cli.exercises.nodes import Nodes, Values, given_values
from backprop_cli.exercises.tolerances import widths
from backprop_cli.symbolic.graph import Role
from backprop_cli.symbolic.notation import Place
from backprop_cli.translation import Sentences, marked, tr, tr_n

MOST_ATTEMPTS = 2000  # for one variant
MOST_AT_ONCE = 1000  # candidates

Array = NDArray[np.float64]
Progress = Callable[[int], None]
Completed = Callable[[Mapping[str, Array]], dict[str, Array]]

REASONS = Sentences[Reason](
    {
        Reason.NOT_FINITE: marked("a number is not finite"),
        Reason.DEAD: marked("a unit is dead: its slope is 0"),
        Reason.SATURATED: marked("a unit is saturated: its slope is next to 0"),
        Reason.TIE: marked("a number lies at a kink, where the slope is a convention"),
        Reason.ZERO: marked("an answer is exactly 0"),
        Reason.VANISHING: marked("an answer vanishes in the digits asked for"),
        Reason.LONG: marked("an answer is a long fraction"),
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
    fixed: Mapping[Place, float] = {},
    exact: bool = False,
    completed: Completed = dict,
) -> Batch:
    """Numbers for ``count`` variants of a network: quantities with a rule are drawn, the others keep their ``own``.

    All variants that are still wanted are tried at once, the longer the search the more attempts of each, and more
    variants change nothing in the first ones. ``fixed`` are tolerances that were set; ``exact`` asks for fractions;
    ``progress`` is told how many variants are found; ``completed`` adds the numbers of what is given though it could be
    computed. Raises BackpropError where an attempt too many fails, with the reasons.
    """
    order, leaves = nodes.in_order(asked), nodes.leaves(asked)
    search = _Search(own, rules, count, seed)
    while open_ := search.open:
        if any(search.attempts[number] >= MOST_ATTEMPTS for number in open_):
            raise BackpropError(_too_few(count - len(open_), count, search))
        tried = search.next_candidates(max(1, MOST_AT_ONCE // len(open_)))
        values = nodes.values(given_values(nodes.graph, completed(stacked(tried)), leaves), asked)
        tolerances = widths(nodes, values, asked, digits)
        elsewhere = _elsewhere(nodes, asked, own, rules, tried, completed)
        verdicts = judged(order, asked, values, tolerances, digits, len(tried), mutations, fixed, exact, elsewhere)
        search.choose(verdicts)
        if progress is not None:
            progress(count - len(search.open))
    chosen, counted = search.chosen, search.counted
    kept = [found for found in chosen if found is not None]
    given = completed(stacked(kept))
    values = nodes.values(given_values(nodes.graph, given, leaves), asked)
    return Batch(given, values, widths(nodes, values, asked, digits), dict(counted))


class _Search:
    """The search for numbers that fit: for each variant one attempt after the other, those of all variants at once.

    What a variant is depends on those before it alone: it must differ from them.
    """

    def __init__(self, own: Mapping[str, Array], rules: Mapping[str, Rule], count: int, seed: int) -> None:
        self._own, self._rules, self._seed = own, rules, seed
        self.attempts = [0] * count
        self.chosen: list[dict[str, Array] | None] = [None] * count
        self.counted: Counter[Reason] = Counter()
        self.culprits: dict[Reason, Counter[Place]] = {}
        self._ahead = 1
        self._tried: list[tuple[int, dict[str, Array]]] = []

    @property
    def open(self) -> list[int]:
        """The variants that have no numbers yet."""
        return [number for number, found in enumerate(self.chosen) if found is None]

    def next_candidates(self, most: int) -> list[dict[str, Array]]:
        """The next attempts of every open variant, each time twice as many and at most so many."""
        ahead, self._ahead = min(self._ahead, most), 2 * self._ahead
        self._tried = [
            (number, candidate(self._own, self._rules, self._seed, number, self.attempts[number] + more))
            for number in self.open
            for more in range(min(ahead, MOST_ATTEMPTS - self.attempts[number]))
        ]
        return [candidate for _, candidate in self._tried]

    def choose(self, verdicts: Verdicts) -> None:
        """Take the first candidate of each variant that nothing speaks against."""
        for kind, culprits in verdicts.culprits.items():
            self.culprits.setdefault(kind, Counter()).update(culprits)
        places: dict[int, list[int]] = {}
        for place, (number, _) in enumerate(self._tried):
            places.setdefault(number, []).append(place)
        seen: set[bytes] = set()
        for number, found in enumerate(self.chosen):
            if found is not None and self._numbers(found) in seen:  # those of one that was still open then
                self.chosen[number] = None
                self.counted[Reason.ALIKE] += 1
            for place in places.get(number, ()):
                candidate = self._tried[place][1]
                self.attempts[number] += 1
                reason = next((reason for reason, mask in verdicts.masks.items() if mask[place]), None)
                if reason is None and self._numbers(candidate) in seen:
                    reason = Reason.ALIKE
                if reason is None:
                    self.chosen[number] = candidate
                    break
                self.counted[reason] += 1
            if (settled := self.chosen[number]) is not None:
                seen.add(self._numbers(settled))

    def _numbers(self, candidate: Mapping[str, Array]) -> bytes:
        return b"".join(candidate[name].tobytes() for name in sorted(self._rules))


def candidate(
    own: Mapping[str, Array], rules: Mapping[str, Rule], seed: int, number: int, attempt: int
) -> dict[str, Array]:
    """The numbers of one attempt for a variant, fit or not."""
    return {
        name: drawn(seed, number, attempt, name, array.shape, rules[name]) if name in rules else array
        for name, array in own.items()
    }


def _elsewhere(
    nodes: Nodes,
    asked: Sequence[Place],
    own: Mapping[str, Array],
    rules: Mapping[str, Rule],
    tried: Sequence[Mapping[str, Array]],
    completed: Completed,
) -> Callable[[], Sequence[Values]]:
    """The values of candidates with any other numbers, twice, but with their own classes, of whatever kind; worked
    out when they are asked for. The second time all are positive, so that every unit of relu is alive."""
    decided = {
        name
        for name, rule in rules.items()
        if rule.is_one_hot
        or nodes.graph[name].whole is not None
        or (nodes.graph[name].role is Role.TARGET and set(rule.values) <= {0.0, 1.0})
    }
    free = {name: rule if name in decided else Rule(PARAMETERS) for name, rule in rules.items()}
    positive = {
        name: rule._replace(values=tuple(value for value in rule.values if value > 0) or rule.values)
        for name, rule in free.items()
    }

    @cache
    def values() -> Sequence[Values]:
        found = []
        for others in (candidate(own, free, 0, 0, -1), candidate(own, positive, 0, 0, -2)):
            moved = [
                {name: array if name in decided else others[name] for name, array in one.items()}
                for one in (tried if decided else tried[:1])
            ]
            leaves = given_values(nodes.graph, completed(stacked(moved)), nodes.leaves(asked))
            found.append(nodes.values(leaves, asked))
        return found

    return values


def own_batch(nodes: Nodes, asked: Sequence[Place], own: Mapping[str, Array], digits: int) -> Batch:
    """The spec's own numbers as the one variant."""
    given = stacked([dict(own)])
    values = nodes.values(given_values(nodes.graph, given), asked)
    return Batch(given, values, widths(nodes, values, asked, digits), {})


def stacked(several: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """Arrays of several variants as one, with an axis in front for them."""
    return {name: np.stack([one[name] for one in several]) for name in several[0]}


def _too_few(found: int, count: int, search: _Search) -> str:
    message = tr("only {found} of {count} variants fit: {reasons}; let other numbers vary, or ask for other answers")
    reasons = (_with_culprit(reason, number, search.culprits) for reason, number in search.counted.most_common())
    return message.format(found=found, count=count, reasons=tr("; ").join(reasons))


def _with_culprit(reason: Reason, number: int, culprits: Mapping[Reason, Counter[Place]]) -> str:
    """A reason with how many candidates it turned away, and the number that it applied to most often."""
    most = culprits[reason].most_common(1) if reason in culprits else []
    if not most:
        return f"{REASONS[reason]} ({number})"
    return tr("{reason} ({number}, most often {answer})").format(
        reason=REASONS[reason], number=number, answer=name_of(most[0][0])
    )


def told(counted: Mapping[Reason, int]) -> str:
    """How many candidates were rejected and why, in one sentence; empty where none was."""
    total = sum(counted.values())
    if not total:
        return ""
    reasons = (f"{REASONS[reason]} ({number})" for reason, number in sorted(counted.items(), key=lambda pair: -pair[1]))
    rejected_ones = tr_n("{number} candidate rejected", "{number} candidates rejected", total).format(number=total)
    return tr("{rejected}: {reasons}").format(rejected=rejected_ones, reasons=tr("; ").join(reasons))
