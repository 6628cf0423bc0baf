"""Which language the environment of a process asks for."""

from __future__ import annotations

import pytest

from backprop_cli.translation import Language, of_locale


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Language.ENGLISH),
        ({"LANG": ""}, Language.ENGLISH),
        ({"LANG": "C"}, Language.ENGLISH),
        ({"LANG": "C.UTF-8"}, Language.ENGLISH),
        ({"LANG": "POSIX"}, Language.ENGLISH),
        ({"LANG": "en_GB.UTF-8"}, Language.ENGLISH),
        ({"LANG": "fr_FR.UTF-8"}, Language.FRENCH),
        ({"LANG": "fr_CA"}, Language.FRENCH),
        ({"LANG": "fr"}, Language.FRENCH),
        ({"LANG": "fr_BE@euro"}, Language.FRENCH),
        ({"LANG": "frp_IT"}, Language.ENGLISH),
        ({"LANG": "de_DE.UTF-8"}, Language.ENGLISH),
        ({"LANG": "zh_TW.UTF-8"}, Language.CHINESE),
        ({"LANG": "zh_HK"}, Language.CHINESE),
        ({"LANG": "zh-Hant-TW"}, Language.CHINESE),
        ({"LANG": "zh_CN.UTF-8"}, Language.ENGLISH),  # simplified characters are another script
        ({"LANG": "zh"}, Language.ENGLISH),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "C"}, Language.ENGLISH),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "fr_FR.UTF-8"}, Language.FRENCH),
        ({"LANG": "fr_FR.UTF-8", "LC_MESSAGES": "zh_TW", "LC_ALL": ""}, Language.CHINESE),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "de:fr:en"}, Language.FRENCH),
        ({"LANG": "fr_FR.UTF-8", "LANGUAGE": "en"}, Language.ENGLISH),
        ({"LANG": "C", "LANGUAGE": "fr"}, Language.ENGLISH),  # without a locale LANGUAGE does not count
    ],
)
def test_the_language_of_the_locale(environment: dict[str, str], expected: Language) -> None:
    assert of_locale(environment) is expected
