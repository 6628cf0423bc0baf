"""Formulas evaluated symbolically into array operations: the recursion over a formula's nodes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction

from sympy import Add, Expr, Mul, Pow, Rational, S, Symbol

from backprop_cli.numeric.arrays import Arrays, Labelled, Scalar
from backprop_cli.numeric.contraction import Contraction, Factor
from backprop_cli.numeric.functions import UFUNCS, Numeric, numeric_form
from backprop_cli.numeric.operations import COMPARISONS, Table, Value
from backprop_cli.numeric.positions import Sizes
from backprop_cli.numeric.products import MOST_REPEATED, Product, products
from backprop_cli.symbolic.functions import LibraryFunction
from backprop_cli.symbolic.notation import Compare, Place, Reduce, Where

PAIR = 2  # the larger of two arrays takes a third of the time that a reduction over an axis of two takes


class Expressions(ABC):
    """Writes the operations of expressions into a table. What a quantity is at some positions, a subclass knows."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.arrays = Arrays(table)

    @abstractmethod
    def _place(self, place: Place, sizes: Sizes) -> Labelled:
        """A quantity at positions."""

    def _terms(self, factors: Sequence[Expr], sizes: Sizes, exact: bool) -> list[Labelled]:
        """A product as labelled arrays to be added."""
        found = list(products(factors, {}, sizes))
        return [self._term(product, sizes, exact=exact and len(found) == 1) for product in found]

    def _term(self, product: Product, sizes: Sizes, exact: bool) -> Labelled:
        if len(product.above) == 1 and not product.below and not product.sums:
            return self._expression(product.above[0], sizes, exact)
        return self._product(product, sizes, exact)

    def _product(self, product: Product, sizes: Sizes, exact: bool) -> Labelled:
        sizes = {**sizes, **product.sums}
        factors = [Factor(self._expression(factor, sizes)) for factor in product.above]
        factors += [Factor(self._expression(factor, sizes), inverse=True) for factor in product.below]
        return Contraction(self.arrays, tuple(sizes))(factors, product.sums, exact=exact)

    def _expression(self, expression: Expr, sizes: Sizes, exact: bool = False) -> Labelled:
        """The expression over the axes that it depends on; ``exact`` leaves nothing outside the array where that is
        cheaper done inside."""
        if expression.is_number and not expression.has(LibraryFunction):
            return Labelled(None, (), _number(expression))
        if isinstance(expression, Symbol):
            return Labelled(self.table.arange(sizes[expression]), (expression,))
        if isinstance(expression, Place):
            return self._place(expression, sizes)
        if isinstance(expression, Add):
            terms = [term for part in expression.args for term in self._terms((part,), sizes, exact=False)]
            return self.arrays.add(terms, tuple(sizes), exact)
        if isinstance(expression, Mul) or (isinstance(expression, Reduce) and expression.operation == "sum"):
            return self._sum(self._terms((expression,), sizes, exact), sizes)
        if isinstance(expression, Pow):
            return self._power(expression, sizes, exact)
        if isinstance(expression, Reduce):
            return self._extreme(expression, sizes)
        if isinstance(expression, Compare):
            return self._comparison(expression, sizes)
        if isinstance(expression, Where):
            return self._choice(expression, sizes)
        return self._function(expression, sizes)

    def _sum(self, terms: list[Labelled], sizes: Sizes) -> Labelled:
        return terms[0] if len(terms) == 1 else self.arrays.add(terms, tuple(sizes))

    def _function(self, expression: Expr, sizes: Sizes) -> Labelled:
        form = numeric_form(expression)
        if form is not None:
            return self._expression(form, sizes)
        name, operands = type(expression).__name__, expression.args
        if isinstance(expression, Numeric):
            name, operands = expression.name, expression.operands
            if name == "together":
                return self._expression(operands[0], sizes)
        if name not in UFUNCS:
            raise TypeError(f"no numerical form for {name}")
        arrays = [self._expression(operand, sizes) for operand in operands]
        return self.arrays.apply(UFUNCS[name], *arrays, order=tuple(sizes))

    def _power(self, power: Pow, sizes: Sizes, exact: bool) -> Labelled:
        exponent = power.exp
        divides = exponent.is_number and exponent.could_extract_minus_sign()
        if divides or (exponent.is_Integer and exponent <= MOST_REPEATED):
            return self._sum(self._terms((power,), sizes, exact), sizes)
        base = self._expression(power.base, sizes)
        if exponent == S.Half:
            return self.arrays.apply("sqrt", base)
        return self.arrays.apply("power", base, self._expression(exponent, sizes), order=tuple(sizes))

    def _choice(self, choice: Where, sizes: Sizes) -> Labelled:
        condition = self._expression(choice.condition, sizes)
        if choice.then is S.One and choice.otherwise is S.Zero:
            return self.arrays.condition(condition)
        then, otherwise = (self._expression(branch, sizes) for branch in (choice.then, choice.otherwise))
        return self.arrays.where(condition, then, otherwise, tuple(sizes))

    def _comparison(self, compare: Compare, sizes: Sizes) -> Labelled:
        left, right = _without_number(compare.left, compare.right)
        # The largest of an array is found as a position from 0: what is known beforehand counts from 0 too.
        if _is_position(right) and not left.has(Place):
            sides = [self._expression(left - 1, sizes), self._extreme(right, sizes, first=0)]
        elif _is_position(left) and not right.has(Place):
            sides = [self._extreme(left, sizes, first=0), self._expression(right - 1, sizes)]
        else:
            sides = [self._expression(side, sizes) for side in (left, right)]
        return self.arrays.apply(COMPARISONS[compare.operator], *sides, order=tuple(sizes))

    def _extreme(self, reduction: Reduce, sizes: Sizes, first: int = 1) -> Labelled:
        """max, min, argmax or argmin over the bound index, positions counted from ``first``."""
        inner = {**sizes, reduction.bound: reduction.size}
        body = self.arrays.exact(self._expression(reduction.body, inner))
        position = reduction.operation.startswith("arg")
        if reduction.bound not in body.axes:
            return Labelled(None).times(Fraction(first)) if position else body
        axis = body.axes.index(reduction.bound)
        kept = body.axes[:axis] + body.axes[axis + 1 :]
        value = self.arrays.value(body)
        if not position:
            return Labelled(self._largest({"max": "maximum", "min": "minimum"}[reduction.operation], value, axis), kept)
        found = Labelled(self.table.position(reduction.operation, value, axis), kept)
        return self.arrays.apply("add", found, Labelled(None)) if first else found

    def _largest(self, name: str, value: Value, axis: int) -> Value:
        shape = self.table.shape(value)
        if shape[axis] != PAIR:
            return self.table.reduce(name, value, (axis,))
        ends = [(0, size) for size in shape]
        one, other = (self.table.subscript(value, (*ends[:axis], k, *ends[axis + 1 :])) for k in range(PAIR))
        return self.table.binary(name, one, other)


def _is_position(expression: Expr) -> bool:
    return isinstance(expression, Reduce) and expression.operation.startswith("arg")


def _without_number(left: Expr, right: Expr) -> tuple[Expr, Expr]:
    """Both sides of a comparison less a number beside a quantity, where the other side is known beforehand: [k = y + 1]
    is [k - 1 = y]."""
    if left.has(Place) == right.has(Place):
        return left, right
    number = (left if left.has(Place) else right).as_coeff_Add()[0]
    return (left - number, right - number) if number.is_Integer else (left, right)


def _number(expression: Expr) -> Scalar:
    if isinstance(expression, Rational):
        return Fraction(int(expression.p), int(expression.q))
    if expression is S.ComplexInfinity:
        return float("inf")
    try:
        return float(expression)
    except TypeError:  # sqrt(-1)
        return float("nan")
