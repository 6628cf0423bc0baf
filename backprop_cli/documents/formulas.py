"""Folding over formulas, without recursion, so that no depth of nesting can exhaust the stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from backprop_cli.language import tree
from backprop_cli.language.walking import parts, walk

T = TypeVar("T")


def fold(node: tree.Node, combine: Callable[[tree.Node, Sequence[T]], T]) -> T:
    """``combine`` of every node and what its parts came to, from the leaves up."""
    stack: list[tuple[tree.Node, int]] = [(node, -1)]
    results: list[T] = []
    while stack:
        top, count = stack.pop()
        if count < 0:
            inner = parts(top)
            stack.append((top, len(inner)))
            stack.extend((part, -1) for part in reversed(inner))
        else:
            first = len(results) - count
            results[first:] = [combine(top, results[first:])]
    return results[0]


def places(node: tree.Node) -> Iterator[tree.Place]:
    """Every place in a formula, left to right, those in positions and in derivatives included."""
    return (inner for inner in walk(node) if isinstance(inner, tree.Place))


def holds_matrices(node: tree.Node) -> bool:
    """Whether a formula is one of the matrix view, where ``|W|`` would read as a determinant."""
    return any(isinstance(inner, tree.Matrix | tree.Gradient) for inner in walk(node))
