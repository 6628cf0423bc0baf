"""A variant as the items of a quiz on a learning platform: what is given, then each question with its answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from backprop_cli.documents.blocks import Block, FormulaBlock, Heading, Inline, Line, Prose, Side
from backprop_cli.documents.exercise_labels import label_of
from backprop_cli.documents.exercise_sheet import Sheet
from backprop_cli.documents.exercise_wording import KEY, SHEET
from backprop_cli.exercises.choices import expanded, options
from backprop_cli.exercises.exercise import QuestionKind
from backprop_cli.exercises.key import Cell, CellKind
from backprop_cli.exercises.solving import FORMULA, OWN, gradient_of, planted_in
from backprop_cli.language import tree
from backprop_cli.symbolic.display import tree_of


class Choice(NamedTuple):
    """``value`` is what a key calls it."""

    value: str
    parts: tuple[Inline, ...]


class Answer(NamedTuple):
    """One cell, what stands before its blank, what there is to choose from, and the right answer as a formula."""

    cell: Cell
    label: tree.Node | None
    choices: tuple[Choice, ...] = ()
    formula: tree.Node | None = None


class Item(NamedTuple):
    """A question: ``title``, what is said, and its answers; none for what is only given."""

    title: str
    blocks: tuple[Block, ...]
    answers: tuple[Answer, ...]
    points: float


def items(sheet: Sheet) -> Iterator[Item]:
    """What is given, and every question."""
    variant = sheet.variant
    blocks = [block for block in sheet.given() if not isinstance(block, Heading)]
    yield Item(SHEET["given"], tuple(blocks), (), 0.0)
    cells = {cell.id: cell for cell in variant.cells}
    for number, question in enumerate(sheet.exercise.questions, start=1):
        found = tuple(_answer(sheet, question.kind, question.of, cells[cell]) for cell in question.cells)
        said = (*sheet.statement(question), *sheet.paths(question))
        if question.kind is QuestionKind.CHOICE:
            said = said[:1]  # the formulas are those of the choices
        title = KEY["question"].format(number=number)
        yield Item(title, said, found, question.points)


def title_of(sheet: Sheet) -> str:
    """What the items of one variant are filed under."""
    variant, title = sheet.variant, sheet.exercise.title
    if variant.code == OWN:
        return title
    return f"{title} - {SHEET['variant'].format(variant=variant.id, code=variant.code)}"


def solution(answer: Answer) -> tuple[Block, ...]:
    """The right answer of a formula, for whoever marks it."""
    if answer.formula is None or answer.label is None:
        return (Prose((str(answer.cell.value),)),)
    return (FormulaBlock((Line(answer.label, (Side(answer.formula),)),)),)


def _answer(sheet: Sheet, kind: QuestionKind, of: tuple[str, ...], cell: Cell) -> Answer:
    exercise = sheet.exercise
    if cell.kind is CellKind.CHOICE:
        found = options(exercise.nodes, gradient_of(exercise, of[0]), sheet.variant.code, cell.id)
        return Answer(cell, None, tuple(Choice(one.letter, (tree_of(one.formula),)) for one in found))
    if cell.kind is CellKind.LINE:
        lines = planted_in(exercise, sheet.variant, cell.id, of[0]).lines
        said = f"{SHEET['line']} "
        return Answer(cell, None, tuple(Choice(str(line.number), (f"{said}{line.number}",)) for line in lines))
    if cell.kind is CellKind.FORMULA:
        gradient = exercise.place(cell.id.removeprefix(FORMULA))
        return Answer(cell, tree_of(gradient), (), tree_of(expanded(exercise.nodes, gradient)))
    return Answer(cell, label_of(exercise, cell.id))
