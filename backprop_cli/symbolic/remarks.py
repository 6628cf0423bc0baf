"""Remarks on steps: where a convention was chosen, and where a well-known shortening needs a condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sympy import Add, Expr, S

from backprop_cli.language import tree
from backprop_cli.language.walking import walk
from backprop_cli.symbolic.display import terms_tree
from backprop_cli.symbolic.formulas import Formula, Term, product
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.kinks import KINKS, choices
from backprop_cli.symbolic.notation import Place, Reduce
from backprop_cli.symbolic.steps import Form, Kind, Note


def unit_sum_form(formula: Formula, graph: Graph) -> tree.Node | None:
    """The formula where the targets are a distribution: ``p_i Σ y_k - y_i`` becomes ``p_i - y_i`` with Σ y_k = 1."""
    ones: dict[Expr, Expr] = {
        node: S.One
        for term in formula.terms
        for part in (term.expression,)
        for node in part.atoms(Reduce)
        if is_target_sum(node, graph)
    }
    if not ones:
        return None
    return terms_tree([_with(term, ones) for term in formula.terms])


def _with(term: Term, ones: dict[Expr, Expr]) -> Term:
    if term.sums:
        return Term((), product((term.expression.xreplace(ones),)))
    return Term((), product(factor.xreplace(ones) for factor in term.factors))


def is_target_sum(node: Reduce, graph: Graph) -> bool:
    """Whether a reduction is the sum of one sample's targets, Σ_k y_k."""
    body = node.body
    return (
        node.operation == "sum"
        and isinstance(body, Place)
        and body.name in graph
        and graph[body.name].role is Role.TARGET
        and body.positions[-1:] == (node.bound,)
    )


def remarks(
    graph: Graph,
    quantity: Quantity,
    kind: Kind,
    forms: Sequence[Form],
    unit_sums: bool | None,
    worked_out: Sequence[tuple[Expr, str]] = (),
) -> tuple[Note, ...]:
    """What a reader of this step should know besides its formula.

    ``unit_sums`` says whether every sample's targets sum to 1, None where the targets have no values; ``worked_out``
    are the equations whose derivatives stand in the formula, each with the name of what it is differentiated by.
    """
    found = [_choice(name) for name in sorted({name for pair in worked_out for name in choices(*pair)})]
    if kind is Kind.DEFINITION:
        found.extend(_positions(quantity))
        found.extend(_connections(graph, quantity))
        found.extend(_outside(graph, quantity))
    found.extend(ranges(graph, kind, forms))
    if any(_has_target_sum(form, graph) for form in forms) and kind is not Kind.DEFINITION:
        key = {True: "targets_sum_to_1", False: "targets_do_not_sum_to_1", None: "where_targets_sum_to_1"}[unit_sums]
        found.append(Note(key, {"target": _target_of_sum(forms, graph)}))
    return tuple(found)


def _choice(name: str) -> Note:
    """The slope that was chosen where there is none."""
    if name in KINKS:
        return Note("kink", {"function": name, "where": str(KINKS[name])})
    return Note("tie", {"values": {"maximum": "largest", "minimum": "smallest"}[name]})


def _positions(quantity: Quantity) -> list[Note]:
    """What argmax and argmin stand for: the whole quantity, or a part of its definition."""
    definition = quantity.definition
    nodes = set() if definition is None else definition.atoms(Reduce)
    found = sorted({node.operation for node in nodes if node.operation in ("argmax", "argmin")})
    if isinstance(definition, Reduce) and definition.operation in found:
        return [Note("piecewise_constant", {"quantity": quantity.name})]
    return [Note("position_inside", {"what": name}) for name in found]


def _outside(graph: Graph, quantity: Quantity) -> list[Note]:
    """What is read where a position leaves its array: before the first step of a loop, or in the padding."""
    definition = quantity.definition
    if definition is None:
        return []
    sizes = dict(zip(quantity.indices, quantity.shape, strict=True))
    sizes |= {node.bound: node.size for node in definition.atoms(Reduce)}
    loop = graph.loop_of(quantity.name)
    for place in sorted(definition.atoms(Place), key=str):
        for position, size in zip(place.positions, graph[place.name].shape, strict=True):
            if not _stays_inside(position, size, sizes):
                in_loop = loop is not None and place.name in loop.axes
                return [Note("before the first step" if in_loop else "outside", {})]
    return []


def _stays_inside(position: Expr, size: int, sizes: Mapping[Expr, int]) -> bool:
    """Whether a sum of indices is one of 1, ..., size for all their values; anything else is taken to be."""
    low = high = 0
    for term in Add.make_args(position):
        number, symbol = term.as_coeff_Mul()
        if symbol is S.One:
            low, high = low + int(number), high + int(number)
        elif symbol in sizes and number.is_Integer:
            ends = sorted((int(number), int(number) * sizes[symbol]))
            low, high = low + ends[0], high + ends[1]
        else:
            return True
    return low >= 1 and high <= size


def ranges(graph: Graph, kind: Kind, forms: Sequence[Form]) -> list[Note]:
    """The ranges of bound indices that no place tells, such as those of a window, which stand in sums alone; and those
    that places of a gradient tell in two ways, as where a layer's inputs stand side by side."""
    found: dict[tuple[str, int], None] = {}
    for form in forms:
        for node in walk(form.value):
            if not isinstance(node, tree.Reduction):
                continue
            told = {pair for place in walk(node.body) for pair in _alone(place, graph)}
            for index, size in zip(node.indices, node.sizes, strict=False):
                sizes = {length for name, length in told if name == index}
                if size not in sizes or (len(sizes) > 1 and kind is not Kind.DEFINITION):
                    found[index, size] = None
    if not found:
        return []
    about = {"indices": " ".join(index for index, _ in found), "sizes": " ".join(str(size) for _, size in found)}
    return [Note("ranges", about)]


def _alone(place: tree.Node, graph: Graph) -> Iterator[tuple[str, int]]:
    """The indices that stand alone at a position, with the size of that axis."""
    if isinstance(place, tree.Place) and place.name in graph:
        for position, size in zip(place.positions, graph[place.name].shape, strict=False):
            if isinstance(position, tree.Place) and not position.positions:
                yield position.name, size


def _connections(graph: Graph, quantity: Quantity) -> list[Note]:
    """What the mask in a layer's weighted sums is."""
    names = {place.name for place in quantity.definition.atoms(Place)} if quantity.definition is not None else set()
    masks = [q for q in graph.with_role(Role.CONSTANT) if q.name in names and q.layer == quantity.layer]
    return [Note("connections", {"mask": q.name}) for q in masks if quantity.role is Role.WEIGHTED_SUM]


def _has_target_sum(form: Form, graph: Graph) -> bool:
    return _target_of_sum([form], graph) != ""


def _target_of_sum(forms: Sequence[Form], graph: Graph) -> str:
    targets = {quantity.name for quantity in graph.with_role(Role.TARGET)}
    nodes = (node for form in forms for node in walk(form.value))
    sums = (node.body for node in nodes if isinstance(node, tree.Reduction) and node.operation == "sum")
    return next((body.name for body in sums if isinstance(body, tree.Place) and body.name in targets), "")
