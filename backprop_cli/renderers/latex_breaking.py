r"""Long formulas of LaTeX in lines: cut before operators, as :mod:`backprop_cli.renderers.breaking` does.

Round brackets may span lines, so ``\left(`` becomes ``\Bigl(`` where a formula is cut; nothing is cut inside braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST = 64  # letters of a formula on one line of a page
SHORT = 3

_GROUP = r"[^{}]*(?:\{[^{}]*\}[^{}]*)*"
_DERIVATIVE = re.compile(rf"\\frac\{{\\partial {_GROUP}\}}\{{\\partial ({_GROUP})\}}")
_BELOW_AND_ABOVE = re.compile(r"_\{([^{}]*)\}\^\{([^{}]*)\}")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_SPACING = re.compile(r"[{}^_ ]")
_SIGNS = re.compile(r" (?:\+|-|\\cdot|\\odot) |\\[{}]|\\left[|\[]|\\right[|\]]|\\begin(?=\{)|\\end(?=\{)|[{}()]")
_TIGHT = frozenset((r" \cdot ", r" \odot "))
_OPENING = frozenset(("{", r"\left|", r"\left[", r"\begin"))


def broken(formula: str) -> list[str]:
    """The formula in pieces that are about as wide as a page, each further one beginning with its operator."""
    if letters(formula) <= LONGEST:
        return [formula]
    rest = formula.replace(r"\left(", r"\Bigl(").replace(r"\right)", r"\Bigr)")
    pieces: list[str] = []
    while letters(rest) > LONGEST:
        at = _best_cut(rest)
        if at is None:
            break
        pieces.append(rest[:at].strip())
        rest = rest[at:].strip()
    return [*pieces, rest]


def letters(formula: str) -> int:
    """About how many letters wide a formula is set."""
    plain = _DERIVATIVE.sub(r"d\1", formula)
    plain = _BELOW_AND_ABOVE.sub(lambda match: max(match.groups(), key=len), plain)
    return len(_SPACING.sub("", _COMMAND.sub("m", plain)))


def _best_cut(formula: str) -> int | None:
    best: tuple[float, int] | None = None
    for at, depth, is_tight in _operators(formula):
        width = letters(formula[:at])
        if width > LONGEST and best is not None:
            break
        cost = 2 * depth + is_tight + SHORT * (1 - width / LONGEST) ** 2
        best = min(best, (cost, at)) if best is not None else (cost, at)
    return best[1] if best is not None else None


def _operators(formula: str) -> Iterator[tuple[int, int, bool]]:
    """Where an operator stands outside all braces, in how many brackets, and whether it binds tightly."""
    braces = brackets = 0
    for match in _SIGNS.finditer(formula):
        sign = match[0]
        if sign in "()":
            brackets += 1 if sign == "(" else -1
        elif not sign.startswith(" "):
            braces += 1 if sign in _OPENING else -1
        elif braces == 0 and match.start():
            yield match.start(), brackets, sign in _TIGHT
