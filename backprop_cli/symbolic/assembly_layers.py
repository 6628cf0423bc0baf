"""Layers: each becomes its library's equations, under the names of its place, elaborated like any other equation."""

from __future__ import annotations

from backprop_cli.errors import did_you_mean
from backprop_cli.language import tree
from backprop_cli.language.grammar import parse_equation
from backprop_cli.library.functions import ACTIVATIONS
from backprop_cli.library.layers import DENSE, LAYERS, RESIDUAL, activation_equation
from backprop_cli.spec.dense import Dense
from backprop_cli.spec.findings import Path
from backprop_cli.spec.layers import Activation, Block, Layer, Residual
from backprop_cli.spec.options import Library
from backprop_cli.symbolic.assembly_dense import add_weighted_sum
from backprop_cli.symbolic.assembly_equations import add_equations
from backprop_cli.symbolic.assembly_formulas import Formula, Formulas
from backprop_cli.symbolic.assembly_library import add_library_layer
from backprop_cli.symbolic.assembly_places import LayerPlace, placed
from backprop_cli.symbolic.draft import Draft, Origin
from backprop_cli.symbolic.elaboration import elaborate
from backprop_cli.symbolic.graph import Quantity, Role
from backprop_cli.symbolic.wording import described, not_defined
from backprop_cli.translation import marked, tr


def generated_names(place: LayerPlace, layer: Layer, parts: dict[str, str]) -> dict[str, str]:
    """The names that the layer gives, each with what it names; its own parameters are added to ``parts``."""
    names = {place("a"): _of_layer(marked("the output"), place)}
    match layer:
        case Block():
            return {}
        case Dense():
            shared = {parts.get(name) for name in layer.share}
            own = {letter: DENSE.parameters[letter] for letter in DENSE.parameters if letter not in shared}
            if layer.bias is False:
                own.pop("b", None)
            names[place("z")] = _of_layer(marked("the weighted sums"), place)
            if layer.connections is not None:
                names[place("mask")] = _of_layer(marked("the connections"), place)
        case Library():
            entry = LAYERS[layer.kind]
            shared = {parts.get(name) for name in layer.shared}
            own = {letter: entry.parameters[letter] for letter in layer.given() if letter not in shared}
            names |= {place(letter): _of_layer(noun, place) for letter, noun in entry.quantities.items()}
        case _:
            own = {}
    parts.update({place(letter): letter for letter in own})
    return names | {place(letter): _of_layer(parameter.noun, place) for letter, parameter in sorted(own.items())}


def _of_layer(what: str, place: LayerPlace) -> str:
    return tr("{what} of layer {layer}").format(what=tr(what), layer=place.label)


def add_layer(draft: Draft, place: LayerPlace, layer: Layer, current: str | None, formulas: Formulas) -> str | None:
    """Add everything that a layer defines; returns the name of its output, None where there is a problem."""
    before = set(draft.quantities)
    output = _Adding(draft, place, layer, current, formulas).output()
    if output is None:
        for name in generated_names(place, layer, {}):
            if name not in draft.quantities or name in before:
                draft.give_up(name, draft.origin(*place.path))
    elif output != place("a"):
        draft.aliases[place("a")] = output  # every layer's output is a<place>; a recurrent layer's is its state
    return output


