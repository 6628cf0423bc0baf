"""What a walkthrough is asked for: everything, one layer, or the story of one gradient."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from itertools import product as positions_of

from backprop_cli.errors import BackpropError, did_you_mean
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.selection import asked_for
from backprop_cli.symbolic.steps import Derivation
from backprop_cli.teaching.numbers import Numbers
from backprop_cli.teaching.rounding import Rounding
from backprop_cli.teaching.walkthrough import MOST_ENTRIES, Stage, quantity_of, story, walkthrough
from backprop_cli.translation import tr

COST, LAYER = "cost", "layer"  # as they are asked for, in every language


def chosen(
    derivation: Derivation, numbers: Numbers, rounding: Rounding, of: str | None, only: str | None, full: bool
) -> tuple[Stage, ...]:
    """The stages of a walkthrough; ``full`` tells every entry and not one of each quantity.

    Raises BackpropError for a quantity or a layer that the network does not have.
    """
    if of is None:
        stages = walkthrough(derivation, numbers, rounding, MOST_ENTRIES if full else 1)
    else:
        name, position = asked_for(derivation, of)
        shape = derivation.graph[name].shape
        ranges = [range(1, size + 1) for size in shape]
        every = list(islice(positions_of(*ranges), MOST_ENTRIES if full else 1)) if position is None else [position]
        stages = story(derivation, numbers, rounding, f"dJ/d{name}", every)
    return stages if only is None else _within(stages, derivation.graph, only)


def _within(stages: Sequence[Stage], graph: Graph, only: str) -> tuple[Stage, ...]:
    wanted = layer_named(only, graph, [quantity_of(stage.step) for stage in stages])
    return tuple(stage for stage in stages if quantity_of(stage.step) in wanted)


def layer_named(only: str, graph: Graph, names: Iterable[str]) -> frozenset[str]:
    """Those of the named quantities that belong to one layer (``layer 2``, ``2.1`` or ``2``), or to the cost. Raises
    BackpropError where there are none."""
    labels = {name: _label(graph[name], graph) for name in names}
    wanted = only.strip().lower().removeprefix(LAYER).strip()
    found = frozenset(name for name, label in labels.items() if label == wanted)
    if not found:
        named = [COST if label == COST else f"{LAYER} {label}" for label in dict.fromkeys(labels.values()) if label]
        hint = did_you_mean(only, named)
        if not hint and named:
            hint = tr("; there are {names}").format(names=tr(", ").join(named))
        raise BackpropError(tr("there is no '{only}' to walk through{hint}").format(only=only, hint=hint))
    return found


def _label(quantity: Quantity, graph: Graph) -> str | None:
    if quantity.role in (Role.COST, Role.LOSS, Role.HELPER):
        return COST
    return graph.label_of(quantity)
