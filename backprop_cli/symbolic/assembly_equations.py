"""Equations that authors write, in form B and in the blocks of form A: each becomes one quantity of the graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from backprop_cli.symbolic.assembly_flat import flattened, is_flattened, with_flat_quantities
from backprop_cli.symbolic.assembly_formulas import Formula
from backprop_cli.symbolic.draft import Draft
from backprop_cli.symbolic.elaboration import elaborate
from backprop_cli.symbolic.graph import Role

_GIVEN = {Role.INPUT: "an input", Role.TARGET: "a target", Role.PARAMETER: "a parameter"}


def add_equations(
    draft: Draft, formulas: Iterable[Formula], layer: int | None, ranges: Mapping[str, int]
) -> str | None:
    """Add one quantity per equation and return the name of the last one, None where there is none."""
    last = None
    for formula in formulas:
        if add_equation(draft, formula, layer, ranges):
            assert formula.left is not None
            last = formula.left.name
    return last


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
