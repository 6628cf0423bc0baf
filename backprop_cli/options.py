"""What the command's options accept, and what they say when they are given something else."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from math import inf
from pathlib import Path
from typing import TypeVar

from backprop_cli.errors import BackpropError, did_you_mean

Choice = TypeVar("Choice", bound=StrEnum)


class DeriveFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    LATEX = "latex"
    HTML = "html"
    NOTEBOOK = "notebook"
    PDF = "pdf"


class RunFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    HTML = "html"
    MARKDOWN = "markdown"
    LATEX = "latex"
    NOTEBOOK = "notebook"
    PDF = "pdf"


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


class View(StrEnum):
    INDEX = "index"
    MATRIX = "matrix"


class WalkView(StrEnum):
    INDEX = "index"
    MATRIX = "matrix"
    MODULES = "modules"
    JACOBIANS = "jacobians"


class Detail(StrEnum):
    BRIEF = "brief"
    FULL = "full"


class Form(StrEnum):
    LAYERS = "layers"
    EQUATIONS = "equations"


def one_of(choices: type[Choice]) -> Callable[[str], Choice]:
    """A parser for the names of an enumeration."""
    names = [choice.value for choice in choices]

    def parse(text: str) -> Choice:
        if text not in names:
            hint = did_you_mean(text, names) or f"; expected {_listed(names)}"
            raise BackpropError(f"unknown {_kind(choices)} '{text}'{hint}")
        return choices(text)

    return parse


def listed(choices: type[Choice]) -> str:
    """The choices as ``--help`` shows them: ``text|json``."""
    return "|".join(choice.value for choice in choices)


def whole_number(option: str, least: int, most: int) -> Callable[[str], int]:
    """A parser for a whole number in a range."""

    def parse(text: str | int) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise BackpropError(f"{option}: expected a whole number from {least} to {most}, not '{text}'")
        return number

    return parse


def number_above_zero(option: str) -> Callable[[str], float]:
    """A parser for a number that is greater than 0."""

    def parse(text: str | float) -> float:
        try:
            number = float(text)
        except ValueError:
            number = 0.0
        if not 0 < number < inf:
            raise BackpropError(f"{option}: expected a number greater than 0, not '{text}'")
        return number

    return parse


def file_name(option: str) -> Callable[[str], Path]:
    """A parser for the name of a file."""

    def parse(text: str) -> Path:
        if not text:
            raise BackpropError(f"{option}: expected the name of a file, not an empty text")
        return Path(text)

    return parse


def _kind(choices: type[StrEnum]) -> str:
    return {View: "view", WalkView: "view", Form: "form"}.get(choices, "format")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" or {names[-1]}"
