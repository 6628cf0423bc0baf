"""Layers of the library: each becomes its entry's equations, under the names of its place.

Nothing here knows a layer: what a layer is stands in :mod:`backprop_cli.library.layers`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from backprop_cli.errors import did_you_mean
from backprop_cli.language import tree
from backprop_cli.language.grammar import parse_equation
from backprop_cli.language.walking import rebuilt
from backprop_cli.library.layers import LAYERS, LayerEntry, LayerError, ParameterEntry, Written
from backprop_cli.spec.layer_options import Library
from backprop_cli.spec.values import Values, written
from backprop_cli.symbolic.assembly_flat import flat_quantity, is_flattened
from backprop_cli.symbolic.assembly_given import add_parameter
from backprop_cli.symbolic.assembly_masks import add_mask
from backprop_cli.symbolic.assembly_places import LayerPlace
from backprop_cli.symbolic.draft import Draft
from backprop_cli.symbolic.elaboration import elaborate
from backprop_cli.symbolic.graph import Quantity, Role
from backprop_cli.symbolic.wording import described


def add_library_layer(draft: Draft, place: LayerPlace, layer: Library, source: Quantity) -> Quantity | None:
    """Add the layer's parameters and what its equations define; returns the last of them, its weighted sums or its
    output, None where something does not fit, which is reported."""
    return _LibraryLayer(draft, place, layer, source).add()


class _LibraryLayer:
    """One layer of the library over one input."""

    def __init__(self, draft: Draft, place: LayerPlace, layer: Library, source: Quantity) -> None:
        self._draft, self._place, self._layer, self._source = draft, place, layer, source
        self._entry: LayerEntry = LAYERS[layer.kind]
        self._path = (*place.path, layer.kind)
        self._before = len(draft.problems)

    def add(self) -> Quantity | None:
        own = len(self._source.shape) - self._source.depends_on_sample
        steps = self._source.name in self._draft.sequences
        if not self._fits(own):
            return None
        named = bool(self._entry.takes) or self._entry.carries
        carried = len(self._source.shape) - (len(self._entry.takes) if named else own)
        settings = {**self._layer.settings(), "steps": steps}
        try:
            assert self._entry.write is not None
            layer = self._entry.write(settings, self._source.shape[carried:])
        except LayerError as error:
            self._problem(f"{error}; '{self._source.name}' is {described(self._draft, self._source)}")
            return None
        names = self._parameters(layer)
        if self._failed():
            return None
        if "mask" in self._entry.quantities:
            names["mask"] = add_mask(self._draft, self._place, self._layer, self._source, self._path)
            if self._failed():
                return None
        return self._equations(layer, names, carried)

    def _failed(self) -> bool:
        return len(self._draft.problems) > self._before

    def _problem(self, message: str, *path: str | int) -> None:
        self._draft.report(self._draft.origin(*self._path, *path).problem(message))

    def _fits(self, own: int) -> bool:
        wanted = len(self._entry.takes)
        found = f"but '{self._source.name}' is {described(self._draft, self._source)}"
        if self._entry.mixes_samples and not self._source.depends_on_sample:
            self._problem(f"{self._entry.name} takes a batch of samples, {found}")
        elif self._entry.mixes_samples and not own:
            self._problem(f"{self._entry.name} takes vectors, {found}")
        elif wanted and (own < wanted if self._entry.carries else own != wanted):
            self._problem(f"{self._entry.name} takes {' x '.join(self._entry.takes)}, {found}")
        return not self._failed()

    def _parameters(self, layer: Written) -> dict[str, str]:
        """The names of the parameters by letter: those of other layers, given ones, and those to be drawn."""
        names = self._shared(layer)
        for letter, (values, path) in self._layer.given().items():
            parameter = self._entry.parameters[letter]
            if letter in names:
                if values is not None:
                    message = f"'{path[0]}' is given, and '{names[letter]}' is shared as well; keep one of them"
                    self._problem(message, *path)
                continue
            shape = tuple(layer.sizes[size] for size in parameter.shape)
            if values is not None and not self._is_shape(parameter, values.shape, shape, *path):
                continue
            names[letter] = self._parameter(letter, parameter, shape, layer, values, path)
        return names

    def _parameter(
        self,
        letter: str,
        parameter: ParameterEntry,
        shape: tuple[int, ...],
        layer: Written,
        values: Values | None,
        path: tuple[str, ...],
    ) -> str:
        origin = self._draft.origin(*self._path, *(() if values is None else path))
        fans, number = (layer.inputs, shape[0]), self._place.layer
        if values is not None and not values.shape:
            shape = ()  # one number for all: one parameter, whose gradient is the sum
        quantity = add_parameter(
            self._draft,
            self._place(letter),
            letter,
            shape,
            values,
            origin,
            layer=number,
            fans=fans,
            start=parameter.start,
        )
        return quantity.name

    def _is_shape(
        self, parameter: ParameterEntry, found: tuple[int, ...], wanted: tuple[int, ...], *path: str | int
    ) -> bool:
        if found == wanted or (found == () and parameter.letter == "b"):
            return True
        axes = " x ".join(parameter.shape)
        source = f"'{self._source.name}' is {described(self._draft, self._source)}"
        message = f"the {parameter.noun} are {written(found)}, not {written(wanted)} ({axes}): {source}"
        self._problem(message, *path)
        return False

    def _shared(self, layer: Written) -> dict[str, str]:
        """The parameters of other layers that this one uses, by letter."""
        names: dict[str, str] = {}
        parameters = [name for name, quantity in self._draft.quantities.items() if quantity.role is Role.PARAMETER]
        for number, name in enumerate(self._layer.shared):
            quantity = self._draft.quantities.get(name)
            letter = self._draft.parts.get(name, "")
            if quantity is None or quantity.role is not Role.PARAMETER:
                if name not in self._draft.broken:
                    hint = did_you_mean(name, parameters) or "; share the parameter of a layer before this one"
                    self._problem(f"no parameter is called '{name}'{hint}", "share", number)
                continue
            if letter not in self._layer.given():
                fitting = [
                    other
                    for other, entry in self._entry.parameters.items()
                    if len(entry.shape) == len(quantity.shape) and other not in names
                ]
                letter = fitting[0] if fitting else next(iter(self._entry.parameters))
            parameter = self._entry.parameters[letter]
            shape = tuple(layer.sizes[size] for size in parameter.shape)
            if self._is_shape(parameter, quantity.shape, shape, "share", number):
                names[letter] = name
        return names

    def _equations(self, layer: Written, names: Mapping[str, str], carried: int) -> Quantity | None:
        """Add what the equations define; those of the input's axes that they do not write are carried along."""
        source, letters = self._source, {**names, "x": self._source.name}
        kept = {source.name: carried}
        sizes = zip(source.indices, source.shape, strict=True)
        carry = tuple((symbol.name, size) for symbol, size in sizes)[:carried]
        quantity: Quantity | None = None
        for text in layer.equations:
            left, right = parse_equation(text)
            right = _without_positions(right, {p for p in names if not self._draft.quantities[names[p]].shape})
            name = self._place(left.name)
            quantity = self._defined(left, right, name, letters, carry, kept, layer.ranges)
            if quantity is None:
                return None
            letters[left.name] = name
            if not self._entry.mixes_samples:
                kept[name] = carried
        return quantity

    def _defined(
        self,
        left: tree.Place,
        right: tree.Node,
        name: str,
        letters: Mapping[str, str],
        carry: tuple[tuple[str, int], ...],
        kept: Mapping[str, int],
        ranges: Mapping[str, int],
    ) -> Quantity | None:
        origin = self._draft.origin(*self._path)
        role = Role.WEIGHTED_SUM if left.name == self._entry.sums else Role.INTERMEDIATE
        role = Role.ACTIVATION if left.name == self._entry.output and not self._entry.sums else role
        if is_flattened(right):
            carried = self._source.depends_on_sample
            quantity = flat_quantity(self._draft, self._source, name, role, self._place.layer, carried)
            return self._draft.add(quantity, origin)
        found = elaborate(
            self._draft,
            origin,
            left,
            right,
            names=letters,
            carry=() if self._entry.mixes_samples else carry,
            carried=None if self._entry.mixes_samples else kept,
            ranges=ranges,
        )
        if found is None:
            return None
        return self._draft.add(found.as_quantity(name, role, self._place.layer), origin)


def _without_positions(node: tree.Node, shared: Collection[str]) -> tree.Node:
    """The formula with ``b`` in place of ``b[c]`` where one number is shared by all."""
    if isinstance(node, tree.Place) and node.name in shared:
        return tree.Place(node.name)
    return rebuilt(node, lambda part: _without_positions(part, shared))
