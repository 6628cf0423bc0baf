"""Equations that authors write, in form B and in the blocks of form A: each becomes one quantity of the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backprop_cli.symbolic.assembly_flat import flattened, is_flattened, with_flat_quantities
from backprop_cli.symbolic.assembly_formulas import Formula
from backprop_cli.symbolic.assembly_loops import Group, grouped, initial_names, loop_sizes, provisional, with_initial
from backprop_cli.symbolic.draft import Draft
from backprop_cli.symbolic.elaboration import elaborate
from backprop_cli.symbolic.graph import Loop, Role
from backprop_cli.symbolic.index_ranges import fixed_range
from backprop_cli.symbolic.wording import range_unknown
from backprop_cli.translation import Sentences, marked, tr

_TAKEN = Sentences(
    {
        Role.INPUT: marked("'{name}' is an input{origin}; choose another name"),
        Role.TARGET: marked("'{name}' is a target{origin}; choose another name"),
        Role.PARAMETER: marked("'{name}' is a parameter{origin}; choose another name"),
    }
)


def add_equations(
    draft: Draft, formulas: Sequence[Formula], layer: int | None, ranges: Mapping[str, int]
) -> str | None:
    """Add one quantity per equation and return the name of the last one, None where there is none."""
    last = None
    separate, initial = initial_names(draft, formulas)
    draft.initial |= initial
    groups = grouped(draft, separate, initial)
    for group in groups:
        if group.broken:
            _give_up(draft, group)
        elif group.is_loop:
            last = _add_loop(draft, group, layer, ranges, initial) or last
        elif add_equation(draft, group.formulas[0], layer, ranges, _told(draft, group, groups, initial, ranges)):
            last = group.names[0]
    looped = {name for loop in draft.loops for name in loop.axes}
    for name, start in initial.items():
        if name not in looped and name not in draft.broken and start in draft.quantities:
            origin = draft.origins[start]
            message = tr(
                "'{name}[0]' is a state before the first step, but no equation uses an earlier step, {name}[t-1]"
            )
            draft.report(origin.problem(message.format(name=name)))
    computed = [name for name in draft.quantities if any(f.left and f.left.name == name for f in formulas)]
    return computed[-1] if computed and last is not None else last


def _told(
    draft: Draft, group: Group, groups: Sequence[Group], initial: Mapping[str, str], ranges: Mapping[str, int]
) -> Mapping[str, int]:
    """The ranges of an initial state's indices that its state tells: ``h[0,i] = 1`` has as many entries as h."""
    start = group.formulas[0]
    state = next((name for name, own in initial.items() if [own] == group.names), None)
    for loop in groups:
        if state in loop.axes:
            formula = loop.formulas[loop.names.index(state)]
            return loop_sizes(draft, loop, ranges).of_initial(start, formula, loop.axes[state])
    return {}


def _add_loop(
    draft: Draft, group: Group, layer: int | None, ranges: Mapping[str, int], initial: Mapping[str, str]
) -> str | None:
    """Add the quantities of a loop over steps; returns the name of the last one, None after a problem."""
    before = len(draft.problems)
    new = [formula.left is not None and _is_new(draft, formula, formula.left.name) for formula in group.formulas]
    if not all(new) or len(draft.problems) > before:
        return None
    sizes = loop_sizes(draft, group, ranges)
    unknown = provisional(draft, group, sizes)
    if unknown:
        _give_up(draft, group)
    for formula in group.formulas:
        assert formula.left is not None
        right = with_initial(formula, initial, group.axes)
        found = elaborate(draft, formula.origin, formula.left, right, ranges=ranges, told=sizes.of(formula))
        if unknown:
            continue
        if found is None:
            _give_up(draft, group)
            return None
        draft.add(found.as_quantity(formula.left.name, Role.INTERMEDIATE, layer), formula.origin)
    if unknown:
        if len(draft.problems) == before:  # otherwise that may be why
            index, formula = unknown[0], group.formulas[0]
            reason = tr("no shape tells it; fix it with '{ranges}'").format(ranges=fixed_range(index))
            draft.report(formula.origin.problem(range_unknown(index, reason), formula.left))
        return None
    written = {formula.left.name: len(formula.left.positions) for formula in group.formulas if formula.left is not None}
    note_loop(draft, {name: (group.axes[name], written[name]) for name in group.names}, initial)
    return group.names[-1]


def _give_up(draft: Draft, group: Group) -> None:
    for formula in group.formulas:
        assert formula.left is not None
        draft.quantities.pop(formula.left.name, None)
        draft.give_up(formula.left.name, formula.origin)


def note_loop(draft: Draft, axes: Mapping[str, tuple[int, int]], initial: Mapping[str, str]) -> None:
    """Remember that these quantities are computed in one loop. ``axes`` are, for each, the axis of the steps among the
    positions written, and how many those are; ``initial`` the names of states before the first step."""
    found = {name: axis + len(draft.quantities[name].shape) - written for name, (axis, written) in axes.items()}
    name, axis = next(iter(found.items()))
    draft.loops.append(Loop(found, draft.quantities[name].shape[axis], {n: i for n, i in initial.items() if n in axes}))


def add_equation(
    draft: Draft, formula: Formula, layer: int | None, ranges: Mapping[str, int], told: Mapping[str, int]
) -> bool:
    """Add the quantity that the equation defines. Reports, and returns False, where it has a problem. ``told`` are
    ranges of indices that other equations tell."""
    assert formula.left is not None
    name = formula.left.name
    if not _is_new(draft, formula, name):
        return False
    if is_flattened(formula.right):
        if formula.left.positions:
            message = tr("flatten gives all positions at once; write {name} = flatten(...), without an index")
            draft.report(formula.origin.problem(message.format(name=name), formula.left))
            draft.give_up(name, formula.origin)
            return False
        if not flattened(draft, formula.right, name, Role.INTERMEDIATE, layer, formula.origin):
            draft.give_up(name, formula.origin)
            return False
        return True
    right = with_flat_quantities(draft, formula.right, layer, formula.origin)
    found = elaborate(draft, formula.origin, formula.left, right, ranges=ranges, told=told)
    if found is None:
        draft.give_up(name, formula.origin)
        return False
    draft.add(found.as_quantity(name, Role.INTERMEDIATE, layer), formula.origin)
    return True


def _is_new(draft: Draft, formula: Formula, name: str) -> bool:
    if name in draft.reserved:
        message = tr("'{name}' is the name of {what}; choose another name")
        message = message.format(name=name, what=draft.reserved[name])
        draft.give_up(name, formula.origin)
    elif name in draft.origins:
        known, first = draft.quantities.get(name), str(draft.origins[name])
        message = tr("'{name}' is defined already{origin}; choose another name")
        if known is not None and known.role in _TAKEN:
            message = _TAKEN[known.role]
        message = message.format(name=name, origin=f" ({first})" if first else "")
    else:
        return True
    draft.report(formula.origin.problem(message, formula.left))
    return False
