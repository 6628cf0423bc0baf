"""Typical mistakes, each as a change of one step's formula: what a student who makes it would compute there instead.

A mistake knows no layer and no name: it takes a :class:`~backprop_cli.exercises.nodes.Node` and gives the formulas that
come out wrong, made of the node's own contributions, of the equations around it and of SymPy's derivatives of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from sympy import Add, Expr, Integer, Mul, Number, Pow, Rational, S

from backprop_cli.exercises.nodes import Contribution, Node, Nodes
from backprop_cli.exercises.other_windows import longest, shifted, with_windows
from backprop_cli.exercises.tolerances import derivative
from backprop_cli.symbolic.functions import apply
from backprop_cli.symbolic.graph import Role
from backprop_cli.symbolic.notation import Adjoint, Place, is_by_step, places, without_step

MOST_OTHERS = 24  # other entries tried in place of one
MOST_USES = 40  # numbers in a formula that are exchanged one by one
MOST_TERMS = 12  # of a sum whose terms are tried one by one
USUAL = ("sigmoid", "tanh", "relu")  # activations that are taken for each other
PLAIN = (None, "identity")
COSTS = (Role.COST, Role.LOSS)


class Setting(NamedTuple):
    """What a mistake may look at: the network's nodes, and the learning rate where parameters are updated."""

    nodes: Nodes
    rate: Expr | None = None


Wrong = Callable[[Setting, Node], Iterator[Expr]]


class Mistake(NamedTuple):
    """``id`` is what programs call it; ``formulas`` gives what a student may compute in place of a node's formula."""

    id: str
    formulas: Wrong

    def of(self, setting: Setting, node: Node) -> tuple[Expr, ...]:
        """The wrong formulas for a node, each once, none of them the right one or in need of the node's own number."""
        found = dict.fromkeys(self.formulas(setting, node))
        return tuple(one for one in found if one != node.formula and _can_be_computed(setting.nodes, node, one))


def _can_be_computed(nodes: Nodes, node: Node, formula: Expr) -> bool:
    """Whether everything in a wrong formula exists and can be known before the node is."""
    known = set(node.uses)
    for place in dict.fromkeys(places(formula)):
        if place in known:
            continue
        if isinstance(place, Adjoint) and not nodes.has_gradient(place.name):
            return False
        if node.place in nodes.before(place):
            return False
    return True


class _Applied(NamedTuple):
    """``value = formula``, a function of the one number ``argument``, on the way of a contribution."""

    value: Place
    argument: Place
    formula: Expr


def _function(setting: Setting, value: Place) -> _Applied | None:
    """The equation of a place, where it bends the one number that it is computed from."""
    graph = setting.nodes.graph
    node = setting.nodes.equation(value)
    if node is None or len(node.uses) != 1 or value.name not in graph or graph[value.name].role in COSTS:
        return None
    argument = node.uses[0]
    is_bent = derivative(node.formula, argument).has(Place)
    return _Applied(value, argument, node.formula) if is_bent else None


def _value(one: Contribution) -> Place | None:
    """The value that a contribution passes through, and is the gradient by."""
    return None if one.upstream is None or one.is_share else _itself(one.upstream)


def _itself(gradient: Place) -> Place:
    """The quantity that it is the gradient by, of J or of the cost of one step."""
    return without_step(gradient) if is_by_step(gradient.name) else Place(gradient.name, *gradient.positions)


def _own(setting: Setting, node: Node) -> Expr:
    """What a gradient is besides its contributions: the output gradient, where one is given."""
    seed = setting.nodes.graph.seeds.get(node.place.name) if node.is_gradient else None
    return S.Zero if seed is None else Place(seed, *node.place.positions)


def _summed(setting: Setting, node: Node, parts: list[Expr]) -> Expr:
    return Add(_own(setting, node), *parts)


def _with_slopes(setting: Setting, node: Node, slope: Callable[[_Applied], Expr | None]) -> Iterator[Expr]:
    """The gradient with something else for σ′ wherever it comes back through an activation.

    Through an activation of several numbers, as softmax, the derivative of each value by its own number stands for σ′.
    """
    parts: list[Expr] = []
    changed = False
    for one in node.contributions:
        value = _value(one)
        applied = None if value is None else _function(setting, value)
        if value is not None and applied is None and one.edge.of.activation not in PLAIN:
            changed = True
            if value.positions != _itself(node.place).positions:
                continue
            forward = setting.nodes.equation(value)
            applied = _Applied(value, value, value if forward is None else forward.formula)
        put = None if applied is None else slope(applied)
        changed = changed or put is not None
        parts.append(one.expression if put is None or one.upstream is None else one.upstream * put)
    if changed:
        yield _summed(setting, node, parts)


def _missing_derivative(setting: Setting, node: Node) -> Iterator[Expr]:
    yield from _with_slopes(setting, node, lambda applied: S.One)


def _activation_for_derivative(setting: Setting, node: Node) -> Iterator[Expr]:
    yield from _with_slopes(setting, node, lambda applied: applied.value)


