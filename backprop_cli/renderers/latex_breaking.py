r"""Long formulas of LaTeX in lines, broken as :mod:`backprop_cli.renderers.breaking` breaks those of a terminal.

Brackets may span lines, so ``\left(`` becomes ``\Bigl(`` where a formula is broken; nothing is broken inside braces,
nor in a bracket that compares mere indices.
"""

from __future__ import annotations

import re

from backprop_cli.renderers import breaking
from backprop_cli.renderers.formula_unicode import Piece
from backprop_cli.renderers.latex_widths import width

_SIGNS = re.compile(
    r" (?:\+|-|\\cdot|\\odot|\\,|=|<|>|\\le|\\ge|\\ne) |\\[{}]|\\left\||\\right\||\\begin(?=\{)|\\end(?=\{)|[{}\[\]]"
)
_ROLES = {" + ": "break", " - ": "break", r" \cdot ": "join", r" \odot ": "join", r" \, ": "join"}
_OPENING = frozenset(("{", r"\left|", r"\begin"))
_GROWING = {r"\left(": r"\Bigl(", r"\right)": r"\Bigr)", r"\left[": r"\Bigl[", r"\right]": r"\Bigr]"}


def broken(formula: str, first: float, rest: float) -> list[tuple[int, str]]:
    """The formula in lines of at most ``first`` and then ``rest`` letters, each with how far it stands to the right.

    Each further line begins with its operator. What has no operator to be broken at stays longer.
    """
    if width(formula) <= first:
        return [(0, formula)]
    for growing, fixed in _GROWING.items():
        formula = formula.replace(growing, fixed)
    lines = breaking.broken(_pieces(formula), first, rest, width)
    return [(right, "".join(piece.text for piece in line).strip()) for right, line in lines]


def _pieces(formula: str) -> list[Piece]:
    """The formula cut at the operators that stand outside all braces."""
    pieces: list[Piece] = []
    braces = start = 0
    bracket: int | None = None  # where the innermost comparison begins
    for match in _SIGNS.finditer(formula):
        sign = match[0]
        if not sign.startswith(" "):
            if sign in "[]" and braces == 0:
                bracket = match.end() if sign == "[" else None
            elif sign not in "[]":
                braces += 1 if sign in _OPENING else -1
            continue
        role = _ROLES.get(sign, "compare")
        if bracket is not None and (role != "compare" or not _compares_values(formula[bracket:])):
            continue
        if braces == 0 and match.start():
            pieces += [Piece(formula[start : match.start()]), Piece(sign, role)]
            start = match.end()
    return [*pieces, Piece(formula[start:])]


def _compares_values(text: str) -> bool:
    """Whether a bracket, from its beginning, holds a quantity: something with a position below it."""
    depth = 1
    for at, character in enumerate(text):
        depth += (character == "[") - (character == "]")
        if depth == 0:
            return "_" in text[:at]
    return False
