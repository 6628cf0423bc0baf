"""The derivation told with the numbers of one run, entry by entry: forward, the cost, and backward layer by layer.

Every step of the derivation is told for single entries, as formula = numbers put in = result. A gradient that arrives
on several paths has one part for each of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from itertools import product as positions_of
from math import prod
from typing import NamedTuple

import numpy as np

from backprop_cli.language import tree
from backprop_cli.language.walking import rebuilt, walk
from backprop_cli.symbolic.display import COST
from backprop_cli.symbolic.entries import entry_step, folded, whole_number
from backprop_cli.symbolic.notation import by_step
from backprop_cli.symbolic.steps import Derivation, Form, FormKind, Kind, Rule, Step
from backprop_cli.teaching.numbers import Numbers
from backprop_cli.teaching.putting_in import numbers_put_in
from backprop_cli.teaching.rounding import Rounding
from backprop_cli.teaching.turns import Entry, in_turn

# The form in which an entry is told: with σ′ where there is one, else with the local derivatives put in.
TOLD = (FormKind.DEFINED, FormKind.SLOPE, FormKind.LOCAL, FormKind.RECURRENCE, FormKind.RESULT)
MOST_ENTRIES = 40  # of one quantity that are told one by one

Single = Callable[[str, tuple[int, ...]], Step]  # the step of one entry


class Path(NamedTuple):
    """One way on which a quantity reaches J: what it passes through, and what arrives on it.

    Several quantities are passed through where a common factor stands before what arrives from them, and J itself where
    the quantity stands in its equation.
    """

    through: tuple[tree.Place, ...]
    formula: tree.Node
    put_in: tree.Node
    value: float


class Told(NamedTuple):
    """``target = formula = put_in = value`` for one entry.

    ``kind`` says which form of the step the formula is. ``put_in`` is None where the formula is too long for it, and
    equal to the formula where nothing is left to put in. ``is_exact`` says that the rounded numbers give the rounded
    result.
    """

    position: tuple[int, ...]
    target: tree.Node
    kind: FormKind
    formula: tree.Node
    put_in: tree.Node | None
    value: float
    is_exact: bool
    paths: tuple[Path, ...] = ()


class Stage(NamedTuple):
    """One step of the derivation with its entries, of which there are ``size``.

    Where entries of two steps need each other by turns, as those of a state and of what it is computed from, a step is
    told in parts: ``before`` counts its entries in the parts before, and the last part ``is_last``.
    """

    step: Step
    is_forward: bool
    entries: tuple[Told, ...]
    size: int
    before: int = 0
    is_last: bool = True

    @property
    def has_several_paths(self) -> bool:
        return any(entry.paths for entry in self.entries)

    @property
    def is_summed(self) -> bool:
        """Whether a formula adds up what arrives from several entries, written out or not, or multiplies matrices."""
        told = [entry.formula for entry in self.entries] or [self.step.forms[self.step.main].value]
        return any(
            len(_arriving(formula)) > 1
            or any(isinstance(node, tree.Reduction | tree.MatrixProduct) for node in walk(formula))
            for formula in told
        )

    @property
    def is_first(self) -> bool:
        """Whether nothing arrives yet, as the quantity is reached from J alone."""
        formulas = [entry.formula for entry in self.entries] or [self.step.forms[self.step.main].value]
        return not any(isinstance(node, tree.Partial | tree.Gradient) for formula in formulas for node in walk(formula))


def walkthrough(derivation: Derivation, numbers: Numbers, rounding: Rounding, per_step: int) -> tuple[Stage, ...]:
    """Every step in the order of teaching, each with its first ``per_step`` entries."""
    teller = _Teller(derivation, numbers, rounding)
    order = in_order(derivation, numbers.has_steps)
    return tuple(teller.stage(step, list(teller.told_first(step, per_step))) for step in order)


def _told_first(derivation: Derivation, step: Step, most: int) -> Iterator[tuple[int, ...]]:
    """The first ``most`` entries. Of what is computed step by step those of one step more, in the order of computation:
    backward from the last step."""
    ranges: list[Sequence[int]] = [range(1, size + 1) for size in step.shape]
    is_forward = step.kind is Kind.DEFINITION
    name = step.id if is_forward else step.id.removeprefix("dJ/d")
    loop = derivation.graph.loop_of(name)
    if loop is None or len(derivation.graph[name].shape) != len(step.shape):
        yield from islice(positions_of(*ranges), most)
        return
    axis = loop.axes[name]
    ranges.insert(0, ranges.pop(axis) if is_forward else ranges.pop(axis)[::-1])
    several = [list(islice(positions_of([at], *ranges[1:]), most)) for at in ranges[0][:2]]
    found = several[0] + several[-1][:1] if most == 1 else list(islice(positions_of(*ranges), most))
    for at, *rest in dict.fromkeys(found):
        yield (*rest[:axis], at, *rest[axis:])


def story(
    derivation: Derivation, numbers: Numbers, rounding: Rounding, step: str, positions: Sequence[tuple[int, ...]]
) -> tuple[Stage, ...]:
    """The steps and entries that entries of one gradient build on, directly or not, in the order of teaching."""
    return stories(derivation, numbers, rounding, [(step, position) for position in positions])


def remembered(derivation: Derivation) -> Single:
    """Makes the steps of single entries, each once: where the same entries are told with other numbers."""
    return cache(lambda name, position: entry_step(derivation, derivation.by_id[name], position))


def stories(
    derivation: Derivation,
    numbers: Numbers,
    rounding: Rounding,
    entries: Sequence[Entry],
    single: Single | None = None,
) -> tuple[Stage, ...]:
    """The same for entries of several quantities and gradients; each uses only what is told before it."""
    teller = _Teller(derivation, numbers, rounding, single)

    def known(some: Iterable[Entry]) -> Iterator[Entry]:
        for name, place in some:
            if name in derivation.by_id:
                step = derivation.by_id[name]
                shape = derivation.graph[name.removeprefix("dJ/d")].shape if _is_told(step) else step.shape
                yield name, _in_shape(place, shape, step.shape)

    needs: dict[Entry, tuple[Entry, ...]] = {}
    waiting = list(known(entries))
    while waiting:
        entry = waiting.pop()
        if entry not in needs:
            name, at = entry
            needs[entry] = tuple(known(teller.needs(derivation.by_id[name], at)))
            waiting.extend(needs[entry])
    wanted: dict[str, list[tuple[int, ...]]] = {}
    for name, at in sorted(needs):
        wanted.setdefault(name, []).append(at)
    steps = {one.id: one for one in in_order(derivation, numbers.has_steps) if one.id in wanted}
    ordered = {name: list(teller.ordered(step, wanted[name])) for name, step in steps.items()}
    left = Counter({name: len(some) for name, some in ordered.items()})
    stages = []
    for name, some in in_turn(ordered, needs):
        before = len(ordered[name]) - left[name]
        left[name] -= len(some)
        stages.append(teller.stage(steps[name], some)._replace(before=before, is_last=not left[name]))
    return tuple(stages)


def in_order(derivation: Derivation, with_steps: bool = False) -> Iterator[Step]:
    """The definitions in order of computation, then the gradients from the last to the first, those of the cost of
    every step among them if asked for."""
    for quantity in derivation.graph.quantities:
        if quantity.name in derivation.by_id and not quantity.is_given:
            yield derivation.by_id[quantity.name]
    for step in derivation.steps:
        if step.kind in (Kind.DEFINITION, Kind.LOCAL_DERIVATIVE):
            continue
        if with_steps or _is_of_the_cost(step):
            yield step


def quantity_of(step: Step) -> str:
    """The quantity that is defined, or whose gradient a step is: of J, or of the cost of every step."""
    return step.id if step.kind is Kind.DEFINITION else step.id.partition("/d")[2]


def _is_told(step: Step) -> bool:
    return step.kind is Kind.DEFINITION or _is_of_the_cost(step)


def _is_of_the_cost(step: Step) -> bool:
    """Whether it is a gradient of J, and not of the cost of one step of a sequence."""
    return isinstance(step.target, tree.Partial) and not step.target.of.positions


class _Teller:
    def __init__(
        self, derivation: Derivation, numbers: Numbers, rounding: Rounding, single: Single | None = None
    ) -> None:
        self._derivation, self._numbers, self._rounding = derivation, numbers, rounding
        self._single = single or remembered(derivation)
        self._by_step = {
            step.target.by.name: step
            for step in derivation.steps
            if isinstance(step.target, tree.Partial) and step.kind is not Kind.LOCAL_DERIVATIVE
            if step.target.of.positions
        }

    def stage(self, step: Step, positions: Collection[tuple[int, ...]]) -> Stage:
        entries = tuple(self._told(step, position) for position in positions)
        return Stage(step, step.kind is Kind.DEFINITION, entries, prod(step.shape))

    def told_first(self, step: Step, most: int) -> Iterator[tuple[int, ...]]:
        """The first entries of a step that are told."""
        if step not in self._by_step.values():
            return _told_first(self._derivation, step, most)
        ranges: list[Sequence[int]] = [range(1, size + 1) for size in step.shape]
        axis = self._axis(quantity_of(step))
        times = ranges.pop(axis)[::-1]
        every = (
            (s, *rest[: axis - 1], t, *rest[axis - 1 :]) for s, t, *rest in positions_of(ranges[0], times, *ranges[1:])
        )
        return islice((at for at in every if self._is_reached(step, at)), most)

    def ordered(self, step: Step, positions: Sequence[tuple[int, ...]]) -> Sequence[tuple[int, ...]]:
        """These entries, those of the cost of one step from its own step to earlier ones; what it does not depend on is
        left out."""
        if step not in self._by_step.values():
            return positions
        axis = self._axis(quantity_of(step))
        reached = [at for at in positions if self._is_reached(step, at)]
        return sorted(reached, key=lambda at: (at[0], -at[axis], at))

    def _value(self, step: Step, position: tuple[int, ...]) -> float:
        return self._numbers.of(step.target, dict(zip(step.indices, map(float, position), strict=True)))

    def needs(self, step: Step, position: tuple[int, ...]) -> Iterator[Entry]:
        """The computed values and gradients that the formula of an entry holds."""
        for node in walk(self._formula(self._single(step.id, position)).value):
            if isinstance(node, tree.Partial):
                yield self._gradient(node)
            elif isinstance(node, tree.Place) and self._is_entry(node):
                yield node.name, _numbers_of(node.positions)

    def _is_entry(self, place: tree.Place) -> bool:
        """Whether it is an entry of something computed, and not the J of one step in a derivative."""
        graph = self._derivation.graph
        return place.name in self._derivation.by_id and len(place.positions) == len(graph[place.name].shape)

    def _gradient(self, node: tree.Partial) -> Entry:
        """The entry of a gradient of J, or of the cost of one step, which is not told but builds on others."""
        if not node.of.positions:
            return f"dJ/d{node.by.name}", _numbers_of(node.by.positions)
        step = self._by_step[node.by.name]
        if not isinstance(step.target, tree.Partial):
            raise TypeError(f"{step.id} is no derivative")
        general = (*step.target.of.positions, *step.target.by.positions)
        numbers = _numbers_of((*node.of.positions, *node.by.positions))
        named = {
            place.name: number for place, number in zip(general, numbers, strict=True) if isinstance(place, tree.Place)
        }
        return step.id, tuple(named[index] for index in step.indices)

    def _told(self, step: Step, position: tuple[int, ...]) -> Told:
        one = self._single(step.id, position)
        kind, formula = (form := self._formula(one)).kind, form.value
        if kind not in TOLD and _has_steps(step.target):  # of a state too old, all forms come to 0
            kind = step.forms[step.main].kind
        value = self._numbers.of(one.target)
        put_in = self._put_in(formula)
        is_exact = put_in is None or self._rounding.agrees(self._numbers.of(put_in), value)
        paths = () if step.rule is Rule.SUM_OVER_STEPS else self._paths(formula)
        return Told(position, one.target, kind, formula, put_in, value, is_exact, paths)

    def _formula(self, one: Step) -> Form:
        """The form that is told; one of the gradients of J itself, where there is one."""
        forms = [form for kind in TOLD for form in one.forms if form.kind is kind]
        whole = [form for form in forms if not _has_steps(form.value)]
        found = next((form for form in (*whole, *forms) if self._numbers.has(form.value)), one.forms[one.main])
        if not _has_steps(one.target):
            return found
        return replace(found, value=folded(self._without_later(found.value), self._derivation.graph))

    def _without_later(self, node: tree.Node) -> tree.Node:
        """The formula with 0 for the derivatives of what the cost of a step does not depend on, as it comes later."""
        if isinstance(node, tree.Partial) and _has_steps(node):
            step, position = self._gradient(node)
            return node if self._is_reached(self._derivation.by_id[step], position) else tree.Number("0")
        return rebuilt(node, self._without_later)

    def _is_reached(self, step: Step, position: tuple[int, ...]) -> bool:
        """Whether the cost of a step may depend on an entry: not on one that comes later and has the derivative 0."""
        apart, name = self._derivation.adjoints.apart, quantity_of(step)
        if apart is None or not self._numbers.has_steps:
            return True
        return position[self._axis(name)] <= position[0] or self._value(step, position) != 0

    def _axis(self, name: str) -> int:
        """The axis along which the steps of a quantity's copy run."""
        apart = self._derivation.adjoints.apart
        assert apart is not None
        return apart.graph[by_step(name)].indices.index(apart.at[name])

    def _put_in(self, formula: tree.Node) -> tree.Node | None:
        return numbers_put_in(formula, self._numbers, self._rounding)

    def _paths(self, formula: tree.Node) -> tuple[Path, ...]:
        """The parts of a gradient that arrive through different entries."""
        if not isinstance(formula, tree.Add):
            return ()
        found, own = [], []
        for term in formula.terms:
            if through := _arriving(term):
                found.append((through, term))
            else:
                own.append(term)
        if found and own:
            found.append(((tree.Place(COST),), own[0] if len(own) == 1 else tree.Add(tuple(own))))
        paths = []
        for through, part in found:
            put_in = self._put_in(part)
            if put_in is None:
                return ()
            paths.append(Path(through, part, put_in, self._numbers.of(part)))
        return tuple(paths)


def _has_steps(formula: tree.Node) -> bool:
    """Whether the gradient of the cost of one step stands in a formula."""
    return any(
        isinstance(node, tree.Partial) and node.of.name == COST and bool(node.of.positions) for node in walk(formula)
    )


def _arriving(formula: tree.Node) -> tuple[tree.Place, ...]:
    """What the gradients in a formula are by, each once."""
    return tuple(dict.fromkeys(node.by for node in walk(formula) if isinstance(node, tree.Partial)))


def _in_shape(position: tuple[int, ...], shape: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
    """The same entry of an array in another shape, as a flattened one is defined by the indices of its source."""
    if shape == wanted:
        return position
    flat = np.ravel_multi_index([place - 1 for place in position], shape)
    return tuple(int(place) + 1 for place in np.unravel_index(flat, wanted))


def _numbers_of(positions: Sequence[tree.Node]) -> tuple[int, ...]:
    """Positions as numbers; of an index that a sum too long to be written out runs over, the first stands for all."""
    found = (whole_number(position) for position in positions)
    return tuple(1 if number is None else number for number in found)