def _derivative_at_activation(setting: Setting, node: Node) -> Iterator[Expr]:
    def slope(applied: _Applied) -> Expr | None:
        if applied.argument == applied.value:
            return None
        return derivative(applied.formula, applied.argument).xreplace({applied.argument: applied.value})

    if any((value := _value(one)) is not None and _function(setting, value) for one in node.contributions):
        yield from _with_slopes(setting, node, slope)


def _one_path_alone(setting: Setting, node: Node) -> Iterator[Expr]:
    """One contribution alone (the last: overwritten, not added), or those of one consumer alone."""
    own, some = _own(setting, node), node.contributions
    expressions = [one.expression for one in some]
    if own is not S.Zero and some:
        yield own
    if len(some) + (own is not S.Zero) < 2:
        return
    consumers = dict.fromkeys(one.edge.of.name for one in some)
    for name in consumers if len(consumers) > 1 else ():
        yield Add(*(one.expression for one in some if one.edge.of.name == name))
    yield from islice(reversed(expressions), MOST_OTHERS)


def _path_left_out(setting: Setting, node: Node) -> Iterator[Expr]:
    some = node.contributions
    expressions = [one.expression for one in some]
    if len(some) + (_own(setting, node) is not S.Zero) < 2:
        return
    for left_out in range(min(len(some), MOST_TERMS)):
        yield _summed(setting, node, [*expressions[:left_out], *expressions[left_out + 1 :]])


def _single_path(setting: Setting, node: Node) -> Iterator[Expr]:
    yield from _one_path_alone(setting, node)
    yield from _path_left_out(setting, node)


def _turned(setting: Setting, place: Place) -> Place | None:
    """The entry of a matrix of parameters on the other side of the diagonal; None outside it."""
    graph = setting.nodes.graph
    if place.name not in graph or graph[place.name].role is not Role.PARAMETER or len(place.positions) != 2:
        return None
    quantity = graph[place.name]
    row, column = place.positions
    if row == column or not (column <= quantity.shape[0] and row <= quantity.shape[1]):
        return None
    return type(place)(place.name, column, row)


def _transposed(setting: Setting, node: Node) -> Iterator[Expr]:
    graph = setting.nodes.graph
    other = _turned(setting, node.place)
    if other is not None and (found := setting.nodes.node(other)) is not None:
        yield found.formula
    matrices: dict[tuple[type, str], list[Place]] = {}
    for place in node.uses:
        if place.name in graph and graph[place.name].role is Role.PARAMETER and len(place.positions) == 2:
            matrices.setdefault((type(place), place.name), []).append(place)
    for entries in matrices.values():
        turned = {place: _turned(setting, place) for place in entries if place.positions[0] != place.positions[1]}
        if turned and None not in turned.values():
            yield node.formula.xreplace(turned)


def _wrong_sign(setting: Setting, node: Node) -> Iterator[Expr]:
    """Of the whole, of one term, or of one factor's term."""
    yield -node.formula
    terms = Add.make_args(node.formula)
    for term in terms if 1 < len(terms) <= MOST_TERMS else ():
        yield node.formula - 2 * term
    for factor in Mul.make_args(node.formula):
        if isinstance(factor, Add) and len(factor.args) == 2:
            first, second = factor.args
            yield node.formula / factor * (first - second)


def _factors(setting: Setting, one: Contribution) -> Iterator[Expr]:
    """The numbers that are lost or put twice where the cost is differentiated: 2, ½, and sizes of sums."""
    sizes = [Integer(size) for size in dict.fromkeys((*one.edge.by.shape, setting.nodes.graph.samples or 1))]
    whole = Mul(*sizes)
    for number in dict.fromkeys((Integer(2), *sizes, whole)):
        if number != 1:
            yield from (number, 1 / number, 2 / number, number / 2)


def _lost_factor(setting: Setting, node: Node) -> Iterator[Expr]:
    content, _ = node.formula.as_content_primitive()
    if content not in (S.One, S.NegativeOne):
        yield node.formula / abs(content)
        yield node.formula * abs(content)
    for term in Add.make_args(node.formula):
        number = abs(term.as_coeff_Mul()[0])
        if number != 1 and term.has(Adjoint):
            yield node.formula - term + term / number
    graph = setting.nodes.graph
    if _is_forward(setting, node) and graph[node.place.name].role in COSTS:
        yield from (node.formula * number for number in (Integer(2), Rational(1, 2)))
    for one in node.contributions:
        if one.edge.of.role in COSTS:
            rest = node.formula - one.expression
            yield from (rest + one.expression * number for number in _factors(setting, one))


def _others(setting: Setting, place: Place) -> Iterator[Place]:
    """The entries of the same quantity or gradient that differ from this one in one position; none that is cut off."""
    graph = setting.nodes.graph
    shape = graph[place.name].shape if place.name in graph else ()
    for axis, size in enumerate(shape):
        for position in range(1, size + 1):
            if position != place.positions[axis]:
                positions = (*place.positions[:axis], Integer(position), *place.positions[axis + 1 :])
                other = type(place)(place.name, *positions)
                if not setting.nodes.is_cut_off(other):
                    yield other


