"""What a small change of one number does to a network, found without the tool's mathematics, and pages that tell it.

The definitions as they are read from a printed derivation are evaluated in NumPy: once more with the changed number for
what really changes, and with it changed by an imaginary step for what changes to first order, v(u + ih du)/h.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.language.walking import parts, rebuilt, walk
from tests.reading_back.checking import check_formula
from tests.reading_back.evaluation import STEP, Definitions, Evaluation, change_of, free_indices
from tests.reading_back.normal import normal
from tests.reading_back.pages import Equation

Array: TypeAlias = NDArray[Any]

UNROUNDED = "from unrounded numbers"
NEAR = 1e-9  # how far a formula may be from its result, for rounding in the computation
RESIDUE = 4e-16  # of the largest change, what terms that cancel may leave
QUANTITIES = (tree.Place, tree.Partial, tree.Prime, tree.Differential)


@dataclass(frozen=True)
class Changed:
    """One entry of a given quantity and its change; positions count from 1."""

    of: str
    position: tuple[int, ...]
    change: float

    def put_into(self, array: Array, change: complex) -> Array:
        moved = np.array(array, dtype=np.result_type(type(change)))
        moved[tuple(place - 1 for place in self.position)] += change
        return moved


class Run:
    """The numbers of a network, ``arrays`` by name with gradients as ``dJ/dX``, and what a change does to them."""

    def __init__(self, names: Names, arrays: Mapping[str, Array], definitions: Definitions) -> None:
        self.names, self.definitions = names, definitions
        before = Evaluation(names, arrays, definitions)
        for name in definitions:
            before.array(name)  # a definition uses what is defined before it
        self.arrays = before.arrays
        self._after: dict[tuple[Changed, complex], dict[str, Array]] = {}

    def after(self, changed: Changed, change: complex) -> dict[str, Array]:
        """Every quantity after the change."""
        if (changed, change) not in self._after:
            self._after[changed, change] = self._changed(changed, change)
        return self._after[changed, change]

    def _changed(self, changed: Changed, change: complex) -> dict[str, Array]:
        """In a loop a step is right once those before it are, so all are gone through until nothing is news."""
        moved = changed.put_into(self.arrays[changed.of], change)
        evaluation = Evaluation(self.names, {**self.arrays, changed.of: moved}, self.definitions)
        for _ in range(1 + max((max(shown.shape, default=0) for shown in self.names.quantities.values()), default=0)):
            news = False
            for name in self.definitions:
                found = evaluation.defined(name)
                news = news or not np.array_equal(found, evaluation.arrays[name], equal_nan=True)
                evaluation.arrays[name] = found
            if not news:
                break
        return {name: evaluation.arrays[name] for name in self.arrays if not name.startswith("dJ/d")}

    def to_first_order(self, changed: Changed) -> dict[str, Array]:
        after = self.after(changed, changed.change * STEP * 1j)
        return {name: np.imag(array) / STEP for name, array in after.items()}

    def truly(self, changed: Changed) -> dict[str, Array]:
        after = self.after(changed, changed.change)
        return {name: np.asarray(array - self.arrays[name]) for name, array in after.items()}


def check_equations(
    equations: Sequence[Equation], run: Run, changed: Changed, digits: int, ranges: Sequence[Mapping[str, int]]
) -> int:
    """Every equation of a page about a change: general ones for all their entries, ``formula = numbers put in =
    result`` in full precision and in what is shown. ``ranges`` of each equation's indices are for those that no place
    tells. Gives the number of places into which numbers were put."""
    first_order = run.to_first_order(changed)
    arrays = run.arrays | {change_of(name): array for name, array in first_order.items()}
    noise = RESIDUE * max(float(np.max(np.abs(array), initial=0)) for array in first_order.values())
    put_in = 0
    told: set[str] = set()
    for equation, known in zip(equations, ranges, strict=True):
        node = equation.read(run.names)
        assert isinstance(node, tree.Equality), equation.text
        target = node.sides[0]
        assert isinstance(target, tree.Differential), equation.text
        told.add(target.of.name)
        if free_indices(target, run.names):
            check_formula(equation.text, run.names, arrays, equation.format, run.definitions, 1e-8, known)
            assert not equation.remark
        else:
            evaluation = Evaluation(run.names, arrays, run.definitions, known)
            put_in += _Entry(equation, node, evaluation, digits, noise).check()
    moved = {name for name, array in first_order.items() if np.max(np.abs(array), initial=0) > noise}
    assert moved <= told
    return put_in


class _Entry:
    """``target = formula = numbers put in = result`` of one entry."""

    def __init__(
        self, equation: Equation, node: tree.Equality, evaluation: Evaluation, digits: int, noise: float
    ) -> None:
        self.text, self.remark = equation.text, equation.remark
        self.names, self.evaluation, self.digits = evaluation.names, evaluation, digits
        self.noise = noise
        self.target, *self.sides = node.sides

    def of(self, node: tree.Node) -> float:
        return float(self.evaluation.value(node, {}))

    def check(self) -> int:
        exact, shown = self.of(self.target), self.sides[-1]
        check_rounding(shown, exact, self.digits, self.text, self.noise)
        formulas = [side for side in self.sides if any(isinstance(node, QUANTITIES) for node in walk(side))]
        assert formulas == self.sides[: len(formulas)]
        for formula in formulas:
            found = self.of(formula)
            assert abs(found - exact) <= NEAR * abs(exact) + self.noise, f"{self.text}\n{found!r} is not {exact!r}"
        numbers = self.sides[len(formulas) : -1]
        assert len(numbers) <= 1, self.text
        if not numbers:
            assert not self.remark, self.text
            return 0
        if abs(exact) <= self.noise or any(abs(change) <= self.noise for change in self.changes(formulas[-1])):
            return 0  # even its sign is that of a rounding
        (put_in,) = numbers
        count = self.check_put_in(formulas[-1], put_in)
        self.check_remark(self.of(put_in), shown)
        return count

    def changes(self, formula: tree.Node) -> list[float]:
        return [self.of(node) for node in walk(formula) if isinstance(node, tree.Differential)]

    def check_put_in(self, formula: tree.Node, put_in: tree.Node) -> int:
        """The same formula, in which each place is a rounded number of what stands at it."""
        printed = list(_leaves(put_in))
        leaves = list(_leaves(formula))
        assert len(leaves) == len(printed), self.text
        rounded = iter(printed)

        def replaced(node: tree.Node) -> tree.Node:
            if not isinstance(node, (tree.Number, *QUANTITIES)):
                return rebuilt(node, replaced)
            number = next(rounded)
            assert isinstance(number, tree.Number), self.text
            if isinstance(node, tree.Number):
                assert node == number, self.text
                return node
            exact = self.of(node)
            signed = tree.Negative(number) if exact < 0 else number
            check_rounding(signed, exact, self.digits, self.text)
            return signed

        same = normal(replaced(formula), self.names), normal(put_in, self.names)
        assert same[0] == same[1], f"{self.text}\nthe numbers put in make another formula"
        return sum(not isinstance(leaf, tree.Number) for leaf in leaves)

    def check_remark(self, of_rounded: float, shown: tree.Node) -> None:
        """Whether the rounded numbers give the result as shown, and the page says so where they do not."""
        unit = _unit(of_rounded, self.digits)
        off = abs(of_rounded - self.of(shown)) / unit
        if abs(off - 0.5) < 1e-6:
            return  # half a unit is rounded as its last bit has it
        assert self.remark == ("" if off < 0.5 else UNROUNDED), f"{self.text}  {self.remark}"


def _leaves(node: tree.Node) -> list[tree.Node]:
    """Numbers and what has one, in order."""
    if isinstance(node, (tree.Number, *QUANTITIES)):
        return [node]
    return [leaf for part in parts(node) for leaf in _leaves(part)]


def check_rounding(shown: tree.Node, exact: float, digits: int, text: str, noise: float = 0.0) -> None:
    """A number as it is printed: the nearest with its digits; with fewer than asked for, or with fewer than three that
    count, it is the number itself. ``noise`` is how far it may be off for rounding in the computation."""
    is_negative = isinstance(shown, tree.Negative)
    number = shown.operand if isinstance(shown, tree.Negative) else shown
    assert isinstance(number, tree.Number), text
    value = float(number.text) * (-1 if is_negative else 1)
    assert value or not is_negative, text
    unit = _printed_unit(number.text)
    assert abs(value - exact) <= 0.5 * unit * (1 + 1e-6) + 1e-12 * abs(exact) + noise, (
        f"{text}\n{value!r} for {exact!r}"
    )
    if unit > _unit(exact, digits) * (1 + 1e-6):
        assert abs(value - exact) <= 1e-12 * abs(exact) + noise, f"{text}\n{value!r} is {exact!r} with too few digits"


def _printed_unit(text: str) -> float:
    """What the last digit of a printed number counts."""
    mantissa, _, power = text.lower().partition("e")
    return 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))


def _unit(value: float, digits: int) -> float:
    """What the last digit counts that a number has to show, at least."""
    if value == 0 or not np.isfinite(value):
        return 10.0**-digits
    leading = int(np.floor(np.log10(abs(value))))
    if abs(value) >= 1e6 or abs(value) < min(1e-4, 10.0**-digits):
        return 10.0 ** (leading - max(digits - 1, 0))
    return float(min(10.0**-digits, 10.0 ** (leading - max(min(digits, 3), 1) + 1)))
