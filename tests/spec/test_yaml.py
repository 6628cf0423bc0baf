"""YAML 1.2: the core schema, one plain document, and syntax errors in words that help."""

from __future__ import annotations

from math import inf, isnan

import pytest

from backprop_cli.errors import SpecError
from backprop_cli.spec.nodes import data
from backprop_cli.spec.yaml import compose

COLON = "':' makes no key here; a text with ': ' in it needs quotes, a nested key a line of its own"


def load(text):
    return data(compose(text, "a.yaml"))


def problems(text):
    with pytest.raises(SpecError) as error:
        compose(text, "a.yaml")
    return str(error.value).splitlines()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-2", 0.01),
        (".5", 0.5),
        ("5.", 5.0),
        ("+12e03", 12000.0),
        ("-3", -3),
        ("01", 1),
        ("0x10", 16),
        ("0o17", 15),
        (".inf", inf),
        ("-.INF", -inf),
        ("~", None),
        ("null", None),
        ("", None),
        ("true", True),
        ("False", False),
        ("on", "on"),
        ("yes", "yes"),
        ("y", "y"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2001-01-01", "2001-01-01"),
        ("0b1", "0b1"),
        ("nan", "nan"),
        ("tRue", "tRue"),
        ("'1'", "1"),
        ('"\\x41\\u00e9"', "Aé"),
        ("!!str 1", "1"),
        ("!!float 1", 1.0),
        ("|-\n  a\n  b", "a\nb"),
        (">-\n  a\n  b", "a b"),
    ],
)
@pytest.mark.parametrize("form", ["a: {}\n", "- {}\n"])
def test_core_schema(form, text, value):
    document = load(form.format(text))
    found = document["a"] if isinstance(document, dict) else document[0]
    assert found == value
    assert type(found) is type(value)


def test_nan_and_lists():
    assert isnan(load("a: .nan")["a"])
    assert load("[1, [.5, x y], {a: ~}, ]") == [1, [0.5, "x y"], {"a": None}]
    assert load("%YAML 1.2\n---\na: &x [1, {b: 2}]\nc: *x\n...\n") == {"a": [1, {"b": 2}], "c": [1, {"b": 2}]}
    assert load("on: {y: 1}\n? n\n: 2") == {"on": {"y": 1}, "n": 2}


def test_every_key_that_is_given_twice():
    assert problems("a: 1\nb: {c: 1, c: 2}\na: 3") == [
        "a.yaml:2:11: the key 'c' is given twice, first on line 2",
        "a.yaml:3:1: the key 'a' is given twice, first on line 1",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1: the spec is empty"),
        ("# nothing\n", "1:1: the spec is empty"),
        ("---\n...\n", "1:1: the spec is empty"),
        ("a: 1\n---\nb: 2", "2:1: a second document starts here; a spec is one document"),
        ("a: *b", "1:4: the alias *b has no anchor &b before it"),
        ("a: &b [1, *b]", "1:11: the alias *b stands inside the very value that it repeats"),
        ("a: &b {c: {d: *b}}", "1:15: the alias *b stands inside the very value that it repeats"),
        ("[1, 2]: 3", "1:1: a key must be text, not a list or a mapping"),
        ("? {a: 1}\n: 3", "1:3: a key must be text, not a list or a mapping"),
        ("a: !!python/name:x y", "1:4: the tag !!python/name:x does not belong here; a spec is plain data"),
        ("a: !!int x", "1:4: the tag !!int does not belong here; a spec is plain data"),
        ("a: !mine [1]", "1:4: the tag !mine does not belong here; a spec is plain data"),
        ("a: b: c", f"1:5: not valid YAML: {COLON}"),
        ("a: 'abc", "1:4: not valid YAML: this quote is never closed"),
        ("a:\n\t- 1", "2:1: not valid YAML: a tab; YAML is indented with spaces"),
        ("a: [1,\n 2", "2:3: not valid YAML: expected ',' or ']', not the end of the text (it begins on line 1)"),
        ("a: {b: 1", "1:9: not valid YAML: expected ',' or '}', not the end of the text (it begins on line 1)"),
        ("a: [z[i] = 1]", "1:6: not valid YAML: '[' inside a list; a formula between [ and ] needs quotes"),
        ("a: 1\nfoo\nb: 2", "2:1: not valid YAML: expected 'key: value'; there is no ':' here"),
        ("a: @x", "1:4: not valid YAML: a text cannot begin with '@'; put it in quotes"),
        ('a: "\\q"', "1:6: not valid YAML: no escape is called 'q'; in '...' a backslash is just itself"),
        ('a: "\\UFFFFFFFF"', "1:7: not valid YAML: a malformed escape or directive"),
        ("a: - b", "1:4: not valid YAML: '- ' makes no list here; start the list on a line of its own"),
        ("- 1\na: 2", "2:1: not valid YAML: a key does not fit here; is the indentation right?"),
        ("a: 1\n- b", "2:1: not valid YAML: '-' does not fit here; is the indentation right?"),
        ("a: }", "1:4: not valid YAML: expected a value, not '}'"),
        ("a: [1,,2]", "1:7: not valid YAML: expected a value, not ','"),
        ("a: \0", "1:4: the character U+0000 cannot stand in YAML; is this a text file?"),
        ("a: \x1b[31m", "1:4: the character U+001B cannot stand in YAML; is this a text file?"),
        ('a: "\\e[31m"', "1:4: the control character U+001B in a text"),
        ('a: "\\uD800"', "1:4: the control character U+D800 in a text"),
    ],
)  # fmt: skip
def test_broken_yaml(text, problem):
    assert problems(text) == [f"a.yaml:{problem}"]


def test_lines_are_counted_as_editors_count_them():
    assert problems("a: 1\r\nb: 2\rc: 3\n  d: *e")[0].startswith("a.yaml:4:4: ")
    assert problems("α: 1\nββ: *e") == ["a.yaml:2:5: the alias *e has no anchor &e before it"]
