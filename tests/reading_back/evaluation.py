"""What a formula in index notation, or in the matrix view, comes to: NumPy and nothing of the tool's own mathematics.

An index is an axis: free indices first, then one axis for every sum around. Derivatives of functions and of definitions
come from the complex step f'(x) = Im f(x + ih)/h, which has no rounding error to speak of, so this file knows no
derivative but that of erf (NumPy has no complex erf).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.language.walking import parts, walk
from backprop_cli.symbolic.notation import by_step

Array: TypeAlias = NDArray[Any]
Definitions: TypeAlias = Mapping[str, tree.Equality]
STEP = 1e-100


def _where(condition: Array, then: Array, otherwise: Array) -> Array:
    return np.where(condition, then, otherwise)


def _erf(x: Array) -> Array:
    real = np.vectorize(math.erf, otypes=[float])(np.real(x))
    return real + 1j * np.imag(x) * 2 / math.sqrt(math.pi) * np.exp(-(np.real(x) ** 2)) if np.iscomplexobj(x) else real


def _log(x: Array) -> Array:
    return np.log(x)


FUNCTIONS: dict[str, Callable[..., Array]] = {
    **{name: getattr(np, name) for name in ("exp", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "log")},
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "relu": lambda z: _where(np.real(z) > 0, z, 0 * z),
    "leaky_relu": lambda z: _where(np.real(z) > 0, z, 0.01 * z),
    "elu": lambda z: _where(np.real(z) > 0, z, np.exp(z) - 1),
    "gelu": lambda z: z * (1 + _erf(z / math.sqrt(2))) / 2,
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "sign": lambda z: np.sign(np.real(z)),
    "abs": lambda z: z * np.sign(np.real(z)),
    "erf": _erf,
    "heaviside": lambda z: np.where(np.real(z) > 0, 1.0, 0.0),
    "identity": lambda z: z,
    "max": lambda first, *rest: _pairwise(lambda a, b: _where(np.real(a) >= np.real(b), a, b), first, rest),
    "min": lambda first, *rest: _pairwise(lambda a, b: _where(np.real(a) <= np.real(b), a, b), first, rest),
    "where": lambda condition, a, b: _where(np.real(condition) != 0, a, b),
}
COMPARISONS = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
}  # fmt: skip


def _pairwise(choose: Callable[[Array, Array], Array], first: Array, rest: Sequence[Array]) -> Array:
    for other in rest:
        first = choose(first, other)
    return first


def change_of(name: str) -> str:
    """The name under which the arrays of an evaluation hold the change of a quantity."""
    return f"d {name}"


def free_indices(node: tree.Node, names: Names) -> dict[str, None]:
    """The indices that no sum binds, in order of appearance."""
    if isinstance(node, tree.Place) and not node.positions:
        return {} if node.name in names or node.name == names.cost else {node.name: None}
    found: dict[str, None] = {}
    for part in parts(node):
        found |= free_indices(part, names)
    if isinstance(node, tree.Reduction):
        return {name: None for name in found if name not in node.indices}
    return found


class Evaluation:
    """The quantities of one run and what formulas of them come to."""

    def __init__(
        self,
        names: Names,
        arrays: Mapping[str, Array],
        definitions: Definitions,
        ranges: Mapping[str, int] | None = None,
        told: Mapping[str, int] | None = None,
    ) -> None:
        self.names = names
        self.arrays = {name: np.asarray(array) for name, array in arrays.items()}
        self.definitions = definitions
        self.ranges = ranges or {}
        self.told = told or {}
        self._local: dict[tuple[str, str], Array] = {}

    def sizes_in(self, node: tree.Node) -> dict[str, int]:
        """The size of every free index that stands alone at a position somewhere in the formula.

        Where two axes of different sizes share an index, as when two inputs stand side by side in one, it runs over the
        longer one, and what lies outside the shorter array is 0.
        """
        sizes: dict[str, int] = {}
        for part in parts(node):
            for name, size in self.sizes_in(part).items():
                sizes[name] = max(size, sizes.get(name, 0))
        if isinstance(node, tree.Reduction):
            return {name: size for name, size in sizes.items() if name not in node.indices}
        if isinstance(node, tree.Place):
            for position, size in zip(node.positions, self.names[node.name].shape, strict=True):
                if isinstance(position, tree.Place) and not position.positions and position.name not in self.names:
                    sizes[position.name] = max(size, sizes.get(position.name, 0))
        return sizes

    def axes_of(self, index: str, node: tree.Node) -> set[int]:
        """The sizes of the axes at which the index stands alone."""
        places = [part for part in walk(node) if isinstance(part, tree.Place)]
        axes = (pair for place in places for pair in zip(place.positions, self.names[place.name].shape, strict=False))
        return {size for position, size in axes if position == tree.Place(index)}

    def size_of(self, index: str, node: tree.Node) -> int:
        if index in self.told:
            return self.told[index]
        size = self.sizes_in(node).get(index)
        if index in self.ranges and self.ranges[index] not in self.axes_of(index, node):
            size = self.ranges[index]  # no place tells it, so a remark does
        assert size is not None, f"nothing tells the range of {index} in {node}"
        return size

    def value(self, node: tree.Node, sizes: Mapping[str, int]) -> Array:
        """The value for all values of the free indices, an axis each; in the matrix view a matrix."""
        grids = np.meshgrid(*(np.arange(1, size + 1) for size in sizes.values()), indexing="ij", sparse=True)
        with np.errstate(all="ignore"):
            return self._value(node, dict(zip(sizes, grids, strict=True)))

    def _value(self, node: tree.Node, at: Mapping[str, Array]) -> Array:
        match node:
            case tree.Number(text):
                return np.asarray(math.pi if text == "π" else float(text))
            case tree.Place(name) if name in at and not node.positions:
                return at[name]
            case tree.Place(name, positions):
                return self._entry(self.array(name), positions, at)
            case tree.Partial(of, by) if of.name == by_step(self.names.cost):
                found = self.arrays[f"dJ/d{by_step(by.name)}"]  # of the cost of each step
                return self._entry(found, (*of.positions, *by.positions), at)
            case tree.Partial(of, by) if of.name == self.names.cost:
                return self._entry(self.gradient(by.name), by.positions, at)
            case tree.Partial(of, by):
                return self._entry(self.local(of.name, by.name), (*of.positions, *by.positions), at)
            case tree.Differential(of):
                return self._entry(self.arrays[change_of(of.name)], of.positions, at)
            case tree.Negative(operand):
                return -self._value(operand, at)
            case tree.Add(terms):
                return self._total([self._value(term, at) for term in terms])
            case tree.Product(factors) | tree.Hadamard(factors):
                return self._pairwise(np.multiply, [self._value(factor, at) for factor in factors])
            case tree.Quotient(above, below):
                return self._value(above, at) / self._value(below, at)
            case tree.Power(base, exponent):
                return _power(self._value(base, at), self._value(exponent, at))
            case tree.Comparison(operator, left, right):
                sides = (np.real(self._value(left, at)), np.real(self._value(right, at)))
                return COMPARISONS[operator](*sides).astype(float)
            case tree.Apply(function, arguments):
                return FUNCTIONS[function](*(self._value(argument, at) for argument in arguments))
            case tree.Prime(function, argument):
                return np.imag(FUNCTIONS[function](self._value(argument, at) + STEP * 1j)) / STEP
            case tree.Reduction():
                return self._reduced(node, at)
        return self._matrix(node, at)

    def exists(self, node: tree.Node, sizes: Mapping[str, int]) -> Array:
        """Where everything that a derivative is taken of and by is there: ∂h_t/∂h_(t-1) says nothing at t = 1."""
        grids = np.meshgrid(*(np.arange(1, size + 1) for size in sizes.values()), indexing="ij", sparse=True)
        at = dict(zip(sizes, grids, strict=True))
        found = np.asarray(True)
        for place in parts(node) if isinstance(node, tree.Partial) else ():
            assert isinstance(place, tree.Place)
            for position, size in zip(place.positions, self.names[place.name].shape, strict=True):
                value = np.real(self._value(position, at))
                found = found & (value >= 1) & (value <= size)
        return found

    def _matrix(self, node: tree.Node, at: Mapping[str, Array]) -> Array:
        """Nodes of the matrix view. A vector is a column; a matrix of samples has a row each."""
        match node:
            case tree.Matrix(name):
                return _column(self.array(name))
            case tree.Gradient(name):
                return _column(self.gradient(name))
            case tree.Jacobian(of, by):
                jacobian = self.local(of, by)
                lying = next((array.shape for array in (self.array(of), self.array(by)) if array.ndim == 2), None)
                return jacobian.reshape(lying or (self.array(of).size, self.array(by).size))
            case tree.Transposed(operand):
                return np.swapaxes(self._value(operand, at), -1, -2)
            case tree.MatrixProduct(factors):
                return self._pairwise(np.matmul, [self._value(factor, at) for factor in factors])
            case tree.Ones(rows, columns):
                return np.ones((int(rows.text), int(columns.text)))
            case tree.Identity(size):
                return np.eye(int(size.text))
            case tree.Diagonal(operand):
                return np.diagflat(self._value(operand, at))
            case tree.OneHot(positions, size):
                place = np.rint(np.real(self._value(positions, at))).astype(int).reshape(-1, 1)
                rows = (place == np.arange(1, int(size.text) + 1)).astype(float)
                named = {part.name for part in walk(positions) if isinstance(part, tree.Matrix)}
                return rows if any(self.names[name].shape for name in named) else rows.T
        raise TypeError(f"{type(node).__name__} has no value")

    def _total(self, values: Sequence[Array]) -> Array:
        return self._pairwise(np.add, values)

    def _pairwise(self, operation: Callable[[Array, Array], Array], values: Sequence[Array]) -> Array:
        result = values[0]
        for value in values[1:]:
            result = operation(result, value)
        return result

    def _entry(self, array: Array, positions: Sequence[tree.Node], at: Mapping[str, Array]) -> Array:
        if not positions:
            return array
        where = [np.asarray(np.rint(np.real(self._value(position, at)))).astype(int) - 1 for position in positions]
        inside = np.ones(np.broadcast_shapes(*(place.shape for place in where)), dtype=bool)
        for place, size in zip(where, array.shape, strict=True):
            inside = inside & (place >= 0) & (place < size)
        clipped = [np.clip(place, 0, size - 1) for place, size in zip(where, array.shape, strict=True)]
        return np.where(inside, array[tuple(clipped)], 0)

    def _reduced(self, node: tree.Reduction, at: Mapping[str, Array]) -> Array:
        *outer, index = node.indices
        if outer:
            inner = tree.Reduction(node.operation, node.body, (index,), node.sizes[-1:])
            return self._reduced(tree.Reduction(node.operation, inner, tuple(outer), node.sizes[:-1]), at)
        size = node.sizes[0] if node.sizes else self.size_of(index, node.body)
        depth = max((grid.ndim for grid in at.values()), default=0)
        deeper = {name: grid.reshape((*grid.shape, 1)) for name, grid in at.items()}
        deeper[index] = np.arange(1, size + 1).reshape((1,) * depth + (size,))
        body = self._value(node.body, deeper)
        body = np.broadcast_to(body, np.broadcast_shapes(body.shape, deeper[index].shape))
        best = np.real(body)
        match node.operation:
            case "sum":
                return body.sum(axis=-1)
            case "mean":
                return body.mean(axis=-1)
            case "argmax" | "argmin":
                return getattr(best, node.operation)(axis=-1) + 1.0
        first = getattr(best, f"arg{node.operation}")(axis=-1)
        return np.take_along_axis(body, first[..., None], axis=-1)[..., 0]

    def array(self, name: str) -> Array:
        """A quantity's values; of one that the run does not report, by its definition."""
        if name not in self.arrays or self.arrays[name].shape != self.names[name].shape:
            self.arrays[name] = self.defined(name)
        return self.arrays[name]

    def gradient(self, name: str) -> Array:
        """∂J/∂name; of a quantity that the run does not report, by the definitions from it to J."""
        reported = self.arrays.get(f"dJ/d{name}")
        if reported is None or reported.shape != self.names[name].shape:
            return self.local(self.names.cost, name)
        return reported

    def local(self, of: str, by: str) -> Array:
        """∂of/∂by with the axes of ``of`` first. Where ``by`` stands in the definition of ``of``, that alone counts;
        otherwise the definitions in between are gone through."""
        if (of, by) not in self._local:
            self._local[of, by] = self._stepped(of, by)
        return self._local[of, by]

    def _stepped(self, of: str, by: str) -> Array:
        names = list(self.definitions)
        assert of in names, f"no definition of {of} was given"
        uses = any(
            isinstance(inner, tree.Place | tree.Matrix) and inner.name == by for inner in walk(self.definitions[of])
        )
        chain = [of] if uses else names[names.index(by) + 1 if by in names else 0 : names.index(of) + 1]
        start = self.array(by)
        result = np.zeros((*self.array(of).shape, *start.shape))
        for entry in np.ndindex(start.shape):
            moved = np.array(start, dtype=complex)
            moved[entry] += STEP * 1j
            shadow = Evaluation(self.names, {**self.arrays, by: moved}, self.definitions)
            for name in chain:
                shadow.arrays[name] = shadow.defined(name)
            result[(..., *entry)] = np.imag(shadow.array(of)) / STEP
        return result

    def defined(self, name: str) -> Array:
        """The quantity's value by its definition."""
        left, right, *_ = self.definitions[name].sides
        if isinstance(left, tree.Matrix):
            return self.value(right, {}).reshape(self.names[name].shape)
        assert isinstance(left, tree.Place)
        own = [position.name for position in left.positions if isinstance(position, tree.Place)]
        if len(own) < len(left.positions):
            return self._spread(name, left, right)
        sizes = dict(zip(own, self.names[name].shape, strict=True))
        value = self.value(right, sizes)
        return value.reshape(()) if not sizes else np.broadcast_to(value, tuple(sizes.values()))

    def _spread(self, name: str, left: tree.Place, right: tree.Node) -> Array:
        """A definition whose left side has sums as positions: an array laid flat."""
        sizes = self.sizes_in(right)
        value = self.value(right, sizes)
        result = np.zeros(self.names[name].shape, dtype=value.dtype)
        where = [np.rint(np.real(self.value(place, sizes))).astype(int) - 1 for place in left.positions]
        result[tuple(np.broadcast_arrays(*where))] = np.broadcast_to(value, tuple(sizes.values()))
        return result


def _column(array: Array) -> Array:
    return array.reshape(-1, 1) if array.ndim == 1 else array


def _power(base: Array, exponent: Array) -> Array:
    if np.all(np.real(exponent) == np.rint(np.real(exponent))) and exponent.ndim == 0:
        return base ** int(np.real(exponent))
    return base**exponent
