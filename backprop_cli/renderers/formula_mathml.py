"""Formulas as MathML Core, in the notation of the lecture notes: indices below a letter, its layer above.

:func:`element` is a formula as it stands in a page. Browsers do not break MathML over lines, so its loosest operators
each begin an ``mrow`` of their own, and a style sheet may let these flow like words. Names and numbers are escaped; a
quantity is of the class of its role, for colours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from math import pi
from typing import TypeGuard
from unicodedata import normalize

from backprop_cli.documents.formulas import fold, holds_matrices, with_two_sided
from backprop_cli.documents.names import HAT, Names, Shown
from backprop_cli.language import tree
from backprop_cli.library.functions import FUNCTIONS
from backprop_cli.renderers import formula_text
from backprop_cli.renderers.glyphs import COMPARISONS
from backprop_cli.renderers.mathml_elements import (
    APPLIED,
    COMMA,
    DIFFERENTIAL,
    EQUALS,
    HADAMARD,
    LOOSE,
    MINUS,
    NEGATIVE,
    NO_COMMA,
    OF_MATRICES,
    PARTIAL,
    PLUS,
    PRIME,
    TALL,
    THIN_SPACE,
    TIGHT,
    TIMES,
    TRANSPOSE,
    Elements,
    escaped,
    grouped,
    identifier,
    in_one,
    infix,
    number,
    tag,
)
from backprop_cli.renderers.precedence import Level, Printed
from backprop_cli.translation import tr

_Shown = Printed[Elements]


def element(node: tree.Node, names: Names) -> str:
    """The formula as a ``math`` element that also holds it in the equation language, as text to be read aloud.

    Within text too a fraction has the size that it has on a line of its own: a smaller one is unreadable on screens.
    """
    text = escaped(formula_text.render(node, names))
    return f'<math displaystyle="true" alttext="{text}">{_flowing(_body(node, names))}</math>'


def render(node: tree.Node, names: Names) -> str:
    """The formula as the content of a ``math`` element, in one row."""
    return "".join(_body(node, names))


def _body(node: tree.Node, names: Names) -> Elements:
    return fold(node, lambda part, kids: _combine(part, kids, names)).body


def _flowing(elements: Sequence[str]) -> str:
    """Terms, and factors in them, that can each begin a line."""
    terms = [_cut(term, TIGHT) for term in _cut(elements, LOOSE)]
    if len(terms) == 1:
        return "".join(map(grouped, terms[0]))
    return "".join(
        grouped(term[0]) if len(term) == 1 else f'<mrow class="term">{"".join(map(grouped, term))}</mrow>'
        for term in terms
    )


def _cut(elements: Sequence[str], signs: frozenset[str]) -> list[Sequence[str]]:
    starts = [place for place, found in enumerate(elements) if place and found in signs]
    return [elements[start:end] for start, end in zip([0, *starts], [*starts, len(elements)], strict=True)]


def _combine(node: tree.Node, kids: Sequence[_Shown], names: Names) -> _Shown:
    match node:
        case tree.Number(text):
            return _number(text) if text != "π" else Printed(identifier("π") if names.is_free("π") else number(str(pi)))
        case tree.Place():
            return _place(node, kids, names)
        case tree.Apply(function):
            return _apply(function, node, kids, names)
        case tree.Prime(function):
            return Printed((grouped((_function(function, names), PRIME)), APPLIED, _bracketed(_outside(kids[0]))))
        case tree.Reduction():
            return _reduction(node, kids[0], names)
        case tree.Negative():
            return _negated(kids[0])
        case tree.Add():
            return Printed(_sum(kids), Level.SUM, kids[-1].reaches)
        case tree.Product(factors) | tree.Hadamard(factors):
            return _product(TIMES if isinstance(node, tree.Product) else HADAMARD, factors, kids)
        case tree.Quotient():
            return _quotient(*kids)
        case tree.Power():
            return Printed((_raised(in_one(_in(kids[0], Level.ATOM)), in_one(kids[1].body)),), Level.POWER)
        case tree.Comparison():
            return _comparison(node, kids, names)
        case tree.Partial(of):
            return _derivative(kids[0].body, kids[1].body, is_gradient=of.name == names.cost)
        case tree.Differential(of):
            space = (THIN_SPACE,) if names.is_set_apart(of.name) else ()
            return Printed((DIFFERENTIAL, *space, *kids[0].body), Level.POWER)
        case tree.Struck():
            return Printed(_struck(kids[0].body), Level.PRODUCT)
        case tree.Matrix(name):
            return Printed(_whole(name, names))
        case tree.Gradient(name):
            if _is_delta(node, names):
                return Printed(_delta(name, names))
            return _derivative(_letter(names.cost), _whole(name, names), is_gradient=True)
        case tree.StepGradient(_, name):
            return _derivative(kids[0].body, _whole(name, names), is_gradient=True)
        case tree.Jacobian(of, by):
            return _derivative(_whole(of, names), _whole(by, names), is_gradient=False)
        case tree.Transposed(operand):
            return Printed(_transposed(operand, kids[0], names))
        case tree.MatrixProduct():
            return Printed(_joined(OF_MATRICES, [_in(kid, Level.POWER) for kid in kids]), Level.QUOTIENT)
        case tree.Ones(rows, columns):
            size = [number(rows.text)] if columns.text == "1" else [number(rows.text), number(columns.text)]
            return Printed((tag("msub", '<mn class="bold">1</mn>', in_one(_joined(infix("×"), size))),))
        case tree.Identity(size):
            return Printed((tag("msub", '<mi class="bold" mathvariant="normal">I</mi>', *number(size.text)),))
        case tree.Diagonal():
            return Printed((*identifier("diag"), APPLIED, _bracketed(kids[0].body)))
        case tree.OneHot(_, size):
            return Printed((tag("msub", *identifier("onehot"), *number(size.text)), APPLIED, _bracketed(kids[0].body)))
    return Printed(_joined(EQUALS, [kid.body for kid in kids]), Level.EQUALITY)


# elements


def _joined(separator: str, parts: Sequence[Elements]) -> Elements:
    result = list(parts[0])
    for part in parts[1:]:
        result += [separator, *part]
    return tuple(result)


def _bracketed(elements: Sequence[str], left: str = "(", right: str = ")") -> str:
    stretchy = str(any(tag in found for found in elements for tag in TALL)).lower()
    opening, closing = (
        f'<mo form="{form}" fence="true" stretchy="{stretchy}">{sign}</mo>'
        for form, sign in (("prefix", left), ("postfix", right))
    )
    return grouped((opening, *elements, closing))


def _in(printed: _Shown, level: Level) -> Elements:
    return printed.body if printed.level >= level else (_bracketed(printed.body),)


def _outside(printed: _Shown) -> Elements:
    return printed.body if printed.bare is None else printed.bare


def _raised(base: str, exponent: str) -> str:
    """An exponent stands above the positions of its base, not behind them."""
    if not base.startswith(("<msub>", "<msub ")):
        return tag("msup", base, exponent)
    above = tag("mrow", exponent, role="exponent")
    return f"<msubsup{base.removeprefix('<msub').removesuffix('</msub>')}{above}</msubsup>"


def _struck(elements: Elements) -> Elements:
    """Every factor struck out by itself, so that a long product can still be broken over lines."""
    result: list[str] = []
    for factor in _cut(elements, TIGHT):
        sign, rest = (factor[:1], factor[1:]) if result else ((), factor)
        result += [*sign, f'<menclose notation="horizontalstrike" class="struck">{"".join(rest)}</menclose>']
    return tuple(result)


# names


def _letter(text: str) -> Elements:
    base, hat, rest = normalize("NFD", text).partition(HAT)
    if hat and len(base) == 1 and not rest:
        return (f'<mover accent="true">{identifier(base)[0]}<mo stretchy="false">^</mo></mover>',)
    return identifier(text)


def _scripted(letter: Elements, below: Elements, above: Elements, role: str = "") -> Elements:
    """The letter with what stands below and above it."""
    if not below and not above:
        return letter if not role else (tag("mrow", *letter, role=role),)
    name = "msubsup" if below and above else "msub" if below else "msup"
    return (tag(name, *letter, *(in_one(part) for part in (below, above) if part), role=role),)


def _role(name: str, names: Names) -> str:
    return names[name].role if name in names else ""


def _whole(name: str, names: Names, above: Elements = ()) -> Elements:
    shown = names[name]
    return _scripted(_letter(shown.whole), _below(shown), (*_above(shown.layer), *above), _role(name, names))


def _below(shown: Shown, positions: Elements = ()) -> Elements:
    """The word of a name, upright so that it is no index, and the positions after it."""
    word = (f'<mi mathvariant="normal">{escaped(shown.word)}</mi>',)
    parts = [part for part in (word if shown.word else (), positions) if part]
    return _joined(COMMA, parts) if parts else ()


def _above(layer: str) -> Elements:
    sides = (f'<mo form="{form}" stretchy="false">{sign}</mo>' for form, sign in (("prefix", "["), ("postfix", "]")))
    return (next(sides), *number(layer), next(sides)) if layer else ()


def _is_delta(node: tree.Node, names: Names) -> TypeGuard[tree.Gradient]:
    return isinstance(node, tree.Gradient) and node.delta and bool(names[node.name].layer) and names.is_free("δ")


def _delta(name: str, names: Names, above: Elements = ()) -> Elements:
    return _scripted(identifier("δ"), (), (*_above(names[name].layer), *above), "gradient")


def _number(text: str) -> _Shown:
    mantissa, exponent, power = text.lower().partition("e")
    if not exponent:
        return Printed(number(text))
    digits = number(str(abs(int(power))))
    above = (NEGATIVE, *digits) if int(power) < 0 else digits
    return Printed((*number(mantissa), infix("×"), tag("msup", *number("10"), in_one(above))), Level.QUOTIENT)


def _place(node: tree.Place, kids: Sequence[_Shown], names: Names) -> _Shown:
    shown = names[node.name]
    below = _below(shown, _positions(node.positions, kids, shown.is_crowded) if kids else ())
    body = _scripted(_letter(shown.letter), below, _above(shown.layer), _role(node.name, names))
    return Printed(body, Level.POWER if shown.layer else Level.ATOM)


def _positions(nodes: Sequence[tree.Node], kids: Sequence[_Shown], is_crowded: bool) -> Elements:
    parts = [_outside(kid) for kid in kids]
    are_short = all(len(_text(part)) == 1 for part in parts)
    has_number = any(isinstance(node, tree.Number) for node in nodes)
    return _joined(NO_COMMA if are_short and not (is_crowded and has_number) else COMMA, parts)


def _text(elements: Elements) -> str:
    return unescape(re.sub(r"<[^>]*>", "", "".join(elements)))


def _function(name: str, names: Names) -> str:
    symbol = FUNCTIONS[name].symbol if name in FUNCTIONS else name
    return identifier(symbol if names.is_free(symbol) else name)[0]


# formulas


def _apply(function: str, node: tree.Apply, kids: Sequence[_Shown], names: Names) -> _Shown:
    if function == "where" and len(kids) == 3:
        condition, then, otherwise = (_outside(kids[0]), kids[1].body, kids[2].body)
        return Printed((_choice(condition, then, otherwise),), Level.CHOICE)
    if function == "sqrt" and len(kids) == 1:
        return Printed((tag("msqrt", *kids[0].body),))
    if function == "abs" and len(kids) == 1 and not holds_matrices(node):
        return Printed((_bracketed(_outside(kids[0]), "|", "|"),))
    arguments = _joined(COMMA, [_outside(kid) for kid in kids])
    return Printed((_function(function, names), APPLIED, _bracketed(arguments)))


def _choice(condition: Elements, then: Elements, otherwise: Elements) -> str:
    words = escaped(tr("if")), escaped(tr("otherwise"))
    rows = (
        tag("mtr", tag("mtd", *value), tag("mtd", *reason))
        for value, reason in (
            (then, (f"<mtext>{words[0]}\N{NO-BREAK SPACE}</mtext>", *condition)),
            (otherwise, (f"<mtext>{words[1]}</mtext>",)),
        )
    )
    brace = '<mo form="prefix" fence="true" stretchy="true">{</mo>'
    return grouped((brace, tag("mtable", *rows, role="cases")))


def _reduction(node: tree.Reduction, body: _Shown, names: Names) -> _Shown:
    if node.operation != "sum":
        below = _joined(COMMA, [_letter(index) for index in node.indices])
        sign = tag("msub", _function(node.operation, names), in_one(below))
        return Printed((sign, APPLIED, _bracketed(_outside(body))))
    signs = []
    for index, size in zip(node.indices, node.sizes or (None,) * len(node.indices), strict=True):
        sigma = '<mo form="prefix" largeop="true" movablelimits="true" lspace="0.1em" rspace="0.25em">∑</mo>'
        if size:
            first = grouped((*_letter(index), infix("="), *number("1")))
            signs.append(tag("munderover", sigma, first, *number(str(size))))
        else:
            signs.append(tag("munder", sigma, *_letter(index)))
    return Printed((*signs, *_in(body, Level.PRODUCT)), Level.PRODUCT, reaches=True)


def _negated(printed: _Shown) -> _Shown:
    return Printed((NEGATIVE, *_in(printed, Level.PRODUCT)), Level.NEGATIVE, printed.reaches, unsigned=printed)


def _sum(kids: Sequence[_Shown]) -> Elements:
    result = list(_in(kids[0], Level.NEGATIVE))
    for kid in kids[1:]:
        sign, term = (PLUS, kid) if kid.unsigned is None else (MINUS, kid.unsigned)
        result += [sign, *_in(term, Level.PRODUCT)]
    return tuple(result)


def _product(sign: str, factors: Sequence[tree.Node], kids: Sequence[_Shown]) -> _Shown:
    factors, kids = with_two_sided(factors, kids, _two_sided)
    if kids[0].unsigned is not None:
        return _negated(_product(sign, factors, (kids[0].unsigned, *kids[1:])))
    parts = [_in(kid, Level.ATOM if kid.reaches else Level.QUOTIENT) for kid in kids[:-1]]
    parts.append(kids[-1].body if _is_sum(factors[-1]) else _in(kids[-1], Level.QUOTIENT))
    return Printed(_joined(sign, parts), Level.PRODUCT, kids[-1].reaches)


def _is_sum(node: tree.Node) -> TypeGuard[tree.Reduction]:
    return isinstance(node, tree.Reduction) and node.operation == "sum"


def _quotient(above: _Shown, below: _Shown) -> _Shown:
    if above.unsigned is not None:
        return _negated(_quotient(above.unsigned, below))
    return Printed((tag("mfrac", in_one(above.body), in_one(below.body)),), Level.POWER)


def _comparison(node: tree.Comparison, kids: Sequence[_Shown], names: Names) -> _Shown:
    sides = (_in(kids[0], Level.SUM), _in(kids[1], Level.SUM))
    bare = _joined(infix(COMPARISONS[node.operator]), sides)
    if node.operator == "==" and names.is_free("δ") and all(_is_index(side, names) for side in (node.left, node.right)):
        return Printed(_scripted(identifier("δ"), _positions((), kids, is_crowded=False), ()), bare=bare)
    return Printed((_bracketed(bare, "[", "]"),), bare=bare, sides=sides)


def _two_sided(low: _Shown, high: _Shown) -> _Shown:
    assert low.sides is not None
    assert high.sides is not None
    inside = _joined(infix(COMPARISONS["<="]), [low.sides[1], low.sides[0], high.sides[1]])
    return Printed((_bracketed(inside, "[", "]"),))


def _is_index(node: tree.Node, names: Names) -> bool:
    if isinstance(node, tree.Number):
        return node.text.isdigit()
    return isinstance(node, tree.Place) and not node.positions and node.name not in names


def _derivative(of: Elements, by: Elements, *, is_gradient: bool) -> _Shown:
    halves = (grouped((PARTIAL, *half)) for half in (of, by))
    return Printed((tag("mfrac", *halves, role="gradient" if is_gradient else ""),), Level.POWER)


def _transposed(node: tree.Node, printed: _Shown, names: Names) -> Elements:
    """A layer and the sign of the transpose stand beside each other above the letter."""
    if isinstance(node, tree.Matrix):
        return _whole(node.name, names, (TRANSPOSE,))
    if _is_delta(node, names):
        return _delta(node.name, names, (TRANSPOSE,))
    inner = (_bracketed(printed.body),) if isinstance(node, tree.Transposed) else _in(printed, Level.ATOM)
    return (_raised(in_one(inner), TRANSPOSE),)
