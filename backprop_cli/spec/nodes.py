"""The nodes of a YAML document: plain data together with the place of every part in the text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from backprop_cli.spec.runs import Run
from backprop_cli.spec.scalars import Plain


@dataclass(slots=True, eq=False)
class Scalar:
    """A single value from ``start`` to ``end`` in the text; ``style`` is its quote, ``|``, ``>`` or None."""

    start: int
    end: int
    value: Plain
    style: str | None = None
    weight: int = 1


@dataclass(slots=True, eq=False)
class Listing:
    """A list that was read in one step."""

    start: int
    run: Run
    weight: int = 1


@dataclass(slots=True, eq=False)
class Sequence:
    start: int
    items: list[Node] = field(default_factory=list)
    weight: int = 1


@dataclass(slots=True, eq=False)
class Mapping:
    """``entries`` holds each key's value with the key's own node."""

    start: int
    entries: dict[Plain, tuple[Scalar, Node]] = field(default_factory=dict)
    weight: int = 1


Node: TypeAlias = Scalar | Listing | Sequence | Mapping


def data(root: Node) -> Any:
    """The plain Python data of a document: an aliased node's data is one object, however often it is used.

    The document is as deep as the limits allow, so recursion is safe.
    """
    made: dict[int, Any] = {}

    def build(node: Node) -> Any:
        if isinstance(node, Scalar):
            return node.value
        if id(node) not in made:
            match node:
                case Listing():
                    made[id(node)] = node.run.data()
                case Sequence():
                    made[id(node)] = [build(item) for item in node.items]
                case Mapping():
                    made[id(node)] = {key: build(value) for key, (_, value) in node.entries.items()}
        return made[id(node)]

    return build(root)


def place(root: Node, path: tuple[int | str, ...], *, key: bool = False) -> tuple[int, Scalar | None]:
    """Where the value at the path begins (its key, if asked for), and its node where it is a scalar.

    A path that leads nowhere stands where its last part that exists does.
    """
    node: Node = root
    at_key: Scalar | None = None
    for depth, part in enumerate(path):
        at_key = None
        match node:
            case Mapping() if part in node.entries:
                at_key, node = node.entries[part]
            case Sequence() if isinstance(part, int) and part < len(node.items):
                node = node.items[part]
            case Listing():
                return _place_in_run(node.run, path[depth:])
            case _:
                break
    if key and at_key is not None:
        return at_key.start, at_key
    return node.start, node if isinstance(node, Scalar) else None


def _place_in_run(run: Run, path: tuple[int | str, ...]) -> tuple[int, Scalar | None]:
    start, end = run.locate(path)
    written = run.text[start:end]
    if written in ("[", "-"):
        return start, None
    if written[0] in "'\"":
        return start, Scalar(start, end, written[1:-1], written[0])
    return start, Scalar(start, end, written)
