"""The command `exercise`: what it writes where, and what a wrong call gets."""

from __future__ import annotations

import json

import pytest

from backprop_cli import exercise_writing
from backprop_cli.exercises.key import Key

FORMATS = ("markdown", "latex", "html", "pdf", "notebook", "json", "csv", "moodle", "qti12", "qti21")


def test_a_spec_asks_by_itself(backprop):
    outcome = backprop("exercise", "two-two-two")
    assert (outcome.status, outcome.stderr) == (0, "")
    assert "Question 1 (8 points)" in outcome.stdout
    assert "0.2984" not in outcome.stdout
    assert "0.2984" in backprop("exercise", "two-two-two", "--key").stdout


def test_json_is_the_key_whatever_the_language(backprop):
    outcome = backprop("exercise", "first-sheet", "--format", "json", "--lang", "fr")
    assert Key.from_data(json.loads(outcome.stdout)).digits == 4
    assert outcome.stdout == backprop("exercise", "first-sheet", "--format", "json", "--key").stdout


def test_an_exercise_file_from_standard_input(backprop):
    outcome = backprop("exercise", "-", stdin="network: two-two-two\nquestions: [cost]\ntitle: '[red]x'\n")
    assert outcome.stdout.startswith("[red]x\n")
    wrong = backprop("exercise", "-", stdin="network: two-two-twoo\n")
    assert (wrong.status, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("<stdin>:1:10: there is no bundled spec")
    assert "did you mean 'two-two-two'?" in wrong.stderr


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("key", [(), ("--key",)])
def test_a_file_and_a_folder(backprop, tmp_path, format, key):
    file = tmp_path / "file"
    assert backprop("exercise", "two-two-two", "--format", format, *key, "-o", file).status == 0
    assert file.stat().st_size > 100
    assert backprop("exercise", "two-two-two", "--format", format, *key, "-o", f"{tmp_path}/new/").status == 0
    (made,) = (tmp_path / "new").iterdir()
    assert made.read_bytes() == file.read_bytes()


def test_an_interrupted_run_leaves_whole_files_alone(backprop, tmp_path, monkeypatch):
    def interrupted(self, format, is_key, variants):
        raise KeyboardInterrupt

    monkeypatch.setattr(exercise_writing.Sheets, "pages", interrupted)
    outcome = backprop("exercise", "two-two-two", "--format", "html", "-o", f"{tmp_path}/new/")
    assert outcome.status == 130
    assert list((tmp_path / "new").iterdir()) == []


def test_an_interrupted_run_goes_on_where_it_stopped(backprop, tmp_path, monkeypatch):
    call = ("exercise", "two-two-two", "--variants", "4", "--format", "markdown", "-o")
    assert backprop(*call, f"{tmp_path}/whole/").status == 0
    pages, made = exercise_writing.Sheets.pages, []

    def interrupted(self, format, is_key, variants):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.extend(variants)
        return pages(self, format, is_key, variants)

    with monkeypatch.context() as patched:
        patched.setattr(exercise_writing.Sheets, "pages", interrupted)
        assert backprop(*call, f"{tmp_path}/part/").status == 130
    first, _ = sorted((tmp_path / "part").iterdir())
    first.write_text("kept", encoding="utf-8")
    outcome = backprop(*call, f"{tmp_path}/part/", "--resume")
    assert (outcome.status, outcome.stderr) == (0, "2 sheets were there already\n")
    whole = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "whole").iterdir()}
    assert {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "part").iterdir()} == {
        **whole,
        first.name: "kept",
    }
    assert backprop("exercise", "two-two-two", "--resume").stderr.startswith("--resume goes on filling a folder")


def test_a_run_that_goes_on_makes_a_sheet_for_everyone(backprop, tmp_path):
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text("student\nAnn\nBob ../x\n", encoding="utf-8")
    second.write_text("student\nZed\nAnn\nBob ../x\n", encoding="utf-8")
    call = ("exercise", "two-two-two", "--format", "markdown", "-o", f"{tmp_path}/d/", "--students")
    assert backprop(*call, first).status == 0
    assert backprop(*call, second, "--resume").status == 0
    names = sorted(path.name.partition("-0-")[2] for path in (tmp_path / "d").iterdir())
    assert names == ["1-Ann.md", "1-Zed.md", "2-Ann.md", "2-Bob-x.md", "3-Bob-x.md"]


@pytest.mark.parametrize("options", [(), ("--key",), ("--format", "json")])
def test_numbers_too_large_to_answer_are_an_error(backprop, options):
    spec = (
        "{inputs: {x: [1.0e+300, -1.0e+300]}, targets: {y: [0]}, loss: mse, layers: ["
        "dense: {units: 2, weights: [[1, 2], [3, 4]], activation: sigmoid}, "
        "dense: {units: 1, weights: [[1.0e+200, 1]]}]}\n"
    )
    outcome = backprop("exercise", "-", *options, stdin=spec)
    assert (outcome.status, outcome.stdout) == (2, "")
    assert outcome.stderr == ("J cannot be asked for: with these numbers the answer, or its tolerance, is not finite\n")


def test_fractions_of_a_network_that_has_them(backprop):
    spec = (
        "inputs: {x: 2}\ntargets: {y: 1}\nparameters: {w: 3}\nequations: [a = relu(w*x/4), J = (a - y)**2]\nloss: J\n"
    )
    outcome = backprop("exercise", "-", "--exact", "--key", stdin=spec)
    assert "3/2" in outcome.stdout
    assert "1/4" in outcome.stdout
    refused = backprop("exercise", "two-two-two", "--exact")
    assert refused.status == 2
    assert "has no exact fraction" in refused.stderr


def test_other_digits(backprop):
    assert "to 2 digits" in backprop("exercise", "first-sheet", "--digits", 2).stdout
    assert backprop("exercise", "first-sheet", "--digits", 13).status == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--code", "4E4E-1-7", "--seed", "0"), "leave out --seed\n"),
        (("--code", "4E4E-1-7", "--variants", "3"), "leave out --variants\n"),
        (("--code", "4E4E-1-7", "--students", "class.csv", "--seed", "9"), "leave out --seed and --students\n"),
        (("--students", "class.csv", "--variants", "3"), "for everyone in the list; leave out --variants\n"),
    ],
)
def test_options_that_both_say_which_sheets_are_made(backprop, options, message):
    outcome = backprop("exercise", "two-two-two", *options)
    assert (outcome.status, outcome.stdout) == (2, "")
    assert outcome.stderr.endswith(message)
