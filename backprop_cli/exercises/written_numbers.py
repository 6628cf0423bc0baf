"""Numbers as students write them: a point or a comma before the decimals, fractions, powers of ten, any minus sign.

Blanks stand beside signs, between a whole number and a fraction, and before groups of three digits.
"""

from __future__ import annotations

import re
from math import isfinite

import numpy as np

LONGEST = 60  # characters of a number
SMALLEST, LARGEST = 1e-13, 1e9  # written in decimals
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?"
_FRACTION = re.compile(rf"({_NUMBER})(?:/({_NUMBER}))?")
_POWER_OF_TEN = re.compile(r"[*·⋅×x]10(?:\^|\*\*)\(?([+-]?\d{1,3})\)?$")
_MIXED = re.compile(r"([+-]?\d+)\s+(\d+)/(\d+)")
_GROUPED = re.compile(r"(?<=\d)\s(?=\d{3}(?!\d))")
_APART = re.compile(r"[\d.]\s+[\d.]")
_SIGNS = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", ",": "."})


def number_of(text: str) -> float | None:
    """The number that an answer is; None for anything else, infinity included. ``5 1/2`` is 5.5."""
    if len(text) > LONGEST:
        return None
    written = re.sub(r"([+-])\s+", r"\1", text.translate(_SIGNS).strip())
    mixed = _MIXED.fullmatch(re.sub(r"\s*/\s*", "/", written))
    if mixed is not None and int(mixed[3]):
        part = int(mixed[2]) / int(mixed[3])
        return float(mixed[1]) + (-part if mixed[1].startswith("-") else part)
    written = _GROUPED.sub("", written)
    if _APART.search(written):
        return None
    plain = re.sub(r"\s", "", written).lower()
    plain = _POWER_OF_TEN.sub(r"e\1", plain)
    found = _FRACTION.fullmatch(plain)
    if found is None:
        return None
    numerator, denominator = float(found[1]), float(found[2] or 1)
    value = numerator / denominator if denominator else float("nan")
    return value if isfinite(value) else None


def decimal_of(number: float) -> str:
    """A tolerance as it is written: in decimals, and with a power of ten where they would be many."""
    return np.format_float_positional(number, trim="-") if SMALLEST <= number < LARGEST else f"{number:g}"