class _Adding:
    """One layer on its way into the draft."""

    def __init__(self, draft: Draft, place: LayerPlace, layer: Layer, current: str | None, formulas: Formulas) -> None:
        self._draft, self._place, self._layer, self._current, self._formulas = draft, place, layer, current, formulas
        self._expression = formulas.activations.get(place.path)

    def output(self) -> str | None:
        layer, path = self._layer, self._place.path
        match layer:
            case Dense():
                origin = self._draft.origin(*path, Dense.kind)
                sources = _sources(self._draft, layer, self._current, (*path, Dense.kind))
                z = None if sources is None else add_weighted_sum(self._draft, self._place, layer, sources, origin)
                if z is not None and any(source.name in self._draft.sequences for source in sources or ()):
                    self._draft.sequences.add(z.name)
                return self._activated(z, layer.activation, (*path, Dense.kind))
            case Activation():
                source = self._source(path, tr("an activation takes one input, not {number}"))
                return self._activated(source, layer.function, path)
            case Library():
                source = self._source((*path, layer.kind), tr("{layer} takes one input, not {number}"))
                return None if source is None else self._from_library(layer, source)
            case Residual():
                source = self._source((*path, layer.kind), tr("a residual layer takes one input, not {number}"))
                return None if source is None else self._residual(layer, source)
        raise TypeError(f"{type(layer).__name__} is no layer")

    def _source(self, path: Path, too_many: str) -> Quantity | None:
        """The one quantity that the layer takes; ``too_many`` is the message where there are several."""
        assert not isinstance(self._layer, Block)
        sources = _sources(self._draft, self._layer, self._current, path)
        if sources is not None and len(sources) > 1:
            message = too_many.format(layer=self._layer.kind, number=len(sources))
            self._draft.report(self._draft.origin(*path).problem(message))
            return None
        return None if sources is None else sources[0]

    def _activated(self, z: Quantity | None, function: str, path: Path) -> str | None:
        if z is None or (function not in ACTIVATIONS and self._expression is None):
            return None
        origin = self._draft.origin(*path)
        name = _add_activation(self._draft, self._place, z, function, self._expression, origin)
        if name is not None and z.name in self._draft.sequences:
            self._draft.sequences.add(name)
        return name

    def _from_library(self, layer: Library, source: Quantity) -> str | None:
        found = add_library_layer(self._draft, self._place, layer, source, self._expression)
        if found is None:
            return None
        entry = LAYERS[layer.kind]
        steps = len(found.shape) - found.depends_on_sample > 1
        if steps and (entry.makes_sequence or (source.name in self._draft.sequences and not entry.takes[1:])):
            self._draft.sequences.add(found.name)
        if layer.activates is None:
            return found.name
        return self._activated(found, layer.activates, (*self._place.path, layer.kind))

    def _residual(self, layer: Residual, source: Quantity) -> str | None:
        current: str | None = source.name
        for place, inner in placed(layer.layers, self._place):
            current = add_stacked(self._draft, place, inner, current, self._formulas)
        inside = None if current is None else self._draft.known(current)
        if inside is None:
            return None
        origin = self._draft.origin(*self._place.path, layer.kind)
        if inside.shape != source.shape:
            message = tr(
                "a residual layer adds its input to its output, but '{input}' is {input_shape} and '{output}' "
                "{output_shape}"
            ).format(
                input=source.name,
                input_shape=described(self._draft, source),
                output=inside.name,
                output_shape=described(self._draft, inside),
            )
            self._draft.report(origin.problem(message))
            return None
        left, right = parse_equation(RESIDUAL)
        carry = tuple((symbol.name, size) for symbol, size in zip(inside.indices, inside.shape, strict=True))
        names = {"f": inside.name, "x": source.name}
        carried = {inside.name: len(carry), source.name: len(carry)}
        found = elaborate(self._draft, origin, left, right, names=names, carry=carry, carried=carried)
        if found is None:
            return None
        quantity = found.as_quantity(self._place("a"), Role.ACTIVATION, self._place.layer)
        if inside.name in self._draft.sequences:
            self._draft.sequences.add(quantity.name)
        return self._draft.add(quantity, origin).name


def add_stacked(draft: Draft, place: LayerPlace, layer: Layer, current: str | None, formulas: Formulas) -> str | None:
    """Add one layer of a stack, or a block of equations; returns the name of what the next layer takes."""
    before = set(draft.quantities)
    if isinstance(layer, Block):
        output = add_equations(draft, formulas.blocks[place.path], place.layer, formulas.ranges)
        if output is not None and not draft.is_taken(place("a")):
            draft.aliases[place("a")] = output  # every layer's output is a<place>, unless the author uses that name
    else:
        output = add_layer(draft, place, layer, current, formulas)
    for name in draft.quantities.keys() - before:  # those of layers inside this one have their labels already
        draft.labels.setdefault(name, place.label)
    return output


def _sources(
    draft: Draft, layer: Dense | Activation | Library | Residual, current: str | None, path: Path
) -> list[Quantity] | None:
    if layer.sources is None:
        quantity = None if current is None else draft.known(current)
        return None if quantity is None else [quantity]
    found: list[Quantity] = []
    for number, name in enumerate(layer.sources):
        quantity = draft.known(name)
        if quantity is not None:
            found.append(quantity)
        elif name not in draft.broken:
            hint = did_you_mean(name, draft.names())
            if name in draft.later:
                hint = tr("; a layer takes what stands before it")
            draft.report(draft.origin(*path, "from", number).problem(not_defined(name, hint)))
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
        message = tr("{function} needs a vector, but '{name}' is {shape}")
        message = message.format(function=function, name=z.name, shape=described(draft, z))
        draft.report(origin.problem(message))
        return None
    carry = tuple((symbol.name, size) for symbol, size in zip(z.indices, z.shape, strict=True))[:carried]
    found = elaborate(draft, origin, left, right, names={"z": z.name}, carry=carry, carried={z.name: carried})
    if found is None:
        return None
    quantity = found.as_quantity(place("a"), Role.ACTIVATION, place.layer, function if named else "expression")
    return draft.add(quantity, draft.origin(*place.path)).name
