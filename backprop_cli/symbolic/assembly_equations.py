"""Equations that authors write, in form B and in the blocks of form A: each becomes one quantity of the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backprop_cli.symbolic.assembly_flat import flattened, is_flattened, with_flat_quantities
from backprop_cli.symbolic.assembly_formulas import Formula
from backprop_cli.symbolic.assembly_loops import Group, grouped, initial_names, provisional, with_initial
from backprop_cli.symbolic.draft import Draft
from backprop_cli.symbolic.elaboration import elaborate
from backprop_cli.symbolic.graph import Loop, Role

_GIVEN = {Role.INPUT: "an input", Role.TARGET: "a target", Role.PARAMETER: "a parameter"}


def add_equations(
    draft: Draft, formulas: Sequence[Formula], layer: int | None, ranges: Mapping[str, int]
) -> str | None:
    """Add one quantity per equation and return the name of the last one, None where there is none."""
    last = None
    separate, initial = initial_names(draft, formulas)
    for group in grouped(draft, separate):
        if group.is_loop:
            last = _add_loop(draft, group, layer, ranges, initial) or last
        elif add_equation(draft, group.formulas[0], layer, ranges):
            last = group.names[0]
    computed = [name for name in draft.quantities if any(f.left and f.left.name == name for f in formulas)]
    return computed[-1] if computed and last is not None else last


def _add_loop(
    draft: Draft, group: Group, layer: int | None, ranges: Mapping[str, int], initial: Mapping[str, str]
) -> str | None:
    """Add the quantities of a loop over steps; returns the name of the last one, None after a problem."""
    before = len(draft.problems)
    new = [formula.left is not None and _is_new(draft, formula, formula.left.name) for formula in group.formulas]
    if not all(new) or len(draft.problems) > before:
        return None
    known = provisional(draft, group, ranges)
    for formula in group.formulas:
        assert formula.left is not None
        right = with_initial(formula, initial, group.axes)
        found = elaborate(draft, formula.origin, formula.left, right, ranges=ranges)
        if found is None or not known:
            if found is not None:
                message = f"the shape of '{formula.left.name}' is not known; fix its indices with 'ranges'"

                draft.report(formula.origin.problem(message, formula.left))
            for name in group.names:
                draft.quantities.pop(name, None)
                draft.give_up(name, formula.origin)
            return None
        draft.add(found.as_quantity(formula.left.name, Role.INTERMEDIATE, layer), formula.origin)
    written = {formula.left.name: len(formula.left.positions) for formula in group.formulas if formula.left is not None}
    note_loop(draft, {name: (group.axes[name], written[name]) for name in group.names})
    return group.names[-1]


def note_loop(draft: Draft, axes: Mapping[str, tuple[int, int]]) -> None:
    """Remember that these quantities are computed in one loop. ``axes`` are, for each, the axis of the steps among the
    positions written, and how many those are."""
    found = {name: axis + len(draft.quantities[name].shape) - written for name, (axis, written) in axes.items()}
    name, axis = next(iter(found.items()))
    draft.loops.append(Loop(found, draft.quantities[name].shape[axis]))


def add_equation(draft: Draft, formula: Formula, layer: int | None, ranges: Mapping[str, int]) -> bool:
    """Add the quantity that the equation defines. Reports, and returns False, where it has a problem."""
    assert formula.left is not None
    name = formula.left.name
    if not _is_new(draft, formula, name):
        return False
    if is_flattened(formula.right) and not formula.left.positions:
        if not flattened(draft, formula.right, name, Role.INTERMEDIATE, layer, formula.origin):
            draft.give_up(name, formula.origin)
            return False
        return True
    right = with_flat_quantities(draft, formula.right, layer, formula.origin)
    found = elaborate(draft, formula.origin, formula.left, right, ranges=ranges)
    if found is None:
        draft.give_up(name, formula.origin)
        return False
    draft.add(found.as_quantity(name, Role.INTERMEDIATE, layer), formula.origin)
    return True


def _is_new(draft: Draft, formula: Formula, name: str) -> bool:
    if name in draft.reserved:
        what = f"the name of {draft.reserved[name]}"
        draft.give_up(name, formula.origin)
    elif name in draft.origins:
        known = draft.quantities.get(name)
        what = _GIVEN.get(known.role, "defined already") if known is not None else "defined already"
        if first := str(draft.origins[name]):
            what += f" ({first})"
    else:
        return True
    draft.report(formula.origin.problem(f"'{name}' is {what}; choose another name", formula.left))
    return False
