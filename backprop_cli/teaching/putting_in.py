"""A formula with its numbers put in, as it is written at the board between the formula and the result."""

from __future__ import annotations

from backprop_cli.language import tree
from backprop_cli.language.walking import rebuilt, walk
from backprop_cli.teaching.numbers import Numbers
from backprop_cli.teaching.rounding import Rounding

MOST_PARTS = 96  # of a formula into which numbers are put


def numbers_put_in(formula: tree.Node, numbers: Numbers, rounding: Rounding) -> tree.Node | None:
    """The formula with rounded numbers in place of quantities, gradients, slopes and changes; None where it is too long
    for that, adds up over an index, or holds what has no number."""
    nodes = list(walk(formula))
    if len(nodes) > MOST_PARTS or any(isinstance(node, tree.Reduction) for node in nodes) or not numbers.has(formula):
        return None

    def put_in(node: tree.Node) -> tree.Node:
        if isinstance(node, tree.Place | tree.Partial | tree.Prime | tree.Differential):
            return rounding.tree(numbers.of(node))
        return rebuilt(node, put_in)

    return put_in(formula)
