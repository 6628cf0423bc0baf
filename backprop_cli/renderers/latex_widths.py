r"""How wide LaTeX sets a formula: near enough to break lines by, without running it.

Widths are in letters, 5.5 points at the size of the pages (11pt), so that a page is :data:`PAGE` letters wide.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

PAGE = 87.0  # 17 cm
SCRIPT = 0.75  # the size of what stands below and above
SIGN = 3.0  # Σ, which may be narrower than its limits
FRACTION = 0.5
TEXT = 0.95  # a letter of running text
QUAD = 2.0

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)
_RELATIONS = dict.fromkeys(("=", "<", ">", r"\le", r"\ge", r"\ne", "&"), 2.7)
_LOOSE = dict.fromkeys(("+", "-", r"\odot", r"\times"), 2.5) | {r"\cdot": 1.5} | _RELATIONS
_NARROW = {",": 0.8, r"\,": 0.3, "'": 0.6, r"\quad": QUAD, r"\qquad": 2 * QUAD} | dict.fromkeys("()[]|.", 0.75)
_NOTHING = dict.fromkeys(("\\left", "\\right", "\\Bigl", "\\Bigr", "$"), 0.1)
_SETTING = frozenset((r"\text", r"\mathrm", r"\operatorname", r"\mathbf", r"\hat"))
_WIDE = frozenset("mwMWHDJGAKNQU")


def width(formula: str) -> float:
    """About how many letters wide a formula is set; it need not be whole, but its braces must match."""
    return _sequence(_TOKEN.findall(formula), 0)[0]


def _sequence(tokens: Sequence[str], at: int, is_small: bool = False) -> tuple[float, int]:
    """The width up to the end of the group, the row or the environment, and where that is."""
    total, base = 0.0, ""
    while at < len(tokens) and tokens[at] not in ("}", r"\\", r"\end"):
        token = tokens[at]
        at += 1
        if token in "^_":
            scripts, at = _scripts(tokens, at - 1)
            total += max(scripts - SIGN, 0) if base == r"\sum" else scripts
        elif token == r"\frac":
            above, at = _group(tokens, at, is_small)
            below, at = _group(tokens, at, is_small)
            total += max(above, below) + FRACTION
        elif token == "{" or token in _SETTING:
            inner, at = _group(tokens, at - (token == "{"), is_small)
            total += inner
        elif token == r"\begin":
            inner, at = _cases(tokens, at)
            total += inner
        else:
            total += _letter(token, is_small)
        base = token
    return total, at


def _scripts(tokens: Sequence[str], at: int) -> tuple[float, int]:
    """What stands below and above one letter."""
    widest = 0.0
    while at < len(tokens) and tokens[at] in "^_":
        inner, at = _group(tokens, at + 1, is_small=True)
        widest = max(widest, SCRIPT * inner)
    return widest, at


def _group(tokens: Sequence[str], at: int, is_small: bool) -> tuple[float, int]:
    inner, at = _sequence(tokens, at + 1, is_small)
    return inner, at + 1


def _cases(tokens: Sequence[str], at: int) -> tuple[float, int]:
    _, at = _group(tokens, at, is_small=False)
    widest = 0.0
    while at < len(tokens) and tokens[at] != r"\end":
        row, at = _sequence(tokens, at)
        widest = max(widest, row)
        at += at < len(tokens) and tokens[at] == r"\\"
    _, at = _group(tokens, at + 1, is_small=False)
    return widest + QUAD, at


def _letter(token: str, is_small: bool) -> float:
    if token.isspace():
        return 0.0
    if token in _LOOSE:
        return min(_LOOSE[token], 1.5) if is_small else _LOOSE[token]
    if token in _NARROW or token in _NOTHING:
        return _NARROW.get(token, 0.1)
    if token == r"\sum":
        return SIGN + FRACTION
    if token[0] == "\\" and token[1:].islower() and len(token) > 3 and token[1:] in ("tanh", "sinh", "cosh", "exp"):
        return len(token) - 0.5
    return 1.5 if token in _WIDE else 1.1
