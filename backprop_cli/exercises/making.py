"""The key of an exercise with variants: numbers drawn and gated, answers computed, gradients vouched for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from itertools import islice
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Rational

from backprop_cli.exercises.certificate import Certificate, certificate
from backprop_cli.exercises.drawing import Rule, default_rules, steps
from backprop_cli.exercises.exercise import Exercise, Range, numbers_of
from backprop_cli.exercises.exercise import Rule as Asked
from backprop_cli.exercises.gate import Reason, is_kinked
from backprop_cli.exercises.key import Key, Variant
from backprop_cli.exercises.mistakes import TELLING, WITH_A_SLOPE, Setting
from backprop_cli.exercises.nodes import Node, Numbers, evaluated, given_values, look_ups
from backprop_cli.exercises.solving import answers, is_number, require_fractions
from backprop_cli.exercises.variants import Progress, batch, candidate, stacked
from backprop_cli.exercises.workload import has_short_pass
from backprop_cli.symbolic.derivation import derive
from backprop_cli.symbolic.graph import Role
from backprop_cli.symbolic.notation import Adjoint, Place, places

CODE_LETTERS = 4
SOME = 8  # candidates that tell whether a mistake can be told apart at all
SAME = 1e-9  # relative
MOST_DRAWN = 5_000  # entries of a quantity of which few are shown
MOST_COMPARED = 20  # gradients of one quantity of a large network

Array = NDArray[np.float64]


class Made(NamedTuple):
    """``rejected`` counts the candidates that the gate turned away."""

    key: Key
    rejected: Mapping[Reason, int]


def made(
    exercise: Exercise,
    count: int,
    seed: int,
    students: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Made:
    """A key with so many variants, or one for each student. Raises BackpropError where not enough fit."""
    count = count if students is None else len(students)
    own = numbers_of(exercise.network)
    rules = rules_of(exercise, own)
    staying = [name for name in own if _may_stay(exercise, name)]
    own |= {name: np.round(own[name], exercise.digits) for name in staying}  # as the sheet shows it
    asked = {cell: exercise.place(cell) for one in exercise.questions for cell in one.cells if is_number(cell)}
    if exercise.exact:
        require_fractions(exercise.nodes.in_order(asked.values()))
    fixed = {asked[cell]: tolerance for cell, tolerance in exercise.fixed.items() if cell in asked}
    places, mutations = list(asked.values()), _mutations(exercise, own, rules)
    found = batch(
        exercise.nodes,
        places,
        own,
        rules,
        count,
        seed,
        exercise.digits,
        mutations,
        progress,
        fixed,
        exercise.exact,
        exercise.completed,
    )
    digest = fingerprint(exercise)
    codes = [f"{digest}-{seed}-{number}" for number in range(1, count + 1)]
    cells = answers(exercise, found.given, codes)
    variants = tuple(
        Variant(
            str(number + 1),
            codes[number],
            None if students is None else students[number],
            {name: array[number] for name, array in found.given.items()},
            cells[number],
        )
        for number in range(count)
    )
    text = exercise.network.source.text
    key = Key(exercise.title, text, exercise.digits, seed, exercise.learning_rate, variants)
    return Made(key, found.rejected)


def vouched_for(exercise: Exercise, variants: Sequence[Variant]) -> Certificate | None:
    """The certificate for the gradients of every parameter and input; None without a cost."""
    if exercise.graph.cost is None:
        return None
    given = {name: np.stack([variant.given[name] for variant in variants]) for name in variants[0].given}
    adjoints = derive(exercise.graph)
    names = [q.name for q in exercise.graph.with_role(Role.PARAMETER, Role.INPUT) if q.name in adjoints.formulas]
    wanted = [place for name in names for place in _compared(exercise, name)]
    nodes = exercise.nodes
    needed = None if has_short_pass(exercise.graph) else [*nodes.leaves(wanted), *map(_own, wanted)]
    values = nodes.values(given_values(exercise.graph, given, needed), wanted)
    costs = exercise.costs if exercise.computed else None
    arrays = {name: array for name, array in given.items() if exercise.graph[name].definition is None}
    return certificate(nodes, adjoints, values, names, arrays, costs)


def _own(gradient: Place) -> Place:
    """The number that a gradient is by."""
    return Place(gradient.name, *gradient.positions)


def _compared(exercise: Exercise, name: str) -> list[Place]:
    """The gradients of a quantity that are compared with those of other ways: all, or as many of a large one from
    beginning to end."""
    size = prod(exercise.graph[name].shape)
    apart = 1 if has_short_pass(exercise.graph) else max(1, -(-size // MOST_COMPARED))
    return list(islice(exercise.nodes.entries(name, is_gradient=True), 0, None, apart))


def fingerprint(exercise: Exercise) -> str:
    """A few letters of the digest of all that sheets depend on, which tell the codes of one exercise from those of
    another."""
    asked = [(str(question.kind), question.cells, question.points) for question in exercise.questions]
    rules = {name: tuple(rule) for name, rule in sorted(exercise.vary.items())}
    told = (exercise.title, exercise.given, asked, sorted(exercise.fixed.items()), rules)
    text = repr((exercise.network.source.text, exercise.digits, exercise.learning_rate, exercise.exact, told))
    return sha256(text.encode()).hexdigest()[:CODE_LETTERS].upper()


def rules_of(exercise: Exercise, own: Mapping[str, Array]) -> dict[str, Rule]:
    """What each given quantity may become: the exercise's own rules before the usual ones."""
    rules = default_rules(exercise.graph, own, exercise.exact)
    for name in look_ups(exercise.graph, own):
        rules.pop(name, None)
    rules = {name: rule for name, rule in rules.items() if not _may_stay(exercise, name)}
    return rules | {name: Rule(steps_of(rule)) for name, rule in exercise.vary.items()}


