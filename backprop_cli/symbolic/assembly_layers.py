"""Layers: each becomes its library's equations, under the names of its place, elaborated like any other equation."""

from __future__ import annotations

from backprop_cli.errors import did_you_mean
from backprop_cli.language import tree
from backprop_cli.language.grammar import parse_equation
from backprop_cli.library.functions import ACTIVATIONS
from backprop_cli.library.layers import DENSE, activation_equation
from backprop_cli.spec.findings import Path
from backprop_cli.spec.layers import Activation, Dense
from backprop_cli.symbolic.assembly_dense import LayerPlace, add_weighted_sum
from backprop_cli.symbolic.assembly_formulas import Formula
from backprop_cli.symbolic.draft import Draft, Origin
from backprop_cli.symbolic.elaboration import elaborate
from backprop_cli.symbolic.graph import Quantity, Role
from backprop_cli.symbolic.wording import described


def generated_names(place: LayerPlace, layer: Dense | Activation, parts: dict[str, str]) -> dict[str, str]:
    """The names that the layer gives, each with what it names; its own parameters are added to ``parts``."""
    names = {place("a"): f"the output of {place}"}
    if isinstance(layer, Dense):
        shared = {parts.get(name) for name in layer.share}
        own = {letter for letter in DENSE.parameters if letter not in shared}
        if layer.bias is False:
            own.discard("b")
        parts.update({place(letter): letter for letter in own})
        names |= {place(letter): f"the {DENSE.parameters[letter].noun} of {place}" for letter in sorted(own)}
        names[place("z")] = f"the weighted sums of {place}"
        if layer.connections is not None:
            names[place("mask")] = f"the connections of {place}"
    return names


def add_activation_layer(
    draft: Draft, place: LayerPlace, layer: Activation, current: str | None, expression: Formula | None
) -> str | None:
    """Add ``a<place>``, the activation of the layer's input; returns its name, None where there is a problem."""
    origin = draft.origin("layers", place.number)
    sources = _sources(draft, layer, current, ("layers", place.number))
    if sources is None or (layer.function not in ACTIVATIONS and expression is None):
        draft.give_up(place("a"), origin)
        return None
    if len(sources) > 1:
        draft.report(origin.problem(f"an activation takes one input, not {len(sources)}"))
        draft.give_up(place("a"), origin)
        return None
    return _add_activation(draft, place, sources[0], layer.function, expression, origin)


def add_dense_layer(
    draft: Draft, place: LayerPlace, layer: Dense, current: str | None, expression: Formula | None
) -> str | None:
    """Add the layer's parameters, ``z<place>`` and ``a<place>``; returns the latter's name, None after a problem."""
    origin = draft.origin("layers", place.number, "dense")
    sources = _sources(draft, layer, current, ("layers", place.number, "dense"))
    z = None if sources is None else add_weighted_sum(draft, place, layer, sources, origin)
    if z is None or (layer.activation not in ACTIVATIONS and expression is None):
        for letter in ("W", "b", "z", "a"):
            draft.give_up(place(letter), origin)
        return None
    return _add_activation(draft, place, z, layer.activation, expression, origin)


def _sources(draft: Draft, layer: Dense | Activation, current: str | None, path: Path) -> list[Quantity] | None:
    if layer.sources is None:
        quantity = None if current is None else draft.known(current)
        return None if quantity is None else [quantity]
    found: list[Quantity] = []
    for number, name in enumerate(layer.sources):
        quantity = draft.known(name)
        if quantity is not None:
            found.append(quantity)
        elif name not in draft.broken:
            hint = "; a layer takes what stands before it" if name in draft.later else did_you_mean(name, draft.names())
            draft.report(draft.origin(*path, "from", number).problem(f"'{name}' is not defined{hint}"))
    return found if found and len(found) == len(layer.sources) else None


def _add_activation(
    draft: Draft, place: LayerPlace, z: Quantity, function: str, expression: Formula | None, origin: Origin
) -> str | None:
    named = expression is None
    if expression is None:
        left, right = parse_equation(activation_equation(function))
    else:
        left, right, origin = tree.Place("a"), expression.right, expression.origin
    carried = len(z.shape) - len(left.positions)
    if carried < z.depends_on_sample:
        draft.report(origin.problem(f"{function} needs a vector, but '{z.name}' is {described(draft, z)}"))
        draft.give_up(place("a"), origin)
        return None
    carry = tuple((symbol.name, size) for symbol, size in zip(z.indices, z.shape, strict=True))[:carried]
    found = elaborate(draft, origin, left, right, names={"z": z.name}, carry=carry, carried={z.name: carried})
    if found is None:
        draft.give_up(place("a"), origin)
        return None
    quantity = found.as_quantity(place("a"), Role.ACTIVATION, place.number + 1, function if named else "expression")
    return draft.add(quantity, draft.origin("layers", place.number)).name
