"""Matrix formulas as plain text, so that tests can state them whatever the printers do."""

from __future__ import annotations

from backprop_cli.language import tree


def plain(node: tree.Node, tight: int = 0) -> str:
    """The formula as NumPy would write it; ``tight`` is the least level that needs no brackets."""
    text, level = _plain(node)
    return f"({text})" if level < tight else text


def _plain(node: tree.Node) -> tuple[str, int]:
    match node:
        case tree.Equality(sides):
            return " = ".join(plain(side) for side in sides), 0
        case tree.Add((first, *rest)):
            return plain(first, 1) + "".join(_added(term) for term in rest), 1
        case tree.Negative(operand):
            return f"-{plain(operand, 2)}", 1
        case tree.Hadamard(factors):
            return " * ".join(plain(factor, 5) for factor in factors), 2
        case tree.Product(factors):
            return "*".join(plain(factor, 4 if n == 0 else 3) for n, factor in enumerate(factors)), 2
        case tree.MatrixProduct(factors):
            return " @ ".join(plain(factor, 5) for factor in factors), 3
        case tree.Quotient(above, below):
            return f"{plain(above, 3)}/{plain(below, 5)}", 3 if isinstance(above, tree.MatrixProduct) else 4
        case tree.Power(base, exponent):
            return f"{plain(base, 6)}**{plain(exponent, 6)}", 5
        case tree.Transposed(operand):
            return f"{plain(operand, 5)}.T", 6
        case tree.Diagonal(operand):
            return f"diag({plain(operand)})", 6
        case tree.Identity(size):
            return f"eye({size.text})", 6
        case tree.Ones(rows, columns):
            return f"ones({rows.text})" if columns.text == "1" else f"ones({rows.text}, {columns.text})", 6
        case tree.OneHot(positions, size):
            return f"onehot({plain(positions)}, {size.text})", 6
        case tree.Apply(function, arguments):
            return f"{function}({', '.join(plain(argument) for argument in arguments)})", 6
        case tree.Prime(function, argument):
            return f"{function}'({plain(argument)})", 6
        case tree.Comparison(operator, left, right):
            return f"[{plain(left)} {operator} {plain(right)}]", 6
        case tree.Jacobian(of, by):
            return f"d{of}/d{by}", 6
        case tree.Partial(of, by):
            return f"d{plain(of)}/d{plain(by)}", 6
        case tree.Gradient(name):
            return f"dJ/d{name}", 6
        case tree.Place(name, positions):
            return name + (f"[{','.join(plain(position) for position in positions)}]" if positions else ""), 6
        case tree.Matrix(text) | tree.Number(text):
            return text, 6
    raise AssertionError(f"{type(node).__name__} in a matrix formula")


def _added(term: tree.Node) -> str:
    return f" - {plain(term.operand, 2)}" if isinstance(term, tree.Negative) else f" + {plain(term, 2)}"
