"""The catalogues hold every message of the package; `pytest tests/languages --rewrite` extracts and compiles anew.

What is new then has an empty translation, which the test of complete catalogues points out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from backprop_cli.translation import Language, catalogue, tr_n, written_in
from tests.languages.catalogues import (
    LANGUAGES,
    TEMPLATE,
    brought_up_to_date,
    compiled,
    extracted,
    fields,
    path_of,
    read,
    texts,
    written,
)


def test_the_template_holds_what_is_extracted(rewrite: bool) -> None:
    found = written(extracted())
    if rewrite:
        TEMPLATE.write_text(found, encoding="utf-8")
    assert TEMPLATE.read_text(encoding="utf-8") == found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_is_up_to_date(language: str, rewrite: bool) -> None:
    found = written(brought_up_to_date(language))
    if rewrite:
        path_of(language).write_text(found, encoding="utf-8")
        path_of(language, "mo").write_bytes(compiled(found, language))
    assert path_of(language).read_text(encoding="utf-8") == found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_in_step(language: str) -> None:
    text = path_of(language).read_text(encoding="utf-8")
    assert path_of(language, "mo").read_bytes() == compiled(text, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated(language: str) -> None:
    catalog = read(language)
    for message in catalog:
        if message.id:
            _, translations = texts(message)
            assert not message.fuzzy, message.id
            assert len(translations) == (catalog.num_plurals if isinstance(message.id, tuple) else 1), message.id
            assert all(translations), message.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_have_the_fields_of_their_message(language: str) -> None:
    for message in read(language):
        ids, translations = texts(message)
        allowed = [fields(text) for text in ids]
        for place, translation in enumerate(translations):
            several = place == len(translations) - 1
            assert fields(translation) in (allowed[-1:] if several else allowed), translation


def test_French_signs_of_punctuation_stand_behind_a_blank_that_holds() -> None:
    for message in read("fr"):
        for text in texts(message)[1] if message.id else ():
            said = re.sub(r"\{[^}]*\}", "x", text)
            assert not re.search(r"(?<!\u00a0)[:;?!»]|«(?!\u00a0)", said), text


def test_Chinese_signs_of_punctuation_are_wide() -> None:
    for message in read("zh_Hant"):
        for text in texts(message)[1] if message.id else ():
            assert not any(f"{sign} " in text or text.endswith(sign) for sign in ",;!?"), text


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (Language.ENGLISH, {0: "numbers", 1: "number", 2: "numbers"}),
        (Language.FRENCH, {0: "nombre", 1: "nombre", 2: "nombres"}),
        (Language.CHINESE, {0: "個數", 1: "個數", 2: "個數"}),
    ],
)
def test_plurals_follow_the_language(language: Language, expected: Mapping[int, str]) -> None:
    with written_in(language):
        for number, word in expected.items():
            assert tr_n("{size} number", "{size} numbers", number).format(size=number) == f"{number} {word}"


@pytest.mark.parametrize("language", Language)
def test_every_language_has_a_catalogue(language: Language) -> None:
    assert catalogue(language).gettext("The cost") == {"fr": "Le coût", "zh-Hant": "成本"}.get(language, "The cost")
