"""Numbers as students write them: a point or a comma before the decimals, fractions, powers of ten, any minus sign.

Blanks stand beside signs, between a whole number and a fraction, and before groups of three digits. What can be read in
more than one way is none; nor is a percentage, as nothing asks for one.
"""

from __future__ import annotations

import re
import unicodedata
from math import isfinite

import numpy as np

LONGEST = 60  # characters of a number
SMALLEST, LARGEST = 1e-13, 1e9  # written in decimals
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?"
_FRACTION = re.compile(rf"({_NUMBER})(?:/({_NUMBER}))?")
_TEN = r"10(?:\^|\*\*)\(?([+-]?\d{1,3})\)?"
_TIMES_TEN = re.compile(rf"([+-]?[\d.]*[\d.])(?:[*·⋅×x]|\s+){_TEN}")
_TEN_ALONE = re.compile(rf"([+-]?){_TEN}")
_BESIDE = re.compile(r"\s*(\^|\*\*|[*·⋅×x(])\s*")
_SUPERSCRIPT = re.compile(r"(?<=10)[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+$")
_MIXED = re.compile(r"([+-]?\d+)\s+(\d+)/(\d+)")
_ONE_SIGN = re.compile(r"(?P<sign>[+-]?)(?P<whole>\d*)\s*(?P<part>[^\d\s])")  # a fraction in one sign: ½
_GROUPED = re.compile(r"(?<=\d)\s(?=\d{3}(?!\d))")
_APART = re.compile(r"[\d.]\s+[\d.]")
_DECIMALS = re.compile(r"[+-]?(?P<whole>\d*)(?:\.(?P<part>\d*))?(?:e(?P<power>[+-]?\d+))?")
_SIGNS = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", ",": ".", "\N{FRACTION SLASH}": "/", "∕": "/"})
_BEFORE, _AFTER = "=≈~≃≅ \t", " \t"
_NOTHING = re.compile(r"[-\N{MINUS SIGN}–—?_.…\s]*")
_NO_ANSWER = ("n/a", "none")


def is_blank(text: str) -> bool:
    """Whether an answer says that there is none: nothing, ``-``, ``?``, ``n/a`` and the like."""
    plain = text.strip().casefold()
    return _NOTHING.fullmatch(plain) is not None or plain in _NO_ANSWER


def number_of(text: str) -> float | None:
    """The number that an answer is; None for anything else, infinity included. ``5 1/2`` and ``5½`` are 5.5."""
    written = _tidied(text)
    mixed = _MIXED.fullmatch(re.sub(r"\s*/\s*", "/", written))
    if mixed is not None and int(mixed[3]):
        part = int(mixed[2]) / int(mixed[3])
        return float(mixed[1]) + (-part if mixed[1].startswith("-") else part)
    if (one_sign := _ONE_SIGN.fullmatch(written)) is not None and (share := _share(one_sign["part"])) is not None:
        value = float(one_sign["whole"] or 0) + share
        return -value if one_sign["sign"] == "-" else value
    plain = _plain(written)
    found = None if plain is None else _FRACTION.fullmatch(plain)
    if found is None:
        return None
    numerator, denominator = float(found[1]), float(found[2] or 1)
    value = numerator / denominator if denominator else float("nan")
    return value if isfinite(value) else None


def decimals_of(text: str) -> int | None:
    """How many digits after the point a number is written with, those of ``3.8e-1`` being two; None for a fraction."""
    plain = _plain(_tidied(text))
    found = None if plain is None else _DECIMALS.fullmatch(plain)
    return None if found is None else max(len(found["part"] or "") - int(found["power"] or 0), 0)


def _tidied(text: str) -> str:
    """The number without what stands around it: a sign that it is about equal, brackets, the full stop of a sentence.
    Nothing of what is too long for a number."""
    if len(text) > LONGEST:
        return ""
    written = text.translate(_SIGNS).strip().lstrip(_BEFORE)
    if (inside := re.fullmatch(r"\(([^()]*)\)\.?", written)) is not None:
        written = inside[1].strip()
    written = re.sub(r"(?<=\d)\.$", "", written).rstrip(_AFTER)
    return re.sub(r"([+-])\s+", r"\1", written)


def _plain(written: str) -> str | None:
    """The number with a power of ten as ``e-1`` and without blanks; None where a blank separates two numbers."""
    raised = _SUPERSCRIPT.sub(lambda found: f"^{unicodedata.normalize('NFKC', found[0])}", written.lower())
    tight = _BESIDE.sub(r"\1", raised.translate(_SIGNS))
    if (times_ten := _TIMES_TEN.fullmatch(_GROUPED.sub("", tight))) is not None:
        return f"{times_ten[1]}e{times_ten[2]}"
    if (ten_alone := _TEN_ALONE.fullmatch(tight)) is not None:
        return f"{ten_alone[1]}1e{ten_alone[2]}"
    single = _GROUPED.sub("", tight)
    return None if _APART.search(single) else re.sub(r"\s", "", single)


def _share(sign: str) -> float | None:
    """The number of a fraction that is one sign, such as ½."""
    return unicodedata.numeric(sign) if unicodedata.decomposition(sign).startswith("<fraction>") else None


def decimal_of(number: float) -> str:
    """A tolerance as it is written: in decimals, and with a power of ten where they would be many."""
    return np.format_float_positional(number, trim="-") if SMALLEST <= number < LARGEST else f"{number:g}"
