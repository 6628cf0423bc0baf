"""The gradients of the costs of single steps, found without the derivation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from backprop_cli.documents.names import Names, Shown
from backprop_cli.network import Network
from backprop_cli.symbolic.notation import by_step, is_by_step
from backprop_cli.verification.automatic import gradients
from backprop_cli.verification.frozen import frozen


def by_each_step(network: Network, arrays: Mapping[str, np.ndarray]) -> tuple[Names, dict[str, np.ndarray]]:
    """The names with J[s], the cost of one step, and its gradients by automatic differentiation: those of the network
    in which every J_s has states of its own."""
    names, graph = network.names, network.graph
    if not graph.windows:
        return names, {}
    apart, given = frozen(graph, arrays)
    copies = [quantity for quantity in apart.quantities if is_by_step(quantity.name)]
    cost = Shown(by_step(names.cost), names.cost, names.cost, "", ("s",), (copies[0].shape[0],))
    found = gradients(apart, given, [copy.name for copy in copies], "autograd")
    quantities = {**names.quantities, cost.name: cost}
    return replace(names, quantities=quantities), {f"dJ/d{name}": array for name, array in found.items()}
