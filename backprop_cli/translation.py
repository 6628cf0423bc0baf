"""The languages that text for people is written in, by gettext catalogues; English is the text of the source itself.

Sentences are looked up when they are used. Where they stand in tables they are marked with :func:`marked`, and a table
made of :class:`Sentences` translates what it gives out. Data for programs is never translated.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TypeVar

CATALOGUES = Path(__file__).with_name("locale")
VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")  # of the environment; the first that is set decides, as POSIX has it
TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})  # scripts and regions that write Chinese in traditional characters

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


class Language(StrEnum):
    """The languages by their BCP 47 tags."""

    ENGLISH = "en"
    FRENCH = "fr"
    CHINESE = "zh-Hant"


def of_locale(environment: Mapping[str, str]) -> Language:
    """The language that the environment of a process asks for, English where it asks for none of ours.

    LANGUAGE is a list in order of preference and counts where a locale is set at all, as in GNU gettext.
    """
    chosen = next((environment[name] for name in VARIABLES if environment.get(name)), "C")
    if chosen.partition(".")[0] in ("C", "POSIX"):
        return Language.ENGLISH
    for name in (*environment.get("LANGUAGE", "").split(":"), chosen):
        language, *rest = name.partition(".")[0].replace("@", "_").replace("-", "_").lower().split("_")
        if language in ("en", "fr"):
            return Language(language)
        if language == "zh" and TRADITIONAL.intersection(rest):
            return Language.CHINESE
    return Language.ENGLISH


_current: ContextVar[Language] = ContextVar("language", default=Language.ENGLISH)


def language() -> Language:
    """The language that is written in."""
    return _current.get()


def use(language: Language) -> None:
    """Write everything from here on in this language."""
    _current.set(language)


@contextmanager
def written_in(language: Language) -> Iterator[None]:
    """Write what is made inside in this language."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


@cache
def catalogue(language: Language) -> NullTranslations:
    """The compiled messages of a language."""
    if language is Language.ENGLISH:
        return NullTranslations()
    path = CATALOGUES / language.replace("-", "_") / "LC_MESSAGES" / "backprop.mo"
    with path.open("rb") as file:
        return GNUTranslations(file)


def tr(message: str) -> str:
    """The message in the current language."""
    return catalogue(language()).gettext(message) if message else ""


def tr_n(singular: str, plural: str, number: int) -> str:
    """The message that goes with a number of things, in the current language."""
    return catalogue(language()).ngettext(singular, plural, number)


def marked(message: str) -> str:
    """The message as it stands, marked for the catalogues; it is translated where it is used."""
    return message


class Sentences(dict[Key, str]):
    """A table of marked messages that gives them out in the current language."""

    def __getitem__(self, key: Key) -> str:
        return tr(super().__getitem__(key))


def grouped(number: int) -> str:
    """A whole number with its thousands apart: ``12,345``; French has a narrow no-break space, as a comma there is the
    decimal sign."""
    text = f"{number:,}"
    return text.replace(",", "\N{NARROW NO-BREAK SPACE}") if language() is Language.FRENCH else text


class Statement(str):
    """A finding as data for programs, which is its text in English, that can be said in the current language too.

    It is made of a marked message and what stands in its fields; several are told one after the other.
    """

    parts: tuple[tuple[str, dict[str, object]], ...]

    def __new__(cls, message: str, **fields: object) -> Statement:
        made = super().__new__(cls, _filled(message, fields))
        made.parts = ((message, fields),)
        return made

    @classmethod
    def joined(cls, statements: Iterable[str]) -> Statement:
        """Those that say something, in one."""
        told = [statement for statement in statements if statement]
        made = super().__new__(cls, "; ".join(told))
        made.parts = tuple(part for statement in told for part in parts_of(statement))
        return made

    @property
    def translated(self) -> str:
        return tr("; ").join(_filled(tr(message), fields) for message, fields in self.parts)


def parts_of(statement: str) -> tuple[tuple[str, dict[str, object]], ...]:
    """The messages of a statement; any other text is one message without fields."""
    if isinstance(statement, Statement):
        return statement.parts
    return ((str(statement), {}),)


def _filled(message: str, fields: Mapping[str, object]) -> str:
    return message.format(**fields) if fields else message


def said(statement: str) -> str:
    """A statement in the current language; any other text as it is."""
    return statement.translated if isinstance(statement, Statement) else statement


def enumerated(items: Iterable[str]) -> str:
    """``a, b and c``."""
    return "".join(between(list(items)))


def alternatives(items: Iterable[str]) -> str:
    """``a, b or c``."""
    return "".join(between(list(items), tr(" or ")))


def between(items: Sequence[Item], last: str | None = None) -> Iterator[Item | str]:
    """The items with the signs of an enumeration between them: commas, and a word before the last."""
    for place, item in enumerate(items):
        if place:
            yield (tr(" and ") if last is None else last) if place == len(items) - 1 else tr(", ")
        yield item
