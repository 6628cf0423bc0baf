"""How messages name values: short, in the words of YAML, with what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from backprop_cli.translation import grouped, tr, tr_n


def describe(value: Any) -> str:
    """A value as a message names it: ``text 'abc'``, ``a list``, ``true``, ``1.5``."""
    match value:
        case None:
            return tr("nothing")
        case bool():
            return "true" if value else "false"
        case int() | float():
            return shortened(repr(value))
        case str():
            return tr("text {text}").format(text=shortened(repr(value)))
        case list() | tuple():
            return tr("a list")
        case dict():
            return tr("a mapping")
    return type(value).__name__


def shortened(text: str, width: int = 60) -> str:
    """At most ``width`` characters of a text, for messages."""
    return text if len(text) <= width else text[: width - 1] + "…"


def listed(names: Iterable[str]) -> str:
    """``a, b or c``."""
    *rest, last = names
    return tr("{several} or {last}").format(several=tr(", ").join(rest), last=last) if rest else last


_COUNTED: Mapping[str, Callable[[int], str]] = {
    "number": lambda number: tr_n("{number} number", "{number} numbers", number),
    "entry": lambda number: tr_n("{number} entry", "{number} entries", number),
    "row": lambda number: tr_n("{number} row", "{number} rows", number),
    "unit": lambda number: tr_n("{number} unit", "{number} units", number),
    "sample": lambda number: tr_n("{number} sample", "{number} samples", number),
}


def count(number: int, noun: str) -> str:
    """``1 number``, ``2 numbers``."""
    return _COUNTED[noun](number).format(number=grouped(number))


def expected_names(names: Iterable[str]) -> str:
    """The hint after an unknown name that is near none of these."""
    return tr("; expected {names}").format(names=listed(names))


def no_number(value: Any) -> str:
    """What is wrong with something where a number is expected."""
    hint = number_hint(value) if isinstance(value, str) else ""
    return tr("expected a number, not {found}").format(found=describe(value)) + hint


def not_finite(value: Any) -> str:
    """What is wrong with an infinity where a number is expected."""
    return tr("expected a finite number, not {found}").format(found=describe(value))


def no_whole_number(found: str, least: int) -> str:
    """What is wrong with something where a whole number from ``least`` is expected."""
    return tr("expected a whole number from {least}, not {found}").format(least=least, found=found)


def too_large(number: str, most: int) -> str:
    """What is wrong with a whole number above ``most``."""
    return tr("{number} is too large; at most {most} is allowed").format(number=number, most=grouped(most))


def too_many_numbers(number: int, most: int) -> str:
    """What is wrong with so many numbers."""
    return tr("{number} numbers; at most {most} are allowed").format(number=grouped(number), most=grouped(most))


def no_truth_value(value: Any) -> str:
    """What is wrong with something where true or false is expected."""
    return tr("expected true or false, not {found}").format(found=describe(value))


def not_both(one: str, other: str) -> str:
    """What is wrong where two keys are given that say the same."""
    return tr("give '{one}' or '{other}', not both").format(one=one, other=other)


def number_hint(text: str) -> str:
    """What the author of a text meant, where a number is expected: ``1,5`` is 1.5 and ``'1'`` needs no quotes."""
    plain = text.strip()
    if re.fullmatch(r"[-+]?[0-9]+,[0-9]+", plain):
        return tr("; write {number}").format(number=plain.replace(",", "."))
    if re.fullmatch(r"[-+]?[0-9]+(_[0-9]+)+(\.[0-9]*)?", plain):
        return tr("; write {number}").format(number=plain.replace("_", ""))
    if re.fullmatch(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?", plain):
        return tr("; write {number} without quotes").format(number=plain)
    return ""
