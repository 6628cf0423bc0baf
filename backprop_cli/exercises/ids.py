"""The ids of numbers in an exercise, as sheets, keys and files of answers write them: ``W1[1,2]``, ``dJ/dW1[1,2]``."""

from __future__ import annotations

import re
from typing import NamedTuple

from backprop_cli.symbolic.notation import Adjoint, Place, by_step, is_by_step, without_step


def name_of(place: Place) -> str:
    """The id of a place: ``W1[1,2]``, ``dJ/dW1[1,2]``, and ``dJ[3]/dh[1,2]`` for a gradient of the cost of step 3."""
    if isinstance(place, Adjoint) and is_by_step(place.name):
        return f"dJ[{place.positions[0]}]/d{name_of(without_step(place))}"
    positions = f"[{','.join(map(str, place.positions))}]" if place.positions else ""
    return f"{'dJ/d' * isinstance(place, Adjoint)}{place.name}{positions}"


class Named(NamedTuple):
    """What an id names: a quantity or the copy of one, the positions that are said (None: none), and whether it is a
    gradient. Of a copy the first position is the step of the cost, which an id always says."""

    name: str
    positions: tuple[int, ...] | None
    is_gradient: bool


_ID = re.compile(r"(?P<gradient>dJ(\[(?P<step>[^\[\]]*)\])?/d)?(?P<name>[^\[\]]+)(\[(?P<positions>[^\[\]]*)\])?")


def read_name(text: str) -> Named:
    """An id as :func:`name_of` writes it, with or without positions. Raises ValueError for any other text."""
    found = _ID.fullmatch(text.strip())
    if found is None or is_by_step(found["name"].strip()):
        raise ValueError(text)
    inside = found["positions"]
    positions = None if inside is None else tuple(int(part) for part in inside.split(","))
    name, is_gradient = found["name"].strip(), found["gradient"] is not None
    if found["step"] is None:
        return Named(name, positions, is_gradient)
    return Named(by_step(name), (int(found["step"]), *(positions or ())), is_gradient)
