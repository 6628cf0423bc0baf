"""Every formula that ``derive`` prints, read back from the printed text, holds in the numbers of the run."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import backprop_cli as bp
from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.library.layers import LAYERS
from backprop_cli.network import Network
from backprop_cli.renderers import formula_latex, formula_mathml, formula_text, formula_unicode
from backprop_cli.symbolic.entries import entry_step
from backprop_cli.symbolic.graph import Role
from backprop_cli.symbolic.notation import by_step
from backprop_cli.symbolic.steps import Kind
from backprop_cli.verification.arrays import NumPyArrays
from backprop_cli.verification.automatic import gradients
from backprop_cli.verification.evaluation import Evaluator, forward
from tests.reading_back import check_formula
from tests.reading_back.by_step import by_each_step
from tests.reading_back.checking import equalities, ranges_of, read, read_definition, with_ranges
from tests.reading_back.evaluation import Evaluation
from tests.strategies import as_yaml, equation_networks, examples, layer_networks, recurrence_numbers
from tests.strategies_layers import stacks, with_random_gradient

RENDERERS = {"text": formula_text.render, "unicode": formula_unicode.render, "latex": formula_latex.render}
RENDERERS["mathml"] = formula_mathml.render
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


def check_unrolled(network: Network, names: Names, arrays: dict[str, np.ndarray], format: str) -> None:
    """The gradients of each step's cost hold, and those of the parameters add up to those of J."""
    render = RENDERERS[format]
    sums: dict[str, list[np.ndarray]] = {}
    for cost in network.derive().unrolled:
        for step in cost.steps:
            target = step.target.by
            if cost.step is not None and network.graph[target.name].role is Role.PARAMETER:
                shape = network.graph[target.name].shape
                sums.setdefault(target.name, [np.zeros(shape)] * names[by_step("J")].shape[0])
                printed = read(render(step.forms[0].value, network.names), names, format)
                sizes = {place.name: size for place, size in zip(target.positions, shape, strict=True)}
                ranges = ranges_of(step.forms[0].value)
                value = Evaluation(names, arrays, {}, ranges).value(printed, sizes)
                sums[target.name][cost.step - 1] = np.broadcast_to(value, shape)
                arrays[f"dJ/d{by_step(target.name)}"] = np.array(sums[target.name])
            for equality in equalities(step):
                printed_formula = render(equality, network.names)
                check_formula(printed_formula, names, arrays, format, ranges=ranges_of(equality))


def check(text: str, data: st.DataObject) -> None:
    network = bp.load(text)
    arrays = numbers_of_the_run(network)
    if graph_loss := network.graph.loss_name:
        named = forward(network.graph, Evaluator(NumPyArrays()), network.compile().run().given)[graph_loss]
        arrays[graph_loss] = np.asarray(named.array)  # of each sample, where J is their mean
    assume(all(np.isfinite(array).all() and np.abs(array).max(initial=0) < LARGEST for array in arrays.values()))
    derivation = network.derive()
    format = data.draw(st.sampled_from(sorted(RENDERERS)))
    render, (names, of_steps) = RENDERERS[format], by_each_step(network, arrays)
    arrays |= of_steps
    if of_steps:
        check_unrolled(network, names, dict(arrays), format)
    definitions: dict[str, tree.Equality] = {}
    for quantity in network.graph.quantities:
        if quantity.definition is not None:
            formula = derivation.told.by_id[quantity.name].formula
            name, definition = read_definition(render(formula, names), names, format)
            known = with_ranges(definition, ranges_of(formula))
            assert isinstance(known, tree.Equality)
            definitions[name] = known
    for step in derivation.steps:
        for equality in equalities(step):
            ranges = ranges_of(equality)
            printed = render(equality, names)
            check_formula(printed, names, arrays, format, definitions, ranges=ranges, remarks=step.notes)
        if step.kind not in (Kind.DEFINITION, Kind.LOCAL_DERIVATIVE):
            position = tuple(data.draw(st.integers(1, size)) for size in step.shape)
            one = entry_step(derivation.told, step, position)
            for equality in equalities(one):
                ranges = ranges_of(equality)
                printed = render(equality, names)
                check_formula(printed, names, arrays, format, definitions, ranges=ranges, remarks=step.notes)


searching = settings(suppress_health_check=list(HealthCheck), deadline=None, phases=[Phase.generate])


@settings(searching, max_examples=examples(40))
@given(st.data())
def test_layers(data: st.DataObject) -> None:
    check(as_yaml(data.draw(layer_networks())), data)


@settings(searching, max_examples=examples(40))
@given(st.data())
def test_equations(data: st.DataObject) -> None:
    check(as_yaml(data.draw(equation_networks())), data)


@pytest.mark.parametrize("kind", LAYERS)
def test_library_layers(kind: str) -> None:
    @settings(searching, max_examples=examples(4))
    @given(st.data())
    def check_one(data: st.DataObject) -> None:
        check(with_random_gradient(data.draw(stacks(kind)), data), data)

    check_one()


RECURRENCES = """
inputs: {{x: {x}}}
targets: {{y: 0.3}}
parameters: {{U: {U}, W: {W}, b: {b}}}
equations:
{equations}
loss: J
"""
LOOPS = [
    ["z[t,i] = sum(U[i,j]*x[t,j], j) + sum(W[i,k]*h[t-1,k], k) + b[i]", "h[t,i] = tanh(z[t,i])"],
    ["h[t,i] = sum(U[i,j]*x[t,j], j)*h[t-1,i] + b[i]*h[t-2,i] + sum(W[i,k]*h[t-1,k]**2, k)/3"],
    ["h[0,i] = b[i]**2", "h[t,i] = sin(sum(W[i,k]*h[t-1,k], k)) + U[i,1]*x[t,1]"],
    ["h[t,i] = tanh(sum(U[i,j]*x[t,j], j) + sum(W[i,k]*h[t-1,k], k) + b[i])", "truncate: {h: 2}"],
    ["h[0,i] = b[i]", "h[t,i] = sin(sum(W[i,k]*h[t-1,k], k)) + U[i,1]*x[t,1]*h[t-2,i]", "truncate: {h: 1}"],
    ["h[t,i] = c[t-1,i] + sum(U[i,j]*x[t,j], j)", "c[t,i] = sigmoid(h[t,i])*b[i]", "e[t,i] = c[t,i]*h[t-1,i]*x[t-1,1]"],
]


@pytest.mark.parametrize("loop", LOOPS)
def test_recurrences(loop: list[str]) -> None:
    extra = loop[-1] if loop[-1].startswith("truncate") else ""
    loop = [equation for equation in loop if equation != extra]
    last = loop[-1][0]
    equations = [*loop, f"J = sum(({last}[t,i] - y)**2*(t+i), t, i)"]

    @settings(searching, max_examples=examples(4))
    @given(st.data())
    def check_one(data: st.DataObject) -> None:
        given = data.draw(recurrence_numbers(3))
        lines = "\n".join(f"  - {equation}" for equation in equations)
        check(RECURRENCES.format(**given, equations=lines) + extra, data)

    check_one()
