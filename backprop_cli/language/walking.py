"""Going through a syntax tree: the parts of a node, all nodes below it, and the same node with other parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

from backprop_cli.language.tree import Node


def parts(node: Node) -> tuple[Node, ...]:
    """The nodes directly below this one, left to right."""
    found: list[Node] = []
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, tuple):
            found.extend(part for part in value if not isinstance(part, str | int))
        elif not isinstance(value, str | bool):
            found.append(value)
    return tuple(found)


def walk(node: Node) -> Iterator[Node]:
    """The node and all nodes below it, each before its parts, left to right."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(parts(current)))


def rebuilt(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node with ``change`` made to each of its parts; itself where no part changes."""
    changed: dict[str, Any] = {}
    for field in fields(node):
        value: Any = getattr(node, field.name)
        if isinstance(value, tuple):
            new = tuple(part if isinstance(part, str | int) else change(part) for part in value)
            if any(a is not b for a, b in zip(new, value, strict=True)):
                changed[field.name] = new
        elif not isinstance(value, str | bool):
            part = change(value)
            if part is not value:
                changed[field.name] = part
    return replace(node, **changed) if changed else node
