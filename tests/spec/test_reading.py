"""A valid spec read whole: from files and text, with its defaults, and with a further check of what can be checked."""

from __future__ import annotations

import numpy as np
import pytest

from backprop_cli.errors import Problem, SpecError
from backprop_cli.spec.dense import Dense
from backprop_cli.spec.layers import Activation, Block
from backprop_cli.spec.loss import Loss
from backprop_cli.spec.reading import read, read_text
from backprop_cli.spec.schema import NetworkSpec

TEXT = """\
name: two  layers
inputs: {x: [[1, 2], [3, 4.5]]}
targets: {y: {value: [0, 1], batch: true}}
parameters: {c: {shape: [2, 3], value: 0.5}, d: {size: 4}, lambda: 2, β: 1}
layers:
  - dense: {units: 10, activation: tanh, name: hidden}
  - dense: {weights: [[1, 2]], bias: 0, from: [a_hidden], share: b1, connections: [[0, 1]]}
  - z * sigmoid(z)
  - softmax: {from: x}
  - relu:
  - equations: [q = a5 + c]
loss: {huber: {delta: 2}}
reduction: sum
regularise: {l2: 0.01, of: W1}
initial: {seed: 7, scheme: kaiming_normal, decimals: 2}
frozen: [W_hidden]
"""


def test_a_whole_spec():
    spec = read_text(TEXT)
    assert (spec.name, spec.reduction, spec.frozen) == ("two layers", "sum", ("W_hidden",))
    assert spec.loss == Loss("huber", {"delta": 2.0})
    assert spec.loss.is_named
    assert (spec.regularise.l2, spec.regularise.l1, spec.regularise.of) == (0.01, 0.0, ("W1",))
    assert (spec.initial.seed, spec.initial.scheme, spec.initial.decimals) == (7, "kaiming_normal", 2)
    first, second, *others, block = spec.layers
    assert isinstance(first, Dense)
    assert (first.units, first.activation, first.name, first.sources, first.bias) == (10, "tanh", "hidden", None, True)
    assert (second.units, second.activation, second.sources, second.share) == (None, "identity", ("a_hidden",), ("b1",))
    assert second.bias.shape == ()
    assert second.connections.array.tolist() == [[0, 1]]
    assert others == [Activation("z * sigmoid(z)"), Activation("softmax", sources=("x",)), Activation("relu")]
    assert block == Block(("q = a5 + c",))


def test_arrays():
    spec = read_text(TEXT)
    x, y, c, d = spec.inputs["x"], spec.targets["y"], spec.parameters["c"], spec.parameters["d"]
    assert (x.shape, x.whole, x.batch, x.size) == ((2, 2), False, None, 4)
    assert (y.shape, y.whole, y.batch) == ((2,), True, True)
    assert x.array.dtype == np.float64
    assert not x.array.flags.writeable
    assert c.array.tolist() == [[0.5] * 3] * 2
    assert c.array.flags.c_contiguous
    assert (d.shape, d.array) == ((4,), None)
    assert (spec.parameters["lambda"].shape, spec.parameters["β"].whole) == ((), True)
    assert spec.parameters["lambda"].array == 2


def test_defaults():
    spec = read_text("inputs: {x: 1}\nequations: [a = x**2]\nloss: a")
    assert (spec.name, spec.targets, spec.parameters, spec.layers) == ("network", {}, {}, None)
    assert spec.equations == ("a = x**2",)
    assert spec.loss == Loss("a")
    assert not spec.loss.is_named
    assert (spec.grad_output, spec.reduction, spec.regularise, spec.frozen) == (None, "mean", None, ())
    assert (spec.initial.seed, spec.initial.scheme, spec.initial.decimals) == (0, "uniform", None)


