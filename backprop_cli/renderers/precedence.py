"""How tightly the parts of a printed formula hold together: what decides about parentheses in every format."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Level(IntEnum):
    """The loosest operator that a printed formula shows outside all brackets."""

    EQUALITY = 0
    CHOICE = 1  # a cases environment
    SUM = 2
    NEGATIVE = 3
    PRODUCT = 4
    QUOTIENT = 5
    POWER = 6
    ATOM = 7


@dataclass(frozen=True)
class Printed(Generic[T]):
    """A printed formula.

    ``reaches`` says that it ends in a Σ whose scope goes on to the right, so that no further factor may follow it
    unbracketed. ``bare`` is a comparison without its brackets, ``sides`` what it compares; ``unsigned`` is what stands
    behind a minus sign: a sign moves out of products and fractions, ``-(a/b)`` and ``(-a)/b`` are both written
    ``-a/b``.
    """

    body: T
    level: Level = Level.ATOM
    reaches: bool = False
    bare: T | None = None
    unsigned: Printed[T] | None = None
    sides: tuple[T, T] | None = None
