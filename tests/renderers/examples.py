"""Formulas for exact tests, and short ways to write their trees."""

from __future__ import annotations

from backprop_cli.documents.names import Names, Shown
from backprop_cli.language import tree
from backprop_cli.language.walking import walk

NAMES = Names.given(
    [
        Shown("J", "J", "J", role="cost"),
        Shown("W2", "w", "W", "2", ("i", "j"), (3, 4), "parameter"),
        Shown("b2", "b", "b", "2", ("i",), (3,), "parameter"),
        Shown("z2", "z", "z", "2", ("i",), (3,), "weighted_sum"),
        Shown("a2", "a", "a", "2", ("i",), (3,), "activation"),
        Shown("a1", "a", "a", "1", ("i",), (4,), "activation"),
        Shown("W_hidden", "W_hidden", "W_hidden", "", ("i", "j"), (12, 4), "parameter"),
        Shown("V", "V", "V", "", ("i", "j"), (12, 4), "parameter"),
        Shown("w12", "w12", "w12"),
        Shown("beta", "β", "β"),
        Shown("yhat", "ŷ", "ŷ", "", ("k",), (3,)),
        Shown("x", "x", "x", "", ("j",), (12,), "input"),
        Shown("S", "S", "S"),
    ]
)


def number(text: str | float) -> tree.Number:
    return tree.Number(str(text))


def at(name: str, *positions: str | int | tree.Node) -> tree.Place:
    """``at("W2", "i", 1)`` is W2[i,1]."""
    nodes = tuple(
        p if not isinstance(p, str | int) else number(p) if isinstance(p, int) else tree.Place(p) for p in positions
    )
    return tree.Place(name, nodes)


def gradient(name: str, *positions: str | int) -> tree.Partial:
    return tree.Partial(tree.Place("J"), at(name, *positions))


def times(*factors: tree.Node) -> tree.Product:
    return tree.Product(factors)


def plus(*terms: tree.Node) -> tree.Add:
    return tree.Add(terms)


def minus(node: tree.Node) -> tree.Negative:
    return tree.Negative(node)


def over(above: tree.Node, below: tree.Node) -> tree.Quotient:
    return tree.Quotient(above, below)


def power(base: tree.Node, exponent: str | int | tree.Node) -> tree.Power:
    return tree.Power(base, number(exponent) if isinstance(exponent, str | int) else exponent)


def total(body: tree.Node, *indices: str) -> tree.Reduction:
    return tree.Reduction("sum", body, indices, tuple(_size(index, body) for index in indices))


def _size(index: str, body: tree.Node) -> int:
    """The size of the first axis at which the index stands alone."""
    for place in (node for node in walk(body) if isinstance(node, tree.Place)):
        for position, size in zip(place.positions, NAMES[place.name].shape, strict=False):
            if position == tree.Place(index):
                return size
    return 1


def apply(function: str, *arguments: tree.Node) -> tree.Apply:
    return tree.Apply(function, arguments)


def compare(left: tree.Node, operator: str, right: tree.Node) -> tree.Comparison:
    return tree.Comparison(operator, left, right)


def equal(*sides: tree.Node) -> tree.Equality:
    return tree.Equality(sides)
