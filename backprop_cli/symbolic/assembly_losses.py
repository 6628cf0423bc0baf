"""Losses by name: a library entry with the output, the target and the sizes put in.

From there on a named loss is an equation like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from backprop_cli.language import tree
from backprop_cli.language.grammar import parse_equation, parse_expression
from backprop_cli.language.walking import rebuilt
from backprop_cli.library.losses import LOSSES, LossEntry
from backprop_cli.spec.schema import NetworkSpec
from backprop_cli.symbolic.assembly_whole import take_as_whole
from backprop_cli.symbolic.draft import Draft, Origin, free_indices
from backprop_cli.symbolic.elaboration import Elaborated, elaborate
from backprop_cli.symbolic.graph import Quantity, Role
from backprop_cli.symbolic.wording import described, number_text
from backprop_cli.translation import tr


def named_loss(draft: Draft, spec: NetworkSpec, output: Quantity) -> Elaborated | None:
    """The loss of one sample by name, with its helper quantity if it has one. Reports what does not fit."""
    assert spec.loss is not None
    entry, origin = LOSSES[spec.loss.text], draft.origin("loss")
    if len(spec.targets) != 1:
        message = tr("{loss} compares the output with one target, and there is none")
        if spec.targets:
            message = tr("{loss} compares the output with one target, and there are {number} ({names})")
        names = tr(", ").join(spec.targets)
        draft.report(origin.problem(message.format(loss=entry.name, number=len(spec.targets), names=names)))
        return None
    [target_name] = spec.targets
    target = draft.quantities[target_name]
    own = output.shape[output.depends_on_sample :]
    places = _target_axes(draft, entry, output, target, is_shared=spec.targets[target_name].batch is False)
    if places is None:
        return None
    by_class = entry.definition_by_class is not None and places < len(own)
    if by_class:
        classes = output.shape[-1]
        message = tr("{value} is no class; '{output}' has classes from 0 to {last}")
        if not take_as_whole(draft, target, range(classes), message, output=output.name, last=classes - 1):
            return None
    indices = free_indices(len(own), {"i", "j", *draft.quantities})  # k, l ..., and no quantity to be mixed up with
    counted = own[1:] if output.name in draft.sequences else own  # the losses of steps are added up
    numbers = {"K": str(prod(counted)), **entry.options}
    numbers |= {name: number_text(value) for name, value in spec.loss.options.items()}
    mapping = {"a": output.name, "y": target_name, "p": _helper(draft, entry, output, origin)}
    text = entry.definition_by_class if by_class and entry.definition_by_class else entry.definition
    positions = {"a": indices, "p": indices, "y": indices[:places]}
    right = _Filled(numbers, positions, indices).fill(parse_expression(text))
    return elaborate(draft, origin, tree.Place("J"), right, names=mapping)


def _target_axes(draft: Draft, entry: LossEntry, output: Quantity, target: Quantity, is_shared: bool) -> int | None:
    """How many of the output's own axes the target has; reports shapes that do not fit. All samples of a batch have one
    target only where the spec says so (``is_shared``)."""
    own, wanted = output.shape[output.depends_on_sample :], target.shape[target.depends_on_sample :]
    if entry.probabilities is not None and entry.definition_by_class is not None and not own:
        message = tr("{loss} needs one number per class, but '{output}' is {shape}")
        message = message.format(loss=entry.name, output=output.name, shape=described(draft, output))
        draft.report(draft.origin("loss").problem(message))
        return None
    fits = is_shared or target.depends_on_sample or not output.depends_on_sample
    if fits and own == wanted:
        return len(own)
    if fits and own[:-1] == wanted and own and (own[-1] == 1 or entry.definition_by_class is not None):
        return len(wanted)
    message = tr("the target '{target}' is {target_shape}, the output '{output}' {output_shape}")
    shapes = {"target_shape": described(draft, target), "output_shape": described(draft, output)}
    message = message.format(target=target.name, output=output.name, **shapes)
    draft.report(draft.origins[target.name].problem(message))
    return None


def _helper(draft: Draft, entry: LossEntry, output: Quantity, origin: Origin) -> str:
    """The name of the probabilities that a loss on logits is written in."""
    if entry.probabilities is None:
        return ""
    left, right = parse_equation(entry.probabilities)
    own = len(output.shape) - output.depends_on_sample
    if not own:
        filled = _Filled({}, {"a": (), "p": ()}, ())
        left, right = tree.Place("p"), filled.fill(right)
    carry = tuple((symbol.name, size) for symbol, size in zip(output.indices, output.shape, strict=True))
    carry = carry[:-1] if own else carry
    carried = {output.name: len(carry)}
    found = elaborate(draft, origin, left, right, names={"a": output.name}, carry=carry, carried=carried)
    if found is None:
        return ""
    return draft.add(found.as_quantity(draft.free_name(("p", "p_J")), Role.HELPER), origin).name


class _Filled:
    """A loss's definition with its sizes and options as numbers, and its one index spread over all axes."""

    def __init__(
        self, numbers: Mapping[str, str], positions: Mapping[str, tuple[str, ...]], indices: tuple[str, ...]
    ) -> None:
        self._numbers, self._positions, self._indices = numbers, positions, indices

    def fill(self, node: tree.Node) -> tree.Node:
        match node:
            case tree.Place(name=name) if name in self._numbers:
                return tree.Number(self._numbers[name])
            case tree.Place(name=name) if name in self._positions:
                return tree.Place(name, tuple(tree.Place(position) for position in self._positions[name]))
            case tree.Place(name="k"):
                return tree.Place(self._indices[-1])
            case tree.Reduction(operation=operation, body=body):
                return tree.Reduction(operation, self.fill(body), self._indices) if self._indices else self.fill(body)
        return _without_ones(rebuilt(node, self.fill))


def _without_ones(node: tree.Node) -> tree.Node:
    """``x`` for ``1/1*x``: what the scaling of a loss comes to where K is 1."""
    one = tree.Number("1")
    match node:
        case tree.Quotient(numerator=above, denominator=below) if below == one:
            return above
        case tree.Product(factors=factors) if factors[0] in (one, tree.Negative(one)):
            rest = factors[1] if len(factors) == 2 else tree.Product(factors[1:])
            return rest if factors[0] == one else tree.Negative(rest)
    return node
