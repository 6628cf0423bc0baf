"""What index formulas and matrix formulas come to: two evaluators in NumPy that know nothing of each other."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sympy import Add, Expr, Mul, Pow, Symbol

from backprop_cli.language import tree
from backprop_cli.language.walking import walk
from backprop_cli.symbolic.derivation import Adjoints
from backprop_cli.symbolic.functions import expanded
from backprop_cli.symbolic.graph import Graph, Quantity
from backprop_cli.symbolic.notation import Adjoint, Compare, Place, Reduce, Where

Array: TypeAlias = NDArray[Any]
AXES = 9  # an axis for every index, free or bound
STEP = 1e-100
NUMPY = {name: getattr(np, name) for name in ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh")}
COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne
}  # fmt: skip


class IndexValues:
    """Every quantity of a graph, computed from its definition; adjoints and local derivatives likewise."""

    def __init__(self, graph: Graph, given: Mapping[str, Array]) -> None:
        self.graph = graph
        self.arrays: dict[str, Array] = {name: np.asarray(array) for name, array in given.items()}
        for quantity in graph.quantities:
            if quantity.definition is not None and quantity.name not in self.arrays:
                self.arrays[quantity.name] = self.over(quantity.definition, quantity)

    def over(self, expression: Expr, quantity: Quantity) -> Array:
        """The expression for all values of the quantity's indices."""
        own = zip(quantity.indices, quantity.shape, strict=True)
        at = {symbol: _axis(place, size) for place, (symbol, size) in enumerate(own)}
        shape = (*quantity.shape, *[1] * (AXES - len(quantity.shape)))
        return np.broadcast_to(self._value(expanded(expression), at), shape).reshape(quantity.shape)

    def gradients(self, adjoints: Adjoints) -> None:
        for name, formula in reversed(list(adjoints.formulas.items())):
            self.arrays[f"dJ/d{name}"] = self.over(formula.expression, self.graph[name])

    def jacobian(self, of: str, by: str) -> Array:
        """∂of/∂by by one equation alone, from complex steps; of a number and a matrix it lies as the matrix does."""
        definition, start = self.graph[of].definition, self.arrays[by]
        columns = []
        for entry in np.ndindex(start.shape):
            moved = start.astype(complex)
            moved[entry] += STEP * 1j
            shadow = IndexValues(self.graph, {**self.arrays, by: moved})
            columns.append(np.imag(shadow.over(definition, self.graph[of])).ravel() / STEP)
        lying = next((self.arrays[name].shape for name in (of, by) if self.arrays[name].ndim == 2), None)
        return np.stack(columns, axis=1).reshape(lying or (-1, len(columns)))

    def _value(self, node: Expr, at: Mapping[Symbol, Array]) -> Array:
        if isinstance(node, Place):
            array = self.arrays[f"dJ/d{node.name}" if isinstance(node, Adjoint) else node.name]
            where = [np.asarray(np.rint(np.real(self._value(p, at)))).astype(int) - 1 for p in node.positions]
            inside = [(w >= 0) & (w < size) for w, size in zip(where, array.shape, strict=True)]
            clipped = tuple(np.clip(w, 0, size - 1) for w, size in zip(where, array.shape, strict=True))
            return np.where(reduce(operator.and_, inside), array[clipped], 0) if where else array
        if isinstance(node, Symbol):
            return at[node]
        if isinstance(node, Reduce):
            return self._reduced(node, at)
        if isinstance(node, Where):
            condition, then, otherwise = (self._value(part, at) for part in node.args)
            return np.where(np.real(condition) != 0, then, otherwise)
        if isinstance(node, Compare):
            left, right = (np.real(self._value(side, at)) for side in (node.left, node.right))
            return COMPARE[node.operator](left, right).astype(float)
        if isinstance(node, Add | Mul):
            operation = operator.add if isinstance(node, Add) else operator.mul
            return reduce(operation, (self._value(part, at) for part in node.args))
        if isinstance(node, Pow):
            base, exponent = (self._value(part, at) for part in node.args)
            return base**exponent
        if node.is_number and not node.args:
            return np.float64(node)
        return NUMPY[type(node).__name__](self._value(node.args[0], at))

    def _reduced(self, node: Reduce, at: Mapping[Symbol, Array]) -> Array:
        axis = AXES - 1 - len(at)  # free indices come first, bound ones last
        body = self._value(node.body, {**at, node.bound: _axis(axis, node.size)})
        body = np.broadcast_to(body, np.broadcast_shapes(np.shape(body), _axis(axis, node.size).shape))
        if node.operation == "sum":
            return body.sum(axis=axis, keepdims=True)
        first = getattr(np, f"arg{node.operation.removeprefix('arg')}")(np.real(body), axis=axis, keepdims=True)
        return first + 1.0 if node.operation.startswith("arg") else np.take_along_axis(body, first, axis)


def _axis(place: int, size: int) -> Array:
    return np.arange(1, size + 1).reshape([size if n == place else 1 for n in range(AXES)])


