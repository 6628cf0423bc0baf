"""The derivation as a document: from the cost back to the first layer, then the gradients of all parameters.

Per layer: how it is defined, its local derivatives, where the backward pass enters it, and the two uses of the chain
rule. Equations that are no layers get a section each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from math import prod

from backprop_cli.documents.blocks import Block, Document, FormulaBlock, Heading, Inline, Line, Note, Prose, Side, Tone
from backprop_cli.documents.introduction import explanations, introduction
from backprop_cli.documents.names import Names
from backprop_cli.documents.sentences import filled, listed
from backprop_cli.documents.wording import FORMS, NOT_IN_MATRICES, PARTS, told, warns
from backprop_cli.language import tree
from backprop_cli.language.walking import walk
from backprop_cli.library.functions import IDENTITY
from backprop_cli.symbolic.display import COST
from backprop_cli.symbolic.entries import entry_steps
from backprop_cli.symbolic.graph import Graph, Role
from backprop_cli.symbolic.notation import is_by_step
from backprop_cli.symbolic.steps import Derivation, FormKind, Kind, Rule, Step
from backprop_cli.symbolic.unrolled import OneCost
from backprop_cli.translation import tr_n

OF_COMPUTED = (Kind.BOUNDARY, Kind.ACTIVATION_GRADIENT, Kind.PREACTIVATION_GRADIENT, Kind.QUANTITY_GRADIENT)
STARTING = (Rule.DIFFERENTIATION, Rule.GIVEN)  # rules that use no gradient found before
MOST_ENTRIES = 40  # parameters of a network whose every single weight is written out


def derivation_document(
    derivation: Derivation, names: Names, steps: Sequence[Step] | None = None, by_step: Sequence[OneCost] = ()
) -> Document:
    """The whole derivation. ``steps`` are the derivation's own, or the same in matrix notation; ``by_step`` are those
    of each step's cost by itself, where they are asked for."""
    shown = derivation.steps if steps is None else tuple(step for step in steps if not _is_out_of_view(step))
    graph = derivation.graph
    blocks: list[Block] = [Heading(1, (PARTS["title"].format(name=graph.name),)), *introduction(graph, names, shown)]
    start = next((step for step in shown if step.kind in OF_COMPUTED), None)
    if start is not None and start.rule not in STARTING:
        start = None
    for layer, section in groupby(shown, key=lambda step: section_of(step, graph)):
        blocks.extend(_told_section(derivation, layer, list(section), start))
    blocks.extend(_unrolled(derivation, by_step))
    blocks.extend(_summary(graph, shown))
    if steps is None:
        blocks.extend(_entries(derivation))
    return Document(tuple(blocks), names)


def answer_document(derivation: Derivation, names: Names, steps: Sequence[Step]) -> Document:
    """The gradient of one quantity, the last of ``steps``, after the steps it builds on."""
    *needed, answer = steps
    blocks: list[Block] = [Heading(1, (answer.target,)), *explanations(derivation.graph, names, steps)]
    gradients = [step for step in needed if step.kind not in (Kind.DEFINITION, Kind.LOCAL_DERIVATIVE)]
    for title, group in (
        (PARTS["definitions"], [step for step in reversed(needed) if step.kind is Kind.DEFINITION]),
        (PARTS["local derivatives"], [step for step in needed if step.kind is Kind.LOCAL_DERIVATIVE]),
        (PARTS["builds on"], gradients),
        (PARTS["answer"] if needed else "", [answer]),
    ):
        if group:
            blocks.extend([Heading(3, (title,))] if title else [])
            blocks.extend(_formulas(derivation, group))
    return Document(tuple(blocks), names)


def _is_out_of_view(step: Step) -> bool:
    """Whether a local derivative has no matrix form: in index notation it explains nothing here."""
    return step.kind is Kind.LOCAL_DERIVATIVE and any(note.key in NOT_IN_MATRICES for note in step.notes)


def section_of(step: Step, graph: Graph) -> tuple[str, object]:
    """What a step is told under: its layer, the cost, the inputs, or the equation it belongs to."""
    if step.kind is Kind.INPUT_GRADIENT:
        return ("inputs", None)
    name = _quantity(step)
    if step.layer is not None:
        return ("layer", graph.label_of(graph[name]))
    if graph[name].role in (Role.COST, Role.LOSS, Role.HELPER):
        return ("cost", None)
    return ("equations", None)


def _quantity(step: Step) -> str:
    """The quantity whose equation a step belongs to: v of ∂v/∂u, u of ∂J/∂u."""
    if step.kind is Kind.DEFINITION:
        return step.of
    above, _, below = step.of.partition("/d")
    return above[1:] if step.kind is Kind.LOCAL_DERIVATIVE else below


