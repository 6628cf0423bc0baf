"""Formulas of single entries: numbers put in for the indices of a general step, on demand.

The general formula holds for every entry, so one entry costs a substitution and never a derivation of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product as positions_of
from math import prod

from backprop_cli.language import tree
from backprop_cli.language.walking import rebuilt
from backprop_cli.symbolic.graph import Graph
from backprop_cli.symbolic.notation import HOLDS
from backprop_cli.symbolic.steps import Derivation, Form, Step

LONGEST_SUM = 4  # a sum of more terms reads better with Σ than written out


def entry_step(derivation: Derivation, step: Step, position: tuple[int, ...]) -> Step:
    """The step for one entry of its quantity: ``dJ/dW1`` at (1, 2) becomes ``dJ/dW1[1,2]``, short sums written out.

    ``position`` counts from 1 and has one number for each of the step's indices.
    """
    numbers = dict(zip(step.indices, position, strict=True))

    def put(node: tree.Node) -> tree.Node:
        return folded(written_out(with_numbers(node, numbers)), derivation.graph)

    name = f"{step.of}[{','.join(map(str, position))}]" if position else step.of
    forms = tuple(Form(form.kind, put(form.value)) for form in step.forms)
    kept = tuple(form for n, form in enumerate(forms) if all(form.value != other.value for other in forms[:n]))
    main = next(n for n, form in enumerate(kept) if form.value == forms[step.main].value)
    target = folded(with_numbers(step.target, numbers), derivation.graph)
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


def written_out(node: tree.Node) -> tree.Node:
    """The formula with every sum of at most :data:`LONGEST_SUM` terms written out term by term."""
    node = rebuilt(node, written_out)
    if not isinstance(node, tree.Reduction) or node.operation != "sum":
        return node
    if prod(node.sizes) > LONGEST_SUM:
        return node
    ranges = (range(1, size + 1) for size in node.sizes)
    parts = [with_numbers(node.body, dict(zip(node.indices, at, strict=True))) for at in positions_of(*ranges)]
    return parts[0] if len(parts) == 1 else tree.Add(tuple(parts))


def folded(node: tree.Node, graph: Graph) -> tree.Node:
    """The formula without what numbers decide: x[1+2-1] is x[2], ``[1 = 1]·a`` is a, ``[2 = 1]·a`` is nothing, a
    choice is its branch, and a place outside its array is 0."""
    zero = tree.Number("0")
    if isinstance(node, tree.Partial):
        places = [folded(place, graph) for place in (node.of, node.by)]
        of, by = (place for place in places if isinstance(place, tree.Place)) if zero not in places else (None, None)
        return zero if of is None or by is None else tree.Partial(of, by)
    node = rebuilt(node, lambda part: folded(part, graph))
    if isinstance(node, tree.Place) and node.positions:
        node = tree.Place(node.name, tuple(_worked_out(position) for position in node.positions))
        return zero if _is_outside(node, graph) else node
    if isinstance(node, tree.Comparison):
        return _decided(node)
    if isinstance(node, tree.Apply) and node.function == "where":
        return _chosen(node)
    if isinstance(node, tree.Negative) and node.operand == zero:
        return zero
    if isinstance(node, tree.Quotient) and node.numerator == zero:
        return zero
    if isinstance(node, tree.Reduction) and node.operation == "sum" and node.body == zero:
        return zero
    if isinstance(node, tree.Product):
        return _product(node)
    if isinstance(node, tree.Add):
        return _sum(node)
    return node


def _worked_out(position: tree.Node) -> tree.Node:
    """A position with its numbers added up: ``1 + m - 1`` is m."""
    number = whole_number(position)
    if number is not None:
        return tree.Number(str(number)) if number >= 0 else tree.Negative(tree.Number(str(-number)))
    if not isinstance(position, tree.Add):
        return position
    numbers = [whole_number(term) for term in position.terms]
    rest = [term for term, found in zip(position.terms, numbers, strict=True) if found is None]
    total = sum(found for found in numbers if found is not None)
    if total:
        rest.append(tree.Number(str(total)) if total > 0 else tree.Negative(tree.Number(str(-total))))
    return rest[0] if len(rest) == 1 else tree.Add(tuple(rest))


def whole_number(node: tree.Node) -> int | None:
    """What a sum or product of whole numbers comes to; None for anything else. It may be negative."""
    match node:
        case tree.Number(text=text):
            return int(text) if text.removeprefix("-").isdigit() else None
        case tree.Negative(operand=operand):
            number = whole_number(operand)
            return None if number is None else -number
        case tree.Add(terms=several) | tree.Product(factors=several):
            numbers = [number for number in map(whole_number, several) if number is not None]
            if len(numbers) == len(several):
                return sum(numbers) if isinstance(node, tree.Add) else prod(numbers)
    return None


def _is_outside(place: tree.Place, graph: Graph) -> bool:
    if place.name not in graph:
        return False
    numbers = map(whole_number, place.positions)
    sizes = graph[place.name].shape
    if len(sizes) != len(place.positions):  # J[s], the cost of one step
        return False
    return any(n is not None and not 1 <= n <= size for n, size in zip(numbers, sizes, strict=True))


def _decided(node: tree.Comparison) -> tree.Node:
    left, right = whole_number(node.left), whole_number(node.right)
    if left is not None and right is not None:
        return tree.Number(str(int(HOLDS[node.operator](left, right))))
    if left is not None and node.operator == "==" and _is_position(node.right, left) is False:
        return tree.Number("0")
    return tree.Comparison(node.operator, _worked_out(node.left), _worked_out(node.right))


def _is_position(extreme: tree.Node, number: int) -> bool | None:
    """Whether argmax or argmin can come to this number; None for any other formula."""
    if not isinstance(extreme, tree.Reduction) or extreme.operation not in ("argmax", "argmin"):
        return None
    return 1 <= number <= extreme.sizes[0] if extreme.sizes else None


def _chosen(node: tree.Apply) -> tree.Node:
    """The branch that numbers choose, or that both are."""
    condition, then, otherwise = node.arguments
    if then == otherwise:
        return then
    number = whole_number(condition)
    return node if number is None else then if number else otherwise


def _product(node: tree.Product) -> tree.Node:
    if tree.Number("0") in node.factors:
        return tree.Number("0")
    kept = tuple(factor for factor in node.factors if factor != tree.Number("1"))
    return kept[0] if len(kept) == 1 else tree.Product(kept) if kept else tree.Number("1")


def _sum(node: tree.Add) -> tree.Node:
    terms = tuple(part for term in node.terms for part in (term.terms if isinstance(term, tree.Add) else (term,)))
    kept = tuple(term for term in terms if term != tree.Number("0"))
    return kept[0] if len(kept) == 1 else tree.Add(kept) if kept else tree.Number("0")
