"""The answers of an exercise for the numbers of many variants at once, with tolerances and points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Function, Pow

from backprop_cli.errors import BackpropError
from backprop_cli.exercises.choices import expanded, options
from backprop_cli.exercises.elementary import NEAREST, Numbers
from backprop_cli.exercises.exercise import Exercise, Question, QuestionKind
from backprop_cli.exercises.ids import name_of, read_name
from backprop_cli.exercises.key import Cell, CellKind, Key, Variant
from backprop_cli.exercises.nodes import Node, Values, given_values
from backprop_cli.exercises.planted import Planted, planted
from backprop_cli.exercises.tolerances import widths
from backprop_cli.symbolic.display import tree_of
from backprop_cli.symbolic.functions import LibraryFunction
from backprop_cli.symbolic.notation import Adjoint, Place
from backprop_cli.translation import enumerated, tr, tr_n

FORMULA = "formula "
EXACT = 1e-9  # of an exact answer, for the rounding of floating point
OWN = "own"  # the code of the spec's own numbers

Given = Mapping[str, NDArray[np.float64]]


def answers(exercise: Exercise, given: Given, codes: Sequence[str]) -> list[tuple[Cell, ...]]:
    """The cells of every variant. Each array of ``given`` has one axis more in front, for the variants, of which
    ``codes`` are the codes. Raises BackpropError for what has no exact answer where exact ones are asked for."""
    solver = _Solver(exercise, given)
    found = [list[Cell]() for _ in codes]
    for number, question in enumerate(exercise.questions, start=1):
        for cells, code, place in zip(found, codes, range(len(codes)), strict=True):
            cells.extend(solver.cells(question, number, code, place))
    return [tuple(cells) for cells in found]


def own_numbers(exercise: Exercise) -> Key:
    """The key of one variant with the spec's own numbers. Raises BackpropError where the spec gives sizes alone."""
    values = exercise.network.values
    missing = [name for name, array in values.items() if array is None]
    if missing:
        message = tr_n(
            "{name} has no numbers, so there are no variants with the spec's own; ask for --variants 1",
            "{name} have no numbers, so there are no variants with the spec's own; ask for --variants 1",
            len(missing),
        )
        raise BackpropError(message.format(name=enumerated(missing)))
    arrays = exercise.completed({n: np.asarray(array, dtype=np.float64)[np.newaxis] for n, array in values.items()})
    cells = answers(exercise, arrays, [OWN])[0]
    given = {name: array[0] for name, array in arrays.items()}
    variant = Variant("1", OWN, None, given, cells)
    spec = exercise.network.source.text
    return Key(exercise.title, spec, exercise.digits, 0, exercise.learning_rate, (variant,))


def planted_in(exercise: Exercise, variant: Variant, cell: str, of: str) -> Planted:
    """The solution with a wrong line that a variant's sheet shows."""
    arrays = {name: np.asarray(array)[np.newaxis] for name, array in variant.given.items()}
    given = given_values(exercise.graph, arrays)
    gradient = gradient_of(exercise, of)
    return planted(exercise.nodes, gradient, given, exercise.digits, variant.code, cell, exact=exercise.exact)


def gradient_of(exercise: Exercise, of: str) -> Place:
    """The gradient that a question of one entry is about."""
    name, positions, _ = read_name(of)
    return exercise.nodes.place(name_of(Adjoint(name, *(positions or ()))))