def _told_section(
    derivation: Derivation, key: tuple[str, object], steps: list[Step], start: Step | None
) -> Iterator[Block]:
    yield Heading(2, (title_of(derivation.graph, key),))
    definitions = [step for step in steps if step.kind is Kind.DEFINITION]
    local = [step for step in steps if step.kind is Kind.LOCAL_DERIVATIVE]
    for title, group in ((PARTS["definitions"], definitions), (PARTS["local derivatives"], local)):
        if group:
            yield Heading(3, (title,))
            yield from _formulas(derivation, group)
    gradients = (step for step in steps if step not in definitions and step not in local)
    for part, alike in groupby(gradients, key=lambda step: _part(derivation.graph, step, key)):
        group = list(alike)
        yield Heading(3, (PARTS["boundary" if group[0] is start else part],))
        yield from _formulas(derivation, group)


def title_of(graph: Graph, key: tuple[str, object]) -> str:
    section, layer = key
    if section != "layer":
        return PARTS[section]
    inside = [quantity for quantity in graph.quantities if graph.label_of(quantity) == layer]
    sums = [quantity for quantity in inside if quantity.role is Role.WEIGHTED_SUM]
    activation = next((str(quantity.activation) for quantity in inside if quantity.activation), None)
    kind = graph.kinds.get(str(layer), "")
    if kind not in ("", "dense"):
        named = activation if activation not in (None, IDENTITY) and kind != "residual" else None
        return PARTS["library layer" if named is None else "activated layer"].format(
            layer=layer, kind=kind, activation=named
        )
    if not sums:
        return PARTS["layer" if activation is None else "activation layer"].format(layer=layer, activation=activation)
    units = sums[0].shape[-1] if sums[0].shape else 1
    title = tr_n("Layer {layer}: {units} unit, {activation}", "Layer {layer}: {units} units, {activation}", units)
    return title.format(layer=layer, units=units, activation=activation or IDENTITY)


def _part(graph: Graph, step: Step, key: tuple[str, object]) -> str:
    """What a gradient is told as: a use of the chain rule, or the gradient of a kind of quantity."""
    if _goes_back_in_time(graph, step):
        return "through time"
    if step.kind is Kind.ACTIVATION_GRADIENT:
        return "second use"
    if step.kind is Kind.PARAMETER_GRADIENT and key[0] == "layer":
        return "first use"
    if step.kind is Kind.BOUNDARY:
        return "activation_gradient" if graph[_quantity(step)].role is Role.ACTIVATION else "quantity_gradient"
    return str(step.kind)


def _goes_back_in_time(graph: Graph, step: Step) -> bool:
    """Whether a gradient at one step of a loop is told from gradients at another."""
    if step.kind not in OF_COMPUTED or graph.loop_of(_quantity(step)) is None:
        return False
    told = (node.by for form in step.forms for node in walk(form.value) if isinstance(node, tree.Partial))
    return any(isinstance(by, tree.Place) and any(isinstance(p, tree.Add) for p in by.positions) for by in told)


def definitions(derivation: Derivation) -> Iterator[Block]:
    """The equations of the network in order of computation."""
    names = (quantity.name for quantity in derivation.graph.quantities)
    yield from _formulas(derivation, [derivation.by_id[name] for name in names if name in derivation.by_id])


def _formulas(derivation: Derivation, steps: Iterable[Step]) -> Iterator[Block]:
    """The steps' chains in one block, interrupted by the remarks that belong to them; steps in a row with the same
    remarks share them."""
    lines: list[Line] = []
    for notes, alike in groupby(steps, key=_remarks):
        lines.extend(_line(derivation, step) for step in alike)
        if notes:
            yield FormulaBlock(tuple(lines))
            yield from notes
            lines = []
    if lines:
        yield FormulaBlock(tuple(lines))


def _remarks(step: Step) -> tuple[Block, ...]:
    main = str(step.forms[step.main].kind)
    return tuple(
        Note(told(note, step.target), Tone.WARNING if warns(note) else Tone.REMARK)
        for note in step.notes
        if note.key != "delta" and note.about.get("form", main) == main  # one form's shapes are enough
    )


def _line(derivation: Derivation, step: Step) -> Line:
    if step.kind is Kind.LOCAL_DERIVATIVE or len(step.forms) == 1:
        return Line(step.target, tuple(Side(form.value) for form in step.forms))
    told = {form.kind for form in step.forms}
    hidden = FormKind.RESULT if FormKind.TRUNCATED in told else None  # there it stands with what is dropped
    sides = (Side(f.value, _remark(derivation, step, n)) for n, f in enumerate(step.forms) if f.kind is not hidden)
    return Line(step.target, tuple(sides))


