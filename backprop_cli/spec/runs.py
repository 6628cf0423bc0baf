"""Runs: long lists of plain scalars, which are found and read by regular expressions instead of token by token.

A run is a flow list such as ``[0.1, 0.2, [3, 4]]`` or the lines of a block list such as ``- 0.1``, of words and quoted
words without anchors or tags. Everything else is left to the parser, which gives the same result slowly
(about 25 µs a number, where a run costs less than one).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from backprop_cli.spec.scalars import resolve

_NESTED = 5  # lists inside each other: a batch of channels x height x width, and one more
_PLAIN = r"[-+]?\.?\w(?:[\w.+-]|[ ]++(?=[\w.+-]))*+"
_QUOTED = r"""'[\w.,+ -]*+'(?!')|"[\w.,+ -]*+\""""  # what people write for a number by mistake, such as '1,5'
_SCALAR = rf"(?:{_PLAIN}|{_QUOTED})"
_BLANK = r"(?:[ \t\r\n]++(?:#[^\r\n\0]*+)?)*+"
_TOKEN = re.compile(rf"#[^\r\n]*|[\[\]]|{_SCALAR}")
_NO_JSON = re.compile(r"#[^\r\n]*|,\s*(?=\])")  # comments, and commas behind the last entry


def _flow_pattern(nested: int) -> str:
    item = _SCALAR if nested == 1 else rf"(?:{_SCALAR}|{_flow_pattern(nested - 1)})"
    return rf"\[(?:{_BLANK}{item}{_BLANK}(?:,|(?=\])))++{_BLANK}\]"


# Compiled when first used: together they take as long to compile as all else that a small spec needs.
_FLOW = _flow_pattern(_NESTED)
_ITEM = rf"(?:{_SCALAR}|{_flow_pattern(_NESTED)})"
_COMMENT = r"(?:#[^\r\n\0]*+)?"
_BLANK_LINES = rf"(?:[ \t]*+{_COMMENT}\r?\n)*+"
_LINE_END = rf"(?:[ \t]++{_COMMENT})?(?:\r?\n|(?=\0))"
_FIRST_LINE = rf"-[ ]++{_ITEM}{_LINE_END}"
_MORE_LINES = rf"(?={_BLANK_LINES}(?P<indent> *+)-)(?:{_BLANK_LINES}(?P=indent)-[ ]++{_ITEM}{_LINE_END})++"
_ENTRY = rf"(?m:(?:\A|^ *+)-[ ]++({_ITEM}))"
_AFTER = rf"{_BLANK_LINES}( *+)([^\0]?)"


@dataclass(frozen=True, slots=True)
class Run:
    """A run in ``text`` from ``start`` to ``end``; ``column`` is where a block list's dashes stand, from 0."""

    text: str
    start: int
    end: int
    column: int | None = None

    @property
    def size(self) -> int:
        """At most how many scalars the run holds."""
        return 1 + self.text.count("," if self.column is None else "\n", self.start, self.end)

    def data(self) -> list[Any]:
        """The nested lists of the scalars' values."""
        source = self.text[self.start : self.end]
        if self.column is not None:
            source = f"[{','.join(source[start:end] for start, end in self._entries())}]"
        source = _NO_JSON.sub("", source)
        try:
            return list(json.loads(source, parse_constant=_no_number))
        except ValueError:
            return _read(source)

    def locate(self, path: tuple[int | str, ...]) -> tuple[int, int]:
        """From where to where the entry at the path stands in the text; the outermost list's place, if there is none.

        A list's place is its first character.
        """
        if self.column is None or not path:
            return self._locate(self.start, self.end, path)
        for place, (start, end) in enumerate(self._entries()):
            if place == path[0]:
                return self._locate(self.start + start, self.start + end, path[1:])
        return self.start, self.start + 1

    def _locate(self, start: int, end: int, path: tuple[int | str, ...]) -> tuple[int, int]:
        wanted, here = list(path), list[int]()
        for token in _TOKEN.finditer(self.text, start, end):
            if token[0] == "]":
                here.pop()
            if token[0] == "]" or token[0].startswith("#"):
                continue
            if here:
                here[-1] += 1
            if here == wanted:
                return token.span()
            if token[0] == "[":
                here.append(-1)
        return start, start + 1

    def _entries(self) -> Iterator[tuple[int, int]]:
        for entry in re.compile(_ENTRY).finditer(self.text[self.start : self.end]):
            yield entry.span(1)


def flow_run(text: str, start: int) -> Run | None:
    """The run that is the flow list at ``start``, if it is one."""
    found = re.compile(_FLOW).match(text, start)
    return Run(text, start, found.end()) if found else None


def block_run(text: str, start: int, column: int) -> Run | None:
    """The run that is the block list at ``start``, in this column, if it is one: up to the line behind it.

    ``text`` ends with NUL.
    """
    run = re.compile(_FIRST_LINE).match(text, start)
    if not run:
        return None
    more = re.compile(_MORE_LINES).match(text, run.end())
    if more and len(more["indent"]) == column:
        run = more
    after = re.compile(_AFTER).match(text, run.end())
    indentation, next_one = after.groups() if after else ("", "")
    if next_one == "\t" or (next_one and len(indentation) > column) or (next_one == "-" and len(indentation) == column):
        return None  # the last entry goes on, or another kind of entry follows
    return Run(text, start, run.end(), column)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is text in YAML")


def _read(source: str) -> list[Any]:
    outermost: list[Any] = []
    stack = [outermost]
    for token in _TOKEN.finditer(source):
        if token[0] == "[":
            stack[-1].append([])
            stack.append(stack[-1][-1])
        elif token[0] == "]":
            stack.pop()
        else:
            stack[-1].append(token[0][1:-1] if token[0][0] in "'\"" else resolve(token[0]))
    return list(outermost[0])
