"""Formulas as students write them, read in the equation language with gradients ``dJ/dW1[1,2]`` in it.

Nothing is evaluated: the language's own parser makes a tree, and only quantities and functions that exist pass.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import prod

from sympy import Expr, Integer, Rational

from backprop_cli.errors import did_you_mean
from backprop_cli.exercises.nodes import Nodes
from backprop_cli.language import tree
from backprop_cli.language.grammar import parse_expression
from backprop_cli.language.tokens import FormulaError, Token, tokens
from backprop_cli.language.walking import walk
from backprop_cli.library.functions import FUNCTIONS
from backprop_cli.numeric.program import OUTPUT
from backprop_cli.symbolic.expansion import written_out
from backprop_cli.symbolic.functions import apply
from backprop_cli.symbolic.graph import Graph
from backprop_cli.symbolic.notation import Adjoint, Place, Reduce, by_step, fresh_index, is_by_step, plain_name
from backprop_cli.symbolic.translation import translate
from backprop_cli.translation import tr, tr_n

LONGEST = 2_000  # characters of an answer
MOST_TERMS = 2_000  # of all its sums together, written out
HIGHEST_POWER = 20
OF_A_STEP = "0"  # no author's name begins with it
_SIGNS = {"·": "*", "⋅": "*", "×": "*", "∗": "*", "÷": "/", "\N{MINUS SIGN}": "-", "\N{EN DASH}": "-"}
_SIGNS |= {"^": "**", "²": "**2", "³": "**3", "∂": "d", "≤": "<=", "≥": ">=", "≠": "!="}
_GRADIENT = re.compile(r"\bd(?P<cost>[^\W\d_]\w*)\s*/\s*d(?P<by>[^\W\d_]\w*)")
_OF_A_STEP = re.compile(r"\bd(?P<cost>[^\W\d_]\w*)\s*\[(?P<step>[^\[\]]*)\]\s*/\s*d(?P<by>[^\W\d_]\w*)\s*(?P<open>\[?)")


class UnreadableError(ValueError):
    """An answer that is no formula of the network's quantities; the text says why."""


def read(text: str, nodes: Nodes) -> Expr:
    """The formula over places with whole positions. Raises UnreadableError."""
    if len(text) > LONGEST:
        raise UnreadableError(tr("this formula is too long"))
    for sign, plain in _SIGNS.items():
        text = text.replace(sign, plain)
    symbols = {entry.symbol: entry.name for entry in FUNCTIONS.values() if entry.symbol != entry.name}
    for symbol, name in symbols.items():
        text = re.sub(rf"{re.escape(symbol)}\s*\(", f"{name}(", text)
    prefix = "gradient"
    while any(quantity.name.startswith(prefix) for quantity in nodes.graph.quantities):
        prefix += "G"
    cost = nodes.graph.cost or "J"
    text = _OF_A_STEP.sub(lambda found: _of_a_step(found, prefix, cost), text)
    text = _GRADIENT.sub(lambda found: f"{prefix}{found['by']}" if found["cost"] in (cost, "J") else found[0], text)
    left, equals, right = text.partition("=")
    if equals and not re.search(r"[<>=!]$", left) and not right.startswith("="):
        text = right  # "dJ/dW1[1,2] = …" says what is asked for once more
    try:
        node = parse_expression(_with_every_sign(text))
        if _length(node, nodes, prefix) > MOST_TERMS:
            raise UnreadableError(tr("this formula is too long"))
        return written_out(_Reading(nodes, prefix).expression(node, {}))
    except (FormulaError, TypeError, KeyError, RecursionError, ZeroDivisionError) as error:
        raise UnreadableError(str(error) or tr("this formula cannot be read")) from None


def _with_every_sign(text: str) -> str:
    """The formula with the signs of products that are left out, as in ``2(…)`` and ``(…)(…)``. Raises UnreadableError
    where such a product follows a division: ``1/2(…)`` is read in two ways."""
    written: list[str] = []
    divides = [False]  # whether the term that is read ends in a division, inside each open bracket
    before: Token | None = None
    for token in tokens(text):
        ends = before is not None and (before.kind == "number" or before.text in (")", "]"))
        if before is not None and ends and (token.kind == "name" or token.text == "("):
            if divides[-1]:
                shown = text[before.offset : token.end]
                raise UnreadableError(
                    tr("what is divided by is not clear at '{text}'; write * or /").format(text=shown)
                )
            written.append("*")
        if token.text in ("(", "["):
            divides.append(False)
        elif token.text in (")", "]") and len(divides) > 1:
            divides.pop()
        elif token.text == "/":
            divides[-1] = True
        elif token.kind == "operator" and token.text != "**" and not (before and before.text == "/"):
            divides[-1] = False
        written.append(token.text)
        before = token
    return " ".join(written)


