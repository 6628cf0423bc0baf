"""Which trees count as the same formula: what reading back may change, and nothing else may differ.

* A minus sign moves out of a product or a fraction: ``(-a)*b`` and ``(-a)/b`` are ``-(a*b)`` and ``-(a/b)``.
* ``(a*b)*c`` is ``a*b*c`` and ``(a + b) + c`` is ``a + b + c``, as the equation language has it.
* ``Σ`` over several indices is several sums in each other.
* A number is the same number however it is written: ``1e-3``, ``0.001``.
* The gradient and the whole of a quantity without axes are its derivative and its place.
* The equation language writes ⊙ as ``*`` and δ⁽ˡ⁾ as ``dJ/dz``.
"""

from __future__ import annotations

from decimal import Decimal

from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.language.walking import rebuilt


def normal(node: tree.Node, names: Names, *, as_text: bool = False) -> tree.Node:
    """The representative of all formulas that count as the same."""
    node = rebuilt(node, lambda part: normal(part, names, as_text=as_text))
    match node:
        case tree.Number(text) if text != "π":
            return tree.Number(str(Decimal(text).normalize()))
        case tree.Hadamard(factors) if as_text:
            return normal(tree.Product(factors), names, as_text=True)
        case tree.Product((only,)) | tree.MatrixProduct((only,)):
            return only
        case tree.Product((tree.Negative(first), *rest)):
            return tree.Negative(normal(tree.Product((first, *rest)), names, as_text=as_text))
        case tree.Hadamard((tree.Negative(first), *rest)):
            return tree.Negative(normal(tree.Hadamard((first, *rest)), names))
        case tree.Product((tree.Product(inner), *rest)):
            return tree.Product((*inner, *rest))
        case tree.MatrixProduct((tree.MatrixProduct(inner), *rest)):
            return tree.MatrixProduct((*inner, *rest))
        case tree.Add((tree.Add(inner), *rest)):
            return tree.Add((*inner, *rest))
        case tree.Quotient(tree.Negative(above), below):
            return tree.Negative(normal(tree.Quotient(above, below), names, as_text=as_text))
        case tree.Reduction("sum", body, (first, *rest)) if rest:
            return tree.Reduction("sum", normal(tree.Reduction("sum", body, tuple(rest)), names), (first,))
        case tree.Matrix(name) if not names[name].shape:
            return tree.Place(name)
        case tree.Gradient(name) if not names[name].shape:
            return tree.Partial(tree.Place(names.cost), tree.Place(name))
        case tree.Gradient(name) if as_text:
            return tree.Gradient(name)
        case tree.Jacobian(of, by) if not names[of].shape and not names[by].shape:
            return tree.Partial(tree.Place(of), tree.Place(by))
        case tree.Jacobian(of, by) if of == names.cost:
            return tree.Gradient(by)
    return node
