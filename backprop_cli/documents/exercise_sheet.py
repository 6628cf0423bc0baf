"""The sheet of an exercise: what is given with a variant's numbers, and the questions with blanks for the answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from backprop_cli.documents.blocks import Block, Cell, Document, Heading, Inline, Note, PageBreak, Prose, Table
from backprop_cli.documents.derivation import definitions
from backprop_cli.documents.exercise_labels import (
    BLANK,
    grid,
    label_of,
    listed_cells,
    path_of,
    rounding_of,
    with_updated,
)
from backprop_cli.documents.exercise_wording import ASKED, SHEET, points_of
from backprop_cli.documents.formula_typing import how_to_type
from backprop_cli.documents.introduction import by_step, part_of
from backprop_cli.documents.names import Names
from backprop_cli.documents.run_tables import array_cell
from backprop_cli.documents.sentences import filled, gap, listed
from backprop_cli.exercises.choices import options
from backprop_cli.exercises.exercise import Exercise, Question, QuestionKind
from backprop_cli.exercises.ids import name_of
from backprop_cli.exercises.key import Variant
from backprop_cli.exercises.nodes import PATH
from backprop_cli.exercises.solving import OWN, gradient_of, is_number, planted_in
from backprop_cli.exercises.written_numbers import decimal_of
from backprop_cli.language import tree
from backprop_cli.symbolic.display import COST, tree_of
from backprop_cli.symbolic.notation import Adjoint, is_by_step
from backprop_cli.symbolic.steps import Derivation
from backprop_cli.translation import tr

WITHOUT_BLANKS = (QuestionKind.CHOICE, QuestionKind.MISTAKE)


def sheets_document(exercise: Exercise, derivation: Derivation, names: Names, variants: Sequence[Variant]) -> Document:
    """The sheets of several variants, each on pages of its own."""
    blocks: list[Block] = []
    for variant in variants:
        blocks += [PageBreak()] if blocks else []
        blocks += Sheet(exercise, derivation, variant).blocks()
    return Document(tuple(blocks), with_updated(names))


class Sheet:
    """One variant's sheet, in parts that other formats than pages put together in their own way."""

    def __init__(self, exercise: Exercise, derivation: Derivation, variant: Variant) -> None:
        self.exercise, self.variant = exercise, variant
        self._derivation = derivation

    def blocks(self) -> Iterator[Block]:
        """The whole sheet."""
        yield Heading(1, (self.exercise.title,))
        yield from self.head()
        yield from self.given()
        for number, question in enumerate(self.exercise.questions, start=1):
            yield self.heading(number, question)
            yield from self.statement(question)
            yield from self.blanks(question)

    def head(self) -> Iterator[Block]:
        """Whose sheet it is, and which."""
        student = self.variant.student
        who = SHEET["name"].format(name=BLANK * 3 if student is None else student)
        yield Prose((who,))
        if self.variant.code != OWN:
            yield Prose((SHEET["variant"].format(variant=self.variant.id, code=self.variant.code),))

    def given(self) -> Iterator[Block]:
        """The network and its numbers."""
        exercise = self.exercise
        yield Heading(2, (SHEET["network"],))
        yield from definitions(self._derivation)
        yield from by_step(self._derivation.graph, SHEET["truncated"])
        yield Heading(2, (SHEET["given"],))
        yield Table((SHEET["quantity"], SHEET["values"]), tuple(self._given_rows()), exercise.digits)
        yield Note((SHEET["exact"] if exercise.exact else SHEET["rounding"].format(digits=exercise.digits),))

    def heading(self, number: int, question: Question) -> Heading:
        points = points_of(question.points)
        return Heading(2, (SHEET["question"].format(number=number, points=points),))

    def statement(self, question: Question) -> Iterator[Block]:
        """What is asked, with what there is to choose from."""
        yield Prose(self.asked(question))
        fixed = [
            self.exercise.fixed[cell] for cell in question.cells if cell in self.exercise.fixed and is_number(cell)
        ]
        for tolerance in fixed[:1]:
            yield Note((SHEET["tolerance"].format(tolerance=decimal_of(tolerance)),))
        if question.kind is QuestionKind.FORMULA and question is self._first(QuestionKind.FORMULA):
            yield Note(how_to_type(self.exercise))
        if question.kind is QuestionKind.CHOICE:
            yield self._choices(question)
        elif question.kind is QuestionKind.MISTAKE:
            yield self._solution(question)

    def _first(self, kind: QuestionKind) -> Question | None:
        return next((question for question in self.exercise.questions if question.kind is kind), None)

    def paths(self, question: Question) -> Iterator[Table]:
        """Which path has which number, where answers stand apart from the formulas of their paths."""
        cells = [cell for cell in question.cells if cell.startswith(PATH)]
        if cells:
            rows = tuple((path_of(cell), label_of(self.exercise, cell)) for cell in cells)
            yield Table((SHEET["path"], SHEET["formula"]), rows)

    def asked(self, question: Question) -> tuple[Inline, ...]:
        """The question in words."""
        of: tuple[Inline, ...] = ()
        part = part_of(self._derivation.graph)
        if question.kind is QuestionKind.BPTT and part is not None:
            return tuple(self._asked_by_step(question))
        key = f"{question.kind} {question.of[0]}" if question.kind is QuestionKind.TABLE else str(question.kind)
        if question.kind in (QuestionKind.CHOICE, QuestionKind.MISTAKE):
            of = (tree_of(gradient_of(self.exercise, question.of[0])),)
        elif question.kind is QuestionKind.PATHS:
            gradients = [gradient_of(self.exercise, name) for name in question.of]
            of = listed(map(tree_of, gradients))
            sums = [name_of(gradient) in question.cells for gradient in gradients]
            key = "paths" if all(sums) else "paths, some sums" if any(sums) else "paths alone"
        elif question.kind is QuestionKind.BPTT:
            of = listed(tree_of(Adjoint(name, *self.exercise.graph[name].indices)) for name in question.of)
        if part is not None and f"{key} by step" in ASKED:
            return filled(ASKED[f"{key} by step"], cost=tree.Place(COST), part=part)
        return filled(ASKED[key], of=of, cost=tree.Place(COST), rate=f"{self.exercise.learning_rate:g}", blank=BLANK)

    def _asked_by_step(self, question: Question) -> Iterator[Inline]:
        """The question of the gradients of states, of each step's cost and of their sums where some are asked for."""
        places = [self.exercise.place(cell) for cell in question.cells]
        graph = self.exercise.nodes.graph
        names = dict.fromkeys(place.name for place in places)
        general = {name: tree_of(Adjoint(name, *graph[name].indices)) for name in names}
        first = [gradient for name, gradient in general.items() if is_by_step(name)]
        sums = [gradient for name, gradient in general.items() if not is_by_step(name)]
        if first:
            yield from filled(ASKED["bptt by step"], of=listed(first, tr(", ")))
        if sums:
            yield from (gap(),) if first else ()
            yield from filled(ASKED["bptt sums"], of=listed(sums, tr(", ")))

    def blanks(self, question: Question) -> Iterator[Block]:
        """Where the answers are written."""
        if question.kind is QuestionKind.FORMULA:
            for cell in question.cells:
                yield Prose((label_of(self.exercise, cell), f" = {BLANK * 4}"))
        elif question.kind in WITHOUT_BLANKS:
            yield Prose((SHEET[f"{question.kind} blank"].format(blank=BLANK),))
        elif question.kind is QuestionKind.TABLE or self._has_steps_as_rows(question):
            yield grid(self.exercise, question.cells, _blank)
        else:
            yield listed_cells(self.exercise, question.cells, _blank)

    def _has_steps_as_rows(self, question: Question) -> bool:
        """Whether a table of states by their steps has a row for every step."""
        graph = self.exercise.graph
        loops = [graph.loop_of(name) for name in question.of] if question.kind is QuestionKind.BPTT else []
        return bool(loops) and all(
            loop is not None and loop.axes[name] == 0 and len(graph[name].shape) == 2
            for name, loop in zip(question.of, loops, strict=True)
        )

    def _given_rows(self) -> Iterator[tuple[Cell, ...]]:
        graph = self.exercise.graph
        for name in self.exercise.given:
            values = np.asarray(self.variant.given[name])
            indices = [symbol.name for symbol in graph[name].indices]
            if (some := self.exercise.few(name)) is not None:
                for place in some:
                    at = tuple(int(position) - 1 for position in place.positions)
                    yield tree_of(place), float(values[at])
                continue
            yield tree.Matrix(name), array_cell(values, indices, self.exercise.digits, True)

    def _choices(self, question: Question) -> Table:
        gradient = gradient_of(self.exercise, question.of[0])
        found = options(self.exercise.nodes, gradient, self.variant.code, question.cells[0])
        return Table(("", SHEET["formula"]), tuple((one.letter, tree_of(one.formula)) for one in found))

    def _solution(self, question: Question) -> Table:
        rounding = rounding_of(self.exercise)
        found = planted_in(self.exercise, self.variant, question.cells[0], question.of[0])
        rows = []
        for line in found.lines:
            value = rounding.tree(float(np.ravel(line.value)[0]))
            sides = (value,) if line.formula.is_Number else (tree_of(line.formula), value)
            rows.append((str(line.number), tree.Equality((tree_of(line.place), *sides))))
        return Table((SHEET["line"], ""), tuple(rows))


def _blank(cell: str) -> Cell:
    return BLANK
