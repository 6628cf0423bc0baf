"""The JSON Schema beside the bundled specs is the one that `backprop schema` prints, and it accepts them all."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from backprop_cli.bundled import bundled_names, starting_spec
from backprop_cli.cli import run_command_line

SPECS = Path(__file__).resolve().parents[2] / "specs"
FILE = SPECS / "schema.json"


@pytest.mark.parametrize(("options", "file"), [([], FILE), (["--exercise"], SPECS / "exercises" / "schema.json")])
def test_the_schema_is_current(rewrite, tmp_path, options, file):
    printed = tmp_path / "schema.json"
    assert run_command_line(["schema", *options, "-o", str(printed)]) == 0
    if rewrite:
        file.write_bytes(printed.read_bytes())
    assert json.loads(file.read_text(encoding="utf-8")) == json.loads(printed.read_text(encoding="utf-8"))


def schema() -> dict[str, object]:
    return json.loads(FILE.read_text(encoding="utf-8"))


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", bundled_names())
def test_bundled_specs_fit_it(name):
    jsonschema.validate(YAML(typ="safe", pure=True).load(SPECS / f"{name}.yaml"), schema())


@pytest.mark.parametrize("form", ["layers", "equations"])
def test_starting_specs_fit_it(form):
    jsonschema.validate(YAML(typ="safe", pure=True).load(starting_spec(form)), schema())


@pytest.mark.parametrize(
    "wrong", [{"inputs": {"x": 1}, "lose": "mse"}, {"inputs": {"x": [1]}, "layers": [{"dense": {"unit": 3}}]}]
)
def test_it_refuses_misspelt_keys(wrong):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema())
