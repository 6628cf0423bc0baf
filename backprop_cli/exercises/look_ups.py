"""Given numbers that say which other numbers are used, as tokens and positions do."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from backprop_cli.symbolic.graph import Graph
from backprop_cli.symbolic.notation import places


def look_ups(graph: Graph, values: Mapping[str, NDArray[np.float64] | None]) -> dict[str, NDArray[np.float64]]:
    """The given quantities that say which numbers of others are used, with their numbers where they have some."""
    names = {
        inner.name
        for quantity in graph.quantities
        if quantity.definition is not None
        for place in places(quantity.definition)
        for position in place.positions
        for inner in places(position)
        if graph[inner.name].is_given
    }
    return {name: np.asarray(values[name]) for name in sorted(names) if values.get(name) is not None}
