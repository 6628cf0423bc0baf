"""The key of an exercise: answers with tolerances and points, and the worked solution with a variant's numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop_cli.documents import blocks as parts
from backprop_cli.documents.blocks import Block, Document, FormulaBlock, Heading, Line, Note, PageBreak, Prose, Side
from backprop_cli.documents.exercise_labels import answer, label_of, rounding_of, with_paths, with_updated
from backprop_cli.documents.exercise_sheet import Sheet
from backprop_cli.documents.exercise_wording import KEY, SHEET, points_of
from backprop_cli.documents.names import Names
from backprop_cli.documents.sentences import filled, gap
from backprop_cli.documents.walkthrough import told_stages
from backprop_cli.exercises.certificate import Certificate
from backprop_cli.exercises.choices import expanded, options
from backprop_cli.exercises.exercise import Exercise, Question, QuestionKind
from backprop_cli.exercises.key import Cell, CellKind, Variant
from backprop_cli.exercises.mistake_wording import NAMES
from backprop_cli.exercises.nodes import PATH, UPDATED
from backprop_cli.exercises.solving import FORMULA, OWN, gradient_of, is_number, planted_in
from backprop_cli.language import tree
from backprop_cli.symbolic.display import tree_of
from backprop_cli.symbolic.graph import Role
from backprop_cli.symbolic.notation import Adjoint, Place, is_by_step, plain_name
from backprop_cli.symbolic.steps import Derivation
from backprop_cli.teaching.numbers import Numbers
from backprop_cli.teaching.turns import Entry
from backprop_cli.teaching.walkthrough import Single, Stage, remembered, stories
from backprop_cli.translation import enumerated, tr

Arrays = Mapping[str, NDArray[np.float64]]


class Run(NamedTuple):
    """The values and gradients of a run with a variant's numbers; ``shown`` are also those that the tool names."""

    values: Arrays
    gradients: Arrays
    shown: Arrays


def keys_document(
    exercise: Exercise,
    derivation: Derivation,
    names: Names,
    variants: Sequence[Variant],
    run: Callable[[Variant], Run],
    loss: str,
    vouched: Certificate | None = None,
) -> Document:
    """The keys of several variants, each on pages of its own; ``loss`` is the name of the loss or its expression,
    ``vouched`` says how the gradients were checked."""
    blocks: list[Block] = []
    single = remembered(derivation)
    for variant in variants:
        blocks += [PageBreak()] if blocks else []
        blocks += _Key(exercise, derivation, variant, run(variant), loss, single).blocks()
        blocks += _certificate(vouched, exercise)
    return Document(tuple(blocks), with_updated(names))


def _certificate(vouched: Certificate | None, exercise: Exercise) -> Iterator[Block]:
    """To how many digits the gradients agree with other ways of computing them."""
    if vouched is not None:
        yield Heading(2, (KEY["certificate"],))
        by_way = {"direct": vouched.direct, "differences": vouched.differences, "torch": vouched.torch}
        ways = [KEY[f"by {way}"].format(digits=digits) for way, digits in by_way.items() if digits is not None]
        some = [q for q in exercise.graph.with_role(Role.PARAMETER, Role.INPUT) if exercise.nodes.has_gradient(q.name)]
        is_all = vouched.gradients == sum(prod(quantity.shape) for quantity in some)
        sentences = [
            KEY["vouched" if is_all else "vouched, some"].format(gradients=vouched.gradients, ways=enumerated(ways))
        ]
        if vouched.truncated:
            sentences.append(KEY["frozen"])
        if vouched.direct is None:
            sentences.append(KEY["too long"])
        yield Prose((gap().join(sentences),))


