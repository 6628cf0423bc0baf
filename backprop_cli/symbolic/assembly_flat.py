"""``flatten(x)``: a quantity with its axes in one, the last fastest, as a quantity of its own."""

from __future__ import annotations

from backprop_cli.language import tree
from backprop_cli.language.structure import FLATTEN
from backprop_cli.language.walking import rebuilt
from backprop_cli.symbolic.display import position_tree
from backprop_cli.symbolic.draft import Draft, Origin, free_indices
from backprop_cli.symbolic.graph import Quantity, Role
from backprop_cli.symbolic.notation import Place, digits, entry, index
from backprop_cli.symbolic.wording import described, not_defined
from backprop_cli.translation import tr


def is_flattened(node: tree.Node) -> bool:
    """Whether a right side is ``flatten(x)`` as a whole."""
    return isinstance(node, tree.Apply) and node.function == FLATTEN and len(node.arguments) == 1


def flattened(draft: Draft, node: tree.Node, name: str, role: Role, layer: int | None, origin: Origin) -> bool:
    """Add ``name = flatten(x)``. Reports, and returns False, where x has no axes to flatten."""
    assert isinstance(node, tree.Apply)
    source = node.arguments[0]
    quantity = draft.known(source.name) if isinstance(source, tree.Place) and not source.positions else None
    if quantity is None:
        if not isinstance(source, tree.Place) or source.name not in draft.broken:
            message = tr("flatten takes the name of a quantity, as in f = flatten(x)")
            if isinstance(source, tree.Place) and not source.positions:
                message = not_defined(source.name)
            draft.report(origin.problem(message, source))
        return False
    if len(quantity.shape) == quantity.depends_on_sample:
        message = tr("'{name}' is {shape}, so there is nothing to flatten")
        message = message.format(name=quantity.name, shape=described(draft, quantity))
        draft.report(origin.problem(message, source))
        return False
    draft.add(flat_quantity(draft, quantity, name, role, layer, quantity.depends_on_sample), origin)
    return True


def flat_quantity(draft: Draft, source: Quantity, name: str, role: Role, layer: int | None, carried: int) -> Quantity:
    """``name[i] = source[…]`` with the axes after the carried ones in one; shown the other way round, as
    ``name[4*(c-1)+p] = source[c,p]``."""
    carry, own = source.indices[:carried], source.shape[carried:]
    taken = {symbol.name for symbol in carry} | draft.quantities.keys()
    axes = tuple(index(letter) for letter in free_indices(len(own), taken))
    (flat,) = (index(letter) for letter in free_indices(1, taken))
    size = 1
    for length in own:
        size *= length
    shown = Place(name, *carry, entry(axes, own))
    return Quantity(
        name,
        (*carry, flat),
        (*source.shape[:carried], size),
        role,
        Place(source.name, *carry, *digits(flat, own)),
        position_tree(Place(source.name, *carry, *axes)),
        layer,
        depends_on_sample=source.depends_on_sample,
        shown_as=(position_tree(shown), tuple(symbol.name for symbol in (*carry, *axes)), source.shape),
    )


def with_flat_quantities(draft: Draft, node: tree.Node, layer: int | None, origin: Origin) -> tree.Node:
    """The formula with ``flatten(x)[j]`` read from a quantity of its own, which the tool names."""

    def change(part: tree.Node) -> tree.Node:
        part = rebuilt(part, change)
        if not isinstance(part, tree.Apply) or part.function != FLATTEN or len(part.arguments) != 2:
            return part
        source, position = part.arguments
        whole = tree.Apply(FLATTEN, (source,))
        preferred = f"{source.name}_flat" if isinstance(source, tree.Place) else "x_flat"
        if preferred in draft.quantities and draft.quantities[preferred].shown_as is not None:
            return tree.Place(preferred, (position,))
        name = draft.free_name((preferred,))
        return (
            tree.Place(name, (position,)) if flattened(draft, whole, name, Role.INTERMEDIATE, layer, origin) else part
        )

    return change(node)
