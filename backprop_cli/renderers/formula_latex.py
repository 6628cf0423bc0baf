r"""Formulas as LaTeX, in the notation of the lecture notes: ``\frac{\partial J}{\partial w_{ij}^{[2]}}``.

Needs amsmath (``cases``, ``\operatorname``, ``\text``). A Σ shows the range of its index where a place in it tells.
Names are never read as commands: one letter stands for itself, a Greek letter for its command, anything else is set
upright and escaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import pi
from typing import TypeGuard
from unicodedata import normalize

from backprop_cli.documents.formulas import fold, holds_matrices, with_two_sided
from backprop_cli.documents.names import GREEK, HAT, Names, Shown
from backprop_cli.language import tree
from backprop_cli.library.functions import FUNCTIONS
from backprop_cli.renderers.plain import one_line
from backprop_cli.renderers.precedence import Level, Printed
from backprop_cli.translation import tr

_Latex = Printed[str]

COMPARISONS = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "==": "=", "!=": r"\ne"}
COMMANDS = frozenset(("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min"))
LETTERS = {letter: f"\\{name}" for name, letter in GREEK.items()}
LETTERS |= {"δ": r"\delta", "ε": r"\varepsilon", "π": r"\pi", "Σ": r"\Sigma"}
SIGNS = {"∂": r"$\partial$", "⊙": r"$\odot$", "·": r"$\cdot$", "×": r"$\times$", "−": "$-$"}
ESCAPES = {character: f"\\{character}" for character in "&%$#_{}"}
ESCAPES |= {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "|": r"\textbar{}"}
ESCAPES |= SIGNS  # a text font of pdflatex has none of them
ESCAPES |= {"<": r"\textless{}", ">": r"\textgreater{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}"}
_LIGATURES = re.compile(r"([-',])(?=\1)")  # two hyphens would be set as a dash


def render(node: tree.Node, names: Names) -> str:
    """The formula in one line, without math delimiters."""
    return fold(node, lambda part, kids: _combine(part, kids, names)).body


def escaped(text: str) -> str:
    """Text that LaTeX prints as it stands, on one line."""
    return _LIGATURES.sub(r"\1{}", "".join(ESCAPES.get(character) or _greek(character) for character in one_line(text)))


def _greek(character: str) -> str:
    return f"${LETTERS[character]}$" if character in LETTERS else character


def _combine(node: tree.Node, kids: Sequence[_Latex], names: Names) -> _Latex:
    match node:
        case tree.Number(text):
            return _number(text) if text != "π" else Printed(r"\pi" if names.is_free("π") else str(pi))
        case tree.Place():
            return _place(node, kids, names)
        case tree.Apply(function):
            return _apply(function, node, kids, names)
        case tree.Prime(function):
            return Printed(f"{_function(function, names)}'{_bracketed(_outside(kids[0]))}")
        case tree.Reduction():
            return _reduction(node, kids[0], names)
        case tree.Negative():
            return _negated(kids[0])
        case tree.Add():
            return Printed(_sum(kids), Level.SUM, kids[-1].reaches)
        case tree.Product(factors) | tree.Hadamard(factors):
            return _product(r" \cdot " if isinstance(node, tree.Product) else r" \odot ", factors, kids)
        case tree.Quotient():
            return _quotient(*kids)
        case tree.Power():
            return Printed(f"{_in(kids[0], Level.ATOM)}^{{{kids[1].body}}}", Level.POWER)
        case tree.Comparison():
            return _comparison(node, kids, names)
        case tree.Partial():
            return _derivative(kids[0].body, kids[1].body)
        case tree.Differential(of):
            space = r"\," if names.is_set_apart(of.name) else ""
            return Printed(rf"\mathrm{{d}}{space}{kids[0].body}", Level.POWER)
        case tree.Struck():
            return Printed(_struck(kids[0].body), Level.PRODUCT)
        case tree.Matrix(name):
            return Printed(_whole(name, names))
        case tree.Gradient(name, delta):
            if delta and names[name].layer and names.is_free("δ"):
                return Printed(rf"\delta^{{[{names[name].layer}]}}")
            return _derivative(_letter(names.cost), _whole(name, names))
        case tree.StepGradient(_, name):
            return _derivative(kids[0].body, _whole(name, names))
        case tree.Jacobian(of, by):
            return _derivative(_whole(of, names), _whole(by, names))
        case tree.Transposed(operand):
            return Printed(_transposed(operand, kids[0]))
        case tree.MatrixProduct():
            return Printed(r" \, ".join(_in(kid, Level.POWER) for kid in kids), Level.QUOTIENT)
        case tree.Ones(rows, columns):
            size = rows.text if columns.text == "1" else rf"{rows.text} \times {columns.text}"
            return Printed(rf"\mathbf{{1}}_{{{size}}}")
        case tree.Identity(size):
            return Printed(rf"\mathbf{{I}}_{{{size.text}}}")
        case tree.Diagonal():
            return Printed(rf"\operatorname{{diag}}{_bracketed(kids[0].body)}")
        case tree.OneHot(_, size):
            return Printed(rf"\operatorname{{onehot}}_{{{size.text}}}{_bracketed(kids[0].body)}")
    return Printed(" = ".join(kid.body for kid in kids), Level.EQUALITY)


def _struck(text: str) -> str:
    """Every factor struck out by itself, so that a long product can still be broken over lines."""
    factors, depth, start = [], 0, 0
    for match in re.finditer(r"[{(\[]|[})\]]| \\cdot ", text):
        depth += 1 if match[0] in "{([" else -1 if match[0] in "})]" else 0
        if depth == 0 and match[0].startswith(" "):
            factors.append(text[start : match.start()])
            start = match.end()
    return r" \cdot ".join(rf"\cancel{{{factor}}}" for factor in (*factors, text[start:]))


def _bracketed(text: str, left: str = "(", right: str = ")") -> str:
    is_tall = any(command in text for command in (r"\frac", r"\sum", r"\begin", r"\left", r"\sqrt"))
    return rf"\left{left} {text} \right{right}" if is_tall else f"{left}{text}{right}"


def _in(printed: _Latex, level: Level) -> str:
    return printed.body if printed.level >= level else _bracketed(printed.body)


def _outside(printed: _Latex) -> str:
    return printed.body if printed.bare is None else printed.bare


def _letter(text: str) -> str:
    if len(text) == 1 and text.isascii():
        return text
    if text in LETTERS:
        return LETTERS[text]
    base, hat, rest = normalize("NFD", text).partition(HAT)
    if hat and len(base) == 1 and not rest:
        return rf"\hat{{{_letter(base)}}}"
    return rf"\mathrm{{{escaped(text)}}}" if text.isascii() else _text(text)


def _text(text: str) -> str:
    return rf"\text{{{escaped(text)}}}"


def _whole(name: str, names: Names) -> str:
    shown = names[name]
    return _letter(shown.whole) + _below(shown) + _above(shown.layer)


def _below(shown: Shown, positions: str = "") -> str:
    """The word of a name, upright so that it is no index, and the positions after it."""
    word = [rf"\mathrm{{{escaped(shown.word)}}}"] if shown.word else []
    written = ",".join([*word, positions] if positions else word)
    return f"_{{{written}}}" if written else ""


def _above(layer: str) -> str:
    return f"^{{[{layer}]}}" if layer else ""


def _number(text: str) -> _Latex:
    mantissa, exponent, power = text.lower().partition("e")
    if not exponent:
        return Printed(text)
    return Printed(rf"{mantissa} \times 10^{{{int(power)}}}", Level.QUOTIENT)


def _place(node: tree.Place, kids: Sequence[_Latex], names: Names) -> _Latex:
    shown = names[node.name]
    below = _below(shown, _positions(node.positions, kids, shown.is_crowded) if kids else "")
    return Printed(_letter(shown.letter) + below + _above(shown.layer), Level.POWER if shown.layer else Level.ATOM)


def _positions(nodes: Sequence[tree.Node], kids: Sequence[_Latex], is_crowded: bool) -> str:
    texts = [_outside(kid) for kid in kids]
    are_short = all(len(text) == 1 for text in texts)
    has_number = any(isinstance(node, tree.Number) for node in nodes)
    return ("" if are_short and not (is_crowded and has_number) else ",").join(texts)


def _function(name: str, names: Names) -> str:
    symbol = FUNCTIONS[name].symbol if name in FUNCTIONS else name
    if symbol in LETTERS and names.is_free(symbol):
        return LETTERS[symbol]
    return f"\\{name}" if name in COMMANDS else rf"\operatorname{{{escaped(name)}}}"


def _apply(function: str, node: tree.Apply, kids: Sequence[_Latex], names: Names) -> _Latex:
    if function == "where" and len(kids) == 3:
        condition, then, otherwise = (_outside(kids[0]), kids[1].body, kids[2].body)
        words = escaped(tr("if")), escaped(tr("otherwise"))
        rows = rf"{then} & \text{{{words[0]} }} {condition} \\ {otherwise} & \text{{{words[1]}}}"
        return Printed(rf"\begin{{cases}} {rows} \end{{cases}}", Level.CHOICE)
    if function == "sqrt" and len(kids) == 1:
        return Printed(rf"\sqrt{{{kids[0].body}}}")
    if function == "abs" and len(kids) == 1 and not holds_matrices(node):
        return Printed(rf"\left| {_outside(kids[0])} \right|")
    return Printed(_function(function, names) + _bracketed(", ".join(_outside(kid) for kid in kids)))


def _reduction(node: tree.Reduction, body: _Latex, names: Names) -> _Latex:
    if node.operation != "sum":
        below = ",".join(_letter(index) for index in node.indices)
        return Printed(f"{_function(node.operation, names)}_{{{below}}}{_bracketed(_outside(body))}")
    signs = []
    for index, size in zip(node.indices, node.sizes or (None,) * len(node.indices), strict=True):
        signs.append(rf"\sum_{{{_letter(index)}=1}}^{{{size}}}" if size else rf"\sum_{{{_letter(index)}}}")
    return Printed(f"{' '.join(signs)} {_in(body, Level.PRODUCT)}", Level.PRODUCT, reaches=True)


def _negated(printed: _Latex) -> _Latex:
    return Printed(f"-{_in(printed, Level.PRODUCT)}", Level.NEGATIVE, printed.reaches, unsigned=printed)


def _sum(kids: Sequence[_Latex]) -> str:
    text = _in(kids[0], Level.NEGATIVE)
    for kid in kids[1:]:
        sign, term = (" + ", kid) if kid.unsigned is None else (" - ", kid.unsigned)
        text += sign + _in(term, Level.PRODUCT)
    return text


def _product(sign: str, factors: Sequence[tree.Node], kids: Sequence[_Latex]) -> _Latex:
    factors, kids = with_two_sided(factors, kids, _two_sided)
    if kids[0].unsigned is not None:
        return _negated(_product(sign, factors, (kids[0].unsigned, *kids[1:])))
    parts = [_in(kid, Level.ATOM if kid.reaches else Level.QUOTIENT) for kid in kids[:-1]]
    parts.append(kids[-1].body if _is_sum(factors[-1]) else _in(kids[-1], Level.QUOTIENT))
    return Printed(sign.join(parts), Level.PRODUCT, kids[-1].reaches)


def _is_sum(node: tree.Node) -> TypeGuard[tree.Reduction]:
    return isinstance(node, tree.Reduction) and node.operation == "sum"


def _quotient(above: _Latex, below: _Latex) -> _Latex:
    if above.unsigned is not None:
        return _negated(_quotient(above.unsigned, below))
    return Printed(rf"\frac{{{above.body}}}{{{below.body}}}", Level.POWER)


def _comparison(node: tree.Comparison, kids: Sequence[_Latex], names: Names) -> _Latex:
    sides = (_in(kids[0], Level.SUM), _in(kids[1], Level.SUM))
    bare = f" {COMPARISONS[node.operator]} ".join(sides)
    if node.operator == "==" and names.is_free("δ") and all(_is_index(side, names) for side in (node.left, node.right)):
        return Printed(rf"\delta_{{{_positions((), kids, is_crowded=False)}}}", bare=bare)
    return Printed(_bracketed(bare, "[", "]"), bare=bare, sides=sides)


def _two_sided(low: _Latex, high: _Latex) -> _Latex:
    assert low.sides is not None
    assert high.sides is not None
    return Printed(_bracketed(rf"{low.sides[1]} \le {low.sides[0]} \le {high.sides[1]}", "[", "]"))


def _is_index(node: tree.Node, names: Names) -> bool:
    if isinstance(node, tree.Number):
        return node.text.isdigit()
    return isinstance(node, tree.Place) and not node.positions and node.name not in names


def _derivative(of: str, by: str) -> _Latex:
    return Printed(rf"\frac{{\partial {of}}}{{\partial {by}}}", Level.POWER)


def _transposed(node: tree.Node, printed: _Latex) -> str:
    if isinstance(node, tree.Transposed):
        return rf"({printed.body})^{{\top}}"
    if printed.level == Level.ATOM and printed.body.endswith("]}"):
        return rf"{printed.body[:-1]}\top}}"
    return rf"{_in(printed, Level.ATOM)}^{{\top}}"
