"""The cost J: the loss of one sample, its mean or sum over a batch, and penalties."""

from __future__ import annotations

from dataclasses import replace

from backprop_cli.errors import did_you_mean
from backprop_cli.language import tree
from backprop_cli.language.grammar import parse_expression
from backprop_cli.language.walking import rebuilt
from backprop_cli.library.layers import PARAMETERS
from backprop_cli.spec.schema import NetworkSpec
from backprop_cli.symbolic.assembly_formulas import Formula
from backprop_cli.symbolic.draft import Draft, Origin
from backprop_cli.symbolic.elaboration import Elaborated, elaborate
from backprop_cli.symbolic.graph import Quantity, Role
from backprop_cli.symbolic.notation import Place
from backprop_cli.symbolic.wording import number_text, own_shape
from backprop_cli.translation import tr

COST = "J"
_LOSS_NAMES = ("L", "L_sample")


def quantity_as_loss(draft: Draft, spec: NetworkSpec, formula: Formula | None) -> Quantity | None:
    """The quantity that the spec names as its loss; None where the loss is an expression or there is a problem."""
    assert spec.loss is not None
    name = spec.loss.text
    if formula is None and not spec.loss.is_named:
        return None
    if formula is not None and not (isinstance(formula.right, tree.Place) and not formula.right.positions):
        return None
    quantity = draft.known(name)
    if quantity is None or quantity.is_given:
        if name not in draft.broken:
            computed = [other for other, found in draft.quantities.items() if not found.is_given]
            hint = did_you_mean(name, computed)
            if not hint and spec.loss.is_named:
                hint = tr("; in equations, write the loss as one of them and give its name")
            elif not hint and computed:
                hint = tr(", such as '{name}'").format(name=computed[-1])
            message = tr("the loss '{name}' is not the left side of an equation{hint}").format(name=name, hint=hint)
            draft.report(draft.origin("loss").problem(message))
        return None
    if len(quantity.shape) > quantity.depends_on_sample:
        message = tr("the loss '{name}' is {shape}, not one number").format(name=name, shape=own_shape(quantity))
        draft.report(draft.origin("loss").problem(message))
        return None
    return quantity


def add_cost(draft: Draft, spec: NetworkSpec, loss: Elaborated | None, named: Quantity | None) -> None:
    """Add J: the loss itself, or its mean or sum over the batch plus the penalty.

    The loss is an expression (``loss``) or a quantity of the graph (``named``).
    """
    penalty = _penalty(draft, spec)
    origin = draft.origin("loss")
    if loss is not None:
        depends = loss.depends_on_sample
        if not depends and not penalty:
            _add(draft, COST, Role.COST, loss, origin)
            return
        name = draft.free_name(_LOSS_NAMES)
        _add(draft, name, Role.LOSS, loss, origin)
    else:
        assert named is not None
        depends, name = named.depends_on_sample, named.name
        if name == COST:
            if not depends and not penalty:
                draft.quantities[COST] = replace(named, role=Role.COST)
                return
            name = draft.free_name(_LOSS_NAMES)
            _rename(draft, COST, name)
        draft.quantities[name] = replace(draft.quantities[name], role=Role.LOSS)
    data = _over_samples(draft, spec, name, depends)
    whole = tree.Add((data, *penalty)) if penalty else data
    found = elaborate(draft, origin, tree.Place(COST), whole)
    if found is not None:
        _add(draft, COST, Role.COST, found, origin)


def _rename(draft: Draft, old: str, new: str) -> None:
    """Give a computed quantity another name, also where later equations use it."""

    def written(node: tree.Node) -> tree.Node:
        renamed = rebuilt(node, written)
        if isinstance(renamed, tree.Place) and renamed.name == old:
            return tree.Place(new, renamed.positions)
        return renamed

    changed: dict[str, Quantity] = {}
    for name, quantity in draft.quantities.items():
        if quantity.definition is not None and quantity.written is not None:
            places = [place for place in quantity.definition.atoms(Place) if place.name == old]
            definition = quantity.definition.xreplace({place: Place(new, *place.positions) for place in places})
            quantity = replace(quantity, definition=definition, written=written(quantity.written))
        changed[new if name == old else name] = replace(quantity, name=new if name == old else name)
    draft.quantities = changed
    draft.origins[new] = draft.origins.pop(old)


def _add(draft: Draft, name: str, role: Role, found: Elaborated, origin: Origin) -> None:
    draft.add(found.as_quantity(name, role), origin)


def _over_samples(draft: Draft, spec: NetworkSpec, name: str, depends_on_sample: bool) -> tree.Node:
    if not depends_on_sample or draft.sample is None:
        return tree.Place(name)
    sample = draft.sample.name
    total = tree.Reduction("sum", tree.Place(name, (tree.Place(sample),)), (sample,), (draft.samples or 1,))
    if spec.reduction == "sum":
        return total
    if draft.samples == 1:
        return total
    return tree.Product((tree.Quotient(tree.Number("1"), tree.Number(str(draft.samples))), total))


def _penalty(draft: Draft, spec: NetworkSpec) -> tuple[tree.Node, ...]:
    """(l2/2) * sum of squares + l1 * sum of absolute values of the penalised parameters."""
    rule = spec.regularise
    if rule is None:
        return ()
    names = [name for name in penalised(draft, spec) if name in draft.quantities]
    terms: list[tree.Node] = []
    for strength, term in ((rule.l2, "{}**2"), (rule.l1, "abs({})")):
        if strength and names:
            sums = [_sum_over(draft.quantities[name], term) for name in names]
            total = sums[0] if len(sums) == 1 else tree.Add(tuple(sums))
            number: tree.Node = tree.Number(number_text(strength))
            factor = tree.Quotient(number, tree.Number("2")) if term == "{}**2" else number
            terms.append(tree.Product((factor, total)))
    return tuple(terms)


def _sum_over(parameter: Quantity, term: str) -> tree.Node:
    indices = [symbol.name for symbol in parameter.indices]
    place = f"{parameter.name}[{','.join(indices)}]" if indices else parameter.name
    body = term.format(place)
    return parse_expression(f"sum({body}, {', '.join(indices)})" if indices else body)


def penalised(draft: Draft, spec: NetworkSpec) -> list[str]:
    """The parameters that the penalty counts: those named, or all weights, in equations those called w... or W..."""
    parameters = [name for name, quantity in draft.quantities.items() if quantity.role is Role.PARAMETER]
    if spec.regularise is not None and spec.regularise.of is not None:
        return [name for name in parameters if name in spec.regularise.of]
    return [name for name in parameters if _is_weight(name, draft.parts[name])]


def _is_weight(name: str, part: str) -> bool:
    return PARAMETERS[part].penalised if part in PARAMETERS else name[0] in "wW"


def expression_loss(draft: Draft, spec: NetworkSpec, formula: Formula) -> Elaborated | None:
    """The cost of one sample as the author writes it."""
    return elaborate(draft, formula.origin, tree.Place(COST), formula.right, ranges=spec.ranges)
