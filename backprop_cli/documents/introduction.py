"""What a reader of a derivation is told before its formulas: the plan, the samples, and signs that need a word.

Every sign is explained by an example from the derivation itself, and only where it stands there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from backprop_cli.documents.blocks import Block, Inline, Note, Prose, Tone
from backprop_cli.documents.formulas import is_two_sided
from backprop_cli.documents.names import Names
from backprop_cli.documents.sentences import filled, listed
from backprop_cli.documents.wording import PARTS
from backprop_cli.language import tree
from backprop_cli.language.walking import parts, walk
from backprop_cli.symbolic.display import COST, cost_of
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.notation import is_by_step
from backprop_cli.symbolic.steps import Rule, Step
from backprop_cli.translation import between, tr, tr_n


def introduction(graph: Graph, names: Names, steps: Sequence[Step]) -> Iterator[Block]:
    """The paragraphs before a whole derivation."""
    if any(quantity.role is Role.WEIGHTED_SUM for quantity in graph.quantities):
        yield Prose((PARTS["two uses"],))
    if graph.cost is None:
        (output,) = graph.seeds
        yield Prose(filled(PARTS["no cost"], gradient=tree.Partial(tree.Place("J"), _at_indices(graph[output]))))
    elif graph.samples is not None:
        yield _batch(graph)
    yield from by_step(graph)
    yield from on_signs(graph, names, list(_shown(steps)))
    if any(step.rule is Rule.NO_PATH for step in steps):
        idle = [step.id.removeprefix("dJ/d") for step in steps if step.rule is Rule.NO_PATH]
        named = listed(map(tree.Matrix, idle), tr(", "))
        yield Note(filled(PARTS["no path"], names=named), Tone.WARNING)


def by_step(graph: Graph, truncated: str | None = None) -> Iterator[Block]:
    """That the cost is taken apart by steps, and how far each step's part is propagated back: in the sentence
    ``truncated``, or in that of a derivation."""
    part = part_of(graph)
    if part is None:
        return
    cost, step = tree.Place(COST), part.positions[0]
    yield Prose(filled(PARTS["by step"], step=step, cost=cost, part=part))
    if graph.windows:
        sentence = PARTS["truncated"] if truncated is None else truncated
        yield Note(filled(sentence, cost=cost, part=part, windows=windows(graph)), Tone.WARNING)


def part_of(graph: Graph) -> tree.Place | None:
    """J_s, the cost of one step, where the cost is taken apart by steps."""
    copy = next((quantity for quantity in graph.quantities if is_by_step(quantity.name)), None)
    return None if copy is None else cost_of(copy.indices[0].name)


def windows(graph: Graph) -> tuple[Inline, ...]:
    """How far back each state is followed: ``2 states of H and 2 states of C``."""
    found = [
        filled(
            tr_n("{number} state of {quantity}", "{number} states of {quantity}", window),
            number=window,
            quantity=matrix,
        )
        for window, matrix in ((window, tree.Matrix(name)) for name, window in graph.windows.items())
    ]
    return tuple(part for item in between(found) for part in ((item,) if isinstance(item, str) else item))


def explanations(graph: Graph, names: Names, steps: Sequence[Step]) -> Iterator[Block]:
    """The paragraphs before the derivation of one gradient."""
    shown = list(_shown(steps))
    if graph.cost is not None and graph.sample is not None and tree.Place(graph.sample.name) in shown:
        yield _batch(graph)
    yield from by_step(graph)
    yield from on_signs(graph, names, shown)


def _batch(graph: Graph) -> Prose:
    return Prose((PARTS["batch"].format(samples=graph.samples, sample=graph.sample),))


def _at_indices(quantity: Quantity) -> tree.Place:
    return tree.Place(quantity.name, tuple(tree.Place(symbol.name) for symbol in quantity.indices))


def _shown(steps: Iterable[Step]) -> Iterator[tree.Node]:
    """Every part of every formula, but no condition of a choice, which stands without brackets."""
    waiting = [node for step in steps for node in (step.target, *(form.value for form in step.forms))]
    waiting.reverse()
    while waiting:
        node = waiting.pop()
        yield node
        inner = parts(node)
        if isinstance(node, tree.Apply) and node.function == "where" and isinstance(inner[0], tree.Comparison):
            inner = (*parts(inner[0]), *inner[1:])
        waiting.extend(reversed(inner))


def on_signs(graph: Graph, names: Names, shown: Sequence[tree.Node]) -> Iterator[Block]:
    """A word on every sign among these parts of formulas that needs one."""
    if names.is_free("δ") and any(isinstance(n, tree.Gradient) and n.delta and names[n.name].layer for n in shown):
        yield Prose((PARTS["delta"],))
    deltas: list[tree.Comparison] = []
    others: list[tree.Node] = []
    joined: set[int] = set()
    for node in shown:
        if isinstance(node, tree.Product):
            pairs = [pair for pair in pairwise(node.factors) if is_two_sided(*pair)]
            others += [tree.Product(pair) for pair in pairs]
            joined |= {id(bracket) for pair in pairs for bracket in pair}
        if isinstance(node, tree.Comparison) and id(node) not in joined:
            (deltas if names.is_free("δ") and _compares_indices(node, graph) else others).append(node)
    if deltas:
        alike = tree.Equality((deltas[0].left, deltas[0].right))
        yield Prose(filled(PARTS["kronecker"], bracket=deltas[0], equality=alike))
    if others:
        counted = next(filter(None, (_counted(node, graph) for node in others)), None)
        if counted is None:
            yield Prose(filled(PARTS["bracket"], bracket=others[0]))
        else:
            yield Prose(filled(PARTS["bracket, counted"], bracket=others[0], counted=counted[0], index=counted[1]))
    one_hot = next((node for node in shown if isinstance(node, tree.OneHot)), None)
    if one_hot is not None:
        yield Prose(_one_hot(one_hot, graph))


def _compares_indices(node: tree.Comparison, graph: Graph) -> bool:
    return node.operator == "==" and all(
        (isinstance(side, tree.Number) and side.text.isdigit()) or _is_index(side, graph)
        for side in (node.left, node.right)
    )


def _is_index(node: tree.Node, graph: Graph) -> bool:
    return isinstance(node, tree.Place) and not node.positions and node.name not in graph


def _counted(node: tree.Node, graph: Graph) -> tuple[tree.Node, tree.Node] | None:
    """The y that counts from 0 and the k that counts from 1, of a bracket [k = y + 1]."""
    if not isinstance(node, tree.Comparison):
        return None
    for index, other in ((node.left, node.right), (node.right, node.left)):
        named = _from_0(other, graph)
        if node.operator == "==" and named is not None and _is_index(index, graph):
            return named, index
    return None


def _from_0(position: tree.Node, graph: Graph) -> tree.Node | None:
    """The class number or token y of a position ``y + 1``."""
    terms = position.terms if isinstance(position, tree.Add) else ()
    found = [term for term in terms if isinstance(term, tree.Place | tree.Matrix) and term.name in graph]
    allowed = graph[found[0].name].whole if len(terms) == 2 and len(found) == 1 else None
    return found[0] if allowed is not None and allowed.start == 0 else None


def _one_hot(node: tree.OneHot, graph: Graph) -> tuple[Inline, ...]:
    named = _from_0(node.positions, graph)
    rows = any(isinstance(part, tree.Matrix) and graph[part.name].shape for part in walk(node.positions))
    key = "one row each" if rows else "one column"
    if named is None:
        return filled(PARTS[key], matrix=node, positions=node.positions)
    return filled(PARTS[f"{key}, counted"], matrix=node, positions=node.positions, counted=named)
