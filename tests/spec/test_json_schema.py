"""The JSON Schema: a draft 2020-12 schema that agrees with the reader, with a description for every key."""

from __future__ import annotations

from collections.abc import Iterator

import jsonschema
import pytest

from backprop_cli.library.functions import ACTIVATIONS
from backprop_cli.library.losses import LOSSES
from backprop_cli.spec.initial import SCHEMES
from backprop_cli.spec.nodes import data
from backprop_cli.spec.reading import read_text
from backprop_cli.spec.schema import json_schema
from backprop_cli.spec.yaml import compose

LAYERS = """\
name: one hidden layer            # optional; default: the file's stem
inputs:  {x: [1, 2, 3, 4, 5, 6]}  # one sample: a vector; a list of vectors: a batch; a number: a scalar
targets: {y: [0, 3, 2]}
layers:
  - dense: {units: 10, activation: tanh}
  - dense: {units: 3}             # no activation: identity
loss: mse
initial: {seed: 0}
"""
SCALARS = """\
inputs: {x: 1}
targets: {y: 2}
parameters: {w: 1}
equations:
  - yhat = x*w
  - S = yhat - y
  - L = S**2
loss: L
"""
INDICES = """\
inputs:  {x: [0.5, -1.0]}
targets: {y: [0, 1, 0]}
parameters:
  W: [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]
  b: {shape: [3], value: 0}       # or {shape: [3]}, drawn by `initial`
equations:
  - z[i] = sum(W[i,j]*x[j], j) + b[i]
  - a[i] = exp(z[i]) / sum(exp(z[k]), k)
  - J = -sum(y[i]*log(a[i]), i)
loss: J
"""
EVERYTHING = """\
inputs: {x: {shape: [3, 8, 8]}, λ: {value: [[1, 2], [3, 4]], batch: true}, u: {size: 6}}
parameters: {c: {shape: [2, 3], value: 0.5}, d: {shape: [4]}}
layers:
  - dense: {units: 10, activation: z * sigmoid(z), name: hidden, bias: false, from: [x, u]}
  - dense: {weights: [[1, 2]], bias: 0.5, connections: [[0, 1]], share: b1, from: a1}
  - dense: {units: 1, weights: {shape: [1, 2], value: 0}, bias: [0.5], share: [W1, b1]}
  - z * sigmoid(z)
  - softmax
  - tanh: {name: t, from: x}
  - relu:
  - equations: [q = a7 + c]
grad_output: [1, 2, 3]
reduction: sum
regularise: {l2: 0.01, l1: 0.1, of: [W1]}
initial: {seed: 7, scheme: kaiming_normal, decimals: 2}
frozen: W1
"""


def errors(text):
    validator = jsonschema.Draft202012Validator(json_schema())
    return [error.message for error in validator.iter_errors(data(compose(text, "a.yaml")))]


def test_it_is_a_schema():
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("text", [LAYERS, SCALARS, INDICES, EVERYTHING], ids=["layers", "scalars", "indices", "all"])
def test_specs_that_are_read_are_valid(text):
    read_text(text)
    assert errors(text) == []


@pytest.mark.parametrize("loss", [*LOSSES, "1/2*(a1 - y)**2", "{huber: {delta: 2}}"])
def test_losses(loss):
    text = LAYERS.replace("loss: mse", f"loss: {loss}")
    read_text(text)
    assert errors(text) == []


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name):
    layers = f"[{name}, {name}: {{name: f}}, dense: {{units: 1, activation: {name}}}]"
    text = f"inputs: {{x: 1}}\nlayers: {layers}\ngrad_output: 1"
    read_text(text)
    assert errors(text) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_schemes(scheme):
    assert errors(f"{SCALARS}initial: {{scheme: {scheme}}}") == []


@pytest.mark.parametrize(
    "text",
    [
        LAYERS.replace("units: 3", "unit: 3"),
        LAYERS.replace("units: 3", "units: 0"),
        LAYERS.replace("units: 3", "units: '3'"),
        LAYERS.replace("activation: tanh", "activation: tahn"),
        LAYERS.replace("- dense: {units: 3}", "- dense"),
        LAYERS.replace("- dense: {units: 3}", "- {tanh: , relu: }"),
        LAYERS.replace("loss: mse", "los: mse"),
        LAYERS.replace("loss: mse", "loss: {huber: {delta: 0}}"),
        LAYERS.replace("loss: mse", "loss: mse\ngrad_output: 1"),
        LAYERS.replace("[1, 2, 3, 4, 5, 6]", "[1, a]"),
        LAYERS.replace("seed: 0", "seed: -1"),
        LAYERS + "equations: [a = 1]",
        LAYERS + "reduction: average",
        SCALARS.replace("x: 1", "1x: 1"),
        SCALARS.replace("- yhat = x*w", "- 3"),
        INDICES.replace("value: 0", "vale: 0"),
        "name: a",
        "[1]",
    ],
)
def test_specs_that_are_refused(text):
    assert errors(text)


def test_every_key_has_a_description():
    definitions = json_schema()["$defs"]

    def description(schema):
        return schema.get("description") or definitions[schema["$ref"].rpartition("/")[2]]["description"]

    assert all(description(schema) for _, schema in keys(json_schema()))


def keys(schema: object, where: str = "") -> Iterator[tuple[str, dict[str, object]]]:
    if isinstance(schema, list):
        for part in schema:
            yield from keys(part, where)
    elif isinstance(schema, dict):
        for name, part in schema.get("properties", {}).items():
            yield f"{where}.{name}", part
        for name, part in schema.items():
            yield from keys(part, f"{where}.{name}")
