"""Folding over formulas, without recursion, so that no depth of nesting can exhaust the stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from typing import TypeVar, get_args

from backprop_cli.language import tree
from backprop_cli.language.walking import walk

T = TypeVar("T")

_PLAIN = ("str", "bool", "tuple[str, ...]", "tuple[int, ...]")  # fields that hold no formulas
_FIELDS: dict[type, tuple[tuple[str, bool], ...]] = {
    kind: tuple((f.name, str(f.type).startswith("tuple")) for f in fields(kind) if f.type not in _PLAIN)
    for kind in get_args(tree.Node)
}


def fold(node: tree.Node, combine: Callable[[tree.Node, Sequence[T]], T]) -> T:
    """``combine`` of every node and what its parts came to, from the leaves up."""
    stack: list[tuple[tree.Node, int]] = [(node, -1)]
    results: list[T] = []
    while stack:
        top, count = stack.pop()
        if count >= 0:
            first = len(results) - count
            results[first:] = [combine(top, results[first:])]
            continue
        inner = _parts(top)
        if inner:
            stack.append((top, len(inner)))
            stack.extend((part, -1) for part in reversed(inner))
        else:
            results.append(combine(top, ()))
    return results[0]


def _parts(node: tree.Node) -> list[tree.Node]:
    """The parts of a node, left to right. Printing visits every node of every formula, so this is worth a table."""
    found: list[tree.Node] = []
    for name, is_several in _FIELDS[type(node)]:
        value = getattr(node, name)
        if is_several:
            found.extend(value)
        else:
            found.append(value)
    return found


def is_two_sided(first: tree.Node, second: tree.Node) -> bool:
    """Whether two factors say e ≥ a and e ≤ b of one e: together they are written ``[a ≤ e ≤ b]``."""
    return (
        isinstance(first, tree.Comparison)
        and isinstance(second, tree.Comparison)
        and (first.operator, second.operator) == (">=", "<=")
        and first.left == second.left
    )


def with_two_sided(
    factors: Sequence[tree.Node], printed: Sequence[T], joined: Callable[[T, T], T]
) -> tuple[list[tree.Node], list[T]]:
    """The factors and how each is printed, those that make one bracket ``joined``."""
    nodes: list[tree.Node] = []
    texts: list[T] = []
    for node, text in zip(factors, printed, strict=True):
        if nodes and is_two_sided(nodes[-1], node):
            nodes[-1], texts[-1] = node, joined(texts[-1], text)
        else:
            nodes.append(node)
            texts.append(text)
    return nodes, texts


def places(node: tree.Node) -> Iterator[tree.Place]:
    """Every place in a formula, left to right, those in positions and in derivatives included."""
    return (inner for inner in walk(node) if isinstance(inner, tree.Place))


def holds_matrices(node: tree.Node) -> bool:
    """Whether a formula is one of the matrix view, where ``|W|`` would read as a determinant."""
    return any(isinstance(inner, tree.Matrix | tree.Gradient) for inner in walk(node))
