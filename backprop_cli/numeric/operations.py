"""Array operations in single assignment: the list of values that formulas are lowered to.

A value is the number of an operation in a :class:`Table`. Equal operations are one value, whatever formulas asked for
them, so ``a - y`` is computed once and the backward pass uses what the forward pass has computed. Axes have no names
here; shapes are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

Value: TypeAlias = int
Shape: TypeAlias = tuple[int, ...]
# Of a subscript: a position from 0, a slice, one with a step, or a new axis.
Entry: TypeAlias = int | tuple[int, int] | tuple[int, int, int] | None

COMMUTATIVE = frozenset({"add", "multiply", "maximum", "minimum", "logaddexp", "equal", "not_equal"})
COMPARISONS = {
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "==": "equal",
    "!=": "not_equal",
}
CONDITIONS = frozenset(COMPARISONS.values())
VIEWS = frozenset({"transpose", "subscript", "reshape", "windows"})
SEEN_THROUGH = VIEWS - {"windows"}  # views that cost nothing to speak of, so they are written wherever they are used
INTEGERS = frozenset({"position", "whole"})
SOURCES = frozenset({"argument", "number", "ones", "arange"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its kind, the values it takes, what else it needs to know, and the shape of its result.

    ``constant`` says that no argument of the program takes part; ``boolean`` that the result is one of conditions.
    """

    kind: str
    operands: tuple[Value, ...]
    detail: tuple[object, ...]
    shape: Shape
    boolean: bool = False
    constant: bool = False

    @property
    def size(self) -> int:
        return prod(self.shape)


