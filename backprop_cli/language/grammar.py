"""The equation language: text to :mod:`backprop_cli.language.tree`, without evaluating anything.

    z[i] = sum(W[i,j]*x[j], j) + b[i]

The operators + - * / ** and the comparisons bind as in Python, whose own ``ast`` does the grouping. It never sees what
authors wrote: every name is replaced by ``n`` and every number by ``1`` first, so names stay as they are typed
(``lambda``, ``β``) and nothing but the shape of the formula reaches Python. Only the node kinds listed here pass.

Which names are quantities, indices or functions is not decided here: ``tanh(z)`` is an ``Apply`` whatever ``tanh`` is,
and ``flatten(x)[j]`` an ``Apply`` of flatten to x and j.
``max(e, k)`` and ``min(e, k)`` are reductions where ``k`` is a bare name that ``e`` uses as a position, and elementwise
otherwise.
"""

from __future__ import annotations

import ast
from bisect import bisect_left

from backprop_cli.language import tree, walking
from backprop_cli.language.magnitudes import check_magnitudes
from backprop_cli.language.offsets import Offsets
from backprop_cli.language.structure import FLATTEN, check_structure, split_equation
from backprop_cli.language.tokens import LONGEST_TEXT, FormulaError, Token, tokens
from backprop_cli.translation import tr

REDUCTIONS = frozenset({"sum", "mean", "max", "min", "argmax", "argmin"})
ELEMENTWISE_TOO = frozenset({"max", "min"})

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_DEEPEST = 100


def parse_equation(text: str, offsets: Offsets | None = None) -> tuple[tree.Place, tree.Node]:
    """Both sides of ``name = ...`` or ``name[i,j] = ...``.

    ``offsets`` is told where each node begins. Raises FormulaError.
    """
    left, right = split_equation(text, tokens(text))
    reader = _Reader(left, offsets)
    target = reader.read()
    if not isinstance(target, tree.Place):
        raise FormulaError(tr("the left side of an equation is one quantity, like z or z[i,j]"), left[0].offset)
    reader = _Reader(right, offsets)
    return target, reader.read()


def defined_name(text: str) -> str | None:
    """The name that an equation defines, even where the rest of it cannot be read; None where there is none."""
    try:
        found = tokens(text[:LONGEST_TEXT].partition("=")[0])
    except FormulaError:
        return None
    return found[0].text if found and found[0].kind == "name" else None


def parse_expression(text: str, offsets: Offsets | None = None) -> tree.Node:
    """One expression, without an equals sign. ``offsets`` is told where each node begins. Raises FormulaError."""
    return _Reader(tokens(text), offsets).read()


