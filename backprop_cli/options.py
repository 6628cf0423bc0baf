"""What the command's options accept, and what they say when they are given something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import TypeVar

from backprop_cli.errors import BackpropError, did_you_mean
from backprop_cli.translation import Language, Sentences, alternatives, marked, tr

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


class GradeFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    HTML = "html"
    MARKDOWN = "markdown"
    LATEX = "latex"
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


UNKNOWN = Sentences[type[StrEnum]](
    {
        View: marked("unknown view '{text}'{hint}"),
        WalkView: marked("unknown view '{text}'{hint}"),
        Detail: marked("unknown detail '{text}'{hint}"),
        Form: marked("unknown form '{text}'{hint}"),
        Language: marked("unknown language '{text}'{hint}"),
        StrEnum: marked("unknown format '{text}'{hint}"),
    }
)


def one_of(choices: type[Choice]) -> Callable[[str], Choice]:
    """A parser for the names of an enumeration."""
    names = [choice.value for choice in choices]

    def parse(text: str) -> Choice:
        if text not in names:
            hint = did_you_mean(text, names) or tr("; expected {choices}").format(choices=alternatives(names))
            raise BackpropError(UNKNOWN[choices if choices in UNKNOWN else StrEnum].format(text=text, hint=hint))
        return choices(text)

    return parse


USAGE = (  # what typer says of a wrong call
    marked("No such option: {option}"),
    marked("No such option: {option} (Possible options: {options})"),
    marked("No such command '{command}'."),
    marked("No such command '{command}'. Did you mean '{near}'?"),
    marked("Missing argument '{argument}'."),
    marked("Got unexpected extra argument(s) ({arguments})"),
    marked("Option '{option}' requires an argument."),
    marked("Option '{option}' does not take a value."),
)


def asked_language(arguments: Sequence[str]) -> Language | None:
    """The language that the arguments ask for with ``--lang``, though the rest of them may not be readable."""
    values = [value for option, value in pairwise(arguments) if option == "--lang"]
    values += [argument.removeprefix("--lang=") for argument in arguments if argument.startswith("--lang=")]
    known = [Language(value) for value in values if value in Language.__members__.values()]
    return known[-1] if known else None


def in_our_words(message: str) -> str:
    """What typer says of a wrong call, in the current language; what is not known here stays as it is."""
    for ours in reversed(USAGE):  # the longer of two that begin alike comes later
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.*)", re.escape(ours))
        if found := re.fullmatch(pattern, message, re.DOTALL):
            return tr(ours).format(**found.groupdict())
    return message


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
            message = tr("{option}: expected a whole number from {least} to {most}, not '{text}'")
            raise BackpropError(message.format(option=option, least=least, most=most, text=text))
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
            message = tr("{option}: expected a number greater than 0, not '{text}'")
            raise BackpropError(message.format(option=option, text=text))
        return number

    return parse


def file_name(option: str) -> Callable[[str], Path]:
    """A parser for the name of a file."""

    def parse(text: str) -> Path:
        if not text:
            message = tr("{option}: expected the name of a file, not an empty text")
            raise BackpropError(message.format(option=option))
        return Path(text)

    return parse
