"""derive, run and verify on every bundled spec: what they print for people and for programs."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from runpy import run_path

import numpy as np
import pytest
from rich.cells import cell_len

import backprop_cli as bp
from backprop_cli.bundled import bundled_names, bundled_spec
from tests.cli.conftest import Outcome

SPECS = Path(__file__).resolve().parents[2] / "specs"
BY_SIZE = "inputs: {x: {size: 3}}\ntargets: {y: {size: 2}}\nlayers: [{dense: {units: 2}}]\nloss: mse\n"
CALLS = (
    ["derive"],
    ["derive", "--view", "matrix"],
    ["derive", "--format", "latex"],
    ["run"],
    ["verify"],
)


@pytest.mark.every_spec
@pytest.mark.parametrize("name", bundled_names())
@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_every_command_on_every_spec(backprop, call, name):
    command, *options = call
    outcome = backprop(command, name, *options)
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.stdout.endswith("\n")
    assert "\x1b" not in outcome.stdout
    if "latex" not in options:
        assert max(cell_len(line) for line in outcome.stdout.splitlines()) <= 80  # x̂ is two characters, one column wide
        assert bp.load(str(SPECS / f"{name}.yaml")).name in outcome.stdout


@pytest.mark.parametrize("name", bundled_names())
def test_run_as_json_is_the_trace(backprop, name):
    printed = json.loads(backprop("run", name, "--format", "json").stdout)
    trace = bp.load(str(SPECS / f"{name}.yaml")).compile().run()
    assert list(printed) == ["name", "loss", "forward", "gradients"]
    assert printed == trace.as_data()
    assert printed["loss"] == trace.loss
    for part in ("forward", "gradients"):
        values = getattr(trace, part)
        assert list(printed[part]) == list(values)
        for quantity, value in printed[part].items():
            np.testing.assert_array_equal(np.asarray(value), values[quantity])


@pytest.mark.parametrize("name", bundled_names())
def test_the_program_that_is_printed_runs_and_gives_the_gradients_of_the_run(backprop, tmp_path, name):
    file = tmp_path / "program.py"
    assert backprop("run", name, "--explain", "-o", file) == Outcome(0, "", "")
    module = run_path(str(file))
    program = bp.load(str(SPECS / f"{name}.yaml")).compile()
    trace = program.run()
    given = [trace.given[argument] for argument in program.arguments]
    results = module["forward_and_backward"](*given)
    assert len(results) == len(program.outputs)
    for output, value in zip(program.outputs, results, strict=True):
        expected = trace.loss if output == "J" else trace.gradients[output.removeprefix("dJ/d")]
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-15, err_msg=output)


@pytest.mark.parametrize("name", bundled_names())
def test_the_printed_program_says_what_it_takes_and_returns(backprop, name):
    program = bp.load(str(SPECS / f"{name}.yaml")).compile()
    page = backprop("run", name, "--explain").stdout
    comment = " ".join(line.removeprefix("# ") for line in page.splitlines() if line.startswith("# "))
    takes, returns = ", ".join(program.arguments), ", ".join(program.outputs)
    said = f"One forward and backward pass: forward_and_backward takes {takes} and returns {returns}."
    assert comment == said
    assert page.endswith(program.source.rstrip("\n") + "\n")


def test_a_coloured_program_is_the_same_text(backprop, monkeypatch):
    plain = backprop("run", "lstm", "--explain").stdout
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = backprop("run", "lstm", "--explain").stdout
    assert "\x1b[35mdef\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert backprop("run", "lstm", "--explain").stdout == plain


@pytest.mark.parametrize("columns", ["30", "300"])
def test_no_terminal_breaks_the_lines_of_a_program(backprop, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.delenv("NO_COLOR", raising=False)
    for colour in ("", "1"):
        monkeypatch.setenv("FORCE_COLOR", colour)
        page = re.sub(r"\x1b\[[\d;]*m", "", backprop("run", "gru", "--explain").stdout)
        assert page.endswith(bp.load(str(SPECS / "gru.yaml")).compile().source)


def test_a_program_needs_no_numbers(backprop):
    outcome = backprop("run", "-", "--explain", stdin=BY_SIZE)
    assert (outcome.status, outcome.stderr) == (0, "")
    assert "x (3,), y (2,), W1 (2, 3), b1 (2,)" in outcome.stdout


@pytest.mark.parametrize("format", ["json", "csv"])
def test_a_program_is_text_only(backprop, format):
    outcome = backprop("run", "xor", "--explain", "--format", format)
    assert (outcome.status, outcome.stdout) == (2, "")
    message = f"--explain prints a Python program, not {format.upper()}; leave out --format {format}\n"
    assert outcome.stderr == message


def test_run_as_csv(backprop):
    rows = list(csv.DictReader(io.StringIO(backprop("run", "two-two-two", "--format", "csv").stdout)))
    trace = bp.load(str(SPECS / "two-two-two.yaml")).compile().run()
    assert list(rows[0]) == ["part", "quantity", "position", "value"]
    found = {(row["part"], row["quantity"], row["position"]): float(row["value"]) for row in rows}
    assert found["gradients", "W1", "1,2"] == trace.gradients["W1"][0, 1]
    assert found["forward", "z1", "2"] == trace.forward["z1"][1]
    assert found["forward", "J", ""] == trace.loss
    assert len(found) == len(rows)


@pytest.mark.parametrize("name", bundled_names())
def test_derive_as_json(backprop, name):
    printed = json.loads(backprop("derive", name, "--format", "json").stdout)
    assert printed == bp.load(str(SPECS / f"{name}.yaml")).derive().as_data()
    ids = [step["id"] for step in printed["steps"]]
    assert len(set(ids)) == len(ids)
    for step in printed["steps"]:
        assert {"id", "layer", "kind", "of", "rule", "formula", "uses"} <= set(step)
        assert {"text", "latex"} <= set(step["formula"])
        assert set(step["uses"]) <= set(ids)


@pytest.mark.parametrize("name", ["scalar-graph", "linear-module", "xor"])
def test_verify_as_json(backprop, name):
    outcome = backprop("verify", name, "--format", "json")
    assert outcome.status == 0
    assert json.loads(outcome.stdout)["ok"] is True


def test_verify_ends_with_status_1_where_a_gradient_disagrees(backprop, monkeypatch):
    from backprop_cli.network import Network

    honest = Network.verify

    def off_by_a_little(self):
        trace = self.compile().run()
        trace.gradients["W1"][0, 0] *= 1.0005
        return honest(self, trace)

    monkeypatch.setattr(Network, "verify", off_by_a_little)
    outcome = backprop("verify", "two-two-two")
    assert outcome.status == 1
    assert "! ∂J/∂w₁₁⁽¹⁾: ours is " in outcome.stdout
    assert json.loads(backprop("verify", "two-two-two", "--format", "json").stdout)["ok"] is False


def test_one_gradient(backprop):
    whole = json.loads(backprop("derive", "mlp", "--of", "W1", "--format", "json").stdout)["steps"]
    entry = json.loads(backprop("derive", "mlp", "--of", "W1[1,2]", "--format", "json").stdout)["steps"]
    assert whole[-1]["of"] == "dJ/dW1"
    assert entry[-1]["of"] == "dJ/dW1[1,2]"


def test_one_gradient_in_inputs_and_parameters_alone(backprop):
    steps = json.loads(backprop("derive", "scalar-graph", "--of", "w", "--expand", "--format", "json").stdout)["steps"]
    (step,) = steps
    formula = step["formula"]["text"]
    assert step["of"] == "dJ/dw"
    assert "yhat" not in formula
    assert eval(formula.rpartition(" = ")[2], {}, {"x": 1, "y": 2, "w": 1}) == -2


def test_one_gradient_in_matrices(backprop):
    page = backprop("derive", "mlp", "--of", "W1", "--view", "matrix").stdout
    assert "∂J/∂W⁽¹⁾" in page
    assert "δ⁽¹⁾ xᵀ" in page


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--expand"], "--expand writes out one entry in index notation; ask for one, such as --of 'W1[1,1]'\n"),
        (["--of", "W1[1,2]", "--view", "matrix"], "--view matrix shows whole quantities; ask for W1\n"),
        (["--view", "matrx"], "unknown view 'matrx'; did you mean 'matrix'?\n"),
        (["--of", "W9"], "there is no quantity 'W9'"),
        (["--of", "W1[9,9]"], "'W1[9,9]': 9 is out of range"),
    ],
)
def test_questions_without_an_answer(backprop, options, message):
    outcome = backprop("derive", "mlp", *options)
    assert (outcome.status, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith(message)


@pytest.mark.parametrize("text", ["no", "-1", "99", "1.5"])
def test_digits(backprop, text):
    outcome = backprop("run", "mlp", f"--digits={text}")
    assert outcome.status == 2
    assert outcome.stderr == f"--digits: expected a whole number from 0 to 17, not '{text}'\n"


def test_full_shows_every_number(backprop):
    assert len(backprop("run", "relu-600-60-40-10").stdout.splitlines()) < 200
    assert len(backprop("run", "relu-600-60-40-10", "--full").stdout) > 100_000


def test_a_spec_from_standard_input(backprop):
    text = bundled_spec("xor").text
    assert backprop("run", "-", stdin=text).stdout == backprop("run", "xor").stdout
    outcome = backprop("run", "-", stdin="inputs: {x: 1}\n")
    assert (outcome.status, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith("<stdin>:")


def test_a_spec_from_a_file_and_the_file_before_the_bundled_name(backprop, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("xor").write_text(bundled_spec("scalar-graph").text, encoding="utf-8")
    assert backprop("run", "xor").stdout == backprop("run", SPECS / "scalar-graph.yaml").stdout


def test_a_folder_does_not_hide_a_bundled_spec(backprop, tmp_path, monkeypatch):
    expected = backprop("run", "xor").stdout
    monkeypatch.chdir(tmp_path)
    Path("xor").mkdir()
    assert backprop("run", "xor").stdout == expected


@pytest.mark.parametrize(
    ("argument", "hint"),
    [
        ("xro", "; did you mean 'xor'?"),
        ("xor.yaml", "; did you mean 'xor'?"),
        ("specs/xro.yaml", "; did you mean 'specs/xor.yaml'?"),
        ("nothing/like/it", ""),
        ("", ""),
        ("x" * 5000, ""),
    ],
)
def test_a_spec_that_is_not_there(backprop, monkeypatch, argument, hint):
    monkeypatch.chdir(SPECS.parent)
    outcome = backprop("run", argument)
    assert (outcome.status, outcome.stdout) == (2, "")
    assert outcome.stderr == f"there is no file and no bundled spec called '{argument}'{hint}\n"


def test_a_folder_is_no_spec(backprop, tmp_path):
    outcome = backprop("run", tmp_path)
    assert (outcome.status, outcome.stderr) == (2, f"{tmp_path} is a folder; expected a YAML file or a bundled spec\n")


def test_a_network_known_by_size_alone(backprop):
    assert backprop("derive", "-", stdin=BY_SIZE).status == 0
    for command in ("run", "verify"):
        outcome = backprop(command, "-", stdin=BY_SIZE)
        assert (outcome.status, outcome.stdout) == (2, "")
        assert outcome.stderr == "'x' is given by its size alone, so there is nothing to compute with\n"


def test_numbers_that_are_not_finite(backprop):
    text = "inputs: {x: 1000}\nparameters: {w: 1}\nequations: ['L = exp(w*x)']\nloss: L\n"
    outcome = backprop("run", "-", "--format", "json", stdin=text)
    assert outcome.status == 0
    assert json.loads(outcome.stdout)["loss"] == "inf"
    assert "warning: L is not finite\n" in outcome.stderr


def test_markup_in_names_is_text(backprop):
    text = bundled_spec("scalar-graph").text.replace("name: scalar graph", "name: '[red]bold[/] \\x1b {x}'")
    outcome = backprop("derive", "-", stdin=text)
    assert "[red]bold[/]" in outcome.stdout
    assert "\x1b" not in outcome.stdout


@pytest.mark.parametrize("call", [["derive", "xor"], ["run", "xor"], ["examples"], ["schema"]], ids=" ".join)
def test_a_file_gets_what_a_pipe_gets(backprop, tmp_path, call):
    file = tmp_path / "out"
    assert backprop(*call, "-o", file).stdout == ""
    assert file.read_text(encoding="utf-8") == backprop(*call).stdout


def test_colour_only_on_request(backprop, monkeypatch):
    monkeypatch.delenv("NO_COLOR")
    assert "\x1b[" not in backprop("run", "xor").stdout
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = backprop("run", "xor").stdout
    assert "\x1b[" in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in backprop("run", "xor").stdout


@pytest.mark.parametrize("columns", [40, 60, 120])
def test_narrow_and_wide_terminals(backprop, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    for call in (["derive", "mlp"], ["run", "xor"], ["verify", "scalar-graph"]):
        assert max(len(line) for line in backprop(*call).stdout.splitlines()) <= columns


def test_pages_for_a_browser(backprop, tmp_path):
    for command in ("derive", "run"):
        page = backprop(command, "two-two-two", "--format", "html").stdout
        assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
        backprop(command, "two-two-two", "--format", "html", "-o", str(tmp_path / "page.html"))
        assert (tmp_path / "page.html").read_text(encoding="utf-8") == page
