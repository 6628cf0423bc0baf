"""Numbers as students write them: a point or a comma before the decimals, fractions, powers of ten, any minus sign."""

from __future__ import annotations

import re
from math import isfinite

LONGEST = 60  # characters of a number
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?"
_FRACTION = re.compile(rf"({_NUMBER})(?:/({_NUMBER}))?")
_POWER_OF_TEN = re.compile(r"[*·⋅×x]10(?:\^|\*\*)\(?([+-]?\d{1,3})\)?$")
_SIGNS = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", ",": "."})


def number_of(text: str) -> float | None:
    """The number that an answer is; None for anything else, infinity included. A thousands separator is not read."""
    if len(text) > LONGEST:
        return None
    plain = re.sub(r"\s", "", text.translate(_SIGNS)).lower()
    plain = _POWER_OF_TEN.sub(r"e\1", plain)
    found = _FRACTION.fullmatch(plain)
    if found is None:
        return None
    numerator, denominator = float(found[1]), float(found[2] or 1)
    value = numerator / denominator if denominator else float("nan")
    return value if isfinite(value) else None
