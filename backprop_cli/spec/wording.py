"""How messages name values: short, in the words of YAML, with what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any


def describe(value: Any) -> str:
    """A value as a message names it: ``text 'abc'``, ``a list``, ``true``, ``1.5``."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return shortened(repr(value))
        case str():
            return f"text {shortened(repr(value))}"
        case list() | tuple():
            return "a list"
        case dict():
            return "a mapping"
    return type(value).__name__


def shortened(text: str, width: int = 60) -> str:
    """At most ``width`` characters of a text, for messages."""
    return text if len(text) <= width else text[: width - 1] + "…"


def listed(names: Iterable[str]) -> str:
    """``a, b or c``."""
    *rest, last = names
    return f"{', '.join(rest)} or {last}" if rest else last


def count(number: int, noun: str) -> str:
    """``1 number``, ``2 numbers``."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") else f"{number:,} {noun}s"


def number_hint(text: str) -> str:
    """What the author of a text meant, where a number is expected: ``1,5`` is 1.5 and ``'1'`` needs no quotes."""
    plain = text.strip()
    if re.fullmatch(r"[-+]?[0-9]+,[0-9]+", plain):
        return f"; write {plain.replace(',', '.')}"
    if re.fullmatch(r"[-+]?[0-9]+(_[0-9]+)+(\.[0-9]*)?", plain):
        return f"; write {plain.replace('_', '')}"
    if re.fullmatch(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?", plain):
        return f"; write {plain} without quotes"
    return ""
