"""Formulas in the equation language itself, the way authors type them: ``z1[i] = sum(W1[i,j]*x[j], j) + b1[i]``.

The grammar reads back what stands here, and some things besides: a derivative ``dJ/dW1[i,j]`` is one symbol, ``dJ[s]``
for the cost of one step; ``tanh'(z)`` is the derivative of a function, ``dropped(e)`` a term that is left out. In the
matrix view ``A.T`` is the transpose, ``A @ B`` the matrix product, ``A * B`` the elementwise one; ``ones(3)``,
``eye(3)``, ``diag(a)`` and ``onehot(p, 3)`` are matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

from backprop_cli.documents.formulas import fold
from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.language.walking import parts
from backprop_cli.renderers.precedence import Level, Printed

_Text = Printed[str]


def render(node: tree.Node, names: Names) -> str:
    """The formula in one line."""
    return fold(node, lambda part, kids: _combine(part, kids, names)).body


def _combine(node: tree.Node, kids: Sequence[_Text], names: Names) -> _Text:
    match node:
        case tree.Number(text):
            return Printed(text if text != "π" else "pi" if "pi" not in names else str(pi))
        case tree.Place(name):
            return Printed(_place(name, kids))
        case tree.Apply(function):
            return Printed(f"{function}({', '.join(_outside(kid) for kid in kids)})")
        case tree.Prime(function):
            return Printed(f"{function}'({_outside(kids[0])})")
        case tree.Reduction(operation, _, indices):
            return Printed(f"{operation}({', '.join((_outside(kids[0]), *indices))})")
        case tree.Negative():
            return _negated(kids[0])
        case tree.Add():
            return Printed(_sum(kids), Level.SUM)
        case tree.Product() | tree.Hadamard():
            return _product("*" if isinstance(node, tree.Product) else " * ", kids)
        case tree.Quotient():
            return _quotient(node, kids)
        case tree.Power():
            return Printed(f"{_in(kids[0], Level.ATOM)}**{_in(kids[1], Level.ATOM)}", Level.POWER)
        case tree.Comparison(operator):
            bare = f"{_in(kids[0], Level.SUM)} {operator} {_in(kids[1], Level.SUM)}"
            return Printed(f"({bare})", bare=bare)
        case tree.Partial():
            return Printed(f"d{kids[0].body}/d{kids[1].body}", Level.POWER)
        case tree.Differential(of):
            space = " " if f"d{of.name}" in names else ""
            return Printed(f"d{space}{kids[0].body}", Level.POWER)
        case tree.Struck():
            return Printed(f"dropped({_outside(kids[0])})")
        case tree.Matrix(name):
            return Printed(name)
        case tree.Gradient(name):
            return Printed(f"d{names.cost}/d{name}", Level.POWER)
        case tree.StepGradient(_, name):
            return Printed(f"d{kids[0].body}/d{name}", Level.POWER)
        case tree.Jacobian(of, by):
            return Printed(f"d{of}/d{by}", Level.POWER)
        case tree.Transposed():
            return Printed(f"{_in(kids[0], Level.ATOM)}.T")
        case tree.MatrixProduct():
            return Printed(" @ ".join(_in(kid, Level.POWER) for kid in kids), Level.QUOTIENT)
        case tree.Ones(rows, columns):
            return Printed(f"ones({rows.text})" if columns.text == "1" else f"ones({rows.text}, {columns.text})")
        case tree.Identity() | tree.Diagonal():
            return Printed(f"{'eye' if isinstance(node, tree.Identity) else 'diag'}({kids[0].body})")
        case tree.OneHot():
            return Printed(f"onehot({kids[0].body}, {kids[1].body})")
    return Printed(" = ".join(kid.body for kid in kids), Level.EQUALITY)


def _in(printed: _Text, level: Level) -> str:
    return printed.body if printed.level >= level else f"({printed.body})"


def _outside(printed: _Text) -> str:
    return printed.body if printed.bare is None else printed.bare


def _place(name: str, positions: Sequence[_Text]) -> str:
    inside = ",".join(_outside(position).replace(" ", "") for position in positions)
    return f"{name}[{inside}]" if positions else name


def _negated(printed: _Text) -> _Text:
    return Printed(f"-{_in(printed, Level.PRODUCT)}", Level.NEGATIVE, unsigned=printed)


def _sum(kids: Sequence[_Text]) -> str:
    text = _in(kids[0], Level.NEGATIVE)
    for kid in kids[1:]:
        sign, term = (" + ", kid) if kid.unsigned is None else (" - ", kid.unsigned)
        text += sign + _in(term, Level.PRODUCT)
    return text


def _product(sign: str, kids: Sequence[_Text]) -> _Text:
    if kids[0].unsigned is not None:
        return _negated(_product(sign, (kids[0].unsigned, *kids[1:])))
    first = kids[0].body if kids[0].level == Level.QUOTIENT else _in(kids[0], Level.POWER)
    return Printed(sign.join([first, *(_in(kid, Level.POWER) for kid in kids[1:])]), Level.PRODUCT)


def _quotient(node: tree.Quotient, kids: Sequence[_Text]) -> _Text:
    above, below = kids
    if above.unsigned is not None:
        return _negated(_quotient(node, (above.unsigned, below)))
    top, bottom = _in(above, Level.PRODUCT), _in(below, Level.POWER)
    if _is_derivative(node.numerator):
        top = f"({top})"
    if _is_derivative(node.denominator) or (bottom[0] == "d" and _ends_in_differential(node.numerator)):
        bottom = f"({bottom})"
    return Printed(f"{top}/{bottom}", Level.QUOTIENT)


def _is_derivative(node: tree.Node) -> bool:
    node = node.operand if isinstance(node, tree.Negative) else node
    return isinstance(node, tree.Partial | tree.Gradient | tree.StepGradient | tree.Jacobian)


def _ends_in_differential(node: tree.Node) -> bool:
    """Whether the text of a numerator ends in a name like ``dJ``, so that ``/dz`` after it would be a derivative."""
    while isinstance(node, tree.Product | tree.Quotient | tree.Negative):
        node = parts(node)[-1]
    return isinstance(node, tree.Differential) or (isinstance(node, tree.Place | tree.Matrix) and node.name[0] == "d")
