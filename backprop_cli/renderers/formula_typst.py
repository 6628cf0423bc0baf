r"""Formulas in Typst, from the LaTeX that :mod:`~backprop_cli.renderers.formula_latex` prints: both are set alike.

Only what that module prints is understood; anything else is a KeyError, never markup. Signs are the characters
themselves, since Typst's names for them differ between releases; names stand in quotation marks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from backprop_cli.renderers.formula_latex import COMMANDS, ESCAPES, LETTERS
from backprop_cli.renderers.plain import one_line

_TOKEN = re.compile(r"\\left\||\\right\||\\[A-Za-z]+|\\[\\,]|\d+\.?\d*|\.\d+|\s+|.", re.DOTALL)
_SIGNS = {name: letter for letter, name in LETTERS.items()}
_SIGNS |= {r"\partial": "∂", r"\sum": "∑", r"\cdot": "⋅", r"\odot": "⊙", r"\times": "×", r"\top": "⊤"}
_SIGNS |= {r"\le": "≤", r"\ge": "≥", r"\ne": "≠", r"\,": "thin", r"\quad": "quad", r"\qquad": "quad quad"}
_SIGNS |= {r"\infty": "∞", r"\vdots": "⋮", r"\cdots": "⋯", r"\left": "", r"\right": ""}
_SIGNS |= {r"\left|": "lr(|", r"\right|": "|)"}
_SIGNS |= {f"\\{name}": f'op("{name}")' for name in COMMANDS}
_FUNCTIONS = {r"\frac": "frac", r"\sqrt": "sqrt", r"\hat": "hat", r"\cancel": "cancel", r"\mathbf": "bold"}
_ARGUMENTS = {r"\frac": 2}
_UPRIGHT = (r"\mathrm", r"\text")
_PLAIN = re.compile(r"[A-Za-z0-9.+\-=<>'()\[\],]+")
_BRACKETS = "()[]"
_BIG = (r"\Bigl", r"\Bigr")

_WRITTEN = {written: character for character, written in ESCAPES.items()}
_WRITTEN |= {f"${name}$": letter for letter, name in LETTERS.items()} | {"{}": ""}
_ESCAPED = re.compile("|".join(re.escape(written) for written in sorted(_WRITTEN, key=len, reverse=True)))


def typst(latex: str, *, is_broken: bool = False) -> str:
    """The formula without delimiters; of one that ``is_broken`` over lines, brackets need no partner on their line."""
    return _Translation(_TOKEN.findall(latex), is_broken).sequence()


def literal(text: str) -> str:
    """The text as a string of Typst, in which nothing is markup, on one line."""
    return json.dumps(one_line(text), ensure_ascii=False)


class _Translation:
    def __init__(self, tokens: Sequence[str], is_broken: bool) -> None:
        self.tokens, self.at = tokens, 0
        self.is_broken = is_broken

    def sequence(self, *ends: str) -> str:
        """Up to one of ``ends``, which is taken, or to the end."""
        parts: list[str] = []
        for part in self._parts(ends):
            if part == "'" and parts:
                parts[-1] += part  # a prime belongs to what it touches
            elif part:
                parts.append(part)
        return " ".join(parts)

    def _parts(self, ends: Sequence[str]) -> Iterator[str]:
        while self.at < len(self.tokens):
            token = self._next()
            if token in ends:
                return
            yield self._part(token)
        if ends:
            raise KeyError(ends[0])

    def _part(self, token: str) -> str:
        if token.isspace():
            return ""
        if token in "_^":
            return f"{token}({self._group()})"
        if token in _UPRIGHT:
            return literal(_unescaped(self._raw()))
        if token == r"\operatorname":
            return f"op({literal(_unescaped(self._raw()))})"
        if token in _FUNCTIONS:
            arguments = ", ".join(self._group() for _ in range(_ARGUMENTS.get(token, 1)))
            return f"{_FUNCTIONS[token]}({arguments})"
        if token == r"\begin":
            return self._cases()
        if token in _BIG:
            return rf"lr(size: #2.2em, \{self._next()})" if self.is_broken else ""
        if self.is_broken and token in _BRACKETS:
            return rf"\{token}"
        return token if _PLAIN.fullmatch(token) else _SIGNS[token]

    def _next(self) -> str:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def _group(self) -> str:
        """What stands in braces, on one line with all of its brackets."""
        self._expect("{")
        outside, self.is_broken = self.is_broken, False
        inside = self.sequence("}")
        self.is_broken = outside
        return inside

    def _raw(self) -> str:
        """The text in braces, as it is."""
        self._expect("{")
        start, depth = self.at, 1
        while depth:
            token = self._next()
            depth += (token == "{") - (token == "}") if self.tokens[self.at - 2] != "\\" else 0
        return "".join(self.tokens[start : self.at - 1])

    def _cases(self) -> str:
        kind = self._raw()
        outside, self.is_broken = self.is_broken, False
        rows = []
        while True:
            row = [self.sequence("&"), self.sequence(r"\\", r"\end")]
            rows.append(" & ".join(row))
            if self.tokens[self.at - 1] == r"\end":
                break
        self.is_broken = outside
        if kind != "cases" or self._raw() != kind:
            raise KeyError(kind)
        return f"cases({', '.join(rows)})"

    def _expect(self, token: str) -> None:
        if self._next() != token:
            raise KeyError(token)


def _unescaped(latex: str) -> str:
    """The text that LaTeX prints as :func:`~backprop_cli.renderers.formula_latex.escaped` wrote it."""
    return _ESCAPED.sub(lambda found: _WRITTEN[found[0]], latex)