class MatrixValues:
    """Matrix formulas: every value is a matrix, a vector a column, a scalar 1x1.

    Sizes are checked. Nothing is repeated but scalars, and those only in elementwise functions, fractions and products.
    """

    def __init__(self, values: IndexValues) -> None:
        self.values = values

    def value(self, node: tree.Node) -> Array:
        match node:
            case tree.Matrix(name):
                return _matrix(self.values.arrays[name])
            case tree.Gradient(name):
                return _matrix(self.values.arrays[f"dJ/d{name}"])
            case tree.Jacobian(of, by):
                return self.values.jacobian(of, by)
            case tree.Number(text):
                return np.array([[math.pi if text == "π" else float(text)]])
            case tree.Place(name, positions):
                return self._entry(self.values.arrays[name], positions)
            case tree.Partial(_, by):
                return self._entry(self.values.arrays[f"dJ/d{by.name}"], by.positions)
            case tree.Ones(rows, columns):
                return np.ones((int(rows.text), int(columns.text)))
            case tree.Identity(size):
                return np.eye(int(size.text))
            case tree.Diagonal(operand):
                vector = self.value(operand)
                assert vector.shape[1] == 1
                return np.diag(vector[:, 0])
            case tree.OneHot(positions, size):
                column = self.value(positions)
                assert column.shape[1] == 1
                rows = np.eye(int(size.text))[column[:, 0].astype(int) - 1]
                named = {part.name for part in walk(positions) if isinstance(part, tree.Matrix)}
                return rows if any(self.values.graph[name].shape for name in named) else rows.T
            case tree.Transposed(operand):
                return self.value(operand).T
            case tree.MatrixProduct(factors):
                return reduce(np.matmul, [self.value(factor) for factor in factors])
            case tree.Hadamard(factors):
                return self._alike(operator.mul, *factors)
            case tree.Add(terms):
                return self._alike(operator.add, *terms)
            case tree.Negative(operand):
                return -self.value(operand)
            case tree.Product(factors):
                *scalars, last = [self.value(factor) for factor in factors]
                assert all(scalar.shape == (1, 1) for scalar in scalars)
                return reduce(operator.mul, scalars, last)
            case tree.Quotient(above, below):
                return self._scalars_repeated(operator.truediv, above, below)
            case tree.Power(base, exponent):
                return self.value(base) ** self.value(exponent).item()
            case tree.Comparison(sign, left, right):
                return self._scalars_repeated(COMPARE[sign], left, right).astype(float)
            case tree.Apply(function, arguments):
                return self._scalars_repeated(FUNCTIONS[function], *arguments)
            case tree.Prime(function, argument):
                return np.imag(FUNCTIONS[function](self.value(argument) + STEP * 1j)) / STEP
        raise AssertionError(f"{type(node).__name__} in a matrix formula")

    def _alike(self, operation: Callable[..., Array], *parts: tree.Node) -> Array:
        values = [self.value(part) for part in parts]
        assert len({value.shape for value in values}) == 1, f"{[value.shape for value in values]} in {parts}"
        return reduce(operation, values)

    def _scalars_repeated(self, operation: Callable[..., Array], *parts: tree.Node) -> Array:
        values = [self.value(part) for part in parts]
        assert len({value.shape for value in values} - {(1, 1)}) <= 1, f"{[value.shape for value in values]} in {parts}"
        return operation(*values)

    def _entry(self, array: Array, positions: tuple[tree.Node, ...]) -> Array:
        numbers = [int(position.text) - 1 for position in positions if isinstance(position, tree.Number)]
        assert len(numbers) == len(positions)
        return np.array([[array[tuple(numbers)]]])


def _matrix(array: Array) -> Array:
    assert array.ndim <= 2
    return array.reshape(array.shape[0] if array.ndim else 1, -1)


FUNCTIONS: Mapping[str, Callable[..., Array]] = {
    **NUMPY,
    "sqrt": np.sqrt,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "relu": lambda z: np.where(np.real(z) > 0, z, 0),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "leaky_relu": lambda z: np.where(np.real(z) > 0, z, 0.01 * z),
    "elu": lambda z: np.where(np.real(z) > 0, z, np.exp(z) - 1),
    "abs": lambda z: np.where(np.real(z) > 0, z, np.where(np.real(z) < 0, -z, 0)),
    "gelu": lambda z: z * (1 + _erf(z / math.sqrt(2))) / 2,
    "erf": lambda z: _erf(z),
    "max": lambda a, b: np.where(np.real(a) >= np.real(b), a, b),
    "min": lambda a, b: np.where(np.real(a) <= np.real(b), a, b),
    "where": lambda condition, then, otherwise: np.where(np.real(condition) != 0, then, otherwise),
    "sign": lambda z: np.sign(np.real(z)),
}


def _erf(z: Array) -> Array:
    real = np.vectorize(math.erf)(np.real(z))
    return real + 1j * np.imag(z) * 2 / math.sqrt(math.pi) * np.exp(-(np.real(z) ** 2)) if np.iscomplexobj(z) else real


NUMPY["erf"] = _erf
