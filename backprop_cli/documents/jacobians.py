"""A run told in Jacobian matrices: a section for each module on the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from backprop_cli.documents.blocks import Block as Part
from backprop_cli.documents.blocks import (
    Cell,
    Document,
    FormulaBlock,
    Heading,
    Inline,
    Line,
    Note,
    Prose,
    Side,
    Table,
    Tone,
)
from backprop_cli.documents.introduction import by_step, on_signs
from backprop_cli.documents.names import Names, Shown
from backprop_cli.documents.run_tables import array_cell
from backprop_cli.documents.sentences import filled, listed
from backprop_cli.documents.wording import WALK, told, warns
from backprop_cli.documents.wording_views import JACOBIANS, LOOPS
from backprop_cli.language import tree
from backprop_cli.language.walking import walk
from backprop_cli.symbolic import steps
from backprop_cli.symbolic.display import COST, cost_of
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.notation import is_by_step, plain_name
from backprop_cli.teaching.jacobians import Block, Jacobian
from backprop_cli.teaching.rows import Factor, Row, RowKind, Shape

Array = NDArray[np.float64]
LETTERS = {(Role.WEIGHTED_SUM, "z"): "s", (Role.ACTIVATION, "a"): "z"}  # ours to those of the lecture
LECTURE_COST = "C"
UNTOLD = frozenset({"delta", "ranges"})


def jacobians_document(
    graph: Graph, names: Names, blocks: Sequence[Block], values: Mapping[str, Array], digits: int, full: bool
) -> Document:
    """``values`` are those of the forward pass; ``full`` shows every number of large arrays too."""
    in_letters = _letters_of_the_lecture(graph, names)
    teller = _Document(graph, values, digits, full)
    parts: list[Part] = [Heading(1, (JACOBIANS["title"].format(name=graph.name),))]
    parts += teller.introduction(blocks, in_letters is not names)
    shown = [node for block in blocks for equation in _equations(block) for node in walk(equation)]
    parts += on_signs(graph, in_letters, shown)
    for block in blocks:
        parts += teller.block(block)
    return Document(tuple(parts), in_letters)


def _equations(block: Block) -> Iterator[tree.Equality]:
    yield block.definition
    yield from (jacobian.equation for jacobian in block.jacobians)
    yield from (row.equation for row in block.rows)


def _letters_of_the_lecture(graph: Graph, names: Names) -> Names:
    """s for the weighted sum, z for the activation and C for the cost, where the network has the letters of layers and
    none of these is taken."""
    layered = [quantity for quantity in graph.quantities if (quantity.role, names[quantity.name].letter) in LETTERS]
    others = [names[q.name] for q in graph.quantities if q not in layered and q.name != graph.cost]
    taken = {letter for shown in others for letter in (shown.letter, shown.whole)}
    taken |= {quantity.indices[0].name for quantity in graph.quantities if is_by_step(quantity.name)}
    if not layered or graph.cost is None or taken & {*LETTERS.values(), LECTURE_COST}:
        return names
    changed = {quantity.name: _with_letter(names[quantity.name], quantity) for quantity in layered}
    changed[graph.cost] = names[graph.cost]._replace(letter=LECTURE_COST, whole=LECTURE_COST)
    return Names({**names.quantities, **changed}, LECTURE_COST)


def _with_letter(shown: Shown, quantity: Quantity) -> Shown:
    letter = LETTERS[quantity.role, shown.letter]
    return shown._replace(letter=letter, whole=letter if shown.whole == shown.letter else letter.upper())


class _Document:
    def __init__(self, graph: Graph, values: Mapping[str, Array], digits: int, full: bool) -> None:
        self._graph, self._values, self._digits, self._full = graph, values, digits, full
        self._copy = next((quantity for quantity in graph.quantities if is_by_step(quantity.name)), None)
        self._part = cost_of("" if self._copy is None else self._copy.indices[0].name)

    def introduction(self, blocks: Sequence[Block], in_other_letters: bool) -> Iterator[Part]:
        yield Prose((JACOBIANS["plan"],))
        if in_other_letters:
            yield Note((JACOBIANS["letters"],))
        shapes = [self._graph[name].shape for block in blocks for name in (block.of, *_by(block))]
        if any(len(shape) > 1 for shape in shapes):
            yield Note((JACOBIANS["flat"],))
        yield from by_step(self._graph)
        if self._copy is not None:
            label = tree.StepGradient(self._part, plain_name(self._copy.name))
            yield Prose(filled(JACOBIANS["rows"], part=self._part, gradient=label, step=self._part.positions[0]))
        for loop in self._graph.loops:
            if is_by_step(loop.names[0]):
                continue
            key = "several" if len(loop.names) > 1 else "one"
            names = listed([tree.Matrix(name) for name in loop.names])
            yield Note(filled(LOOPS[key], names=names))
        yield Note((WALK["rounding"].format(digits=self._digits),))

    def block(self, block: Block) -> Iterator[Part]:
        yield Heading(2, self._title(block))
        yield FormulaBlock((_line(block.definition),))
        if block.of in self._values:
            size = prod(self._graph[block.of].shape)
            yield self._table([(tree.Matrix(block.of), (size, 1), self._values[block.of])], block.of)
        for jacobian in block.jacobians:
            yield from self._jacobian(jacobian)
        before: tuple[Inline, ...] = ()
        for row in block.rows:
            what = self._what_arrives(row)
            if what != before:
                yield Prose(what)
            before = what
            yield from self._row(row)

    def _title(self, block: Block) -> tuple[Inline, ...]:
        quantity = self._graph[block.of]
        label = self._graph.label_of(quantity)
        if quantity.name == self._graph.cost:
            return (JACOBIANS["cost"],)
        template = JACOBIANS["module" if label is None else "module in a layer"]
        return filled(template, output=tree.Matrix(block.of), layer=str(label))

    def _jacobian(self, jacobian: Jacobian) -> Iterator[Part]:
        is_parameter = self._graph[jacobian.by].role is Role.PARAMETER
        sentence = JACOBIANS["by parameter" if is_parameter else "by input"]
        yield Prose(filled(sentence, by=tree.Matrix(jacobian.by), shape=_size(jacobian.shape)))
        yield FormulaBlock((_line(jacobian.equation),))
        yield from self._notes(jacobian.notes, jacobian.equation.sides[0])
        if jacobian.is_sparse:
            yield Note((JACOBIANS["sparse"],))
        if jacobian.values is None:
            yield Note((JACOBIANS["too large"].format(numbers=prod(jacobian.shape)),))
        else:
            label = tree.Jacobian(jacobian.of, jacobian.by)
            yield self._table([(label, jacobian.shape, jacobian.values)])

    def _what_arrives(self, row: Row) -> tuple[Inline, ...]:
        if row.kind is not RowKind.WHOLE:
            key = f"{row.kind}, several" if len(row.through) > 1 else row.kind
            step, cost = self._part.positions[0], tree.Place(COST)
            by, whole = tree.Matrix(row.by), tree.Gradient(row.by)
            return filled(JACOBIANS[key], part=self._part, step=step, cost=cost, by=by, whole=whole)
        if not row.through:
            return (JACOBIANS["given"],)
        if row.through == (self._graph.cost,):
            return (JACOBIANS["start"],)
        if len(row.through) > 1:
            return filled(JACOBIANS["several"], by=tree.Matrix(row.by))
        return (JACOBIANS["one"],)

    def _row(self, row: Row) -> Iterator[Part]:
        quantity = self._graph[row.by]
        yield FormulaBlock((_line(row.equation),))
        result = _size(row.values.shape)
        if row.shapes:
            products = " + ".join(f"{_size(left)} · {_size(right)}" for left, right in row.shapes)
            if row.cut is not None:
                inner = f"({products})" if len(row.shapes) > 1 else products
                products = f"{inner} ⊙ {result}"
            rest = f" + {result}" * (len(row.through) - len(row.shapes))
            yield Note((JACOBIANS["shapes"].format(text=f"{result} = {products}{rest}"),))
        if row.cut is not None:
            yield Note(filled(JACOBIANS["cut"], bracket=row.cut.label, part=self._part))
        yield from self._notes(row.notes, row.equation.sides[0])
        factors = (*row.factors, *(() if row.cut is None else (row.cut,)), Factor(row.by, row.label, row.values))
        yield self._table([(factor.label, factor.values.shape, factor.values) for factor in factors])
        if len(quantity.shape) > 1 and isinstance(row.label, tree.Gradient):
            indices = [symbol.name for symbol in quantity.indices]
            cell = array_cell(row.values.reshape(quantity.shape), indices, self._digits, self._full)
            yield Table(("", JACOBIANS["laid out"]), ((row.label, cell),), self._digits)

    def _notes(self, notes: Sequence[steps.Note], target: tree.Node) -> Iterator[Part]:
        for note in notes:
            if note.key not in UNTOLD and "form" not in note.about:
                yield Note(told(note, target), Tone.WARNING if warns(note) else Tone.REMARK)

    def _table(self, rows: Sequence[tuple[tree.Node, Shape, Array]], of: str | None = None) -> Table:
        cells: list[tuple[Cell, ...]] = []
        for label, shape, values in rows:
            indices: list[str] = [] if of is None else [symbol.name for symbol in self._graph[of].indices]
            flat = values.reshape(-1) if of is None and 1 in shape else values
            cells.append((label, _size(shape), array_cell(flat, indices, self._digits, self._full)))
        return Table(("", JACOBIANS["shape"], JACOBIANS["values"]), tuple(cells), self._digits)


def _by(block: Block) -> Iterator[str]:
    yield from (jacobian.by for jacobian in block.jacobians)
    yield from (row.by for row in block.rows)


def _line(equation: tree.Equality) -> Line:
    return Line(equation.sides[0], tuple(map(Side, equation.sides[1:])))


def _size(shape: Shape) -> str:
    return f"{shape[0]}×{shape[1]}"
