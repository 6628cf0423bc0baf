"""Arrays whose axes are named by indices, and elementwise arithmetic between them.

A :class:`Labelled` array also carries a number that multiplies it: numbers stay exact and outside the arrays as long as
they can, meet there (``2/N`` and ``1/K``), and are multiplied in once, where it is cheapest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

from sympy import Symbol

from backprop_cli.numeric.operations import Table, Value

Scalar: TypeAlias = Fraction | float
Axes: TypeAlias = tuple[Symbol, ...]

ONE = Fraction(1)

# Up to this many numbers, sign(relu(z)) is faster than the condition z > 0, which has to be converted to numbers.
MASK_BY_SIGN = 4000


@dataclass(frozen=True, slots=True)
class Labelled:
    """``coefficient`` times the array ``value``, whose axes are called ``axes``; without a value, the number alone."""

    value: Value | None
    axes: Axes = ()
    coefficient: Scalar = ONE

    def times(self, number: Scalar) -> Labelled:
        return self if number == ONE else replace(self, coefficient=self.coefficient * number)

    def plain(self) -> Labelled:
        return replace(self, coefficient=ONE)


def as_float(number: Scalar) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def joint(operands: Iterable[Labelled], order: Axes = ()) -> Axes:
    """The axes of an elementwise result: in the order of an operand that has them all, else in the order wished for."""
    found = tuple(operands)
    union = tuple(dict.fromkeys(axis for operand in found for axis in operand.axes))
    for operand in found:
        if len(operand.axes) == len(union):
            return operand.axes
    return tuple(sorted(union, key=lambda axis: order.index(axis) if axis in order else len(order) + union.index(axis)))


class Arrays:
    """Arithmetic that writes its operations into a table. ``order`` is the order of axes that the result should have:
    a wish, which saves a transposition where it is followed."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def size(self, array: Labelled) -> int:
        return 1 if array.value is None else self.table[array.value].size

    def sizes(self, array: Labelled) -> dict[Symbol, int]:
        return {} if array.value is None else dict(zip(array.axes, self.table.shape(array.value), strict=True))

    def is_boolean(self, array: Labelled) -> bool:
        return array.value is not None and self.table[array.value].boolean

    def exact(self, array: Labelled) -> Labelled:
        """The same with nothing left outside the array, and numbers in place of conditions."""
        if array.value is None:
            return Labelled(self.table.number(as_float(array.coefficient)))
        if array.coefficient == ONE and not self.is_boolean(array):
            return array
        return Labelled(self._scaled(array.value, array.coefficient), array.axes)

    def _scaled(self, value: Value, number: Scalar) -> Value:
        operation = self.table[value]
        if number == -1 and not operation.boolean:
            if operation.kind == "subtract":
                return self.table.binary("subtract", *reversed(operation.operands))
            return self.table.unary("negative", value)
        return self.table.binary("multiply", self.table.number(as_float(number)), value)

    def value(self, array: Labelled) -> Value:
        exact = self.exact(array).value
        assert exact is not None
        return exact

    def view(self, array: Labelled, axes: Axes) -> Value:
        """The value, its coefficient apart, as a view that broadcasts against arrays with these axes."""
        assert array.value is not None
        kept = [axis for axis in axes if axis in array.axes]
        value = self.table.transpose(array.value, tuple(array.axes.index(axis) for axis in kept))
        while axes and axes[0] not in array.axes:
            axes = axes[1:]
        sizes = self.sizes(array)
        return self.table.subscript(value, tuple((0, sizes[axis]) if axis in sizes else None for axis in axes))

    def arranged(self, array: Labelled, axes: Axes) -> Value:
        """The exact value as a view that broadcasts against arrays with these axes; with all of them, it is whole."""
        return self.view(self.exact(array), axes)

    def apply(self, name: str, *operands: Labelled, order: Axes = ()) -> Labelled:
        """An elementwise function of one or two arrays."""
        exact = [self.exact(operand) for operand in operands]
        axes = joint(exact, order)
        values = [self.view(operand, axes) for operand in exact]
        make = self.table.unary if len(values) == 1 else self.table.binary
        return Labelled(make(name, *values), axes)

    def condition(self, array: Labelled) -> Labelled:
        """Where the array is not 0, as a condition."""
        if self.is_boolean(array) and array.coefficient != 0:
            return array.plain()
        return self.apply("not_equal", array, Labelled(self.table.number(0.0)))

    def where(self, condition: Labelled, then: Labelled, otherwise: Labelled, order: Axes = ()) -> Labelled:
        operands = (self.condition(condition), self.exact(then), self.exact(otherwise))
        axes = joint(operands, order)
        return Labelled(self.table.where(*(self.view(operand, axes) for operand in operands)), axes)

    def multiply(self, left: Labelled, right: Labelled, order: Axes = ()) -> Labelled:
        number = left.coefficient * right.coefficient
        if left.value is None or right.value is None:
            return replace(right if left.value is None else left, coefficient=number)
        left, right = self._masked(left.plain(), right.plain())
        if len(left.axes) == len(right.axes) == 1 and left.axes != right.axes:
            return self._outer(left, right, order).times(number)
        axes = joint((left, right), order)
        return Labelled(self.table.binary("multiply", self.view(left, axes), self.view(right, axes)), axes, number)

    def _masked(self, left: Labelled, right: Labelled) -> tuple[Labelled, Labelled]:
        """A product with the condition z > 0 as one with sign(max(z, 0)) where that is there and is faster."""
        if self.is_boolean(left) == self.is_boolean(right):
            return left, right
        if self.is_boolean(left):
            right, left = self._masked(right, left)
            return left, right
        assert right.value is not None
        operation = self.table[right.value]
        if operation.kind == "greater" and operation.size <= MASK_BY_SIGN:
            rectified = self.table.find("maximum", operation.operands)
            zero = self.table.find("number", (), (repr(0.0),))
            if rectified is not None and operation.operands[1] == zero:
                right = replace(right, value=self.table.unary("sign", rectified))
        return left, right

    def _outer(self, left: Labelled, right: Labelled, order: Axes) -> Labelled:
        """An outer product, by BLAS: half the time of broadcasting."""
        left, right = self.exact(left), self.exact(right)
        axes = joint((left, right), order)
        if axes[0] != left.axes[0]:
            left, right = right, left
        (rows,), (columns,) = self.sizes(left).values(), self.sizes(right).values()
        assert left.value is not None
        assert right.value is not None
        column = self.table.subscript(left.value, ((0, rows), None))
        row = self.table.subscript(right.value, (None, (0, columns)))
        return Labelled(self.table.dot(column, row), axes)

    def divide(self, left: Labelled, right: Labelled, order: Axes = ()) -> Labelled:
        if right.value is None:
            return left.times(self._inverse(right.coefficient))
        if left.value is None:
            number = left.coefficient * self._inverse(right.coefficient)
            # One division by the array does for a number over it, and 1/x serves whoever needs it next.
            return self.apply("divide", Labelled(None), right.plain(), order=order).times(number)
        number = left.coefficient * self._inverse(right.coefficient)
        return self.apply("divide", left.plain(), right.plain(), order=order).times(number)

    @staticmethod
    def _inverse(number: Scalar) -> Scalar:
        if number == 0:
            return float("inf")
        return 1 / number

    def add(self, terms: Iterable[Labelled], order: Axes = (), exact: bool = False) -> Labelled:
        """The sum of all terms, small arrays first; a number that all share stays outside (a sign not if ``exact``)."""
        collected: dict[tuple[Value | None, Axes], Scalar] = {}
        for term in terms:
            if self.is_boolean(term):
                term = self.exact(term.plain()).times(term.coefficient)
            key = (term.value, term.axes)
            collected[key] = collected.get(key, Fraction(0)) + term.coefficient
        kept = [Labelled(value, axes, number) for (value, axes), number in collected.items() if number != 0]
        if not kept:
            return Labelled(None, (), Fraction(0))
        common = self._common(kept, exact)
        kept = [term.times(1 / common) for term in kept] if common != ONE else kept
        kept.sort(key=self.size)
        total = kept[0]
        for term in kept[1:]:
            total = self._plus(total, term, order)
        return total.times(common)

    def _common(self, terms: list[Labelled], exact: bool) -> Scalar:
        if len(terms) == 1:
            return terms[0].coefficient
        magnitude = max(terms[0].coefficient, -terms[0].coefficient)
        if any(term.coefficient not in (magnitude, -magnitude) for term in terms):
            magnitude = ONE
        if magnitude in (float("inf"), 0.0) or magnitude != magnitude:
            magnitude = ONE
        leading = max(terms, key=lambda term: (term.value is None, self.size(term), term.value or 0))
        if exact:
            return magnitude if any(term.coefficient > 0 for term in terms) or magnitude == ONE else -magnitude
        flip = leading.coefficient < 0
        return -magnitude if flip else magnitude

    def _plus(self, total: Labelled, term: Labelled, order: Axes) -> Labelled:
        """The sum of two, with their common sign outside."""
        total, term = self._signed(total), self._signed(term)
        if total.coefficient != term.coefficient:
            positive, negative = (total, term) if total.coefficient > 0 else (term, total)
            return self.apply("subtract", positive.plain(), negative.plain(), order=order)
        assert total.value is not None
        if self.table[total.value].kind != "number" and self.size(term) >= self.size(total):
            total, term = term, total
        return self.apply("add", total.plain(), term.plain(), order=order).times(total.coefficient)

    def _signed(self, array: Labelled) -> Labelled:
        """The same with 1 or -1 outside."""
        if array.coefficient in (ONE, -ONE) and array.value is not None:
            return array
        sign = ONE if array.coefficient >= 0 else -ONE
        return self.exact(array.times(sign)).times(sign)
