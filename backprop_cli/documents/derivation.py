"""The derivation as a document: from the cost back to the first layer, then every gradient of the network.

Per layer: how it is defined, its local derivatives, where the backward pass enters it, and the two uses of the chain
rule. Equations that are no layers get a section each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from math import prod

from backprop_cli.documents.blocks import Block, Document, FormulaBlock, Heading, Inline, Line, Note, Prose, Side, Tone
from backprop_cli.documents.names import Names
from backprop_cli.documents.wording import FORMS, NOT_IN_MATRICES, PARTS, sentence, warns
from backprop_cli.language import tree
from backprop_cli.language.walking import walk
from backprop_cli.symbolic.entries import entry_steps
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.steps import Derivation, FormKind, Kind, Rule, Step

MOST_ENTRIES = 40  # parameters of a network whose every single weight is written out


def derivation_document(derivation: Derivation, names: Names, steps: Sequence[Step] | None = None) -> Document:
    """The whole derivation. ``steps`` are the derivation's own, or the same in matrix notation."""
    told = derivation.steps if steps is None else tuple(step for step in steps if not _is_out_of_view(step))
    graph = derivation.graph
    blocks: list[Block] = [Heading(1, (f"Backpropagation: {graph.name}",)), *_introduction(graph, told)]
    for layer, section in groupby(told, key=lambda step: _section(step, graph)):
        blocks.extend(_told_section(graph, layer, list(section)))
    blocks.extend(_summary(graph, told))
    if steps is None:
        blocks.extend(_entries(derivation))
    return Document(tuple(blocks), names)


def answer_document(derivation: Derivation, names: Names, steps: Sequence[Step]) -> Document:
    """The gradient of one quantity, the last of ``steps``, after the steps it builds on."""
    *needed, answer = steps
    blocks: list[Block] = [Heading(1, (answer.target,))]
    gradients = [step for step in needed if step.kind not in (Kind.DEFINITION, Kind.LOCAL_DERIVATIVE)]
    for title, group in (
        (PARTS["definitions"], [step for step in reversed(needed) if step.kind is Kind.DEFINITION]),
        (PARTS["local derivatives"], [step for step in needed if step.kind is Kind.LOCAL_DERIVATIVE]),
        (PARTS["builds on"], gradients),
        (PARTS["answer"] if needed else "", [answer]),
    ):
        if group:
            blocks.extend([Heading(3, (title,))] if title else [])
            blocks.extend(_formulas(group))
    return Document(tuple(blocks), names)


def _is_out_of_view(step: Step) -> bool:
    """Whether a local derivative has no matrix form: in index notation it explains nothing here."""
    return step.kind is Kind.LOCAL_DERIVATIVE and any(note.key in NOT_IN_MATRICES for note in step.notes)


def _introduction(graph: Graph, steps: Sequence[Step]) -> Iterator[Block]:
    if any(quantity.role is Role.WEIGHTED_SUM for quantity in graph.quantities):
        yield Prose((PARTS["two uses"],))
    if graph.cost is None:
        (output,) = graph.seeds
        yield Prose((PARTS["no cost"], tree.Partial(tree.Place("J"), _at_indices(graph[output])), "."))
    elif graph.samples is not None:
        yield Prose((PARTS["batch"].format(samples=graph.samples, sample=graph.sample),))
    if any(note.key == "delta" for step in steps for note in step.notes):
        yield Prose((PARTS["delta"],))
    if any(step.rule is Rule.NO_PATH for step in steps):
        idle = [step.id.removeprefix("dJ/d") for step in steps if step.rule is Rule.NO_PATH]
        yield Note((PARTS["no path"].format(names=", ".join(idle)),), Tone.WARNING)


def _at_indices(quantity: Quantity) -> tree.Place:
    return tree.Place(quantity.name, tuple(tree.Place(symbol.name) for symbol in quantity.indices))


def _section(step: Step, graph: Graph) -> tuple[str, object]:
    """What a step is told under: its layer, the cost, the inputs, or the equation it belongs to."""
    if step.kind is Kind.INPUT_GRADIENT:
        return ("inputs", None)
    if step.layer is not None:
        return ("layer", step.layer)
    name = _quantity(step)
    if graph[name].role in (Role.COST, Role.LOSS, Role.HELPER):
        return ("cost", None)
    return ("equations", None)


def _quantity(step: Step) -> str:
    """The quantity whose equation a step belongs to: v of ∂v/∂u, u of ∂J/∂u."""
    if step.kind is Kind.DEFINITION:
        return step.of
    above, _, below = step.of.partition("/d")
    return above[1:] if step.kind is Kind.LOCAL_DERIVATIVE else below


