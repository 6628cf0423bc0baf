"""The kinds of field that a spec is made of: names, texts, numbers, functions, equations; each with its JSON Schema."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from backprop_cli.errors import did_you_mean
from backprop_cli.language.tokens import is_name
from backprop_cli.library.functions import ACTIVATIONS
from backprop_cli.spec import limits
from backprop_cli.spec.findings import collected, reject
from backprop_cli.spec.reader import Reader
from backprop_cli.spec.wording import (
    describe,
    expected_names,
    listed,
    no_number,
    no_truth_value,
    no_whole_number,
    not_finite,
    number_hint,
    shortened,
    too_large,
)
from backprop_cli.translation import grouped, tr


def _read_name(data: Any) -> str:
    if not isinstance(data, str):
        reject(tr("expected a name, not {found}").format(found=describe(data)))
    if not is_name(data):
        message = tr("'{name}' is not a name: a name is a letter and then letters, digits or _")
        reject(message.format(name=shortened(data)))
    if len(data) > limits.NAME:
        message = tr("a name of {number} characters; at most {most} are allowed")
        reject(message.format(number=grouped(len(data)), most=limits.NAME))
    return data


def _read_text(data: Any) -> str:
    if not isinstance(data, str):
        reject(tr("expected text, not {found}; put it in quotes").format(found=describe(data)))
    if len(data) > limits.NAME:
        message = tr("a text of {number} characters; at most {most} are allowed")
        reject(message.format(number=grouped(len(data)), most=limits.NAME))
    return " ".join(data.split())


def read_function(data: Any) -> str:
    """The name of an activation, or an expression in z; a name must be a known one."""
    if not isinstance(data, str):
        message = tr("expected the name of a function or an expression in z, not {found}")
        reject(message.format(found=describe(data)))
    text = data.strip()
    if not text:
        reject(tr("expected the name of a function or an expression in z, not an empty text"))
    if is_name(text) and text not in ACTIVATIONS:
        expected = tr("; expected {names}, or an expression in z").format(names=listed(ACTIVATIONS))
        hint = did_you_mean(text, ACTIVATIONS) or expected
        message = tr("unknown activation '{name}'{hint}").format(name=shortened(text), hint=hint)
        reject(message, remedy="identity")
    return text


def read_equations(data: Any) -> tuple[str, ...]:
    """A list of equations, not parsed yet."""
    if not isinstance(data, list | tuple):
        hint = tr("; begin every equation with '- '") if isinstance(data, str) else ""
        reject(tr("expected a list of equations, not {found}").format(found=describe(data)) + hint)
    if not data:
        reject(tr("expected a list of equations, not an empty list"))
    if len(data) > limits.EQUATIONS:
        message = tr("{number} equations; at most {most} are allowed")
        reject(message.format(number=grouped(len(data)), most=grouped(limits.EQUATIONS)))
    return collected(_read_equation, data)


def _read_equation(data: Any) -> str:
    if not isinstance(data, str):
        reject(tr("expected an equation, not {found}").format(found=describe(data)))
    return data


def _read_number(
    data: Any, least: float | None = None, above: float | None = None, below: float | None = None
) -> float:
    if type(data) not in (int, float):
        reject(no_number(data))
    try:
        number = float(data)
    except OverflowError:
        number = float("inf")
    if number - number != 0:
        reject(not_finite(data))
    if least is not None and number < least:
        reject(tr("expected a number from {limit}, not {found}").format(limit=f"{least:g}", found=describe(data)))
    if below is not None and number >= below:
        reject(tr("expected a number below {limit}, not {found}").format(limit=f"{below:g}", found=describe(data)))
    if above is not None and number <= above:
        reject(tr("expected a number above {limit}, not {found}").format(limit=f"{above:g}", found=describe(data)))
    return number


def _read_count(data: Any, least: int, most: int) -> int:
    if type(data) is not int:
        hint = number_hint(data) if isinstance(data, str) else ""
        reject(no_whole_number(describe(data), least) + hint)
    if data < least:
        reject(no_whole_number(str(data), least))
    if data > most:
        reject(too_large(shortened(grouped(data)), most))
    return data


def _read_choice(data: Any, choices: Collection[str], key: str) -> str:
    if not isinstance(data, str):
        reject(tr("expected {names}, not {found}").format(names=listed(choices), found=describe(data)))
    if data not in choices:
        hint = did_you_mean(data, choices) or expected_names(choices)
        message = tr("unknown {key} '{name}'{hint}").format(key=key, name=shortened(data), hint=hint)
        reject(message, remedy=next(iter(choices)))
    return data


def _read_names(data: Any) -> tuple[str, ...]:
    if isinstance(data, str):
        return (_read_name(data),)
    if not isinstance(data, list | tuple):
        reject(tr("expected a name or a list of names, not {found}").format(found=describe(data)))
    return collected(_read_name, data)


def _read_some_names(data: Any) -> tuple[str, ...]:
    if isinstance(data, list | tuple) and not data:
        reject(tr("expected at least one name, not an empty list"))
    return _read_names(data)


Expression: TypeAlias = Annotated[str, Field(pattern=r"[^A-Za-z0-9_]", description="A formula.")]


def _read_bool(data: Any) -> bool:
    if not isinstance(data, bool):
        reject(no_truth_value(data))
    return data


def whole_number(least: int, most: int) -> Reader:
    """For ``Annotated[int, ...]``: a whole number in this range."""
    return Reader(partial(_read_count, least=least, most=most), lambda: Annotated[int, Field(ge=least, le=most)])


def number_between(least: float, below: float) -> Reader:
    """For ``Annotated[float, ...]``: a number from ``least`` on, below ``below``."""
    form: Any = Annotated[float, Field(ge=least, lt=below)]
    return Reader(partial(_read_number, least=least, below=below), lambda: form)


def one_of(choices: Collection[str], key: str) -> Reader:
    """For ``Annotated[str, ...]``: one of these names, under this key."""
    names = tuple(choices)
    return Reader(partial(_read_choice, choices=names, key=key), lambda: Literal[names])


# Looser than the reader: \w is not the same set of letters in every editor's regular expressions.
NAME_PATTERN = r"^[^\s0-9_]\S*$"
_WRITTEN_NAME = Annotated[str, Field(pattern=NAME_PATTERN)]
_WRITTEN_EQUATIONS = Annotated[list[str], Field(min_length=1, max_length=limits.EQUATIONS)]

Name: TypeAlias = Annotated[str, Reader(_read_name, lambda: _WRITTEN_NAME)]
Names: TypeAlias = Annotated[tuple[str, ...], Reader(_read_names, lambda: _WRITTEN_NAME | list[_WRITTEN_NAME])]
SomeNames: TypeAlias = Annotated[
    tuple[str, ...],
    Reader(_read_some_names, lambda: _WRITTEN_NAME | Annotated[list[_WRITTEN_NAME], Field(min_length=1)]),
]
TrueOrFalse: TypeAlias = Annotated[bool, Reader(_read_bool, lambda: bool)]
Text: TypeAlias = Annotated[str, Reader(_read_text, lambda: str)]
Positive: TypeAlias = Annotated[float, Reader(partial(_read_number, above=0), lambda: Annotated[float, Field(gt=0)])]
PositiveOrZero: TypeAlias = Annotated[
    float, Reader(partial(_read_number, least=0), lambda: Annotated[float, Field(ge=0)])
]
Function: TypeAlias = Annotated[str, Reader(read_function, lambda: Literal[ACTIVATIONS] | Expression)]
Equations: TypeAlias = Annotated[tuple[str, ...], Reader(read_equations, lambda: _WRITTEN_EQUATIONS)]
