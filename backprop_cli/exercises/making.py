"""The key of an exercise with variants: numbers drawn and gated, answers computed, gradients vouched for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from backprop_cli.exercises.look_ups import look_ups
from backprop_cli.exercises.mistakes import TELLING, WITH_A_SLOPE, Setting
from backprop_cli.exercises.nodes import Node, Nodes, given_values
from backprop_cli.exercises.solving import answers, is_number, require_fractions
from backprop_cli.exercises.variants import Progress, batch, stacked
from backprop_cli.exercises.workload import has_short_pass
from backprop_cli.symbolic.derivation import Adjoints, derive
from backprop_cli.symbolic.graph import Role
from backprop_cli.symbolic.notation import Adjoint, Place
from backprop_cli.verification.frozen import frozen

CODE_LETTERS = 4
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
    places, mutations = list(asked.values()), _mutations(exercise)
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
    """The certificate for the gradients of every parameter and input; None without a cost. Truncated gradients are
    compared with those of the network in which the states that are too old are frozen."""
    if exercise.graph.cost is None:
        return None
    nodes, graph = exercise.nodes, exercise.graph
    arrays = {name: np.stack([variant.given[name] for variant in variants]) for name in variants[0].given}
    own = {name: array for name, array in arrays.items() if graph[name].definition is None}
    names = [q.name for q in graph.with_role(Role.PARAMETER, Role.INPUT) if nodes.has_gradient(q.name)]
    wanted = [place for name in names for place in _compared(exercise, name)]
    needed = None if has_short_pass(graph) else [*nodes.leaves(wanted), *map(_own, wanted)]
    values = nodes.values(given_values(graph, arrays, needed), wanted)
    if not graph.windows:
        costs = exercise.costs if exercise.computed else None
        return certificate(nodes, derive(graph), values, names, own, costs)
    states = _states(nodes, arrays, graph.windows)
    several = [{name: array[n] for name, array in {**own, **states}.items()} for n in range(len(variants))]
    alike = [frozen(graph, one) for one in several]
    whole, given = alike[0][0], stacked([given for _, given in alike])
    adjoints = Adjoints(whole, {}, {})  # the other ways need the forward pass alone
    gradients = {place: values[place] for place in wanted}
    certified = certificate(Nodes(whole, adjoints), adjoints, {**given_values(whole, given), **gradients}, names, given)
    return certified._replace(truncated=True)


def _own(gradient: Place) -> Place:
    """The number that a gradient is by."""
    return Place(gradient.name, *gradient.positions)


def _compared(exercise: Exercise, name: str) -> list[Place]:
    """The gradients of a quantity that are compared with those of other ways: all, or as many of a large one from
    beginning to end."""
    size = prod(exercise.graph[name].shape)
    apart = 1 if has_short_pass(exercise.graph) else max(1, -(-size // MOST_COMPARED))
    return list(islice(exercise.nodes.entries(name, is_gradient=True), 0, None, apart))


def _states(nodes: Nodes, arrays: Mapping[str, Array], names: Iterable[str]) -> dict[str, Array]:
    """What these states come to, with an axis in front for the variants."""
    given = given_values(nodes.graph, arrays)
    count = len(next(iter(arrays.values())))
    found = {}
    for name in names:
        entries = list(nodes.entries(name))
        values = nodes.values(given, entries)
        flat = [np.broadcast_to(values[entry], (count,)) for entry in entries]
        found[name] = np.stack(flat, axis=-1).reshape(count, *nodes.graph[name].shape)
    return found


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


def _mutations(exercise: Exercise) -> Callable[[Node], Sequence[tuple[str, Expr]]]:
    """The formulas of the telling mistakes at a node."""
    setting = Setting(exercise.nodes, Rational(repr(exercise.learning_rate)))
    straight = [mistake for mistake in TELLING if mistake.id not in WITH_A_SLOPE]
    known: dict[Place, list[tuple[str, Expr]]] = {}

    def of(node: Node) -> Sequence[tuple[str, Expr]]:
        if node.place not in known:
            bent = [one.edge.derivative.slope for one in node.contributions]
            is_straight = all(slope is None or is_kinked(slope.function) for slope in bent)
            some = [] if not isinstance(node.place, Adjoint) else straight if is_straight else TELLING
            known[node.place] = [(one.id, formula) for one in some for formula in one.of(setting, node)]
        return known[node.place]

    return of