class _Key:
    def __init__(
        self, exercise: Exercise, derivation: Derivation, variant: Variant, run: Run, loss: str, single: Single
    ) -> None:
        self._exercise, self._derivation, self._variant = exercise, derivation, variant
        self._run, self._loss, self._single = run, loss, single
        self._cells = {cell.id: cell for cell in variant.cells}
        self._rounding = rounding_of(exercise)

    def blocks(self) -> Iterator[Block]:
        exercise, variant = self._exercise, self._variant
        yield Heading(1, (KEY["title"].format(title=exercise.title),))
        if variant.student is not None:
            yield Prose((SHEET["name"].format(name=variant.student),))
        if variant.code != OWN:
            yield Prose((SHEET["variant"].format(variant=variant.id, code=variant.code),))
        scheme = KEY["scheme, exact"] if exercise.exact else KEY["scheme"].format(digits=exercise.digits)
        fixed = (gap(), KEY["scheme, set"]) if exercise.fixed else ()
        yield Note((scheme, *fixed))
        sheet = Sheet(exercise, self._derivation, variant)
        for number, question in enumerate(exercise.questions, start=1):
            yield sheet.heading(number, question)
            yield Prose(sheet.asked(question))
            yield from self._answers(question)
        total = sum(cell.points for cell in variant.cells)
        yield Prose((KEY["total"].format(points=points_of(total)),))
        yield from self._solution()

    def _answers(self, question: Question) -> Iterator[Block]:
        match question.kind:
            case QuestionKind.FORMULA:
                yield from (FormulaBlock((self._formula(cell),)) for cell in question.cells)
            case QuestionKind.CHOICE:
                yield from self._choice(question)
            case QuestionKind.MISTAKE:
                yield from self._planted(question)
            case _:
                yield self._numbers([self._cells[cell] for cell in question.cells])

    def _numbers(self, cells: Sequence[Cell]) -> Block:
        header = [SHEET["quantity"], KEY["answer"]]
        has_tolerances = not self._exercise.exact or any(cell.fixed for cell in cells)
        rows: list[list[parts.Cell]] = []
        for cell in cells:
            assert isinstance(cell.value, float)
            row: list[parts.Cell] = [label_of(self._exercise, cell.id), answer(self._exercise, cell.value)]
            rows.append([*row, *([cell.tolerance] if has_tolerances else []), cell.points])
        header += [*([f"± {KEY['tolerance']}"] if has_tolerances else []), KEY["points"]]
        return with_paths([cell.id for cell in cells], header, rows, self._exercise.digits)

    def _formula(self, cell: str) -> Line:
        gradient = self._exercise.place(cell.removeprefix(FORMULA))
        return Line(tree_of(gradient), (Side(tree_of(expanded(self._exercise.nodes, gradient))),))

    def _choice(self, question: Question) -> Iterator[Block]:
        gradient = gradient_of(self._exercise, question.of[0])
        for one in options(self._exercise.nodes, gradient, self._variant.code, question.cells[0]):
            if one.mistake is None:
                yield Prose(filled(KEY["choice"], letter=one.letter, formula=tree_of(one.formula)))
            else:
                yield Note((KEY["distractor"].format(letter=one.letter, mistake=NAMES[one.mistake]),))

    def _planted(self, question: Question) -> Iterator[Block]:
        found = planted_in(self._exercise, self._variant, question.cells[0], question.of[0])
        place = tree_of(found.lines[found.wrong - 1].place)
        right = tree.Equality((place, tree_of(found.right)))
        mistake = NAMES[found.mistake]
        yield Prose(filled(KEY["mistake"], line=found.wrong, mistake=mistake, formula=right))

    def _solution(self) -> Iterator[Block]:
        """The walkthrough's steps for what is asked, each update after them."""
        stages = self._stages()
        if stages:
            yield Heading(2, (KEY["solution"],))
            if not self._exercise.exact:
                yield Note((KEY["solution, rounded"].format(digits=self._exercise.digits),))
            run = self._run
            graph = self._derivation.graph
            for block in told_stages(graph, stages, run.shown, run.gradients, self._rounding, self._loss):
                yield block._replace(level=3) if isinstance(block, Heading) else block
        lines = tuple(self._update(cell) for cell in self._variant.cells if cell.id.startswith(UPDATED))
        if lines:
            yield Heading(3, (tr("The update"),))
            yield FormulaBlock(lines)

    def _stages(self) -> tuple[Stage, ...]:
        entries: dict[Entry, None] = {}
        for cell in self._variant.cells:
            if is_number(cell.id):
                name = cell.id.removeprefix(UPDATED)
                if cell.id.startswith(UPDATED):
                    name = f"dJ/d{name}"
                if cell.id.startswith(PATH):
                    name = name.partition(" of ")[2]
                place = self._exercise.place(name)
                entries[self._entry(place)] = None
        for question in self._exercise.questions:
            if not any(map(is_number, question.cells)):
                for of in question.of:
                    entries[self._entry(gradient_of(self._exercise, of))] = None
        numbers = Numbers(self._derivation, self._run.values, self._run.gradients)
        return stories(self._derivation, numbers, self._rounding, list(entries), self._single)

    def _entry(self, place: Place) -> Entry:
        """The step of the derivation that a number is an entry of."""
        positions = tuple(int(position) for position in place.positions)
        if not isinstance(place, Adjoint):
            return place.name, positions
        apart = self._derivation.adjoints.apart
        if apart is not None and is_by_step(place.name):
            return f"dJ[{apart.step}]/d{plain_name(place.name)}", positions
        return f"dJ/d{place.name}", positions

    def _update(self, cell: Cell) -> Line:
        """w − ηg with the numbers put in."""
        assert cell.kind is CellKind.NUMBER
        assert isinstance(cell.value, float)
        place = self._exercise.place(cell.id)
        before = Place(place.name.removeprefix(UPDATED), *place.positions)
        gradient = tree_of(Adjoint(before.name, *before.positions))
        at = tuple(int(position) - 1 for position in place.positions)
        start = self._rounding.tree(float(self._run.values[before.name][at]))
        slope = self._rounding.tree(float(self._run.gradients[before.name][at]))
        rate = tree.Number(f"{self._exercise.learning_rate:g}")
        formula, put_in = (
            tree.Add((old, tree.Negative(tree.Product((rate, by)))))
            for old, by in ((tree_of(before), gradient), (start, slope))
        )
        sides = (formula, put_in, self._rounding.tree(cell.value))
        return Line(tree_of(place), tuple(Side(side) for side in sides))
