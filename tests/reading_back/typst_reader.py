r"""Reads back the mathematics of Typst that the tool prints: its own grammar of calls and strings, put into LaTeX."""

from __future__ import annotations

import json
import re

from tests.reading_back.grammar import UnreadableFormula
from tests.reading_back.latex_reader import COMMANDS, GREEK

TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\]|\\.)*")|lr\(size: #2\.2em, \\(?P<big>[()\[\]])\)|\\(?P<single>[()\[\]])'
    r"|(?P<bars>lr\(\|)|(?P<closed>\|\))"
    r"|(?P<word>[a-z]{2,})|(?P<number>\d+\.?\d*|\.\d+)|(?P<space>\s+)|(?P<sign>.)",
    re.DOTALL,
)
SIGNS = {letter: name for name, letter in GREEK.items()} | {
    "∂": r"\partial",
    "∑": r"\sum",
    "⋅": r"\cdot",
    "⊙": r"\odot",
}
SIGNS |= {"×": r"\times", "⊤": r"\top", "≤": r"\le", "≥": r"\ge", "≠": r"\ne"}
CALLS = {"frac": 2, "sqrt": 1, "hat": 1, "cancel": 1, "bold": 1}


def as_latex(formula: str) -> str:
    """The formula in the LaTeX that says the same; anything that Typst would read otherwise is refused."""
    tokens = [(found.lastgroup or "", found[found.lastgroup or 0]) for found in TOKEN.finditer(formula)]
    text = _Reader([token for token in tokens if token[0] != "space"]).until()
    text = re.sub(
        r"(\d) \\times 10 \^\{ ?(- )?(\d+) ?\}", lambda m: rf"{m[1]} \times 10^{{{'-' if m[2] else ''}{m[3]}}}", text
    )
    return text.replace(r"\left| ", r"\left|").replace(" '", "'")


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens, self.at = tokens, 0

    def until(self, *ends: str) -> str:
        """Up to one of ``ends`` outside all brackets; to the end where there are none."""
        parts: list[str] = []
        while self.at < len(self.tokens):
            if self.tokens[self.at][1] in ends and self.tokens[self.at][0] in ("sign", "closed"):
                self.at += 1
                return " ".join(parts)
            parts.append(self.part())
        if ends:
            raise UnreadableFormula(f"no {ends}")
        return " ".join(parts)

    def part(self) -> str:
        kind, text = self.tokens[self.at]
        self.at += 1
        match kind, text:
            case "string", '""':
                return ""
            case "string", _:
                return _upright(json.loads(text))
            case (("big" | "single"), _):
                return text
            case "bars", _:
                return rf"\left| {self.until('|)')} \right|"
            case "word", "op":
                self.expect("(")
                (_, name), self.at = self.tokens[self.at], self.at + 1
                self.expect(")")
                name = json.loads(name)
                return f"\\{name}" if f"\\{name}" in COMMANDS else rf"\operatorname{{{_escaped(name)}}}"
            case "word", "cases":
                self.expect("(")
                rows = [f"{self.until('&')} & {self.until(',')}", f"{self.until('&')} & {self.until(')')}"]
                return rf"\begin{{cases}} {rows[0]} \\ {rows[1]} \end{{cases}}"
            case "word", "thin":
                return r"\,"
            case "word", _ if text in CALLS:
                self.expect("(")
                name = {"bold": "mathbf"}.get(text, text)
                ends = [*[","] * (CALLS[text] - 1), ")"]
                return rf"\{name}" + "".join(f"{{{self.until(end)}}}" for end in ends)
            case "number", _:
                return text
            case "sign", ("_" | "^"):
                self.expect("(")
                return f"{text}{{{self.until(')')}}}"
            case "sign", ("(" | "["):
                return f"{text} {self.until(')' if text == '(' else ']')} {')' if text == '(' else ']'}"
            case "sign", _ if text in SIGNS or re.fullmatch(r"[A-Za-z+\-=<>',]", text):
                return SIGNS.get(text, text)
        raise UnreadableFormula(f"{text!r} at {self.at}")

    def expect(self, text: str) -> None:
        if self.tokens[self.at][1] != text:
            raise UnreadableFormula(f"expected {text}, not {self.tokens[self.at][1]}")
        self.at += 1


def _upright(text: str) -> str:
    if text in ("if ", "otherwise"):
        return rf"\text{{{text}}}"
    return rf"\mathrm{{{_escaped(text)}}}" if text.isascii() else rf"\text{{{_escaped(text)}}}"


def _escaped(text: str) -> str:
    return text.replace("_", r"\_")
