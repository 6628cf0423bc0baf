"""Bars of a chart in characters."""

from __future__ import annotations

from backprop_cli.documents.blocks import Bar

LONGEST = 30  # characters
EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")


def bar(content: Bar) -> str:
    """The bar in block elements, to an eighth of a character."""
    whole, eighths = divmod(round(8 * LONGEST * content.share), 8)
    return "█" * whole + EIGHTHS[eighths]