def _of_a_step(found: re.Match[str], prefix: str, cost: str) -> str:
    """``dJ[2]/dh[1,1]`` as a gradient with the step of the cost as its first position."""
    if found["cost"] not in (cost, "J"):
        return found[0]
    return f"{prefix}{OF_A_STEP}{found['by']}[{found['step']}{',' if found['open'] else ']'}"


class _Reading:
    def __init__(self, nodes: Nodes, prefix: str) -> None:
        self.nodes, self.prefix = nodes, prefix

    def expression(self, node: tree.Node, bound: Mapping[str, Expr]) -> Expr:
        def leaf(part: tree.Place | tree.Reduction) -> Expr:
            return self._reduction(part, bound) if isinstance(part, tree.Reduction) else self._place(part, bound)

        for part in walk(node):
            if isinstance(part, tree.Power) and isinstance(part.exponent, tree.Number):
                if abs(Rational(part.exponent.text)) > HIGHEST_POWER:
                    raise UnreadableError(tr("the power {power} is too high").format(power=part.exponent.text))
            elif isinstance(part, tree.Apply) and part.function not in (*FUNCTIONS, "where"):
                raise UnreadableError(self._no_function(part.function))
        return translate(node, leaf, apply)

    def _no_function(self, name: str) -> str:
        if _quantity(name, self.nodes.graph, self.prefix)[0] in self.nodes.graph:
            message = tr("'{name}(' would be a function; a product needs its sign, {name}*(")
            return message.format(name=name.replace(self.prefix, "dJ/d"))
        return tr("there is no function '{name}'{hint}").format(name=name, hint=did_you_mean(name, FUNCTIONS))

    def _place(self, place: tree.Place, bound: Mapping[str, Expr]) -> Expr:
        if not place.positions and place.name in bound:
            return bound[place.name]
        name, is_gradient = _quantity(place.name, self.nodes.graph, self.prefix)
        graph = self.nodes.graph
        if name in graph and is_gradient and not self.nodes.has_gradient(name):
            raise UnreadableError(tr("{name} has no gradient").format(name=name))
        if name not in graph and is_by_step(name):
            message = tr("there is no gradient of the cost of one step by '{name}'")
            raise UnreadableError(message.format(name=plain_name(name)))
        if name not in graph:
            hint = did_you_mean(name, (q.name for q in graph.quantities if not is_by_step(q.name)))
            raise UnreadableError(tr("there is no quantity '{name}'{hint}").format(name=name, hint=hint))
        positions = tuple(self.expression(position, bound) for position in place.positions)
        if len(positions) != len(graph[name].shape):
            count = len(graph[name].shape) - is_by_step(name)
            message = tr_n("{name} has {count} position", "{name} has {count} positions", count)
            raise UnreadableError(message.format(name=plain_name(name), count=count))
        for position, size in zip(positions, graph[name].shape, strict=True):
            if position.is_Number and not (position.is_Integer and 1 <= position <= size):
                message = tr("{name} has no position {position}")
                raise UnreadableError(message.format(name=plain_name(name), position=position))
        return (Adjoint if is_gradient else Place)(name, *positions)

    def _reduction(self, node: tree.Reduction, bound: Mapping[str, Expr]) -> Expr:
        sizes = [_size(index, node.body, self.nodes, self.prefix) for index in node.indices]
        fresh = [fresh_index(index) for index in node.indices]
        value = self.expression(node.body, {**bound, **dict(zip(node.indices, fresh, strict=True))})
        operation = "sum" if node.operation == "mean" else node.operation
        for index, size in reversed(list(zip(fresh, sizes, strict=True))):
            value = Reduce(operation, value, index, size)
        return value / Integer(prod(sizes)) if node.operation == "mean" else value


def _quantity(name: str, graph: Graph, prefix: str) -> tuple[str, bool]:
    """The quantity that a name stands for, and whether its gradient is meant."""
    by = name.removeprefix(prefix)
    plain = by.removeprefix(OF_A_STEP) if by != name else by
    if plain == OUTPUT and plain not in graph and graph[graph.output].layer is not None:
        plain = graph.output
    return (by_step(plain) if by.startswith(OF_A_STEP) else plain), by != name


def _size(index: str, body: tree.Node, nodes: Nodes, prefix: str) -> int:
    """What an index runs to: the size of the axis it stands at."""
    for part in walk(body):
        if isinstance(part, tree.Place):
            name, _ = _quantity(part.name, nodes.graph, prefix)
            shape = nodes.graph[name].shape if name in nodes.graph else ()
            for position, size in zip(part.positions, shape, strict=False):
                if position == tree.Place(index):
                    return size
    raise UnreadableError(tr("what {index} runs over cannot be told").format(index=index))


def _length(node: tree.Node, nodes: Nodes, prefix: str) -> int:
    """How many terms the formula's sums have when they are written out."""
    total = 1
    for part in walk(node):
        if isinstance(part, tree.Reduction):
            total *= prod(_size(index, part.body, nodes, prefix) for index in part.indices)
    return total
