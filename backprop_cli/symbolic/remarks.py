"""Remarks on steps: where a convention was chosen, and where a well-known shortening needs a condition."""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr, Function, S

from backprop_cli.language import tree
from backprop_cli.language.walking import walk
from backprop_cli.library.functions import FUNCTIONS
from backprop_cli.symbolic.display import terms_tree
from backprop_cli.symbolic.formulas import Formula, Term, product
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.notation import Place, Reduce
from backprop_cli.symbolic.steps import Form, Kind, Note

KINKS = {name: entry.kink for name, entry in FUNCTIONS.items() if entry.kink is not None}


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
    graph: Graph, quantity: Quantity, kind: Kind, forms: Sequence[Form], unit_sums: bool | None
) -> tuple[Note, ...]:
    """What a reader of this step should know besides its formula.

    ``unit_sums`` says whether every sample's targets sum to 1, None where the targets have no values.
    """
    found = []
    if kind is Kind.LOCAL_DERIVATIVE or (kind is Kind.BOUNDARY and graph.cost is not None):
        found.extend(_kinks(graph, quantity, kind))
    if kind is Kind.DEFINITION and _constant_pieces(quantity):
        found.append(Note("piecewise_constant", {"quantity": quantity.name}))
    if any(_has_target_sum(form, graph) for form in forms) and kind is not Kind.DEFINITION:
        key = {True: "targets_sum_to_1", False: "targets_do_not_sum_to_1", None: "where_targets_sum_to_1"}[unit_sums]
        found.append(Note(key, {"target": _target_of_sum(forms, graph)}))
    return tuple(found)


def _kinks(graph: Graph, quantity: Quantity, kind: Kind) -> list[Note]:
    """The functions in a definition whose slope jumps, each with the slope it is given there."""
    source = graph[graph.cost] if kind is Kind.BOUNDARY and graph.cost else quantity
    if source.definition is None:
        return []
    names = sorted({node.func.__name__ for node in source.definition.atoms(Function)} & KINKS.keys())
    return [Note("kink", {"function": name, "where": KINKS[name]}) for name in names]


def _constant_pieces(quantity: Quantity) -> bool:
    definition = quantity.definition
    return definition is not None and any(node.operation in ("argmax", "argmin") for node in definition.atoms(Reduce))


def _has_target_sum(form: Form, graph: Graph) -> bool:
    return _target_of_sum([form], graph) != ""


def _target_of_sum(forms: Sequence[Form], graph: Graph) -> str:
    targets = {quantity.name for quantity in graph.with_role(Role.TARGET)}
    nodes = (node for form in forms for node in walk(form.value))
    sums = (node.body for node in nodes if isinstance(node, tree.Reduction) and node.operation == "sum")
    return next((body.name for body in sums if isinstance(body, tree.Place) and body.name in targets), "")