class Table:
    """All operations made so far, each once."""

    def __init__(self) -> None:
        self._operations: list[Operation] = []
        self._numbers: dict[object, Value] = {}

    def __getitem__(self, value: Value) -> Operation:
        return self._operations[value]

    def __len__(self) -> int:
        return len(self._operations)

    def shape(self, value: Value) -> Shape:
        return self._operations[value].shape

    def find(self, kind: str, operands: tuple[Value, ...], detail: tuple[object, ...] = ()) -> Value | None:
        """The value of this operation where there is one already."""
        return self._numbers.get(self._key(kind, operands, detail))

    def number(self, value: float) -> Value:
        # repr tells -0.0 from 0.0 and lets nan equal itself.
        return self._add("number", (), (repr(float(value)),), (), constant=True)

    def argument(self, name: str, shape: Shape) -> Value:
        return self._add("argument", (), (name,), shape)

    def ones(self, size: int) -> Value:
        return self._add("ones", (), (size,), (size,), constant=True)

    def arange(self, size: int) -> Value:
        """1, 2, ..., size."""
        return self._add("arange", (), (size,), (size,), constant=True)

    def unary(self, name: str, value: Value) -> Value:
        if name == "negative" and self[value].kind == "negative":
            return self[value].operands[0]
        return self._add(name, (value,), (), self.shape(value))

    def binary(self, name: str, left: Value, right: Value) -> Value:
        shape = broadcast(self.shape(left), self.shape(right))
        return self._add(name, (left, right), (), shape, boolean=self._is_boolean(name, left, right))

    def _is_boolean(self, name: str, left: Value, right: Value) -> bool:
        return name in CONDITIONS or (name == "multiply" and self[left].boolean and self[right].boolean)

    def where(self, condition: Value, then: Value, otherwise: Value) -> Value:
        shape = broadcast(self.shape(condition), self.shape(then), self.shape(otherwise))
        return self._add("where", (condition, then, otherwise), (), shape)

    def dot(self, left: Value, right: Value) -> Value:
        """The product of two vectors, two matrices, or of one of each."""
        return self._add("dot", (left, right), (), self.shape(left)[:-1] + self.shape(right)[1:])

    def matmul(self, left: Value, right: Value) -> Value:
        """Stacks of matrices multiplied: the leading axes of both are the same."""
        return self._add("matmul", (left, right), (), self.shape(left)[:-1] + self.shape(right)[-1:])

    def reduce(self, name: str, value: Value, axes: tuple[int, ...]) -> Value:
        """``add``, ``maximum`` or ``minimum`` over some axes."""
        kept = tuple(size for axis, size in enumerate(self.shape(value)) if axis not in axes)
        return self._add("reduce", (value,), (name, axes), kept)

    def position(self, name: str, value: Value, axis: int) -> Value:
        """``argmax`` or ``argmin`` along an axis, from 0, as whole numbers."""
        shape = self.shape(value)
        return self._add("position", (value,), (name, axis), shape[:axis] + shape[axis + 1 :])

    def gather(self, value: Value, positions: Iterable[Value]) -> Value:
        """The value at positions from 0, one array of them per axis, broadcast against each other; axes at the end
        that no position is given for stay whole."""
        where = tuple(positions)
        found = broadcast(*(self.shape(place) for place in where))
        return self._add("gather", (value, *where), (), found + self.shape(value)[len(where) :])

    def add_at(self, shape: Shape, base: Value | None, positions: Iterable[Value], value: Value) -> Value:
        """``base``, or zeros, with values added at positions from 0, as often as each position occurs."""
        where = tuple(positions)
        operands = (*where, value) if base is None else (base, *where, value)
        return self._add("add_at", operands, (base is not None,), shape)

    def broadcast_to(self, value: Value, shape: Shape) -> Value:
        return value if self.shape(value) == shape else self._add("broadcast", (value,), (shape,), shape)

    def copy(self, value: Value) -> Value:
        """A new array of the same numbers: another one at each request."""
        return self._add("copy", (value,), (len(self),), self.shape(value))

    def assemble(self, shape: Shape, base: Value | None, parts: Iterable[tuple[tuple[Entry, ...], Value]]) -> Value:
        """``base``, or zeros, with values added to parts of it."""
        entries = [(tuple(map(plain, place)), value) for place, value in parts]
        if not entries:
            return self.broadcast_to(self.number(0.0) if base is None else base, shape)
        places, values = zip(*entries, strict=True)
        everywhere = tuple((0, size) for size in shape)
        if base is None and places == (everywhere,):
            return self.broadcast_to(values[0], shape)
        if base is not None and self[base].kind == "assemble":
            before, with_base = self[base].detail
            assert isinstance(before, tuple)
            inner = self[base].operands
            base, rest = (inner[0], inner[1:]) if with_base else (None, inner)
            places, values = before + places, rest + values
        operands = values if base is None else (base, *values)
        return self._add("assemble", operands, (places, base is not None), shape)

    def state(self, shape: Shape) -> Value:
        """An array of zeros that a loop fills: another one at each request."""
        return self._add("state", (), (len(self),), shape)

    def loop(self, body: object, operands: Sequence[Value]) -> Value:
        """A loop that fills states among its operands."""
        return self._add("loop", tuple(operands), (body, len(self)), ())

    def after(self, state: Value, loop: Value) -> Value:
        """A state after the loop that fills it."""
        return self._add("after", (state, loop), (), self.shape(state))

    def filled(self, value: Value) -> Value:
        """The state that a loop fills, of what is a part of it; any other value itself."""
        operation = self[value]
        whole = self[operation.operands[0]] if operation.kind == "subscript" else operation
        return whole.operands[0] if whole.kind == "after" else value

    def transpose(self, value: Value, order: tuple[int, ...]) -> Value:
        if order == tuple(range(len(order))):
            return value
        operation = self[value]
        if operation.kind == "transpose":
            before: tuple[int, ...] = operation.detail[0]  # type: ignore[assignment]
            return self.transpose(operation.operands[0], tuple(before[axis] for axis in order))
        return self._add("transpose", (value,), (order,), tuple(operation.shape[axis] for axis in order))

    def subscript(self, value: Value, entries: tuple[Entry, ...]) -> Value:
        """A view: a position drops its axis, None adds one, a slice narrows one; entries cover all axes."""
        shape: list[int] = []
        axes = iter(self.shape(value))
        entries = tuple(map(plain, entries))
        for entry in entries:
            if entry is None:
                shape.append(1)
            else:
                next(axes)
                if isinstance(entry, tuple):
                    shape.append(len(range(*entry)))
        if tuple(shape) == self.shape(value):
            return value
        if self[value].kind == "transpose" and any(isinstance(entry, int) for entry in entries):
            return self._subscript_before(value, entries)
        return self._add("subscript", (value,), (entries, self.shape(value)), tuple(shape))

    def _subscript_before(self, value: Value, entries: tuple[Entry, ...]) -> Value:
        """The subscript of a transposed array as one of the array itself: an axis that is dropped needs no place."""
        order: tuple[int, ...] = self[value].detail[0]  # type: ignore[assignment]
        of_axis = dict(zip(order, (entry for entry in entries if entry is not None), strict=True))
        inner = self.subscript(self[value].operands[0], tuple(of_axis[axis] for axis in range(len(order))))
        kept = [axis for axis in order if not isinstance(of_axis[axis], int)]
        turned = self.transpose(inner, tuple(sorted(kept).index(axis) for axis in kept))
        sizes = iter(self.shape(turned))
        left = (entry for entry in entries if not isinstance(entry, int))
        return self.subscript(turned, tuple(None if entry is None else (0, next(sizes)) for entry in left))

    def windows(self, value: Value, lengths: tuple[int, ...], axes: tuple[int, ...]) -> Value:
        """A view with a window of so many numbers sliding along each of these axes; the windows' own axes come last."""
        shape = list(self.shape(value))
        for axis, length in zip(axes, lengths, strict=True):
            shape[axis] -= length - 1
        return self._add("windows", (value,), (lengths, axes), (*shape, *lengths))

    def reshape(self, value: Value, shape: Shape) -> Value:
        return value if self.shape(value) == shape else self._add("reshape", (value,), (shape,), shape)

    def _add(
        self,
        kind: str,
        operands: tuple[Value, ...],
        detail: tuple[object, ...],
        shape: Shape,
        boolean: bool = False,
        constant: bool | None = None,
    ) -> Value:
        key = self._key(kind, operands, detail)
        known = self._numbers.get(key)
        if known is not None:
            return known
        if constant is None:
            # A copy is made because the caller may keep and change what it gets.
            constant = kind != "copy" and bool(operands) and all(self[operand].constant for operand in operands)
        if kind in VIEWS:
            boolean = self[operands[0]].boolean
        self._operations.append(Operation(kind, operands, detail, shape, boolean, constant))
        self._numbers[key] = len(self._operations) - 1
        return len(self._operations) - 1

    @staticmethod
    def _key(kind: str, operands: tuple[Value, ...], detail: tuple[object, ...]) -> object:
        return kind, tuple(sorted(operands)) if kind in COMMUTATIVE else operands, detail


def plain(entry: Entry) -> Entry:
    """The same entry without a step of 1."""
    return entry[:2] if isinstance(entry, tuple) and len(entry) == 3 and entry[2] == 1 else entry


def broadcast(*shapes: Shape) -> Shape:
    """The shape of an elementwise operation; raises ValueError where the shapes do not fit."""
    result: list[int] = []
    for axis in range(-max(map(len, shapes), default=0), 0):
        sizes = {shape[axis] for shape in shapes if len(shape) >= -axis} - {1}
        if len(sizes) > 1:
            raise ValueError(f"shapes {', '.join(map(str, shapes))} do not fit together")
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)
