"""What ruamel.yaml says about broken YAML, in words that tell authors what to do about it."""

from __future__ import annotations

import re

from ruamel.yaml.error import MarkedYAMLError

_TOKENS = {
    "<stream end>": "the end of the text",
    "<document start>": "'---'",
    "<document end>": "'...'",
    "<block mapping start>": "a key",
    "<block sequence start>": "a list",
    "<block end>": "the end of a block",
    "<scalar>": "a text",
    "<alias>": "an alias",
    "<anchor>": "an anchor",
    "<tag>": "a tag",
    "<directive>": "a directive",
}
# (what ruamel.yaml says, what we say, whether the place is where the broken value begins)
_WORDINGS = (
    (r"could not find expected ':'", "expected 'key: value'; there is no ':' here", True),
    (
        r"mapping values are not allowed here",
        "':' makes no key here; a text with ': ' in it needs quotes, a nested key a line of its own",
        False,
    ),
    (r"sequence entries are not allowed here", "'- ' makes no list here; start the list on a line of its own", False),
    (r"found character '\\t' that cannot start any token", "a tab; YAML is indented with spaces", False),
    (
        r"found character (?P<what>.+) that cannot start any token",
        "a text cannot begin with {what}; put it in quotes",
        False,
    ),
    (r"found unexpected end of stream", "this quote is never closed", True),
    (r"found unexpected document separator", "this quote is never closed", True),
    (
        r"found unknown escape character (?P<what>.+)",
        "no escape is called {what}; in '...' a backslash is just itself",
        False,
    ),
    (r"expected <block end>, but found (?P<what>.+)", "{what} does not fit here; is the indentation right?", False),
    (r"expected the node content, but found (?P<what>.+)", "expected a value, not {what}", False),
    (r"expected ',' or '\]', but got '\['", "'[' inside a list; a formula between [ and ] needs quotes", False),
    (r"expected (?P<expected>'.'(?: or '.')+), but got (?P<what>.+)", "expected {expected}, not {what}{begun}", False),
    (
        r"expected '<document start>', but found (?P<what>.+)",
        "{what} does not fit here; is the indentation right?",
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
            begun = "" if error.context_mark is None else f" (it begins on line {error.context_mark.line + 1})"
            return _index(error, at_start), f"not valid YAML: {wording.format(begun=begun, **parts)}"
    return _index(error, False), f"not valid YAML: {': '.join(part for part in (error.context, said) if part)}"


def _token(part: str) -> str:
    # ruamel.yaml writes some tokens as the tuple that holds their name
    return _TOKENS.get(part.strip("'(),"), part)


def _index(error: MarkedYAMLError, at_start: bool) -> int:
    marks = [error.problem_mark, error.context_mark]
    mark = next(mark for mark in (reversed(marks) if at_start else marks) if mark is not None)
    return int(mark.index)
