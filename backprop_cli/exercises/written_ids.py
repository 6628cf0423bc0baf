"""Ids of cells and of variants as students and their programs write them."""

from __future__ import annotations

import re

_SPREADSHEET_NUMBER = re.compile(r"(\d+)[.,]0+")
_NAMED = re.compile(r"(?P<name>[^=≈:]+)(?:=|≈|:)(?P<answer>.*)", re.DOTALL)


def compact(cell: str) -> str:
    """An id without the blanks that do not matter in it."""
    return re.sub(r"\s*([\[\],/=])\s*", r"\1", " ".join(cell.split()))


def without_name(cell: str, text: str) -> str:
    """The answer alone, where its cell stands before it once more: of ``z1[1] = 0.25`` in the cell ``z1[1]``."""
    found = _NAMED.fullmatch(text)
    return found["answer"].strip() if found and compact(found["name"]) == compact(cell) else text


def variant_id(text: str) -> str:
    """The number of a variant as a key has it, also where a spreadsheet has made ``1.0`` of it."""
    found = _SPREADSHEET_NUMBER.fullmatch(text)
    return found[1] if found else text
