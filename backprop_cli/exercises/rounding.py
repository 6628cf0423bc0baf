"""Numbers that are what they should be, but rounded to fewer digits than were asked for."""

from __future__ import annotations

from math import floor, log10

from backprop_cli.exercises.tolerances import SLACK
from backprop_cli.exercises.written_numbers import decimals_of

ROUNDED = "rounded_too_early"
TELLING = 2  # significant digits; fewer may be a coincidence


def rounded_to(text: str, answer: float, expected: float, width: float) -> int | None:
    """To how many digits after the point the answer is the expected number rounded, which itself may be off by
    ``width``; None where it is not, or where nothing is left of it."""
    digits = decimals_of(text)
    if digits is None or answer == 0:
        return None
    half = 0.5 * 10.0**-digits
    return digits if abs(answer - expected) <= half * (1 + SLACK) + width else None


def is_telling(answer: float, digits: int) -> bool:
    """Whether so many digits are left of a number, other than 0, that it is hardly another one by chance."""
    return floor(log10(abs(answer))) + 1 + digits >= TELLING
