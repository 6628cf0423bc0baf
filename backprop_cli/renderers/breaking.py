"""Formulas in lines: where a formula that is too long is broken, and how it goes on.

A line is broken before an operator, rather outside brackets than inside and at a plus than at a dot, as in print.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from backprop_cli.renderers.formula_unicode import Piece

SHORT = 3  # what an almost empty line costs; an operator inside one more pair of brackets costs 2
DEEPEST = 0.4  # of a line: how far brackets may push a line to the right
STEP = 2  # further to the right for each bracket that is open
_COSTS = {"break": 0, "join": 1}


def width(pieces: Sequence[Piece]) -> int:
    return sum(cell_len(piece.text) for piece in pieces)


def broken(pieces: Sequence[Piece], first: int, rest: int) -> list[tuple[int, tuple[Piece, ...]]]:
    """The formula in lines of at most ``first`` and then ``rest`` characters, each with how far it stands to the right.

    Each further line begins with its operator, the further to the right the more brackets are open. What cannot be
    broken at an operator is cut.
    """
    lines: list[tuple[int, tuple[Piece, ...]]] = []
    remaining = list(pieces)
    available, right, depth = first, 0, 0
    while width(remaining) > available:
        at = _best_break(remaining, available)
        if at is None:
            head, remaining = _cut(remaining, max(available, 1))
        else:
            operator = remaining[at]
            head = tuple(remaining[:at])
            remaining = [operator._replace(text=operator.text.lstrip()), *remaining[at + 1 :]]
        lines.append((right, head))
        depth += sum(_opened(piece.text) for piece in head)
        right = min(STEP * max(depth, 0), int(DEEPEST * rest))
        available = rest - right
    return [*lines, (right, tuple(remaining))]


def _best_break(pieces: Sequence[Piece], available: int) -> int | None:
    """The operator before which to break: the looser, the less enclosed and the further right the better."""
    best: tuple[float, int] | None = None
    depth = position = 0
    for at, piece in enumerate(pieces):
        if piece.role in _COSTS and at > 0 and position <= available:
            cost = 2 * depth + _COSTS[piece.role] + SHORT * (1 - position / available) ** 2
            best = min(best, (cost, at)) if best is not None else (cost, at)
        depth += _opened(piece.text)
        position += cell_len(piece.text)
    return best[1] if best is not None else None


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