class _Solver:
    def __init__(self, exercise: Exercise, given: Given) -> None:
        self._exercise, self._arrays = exercise, given
        asked = [cell for question in exercise.questions for cell in question.cells]
        self._formulas = {cell: self._formula(cell) for cell in asked if cell.startswith(FORMULA)}
        self._places = {cell: exercise.place(cell) for cell in asked if is_number(cell)}
        nodes, wanted = exercise.nodes, list(self._places.values())
        steps = nodes.in_order(wanted)
        if exercise.exact:
            require_fractions(steps)
        self._values = nodes.values(given_values(exercise.graph, given, nodes.leaves(wanted)), wanted, NEAREST)
        known = [node.place for node in steps] if exercise.exact else []
        self._widths = widths(nodes, self._values, wanted, exercise.digits, known, NEAREST)
        for cell, place in self._places.items():
            if not np.all(np.isfinite(self._values[place]) & np.isfinite(self._widths.get(place, np.zeros(())))):
                message = tr(
                    "{cell} cannot be asked for: with these numbers the answer, or its tolerance, is not finite"
                )
                raise BackpropError(message.format(cell=cell))

    @cached_property
    def _given(self) -> Values:
        return given_values(self._exercise.graph, self._arrays)

    def _formula(self, cell: str) -> str:
        nodes = self._exercise.nodes
        return self._exercise.write(tree_of(expanded(nodes, nodes.place(cell.removeprefix(FORMULA)))))

    def cells(self, question: Question, number: int, code: str, variant: int) -> Iterator[Cell]:
        points = question.points / max(len(question.cells), 1)
        digits = self._exercise.digits
        for cell in question.cells:
            kind, value, tolerance = self._answer(question, cell, code, variant)
            is_fixed = kind is CellKind.NUMBER and cell in self._exercise.fixed
            mistakes = self._wrong_letters(question, cell, code) if kind is CellKind.CHOICE else None
            yield Cell(cell, number, kind, value, tolerance, points, digits, is_fixed, mistakes)

    def _wrong_letters(self, question: Question, cell: str, code: str) -> dict[str, str]:
        exercise = self._exercise
        found = options(exercise.nodes, gradient_of(exercise, question.of[0]), code, cell)
        return {one.letter: one.mistake for one in found if one.mistake is not None}

    def _answer(self, question: Question, cell: str, code: str, variant: int) -> tuple[CellKind, float | str, float]:
        exercise = self._exercise
        if question.kind is QuestionKind.FORMULA:
            return CellKind.FORMULA, self._formulas[cell], 0.0
        if question.kind is QuestionKind.CHOICE:
            found = options(exercise.nodes, gradient_of(exercise, question.of[0]), code, cell)
            return CellKind.CHOICE, next(one.letter for one in found if one.mistake is None), 0.0
        if question.kind is QuestionKind.MISTAKE:
            given = {place: _one(numbers, variant) for place, numbers in self._given.items()}
            gradient = gradient_of(exercise, question.of[0])
            found_line = planted(exercise.nodes, gradient, given, exercise.digits, code, cell, exact=exercise.exact)
            return CellKind.LINE, str(found_line.wrong), 0.0
        place = self._places[cell]
        value = float(_one(self._values[place], variant)) + 0.0  # no -0
        if cell in exercise.fixed:
            return CellKind.NUMBER, value, exercise.fixed[cell]
        width = float(_one(self._widths[place], variant)) if place in self._widths else 0.0
        return CellKind.NUMBER, value, width + (EXACT * max(1.0, abs(value)) if exercise.exact else 0.0)


def is_number(cell: str) -> bool:
    """Whether the answer of a cell with this id is a number."""
    return not cell.startswith((FORMULA, "choice ", "mistake "))


def require_fractions(steps: Sequence[Node]) -> None:
    """Raises BackpropError where a step makes no fraction of fractions."""
    for node in steps:
        if not _has_fractions(node.formula):
            message = tr("{name} has no exact fraction; --exact is for networks of sums, products and relu")
            raise BackpropError(message.format(name=name_of(node.place)))


def _has_fractions(formula: Expr) -> bool:
    """Whether fractions give fractions: there are no roots, exponentials and the like in it."""
    if any(not power.exp.is_Integer for power in formula.atoms(Pow)):
        return False
    inner = (part.definition if isinstance(part, LibraryFunction) else None for part in formula.atoms(Function))
    return all(definition is not None and _has_fractions(definition) for definition in inner)


def _one(numbers: Numbers, variant: int) -> Numbers:
    """The number of one variant; what no variant changes is one number for all."""
    array = np.asarray(numbers)
    return array[variant] if array.ndim else array
