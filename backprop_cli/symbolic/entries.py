"""Formulas of single entries: numbers put in for the indices of a general step, on demand.

The general formula holds for every entry, so one entry costs a substitution and never a derivation of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product as positions_of

from backprop_cli.language import tree
from backprop_cli.language.walking import rebuilt, walk
from backprop_cli.symbolic.graph import Graph
from backprop_cli.symbolic.steps import Derivation, Form, Step

LONGEST_SUM = 4  # a sum of more terms reads better with Σ than written out


def entry_step(derivation: Derivation, step: Step, position: tuple[int, ...]) -> Step:
    """The step for one entry of its quantity: ``dJ/dW1`` at (1, 2) becomes ``dJ/dW1[1,2]``, short sums written out.

    ``position`` counts from 1 and has one number for each of the step's indices.
    """
    numbers = dict(zip(step.indices, position, strict=True))

    def put(node: tree.Node) -> tree.Node:
        return folded(written_out(with_numbers(node, numbers), derivation.graph))

    name = f"{step.of}[{','.join(map(str, position))}]" if position else step.of
    forms = tuple(Form(form.kind, put(form.value)) for form in step.forms)
    kept = tuple(form for n, form in enumerate(forms) if all(form.value != other.value for other in forms[:n]))
    main = next(n for n, form in enumerate(kept) if form.value == forms[step.main].value)
    target = with_numbers(step.target, numbers)
    return replace(step, id=name, of=name, target=target, indices=(), shape=(), forms=kept, main=main, uses=step.uses)


def entry_steps(derivation: Derivation, step: Step) -> Iterator[Step]:
    """The step for every entry, the last index fastest."""
    for position in positions_of(*(range(1, size + 1) for size in step.shape)):
        yield entry_step(derivation, step, position)


def needed_steps(derivation: Derivation, step: Step) -> tuple[Step, ...]:
    """Every step that a step builds on, directly or not, in the order of the derivation, and the step itself last."""
    wanted = {step.id}
    waiting = list(step.uses)
    while waiting:
        name = waiting.pop()
        if name not in wanted and name in derivation.by_id:
            wanted.add(name)
            waiting.extend(derivation.by_id[name].uses)
    return (*(other for other in derivation.steps if other.id in wanted and other.id != step.id), step)


def with_numbers(node: tree.Node, numbers: Mapping[str, int]) -> tree.Node:
    """The formula with numbers for its free indices."""
    if isinstance(node, tree.Place) and not node.positions and node.name in numbers:
        return tree.Number(str(numbers[node.name]))
    if isinstance(node, tree.Reduction):
        numbers = {name: number for name, number in numbers.items() if name not in node.indices}
    return rebuilt(node, lambda part: with_numbers(part, numbers))


def written_out(node: tree.Node, graph: Graph) -> tree.Node:
    """The formula with every sum of at most :data:`LONGEST_SUM` terms written out term by term."""
    node = rebuilt(node, lambda part: written_out(part, graph))
    if not isinstance(node, tree.Reduction) or node.operation != "sum":
        return node
    sizes = [index_size(index, node.body, graph) for index in node.indices]
    terms = 1
    for size in sizes:
        terms *= size or LONGEST_SUM + 1
    if terms > LONGEST_SUM:
        return node
    ranges = (range(1, (size or 0) + 1) for size in sizes)
    parts = [with_numbers(node.body, dict(zip(node.indices, at, strict=True))) for at in positions_of(*ranges)]
    return parts[0] if len(parts) == 1 else tree.Add(tuple(parts))


def index_size(index: str, body: tree.Node, graph: Graph) -> int | None:
    """The number of values of an index, read off a place that has it alone at a position."""
    for place in (node for node in walk(body) if isinstance(node, tree.Place) and node.name in graph):
        for position, size in zip(place.positions, graph[place.name].shape, strict=True):
            if position == tree.Place(index):
                return size
    return None


def folded(node: tree.Node) -> tree.Node:
    """The formula without the brackets that numbers decide: ``[1 = 1]·a`` is a, ``[2 = 1]·a`` is nothing."""
    node = rebuilt(node, folded)
    if isinstance(node, tree.Comparison):
        return _decided(node)
    zero = tree.Number("0")
    if isinstance(node, tree.Negative) and node.operand == zero:
        return zero
    if isinstance(node, tree.Reduction) and node.operation == "sum" and node.body == zero:
        return zero
    if isinstance(node, tree.Product):
        return _product(node)
    if isinstance(node, tree.Add):
        return _sum(node)
    return node


def _decided(node: tree.Comparison) -> tree.Node:
    if node.operator == "==" and isinstance(node.left, tree.Number) and isinstance(node.right, tree.Number):
        return tree.Number("1" if node.left.text == node.right.text else "0")
    return node


def _product(node: tree.Product) -> tree.Node:
    if tree.Number("0") in node.factors:
        return tree.Number("0")
    kept = tuple(factor for factor in node.factors if factor != tree.Number("1"))
    return kept[0] if len(kept) == 1 else tree.Product(kept) if kept else tree.Number("1")


def _sum(node: tree.Add) -> tree.Node:
    terms = tuple(part for term in node.terms for part in (term.terms if isinstance(term, tree.Add) else (term,)))
    kept = tuple(term for term in terms if term != tree.Number("0"))
    return kept[0] if len(kept) == 1 else tree.Add(kept) if kept else tree.Number("0")
