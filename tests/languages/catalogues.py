"""The catalogues as files: messages extracted from the package, translations kept, everything written reproducibly."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).resolve().parents[2] / "backprop_cli"
LOCALE = PACKAGE / "locale"
TEMPLATE = LOCALE / "backprop.pot"
LANGUAGES = ("fr", "zh_Hant")
KEYWORDS = {"tr": None, "tr_n": (1, 2), "marked": None, "Statement": None}
CHANGING = re.compile(
    r'^"(?:POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|Generated-By|Report-Msgid-Bugs-To|Project-Id-Version).*\n',
    re.MULTILINE,
)


def extracted() -> Catalog:
    """Every message of the package."""
    catalog = Catalog(project="backprop", header_comment="# Messages of backprop.", fuzzy=False)
    for _, _, message, _, _ in extract_from_dir(PACKAGE, [("**.py", "python")], keywords=KEYWORDS):
        if message:
            catalog.add(message)
    return catalog


def path_of(language: str, suffix: str = "po") -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"backprop.{suffix}"


def read(language: str) -> Catalog:
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language)


def brought_up_to_date(language: str) -> Catalog:
    """The translations of a language for the messages of today; those of messages that are gone are dropped."""
    catalog = read(language)
    catalog.update(extracted(), no_fuzzy_matching=True)
    return catalog


def written(catalog: Catalog) -> str:
    """The catalogue as text without line numbers, dates and versions, which would change with every extraction."""
    for message in catalog:
        message.flags.clear()
    file = io.BytesIO()
    write_po(file, catalog, width=0, no_location=True, sort_output=True, ignore_obsolete=True)
    return CHANGING.sub("", file.getvalue().decode())


def compiled(text: str, language: str) -> bytes:
    """What gettext reads."""
    file = io.BytesIO()
    write_mo(file, _Steady(read_po(io.BytesIO(text.encode()), locale=language)))
    return file.getvalue()


class _Steady:
    """A catalogue whose header does not say when and by which version it was written."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.num_plurals, self.charset = catalog.num_plurals, catalog.charset

    def __iter__(self) -> Iterator[Message]:
        header, *messages = self._catalog
        kept = [line for line in header.string.splitlines(keepends=True) if not CHANGING.match(f'"{line}')]
        return iter([Message("", "".join(kept)), *messages])


def texts(message: Message) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The singular and plural of a message, and its translations."""
    ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
    strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return tuple(ids), tuple(strings)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
