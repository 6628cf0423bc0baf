"""The shapes of matrix formulas: what lets a reader check by eye where a transpose must stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod

from backprop_cli.language import tree
from backprop_cli.language.walking import walk
from backprop_cli.symbolic.graph import Graph
from backprop_cli.symbolic.steps import Form, Note

Shape = tuple[int, int]


class Shapes:
    """Rows and columns of every part of a matrix formula over the quantities of a graph. A scalar is 1×1."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def of(self, node: tree.Node) -> Shape:
        """Rows and columns of a formula that the matrix view makes."""
        match node:
            case tree.Matrix(name) | tree.Gradient(name):
                return self.whole(name)
            case tree.Jacobian(of, by):
                above, below = self.graph[of].shape, self.graph[by].shape
                matrix = next((name for name in (of, by) if len(self.graph[name].shape) == 2), None)
                return self.whole(matrix) if matrix is not None else (prod(above), prod(below))
            case tree.Transposed(operand):
                rows, columns = self.of(operand)
                return columns, rows
            case tree.MatrixProduct(factors):
                return self.of(factors[0])[0], self.of(factors[-1])[1]
            case tree.Ones(rows=rows, columns=columns):
                return int(rows.text), int(columns.text)
            case tree.Identity(size):
                return int(size.text), int(size.text)
            case tree.Diagonal(operand):
                return self.of(operand)[0], self.of(operand)[0]
            case tree.OneHot(positions, size) if self._is_column(positions):
                return self.of(positions)[0], int(size.text)
            case tree.OneHot(_, size):
                return int(size.text), 1
            case tree.Number() | tree.Place() | tree.Partial():
                return 1, 1
            case tree.Negative(part) | tree.Prime(_, part) | tree.Power(part, _):
                return self.of(part)
            case tree.Add(parts) | tree.Product(parts) | tree.Hadamard(parts) | tree.Apply(_, parts):
                return self._largest(parts)
            case tree.Quotient(left, right) | tree.Comparison(_, left, right):
                return self._largest((left, right))
        raise TypeError(f"a matrix formula does not contain {type(node).__name__}")

    def _is_column(self, node: tree.Node) -> bool:
        """Whether a formula is a vector, even one with a single entry, and no scalar."""
        return any(
            isinstance(part, tree.Ones) or (isinstance(part, tree.Matrix) and self.graph[part.name].shape)
            for part in walk(node)
        )

    def whole(self, name: str) -> Shape:
        """The shape of a quantity: a vector is a column."""
        rows, columns = (*self.graph[name].shape, 1, 1)[:2]
        return rows, columns

    def _largest(self, parts: Sequence[tree.Node]) -> Shape:
        shapes = [self.of(part) for part in parts]
        return max(rows for rows, _ in shapes), max(columns for _, columns in shapes)

    def text(self, node: tree.Node) -> str:
        """The formula with the shapes of what is multiplied and added in it, numbers left out: ``3×2 · 2×1 + 3×1``."""
        match node:
            case tree.MatrixProduct(factors):
                return " · ".join(self._part(factor) for factor in factors)
            case tree.Hadamard(factors):
                return " ⊙ ".join(self._part(factor) for factor in factors)
            case tree.Add(terms):
                return self._sum(terms)
            case tree.Negative(operand):
                return self.text(operand)
            case tree.Quotient(above, below) if self.of(below) == (1, 1):
                return self.text(above)
            case tree.Product(factors):
                matrices = [factor for factor in factors if self.of(factor) != (1, 1)]
                return self.text(matrices[0]) if matrices else self._shape(node)
        return self._shape(node)

    def notes(self, target: tree.Node, forms: Iterable[Form]) -> Iterator[Note]:
        """A remark on the shapes of each form in which whole arrays are multiplied or added."""
        for form in forms if not isinstance(target, tree.Place | tree.Partial) else ():
            right = self.text(form.value)
            if " " in right:
                yield Note("shapes", {"form": str(form.kind), "text": f"{self.text(target)} = {right}"})

    def _shape(self, node: tree.Node) -> str:
        rows, columns = self.of(node)
        return f"{rows}×{columns}"

    def _sum(self, terms: Sequence[tree.Node]) -> str:
        texts = [self.text(term) for term in terms]
        if self.of(terms[0]) == (1, 1) and not any(" " in text for text in texts):
            return "1×1"
        signs = [" − " if isinstance(term, tree.Negative) else " + " for term in terms]
        return texts[0] + "".join(sign + text for sign, text in zip(signs[1:], texts[1:], strict=True))

    def _part(self, factor: tree.Node) -> str:
        """A factor: its shape, unless there is a product of matrices in it that is to be checked too."""
        inside = any(isinstance(part, tree.MatrixProduct) for part in walk(factor))
        if inside and isinstance(factor, tree.MatrixProduct | tree.Hadamard | tree.Add | tree.Product):
            text = self.text(factor)
            return f"({text})" if " " in text else text
        return self._shape(factor)
