"""The weighted sum of a dense layer: its parameters, given, shared or drawn, and z in index notation.

Shapes are checked here, where a message can speak of units and inputs.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from backprop_cli.language.grammar import parse_equation
from backprop_cli.library.layers import DENSE, dense_equation
from backprop_cli.spec.dense import Dense, units_missing
from backprop_cli.spec.values import Values, written
from backprop_cli.spec.wording import count
from backprop_cli.symbolic.assembly_given import add_parameter
from backprop_cli.symbolic.assembly_places import LayerPlace
from backprop_cli.symbolic.assembly_shares import NoPart, shared_letter
from backprop_cli.symbolic.draft import Draft, Origin
from backprop_cli.symbolic.elaboration import elaborate
from backprop_cli.symbolic.graph import Quantity, Role
from backprop_cli.symbolic.notation import index
from backprop_cli.symbolic.wording import (
    described,
    given_and_shared,
    is_described,
    nothing_to_share,
    shared_twice,
    wrong_shape,
)
from backprop_cli.translation import tr


def add_weighted_sum(
    draft: Draft, place: LayerPlace, layer: Dense, sources: list[Quantity], origin: Origin
) -> Quantity | None:
    """Add the parameters of the layer and ``z<place>``; None where something does not fit, which is reported."""
    return _DenseSum(draft, place, layer, sources, origin).add()


class _DenseSum:
    """The weighted sum of one dense layer, with all checks of shapes."""

    def __init__(self, draft: Draft, place: LayerPlace, layer: Dense, sources: list[Quantity], origin: Origin) -> None:
        self._draft, self._place, self._layer, self._sources, self._origin = draft, place, layer, sources, origin
        self._path = (*place.path, Dense.kind)
        self._before = len(draft.problems)

    def add(self) -> Quantity | None:
        if any(name in self._draft.broken for name in self._layer.share) or not self._inputs_fit():
            return None
        shared = self._shared()
        units = self._units(shared)
        if units is None or self._failed():
            return None
        sizes = {"units": units, "inputs": sum(source.shape[-1] for source in self._sources)}
        names = {"W": self._weights(shared, sizes), "b": self._bias(shared, sizes), "mask": self._mask(sizes)}
        return None if self._failed() else self._weighted_sum(names)

    def _failed(self) -> bool:
        return len(self._draft.problems) > self._before

    def _problem(self, message: str, *path: str | int) -> None:
        self._draft.report(self._draft.origin(*self._path, *path).problem(message))

    def _inputs_fit(self) -> bool:
        for source in self._sources:
            if len(source.shape) - source.depends_on_sample < 1:
                message = tr("a dense layer takes a vector, but '{name}' is {shape}")
                self._problem(message.format(name=source.name, shape=described(self._draft, source)))
            elif source.shape[:-1] != self._sources[0].shape[:-1]:
                first = self._sources[0]
                message = tr(
                    "'{first}' is {first_shape}, but '{name}' is {shape}; a layer takes vectors of the same samples"
                )
                shapes = {"first_shape": described(self._draft, first), "shape": described(self._draft, source)}
                self._problem(message.format(first=first.name, name=source.name, **shapes), "from")
        return not self._failed()

    def _shared(self) -> dict[str, Quantity]:
        found: dict[str, Quantity] = {}
        parameters = [name for name, quantity in self._draft.quantities.items() if quantity.role is Role.PARAMETER]
        for number, name in enumerate(self._layer.share):
            quantity = self._draft.quantities.get(name)
            if quantity is None or quantity.role is not Role.PARAMETER:
                self._problem(nothing_to_share(name, parameters), "share", number)
                continue
            try:
                part = shared_letter(quantity, self._draft.parts[name], DENSE.parameters, DENSE.parameters)
            except NoPart as error:
                self._problem(str(error), "share", number)
                continue
            if part in found:
                self._problem(shared_twice(name, found[part].name, DENSE.parameters[part]), "share", number)
            else:
                self._draft.parts[name] = self._draft.parts[name] or part
                found[part] = quantity
        for letter, key in (("W", "weights"), ("b", "bias")):
            given = getattr(self._layer, key)
            if letter in found and given is not None and given is not True:
                self._problem(given_and_shared(key, found[letter].name), key)
        return found

    def _units(self, shared: Mapping[str, Quantity]) -> int | None:
        if self._layer.units is not None:
            return self._layer.units
        for values in (self._layer.weights, self._layer.connections):
            if values is not None:
                return values.shape[0]
        if "W" in shared and len(shared["W"].shape) == 2:
            return shared["W"].shape[0]
        if not self._failed():
            self._problem(units_missing())
        return None

    def _wants(self, what: str, shape: tuple[int, ...], wanted: tuple[int, ...], *path: str | int) -> bool:
        if shape == wanted:
            return True
        inputs = tr(" and ").join(is_described(self._draft, source) for source in self._sources)
        self._problem(wrong_shape(what, shape, wanted, DENSE.parameters["W"], inputs), *path)
        return False

    def _weights(self, shared: Mapping[str, Quantity], sizes: Mapping[str, int]) -> str:
        given, mask, wanted = self._layer.weights, self._layer.connections, _shape("W", sizes)
        if "W" in shared:
            name = shared["W"].name
            self._wants(tr("the shared weights '{name}'").format(name=name), shared["W"].shape, wanted, "share")
            return name
        if given is not None:
            self._wants(tr("the weights"), given.shape, wanted, "weights")
        if given is not None and given.array is not None and mask is not None and mask.array is not None:
            self._check_unwired(given.array, mask.array)
        return self._parameter("W", wanted, given, "weights", sizes, None if mask is None else mask.array)

    def _parameter(
        self,
        letter: str,
        shape: tuple[int, ...],
        given: Values | None,
        key: str,
        sizes: Mapping[str, int],
        mask: NDArray[np.float64] | None = None,
    ) -> str:
        name = self._place(letter)
        if not self._failed():
            path = self._path if given is None else (*self._path, key)
            add_parameter(
                self._draft,
                name,
                letter,
                shape,
                given,
                self._draft.origin(*path),
                layer=self._place.layer,
                fans=(sizes["inputs"], sizes["units"]),
                mask=mask,
            )
        return name

    def _check_unwired(self, weights: NDArray[np.float64], mask: NDArray[np.float64]) -> None:
        if weights.shape == mask.shape and (wrong := np.argwhere((mask == 0) & (weights != 0))).size:
            row, column = (int(place) for place in wrong[0])
            message = tr("unit {unit} is not connected to input {input}, so this weight is 0, not {weight}").format(
                unit=row + 1, input=column + 1, weight=f"{weights[row, column]:g}"
            )
            self._problem(message, "weights", row, column)

    def _bias(self, shared: Mapping[str, Quantity], sizes: Mapping[str, int]) -> str | None:
        given, wanted, units = self._layer.bias, _shape("b", sizes), count(sizes["units"], "unit")
        if "b" in shared:
            name, shape = shared["b"].name, shared["b"].shape
            if shape not in ((), wanted):
                message = tr("the shared biases '{name}' are {shape} for {units}")
                self._problem(message.format(name=name, shape=written(shape), units=units), "share")
            return name
        if given is False:
            return None
        values = given if isinstance(given, Values) else None
        shape = wanted if values is None else values.shape
        if shape not in ((), wanted):
            message = tr("{shape} as biases for {units}").format(shape=written(shape), units=units)
            self._problem(message, "bias")
        return self._parameter("b", shape, values, "bias", sizes)

    def _mask(self, sizes: Mapping[str, int]) -> str | None:
        mask = self._layer.connections
        if mask is None:
            return None
        if self._wants(tr("the connections"), mask.shape, _shape("W", sizes), "connections") and not self._failed():
            quantity = Quantity(
                self._place("mask"), (index("i"), index("j")), mask.shape, Role.CONSTANT, layer=self._place.layer
            )
            self._draft.add(quantity, self._draft.origin(*self._path, "connections"))
            self._draft.values[quantity.name] = mask.array
        return self._place("mask")

    def _weighted_sum(self, names: Mapping[str, str | None]) -> Quantity | None:
        bias = ""
        if names["b"] is not None:
            bias = "b[i]" if self._draft.quantities[names["b"]].shape else "b"
        offsets = [sum(source.shape[-1] for source in self._sources[:number]) for number in range(len(self._sources))]
        left, right = parse_equation(dense_equation(offsets, masked=names["mask"] is not None, bias=bias))
        inputs = ["x"] if len(self._sources) == 1 else [f"x{number + 1}" for number in range(len(self._sources))]
        mapping = {letter: name for letter, name in names.items() if name is not None}
        mapping |= {letter: source.name for letter, source in zip(inputs, self._sources, strict=True)}
        first = self._sources[0]
        carry = tuple((symbol.name, size) for symbol, size in zip(first.indices, first.shape, strict=True))[:-1]
        carried = {source.name: len(carry) for source in self._sources}
        partly = {name: 1 for letter, name in mapping.items() if letter in ("W", "mask") and len(self._sources) > 1}
        found = elaborate(
            self._draft, self._origin, left, right, names=mapping, carry=carry, carried=carried, partly=partly
        )
        if found is None:
            return None
        quantity = found.as_quantity(self._place("z"), Role.WEIGHTED_SUM, self._place.layer)
        return self._draft.add(quantity, self._origin)


def _shape(letter: str, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(sizes[size] for size in DENSE.parameters[letter].shape)