def test_plain_data_is_validated_in_the_same_way():
    spec = NetworkSpec.model_validate(
        {"inputs": {"x": np.ones((2, 3))}, "layers": [Dense(units=3), {"tanh": {}}], "grad_output": [1, 2, 3]}
    )
    assert spec.inputs["x"].shape == (2, 3)
    assert spec.layers == (Dense(units=3), Activation("tanh"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files(tmp_path, encoding):
    path = tmp_path / "my net.yaml"
    path.write_text("inputs: {β: 1}\nlayers: [tanh]\nlos: 1", encoding=encoding)
    for source in (path, str(path)):
        with pytest.raises(SpecError) as error:
            read(source)
        assert str(error.value) == f"{path}:3:1: unknown key 'los'; did you mean 'loss'?"
    path.write_text("inputs: {β: 1}\nlayers: [tanh]\ngrad_output: 1", encoding=encoding)
    assert read(path).name == "my net"
    assert read(path).inputs.keys() == {"β"}


@pytest.mark.parametrize(
    "text",
    ["inputs: {x: 1}\nlayers: [tanh]\ngrad_output: 1", '{"inputs": {"x": 1}, "layers": ["tanh"], "grad_output": 1}'],
)
def test_text(text):
    assert read(text).layers == (Activation("tanh"),)
    assert read_text("\ufeff" + text).layers == (Activation("tanh"),)


def test_files_that_cannot_be_read(tmp_path):
    def said(source):
        with pytest.raises(SpecError) as error:
            read(source)
        return str(error.value)

    missing = tmp_path / "nowhere.yaml"
    assert said(missing) == said(str(missing)) == f"{missing}: there is no such file"
    assert said(tmp_path).startswith(f"{tmp_path}: cannot be read: ")
    assert said("a\0b.yaml") == "a\0b.yaml: cannot be read: embedded null byte"
    assert said("") == "<text>: expected the path of a file or YAML text, not an empty text"
    binary = tmp_path / "a.yaml"
    binary.write_bytes(b"a: 1\nb: \xff\xfe")
    assert said(binary) == f"{binary}:2:4: byte 0xff is not UTF-8 text; is this a text file?"


def examined(text):
    """The problems of a text whose further check always finds one, and the spec that the check got."""
    seen: list[NetworkSpec] = []

    def check(spec):
        seen.append(spec)
        raise SpecError("a.yaml", [Problem(9, 9, "found later")])

    with pytest.raises(SpecError) as error:
        read_text(text, "a.yaml", check=check)
    return str(error.value).splitlines(), *seen


def test_a_further_check_sees_what_is_left_when_problems_are_put_aside():
    problems, spec = examined(
        "inputs: {x: [1, a]}\ntargets: {y: 1}\n"
        "layers: [dense: {units: 3, activation: tnh, nam: b}, reluu]\nloss: msee\nlos: 1"
    )
    assert problems == [
        "a.yaml:1:17: expected a number, not text 'a'",
        "a.yaml:3:40: unknown activation 'tnh'; did you mean 'tanh'?",
        "a.yaml:3:45: unknown key 'nam'; did you mean 'name'?",
        "a.yaml:3:54: unknown layer 'reluu'; did you mean 'relu'?",
        "a.yaml:4:7: unknown loss 'msee'; did you mean 'mse'?",
        "a.yaml:5:1: unknown key 'los'; did you mean 'loss'?",
        "a.yaml:9:9: found later",
    ]
    assert spec.layers == (Dense(units=3, activation="identity"), Activation("relu"))
    assert spec.inputs["x"].array.tolist() == [1, 0]
    assert spec.positions.at(("layers", 1)) == (3, 54)


def test_a_further_check_is_left_out_where_it_would_find_nonsense():
    problems, *seen = examined("inputs: {x: [[1], []]}\nlayers: [tanh]\nloss: mse")
    assert problems == ["a.yaml:1:19: rows of different lengths: row 1 has 1 entry, row 2 has 0"]
    assert not seen
    problems, *seen = examined("inputs: {x: {sze: 3}}\nlayers: [tanh]\nloss: mse")
    assert problems == ["a.yaml:1:14: unknown key 'sze'; did you mean 'size'?"]
    assert not seen


def test_a_further_check_of_a_valid_spec():
    assert examined("inputs: {x: 1}\nlayers: [tanh]\nloss: mse")[0] == ["a.yaml:9:9: found later"]
