"""The words of a formula: names, numbers and operators, each with the place where it stands in the text.

Names begin with a letter of any alphabet and are kept exactly as written: two names that merely look alike stay two
names, and Python's own words (``lambda``, ``in``) are names like any other. Numbers are plain decimals that a float64
can hold. Everything else that people write on paper (``^``, ``×``, ``2x``) is refused with what to write instead.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from backprop_cli.errors import BackpropError

LONGEST_TEXT = 10_000
LONGEST_NUMBER = 40
MOST_TOKENS = 2_000

Kind: TypeAlias = Literal["name", "number", "operator"]

_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_OPERATOR = re.compile(r"\*\*|==|!=|<=|>=|[-+*/<>=(),\[\]]")
_WRITE_INSTEAD = {
    "^": "write ** for a power",
    "²": "write **2",
    "³": "write **3",
    "×": "write *",
    "·": "write *",
    "⋅": "write *",
    "∗": "write *",
    "⊙": "write *",
    "÷": "write /",
    "−": "write -",
    "–": "write -",
    "≤": "write <=",
    "≥": "write >=",
    "≠": "write !=",
    "√": "write sqrt(...)",
    "∑": "write sum(..., j)",
    "{": "write ( and )",
    "}": "write ( and )",
    ":": "positions are written one by one, as in W[i,j]",
    "'": "there are no quotes and no primes in formulas",
    '"': "there are no quotes in formulas",
    "@": "write a matrix product as sum(W[i,j]*x[j], j)",
    "&": "multiply conditions: (a > 0)*(b > 0)",
    "%": "there is no remainder",
    "!": "write != for 'is not equal'",
    "#": "comments belong to the YAML, outside the formula",
}


class FormulaError(BackpropError):
    """A formula that cannot be read; ``offset`` counts characters from 0 in its text."""

    def __init__(self, message: str, offset: int) -> None:
        self.message = message
        self.offset = offset
        super().__init__(message)


class Token(NamedTuple):
    kind: Kind
    text: str
    offset: int

    @property
    def end(self) -> int:
        return self.offset + len(self.text)


def is_name(text: str) -> bool:
    """Whether the text can name a quantity or an index: a letter of any alphabet, then letters, digits, marks and _."""
    return bool(text) and text[0].isalpha() and _name_end(text, 0) == len(text)


def tokens(text: str) -> list[Token]:
    """All tokens of a formula; blanks and line ends only separate them.

    Raises FormulaError at the first character or number that cannot stand in a formula, or where it is too long.
    """
    if len(text) > LONGEST_TEXT:
        raise FormulaError(f"the formula has {len(text):,} characters; at most {LONGEST_TEXT:,} are allowed", 0)
    found: list[Token] = []
    for token in _scan(text):
        if len(found) == MOST_TOKENS:
            raise FormulaError(f"the formula has more than {MOST_TOKENS:,} symbols", token.offset)
        found.append(token)
    return found


def _scan(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token = _token_at(text, at)
        yield token
        at = token.end


def _token_at(text: str, at: int) -> Token:
    if match := _NUMBER.match(text, at):
        _check_number(match[0], at)
        return Token("number", match[0], at)
    if match := _OPERATOR.match(text, at):
        return Token("operator", match[0], at)
    if text[at].isalpha():
        return Token("name", text[at : _name_end(text, at)], at)
    if text[at] == "_":
        raise FormulaError("a name begins with a letter, not with '_'", at)
    hint = _WRITE_INSTEAD.get(text[at], "")
    raise FormulaError(f"unexpected character {text[at]!r}" + (f"; {hint}" if hint else ""), at)


def _name_end(text: str, at: int) -> int:
    end = at + 1
    while end < len(text) and (text[end] == "_" or unicodedata.category(text[end])[:2] in _INSIDE_NAMES):
        end += 1
    return end


# Combining marks belong to the letter before them: ŷ may be typed as y and a circumflex.
_INSIDE_NAMES = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Mn", "Mc"})


def _check_number(text: str, at: int) -> None:
    if len(text) > LONGEST_NUMBER:
        raise FormulaError(f"a number of {len(text)} characters; at most {LONGEST_NUMBER} are allowed", at)
    value = float(text)
    if value == float("inf"):
        raise FormulaError(f"{text} is too large for a float64", at)
    if value == 0 and re.search("[1-9]", re.split("[eE]", text)[0]):
        raise FormulaError(f"{text} is too small for a float64", at)
