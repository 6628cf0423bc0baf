"""The perturbation of one number as a document: its change followed to the cost, beside what really happens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop_cli.documents.blocks import (
    Block,
    Cell,
    Document,
    FormulaBlock,
    Heading,
    Line,
    Note,
    Prose,
    Side,
    Table,
)
from backprop_cli.documents.derivation import section_of, title_of
from backprop_cli.documents.introduction import on_signs
from backprop_cli.documents.names import Names
from backprop_cli.documents.run_tables import array_cell
from backprop_cli.documents.sentences import filled, listed
from backprop_cli.documents.wording import WALK
from backprop_cli.documents.wording_views import LOOPS, PERTURBATION
from backprop_cli.language import tree
from backprop_cli.language.walking import walk
from backprop_cli.symbolic.display import COST
from backprop_cli.symbolic.graph import Graph
from backprop_cli.symbolic.steps import Derivation
from backprop_cli.teaching.perturbation import Change, Perturbation, ToldChange
from backprop_cli.teaching.rounding import Rounding

Array = NDArray[np.float64]
TELLING = 1e-4  # a change whose square is well above the rounding of a run
RELATIVE, ROUNDING = 1e-9, 1e-12  # the most that may be left of a prediction that is exact
QUADRATIC = (0.003, 0.03)  # of the difference that is left where the change is a tenth: a hundredth, about


class Prediction(NamedTuple):
    """What the cost was predicted to change by, to first order, and what it did change by."""

    change: float
    predicted: float
    true: float


def perturbation_document(
    derivation: Derivation,
    graph: Graph,
    names: Names,
    perturbation: Perturbation,
    changes: Sequence[Change],
    true: Mapping[str, Array],
    predictions: Sequence[Prediction],
    gradient: float | None,
    rounding: Rounding,
) -> Document:
    """``true`` are the changes that a run with the changed number shows; ``predictions`` are of the whole change first
    and then of smaller ones; ``gradient`` is ∂J/∂(the number), None where the run has another."""
    teller = _Document(graph, perturbation, true, rounding)
    place = teller.place
    title = filled(PERTURBATION["title"], entry=place, name=graph.name)
    blocks: list[Block] = [Heading(1, title), *teller.introduction(changes)]
    shown = [node for change in changes for node in walk(change.formula)]
    blocks += on_signs(graph, names, shown)
    for key, section in groupby(changes, key=lambda change: section_of(derivation.by_id[change.of], graph)):
        name = PERTURBATION["equations"] if key[0] == "equations" else title_of(graph, key)
        blocks.append(Heading(2, (name,)))
        for change in section:
            blocks += teller.change(change)
    if not changes:
        blocks.append(Prose((PERTURBATION["nothing"],)))
    if predictions:
        blocks += teller.comparison(predictions, gradient)
    return Document(tuple(blocks), names)


class _Document:
    def __init__(self, graph: Graph, perturbation: Perturbation, true: Mapping[str, Array], rounding: Rounding) -> None:
        self._graph, self._true, self._rounding = graph, true, rounding
        self._perturbation = perturbation
        positions = tuple(tree.Number(str(place)) for place in perturbation.position)
        self.place = tree.Place(perturbation.of, positions)

    def introduction(self, changes: Sequence[Change]) -> Iterator[Block]:
        yield Prose(filled(PERTURBATION["plan"], entry=self.place))
        moved = {change.of for change in changes}
        for loop in self._graph.loops:
            inside = [tree.Matrix(name) for name in loop.names if name in moved]
            if inside:
                yield Note(filled(LOOPS["forward" if len(inside) > 1 else "one forward"], names=listed(inside)))
        yield Note((WALK["rounding"].format(digits=self._rounding.digits),))
        start = self._rounding.tree(self._perturbation.change)
        yield FormulaBlock((Line(tree.Differential(self.place), (Side(start),)),))

    def change(self, change: Change) -> Iterator[Block]:
        if isinstance(change.target, tree.Differential) and change.target.of.positions:
            yield FormulaBlock((Line(change.target, (Side(change.formula),)),))
        yield FormulaBlock(tuple(self._line(entry) for entry in change.entries))
        true = self._true.get(change.of)
        if true is not None:
            indices = [symbol.name for symbol in self._graph[change.of].indices]
            rows: list[tuple[Cell, ...]] = [
                (PERTURBATION[label], array_cell(values, indices, self._rounding.digits, False, is_headed=True))
                for label, values in (("first order", change.values), ("true", true))
            ]
            yield Table((PERTURBATION["change"], PERTURBATION["values"]), tuple(rows), self._rounding.digits)

    def _line(self, entry: ToldChange) -> Line:
        value = self._rounding.tree(entry.value)
        sides = [Side(entry.formula)]
        if entry.put_in is not None and entry.put_in not in (entry.formula, value):
            sides.append(Side(entry.put_in))
        if value != sides[-1].value:
            sides.append(Side(value, () if entry.is_exact else (WALK["unrounded"],)))
        return Line(entry.target, tuple(sides))

    def comparison(self, predictions: Sequence[Prediction], gradient: float | None) -> Iterator[Block]:
        """The prediction beside the true change of the cost, for smaller and smaller changes."""
        yield Heading(2, (PERTURBATION["comparison"],))
        cost, entry = tree.Place(COST), self.place
        first = predictions[0]
        if gradient is not None:
            yield Prose(filled(PERTURBATION["by the gradient"], entry=entry))
            product = tree.Product((tree.Partial(cost, entry), tree.Differential(entry)))
            put_in = tree.Product((self._rounding.tree(gradient), self._rounding.tree(first.change)))
            shown = self._rounding.shown(gradient) * self._rounding.shown(first.change)
            is_exact = self._rounding.agrees(shown, first.predicted)
            last = Side(self._rounding.tree(first.predicted), () if is_exact else (WALK["unrounded"],))
            yield FormulaBlock((Line(tree.Differential(cost), (Side(product), Side(put_in), last)),))
        yield Prose(filled(PERTURBATION["smaller"], cost=cost))
        header = (
            PERTURBATION["change of the entry"],
            PERTURBATION["predicted"],
            PERTURBATION["true change"],
            PERTURBATION["difference"],
        )
        rows = tuple(tuple(map(self._number, (*row, round(row.true - row.predicted, 15)))) for row in predictions)
        yield Table(header, rows, self._rounding.digits)
        differences = [abs(row.true - row.predicted) for row in predictions]
        smallest, largest = QUADRATIC
        if _is_exact(predictions):
            yield Note((PERTURBATION["exact"],))
        elif all(before > 0 and smallest <= after / before <= largest for before, after in pairwise(differences)):
            yield Note((PERTURBATION["quadratic"],))

    def _number(self, value: float) -> tree.Node:
        return self._rounding.tree(value)


def _is_exact(predictions: Sequence[Prediction]) -> bool:
    """Whether nothing is left out to first order. Of a very small change that cannot be told: what it leaves out is
    smaller than the rounding of the runs."""
    first = predictions[0]
    is_near = abs(first.true - first.predicted) <= RELATIVE * abs(first.predicted)
    is_telling = abs(first.change) >= TELLING
    return (
        is_telling
        and is_near
        and all(abs(row.true - row.predicted) <= ROUNDING * max(1.0, abs(row.true)) for row in predictions)
    )
