"""Every formula that a spec holds, read once: the equations, those of blocks, activations and the loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeGuard

from backprop_cli.errors import did_you_mean
from backprop_cli.language import tree
from backprop_cli.language.grammar import defined_name, parse_equation, parse_expression
from backprop_cli.language.offsets import Offsets
from backprop_cli.language.structure import FLATTEN
from backprop_cli.language.tokens import FormulaError
from backprop_cli.language.walking import walk
from backprop_cli.library.functions import ACTIVATIONS
from backprop_cli.spec.dense import Dense
from backprop_cli.spec.findings import Path
from backprop_cli.spec.layers import Activation, Block, Layer
from backprop_cli.spec.options import Library
from backprop_cli.spec.schema import NetworkSpec
from backprop_cli.spec.wording import expected_names
from backprop_cli.symbolic.assembly_places import every_layer
from backprop_cli.symbolic.draft import Draft, Origin
from backprop_cli.translation import tr


class Formula(NamedTuple):
    """An equation, or an expression (``left`` is None), and where it stands."""

    left: tree.Place | None
    right: tree.Node
    origin: Origin

    def nodes(self) -> Iterator[tree.Node]:
        if self.left is not None:
            yield from walk(self.left)
        yield from walk(self.right)

    def indices(self) -> set[str]:
        """The names of indices: those on the left side and those that reductions run over."""
        left = () if self.left is None else self.left.positions
        free = {position.name for position in left if isinstance(position, tree.Place)}
        return free.union(*(node.indices for node in walk(self.right) if isinstance(node, tree.Reduction)))


class Formulas(NamedTuple):
    """The formulas of a spec; those that cannot be read are missing and have been reported."""

    equations: tuple[Formula, ...]
    blocks: dict[Path, tuple[Formula, ...]]  # by the place of the layer in the spec
    activations: dict[Path, Formula]
    loss: Formula | None
    ranges: Mapping[str, int]

    def all(self) -> Iterator[Formula]:
        yield from self.equations
        for block in self.blocks.values():
            yield from block
        yield from self.activations.values()
        if self.loss is not None:
            yield self.loss

    def names(self) -> set[str]:
        """Every name in any formula, of quantities and indices alike."""
        found: set[str] = set()
        for formula in self.all():
            for node in formula.nodes():
                if isinstance(node, tree.Place):
                    found.add(node.name)
                elif isinstance(node, tree.Reduction):
                    found.update(node.indices)
        return found

    def counts(self, name: str) -> set[int]:
        """With how many positions the quantity stands in the formulas."""
        return {len(place.positions) for place in self.places(name)}

    def places(self, name: str) -> Iterator[tree.Place]:
        """Where the quantity stands on the right side of an equation or in the loss; an index of its name is no use,
        and as a whole in ``flatten(x)`` it says nothing about its positions."""
        for formula in self.all():
            bound = formula.indices()
            whole = {id(node.arguments[0]) for node in walk(formula.right) if _is_flatten(node)}
            for node in walk(formula.right):
                named = isinstance(node, tree.Place) and node.name == name and (node.positions or name not in bound)
                if isinstance(node, tree.Place) and named and id(node) not in whole:
                    yield node


def read_formulas(draft: Draft, spec: NetworkSpec) -> Formulas:
    """Parse all formulas; each one that cannot be read is reported."""
    blocks: dict[Path, tuple[Formula, ...]] = {}
    activations: dict[Path, Formula] = {}
    for place, layer in every_layer(spec.layers or ()):
        if isinstance(layer, Block):
            blocks[place.path] = _equations(draft, layer.equations, (*place.path, Block.kind))
            continue
        function, path = _activation(layer)
        if function is not None and function not in ACTIVATIONS:
            formula = _read(draft, function, (*place.path, *path), equation=False)
            if formula is not None:
                activations[place.path] = formula
    loss = None
    if spec.loss is not None and not spec.loss.is_named:
        loss = _read(draft, spec.loss.text, ("loss",), equation=False)
    equations = _equations(draft, spec.equations or (), ("equations",))
    formulas = Formulas(equations, blocks, activations, loss, spec.ranges)
    _check_ranges(draft, formulas)
    return formulas


def _check_ranges(draft: Draft, formulas: Formulas) -> None:
    """Report ranges of indices that no equation has, unless it may be one that cannot be read."""
    if draft.problems:
        return
    written = sorted({name for formula in formulas.all() for name in formula.indices()})
    for name in formulas.ranges:
        if name not in written:
            hint = did_you_mean(name, written) or expected_names(written) if written else ""
            origin = draft.origin("ranges", name, at_key=True)
            message = tr("no equation has an index '{name}'{hint}").format(name=name, hint=hint)
            draft.report(origin.problem(message))


def _is_flatten(node: tree.Node) -> TypeGuard[tree.Apply]:
    return isinstance(node, tree.Apply) and node.function == FLATTEN and bool(node.arguments)


def _activation(layer: Layer) -> tuple[str | None, Path]:
    """The activation of a layer, None where it has none, and where in the layer it stands."""
    match layer:
        case Dense():
            return layer.activation, (Dense.kind, "activation")
        case Activation():
            return layer.function, ()
        case Library():
            return layer.activates or layer.applies, (layer.kind, "activation")
    return None, ()


def _equations(draft: Draft, texts: tuple[str, ...], path: Path) -> tuple[Formula, ...]:
    found = (_read(draft, text, (*path, number), equation=True) for number, text in enumerate(texts))
    return tuple(formula for formula in found if formula is not None)


def _read(draft: Draft, text: str, path: Path, *, equation: bool) -> Formula | None:
    offsets = Offsets()
    origin = Origin(draft.positions, path, offsets=offsets)
    try:
        if equation:
            return Formula(*parse_equation(text, offsets), origin)
        return Formula(None, parse_expression(text, offsets), origin)
    except FormulaError as error:
        draft.report(draft.positions.problem(path, error.message, offset=error.offset))
        if equation and (name := defined_name(text)):
            draft.give_up(name, origin)
        return None
