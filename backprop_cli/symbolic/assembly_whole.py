"""Whole numbers in a network: class numbers and tokens, which name a position and so have no gradient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sympy import Add, Expr, Mul, Symbol

from backprop_cli.symbolic.draft import Draft
from backprop_cli.symbolic.graph import Quantity, Role
from backprop_cli.symbolic.notation import Compare, Place, Reduce, Where
from backprop_cli.translation import tr

GIVEN = (Role.INPUT, Role.TARGET, Role.CONSTANT)


def take_as_whole(draft: Draft, quantity: Quantity, allowed: range, message: str, **about: str | int) -> bool:
    """Make a given quantity one of whole numbers in a range, without a gradient. Reports the first value that is not,
    in ``message`` with ``{value}`` and what else it is ``about``, and returns False."""
    draft.quantities[quantity.name] = replace(quantity, role=Role.CONSTANT, whole=allowed)
    values = draft.values.get(quantity.name)
    if values is None:
        return True
    wrong = np.argwhere(~np.isin(values, np.arange(allowed.start, allowed.stop)))
    if not len(wrong):
        return True
    at = tuple(int(place) for place in wrong[0])
    origin = draft.origin(*draft.origins[quantity.name].path, *at)
    draft.report(origin.problem(message.format(value=f"{values[at]:g}", **about)))
    return False


def check_whole(draft: Draft, quantity: Quantity, allowed: range | None, looked_up_in: str) -> str | None:
    """Why a quantity cannot name positions of another, or None. Given ones become tokens; a value outside ``allowed``
    is reported where it stands."""
    if quantity.role in GIVEN:
        if allowed is not None:
            if quantity.whole is not None:
                allowed = range(max(allowed.start, quantity.whole.start), min(allowed.stop, quantity.whole.stop))
            message = tr("{value} is no position of '{array}'; '{name}' has whole numbers from {first} to {last} here")
            span = {"first": allowed.start, "last": allowed.stop - 1}
            take_as_whole(draft, quantity, allowed, message, array=looked_up_in, name=quantity.name, **span)
        elif quantity.whole is None:
            draft.quantities[quantity.name] = replace(quantity, role=Role.CONSTANT)
        return None
    if quantity.definition is not None and _is_whole(draft, quantity.definition):
        return None
    message = tr(
        "'{name}' stands in a position, but it is not made of whole numbers; positions are tokens, argmin, argmax and "
        "indices"
    )
    if quantity.definition is None:
        message = tr(
            "'{name}' stands in a position, but it is a parameter; positions are tokens, argmin, argmax and indices"
        )
    return message.format(name=quantity.name)


def _is_whole(draft: Draft, expression: Expr) -> bool:
    """Whether an expression can only have whole numbers as values."""
    match expression:
        case Place():
            quantity = draft.quantities[expression.name]
            if quantity.definition is None:
                return quantity.whole is not None
            return _is_whole(draft, quantity.definition)
        case Symbol() | Compare():
            return True
        case Reduce():
            return expression.operation.startswith("arg") or _is_whole(draft, expression.body)
        case Where():
            return _is_whole(draft, expression.then) and _is_whole(draft, expression.otherwise)
        case Add() | Mul():
            return all(_is_whole(draft, part) for part in expression.args)
    return bool(expression.is_Integer)
