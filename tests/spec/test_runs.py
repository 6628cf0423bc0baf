"""Lists that are read in one step: the same values and places as the parser gives, in a fraction of the time."""

from __future__ import annotations

import random
from math import isnan
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.error import ReusedAnchorWarning

from backprop_cli.errors import SpecError
from backprop_cli.spec import scanning
from backprop_cli.spec.nodes import Listing, data
from backprop_cli.spec.positions import Positions
from backprop_cli.spec.yaml import compose

WORDS = [
    "1",
    "-2",
    ".5",
    "1e-2",
    "+3.",
    "-.inf",
    ".nan",
    "0x1F",
    "1_000",
    "01",
    "on",
    "a b",
    "1 2",
    "1 - 2",
    "'1'",
    '"1,5"',
]
WORDS += [
    "~",
    "true",
    "1:2",
    "'it''s'",
    "*a",
    "x: y",
    "[]",
    "{}",
    "-",
    "- 1",
    "''",
    "---",
    "...",
    "a#b",
    "#c",
    "&b 1",
    "!!str 1",
]


@st.composite
def lists(draw, depth=3):
    entry = st.sampled_from(WORDS) if depth == 0 else st.sampled_from(WORDS) | lists(depth - 1)
    blank = st.sampled_from(["", " ", "  ", "\n ", " # note\n  ", "\r\n "])
    entries = [draw(blank) + draw(entry) + draw(blank) for _ in range(draw(st.integers(0, 4)))]
    return "[" + ",".join(entries) + draw(st.sampled_from(["", ",", ", "])) + "]"


@st.composite
def block_lists(draw, indent=0):
    lines = []
    for _ in range(draw(st.integers(1, 5))):
        entry = draw(st.sampled_from(WORDS) | lists(1) | st.just(None))
        gap = draw(st.sampled_from([" ", "  ", "   "]))
        if entry is None and indent < 6:
            entry = draw(block_lists(indent + 1 + len(gap))).lstrip(" ")
        lines.append(
            " " * indent + f"-{gap}{entry}" + draw(st.sampled_from(["", " ", " # note", "\n", "\n  # note", "\n   7"]))
        )
    return "\n".join(lines)


def slowly(text):
    """The document without any run: every token through ruamel.yaml's own scanner."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanning, "flow_run", lambda *_: None)
        patch.setattr(scanning, "block_run", lambda *_: None)
        return compose(text, "a.yaml")


def outcome(read, text):
    try:
        return repr(data(read(text)))
    except SpecError:
        return "broken"


@given(
    st.builds("a: {}\nb: 1".format, lists())
    | st.builds("a:\n{}\nb: 1".format, block_lists() | block_lists(2))
    | block_lists()
)
def test_same_as_the_parser(text):
    assert outcome(lambda text: compose(text, "a.yaml"), text) == outcome(slowly, text)


@given(st.builds("a: {}\nb: 1".format, lists()))
def test_same_as_ruamel(text):
    try:
        expected = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ReusedAnchorWarning, ValueError, NotImplementedError):
        return
    if "1_000" not in text and "!!" not in text:  # ruamel.yaml reads 1_000 as YAML 1.1 does
        assert repr(data(compose(text, "a.yaml"))) == repr(expected)


@given(lists(2) | block_lists())
def test_same_places_as_the_parser(text):
    text = f"a:\n  b:\n  - 0\n  c:\n    {text}" if text.startswith("[") else text
    try:
        root, slow = compose(text, "a.yaml"), slowly(text)
    except SpecError:
        return
    for path in paths(data(root)):
        assert Positions("a", text, root).at(path) == Positions("a", text, slow).at(path), path


def paths(value, path=()):
    yield path
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(part, (*path, key))


def numbers(count):
    generator = random.Random(0)
    return [repr(generator.uniform(-1, 1)) for _ in range(count)]


FORMS = {
    "one line": lambda n: f"a: [{', '.join(n)}]",
    "matrix": lambda n: "a: [" + ",\n  ".join(f"[{', '.join(n[i : i + 600])}]" for i in range(0, len(n), 600)) + "]",
    "rows": lambda n: "a:\n" + "".join(f"  - [{', '.join(n[i : i + 10])}]\n" for i in range(0, len(n), 10)),
    "dashes": lambda n: "a:\n" + "".join(f"- {number}\n" for number in n),
    "nested dashes": lambda n: (
        "a:\n" + "".join("- - " + "\n  - ".join(n[i : i + 600]) + "\n" for i in range(0, len(n), 600))
    ),
    "notes": lambda n: "a: [\n" + "".join(f"  {number}, # note\n" for number in n) + "]",
    "a word": lambda n: f"a: [{', '.join(n[:-1])}, '0,5']",
}


@pytest.mark.parametrize("form", FORMS)
def test_forty_thousand_numbers(form):
    text = FORMS[form](numbers(40_000))
    start = process_time()
    root = compose(text, "a.yaml")
    loaded = data(root)["a"]
    assert process_time() - start < 1
    flat = [part for row in loaded for part in (row if isinstance(row, list) else [row])]
    assert len(flat) == 40_000
    assert [repr(number) for number in flat[:-1]] == numbers(40_000)[:-1]
    last = (len(loaded) - 1, len(loaded[-1]) - 1) if isinstance(loaded[-1], list) else (len(loaded) - 1,)
    line, column = Positions("a", text, root).at(("a", *last))
    wanted = "'0,5'" if form == "a word" else numbers(40_000)[-1]
    assert text.splitlines()[line - 1][column - 1 :].startswith(wanted)


def test_a_run_is_one_node():
    root = compose("a: [1, .nan, [x, 'y']]", "a.yaml")
    listing = root.entries["a"][1]
    assert isinstance(listing, Listing)
    one, nothing, rest = data(root)["a"]
    assert (one, rest) == (1, ["x", "y"])
    assert isnan(nothing)