def _remark(derivation: Derivation, step: Step, number: int) -> tuple[Inline, ...]:
    """Why a form equals the one before it."""
    form = step.forms[number]
    before = [form.kind for form in step.forms[:number]]
    if form.kind is FormKind.RESULT and number:
        return _put_in(derivation, step.forms[number - 1].value, form.value)
    if not number and form.kind is not FormKind.CHAIN:
        return (PARTS["differentiated" if step.rule is Rule.DIFFERENTIATION else "collected"],)
    if form.kind is FormKind.RECURRENCE and FormKind.LOCAL in before:
        return (PARTS["recurrence"],)
    if form.kind in (FormKind.LOCAL, FormKind.RECURRENCE):
        return (FORMS[FormKind.LOCAL if FormKind.SLOPE in before else FormKind.SLOPE],)
    return (FORMS[form.kind],)


def _put_in(derivation: Derivation, before: tree.Node, after: tree.Node) -> tuple[Inline, ...]:
    """``with ∂J/∂z``: the gradients that a formula is now written in, or whose values have been put into it."""
    old, new = _gradients(before), _gradients(after)
    appeared = [gradient for name, gradient in new.items() if name not in old]
    within = {use for name in new if name not in old for use in derivation.by_id[f"dJ/d{name}"].uses}
    gone = [name for name in old if name not in new and f"dJ/d{name}" not in within]
    mentioned = [*appeared, *(old[name] for name in gone)]
    if not mentioned:
        return (PARTS["gathered"],)
    is_number = all(derivation.adjoints.formulas[name].constant is not None for name in gone)
    return filled(PARTS["put in" if is_number else "put in, gathered"], gradients=listed(mentioned))


def _gradients(formula: tree.Node) -> dict[str, tree.Node]:
    """The gradients that a formula builds on, as wholes by name: ∂J/∂z without its positions."""
    found: dict[str, tree.Node] = {}
    for node in walk(formula):
        if isinstance(node, tree.Gradient):
            found[node.name] = node
        elif isinstance(node, tree.Partial) and node.of.name == COST:
            found[node.by.name] = tree.Partial(node.of, tree.Place(node.by.name))
    return found


def _shortest(step: Step) -> tree.Node:
    """The last of the equal forms, the one for a whole chain: a layer's gradients are written in its ∂J/∂z."""
    return [form.value for form in step.forms if form.kind not in (FormKind.COMBINED, FormKind.TRUNCATED)][-1]


def _parameters(graph: Graph, steps: Sequence[Step]) -> list[Step]:
    """The gradients of the parameters, in the order of the network."""
    by_name = {step.of: step for step in steps if step.kind is Kind.PARAMETER_GRADIENT}
    return [by_name[f"dJ/d{q.name}"] for q in graph.quantities if f"dJ/d{q.name}" in by_name]


def _unrolled(derivation: Derivation, costs: Sequence[OneCost]) -> Iterator[Block]:
    """The gradients of each step's cost by itself, and their sums."""
    if not costs:
        return
    yield Heading(2, (PARTS["unrolled"],))
    if not any(is_by_step(quantity.name) for quantity in derivation.graph.quantities):  # otherwise told above
        first = tree.Place(COST, (tree.Number(str(costs[0].step)),))
        yield Prose(filled(PARTS["sum of costs"], cost=tree.Place(COST), first=first))
    for cost in costs:
        title = PARTS["all steps"] if cost.step is None else PARTS["cost of step"].format(step=cost.step)
        yield Heading(3, (title,))
        yield FormulaBlock(tuple(_unrolled_line(step) for step in cost.steps))


def _unrolled_line(step: Step) -> Line:
    """The gradient with what is dropped struck out, or what there is of it."""
    shown = step.forms[0]
    return Line(step.target, (Side(shown.value, (FORMS[shown.kind],) if shown.kind is FormKind.TRUNCATED else ()),))


def _summary(graph: Graph, steps: Sequence[Step]) -> Iterator[Block]:
    """One formula per parameter."""
    found = _parameters(graph, steps)
    if found:
        yield Heading(2, (PARTS["summary"],))
        yield FormulaBlock(tuple(Line(step.target, (Side(_shortest(step)),)) for step in found))


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
        yield FormulaBlock(tuple(Line(one.target, (Side(_shortest(one)),)) for one in entries))
