"""Numbers as people read them: few digits, but never a digit that misleads.

A number that is not 0 is never shown as 0: where the digits after the point are too few for the small ones among
numbers, there are up to two more, and what is still too small, or too large to read, is written with a power of ten.
Zero is ``0``, minus zero too, so that an exact 0 is told from a small number.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite, log10

LARGEST_FIXED = 1e6
MOST_EXTRA = 2  # digits after the point, where small numbers need them
ENOUGH = ((2, 3), (2, 1))  # digits that count: of the smallest and of the largest number, as wished and at least


def number(value: float, digits: int) -> str:
    """One number with ``digits`` after the point, or as ``1.234e-5``."""
    if not isfinite(value):
        return str(float(value))
    if value == 0:
        return "0"
    fixed = f"{value:.{digits}f}"
    if _is_readable(value, digits) or (float(fixed) == value and abs(value) < LARGEST_FIXED):
        return fixed
    mantissa, _, power = f"{value:.{max(digits - 1, 1)}e}".partition("e")
    return f"{mantissa}e{int(power)}"


def numbers(values: Sequence[float], digits: int) -> list[str]:
    """Numbers that belong together, with fewer digits where fewer say all of them exactly: ``1 2 3``, ``0.15 0.20``."""
    for fewer in range(digits):
        if all(abs(value) < LARGEST_FIXED and float(f"{value:.{fewer}f}") == value for value in values):
            return ["0" if value == 0 else f"{value:.{fewer}f}" for value in values]
    sizes = [abs(value) for value in values if isfinite(value) and value != 0]
    more = _enough(min(sizes), max(sizes), digits) if sizes else digits
    return [number(value, more) for value in values]


def _enough(smallest: float, largest: float, digits: int) -> int:
    """The digits after the point with which even the smallest number shows something."""
    for least, best in ENOUGH if digits > 2 else ():
        for more in range(digits, digits + MOST_EXTRA + 1):
            if _counting(smallest, more) >= least and _counting(largest, more) >= best:
                return more
    return digits


def _counting(value: float, digits: int) -> int:
    """How many digits that count a number shows with so many after the point."""
    return digits + floor(log10(value)) + 1


def aligned(texts: Sequence[str]) -> list[str]:
    """The texts of numbers padded to one width, their points in one column."""
    halves = [_halves(text) for text in texts]
    left = max((len(before) for before, _ in halves), default=0)
    right = max((len(after) for _, after in halves), default=0)
    return [before.rjust(left) + after.ljust(right) for before, after in halves]


def before_point(cell: str) -> int:
    """Where the last digit before the point of an aligned number stands, counted from 1."""
    return len(cell.rstrip().partition(".")[0].partition("e")[0])


def _is_readable(value: float, digits: int) -> bool:
    """Whether two digits that count are shown, or one where there is no room for more."""
    least = 10.0 ** -(digits - 1 if digits > 2 else digits)
    return least <= abs(value) < LARGEST_FIXED


def _halves(text: str) -> tuple[str, str]:
    before, point, after = text.partition(".")
    if point:
        return before, point + after
    before, exponent, after = text.partition("e")
    return before, exponent + after