def _is_parameter(setting: Setting, place: Place) -> bool:
    graph = setting.nodes.graph
    return not isinstance(place, Adjoint) and place.name in graph and graph[place.name].role is Role.PARAMETER


def _wrong_input(setting: Setting, node: Node) -> Iterator[Expr]:
    """Another entry of what stands in the formula, the sum z in place of its activation, or another entry's answer."""
    for place in node.uses if node.contributions and len(node.uses) <= MOST_USES else ():
        if not _is_parameter(setting, place):
            if not isinstance(place, Adjoint) and (applied := _function(setting, place)) is not None:
                yield node.formula.xreplace({place: applied.argument})
            for other in islice(_others(setting, place), MOST_OTHERS):
                yield node.formula.xreplace({place: other})
    slips = set(_forward_slip(setting, node))
    for other in islice(_others(setting, node.place), MOST_OTHERS):
        found = setting.nodes.node(other)
        if found is not None and found.formula not in slips:
            yield found.formula


def _updated_too_early(setting: Setting, node: Node) -> Iterator[Expr]:
    if setting.rate is None or not node.contributions:
        return
    nodes = setting.nodes
    entries = [place for place in node.uses if _is_parameter(setting, place) and place.name not in nodes.graph.frozen]
    if entries:
        yield node.formula.xreplace({place: nodes.updated(place, setting.rate) for place in entries})


def _not_truncated(setting: Setting, node: Node) -> Iterator[Expr]:
    """The full gradient."""
    nodes, gradient = setting.nodes, node.place
    if isinstance(gradient, Adjoint) and any(window < longest(nodes) for window in nodes.windows.values()):
        yield with_windows(nodes, gradient, dict.fromkeys(nodes.windows, longest(nodes)))


def _wrong_window(setting: Setting, node: Node) -> Iterator[Expr]:
    """Truncated one state later, or earlier."""
    for by in (1, -1):
        windows = shifted(setting.nodes, by)
        if isinstance(node.place, Adjoint) and windows is not None:
            yield with_windows(setting.nodes, node.place, windows)


def _is_forward(setting: Setting, node: Node) -> bool:
    return not node.is_gradient and node.place.name in setting.nodes.graph


def _bias_forgotten(setting: Setting, node: Node) -> Iterator[Expr]:
    terms = Add.make_args(node.formula)
    if _is_forward(setting, node) and len(terms) > 1:
        for term in terms:
            if isinstance(term, Place) and _is_parameter(setting, term):
                yield node.formula - term


def _forward_slip(setting: Setting, node: Node) -> Iterator[Expr]:
    if not _is_forward(setting, node):
        return
    applied = _function(setting, node.place)
    if applied is not None:
        yield applied.argument
        yield from (apply(name, (applied.argument,)) for name in USUAL)
    for place in node.uses if len(node.uses) <= MOST_USES else ():
        for other in islice(_others(setting, place), MOST_OTHERS):
            yield node.formula.xreplace({place: other})
    terms = Add.make_args(node.formula)
    for term in terms if 1 < len(terms) <= MOST_TERMS else ():
        if not (isinstance(term, Place) and _is_parameter(setting, term)):
            yield node.formula - term
    factors = Mul.make_args(node.formula)
    for factor in factors if 1 < len(factors) <= MOST_TERMS else ():
        if not isinstance(factor, Number):
            yield node.formula / factor
    squares = {power: power.base for power in node.formula.atoms(Pow) if power.exp == 2}
    if squares:
        yield node.formula.xreplace(squares)


MISTAKES = (
    Mistake("missing_derivative", _missing_derivative),
    Mistake("activation_for_derivative", _activation_for_derivative),
    Mistake("derivative_at_activation", _derivative_at_activation),
    Mistake("not_truncated", _not_truncated),
    Mistake("wrong_window", _wrong_window),
    Mistake("single_path", _single_path),
    Mistake("transposed", _transposed),
    Mistake("wrong_sign", _wrong_sign),
    Mistake("lost_factor", _lost_factor),
    Mistake("wrong_input", _wrong_input),
    Mistake("updated_too_early", _updated_too_early),
    Mistake("bias_forgotten", _bias_forgotten),
    Mistake("forward_slip", _forward_slip),
)

# The mistakes that must not give the right answer of an exercise: those that change a step as a whole. Of all the other
# numbers that could be put in place of one, some would always come close; and of many paths, as through a maximum, some
# always hand back 0 and may be left out.
TELLING = (
    Mistake("missing_derivative", _missing_derivative),
    Mistake("activation_for_derivative", _activation_for_derivative),
    Mistake("derivative_at_activation", _derivative_at_activation),
    Mistake("single_path", _one_path_alone),
    Mistake("wrong_sign", _wrong_sign),
)
WITH_A_SLOPE = ("missing_derivative", "derivative_at_activation")  # of relu it is 1, and its place does not matter
