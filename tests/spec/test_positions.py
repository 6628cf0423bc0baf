"""Every value, every key and every character of a formula has its line and column."""

from __future__ import annotations

from backprop_cli.spec.positions import Positions
from backprop_cli.spec.reading import read_text
from backprop_cli.spec.schema import NetworkSpec

TEXT = """\
# a comment
inputs: {x: [1, 2]}
targets: {y: 1}
layers:
  - dense: {units: 10, activation: "z * sigmoid(z)"}
  - tanh
  - equations:
      - s[i] = a1[i]
        + 1
      - 'it = ''q'''
      - >-
        u =
          v*w
      - |
        first = second
      - "a\\tb = \\u0063 \\
         + d"
loss: mse
"""


def positions():
    return read_text(TEXT, "a.yaml").positions


def character(path, wanted):
    """The text from the place of the character that the value has at ``wanted`` in it."""
    spec = read_text(TEXT, "a.yaml")
    equation = spec.layers[path[1]].equations[path[-1]]
    line, column = spec.positions.at(path, offset=equation.index(wanted))
    return TEXT.splitlines()[line - 1][column - 1 :]


def test_values_and_keys():
    assert positions().at(()) == (2, 1)
    assert positions().at(("inputs",)) == (2, 9)
    assert positions().at(("inputs",), key=True) == (2, 1)
    assert positions().at(("inputs", "x", 1)) == (2, 17)
    assert positions().at(("layers", 0)) == (5, 5)
    assert positions().at(("layers", 0, "dense")) == (5, 12)
    assert positions().at(("layers", 0, "dense"), key=True) == (5, 5)
    assert positions().at(("layers", 0, "dense", "activation")) == (5, 36)
    assert positions().at(("layers", 0, "dense", "activation"), key=True) == (5, 24)
    assert positions().at(("layers", 2, "equations", 1)) == (10, 9)
    assert positions().at(("loss",)) == (18, 7)


def test_a_path_that_leads_nowhere_stands_at_its_last_part():
    assert positions().at(("layers", 0, "dense", "bias")) == (5, 12)
    assert positions().at(("layers", 0, "dense", "bias"), key=True) == (5, 12)
    assert positions().at(("layers", 7, "dense")) == (5, 3) == positions().at(("layers",))
    assert positions().at(("inputs", "x", 9)) == (2, 13)
    assert positions().at(("loss", "huber", "delta")) == (18, 7)


def test_characters_of_formulas():
    equations = ("layers", 2, "equations")
    assert character((*equations, 0), "a1").startswith("a1[i]")
    assert character((*equations, 0), "+").startswith("+ 1")
    assert character((*equations, 1), "'q").startswith("''q'''")
    assert character((*equations, 1), "q").startswith("q'''")
    assert character((*equations, 2), "u").startswith("u =")
    assert character((*equations, 2), "w").startswith("w")
    assert character((*equations, 3), "second") == "second"
    assert character((*equations, 4), "b").startswith("b = ")
    assert character((*equations, 4), "c").startswith("\\u0063")
    assert character((*equations, 4), "d") == 'd"'
    assert positions().at(("layers", 0, "dense", "activation"), offset=4) == (5, 41)


def test_characters_in_a_list_that_is_read_in_one_step():
    text = "inputs: {x: 1}\nlayers: [tanh, z - q, 'z - q']\ngrad_output: 1"
    found = read_text(text).positions
    assert found.at(("layers", 1), offset=4) == (2, 20)
    assert found.at(("layers", 2), offset=4) == (2, 28)


def test_carriage_returns_and_wide_characters():
    found = read_text("inputs: {α: 1}\r\nequations:\r\n- β = α + γ\r\nloss: β").positions
    assert found.at(("equations", 0), offset=8) == (3, 11)


def test_problems_and_data_without_text():
    problem = positions().problem(("layers", 0, "dense", "activation"), "no", offset=4)
    assert problem.located("a.yaml") == "a.yaml:5:41: no"
    spec = NetworkSpec.model_validate({"inputs": {"x": 1}, "layers": ["tanh"], "grad_output": 1})
    assert spec.positions == Positions("<data>")
    assert spec.positions.problem(("layers", 0), "no").located("<data>") == "<data>: no"
