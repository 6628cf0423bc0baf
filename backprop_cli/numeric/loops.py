"""Quantities that are computed step by step, as one loop of the program.

What does not depend on the loop is computed before it for all steps at once; the loop's body is lowered like any other
formulas, over arrays of one step. States are stored with zeros in front of the first step (or behind the last one,
where the loop runs backwards), so that an earlier step than the first reads 0 without a condition. Steps come first in
storage.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sympy import Add, Basic, Expr, Mul, S, Symbol

from backprop_cli.numeric.operations import Shape, Table, Value
from backprop_cli.numeric.positions import Sizes
from backprop_cli.symbolic.notation import Adjoint, Compare, Place, Reduce, fresh_index

Summed = tuple[Sizes, Sequence[Expr]]


class Member(NamedTuple):
    """One quantity of a loop (or its adjoint): where its steps run, and the products that it is the sum of."""

    place: Place
    shape: Shape
    axis: int
    given: Sequence[Summed]
    is_stored: bool = True


@dataclass(frozen=True, eq=False)
class Body:
    """One step: a table of its own whose arguments are the operands of the loop. ``inputs`` says for each operand
    whether a step of it is read, at which offset from this one, or all of it (None); ``results`` are the values that
    are stored, each with the number of the state it belongs to, ``names`` what the body calls values."""

    table: Table
    arguments: tuple[Value, ...]
    inputs: tuple[tuple[int, int | None], ...]  # operand of the loop, offset
    results: tuple[tuple[int, Value], ...]
    names: Mapping[Value, str]
    steps: int
    front: int
    backwards: bool

    def reads(self, result: Value) -> bool:
        """Whether the step itself uses a result."""
        return any(result in self.table[value].operands for value in range(len(self.table)))


@dataclass
class Apart:
    """Formulas of a loop taken apart into what depends on it and what does not."""

    step: Symbol
    members: Mapping[tuple[str, bool], Member]
    hoisted: dict[Expr, tuple[Place, tuple[int, ...]]] = field(default_factory=dict)

    def terms(self, given: Sequence[Summed], sizes: Sizes) -> list[Summed]:
        """A sum of products, all terms that do not depend on the loop as one outside it."""
        free = [(sums, factors) for sums, factors in given if not any(self._depends(factor) for factor in factors)]
        bound: list[Summed] = [
            (sums, self.product(factors, {**sizes, **sums})) for sums, factors in given if (sums, factors) not in free
        ]
        if not free:
            return bound
        return [({}, self._outside(Add(*(_summed(sums, factors) for sums, factors in free)), sizes)), *bound]

    def product(self, factors: Sequence[Expr], sizes: Sizes) -> list[Expr]:
        """The factors with what does not depend on the loop put outside, and without brackets that keep a step inside
        which reads 0 outside anyway."""
        flat = [part for factor in factors for part in Mul.make_args(factor)]
        read = {self._at(place) for factor in flat for place in factor.atoms(Place) if self._is_member(place)}
        flat = [factor for factor in flat if not self._is_implied(factor, read)]
        free = [factor for factor in flat if not self._depends(factor)]
        bound = [self.expression(factor, sizes) for factor in flat if self._depends(factor)]
        return [*(part for outside in self._connected(free) for part in self._outside(outside, sizes)), *bound]

    def _connected(self, factors: Sequence[Expr]) -> list[Expr]:
        """The product of the factors, as one array for all those that share indices: one of W[k,i] and [t > s - 2]
        would have the axes of both."""
        groups: list[tuple[set[Basic], Expr]] = []
        for factor in factors:
            symbols, product = factor.free_symbols - {self.step}, factor
            apart = []
            for others, other in groups:
                if symbols & others or not symbols or not others:
                    symbols, product = symbols | others, other * product
                else:
                    apart.append((others, other))
            groups = [*apart, (symbols, product)]
        return [product for _, product in groups if product is not S.One]

    def expression(self, expression: Expr, sizes: Sizes) -> Expr:
        """The expression with everything that does not depend on the loop named."""
        if not self._depends(expression):
            return Mul(*self._outside(expression, sizes))
        if isinstance(expression, Place):
            return expression
        if isinstance(expression, Add):
            free = [term for term in expression.args if not self._depends(term)]
            rest = [self.expression(term, sizes) for term in expression.args if self._depends(term)]
            return Add(*(self._outside(Add(*free), sizes) if free else ()), *rest)
        if isinstance(expression, Mul):
            return Mul(*self.product(expression.args, sizes))
        if isinstance(expression, Reduce):
            body = self.expression(expression.body, {**sizes, expression.bound: expression.size})
            return Reduce(expression.operation, body, expression.bound, expression.size)
        return expression.func(*(self.expression(a, sizes) if isinstance(a, Expr) else a for a in expression.args))

    def _is_member(self, place: Place) -> bool:
        return (place.name, isinstance(place, Adjoint)) in self.members

    def _at(self, place: Place) -> Expr:
        member = self.members[place.name, isinstance(place, Adjoint)]
        return place.positions[member.axis]

    def _depends(self, expression: Expr) -> bool:
        return any(self._is_member(place) for place in expression.atoms(Place))

    def _is_implied(self, factor: Expr, read: Collection[Expr]) -> bool:
        """``[t + 1 ≤ T]`` beside a quantity of the loop that is read at t + 1."""
        shifted = isinstance(factor, Compare) and factor.free_symbols == {self.step} and factor.left != self.step
        return shifted and factor.operator in ("<=", ">=") and factor.left in read

    def _outside(self, expression: Expr, sizes: Sizes) -> list[Expr]:
        """An expression without the loop's quantities: a number or a whole quantity as it is, anything else named."""
        if expression.is_number or (isinstance(expression, Place) and self.step not in expression.free_symbols):
            return [expression]
        if expression not in self.hoisted:
            symbols = [s for s in sizes if s in expression.free_symbols and s != self.step]
            axes = ([self.step] if self.step in expression.free_symbols else []) + symbols
            name = f"\0{len(self.hoisted)}"
            self.hoisted[expression] = Place(name, *axes), tuple(sizes[symbol] for symbol in axes)
        return [self.hoisted[expression][0]]


def _summed(sums: Sizes, factors: Sequence[Expr]) -> Expr:
    value: Expr = Mul(*factors)
    for symbol, size in reversed(list(sums.items())):
        value = Reduce("sum", value, symbol, size)
    return value


def steps_read(
    expression: Expr, step: Symbol, members: Mapping[tuple[str, bool], Member]
) -> Iterator[tuple[Place, int]]:
    """Every quantity of the loop that an expression reads, and how many steps from this one."""
    for place in sorted(expression.atoms(Place), key=str):
        key = (place.name, isinstance(place, Adjoint))
        if key in members:
            offset = place.positions[members[key].axis] - step
            if not offset.is_Integer:
                raise ValueError(f"{place} is not a step of the loop")
            yield place, int(offset)


def same_step(members: Sequence[Member]) -> tuple[Symbol, list[Member]]:
    """The members with one symbol for the step of all of them."""
    step = fresh_index("t")
    unified = []
    for member in members:
        rules: dict[Expr, Expr] = {member.place.positions[member.axis]: step}
        given = [(sums, tuple(factor.xreplace(rules) for factor in factors)) for sums, factors in member.given]
        unified.append(Member(member.place.xreplace(rules), member.shape, member.axis, given, member.is_stored))
    return step, unified
