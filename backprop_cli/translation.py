"""The languages that text for people is written in, by gettext catalogues; English is the text of the source itself.

Sentences are looked up when they are used. Where they stand in tables they are marked with :func:`marked`, and a table
made of :class:`Sentences` translates what it gives out. Data for programs is never translated.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
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


_current: ContextVar[NullTranslations] = ContextVar("catalogue", default=NullTranslations())  # noqa: B039


def use(language: Language) -> None:
    """Write everything from here on in this language."""
    _current.set(catalogue(language))


@contextmanager
def written_in(language: Language) -> Iterator[None]:
    """Write what is made inside in this language."""
    token = _current.set(catalogue(language))
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
    return _current.get().gettext(message) if message else ""


def tr_n(singular: str, plural: str, number: int) -> str:
    """The message that goes with a number of things, in the current language."""
    return _current.get().ngettext(singular, plural, number)


def marked(message: str) -> str:
    """The message as it stands, marked for the catalogues; it is translated where it is used."""
    return message


class Sentences(dict[Key, str]):
    """A table of marked messages that gives them out in the current language."""

    def __getitem__(self, key: Key) -> str:
        return tr(super().__getitem__(key))
