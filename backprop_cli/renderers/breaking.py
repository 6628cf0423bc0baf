"""Formulas in lines: where a formula that is too long is broken, and how it goes on.

A line is broken before an operator, rather outside brackets than inside and rather at a plus than at a dot, as in print.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from backprop_cli.renderers.formula_unicode import Piece

SHORTEST = 0.35  # of a line: a looser operator that stands before this is passed over for a tighter one after it
_TIGHT = (" · ", " ⊙ ")


def width(pieces: Sequence[Piece]) -> int:
    return sum(cell_len(piece.text) for piece in pieces)


def broken(pieces: Sequence[Piece], first: int, rest: int) -> list[tuple[Piece, ...]]:
    """The formula in lines of at most ``first`` and then ``rest`` characters, each further line beginning with its
    operator. What cannot be broken at an operator is cut."""
    lines: list[tuple[Piece, ...]] = []
    remaining = list(pieces)
    available = first
    while width(remaining) > available:
        at = _best_break(remaining, available)
        if at is None:
            head, remaining = _cut(remaining, max(available, 1))
            lines.append(head)
        else:
            lines.append(tuple(remaining[:at]))
            operator = remaining[at]
            remaining = [operator._replace(text=operator.text.lstrip()), *remaining[at + 1 :]]
        available = rest
    return [*lines, tuple(remaining)]


def _best_break(pieces: Sequence[Piece], available: int) -> int | None:
    """The operator before which to break: the loosest of those that leave a line of fair length, the last among equals."""
    candidates: list[tuple[int, int, int]] = []
    depth = position = 0
    for at, piece in enumerate(pieces):
        if piece.role == "break" and 0 < at and position <= available:
            candidates.append((2 * depth + (piece.text in _TIGHT), -position, at))
        depth += _opened(piece.text)
        position += cell_len(piece.text)
    long_enough = [found for found in candidates if -found[1] >= SHORTEST * available]
    if long_enough:
        return min(long_enough)[2]
    return max(candidates, key=lambda found: -found[1])[2] if candidates else None


def _opened(text: str) -> int:
    return sum(text.count(bracket) for bracket in "([{") - sum(text.count(bracket) for bracket in ")]}")


def _cut(pieces: Sequence[Piece], available: int) -> tuple[tuple[Piece, ...], list[Piece]]:
    """The first ``available`` characters and the rest; between pieces where possible."""
    head: list[Piece] = []
    for at, piece in enumerate(pieces):
        if width([*head, piece]) > available:
            if head:
                return tuple(head), list(pieces[at:])
            return (piece._replace(text=piece.text[:available]),), [
                piece._replace(text=piece.text[available:]),
                *pieces[1:],
            ]
        head.append(piece)
    return tuple(head), []
