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
from backprop_cli.translation import Sentences, grouped, marked, tr

LONGEST_TEXT = 10_000
LONGEST_NUMBER = 40
MOST_TOKENS = 2_000

Kind: TypeAlias = Literal["name", "number", "operator"]

_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_OPERATOR = re.compile(r"\*\*|==|!=|<=|>=|[-+*/<>=(),\[\]]")
_WRITE_INSTEAD = Sentences(
    {
        "^": marked("write ** for a power"),
        "²": marked("write **2"),
        "³": marked("write **3"),
        "×": marked("write *"),
        "·": marked("write *"),
        "⋅": marked("write *"),
        "∗": marked("write *"),
        "⊙": marked("write *"),
        "÷": marked("write /"),
        "−": marked("write -"),
        "–": marked("write -"),
        "≤": marked("write <="),
        "≥": marked("write >="),
        "≠": marked("write !="),
        "√": marked("write sqrt(...)"),
        "∑": marked("write sum(..., j)"),
        "{": marked("write ( and )"),
        "}": marked("write ( and )"),
        ":": marked("positions are written one by one, as in W[i,j]"),
        "'": marked("there are no quotes and no primes in formulas"),
        '"': marked("there are no quotes in formulas"),
        "@": marked("write a matrix product as sum(W[i,j]*x[j], j)"),
        "&": marked("multiply conditions: (a > 0)*(b > 0)"),
        "%": marked("there is no remainder"),
        "!": marked("write != for 'is not equal'"),
        "#": marked("comments belong to the YAML, outside the formula"),
    }
)


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
        message = tr("the formula has {number} characters; at most {most} are allowed")
        raise FormulaError(message.format(number=grouped(len(text)), most=grouped(LONGEST_TEXT)), 0)
    found: list[Token] = []
    for token in _scan(text):
        if len(found) == MOST_TOKENS:
            message = tr("the formula has more than {most} symbols").format(most=grouped(MOST_TOKENS))
            raise FormulaError(message, token.offset)
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
        raise FormulaError(tr("a name begins with a letter, not with '_'"), at)
    message = tr("unexpected character {character}").format(character=repr(text[at]))
    if text[at] in _WRITE_INSTEAD:
        message += tr("; ") + _WRITE_INSTEAD[text[at]]
    raise FormulaError(message, at)


def _name_end(text: str, at: int) -> int:
    end = at + 1
    while end < len(text) and (text[end] == "_" or unicodedata.category(text[end])[:2] in _INSIDE_NAMES):
        end += 1
    return end


# Combining marks belong to the letter before them: ŷ may be typed as y and a circumflex.
_INSIDE_NAMES = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Mn", "Mc"})


def _check_number(text: str, at: int) -> None:
    if len(text) > LONGEST_NUMBER:
        message = tr("a number of {number} characters; at most {most} are allowed")
        raise FormulaError(message.format(number=len(text), most=LONGEST_NUMBER), at)
    value = float(text)
    if value == float("inf"):
        raise FormulaError(tr("{number} is too large for a float64").format(number=text), at)
    if value == 0 and re.search("[1-9]", re.split("[eE]", text)[0]):
        raise FormulaError(tr("{number} is too small for a float64").format(number=text), at)
