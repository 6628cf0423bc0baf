"""The key of an exercise with variants: numbers drawn and gated, answers computed, gradients vouched for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
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
from backprop_cli.exercises.nodes import Node, Nodes, evaluated, given_values, look_ups
from backprop_cli.exercises.solving import answers, is_number, require_fractions
from backprop_cli.exercises.variants import Progress, batch, candidate, stacked
from backprop_cli.symbolic.derivation import Adjoints, derive
from backprop_cli.symbolic.graph import Role
from backprop_cli.symbolic.notation import Adjoint, Place, places
from backprop_cli.verification.frozen import frozen

CODE_LETTERS = 4
SOME = 8  # candidates that tell whether a mistake can be told apart at all
SAME = 1e-9  # relative

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
    asked = {cell: exercise.place(cell) for one in exercise.questions for cell in one.cells if is_number(cell)}
    if exercise.exact:
        require_fractions(exercise.nodes.in_order(asked.values()))
    fixed = {asked[cell]: tolerance for cell, tolerance in exercise.fixed.items() if cell in asked}
    places, mutations = list(asked.values()), _mutations(exercise, own, rules)
    found = batch(
        exercise.nodes, places, own, rules, count, seed, exercise.digits, mutations, progress, fixed, exercise.exact
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
    names = [q.name for q in graph.with_role(Role.PARAMETER, Role.INPUT) if nodes.has_gradient(q.name)]
    wanted: list[Place] = [place for name in names for place in nodes.entries(name, is_gradient=True)]
    values = nodes.values(given_values(graph, arrays), wanted)
    if not graph.windows:
        return certificate(nodes, derive(graph), values, names, arrays)
    states = _states(nodes, arrays, graph.windows)
    several = [{name: array[n] for name, array in {**arrays, **states}.items()} for n in range(len(variants))]
    alike = [frozen(graph, one) for one in several]
    whole, given = alike[0][0], stacked([given for _, given in alike])
    adjoints = Adjoints(whole, {}, {})  # the other ways need the forward pass alone
    gradients = {place: values[place] for place in wanted}
    certified = certificate(Nodes(whole, adjoints), adjoints, {**given_values(whole, given), **gradients}, names, given)
    return certified._replace(truncated=True)


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
    return rules | {name: Rule(steps_of(rule)) for name, rule in exercise.vary.items()}


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
    candidates = stacked([candidate(own, rules, 0, 0, attempt) for attempt in range(SOME)])
    values = given_values(exercise.graph, candidates)

    def differs(node: Node, formula: Expr) -> bool:
        missing = {node.place, *places(formula)} - values.keys()
        values.update(exercise.nodes.values(values, missing) if missing else {})
        right = values[node.place]
        with np.errstate(all="ignore"):
            return bool(np.any(np.abs(evaluated(formula, values) - right) > SAME * np.abs(right)))

    setting = Setting(exercise.nodes, Rational(repr(exercise.learning_rate)))
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