def _told_section(graph: Graph, key: tuple[str, object], steps: list[Step]) -> Iterator[Block]:
    yield Heading(2, (_title(graph, key),))
    definitions = [step for step in steps if step.kind is Kind.DEFINITION]
    local = [step for step in steps if step.kind is Kind.LOCAL_DERIVATIVE]
    for title, group in ((PARTS["definitions"], definitions), (PARTS["local derivatives"], local)):
        if group:
            yield Heading(3, (title,))
            yield from _formulas(group)
    gradients = (step for step in steps if step not in definitions and step not in local)
    for kind, alike in groupby(gradients, key=lambda step: step.kind):
        yield Heading(3, (_reason(graph, kind, key),))
        yield from _formulas(list(alike))


def _title(graph: Graph, key: tuple[str, object]) -> str:
    section, layer = key
    if section != "layer":
        return PARTS[section]
    sums = [q for q in graph.quantities if q.layer == layer and q.role is Role.WEIGHTED_SUM]
    if not sums:
        return PARTS["layer"].format(layer=layer)
    activation = next((str(q.activation) for q in graph.quantities if q.layer == layer and q.activation), "identity")
    units = sums[0].shape[-1] if sums[0].shape else 1
    unit = PARTS["unit"] if units == 1 else PARTS["units"]
    return PARTS["dense layer"].format(layer=layer, units=units, unit=unit, activation=activation)


def _reason(graph: Graph, kind: Kind, key: tuple[str, object]) -> str:
    if kind is Kind.ACTIVATION_GRADIENT:
        return PARTS["second use"]
    if kind is Kind.PARAMETER_GRADIENT and key[0] == "layer":
        return PARTS["first use"]
    return PARTS[str(kind)]


def _formulas(steps: Iterable[Step]) -> Iterator[Block]:
    """The steps' chains in one block, interrupted by the remarks that belong to them; steps in a row with the same
    remarks share them."""
    lines: list[Line] = []
    for notes, alike in groupby(steps, key=_remarks):
        lines.extend(map(_line, alike))
        if notes:
            yield FormulaBlock(tuple(lines))
            yield from notes
            lines = []
    if lines:
        yield FormulaBlock(tuple(lines))


def _remarks(step: Step) -> tuple[Block, ...]:
    main = str(step.forms[step.main].kind)
    return tuple(
        Note((sentence(note),), Tone.WARNING if warns(note) else Tone.REMARK)
        for note in step.notes
        if note.key != "delta" and note.about.get("form", main) == main  # one form's shapes are enough
    )


def _line(step: Step) -> Line:
    if step.kind is Kind.LOCAL_DERIVATIVE or len(step.forms) == 1:
        return Line(step.target, tuple(Side(form.value) for form in step.forms))
    kinds = [form.kind for form in step.forms]
    return Line(step.target, tuple(Side(f.value, _remark(step, n, kinds[:n])) for n, f in enumerate(step.forms)))


def _remark(step: Step, number: int, before: Sequence[FormKind]) -> tuple[Inline, ...]:
    """Why a form equals the one before it."""
    form = step.forms[number]
    if form.kind is FormKind.RECURRENCE and FormKind.LOCAL in before:
        return (PARTS["recurrence"],)
    if form.kind in (FormKind.LOCAL, FormKind.RECURRENCE):
        return (FORMS[FormKind.LOCAL if FormKind.SLOPE in before else FormKind.SLOPE],)
    if form.kind is FormKind.RESULT:
        new = _gradients(form.value) - _gradients(step.forms[number - 1].value)
        return (FORMS[form.kind], " ", min(new, key=str)) if new else (PARTS["gathered"],)
    return (FORMS[form.kind],) if FORMS[form.kind] else ()


def _gradients(formula: tree.Node) -> set[tree.Node]:
    """The gradients that a formula builds on, as wholes: ∂J/∂z without its positions."""
    return {
        tree.Partial(node.of, tree.Place(node.by.name)) if isinstance(node, tree.Partial) else node
        for node in walk(formula)
        if isinstance(node, tree.Partial | tree.Gradient)
    }


def _parameters(graph: Graph, steps: Sequence[Step]) -> list[Step]:
    """The gradients of the parameters, in the order of the network."""
    by_name = {step.of: step for step in steps if step.kind is Kind.PARAMETER_GRADIENT}
    return [by_name[f"dJ/d{q.name}"] for q in graph.quantities if f"dJ/d{q.name}" in by_name]


def _summary(graph: Graph, steps: Sequence[Step]) -> Iterator[Block]:
    """One formula per parameter."""
    found = _parameters(graph, steps)
    if found:
        yield Heading(2, (PARTS["summary"],))
        yield FormulaBlock(tuple(Line(step.target, (Side(step.forms[step.main].value),)) for step in found))


def _entries(derivation: Derivation) -> Iterator[Block]:
    """Every single weight of a small network."""
    parameters = _parameters(derivation.graph, derivation.steps)
    if not parameters or sum(prod(step.shape) for step in parameters) > MOST_ENTRIES:
        return
    if all(prod(step.shape) == 1 for step in parameters):
        return
    yield Heading(2, (PARTS["every weight"],))
    for step in parameters:
        entries = entry_steps(derivation, step)
        yield FormulaBlock(tuple(Line(one.target, (Side(one.forms[one.main].value),)) for one in entries))
