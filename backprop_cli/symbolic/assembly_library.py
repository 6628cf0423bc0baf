"""Layers of the library: each becomes its entry's equations, under the names of its place.

Nothing here knows a layer: what a layer is stands in :mod:`backprop_cli.library.layers`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from backprop_cli.language import tree
from backprop_cli.language.grammar import parse_equation
from backprop_cli.language.walking import rebuilt
from backprop_cli.library.functions import ACTIVATIONS, IDENTITY, SOFTMAX
from backprop_cli.library.layers import ACTIVATION, LAYERS, LayerEntry, LayerError, ParameterEntry, Written
from backprop_cli.spec.options import Library
from backprop_cli.spec.values import Values, written
from backprop_cli.spec.wording import count
from backprop_cli.symbolic.assembly_equations import note_loop
from backprop_cli.symbolic.assembly_flat import flat_quantity, is_flattened
from backprop_cli.symbolic.assembly_formulas import Formula
from backprop_cli.symbolic.assembly_given import add_given, add_parameter
from backprop_cli.symbolic.assembly_loops import grouped, loop_sizes, provisional, with_initial
from backprop_cli.symbolic.assembly_masks import add_mask
from backprop_cli.symbolic.assembly_places import LayerPlace
from backprop_cli.symbolic.assembly_shares import NoPart, shared_letter
from backprop_cli.symbolic.draft import Draft
from backprop_cli.symbolic.elaboration import elaborate
from backprop_cli.symbolic.graph import Quantity, Role
from backprop_cli.symbolic.wording import (
    axes_named,
    described,
    given_and_shared,
    is_described,
    nothing_to_share,
    shared_twice,
    wrong_shape,
)
from backprop_cli.translation import tr

if TYPE_CHECKING:
    from backprop_cli.spec.layer_options import Dropout


def add_library_layer(
    draft: Draft, place: LayerPlace, layer: Library, source: Quantity, expression: Formula | None
) -> Quantity | None:
    """Add the layer's parameters and what its equations define; returns the last of them, its weighted sums or its
    output, None where something does not fit, which is reported."""
    return _LibraryLayer(draft, place, layer, source, expression).add()


class _LibraryLayer:
    """One layer of the library over one input."""

    def __init__(
        self, draft: Draft, place: LayerPlace, layer: Library, source: Quantity, expression: Formula | None
    ) -> None:
        self._expression = expression
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
            self._problem(str(error) + tr("; ") + is_described(self._draft, self._source))
            return None
        names = self._parameters(layer)
        if self._failed():
            return None
        if "mask" in self._entry.quantities:
            names["mask"] = add_mask(self._draft, self._place, cast("Dropout", self._layer), self._source, self._path)
            if self._failed():
                return None
        return self._equations(layer, names, carried)

    def _failed(self) -> bool:
        return len(self._draft.problems) > self._before

    def _problem(self, message: str, *path: str | int) -> None:
        self._draft.report(self._draft.origin(*self._path, *path).problem(message))

    def _fits(self, own: int) -> bool:
        wanted = len(self._entry.takes)
        message = ""
        if self._entry.mixes_samples and not self._source.depends_on_sample:
            message = tr("{layer} takes a batch of samples, but '{name}' is {shape}")
        elif self._entry.mixes_samples and not own:
            message = tr("{layer} takes vectors, but '{name}' is {shape}")
        elif wanted and (own < wanted if self._entry.carries else own != wanted):
            message = tr("{layer} takes {axes}, but '{name}' is {shape}")
        if message:
            source = {"name": self._source.name, "shape": described(self._draft, self._source)}
            self._problem(message.format(layer=self._entry.name, axes=axes_named(self._entry.takes), **source))
        return not self._failed()

    def _parameters(self, layer: Written) -> dict[str, str]:
        """The names of the parameters by letter: those of other layers, given ones, and those to be drawn."""
        names = self._shared(layer)
        for letter, (values, path) in self._layer.given().items():
            parameter = self._entry.parameters[letter]
            if letter in names:
                if values is not None:
                    self._problem(given_and_shared(path[0], names[letter]), *path)
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
        inputs = is_described(self._draft, self._source)
        self._problem(wrong_shape(tr(parameter.noun), found, wanted, parameter, inputs), *path)
        return False

    def _shared(self, layer: Written) -> dict[str, str]:
        """The parameters of other layers that this one uses, by letter."""
        names: dict[str, str] = {}
        parameters = [name for name, quantity in self._draft.quantities.items() if quantity.role is Role.PARAMETER]
        for number, name in enumerate(self._layer.shared):
            quantity = self._draft.quantities.get(name)
            if quantity is None or quantity.role is not Role.PARAMETER:
                if name not in self._draft.broken:
                    self._problem(nothing_to_share(name, parameters), "share", number)
                continue
            try:
                letter = shared_letter(quantity, self._draft.parts[name], self._entry.parameters, self._layer.given())
            except NoPart as error:
                self._problem(str(error), "share", number)
                continue
            parameter = self._entry.parameters[letter]
            if letter in names:
                self._problem(shared_twice(name, names[letter], parameter), "share", number)
                continue
            shape = tuple(layer.sizes[size] for size in parameter.shape)
            if self._is_shape(parameter, quantity.shape, shape, "share", number):
                names[letter] = name
        return names

    def _equations(self, layer: Written, names: Mapping[str, str], carried: int) -> Quantity | None:
        """Add what the equations define; those of the input's axes that they do not write are carried along."""
        source = self._source
        letters = {**names, "x": source.name, **{letter: self._place(letter) for letter in self._entry.quantities}}
        letters["mask"] = names.get("mask", letters.get("mask", "mask"))
        initial = self._initial(layer)
        if initial is None:
            return None
        kept = {source.name: carried}
        sizes = zip(source.indices, source.shape, strict=True)
        carry = tuple((symbol.name, size) for symbol, size in sizes)[:carried]
        shared = {name for name in names.values() if not self._draft.quantities[name].shape}
        origin = self._draft.origin(*self._path)
        formulas = []
        for text in layer.equations:
            left, right = parse_equation(text)
            right = _renamed(self._activated(right), letters, shared)
            formulas.append(Formula(tree.Place(letters[left.name], left.positions), right, origin))
        for group in grouped(self._draft, formulas, {}):
            if group.is_loop and provisional(self._draft, group, loop_sizes(self._draft, group, layer.ranges)):
                if self._draft.problems:  # such as another layer of the same name
                    return None
                raise ValueError(f"the equations of {self._entry.name} do not tell the shapes of {group.names}")
            for formula in group.formulas:
                right = with_initial(formula, initial, group.axes) if group.is_loop else formula.right
                if not self._defined(formula.left, right, carry, kept, layer.ranges, group.is_loop):
                    return None
            if group.is_loop:
                note_loop(self._draft, {name: (group.axes[name], 2) for name in group.names}, initial)
        for letter, window in self._layer.windows().items():
            self._draft.windows[self._place(letter)] = window, self._draft.origin(*self._path, "truncate")
        last = formulas[-1].left
        assert last is not None
        return self._draft.quantities[last.name]

    def _defined(
        self,
        left: tree.Place | None,
        right: tree.Node,
        carry: tuple[tuple[str, int], ...],
        kept: dict[str, int],
        ranges: Mapping[str, int],
        in_loop: bool,
    ) -> bool:
        assert left is not None
        origin, name = self._draft.origin(*self._path), left.name
        if is_flattened(right):
            carried = self._source.depends_on_sample
            role = self._role(name)
            quantity = flat_quantity(self._draft, self._source, name, role, self._place.layer, carried)
            self._draft.add(quantity, origin)
            return True
        mixes = self._entry.mixes_samples or in_loop
        found = elaborate(
            self._draft,
            origin,
            left,
            right,
            carry=None if in_loop else () if mixes else carry,
            carried=None if mixes else kept,
            ranges=ranges,
        )
        if found is None:
            return False
        quantity = found.as_quantity(name, self._role(name), self._place.layer)
        self._draft.add(replace(quantity, activation=self._named_activation(name)), origin)
        if not mixes:
            kept[name] = len(carry)
        return True

    def _role(self, name: str) -> Role:
        """What a quantity of the layer is to the reader: its weighted sums, its output, or something in between."""
        if self._entry.sums and name == self._place(self._entry.sums):
            return Role.WEIGHTED_SUM
        outputs = {self._place("a"), *([self._place("h")] if "h" in self._entry.quantities else [])}
        return Role.ACTIVATION if name in outputs else Role.INTERMEDIATE

    def _named_activation(self, name: str) -> str | None:
        """The activation by name, for σ′ in formulas, of the quantity that applies it to the weighted sums."""
        applied = self._layer.applies
        return applied if applied in ACTIVATIONS and self._role(name) is Role.ACTIVATION else None

    def _activated(self, node: tree.Node) -> tree.Node:
        """The formula with the activation that the layer is given put in."""
        node = rebuilt(node, self._activated)
        if not isinstance(node, tree.Apply) or node.function != ACTIVATION:
            return node
        (argument,) = node.arguments
        if self._expression is not None:
            return _put_in(self._expression.right, "z", argument)
        function = self._layer.applies
        if function == IDENTITY:
            return argument
        if function == SOFTMAX.name and isinstance(argument, tree.Place):
            other = tree.Place(argument.name, (*argument.positions[:-1], tree.Place("k")))
            total = tree.Reduction("sum", tree.Apply("exp", (other,)), ("k",))
            return tree.Quotient(tree.Apply("exp", (argument,)), total)
        return tree.Apply(str(function), (argument,))

    def _initial(self, layer: Written) -> dict[str, str] | None:
        """The names of the given states before the first step, by that of the state; None where one does not fit."""
        names = {}
        for letter, values in self._layer.initial().items():
            name, units = f"{letter}0_{self._place.ending.lstrip('_')}", layer.sizes["units"]
            per_sample = self._source.depends_on_sample and len(values.shape) == 2
            wanted = (self._source.shape[0], units) if per_sample else (units,)
            if values.shape != wanted:
                message = tr("{key} is {shape}, but the layer has {units}").format(
                    key=f"{letter}0", shape=written(values.shape), units=count(units, "unit")
                )
                self._problem(message, f"{letter}0")
                return None
            origin = self._draft.origin(*self._path, f"{letter}0")
            add_given(self._draft, name, values, Role.INPUT, per_sample, origin)
            names[self._place(letter)] = name
        return names


def _renamed(node: tree.Node, letters: Mapping[str, str], shared: Collection[str]) -> tree.Node:
    """The formula in the names of the graph, with ``b`` in place of ``b[c]`` where one number is shared by all. What
    stands without a position is an index, unless it is the input or a mean or a variance of single numbers."""
    is_quantity = isinstance(node, tree.Place) and (bool(node.positions) or node.name in ("x", "mu", "var"))
    if isinstance(node, tree.Place) and is_quantity and node.name in letters:
        name = letters[node.name]
        positions = () if name in shared else tuple(_renamed(part, letters, shared) for part in node.positions)
        return tree.Place(name, positions)
    return rebuilt(node, lambda part: _renamed(part, letters, shared))


def _put_in(node: tree.Node, name: str, argument: tree.Node) -> tree.Node:
    """The expression with an argument for its one variable."""
    if isinstance(node, tree.Place) and node.name == name and not node.positions:
        return argument
    return rebuilt(node, lambda part: _put_in(part, name, argument))
