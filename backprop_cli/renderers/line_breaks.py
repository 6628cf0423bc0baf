"""Where lines of text are broken that is no plain English: between Chinese characters, not at blanks that must hold.

As in print no line begins with a closing sign of punctuation and none ends with an opening one.
"""

from __future__ import annotations

import re

from rich.cells import cell_len

KEPT = "\N{NO-BREAK SPACE}"
CLOSING = "、。，；：？！）」』》〉】…"
OPENING = "（「『《〈【"
# A run of narrow characters or one wide one, with the signs that stay at it and the blanks behind it.
PIECE = re.compile(
    rf"[{OPENING}]*(?:[^\u2E80-\u9FFF\uF900-\uFAFF\uFF00-\uFFEF \n]+|[^ \n])[{CLOSING}]*(?: +|(?=\n)|$)?|[ \n]+"
)


def breaks(text: str, width: int) -> list[int] | None:
    """The places after which lines of at most ``width`` columns begin; None for text that can be broken at any blank
    and nowhere else."""
    if KEPT not in text and cell_len(text) == len(text):
        return None
    found: list[int] = []
    column = 0
    for piece in PIECE.finditer(text):
        size = cell_len(piece[0].rstrip(" \n"))
        if column and column + size > width:
            found.append(piece.start())
            column = 0
        at = piece.start()
        while size > width:  # a word that is longer than a line
            at += _fitting(text[at : piece.end()], width)
            found.append(at)
            size = cell_len(text[at : piece.end()].rstrip(" \n"))
            column = 0
        column = 0 if "\n" in piece[0] else column + cell_len(text[at : piece.end()])
    return found


def _fitting(text: str, width: int) -> int:
    """How many characters fit, one at least."""
    count = 1
    while count < len(text) and cell_len(text[: count + 1]) <= width:
        count += 1
    return count
