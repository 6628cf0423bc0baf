"""The walkthrough as a document: forward, the cost, backward, each entry as formula = numbers put in = result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from backprop_cli.documents.blocks import (
    Block,
    Document,
    FormulaBlock,
    Heading,
    Line,
    Note,
    Prose,
    Side,
    Table,
    Tone,
)
from backprop_cli.documents.derivation import section_of, title_of
from backprop_cli.documents.introduction import windows
from backprop_cli.documents.names import Names
from backprop_cli.documents.run_tables import array_cell
from backprop_cli.documents.sentences import filled, listed
from backprop_cli.documents.wording import PARTS, REMARKS, WALK, told, warns
from backprop_cli.language import tree
from backprop_cli.language.walking import walk
from backprop_cli.library.functions import FUNCTIONS, IDENTITY
from backprop_cli.symbolic.display import COST
from backprop_cli.symbolic.graph import Graph, Role
from backprop_cli.symbolic.notation import by_step, is_by_step, places
from backprop_cli.symbolic.steps import Kind, Rule, Step
from backprop_cli.teaching.conventions import collapsing, kink_of, of_the_cost
from backprop_cli.teaching.rounding import Rounding
from backprop_cli.teaching.walkthrough import Stage, Told, quantity_of
from backprop_cli.translation import tr

# Remarks on what no entry shows: signs of the general formula, and forms in which the targets have been put in.
UNTOLD = frozenset({"ranges", "delta", "targets_sum_to_1", "where_targets_sum_to_1"})

Arrays = Mapping[str, NDArray[np.float64]]
FULL = 6  # all values of a quantity beside one told entry, where it has at most so many axes


def walkthrough_document(
    graph: Graph,
    names: Names,
    stages: Sequence[Stage],
    values: Arrays,
    gradients: Arrays,
    rounding: Rounding,
    loss: str,
) -> Document:
    """``values`` and ``gradients`` are the arrays of the run, which stand in a table where not every entry is told;
    ``loss`` is the name of the loss or its expression."""
    teller = _Document(graph, values, gradients, rounding, loss)
    blocks: list[Block] = [Heading(1, (WALK["title"].format(name=graph.name),)), *teller.introduction(stages)]
    return Document((*blocks, *teller.sections(stages)), names)


def told_stages(
    graph: Graph, stages: Sequence[Stage], values: Arrays, gradients: Arrays, rounding: Rounding, loss: str
) -> Iterator[Block]:
    """The sections of a walkthrough for some steps, without its introduction."""
    return _Document(graph, values, gradients, rounding, loss).sections(stages)


class _Document:
    def __init__(self, graph: Graph, values: Arrays, gradients: Arrays, rounding: Rounding, loss: str) -> None:
        self._graph, self._values, self._gradients, self._rounding = graph, values, gradients, rounding
        self._loss = loss

    def introduction(self, stages: Sequence[Stage]) -> Iterator[Block]:
        yield Prose((WALK["plan" if self._graph.cost is not None else "plan, no cost"],))
        if self._graph.samples is not None:
            yield Prose((PARTS["batch"].format(samples=self._graph.samples, sample=self._graph.sample),))
            yield Note((WALK["why batches"],))
        if self._graph.windows:
            text = filled(PARTS["truncated run"], windows=windows(self._graph), cost=tree.Place(COST))
            yield Note(text, Tone.WARNING)
        yield Note((WALK["rounding"].format(digits=self._rounding.digits),))

    def sections(self, stages: Sequence[Stage]) -> Iterator[Block]:
        for forward, some in groupby(stages, key=lambda stage: stage.is_forward):
            for key, section in groupby(some, key=lambda stage: section_of(stage.step, self._graph)):
                direction = WALK["forward" if forward else "backward"]
                title = WALK["equations"] if key[0] == "equations" else title_of(self._graph, key)
                yield Heading(2, (direction.format(section=title),))
                yield from self.section(list(section))

    def section(self, stages: Sequence[Stage]) -> Iterator[Block]:
        said: set[tuple[str, str]] = set()
        for why, some in groupby(stages, key=self._why):
            alike = list(some)
            if any((stage.step.id, why) not in said for stage in alike):
                yield Prose((WALK[why],))
            said.update((stage.step.id, why) for stage in alike)
            for stage in alike:
                yield from self._stage(stage)

    def _why(self, stage: Stage) -> str:
        """What the step does and why, as a key of the sentences."""
        step, role = stage.step, self._graph[quantity_of(stage.step)].role
        if stage.is_forward:
            if role in (Role.COST, Role.LOSS, Role.HELPER):
                return "cost"
            return "weighted sum" if role is Role.WEIGHTED_SUM else self._applied(quantity_of(step))
        if step.rule is Rule.NO_PATH:
            return "no path"
        if step.rule is Rule.SUM_OVER_STEPS:
            return "added up" if any(map(is_by_step, self._gradients)) else "costs of all steps"
        if isinstance(step.target, tree.Partial) and step.target.of.positions:
            return "each step"
        if step.rule is Rule.GIVEN:
            return "given"
        if (step.kind is Kind.BOUNDARY or step.rule is Rule.DIFFERENTIATION) and stage.is_first:
            return "start"
        if step.kind is Kind.PARAMETER_GRADIENT:
            return "parameter" if step.layer is not None else "parameter, equations"
        if step.kind is Kind.INPUT_GRADIENT:
            return "input"
        activation = self._activation_of(quantity_of(step))
        if activation is not None:
            return "through identity" if activation == IDENTITY else "through activation"
        paths = "several paths" if stage.has_several_paths else "summed" if stage.is_summed else "one path"
        return f"{paths}, equations" if step.layer is None or step.kind is Kind.BOUNDARY else paths

    def _applied(self, name: str) -> str:
        """What the equation of a quantity that is computed does."""
        quantity = self._graph[name]
        if quantity.layer is None:
            return "equation"
        if quantity.activation in FUNCTIONS:
            return "activation"
        return "identity" if quantity.activation == IDENTITY else "layer equation"

    def _activation_of(self, name: str) -> str | None:
        """The activation that is applied to a quantity element by element, where nothing else uses it."""
        users = [
            quantity
            for quantity in self._graph.quantities
            if quantity.definition is not None and any(place.name == name for place in places(quantity.definition))
        ]
        activation = users[0].activation if len(users) == 1 else None
        return activation if activation in FUNCTIONS or activation == IDENTITY else None

    def _stage(self, stage: Stage) -> Iterator[Block]:
        if not stage.before:
            yield from self._in_general(stage)
        plain: list[Line] = []
        for entry in stage.entries:
            if entry.paths:
                yield from [FormulaBlock(tuple(plain))] if plain else []
                yield from self._paths(entry)
                plain = []
            else:
                plain.append(self._line(entry))
        if plain:
            yield FormulaBlock(tuple(plain))
        if stage.is_last and stage.before + len(stage.entries) < stage.size:
            yield from self._rest(stage)

    def _in_general(self, stage: Stage) -> Iterator[Block]:
        """The formula of every entry, and what there is to say about it."""
        general = _general(stage)
        if stage.step.shape or not stage.entries:
            yield FormulaBlock((Line(stage.step.target, (Side(general),)),))
        for note in stage.step.notes:
            form = str(stage.step.forms[stage.step.main].kind)
            if note.key not in UNTOLD and note.about.get("form", form) == form:
                yield Note(told(note, stage.step.target), Tone.WARNING if warns(note) else Tone.REMARK)
        yield from self._on_transposes(stage.step, general)
        yield from self._on_conventions(stage)

    def _on_transposes(self, step: Step, formula: tree.Node) -> Iterator[Block]:
        """Why a transpose stands in a formula of whole arrays."""
        operands = [node.operand for node in walk(formula) if isinstance(node, tree.Transposed)]
        if step.kind is Kind.PARAMETER_GRADIENT:
            if any(isinstance(operand, tree.Matrix | tree.Gradient) for operand in operands):
                yield Note((WALK["outer"],))
        elif step.kind is Kind.ACTIVATION_GRADIENT and any(
            isinstance(operand, tree.Matrix) and self._graph[operand.name].role is Role.PARAMETER
            for operand in operands
        ):
            yield Note((WALK["transposed"],))

    def _on_conventions(self, stage: Stage) -> Iterator[Block]:
        """What was chosen and could be otherwise, and what a form of the network means."""
        quantity = self._graph[quantity_of(stage.step)]
        if stage.is_forward:
            for key, number in of_the_cost(self._graph, quantity, self._loss):
                yield Note((WALK[key].format(number=number),))
            before = collapsing(self._graph, quantity)
            if before is not None:
                layers = {"first": str(self._graph.label_of(before)), "second": str(self._graph.label_of(quantity))}
                yield Note((WALK["collapse"].format(**layers),))
            return
        activation = self._activation_of(quantity.name)
        where = kink_of(activation)
        if where is not None:
            yield Note((REMARKS["kink"].format(function=activation, where=tr(where)),))

    def _paths(self, entry: Told) -> Iterator[Block]:
        """Every path by itself, and what they come to together."""
        yield FormulaBlock((Line(entry.target, (Side(entry.formula),)),))
        for path in entry.paths:
            value = self._rounding.tree(path.value)
            sides = (path.formula, path.put_in, value)
            chain = tree.Equality(tuple(side for place, side in enumerate(sides) if side not in sides[:place]))
            yield Prose(filled(WALK["through"], quantities=listed(path.through), chain=chain))
        parts = tree.Add(tuple(self._rounding.tree(path.value) for path in entry.paths))
        rounded = sum(self._rounding.shown(path.value) for path in entry.paths)
        remark = "together" if self._rounding.agrees(rounded, entry.value) else "together unrounded"
        yield FormulaBlock(
            (Line(entry.target, (Side(parts), Side(self._rounding.tree(entry.value), (WALK[remark],)))),)
        )

    def _line(self, entry: Told) -> Line:
        value = self._rounding.tree(entry.value)
        sides = [Side(entry.formula)]
        if entry.put_in is not None and entry.put_in not in (entry.formula, value):
            sides.append(Side(entry.put_in))
        if value != sides[-1].value:
            sides.append(Side(value, () if entry.is_exact else (WALK["unrounded"],)))
        return Line(entry.target, tuple(sides))

    def _rest(self, stage: Stage) -> Iterator[Block]:
        """All values of the quantity, where not every entry is told."""
        name, target = quantity_of(stage.step), stage.step.target
        label: tree.Node = tree.Matrix(name) if stage.is_forward else tree.Gradient(name)
        if not stage.is_forward and isinstance(target, tree.Partial) and target.of.positions:
            label, name = tree.StepGradient(target.of, name), by_step(name)
        found = (self._values if stage.is_forward else self._gradients).get(name)
        if found is None:
            return
        indices = [symbol.name for symbol in self._graph[name].indices]
        cell = array_cell(found, indices, self._rounding.digits, False, is_headed=True)
        yield Table(("", WALK["all entries"]), ((label, cell),), self._rounding.digits)


def _general(stage: Stage) -> tree.Node:
    """The general formula of which the entries are told."""
    step = stage.step
    kinds = [entry.kind for entry in stage.entries]
    return next((form.value for form in step.forms if form.kind in kinds), step.forms[step.main].value)
