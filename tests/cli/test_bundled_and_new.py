"""`examples` and `new`: they print whole specs, from any folder, and never overwrite without being told to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backprop_cli.bundled import bundled_exercises, bundled_names, bundled_specs, starting_spec

SPECS = Path(__file__).resolve().parents[2] / "specs"


def test_the_list_names_every_spec_with_its_description(backprop):
    outcome = backprop("examples")
    assert outcome.status == 0
    assert outcome.stderr == ""
    lines = outcome.stdout.splitlines()
    assert [line.split()[0] for line in lines] == sorted(path.stem for path in SPECS.glob("*.yaml"))
    assert "scalar-graph         The smallest graph that needs the chain rule." in lines
    assert all(len(line) <= 80 for line in lines)


def test_the_list_as_json(backprop):
    listed = json.loads(backprop("examples", "--format", "json").stdout)
    assert {"name": "xor", "description": "Exclusive or, which no single layer can learn."} in listed


@pytest.mark.parametrize("name", bundled_names())
def test_a_spec_is_printed_as_it_stands(backprop, name):
    assert backprop("examples", name).stdout == (SPECS / f"{name}.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", bundled_exercises())
def test_an_exercise_file_is_printed_as_it_stands(backprop, name):
    assert backprop("examples", name).stdout == (SPECS / "exercises" / f"{name}.yaml").read_text(encoding="utf-8")


def test_a_spec_as_json(backprop):
    spec = json.loads(backprop("examples", "xor", "--format", "json").stdout)
    assert spec["text"] == (SPECS / "xor.yaml").read_text(encoding="utf-8")


def test_a_misspelt_name_is_answered_with_the_nearest(backprop):
    outcome = backprop("examples", "xro")
    assert (outcome.status, outcome.stdout) == (2, "")
    assert outcome.stderr == "no bundled spec is called 'xro'; did you mean 'xor'?\n"


@pytest.mark.parametrize("spec", bundled_specs(), ids=lambda spec: spec.name)
def test_every_spec_begins_with_its_schema_and_a_sentence(spec):
    first, second = spec.text.splitlines()[:2]
    assert first == "# yaml-language-server: $schema=schema.json"
    assert second == f"# {spec.description}"
    assert spec.description.endswith(".")
    assert "\nname: " in spec.text


@pytest.mark.parametrize("form", ["layers", "equations"])
def test_new_writes_a_starting_spec(backprop, tmp_path, form):
    file = tmp_path / "net.yaml"
    outcome = backprop("new", "--form", form, "-o", file)
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "", "")
    assert file.read_text(encoding="utf-8") == starting_spec(form) == backprop("new", "--form", form).stdout


def test_new_does_not_overwrite(backprop, tmp_path):
    file = tmp_path / "net.yaml"
    file.write_text("mine")
    outcome = backprop("new", "-o", file)
    assert (outcome.status, outcome.stderr) == (2, f"{file} exists; --force overwrites it\n")
    assert file.read_text() == "mine"
    assert backprop("new", "-o", file, "--force").status == 0
    assert file.read_text(encoding="utf-8") == starting_spec("layers")


def test_an_unknown_form(backprop):
    outcome = backprop("new", "--form", "layer")
    assert (outcome.status, outcome.stderr) == (2, "unknown form 'layer'; did you mean 'layers'?\n")