class _Reader:
    """One expression's tokens, and the Python syntax tree of the same shape."""

    def __init__(self, found: list[Token], offsets: Offsets | None) -> None:
        check_structure(found)
        self._tokens = found
        self._offsets = Offsets() if offsets is None else offsets
        stand_ins = {"name": "n", "number": "1"}
        pieces = [stand_ins.get(token.kind, token.text) for token in found]
        self._starts = [0]
        for piece in pieces:
            self._starts.append(self._starts[-1] + len(piece) + 1)
        self._source = " ".join(pieces)

    def read(self) -> tree.Node:
        start = self._tokens[0].offset
        try:
            parsed = ast.parse(self._source, mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise FormulaError(tr("this formula cannot be read"), start) from None
        node = self._node(parsed.body, 0)
        check_magnitudes(node, self._offsets)
        return node

    def _token(self, node: ast.expr) -> Token:
        """The token that a Python node begins with."""
        return self._tokens[bisect_left(self._starts, node.col_offset)]

    def _node(self, node: ast.expr, depth: int) -> tree.Node:
        token = self._token(node)
        if depth > _DEEPEST:
            raise FormulaError(tr("the formula is nested too deeply"), token.offset)
        result = self._convert(node, token, depth + 1)
        self._offsets.note(result, token.offset)
        return result

    def _convert(self, node: ast.expr, token: Token, depth: int) -> tree.Node:
        match node:
            case ast.Constant():
                return tree.Number(token.text)
            case ast.Name():
                return tree.Place(token.text)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return tree.Negative(self._node(operand, depth))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._node(operand, depth)
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return self._sum(node, depth)
            case ast.BinOp(op=ast.Mult()):
                return self._product(node, depth)
            case ast.BinOp(op=ast.Div(), left=left, right=right):
                return tree.Quotient(self._node(left, depth), self._node(right, depth))
            case ast.BinOp(op=ast.Pow(), left=left, right=right):
                return tree.Power(self._node(left, depth), self._node(right, depth))
            case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _COMPARISONS:
                symbol = _COMPARISONS[type(operator)]
                return tree.Comparison(symbol, self._node(left, depth), self._node(right, depth))
            case ast.Compare():
                raise FormulaError(tr("one comparison at a time; multiply two of them: (0 < z)*(z < 1)"), token.offset)
            case ast.Call(func=ast.Name(), args=arguments, keywords=[]):
                return self._call(token, [self._node(argument, depth) for argument in arguments])
            case ast.Subscript(value=ast.Call(func=ast.Name()) as call, slice=position):
                return self._flattened(token, self._node(call, depth), position, depth)
            case ast.Subscript(value=ast.Name(), slice=ast.Tuple(elts=positions)):
                return tree.Place(token.text, tuple(self._node(position, depth) for position in positions))
            case ast.Subscript(value=ast.Name(), slice=position):
                return tree.Place(token.text, (self._node(position, depth),))
            case ast.Tuple():
                message = tr(
                    "these brackets hold several values; a comma stands between the arguments of a function or the "
                    "positions of a quantity"
                )
                raise FormulaError(message, token.offset)
        raise FormulaError(tr("this cannot stand in a formula"), token.offset)

    def _flattened(self, name: Token, called: tree.Node, position: ast.expr, depth: int) -> tree.Node:
        """``flatten(x)[j]``, the only call whose result has positions."""
        if not isinstance(called, tree.Apply) or called.function != FLATTEN or isinstance(position, ast.Tuple):
            raise FormulaError(tr("positions in brackets stand behind a quantity, or behind flatten(x)"), name.offset)
        return tree.Apply(FLATTEN, (*called.arguments, self._node(position, depth)))

    def _sum(self, node: ast.expr, depth: int) -> tree.Node:
        # Walked along its left side, which is as long as the sum: recursion would end at a thousand terms.
        terms: list[tree.Node] = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            term = self._node(node.right, depth)
            if isinstance(node.op, ast.Sub):
                term = self._offsets.note(tree.Negative(term), self._offsets.of(term))
            terms.append(term)
            node = node.left
        terms.append(self._node(node, depth))
        return tree.Add(tuple(reversed(terms)))

    def _product(self, node: ast.expr, depth: int) -> tree.Node:
        factors: list[tree.Node] = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            factors.append(self._node(node.right, depth))
            node = node.left
        factors.append(self._node(node, depth))
        return tree.Product(tuple(reversed(factors)))

    def _call(self, name: Token, arguments: list[tree.Node]) -> tree.Node:
        if name.text not in REDUCTIONS:
            return tree.Apply(name.text, tuple(arguments))
        body, *rest = arguments
        indices = tuple(node.name for node in rest if isinstance(node, tree.Place) and not node.positions)
        all_bare = len(indices) == len(rest)
        if name.text in ELEMENTWISE_TOO:
            if not rest:
                message = tr("{name} takes two values, {name}(a, b), or an index to run over, {name}(z[k], k)")
                raise FormulaError(message.format(name=name.text), name.offset)
            if not all_bare or not set(indices) & used_as_positions(body):
                return tree.Apply(name.text, tuple(arguments))
        elif not rest:
            message = tr("{name} needs the index it runs over, as in {name}(x[j], j)").format(name=name.text)
            raise FormulaError(message, name.offset)
        elif not all_bare:
            wrong = next(node for node in rest if not isinstance(node, tree.Place) or node.positions)
            at = self._offsets.of(wrong)
            message = tr("after its first argument, {name} takes the names of indices").format(name=name.text)
            raise FormulaError(message, at)
        if len(set(indices)) < len(indices):
            message = tr("{name} runs over the same index twice").format(name=name.text)
            raise FormulaError(message, name.offset)
        return tree.Reduction(name.text, body, indices)


def used_as_positions(node: tree.Node) -> set[str]:
    """The bare names that stand in positions anywhere in the expression: ``{i, j, k}`` in ``W[i,j]*x[2*k+1]``."""
    found: set[str] = set()
    for inner in walking.walk(node):
        if isinstance(inner, tree.Place):
            inside = (part for position in inner.positions for part in walking.walk(position))
            found.update(part.name for part in inside if isinstance(part, tree.Place) and not part.positions)
    return found
