"""What is given: inputs, targets, parameters, the output's gradient; and the numbers of parameters that have none."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray
from sympy import Symbol

from backprop_cli.spec.initial import draw
from backprop_cli.spec.schema import Initial
from backprop_cli.spec.values import Values, written
from backprop_cli.symbolic.draft import Draft, Origin, ToDraw, free_indices
from backprop_cli.symbolic.graph import Quantity, Role
from backprop_cli.symbolic.notation import index
from backprop_cli.translation import tr


def add_given(draft: Draft, name: str, values: Values, role: Role, is_batch: bool, origin: Origin) -> Quantity:
    """Add an input, a target or a constant with its values."""
    symbols = _indices(draft, len(values.shape) - is_batch)
    if is_batch and draft.sample is not None:
        symbols = (draft.sample, *symbols)
    draft.values[name] = values.array
    return draft.add(Quantity(name, symbols, values.shape, role, depends_on_sample=is_batch), origin)


def add_seed(draft: Draft, values: Values, output: Quantity) -> dict[str, str]:
    """Add the given derivative of the cost with respect to the output; returns which quantity it seeds,
    none where the shapes differ, which is reported."""
    origin = draft.origin("grad_output")
    if values.shape != output.shape:
        message = tr("grad_output is {found}, but '{output}' is {wanted}")
        if output.depends_on_sample:
            message = tr("grad_output is {found}, but '{output}' is {wanted}, one per sample")
        shapes = {"found": written(values.shape), "wanted": written(output.shape)}
        draft.report(origin.problem(message.format(output=output.name, **shapes)))
        return {}
    name = draft.free_name(("grad_output",))
    add_given(draft, name, values, Role.CONSTANT, output.depends_on_sample, origin)
    return {output.name: name}


def add_parameter(
    draft: Draft,
    name: str,
    part: str,
    shape: tuple[int, ...],
    given: Values | None,
    origin: Origin,
    *,
    layer: int | None = None,
    fans: tuple[int, int] | None = None,
    mask: NDArray[np.float64] | None = None,
    start: float | None = None,
) -> Quantity:
    """Add a parameter with the values ``given``, or to be drawn.

    ``part`` is what the parameter is to its layer (W, b). ``fans`` are the numbers of inputs and of units that decide
    how it is drawn; masked entries start at 0. With ``start`` all entries are that number.
    """
    quantity = draft.add(Quantity(name, _indices(draft, len(shape)), shape, Role.PARAMETER, layer=layer), origin)
    draft.parts[name] = part
    draft.values[name] = None if given is None else given.array
    if draft.values[name] is None:
        draft.to_draw[name] = ToDraw(part, shape, fans or _fans(shape), mask, start)
    return quantity


def draw_missing(draft: Draft, initial: Initial) -> None:
    """Draw the parameters that have no values; what is not connected starts at 0."""
    for name, wanted in draft.to_draw.items():
        if wanted.start is not None:
            draft.values[name] = np.full(wanted.shape, wanted.start)
            continue
        numbers = draw(
            name,
            wanted.shape,
            wanted.fans,
            seed=initial.seed,
            scheme=initial.scheme,
            decimals=initial.decimals,
            is_bias=wanted.part == "b" or (not wanted.part and len(wanted.shape) < 2 and name[0] in "bB"),
        )
        draft.values[name] = numbers if wanted.mask is None else numbers * wanted.mask + 0.0  # no -0.0


def _indices(draft: Draft, count: int) -> tuple[Symbol, ...]:
    taken = () if draft.sample is None else (draft.sample.name,)
    return tuple(index(name) for name in free_indices(count, taken))


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many inputs and units a parameter of equations has, by the convention units x inputs."""
    if len(shape) < 2:
        return shape[0] if shape else 1, 1
    return prod(shape[1:]), shape[0]
