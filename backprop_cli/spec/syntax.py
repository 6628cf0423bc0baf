"""What ruamel.yaml says about broken YAML, in words that tell authors what to do about it."""

from __future__ import annotations

import re

from ruamel.yaml.error import MarkedYAMLError

from backprop_cli.spec.wording import listed
from backprop_cli.translation import Sentences, marked, tr

_TOKENS = Sentences(
    {
        "<stream end>": marked("the end of the text"),
        "<document start>": "'---'",
        "<document end>": "'...'",
        "<block mapping start>": marked("a key"),
        "<block sequence start>": marked("a list"),
        "<block end>": marked("the end of a block"),
        "<scalar>": marked("a text"),
        "<alias>": marked("an alias"),
        "<anchor>": marked("an anchor"),
        "<tag>": marked("a tag"),
        "<directive>": marked("a directive"),
    }
)
# (what ruamel.yaml says, what we say, whether the place is where the broken value begins)
_WORDINGS = (
    (r"could not find expected ':'", marked("expected 'key: value'; there is no ':' here"), True),
    (
        r"mapping values are not allowed here",
        marked("':' makes no key here; a text with ': ' in it needs quotes, a nested key a line of its own"),
        False,
    ),
    (
        r"sequence entries are not allowed here",
        marked("'- ' makes no list here; start the list on a line of its own"),
        False,
    ),
    (r"found character '\\t' that cannot start any token", marked("a tab; YAML is indented with spaces"), False),
    (
        r"found character (?P<what>.+) that cannot start any token",
        marked("a text cannot begin with {what}; put it in quotes"),
        False,
    ),
    (r"found unexpected end of stream", marked("this quote is never closed"), True),
    (r"found unexpected document separator", marked("this quote is never closed"), True),
    (
        r"found unknown escape character (?P<what>.+)",
        marked("no escape is called {what}; in '...' a backslash is just itself"),
        False,
    ),
    (
        r"expected <block end>, but found (?P<what>.+)",
        marked("{what} does not fit here; is the indentation right?"),
        False,
    ),
    (r"expected the node content, but found (?P<what>.+)", marked("expected a value, not {what}"), False),
    (r"expected ',' or '\]', but got '\['", marked("'[' inside a list; a formula between [ and ] needs quotes"), False),
    (
        r"expected (?P<expected>'.'(?: or '.')+), but got (?P<what>.+)",
        marked("expected {expected}, not {what}{begun}"),
        False,
    ),
    (
        r"expected '<document start>', but found (?P<what>.+)",
        marked("{what} does not fit here; is the indentation right?"),
        False,
    ),
)


def syntax_problem(error: MarkedYAMLError) -> tuple[int, str]:
    """The index in the text, and the wording, of a scanner's or parser's error."""
    said = error.problem or ""
    mark = error.problem_mark
    if mark is not None and mark.buffer[mark.pointer] == "[":
        said = said.replace("'<scalar>'", "'['")  # a list that was read in one step
    for pattern, wording, at_start in _WORDINGS:
        if found := re.fullmatch(pattern, said):
            parts = {name: _token(part) for name, part in found.groupdict().items()}
            if "expected" in parts:
                parts["expected"] = listed(parts["expected"].split(" or "))
            begun = ""
            if error.context_mark is not None:
                begun = tr(" (it begins on line {line})").format(line=error.context_mark.line + 1)
            return _index(error, at_start), no_yaml(tr(wording).format(begun=begun, **parts))
    return _index(error, False), no_yaml(": ".join(part for part in (error.context, said) if part))


def no_yaml(reason: str) -> str:
    """What is wrong with a text that is no YAML at all."""
    return tr("not valid YAML: {reason}").format(reason=reason)


def _token(part: str) -> str:
    # ruamel.yaml writes some tokens as the tuple that holds their name
    name = part.strip("'(),")
    if name in _TOKENS:
        return _TOKENS[name]
    return part


def _index(error: MarkedYAMLError, at_start: bool) -> int:
    marks = [error.problem_mark, error.context_mark]
    mark = next(mark for mark in (reversed(marks) if at_start else marks) if mark is not None)
    return int(mark.index)
