"""What a plain scalar means: the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema).

So ``1e-2`` and ``.5`` are numbers, ``on``, ``yes`` and ``1_000`` are text, ``0x10`` is 16 and ``~`` is nothing.
"""

from __future__ import annotations

import re
from math import inf, nan
from typing import TypeAlias

Plain: TypeAlias = str | int | float | bool | None

INTEGER = re.compile(r"[-+]?[0-9]+")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_LONGEST_INTEGER = 400  # digits: any more is beyond float64, and Python refuses thousands
_WORDS: dict[str, Plain] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), nan),
    **{sign + word: -inf if sign == "-" else inf for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")},
}


def resolve(text: str) -> Plain:
    """The value of a plain scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if INTEGER.fullmatch(text):
        return int(text) if len(text) <= _LONGEST_INTEGER else float(text)
    if FLOAT.fullmatch(text):
        return float(text)
    if _OTHER_BASE.fullmatch(text) and len(text) <= _LONGEST_INTEGER:
        return int(text, 0)
    return text
