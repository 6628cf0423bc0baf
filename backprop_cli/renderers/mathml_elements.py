"""The elements that formulas as MathML are made of: operators, names and numbers, rows. Texts are escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from backprop_cli.renderers.plain import visible

Elements = tuple[str, ...]


def escaped(text: str) -> str:
    """Text that a page shows as it stands, between tags and in attributes."""
    return escape(visible(text))


def tag(name: str, *children: str, role: str = "") -> str:
    colour = f' class="{escaped(role)}"' if role else ""
    return f"<{name}{colour}>{''.join(children)}</{name}>"


def identifier(text: str) -> Elements:
    return (f"<mi>{escaped(text)}</mi>",)


def number(text: str) -> Elements:
    return (f"<mn>{escaped(text)}</mn>",)


def grouped(elements: Iterable[str]) -> str:
    return tag("mrow", *elements)


def in_one(elements: Sequence[str]) -> str:
    """One element, for where a tag takes a fixed number of them."""
    return elements[0] if len(elements) == 1 else grouped(elements)


def infix(sign: str) -> str:
    """An operator between two parts, also where it begins a line."""
    return f'<mo form="infix">{escape(sign)}</mo>'


PLUS, MINUS, EQUALS = map(infix, "+−=")
TIMES, HADAMARD = map(infix, "⋅⊙")
OF_MATRICES = '<mo form="infix" lspace="0.1667em" rspace="0">\N{INVISIBLE TIMES}</mo>'
NEGATIVE = '<mo form="prefix">−</mo>'
COMMA = '<mo separator="true">,</mo>'
NO_COMMA = "<mo>\N{INVISIBLE SEPARATOR}</mo>"
APPLIED = "<mo>\N{FUNCTION APPLICATION}</mo>"
PRIME = '<mo form="postfix" lspace="0" rspace="0">′</mo>'  # raised and small in itself
TRANSPOSE = '<mo lspace="0" rspace="0">⊤</mo>'
PARTIAL = "<mi>∂</mi>"
DIFFERENTIAL = '<mi mathvariant="normal">d</mi>'
THIN_SPACE = '<mspace width="0.1667em"/>'
LOOSE = frozenset((PLUS, MINUS, EQUALS))
TIGHT = frozenset((TIMES, HADAMARD, OF_MATRICES))
TALL = ("<mfrac", "<munder", "<mtable", "<msqrt")