def _may_stay(exercise: Exercise, name: str) -> bool:
    """Whether next to nothing of a quantity stands on the sheet and drawing it would take long."""
    is_large = prod(exercise.graph[name].shape) > MOST_DRAWN
    return is_large and (name not in exercise.given or exercise.few(name) is not None)


def steps_of(rule: Asked) -> tuple[float, ...]:
    """The numbers that a rule of an exercise allows."""
    if isinstance(rule, Range):
        start, end, step = (str(Decimal(repr(float(number)))) for number in (rule.start, rule.end, rule.step))
        return steps(start, end, step, rule.nonzero)
    return rule


def _mutations(
    exercise: Exercise, own: Mapping[str, Array], rules: Mapping[str, Rule]
) -> Callable[[Node], Sequence[tuple[str, Expr]]]:
    """The formulas of the telling mistakes at a node, without those that come to the right number whatever is given: a
    path along which nothing can arrive may be left out, and no other numbers would change that."""
    candidates = exercise.completed(stacked([candidate(own, rules, 0, 0, attempt) for attempt in range(SOME)]))
    nodes = exercise.nodes
    values: dict[Place, Numbers] = {}

    def differs(node: Node, formula: Expr) -> bool:
        missing = {node.place, *places(formula)} - values.keys()
        if missing:
            leaves = [place for place in nodes.leaves(missing) if place not in values]
            values.update(given_values(exercise.graph, candidates, leaves))
            values.update(nodes.values(values, missing))
        right = values[node.place]
        with np.errstate(all="ignore"):
            return bool(np.any(np.abs(evaluated(formula, values) - right) > SAME * np.abs(right)))

    setting = Setting(nodes, Rational(repr(exercise.learning_rate)))
    straight = [mistake for mistake in TELLING if mistake.id not in WITH_A_SLOPE]
    known: dict[Place, list[tuple[str, Expr]]] = {}

    def of(node: Node) -> Sequence[tuple[str, Expr]]:
        if node.place not in known:
            bent = [one.edge.derivative.slope for one in node.contributions]
            is_straight = all(slope is None or is_kinked(slope.function) for slope in bent)
            some = [] if not isinstance(node.place, Adjoint) else straight if is_straight else TELLING
            known[node.place] = [
                (one.id, formula) for one in some for formula in one.of(setting, node) if differs(node, formula)
            ]
        return known[node.place]

    return of
