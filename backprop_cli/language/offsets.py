"""Where the nodes of a syntax tree begin in the text that they were read from."""

from __future__ import annotations

from backprop_cli.language.tree import Node


class Offsets:
    """Character offsets, from 0, of nodes by identity: equal nodes at different places keep their own.

    It keeps the nodes alive, so that an identity never comes to mean another node.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Node, int]] = {}

    def note(self, node: Node, offset: int) -> Node:
        """Remember where the node begins, unless it is known already; returns the node."""
        self._known.setdefault(id(node), (node, offset))
        return node

    def of(self, node: Node) -> int:
        """Where the node begins; 0, the start of the text, for a node that was not read from it."""
        return self._known[id(node)][1] if id(node) in self._known else 0
