"""Every formula that ``derive`` prints, read back from the printed text, holds in the numbers of the run."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import backprop_cli as bp
from backprop_cli.language import tree
from backprop_cli.network import Network
from backprop_cli.renderers import formula_latex, formula_text, formula_unicode
from backprop_cli.symbolic.entries import entry_step
from backprop_cli.symbolic.graph import Role
from backprop_cli.symbolic.steps import Kind
from backprop_cli.verification.arrays import NumPyArrays
from backprop_cli.verification.automatic import gradients
from backprop_cli.verification.evaluation import Evaluator, forward
from tests.reading_back import check_formula
from tests.reading_back.checking import read_definition
from tests.strategies import as_yaml, equation_networks, layer_networks

RENDERERS = {"text": formula_text.render, "unicode": formula_unicode.render, "latex": formula_latex.render}
LARGEST = 1e6  # beyond it a difference of two forms is mostly rounding


def numbers_of_the_run(network: Network) -> dict[str, np.ndarray]:
    """Every quantity and gradient of the run; what a run keeps to itself (helpers, the loss of a sample) from the naive
    evaluation and automatic differentiation."""
    trace = network.compile().run()
    graph = network.graph
    values = forward(graph, Evaluator(NumPyArrays()), trace.given)
    found = {name: np.asarray(named.array) for name, named in values.items()}
    hidden = [q.name for q in graph.quantities if q.role in (Role.HELPER, Role.LOSS)]
    if hidden:
        found |= {f"dJ/d{name}": array for name, array in gradients(graph, trace.given, hidden, "autograd").items()}
    found |= {name: np.asarray(value) for name, value in trace.forward.items() if name in graph}
    if trace.loss is not None:
        found["J"] = np.asarray(trace.loss)
        found |= {name: value for name, value in found.items() if name != graph.loss_name}
    found |= {f"dJ/d{name}": np.asarray(value) for name, value in trace.gradients.items()}
    return found


def check(text: str, data: st.DataObject) -> None:
    network = bp.load(text)
    arrays = numbers_of_the_run(network)
    if graph_loss := network.graph.loss_name:
        named = forward(network.graph, Evaluator(NumPyArrays()), network.compile().run().given)[graph_loss]
        arrays[graph_loss] = np.asarray(named.array)  # of each sample, where J is their mean
    assume(all(np.isfinite(array).all() and np.abs(array).max(initial=0) < LARGEST for array in arrays.values()))
    derivation = network.derive()
    format = data.draw(st.sampled_from(sorted(RENDERERS)))
    render, names = RENDERERS[format], derivation.names
    definitions: dict[str, tree.Equality] = {}
    for quantity in network.graph.quantities:
        if quantity.definition is not None:
            printed = render(derivation.told.by_id[quantity.name].formula, names)
            name, definition = read_definition(printed, names, format)
            definitions[name] = definition
    for step in derivation.steps:
        check_formula(render(step.chain, names), names, arrays, format, definitions)
        if step.kind not in (Kind.DEFINITION, Kind.LOCAL_DERIVATIVE):
            position = tuple(data.draw(st.integers(1, size)) for size in step.shape)
            one = entry_step(derivation.told, step, position)
            check_formula(render(one.chain, names), names, arrays, format, definitions)


searching = settings(suppress_health_check=list(HealthCheck), deadline=None)


@settings(searching, max_examples=40)
@given(st.data())
def test_layers(data: st.DataObject) -> None:
    check(as_yaml(data.draw(layer_networks())), data)


@settings(searching, max_examples=40)
@given(st.data())
def test_equations(data: st.DataObject) -> None:
    check(as_yaml(data.draw(equation_networks())), data)
