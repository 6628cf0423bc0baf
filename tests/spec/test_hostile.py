"""Hostile specs end in a clear message, within seconds and in bounded memory; mangled ones in SpecError or a spec."""

from __future__ import annotations

import json
import tracemalloc
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_cli.errors import SpecError
from backprop_cli.spec import limits
from backprop_cli.spec.reading import read_text

REST = "layers: [tanh]\ngrad_output: 1\n"
SLOW = "the spec has more than 500,000 characters besides its lists of plain numbers"
DEEP = "lists and mappings more than 100 deep"
MANY = "more than 30,000 values besides plain lists of numbers"
THOUSAND = "at most 1,000 are allowed"
ALIASES = "the aliases repeat too much: more values than any network needs"


def bomb(first):
    levels = [f"a0: &a0 {first}"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]
    return "\n".join(levels)


HOSTILE = {
    "50 MB": ("#" * 50_000_000, "the spec is larger than 5,000,000 bytes; large data belongs in a data file"),
    "nested lists": ("[" * 1_000_000, DEEP),
    "nested lists by line": ("[\n" * 1_000_000, DEEP),
    "nested mappings": ("{a: " * 1_000_000, DEEP),
    "nested dashes": ("- " * 1_000_000, DEEP),
    "nested numbers": ("a: " + "[1, " * 1_000_000, DEEP),
    "nested questions": ("? " * 1_000_000, DEEP),
    "alias bomb": (bomb("[1, 2, 3]"), ALIASES),
    "alias bomb of mappings": (bomb("{x: 1}"), ALIASES),
    "alias bomb of text": (bomb("lol"), ALIASES),
    "many aliases": ("a: &a [1]\nb: [" + "*a, " * 900_000 + "]", MANY),
    "many keys": ("".join(f"k{n}: 1\n" for n in range(300_000)), MANY),
    "many empty mappings": ("a: [" + "{}, " * 1_000_000 + "]", MANY),
    "words": ("a: " + "x " * 2_400_000, SLOW),
    "one word": ("a: " + "x" * 4_900_000, "a word of more than 500,000 characters"),
    "a comment": ("# " + "x, " * 1_600_000, SLOW),
    "comments": ("#\n" * 2_400_000, SLOW),
    "blank lines": ("a: 1" + "\n" * 4_900_000, SLOW),
    "blanks": ("a: 1" + " " * 4_900_000, SLOW),
    "quoted": ('a: "' + "x " * 2_400_000 + '"', SLOW),
    "block of text": ("a: |\n" + " x\n" * 1_600_000, SLOW),
    "tags": ("a: " + "!a " * 1_000_000, "the tag !a does not belong here; a spec is plain data"),
    "broken list": ("a: [" + "1," * 2_400_000 + "}", MANY),
    "broken dashes": ("a:\n" + "- 1\n" * 1_200_000 + "- {}", MANY),
    "tabs": ("a:" + "\t" * 4_900_000, "not valid YAML: a tab; YAML is indented with spaces"),
    "huge integer": (f"inputs: {{x: {'9' * 5_000}}}\n{REST}", "expected a finite number, not inf"),
    "large integer": (f"inputs: {{x: {'9' * 400}}}\n{REST}", f"expected a finite number, not {'9' * 59}…"),
    "million aliased numbers": ("a: &a [" + "1," * 1_000_000 + "]\nb: [" + "*a, " * 11 + "]", ALIASES),
    "many layers": ("inputs: {x: 1}\ngrad_output: 1\nlayers: [" + "tanh, " * 9_999 + "]", f"9,999 layers; {THOUSAND}"),
    "many equations": ("inputs: {x: 1}\nloss: a\nequations:\n" + "- a = 1\n" * 9_999, f"9,999 equations; {THOUSAND}"),
    "huge shapes": (
        "equations: [a = 1]\nloss: a\nparameters:\n"
        + "".join(f"  p{n}: {{shape: [1000000, 10], value: 0}}\n" for n in range(100)),
        "1,000,000,000 numbers in the network; at most 10,000,000 are allowed",
    ),
    "code": (
        f"inputs: {{x: !!python/object/apply:os.system ['x']}}\n{REST}",
        "the tag !!python/object/apply:os.system does not belong here; a spec is plain data",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text(name):
    text, message = HOSTILE[name]
    start = process_time()
    with pytest.raises(SpecError) as error:
        read_text(text, "a.yaml")
    assert process_time() - start < 5
    assert error.value.problems[0].message == message
    assert len(str(error.value)) < 20_000


def test_many_problems_are_cut_short():
    with pytest.raises(SpecError) as error:
        read_text("".join(f"k{n}: 1\n" for n in range(1000)) + REST, "a.yaml")
    assert len(error.value.problems) == 101
    assert error.value.problems[-1].message == "... and 901 more problems from here on"
    assert error.value.problems[-1].line == 100


def test_memory_is_bounded():
    text = "inputs: {x: [" + "0," * 1_200_000 + "]}\n" + REST
    assert len(text) < limits.TEXT_BYTES
    tracemalloc.start()
    try:
        spec = read_text(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert spec.inputs["x"].size == 1_200_000
    assert peak < 150_000_000


SEED = """\
name: a
inputs: {x: [[1, 2], [3, 4]]}
targets: {y: &y {value: [0, 1], batch: true}}
parameters:
  c: {shape: [2, 3]}
  d:
  - 0.5
  - 1
layers:
  - dense: {units: 10, activation: tanh}
  - equations: ['z[i] = sum(c[i,j]*a1[j], j)', "b = z"]
  - softmax
loss: {huber: {delta: 2}}
initial: {seed: 7}
"""
PIECES = [
    "[",
    "]",
    "{",
    "}",
    ":",
    ": ",
    ",",
    "- ",
    "\n",
    "\n  ",
    "'",
    '"',
    "&a ",
    "*a",
    "*y",
    "!!str ",
    "!",
    "|\n",
    ">",
    "%",
    "#",
    " #",
]
PIECES += [
    "~",
    "1",
    "-1",
    ".5",
    "1e999",
    ".nan",
    "0x",
    "\t",
    "\0",
    "\x1b",
    "\\",
    "é",
    "\ud800",
    "---\n",
    "...",
    "<<",
    "?",
    "null",
    "x",
    "units",
]


@st.composite
def mangled(draw):
    text = SEED
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, 12))
        text = text[:at] + draw(st.sampled_from(PIECES) | st.text(max_size=3)) + text[at + cut :]
    return text


def problems_of(content):
    """Nothing but a spec or problems with places may come of it."""
    try:
        read_text(content, "a.yaml")
    except SpecError as error:
        found = error.problems
    else:
        return
    assert found
    for problem in found:
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.message


@given(mangled() | st.text(max_size=40) | st.binary(max_size=40))
def test_fuzz(content):
    problems_of(content)


KEYS = ["inputs", "targets", "parameters", "layers", "equations", "loss", "grad_output", "regularise", "initial"]
WORDS = ["x", "dense", "units", "weights", "bias", "value", "shape", "size", "mse", "huber", "delta", "tanh", "l2"]
NAMES = st.sampled_from([*KEYS, *WORDS]) | st.text(max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | NAMES,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(NAMES, part, max_size=3),
)


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3))
def test_fuzz_of_values(values):
    problems_of(json.dumps({"inputs": {"x": 1}, "layers": ["tanh"], "loss": "mse", **values}))
