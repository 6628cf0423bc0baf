"""What users wrote, on one line and with nothing invisible in it, for formats that set their own lines."""

from __future__ import annotations


def one_line(text: str) -> str:
    """The text with single blanks for line breaks and tabs, and other control characters shown instead of obeyed."""
    if text.isprintable():
        return text
    return "".join(" " if c in "\t\n\r" else c if c.isprintable() else repr(c)[1:-1] for c in text)
