"""What users wrote, with nothing invisible in it, for terminals and for formats that set their own lines."""

from __future__ import annotations

BLANKS = " \N{NO-BREAK SPACE}"  # the second is what French has before its colons


def one_line(text: str) -> str:
    """The text with single blanks for line breaks and tabs, and other control characters shown instead of obeyed."""
    if text.isprintable():
        return text
    return "".join(" " if c in "\t\n\r" else shown(c) for c in text)


def visible(text: str) -> str:
    """The text, its line breaks too, with other control characters shown instead of obeyed."""
    if text.isprintable():
        return text
    return "".join(c if c == "\n" else shown(c) for c in text)


def shown(character: str) -> str:
    """The character, or how Python spells it where it cannot be seen."""
    return character if character.isprintable() or character in BLANKS else repr(character)[1:-1]
