"""What has no effect: quantities that nothing on the way to the cost uses.

Their gradient is 0, which is right and most often not what their author expects.
"""

from __future__ import annotations

from backprop_cli.symbolic.graph import Graph, Role
from backprop_cli.symbolic.notation import places


def without_effect(graph: Graph) -> tuple[str, ...]:
    """The names of quantities, given or computed, that the cost (or the seeded output) does not depend on."""
    reached = {name for name in (graph.cost, *graph.seeds, *graph.seeds.values()) if name is not None}
    for quantity in reversed(graph.quantities):
        if quantity.name in reached and quantity.definition is not None:
            reached.update(place.name for place in places(quantity.definition))
    return tuple(q.name for q in graph.quantities if q.name not in reached and q.role is not Role.HELPER)
