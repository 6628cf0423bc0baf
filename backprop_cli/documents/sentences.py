"""Sentences with formulas in them: a template whose fields are text or formulas, and enumerations of formulas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from string import Formatter
from typing import TypeAlias

from backprop_cli.documents.blocks import Inline
from backprop_cli.translation import Language, between, language

Filling: TypeAlias = Inline | int | Sequence[Inline]


def filled(template: str, /, **fields: Filling) -> tuple[Inline, ...]:
    """The sentence with text and formulas in place of its fields."""
    parts: list[Inline] = []
    for text, name, _, _ in Formatter().parse(template):
        for part in (text, *(_inline(fields[name]) if name else ())):
            if isinstance(part, str) and parts and isinstance(parts[-1], str):
                parts[-1] += part
            elif part != "":
                parts.append(part)
    return tuple(parts)


def _inline(filling: Filling) -> Sequence[Inline]:
    if isinstance(filling, int):
        return (str(filling),)
    return filling if isinstance(filling, Sequence) and not isinstance(filling, str) else (filling,)


def gap() -> str:
    """What stands between two sentences."""
    return "" if language() is Language.CHINESE else " "


def listed(items: Iterable[Inline], last: str | None = None) -> tuple[Inline, ...]:
    """``a, b and c``; ``last`` stands before the last one in place of the word."""
    parts: list[Inline] = []
    parts.extend(between(list(items), last))
    return tuple(parts)
