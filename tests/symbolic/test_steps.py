"""Every form of every step, printed, read back and evaluated: all of them equal what the step says they equal."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.renderers import formula_latex, formula_text, formula_unicode
from backprop_cli.spec.reading import read
from backprop_cli.symbolic.assembly import assemble
from backprop_cli.symbolic.derivation import derive
from backprop_cli.symbolic.entries import entry_step
from backprop_cli.symbolic.graph import Graph, Role
from backprop_cli.symbolic.narration import narrate
from backprop_cli.symbolic.steps import Derivation, Kind, Step
from backprop_cli.verification.arrays import NumPyArrays
from backprop_cli.verification.automatic import gradients
from backprop_cli.verification.evaluation import Evaluator, forward
from tests.reading_back import check_formula
from tests.reading_back.checking import read_definition
from tests.symbolic.systems import SYSTEMS

Arrays = dict[str, NDArray[np.float64]]
RENDERERS = {"text": formula_text.render, "unicode": formula_unicode.render, "latex": formula_latex.render}

SPECS = {
    "tanh and squares": """
        inputs: {x: [0.5, -1.0]}
        targets: {y: [0.3, 0.6]}
        layers: [{dense: {units: 3, activation: tanh}}, {dense: {units: 2, activation: sigmoid}}]
        loss: mse""",
    "a batch and cross-entropy": """
        inputs: {x: [[0.5, -1.0], [0.1, 0.4], [2.0, 1.0]]}
        targets: {y: [[1, 0], [0, 1], [0.5, 0.5]]}
        layers: [{dense: {units: 3, activation: relu}}, {dense: {units: 2}}]
        loss: cross_entropy""",
    "targets that do not sum to 1": """
        inputs: {x: [0.5, -1.0]}
        targets: {y: [1, 1]}
        layers: [{dense: {units: 2}}]
        loss: cross_entropy""",
    "class numbers": """
        inputs: {x: [[0.5, -1.0], [0.1, 0.4]]}
        targets: {y: [1, 0]}
        layers: [{dense: {units: 3, activation: gelu}}, {dense: {units: 2}}]
        loss: cross_entropy""",
    "softmax inside, penalties, a shared bias": """
        inputs: {x: [[0.5, -1.0], [0.1, 0.4]]}
        targets: {y: [[1, 0], [0, 1]]}
        layers: [{dense: {units: 3, activation: softmax, bias: 0.25}}, {dense: {units: 2, activation: silu}}]
        loss: mse
        regularise: {l2: 0.1, l1: 0.01}""",
    "shared weights and a block": """
        inputs: {x: [0.5, -1.0]}
        targets: {y: [0.3, 0.6]}
        layers:
          - dense: {units: 2, activation: softplus}
          - dense: {share: W1, activation: elu}
          - equations: ["r[i] = a2[i] + a1[i]"]
        loss: half_sse""",
    "an expression as activation": """
        inputs: {x: [0.5, -1.0]}
        targets: {y: [0.3, 0.6]}
        layers: [{dense: {units: 2, activation: z * tanh(z)}}]
        loss: huber""",
    "a module alone": """
        inputs: {x: [[0.5, -1.0], [0.1, 0.4]]}
        layers: [{dense: {units: 2, activation: leaky_relu}}]
        grad_output: [[1, 2], [3, 4]]""",
}


def numbers(graph: Graph, given: Mapping[str, NDArray[np.float64]]) -> Arrays:
    """Every quantity, and every gradient as ``dJ/dX`` by automatic differentiation."""
    arrays = NumPyArrays()
    values = {
        name: np.asarray(value.array, dtype=float) for name, value in forward(graph, Evaluator(arrays), given).items()
    }
    wanted = [q.name for q in graph.quantities if q.role not in (Role.TARGET, Role.CONSTANT, Role.COST)]
    found = gradients(graph, given, wanted, "autograd")
    return values | {f"dJ/d{name}": np.asarray(value) for name, value in found.items()}


def check_steps(derivation: Derivation, arrays: Arrays) -> None:
    names = Names.of(derivation.graph)
    for format, render in RENDERERS.items():
        definitions: dict[str, tree.Equality] = {}
        for quantity in derivation.graph.quantities:
            if quantity.name in derivation.by_id:
                printed = render(derivation.by_id[quantity.name].formula, names)
                name, definition = read_definition(printed, names, format)
                definitions[name] = definition
        for step in shown(derivation):
            if len(step.chain.sides) > 1:
                check_formula(render(step.chain, names), names, arrays, format, definitions)


def shown(derivation: Derivation) -> list[Step]:
    """All steps, and of every gradient one entry."""
    entries = [
        entry_step(derivation, step, tuple(min(size, 2) for size in step.shape))
        for step in derivation.steps
        if step.kind not in (Kind.DEFINITION, Kind.LOCAL_DERIVATIVE)
    ]
    return [*derivation.steps, *entries]


@pytest.mark.parametrize("name", SPECS)
def test_every_form_of_every_step_in_every_notation(name: str) -> None:
    graph, values = assemble(read(SPECS[name]))
    given = {name: value for name, value in values.items() if value is not None}
    arrays = numbers(graph, given)
    unit_sums = all(bool(np.all(np.abs(given[q.name].sum(axis=-1) - 1) < 1e-9)) for q in graph.with_role(Role.TARGET))
    check_steps(narrate(derive(graph), unit_sums), arrays)


@pytest.mark.parametrize("name", [n for n in SYSTEMS if "position" not in n and "window" not in n and "side" not in n])
def test_every_form_of_equations_in_general(name: str) -> None:
    graph = SYSTEMS[name]
    generator = np.random.default_rng(7)
    given = {q.name: generator.uniform(0.2, 1.5, q.shape) for q in graph.quantities if q.is_given}
    check_steps(narrate(derive(graph)), numbers(graph, given))


@pytest.mark.parametrize("name", SPECS)
def test_gradients_build_on_steps_that_stand_before_them(name: str) -> None:
    steps = narrate(derive(assemble(read(SPECS[name]))[0])).steps
    places = {step.id: number for number, step in enumerate(steps)}
    assert len(places) == len(steps)
    for step in steps:
        for used in step.uses:
            assert used in places
            assert step.kind is Kind.DEFINITION or places[used] < places[step.id], (step.id, used)


def test_a_layer_is_told_as_the_two_uses_of_the_chain_rule() -> None:
    graph, _ = assemble(read(SPECS["tanh and squares"]))
    derivation, names = narrate(derive(graph)), Names.of(graph)
    told = {step.id: [formula_unicode.render(form.value, names) for form in step.forms] for step in derivation.steps}
    assert told["dJ/dW1"] == [
        "∂J/∂aᵢ⁽¹⁾ · ∂aᵢ⁽¹⁾/∂zᵢ⁽¹⁾ · ∂zᵢ⁽¹⁾/∂wᵢⱼ⁽¹⁾",
        "∂J/∂aᵢ⁽¹⁾ · tanh′(zᵢ⁽¹⁾) · xⱼ",
        "∂J/∂aᵢ⁽¹⁾ · (1 − (aᵢ⁽¹⁾)²) · xⱼ",
        "∂J/∂zᵢ⁽¹⁾ · xⱼ",
        "tanh′(zᵢ⁽¹⁾) · xⱼ · Σₖ ∂J/∂aₖ⁽²⁾ · σ′(zₖ⁽²⁾) · wₖᵢ⁽²⁾",
    ]
    assert told["dJ/da1"] == [
        "Σₖ ∂J/∂aₖ⁽²⁾ · ∂aₖ⁽²⁾/∂zₖ⁽²⁾ · ∂zₖ⁽²⁾/∂aᵢ⁽¹⁾",
        "Σₖ ∂J/∂aₖ⁽²⁾ · σ′(zₖ⁽²⁾) · wₖᵢ⁽²⁾",
        "Σₖ ∂J/∂aₖ⁽²⁾ · aₖ⁽²⁾ · (1 − aₖ⁽²⁾) · wₖᵢ⁽²⁾",
        "Σₖ ∂J/∂zₖ⁽²⁾ · wₖᵢ⁽²⁾",
    ]
    assert told["dJ/da2"] == ["aᵢ⁽²⁾ − yᵢ"]


@pytest.mark.parametrize(
    ("spec", "remark"),
    [
        ("a batch and cross-entropy", "targets_sum_to_1"),
        ("targets that do not sum to 1", "targets_do_not_sum_to_1"),
    ],
)
def test_the_sum_of_the_targets_is_spoken_of(spec: str, remark: str) -> None:
    graph, _ = assemble(read(SPECS[spec]))
    step = narrate(derive(graph), remark == "targets_sum_to_1").by_id["dJ/da" + ("2" if "batch" in spec else "1")]
    assert [note.key for note in step.notes] == [remark]
    assert (step.forms[-1].kind == "unit_sum") == (remark == "targets_sum_to_1")


def test_the_slope_at_a_kink_is_spoken_of() -> None:
    graph, _ = assemble(read(SPECS["a batch and cross-entropy"]))
    (note,) = narrate(derive(graph)).by_id["da1/dz1"].notes
    assert (note.key, note.about["function"]) == ("kink", "relu")
