"""The characters of Unicode mathematics: what can be written small below and above the line, and what cannot."""

from __future__ import annotations

SUBSCRIPTS = dict(zip("0123456789aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True))
SUPERSCRIPTS = dict(zip("0123456789()-.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾⁻·", strict=True))
FROM_SUBSCRIPT = {small: plain for plain, small in SUBSCRIPTS.items()}
FROM_SUPERSCRIPT = {small: plain for plain, small in SUPERSCRIPTS.items()}

MINUS = "−"
TIMES = " · "
HADAMARD = " ⊙ "
COMPARISONS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "==": "=", "!=": "≠"}


STROKE = "\N{COMBINING LONG STROKE OVERLAY}"


def struck_through(text: str) -> str:
    """The text with a line through it, in characters: it stays where there is neither colour nor style."""
    return "".join(character if character.isspace() else character + STROKE for character in text)


def subscript(text: str) -> str | None:
    """The text below the line, or None where a character has no small form."""
    return "".join(SUBSCRIPTS[character] for character in text) if all(c in SUBSCRIPTS for c in text) else None


def superscript(text: str) -> str:
    """Digits, brackets, a minus sign or a dot above the line. Any other character is a KeyError."""
    return "".join(SUPERSCRIPTS[character] for character in text)
