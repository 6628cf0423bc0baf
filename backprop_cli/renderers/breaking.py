"""Formulas in lines: where a formula that is too long is broken, and how it goes on.

A line is broken before an operator, rather outside brackets than inside and at a plus than at a dot, as in print. The
terms of a sum stand whole where they can; one that is longer than a line goes on further to the right than the next
term begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from rich.cells import cell_len

from backprop_cli.renderers.formula_unicode import Piece

SHORT = 3  # what an almost empty line costs; an operator inside one more pair of brackets costs 2
DEEPEST = 0.4  # of a line: how far brackets may push a line to the right
STEP = 2  # further to the right for each bracket that is open
_COSTS = {"compare": -0.5, "break": 0, "join": 1}

BrokenLine: TypeAlias = tuple[int, tuple[Piece, ...]]


def width(pieces: Sequence[Piece]) -> int:
    """The number of characters."""
    return sum(cell_len(piece.text) for piece in pieces)


def broken(
    pieces: Sequence[Piece], first: float, rest: float, measure: Callable[[str], float] | None = None
) -> list[BrokenLine]:
    """The formula in lines of at most ``first`` and then ``rest`` characters, each with how far it stands to the right.

    Each further line begins with its operator, the further to the right the more brackets are open. What cannot be
    broken at an operator is cut; where another ``measure`` than the number of characters is given, it stays longer.
    """
    return _Breaker(measure or cell_len, is_cutting=measure is None).lines(pieces, first, rest)


class _Breaker(NamedTuple):
    measure: Callable[[str], float]
    is_cutting: bool

    def width(self, pieces: Sequence[Piece]) -> float:
        return sum(self.measure(piece.text) for piece in pieces)

    def lines(self, pieces: Sequence[Piece], first: float, rest: float) -> list[BrokenLine]:
        if self.width(pieces) <= first:
            return [(0, tuple(pieces))]
        terms = _terms(pieces)
        if len(terms) == 1:
            return self.chopped(pieces, first, rest)
        lines: list[BrokenLine] = []
        is_full = True
        for term in terms:
            head = lines[-1][1] if lines else ()
            if not is_full and self.width([*head, *term]) <= (rest if len(lines) > 1 else first):
                lines[-1] = (0, (*head, *term))
                continue
            (_, top), *below = self.chopped(_without_blank(term), rest if lines else first, rest - STEP)
            lines += [(0, top), *((right + STEP, line) for right, line in below)]
            is_full = bool(below)
        return lines

    def chopped(self, pieces: Sequence[Piece], first: float, rest: float) -> list[BrokenLine]:
        """One term in lines, each as full as it gets."""
        lines: list[BrokenLine] = []
        remaining = list(pieces)
        available, right, depth = first, 0, 0
        while self.width(remaining) > available:
            at = self.best_break(remaining, available)
            if at is not None:
                head, remaining = tuple(remaining[:at]), _without_blank(remaining[at:])
            elif self.is_cutting:
                head, remaining = _cut(remaining, max(int(available), 1))
            else:
                break
            lines.append((right, head))
            depth += sum(_opened(piece.text) for piece in head)
            right = min(STEP * max(depth, 0), int(DEEPEST * rest))
            available = rest - right
        return [*lines, (right, tuple(remaining))]

    def best_break(self, pieces: Sequence[Piece], available: float) -> int | None:
        """The operator before which to break: the looser, the less enclosed and the further right the better."""
        best: tuple[float, int] | None = None
        depth, position = 0, 0.0
        for at, piece in enumerate(pieces):
            is_within = position <= available or (best is None and not self.is_cutting)
            if piece.role in _COSTS and at > 0 and is_within:
                cost = 2 * depth + _COSTS[piece.role] + SHORT * (1 - position / available) ** 2
                best = min(best, (cost, at)) if best is not None else (cost, at)
            depth += _opened(piece.text)
            position += self.measure(piece.text)
        return best[1] if best is not None else None


def _terms(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """The terms of a sum, each with the sign before it."""
    terms: list[list[Piece]] = [[]]
    depth = 0
    for piece in pieces:
        if piece.role == "break" and depth == 0 and terms[-1]:
            terms.append([])
        terms[-1].append(piece)
        depth += _opened(piece.text)
    return terms


def _without_blank(pieces: Sequence[Piece]) -> list[Piece]:
    return [pieces[0]._replace(text=pieces[0].text.lstrip()), *pieces[1:]]


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
