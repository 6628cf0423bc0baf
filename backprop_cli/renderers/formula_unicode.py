"""Formulas as a terminal shows them: ``∂J/∂wᵢⱼ⁽²⁾ = ∂J/∂aᵢ⁽²⁾ · σ′(zᵢ⁽²⁾) · aⱼ⁽¹⁾``.

A slash binds tighter than a dot, a Σ reaches to the end of its product, ``[k ≤ i]`` is 1 where it holds and 0
elsewhere, and ``{ a if c, b otherwise }`` is a choice. What is left out is struck through, character by character.
Names and positions without small letters stand in brackets, ``w_xh⁽¹⁾[i,j]``, as do numbers that would run together.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi
from typing import NamedTuple, TypeGuard

from backprop_cli.documents.formulas import fold, holds_matrices, with_two_sided
from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.library.functions import FUNCTIONS
from backprop_cli.renderers.glyphs import (
    COMPARISONS,
    FROM_SUPERSCRIPT,
    HADAMARD,
    MINUS,
    TIMES,
    struck_through,
    subscript,
    superscript,
)
from backprop_cli.renderers.precedence import Level, Printed
from backprop_cli.translation import tr


class Piece(NamedTuple):
    """A run of characters with one meaning: the role of the quantity they name, ``gradient`` (of J), ``local`` (any
    other derivative), ``function``, ``number``, ``index``; ``compare``, ``break`` and ``join`` are what a line may be
    broken at: the sign between two sides, a loose and a tight operator."""

    text: str
    role: str = ""


_Pieces = tuple[Piece, ...]
_Shown = Printed[_Pieces]


def render(node: tree.Node, names: Names) -> str:
    """The formula in one line."""
    return "".join(piece.text for piece in pieces(node, names))


def pieces(node: tree.Node, names: Names) -> tuple[Piece, ...]:
    """The formula in one line, cut into pieces that can be coloured and broken over lines."""
    return fold(node, lambda part, kids: _combine(part, kids, names)).body


def _combine(node: tree.Node, kids: Sequence[_Shown], names: Names) -> _Shown:
    match node:
        case tree.Number(text):
            return _number(text if text != "π" or names.is_free("π") else str(pi))
        case tree.Place():
            return _place(node, kids, names)
        case tree.Apply(function):
            return _apply(function, node, kids, names)
        case tree.Prime(function):
            return Printed((Piece(f"{_function(function, names)}′", "function"), *_bracketed(kids[0])))
        case tree.Reduction(operation, _, indices):
            return _reduction(operation, indices, kids[0], names)
        case tree.Negative():
            return _negated(kids[0])
        case tree.Add():
            return Printed(_sum(kids), Level.SUM, kids[-1].reaches)
        case tree.Product(factors) | tree.Hadamard(factors):
            return _product(TIMES if isinstance(node, tree.Product) else HADAMARD, factors, kids)
        case tree.Quotient():
            return _quotient(node, kids)
        case tree.Power(_, exponent):
            return Printed((*_in(kids[0], Level.ATOM), *_exponent(exponent, kids[1])), Level.POWER)
        case tree.Comparison():
            return _comparison(node, kids, names)
        case tree.Partial(of):
            return _derivative(_plain(kids[0]), _plain(kids[1]), "gradient" if of.name == names.cost else "local")
        case tree.Differential(of):
            space = (Piece(" "),) if names.is_set_apart(of.name) else ()
            return Printed((Piece("d", "gradient"), *space, *kids[0].body), Level.POWER)
        case tree.Struck():
            return Printed(
                tuple(piece._replace(text=struck_through(piece.text)) for piece in kids[0].body), Level.PRODUCT
            )
        case tree.Matrix(name):
            return Printed((Piece(_whole(name, names), names[name].role),))
        case tree.Gradient(name, delta):
            if delta and names[name].layer and names.is_free("δ"):
                return Printed((Piece("δ" + _above(names[name].layer), "gradient"),))
            return _derivative(names.cost, _whole(name, names), "gradient")
        case tree.StepGradient(_, name):
            return _derivative(_plain(kids[0]), _whole(name, names), "gradient")
        case tree.Jacobian(of, by):
            return _derivative(_whole(of, names), _whole(by, names), "local")
        case tree.Transposed(operand):
            inner = _bracketed(kids[0]) if isinstance(operand, tree.Transposed) else _in(kids[0], Level.ATOM)
            return Printed((*inner, Piece("ᵀ")))
        case tree.MatrixProduct():
            return Printed(_joined(Piece(" ", "join"), [_in(kid, Level.ATOM) for kid in kids]), Level.QUOTIENT)
        case tree.Ones(rows, columns):
            size = rows.text if columns.text == "1" else f"{rows.text}x{columns.text}"
            return Printed((Piece(f"1{subscript(size)}"),))
        case tree.Identity(size):
            return Printed((Piece(f"{'I' if names.is_free('I') else 'Id'}{subscript(size.text)}"),))
        case tree.Diagonal():
            return Printed((Piece("diag"), *_bracketed(kids[0])))
        case tree.OneHot(_, size):
            return Printed((Piece(f"onehot{subscript(size.text)}"), *_bracketed(kids[0])))
    return Printed(_joined(Piece(" = ", "break"), [kid.body for kid in kids]), Level.EQUALITY)


def _plain(printed: _Shown) -> str:
    return "".join(piece.text for piece in printed.body)


def _outside(printed: _Shown) -> _Pieces:
    return printed.body if printed.bare is None else printed.bare


def _bracketed(*arguments: _Shown) -> _Pieces:
    return (Piece("("), *_joined(Piece(", "), [_outside(argument) for argument in arguments]), Piece(")"))


def _in(printed: _Shown, level: Level) -> _Pieces:
    return printed.body if printed.level >= level else (Piece("("), *printed.body, Piece(")"))


def _joined(separator: Piece, parts: Sequence[_Pieces]) -> _Pieces:
    result = list(parts[0])
    for part in parts[1:]:
        result.append(separator)
        result.extend(part)
    return tuple(result)


def _number(text: str) -> _Shown:
    mantissa, exponent, power = text.lower().partition("e")
    if not exponent:
        return Printed((Piece(text, "number"),))
    return Printed((Piece(f"{mantissa}×10{superscript(str(int(power)))}", "number"),), Level.QUOTIENT)


def _above(layer: str) -> str:
    return superscript(f"({layer})") if layer else ""


def _whole(name: str, names: Names) -> str:
    return names[name].array + _above(names[name].layer)


def _place(node: tree.Place, kids: Sequence[_Shown], names: Names) -> _Shown:
    shown = names[node.name]
    role = shown.role if node.name in names else "index"
    small = _small([_plain(kid) for kid in kids], shown.is_crowded) if shown.is_one_glyph else None
    if small is not None or not kids:
        text = shown.element + (small or "") + _above(shown.layer)
        return Printed((Piece(text, role),), Level.POWER if text[-1] in FROM_SUPERSCRIPT else Level.ATOM)
    inside = ",".join("".join(piece.text for piece in _outside(kid)).replace(" ", "") for kid in kids)
    return Printed((Piece(f"{shown.element}{_above(shown.layer)}[{inside}]", role),))


def _small(positions: Sequence[str], is_crowded: bool) -> str | None:
    """Positions below the line, where every one is a letter or a digit that cannot run into the next."""
    for position in positions:
        if len(position) > 1 and not (len(positions) == 1 and position.isdigit()):
            return None
        if is_crowded and position.isdigit():
            return None
    return subscript("".join(positions))


def _indices(indices: Sequence[str]) -> str:
    return _small(indices, is_crowded=False) or f"[{','.join(indices)}]"


def _function(name: str, names: Names) -> str:
    symbol = FUNCTIONS[name].symbol if name in FUNCTIONS else name
    return symbol if names.is_free(symbol) else name


def _apply(function: str, node: tree.Apply, kids: Sequence[_Shown], names: Names) -> _Shown:
    if function == "where" and len(kids) == 3:
        when, otherwise = tr("if"), tr("otherwise")
        chosen = (Piece("{ "), *kids[1].body, Piece(f" {when} ", "join"), *_outside(kids[0]), Piece(","))
        return Printed((*chosen, Piece(" ", "break"), *kids[2].body, Piece(f" {otherwise} }}")))
    if function == "sqrt" and len(kids) == 1:
        return Printed((Piece("√"), *_in(kids[0], Level.ATOM)), Level.POWER)
    if function == "abs" and len(kids) == 1 and "|" not in _plain(kids[0]) and not holds_matrices(node):
        return Printed((Piece("|"), *_outside(kids[0]), Piece("|")))
    return Printed((Piece(_function(function, names), "function"), *_bracketed(*kids)))


def _reduction(operation: str, indices: Sequence[str], body: _Shown, names: Names) -> _Shown:
    if operation != "sum":
        return Printed((Piece(operation + _indices(indices), "function"), *_bracketed(body)))
    sign = "Σ" if names.is_free("Σ") else "∑"
    return Printed((Piece(f"{sign}{_indices(indices)} "), *_in(body, Level.PRODUCT)), Level.PRODUCT, reaches=True)


def _negated(printed: _Shown) -> _Shown:
    body = (Piece(MINUS), *_in(printed, Level.PRODUCT))
    return Printed(body, Level.NEGATIVE, printed.reaches, unsigned=printed)


def _sum(kids: Sequence[_Shown]) -> _Pieces:
    result = list(_in(kids[0], Level.NEGATIVE))
    for kid in kids[1:]:
        sign, term = (" + ", kid) if kid.unsigned is None else (f" {MINUS} ", kid.unsigned)
        result += [Piece(sign, "break"), *_in(term, Level.PRODUCT)]
    return tuple(result)


def _product(sign: str, factors: Sequence[tree.Node], kids: Sequence[_Shown]) -> _Shown:
    factors, kids = with_two_sided(factors, kids, _two_sided)
    if kids[0].unsigned is not None:
        return _negated(_product(sign, factors, (kids[0].unsigned, *kids[1:])))
    parts = [_in(kid, Level.ATOM if kid.reaches else Level.QUOTIENT) for kid in kids[:-1]]
    parts.append(kids[-1].body if _is_sum(factors[-1]) else _in(kids[-1], Level.QUOTIENT))
    return Printed(_joined(Piece(sign, "join"), parts), Level.PRODUCT, kids[-1].reaches)


def _quotient(node: tree.Quotient, kids: Sequence[_Shown]) -> _Shown:
    above, below = kids
    if above.unsigned is not None:
        return _negated(_quotient(node, (above.unsigned, below)))
    if _is_sum(node.denominator) and not isinstance(node.denominator.body, tree.Product | tree.Quotient):
        return Printed((*_in(above, Level.POWER), Piece(" / ", "join"), *below.body), Level.QUOTIENT, reaches=True)
    bottom = _in(below, Level.POWER)
    slash = Piece("/", "join" if any(piece.text == "(" for piece in bottom) else "")
    return Printed((*_in(above, Level.POWER), slash, *bottom), Level.QUOTIENT)


def _is_sum(node: tree.Node) -> TypeGuard[tree.Reduction]:
    return isinstance(node, tree.Reduction) and node.operation == "sum"


def _exponent(node: tree.Node, printed: _Shown) -> _Pieces:
    digits = node.operand if isinstance(node, tree.Negative) else node
    if isinstance(digits, tree.Number) and digits.text.isdigit():
        return (Piece(superscript(("-" if digits is not node else "") + digits.text)),)
    return (Piece("^"), *_in(printed, Level.ATOM))


def _comparison(node: tree.Comparison, kids: Sequence[_Shown], names: Names) -> _Shown:
    sign = f" {COMPARISONS[node.operator]} "
    sides = (_side(kids[0]), _side(kids[1]))
    bare = (*sides[0], Piece(sign), *sides[1])
    if node.operator == "==" and names.is_free("δ") and all(_is_index(side, names) for side in (node.left, node.right)):
        small = _small([_plain(kid) for kid in kids], is_crowded=False)
        if small is not None:
            return Printed((Piece(f"δ{small}", "function"),), bare=bare)
    return Printed((Piece("["), *_joined(Piece(sign, "compare"), sides), Piece("]")), bare=bare, sides=sides)


def _side(printed: _Shown) -> _Pieces:
    """A side of a comparison; of mere indices and numbers it is one piece, which no line is broken in."""
    found = _in(printed, Level.SUM)
    is_position = all(piece.role in ("", "index", "number", "break", "join") for piece in found)
    return (Piece("".join(piece.text for piece in found), "index"),) if is_position else found


def _two_sided(low: _Shown, high: _Shown) -> _Shown:
    assert low.sides is not None
    assert high.sides is not None
    inside = _joined(Piece(f" {COMPARISONS['<=']} "), [low.sides[1], low.sides[0], high.sides[1]])
    return Printed((Piece("["), *inside, Piece("]")))


def _is_index(node: tree.Node, names: Names) -> bool:
    if isinstance(node, tree.Number):
        return node.text.isdigit()
    return isinstance(node, tree.Place) and not node.positions and node.name not in names


def _derivative(of: str, by: str, role: str) -> _Shown:
    return Printed((Piece(f"∂{of}/∂{by}", role),), Level.QUOTIENT)
