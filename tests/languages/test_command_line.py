"""``--lang`` and the locale choose the language of what people read, and of nothing else."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

COMMANDS = ("derive", "run", "walk", "verify")


CHOICE = """
inputs: {x: 1}
targets: {y: 2}
parameters: {w: 1}
equations:
  - yhat = where(w*x > 0, w*x, 0)
  - L = (yhat - y)**2
loss: L
"""


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("language", ["fr", "zh-Hant"])
@pytest.mark.parametrize("spec", ["two-two-two", pytest.param("rnn-truncated", marks=pytest.mark.thorough)])
def test_data_are_the_same_in_every_language(backprop, command: str, language: str, spec: str) -> None:
    english = backprop(command, spec, "--format", "json")
    assert english.status == 0
    assert backprop(command, spec, "--format", "json", "--lang", language) == english
    english = backprop(command, "-", "--format", "json", stdin=CHOICE)
    assert english.status == 0
    assert backprop(command, "-", "--format", "json", "--lang", language, stdin=CHOICE) == english


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "{ w · x if w · x > 0, 0 otherwise }"), ("fr", "{ w · x si w · x > 0, 0 sinon }"),
     ("zh-Hant", "{ w · x 若 w · x > 0, 0 否則 }")],
)  # fmt: skip
def test_choices_are_in_the_language(backprop, language: str, expected: str) -> None:
    assert expected in backprop("derive", "-", "--lang", language, stdin=CHOICE).stdout


def test_csv_is_the_same_in_every_language(backprop) -> None:
    assert backprop("run", "xor", "--format", "csv", "--lang", "fr") == backprop("run", "xor", "--format", "csv")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("derive", "Première utilisation de la règle de la chaîne"),
        ("run", "Passe avant"),
        ("walk", "Pas à pas\N{NO-BREAK SPACE}: two, two, two"),
        ("verify", "gradients vérifiés par différences centrées"),
    ],
)
def test_text_is_in_the_language_asked_for(backprop, monkeypatch, command: str, expected: str) -> None:
    french = backprop(command, "two-two-two", "--lang", "fr")
    assert french.status == 0
    assert expected in french.stdout
    assert backprop("--lang", "fr", command, "two-two-two") == french
    assert expected not in backprop(command, "two-two-two").stdout
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    assert backprop(command, "two-two-two") == french
    assert expected not in backprop(command, "two-two-two", "--lang", "en").stdout


def test_the_language_after_the_command_goes_before_the_one_before_it(backprop) -> None:
    assert backprop("--lang", "fr", "run", "xor", "--lang", "zh-Hant") == backprop("run", "xor", "--lang", "zh-Hant")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "xor", "--digits", "99", "--lang", "fr"), "--digits : il faut un entier de 0 à 17, pas « 99 »\n"),
        (
            ("derive", "xor", "--format", "cvs", "--lang", "fr"),
            "format « cvs » inconnu ; attendu : text, json,",
        ),
        (("walk", "xor", "--only", "layer 9", "--lang", "fr"), "il n'y a pas de « layer 9 » à parcourir"),
        (("derive", "xor", "--of", "W1[3,1]", "--lang", "zh-Hant"), "「W1[3,1]」：3 超出範圍"),
        (("verify", "nowhere", "--lang", "zh-Hant"), "沒有名為「nowhere」的檔案或內建規格"),
        (("examples", "nowhere", "--lang", "fr"), "aucune spécification fournie ne s'appelle « nowhere »"),
        (("new", "--form", "rows", "--lang", "fr"), "forme « rows » inconnue ; attendu : layers ou equations\n"),
    ],
)
def test_errors_are_in_the_language_asked_for(backprop, arguments: tuple[str, ...], message: str) -> None:
    outcome = backprop(*arguments)
    assert outcome.status == 2
    assert outcome.stderr.replace("\N{NO-BREAK SPACE}", " ").startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("derive", "--nope"), "backprop derive : il n'y a pas d'option --nope"),
        (("derrive",), "backprop : il n'y a pas de commande « derrive » ; est-ce « derive » ?"),
        (("run",), "backprop run : il manque l'argument « SPEC »."),
        (("run", "a", "b"), "backprop run : argument(s) en trop (b)"),
        (("run", "a", "--digits"), "l'option « --digits » demande une valeur."),
        (("run", "a", "--full=1"), "l'option « --full » ne prend pas de valeur."),
    ],
)
def test_wrong_calls_are_told_in_the_language_of_the_locale(backprop, monkeypatch, arguments, message) -> None:
    assert backprop("--lang", "fr", *arguments).stderr == backprop("--lang=fr", *arguments).stderr
    asked = backprop("--lang", "fr", *arguments)
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    outcome = backprop(*arguments)
    assert outcome == asked
    assert outcome.status == 2
    assert outcome.stderr.replace("\N{NO-BREAK SPACE}", " ").startswith(message)


def test_an_unknown_language(backprop) -> None:
    assert backprop("run", "xor", "--lang", "zh-hant").stderr == "unknown language 'zh-hant'; did you mean 'zh-Hant'?\n"
    assert backprop("run", "xor", "--lang", "fr-FR").stderr == "unknown language 'fr-FR'; expected en, fr or zh-Hant\n"


def test_the_language_lasts_for_one_call(backprop) -> None:
    english = backprop("run", "xor")
    backprop("run", "xor", "--lang", "fr")
    assert backprop("run", "xor") == english


@pytest.mark.parametrize(("language", "expected"), [("en", False), ("fr", False), ("zh-Hant", True)])
def test_LaTeX_loads_a_font_for_Chinese_alone(backprop, language: str, expected: bool) -> None:
    page = backprop("derive", "xor", "--format", "latex", "--lang", language).stdout
    assert ("{ctex}" in page) is expected


def test_a_PDF_in_Chinese_needs_a_font(backprop, monkeypatch, tmp_path) -> None:
    typst = pytest.importorskip("typst")
    monkeypatch.setattr(typst, "Fonts", lambda: SimpleNamespace(families=lambda: ["New Computer Modern"]))
    outcome = backprop("derive", "xor", "--lang", "zh-Hant", "--format", "pdf", "-o", tmp_path / "page.pdf")
    assert outcome.status == 2
    assert outcome.stderr.startswith("中文 PDF 需要含有中文字元的字型；請安裝 Noto Serif CJK TC、")
    assert not (tmp_path / "page.pdf").exists()
    assert backprop("derive", "xor", "--lang", "fr", "--format", "pdf", "-o", tmp_path / "page.pdf").status == 0
