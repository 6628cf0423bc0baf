"""Every equality of the matrix view, evaluated with matrices, against the index formulas evaluated entry by entry."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backprop_cli.documents.wording import NOT_IN_MATRICES
from backprop_cli.language import tree
from backprop_cli.language.walking import rebuilt, walk
from backprop_cli.symbolic.derivation import derive
from backprop_cli.symbolic.graph import Graph
from backprop_cli.symbolic.matrix_view import matrix_steps
from backprop_cli.symbolic.narration import narrate
from backprop_cli.symbolic.notation import Place, Reduce, index
from backprop_cli.symbolic.steps import Form, FormKind, Kind, Step
from tests.strategies import examples
from tests.symbolic.matrix_evaluation import IndexValues, MatrixValues
from tests.symbolic.matrix_networks import ELEMENTWISE, LOSSES, SPECS, Network, from_spec, values_for
from tests.symbolic.matrix_text import plain
from tests.symbolic.systems import SYSTEMS, Line, graph

INDEX_NODES = (tree.Reduction, tree.Place, tree.Partial)


def steps_of(network: Graph, unit_sums: bool | None = True) -> dict[str, Step]:
    return {step.id: step for step in matrix_steps(narrate(derive(network), unit_sums))}


def has_matrix_form(step: Step) -> bool:
    return all(note.key not in NOT_IN_MATRICES for note in step.notes)


def check(network: Graph, given: Mapping[str, NDArray[np.float64]] | None = None) -> dict[str, Step]:
    """Evaluate both sides of every equality; the steps without a matrix form are those of the index view."""
    told = narrate(derive(network), unit_sums=given is None)
    values = IndexValues(network, values_for(network) if given is None else given)
    values.gradients(told.adjoints)
    matrices = MatrixValues(values)
    found = matrix_steps(told)
    assert [step.id for step in found] == [step.id for step in told.steps]
    for step, own in zip(found, told.steps, strict=True):
        assert (step.kind, step.of, step.layer, step.uses) == (own.kind, own.of, own.layer, own.uses)
        if not has_matrix_form(step):
            assert (step.target, step.forms) == (own.target, own.forms)
            continue
        left = matrices.value(step.target)
        for form in step.forms:
            right = matrices.value(form.value)
            said = f"{step.id} = {plain(form.value)}"
            assert left.shape == right.shape or form.value == tree.Number("0"), said
            assert np.allclose(right, left, rtol=1e-9, atol=1e-12), said
    return {step.id: step for step in found}


def layers(network: Network) -> dict[str, Step]:
    """The checked steps of a stack of layers; in it only derivatives with three and more axes are no matrices."""
    steps = check(network.graph())
    left_out = {name for name, step in steps.items() if not has_matrix_form(step)}
    assert all(steps[name].kind is Kind.LOCAL_DERIVATIVE for name in left_out)
    if network.batch is None:
        assert all(name.split("/dW")[0] in ("dz1", "dz2", "dz3") for name in left_out)
    return steps


@pytest.mark.parametrize("batch", [None, 4])
@pytest.mark.parametrize("activation", [*ELEMENTWISE, "softmax"])
def test_every_activation(activation: str, batch: int | None) -> None:
    layers(Network((2, 3, 2), (activation, activation), batch=batch))


@pytest.mark.parametrize("batch", [None, 4])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss(loss: str, batch: int | None) -> None:
    layers(Network((2, 3, 3), ("tanh", "identity"), loss, batch))


networks = st.builds(
    Network,
    sizes=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    activations=st.lists(st.sampled_from((*ELEMENTWISE, "softmax")), min_size=3, max_size=3),
    loss=st.sampled_from(LOSSES),
    batch=st.sampled_from((None, 1, 3)),
    masked=st.booleans(),
    shared_bias=st.booleans(),
    l2=st.booleans(),
    l1=st.booleans(),
)


@given(network=networks)
@settings(max_examples=examples(50))
def test_random_networks(network: Network) -> None:
    layers(network)


@pytest.mark.parametrize("batch", [None, 4])
def test_fan_out_adds_the_paths(batch: int | None) -> None:
    steps = layers(Network((2, 3, 3), ("tanh", "tanh"), batch=batch, residual=True))
    shown = "dJ/dz2 @ W2 + dJ/dr" if batch else "W2.T @ dJ/dz2 + dJ/dr"
    assert plain(steps["dJ/da1"].formula.sides[1]) == shown


@pytest.mark.parametrize("name", SYSTEMS)
def test_systems_of_equations(name: str) -> None:
    check(SYSTEMS[name], values_for(SYSTEMS[name], seed=5))


@pytest.mark.parametrize("name", SPECS)
def test_specs(name: str) -> None:
    steps = check(*from_spec(SPECS[name]))
    gradients = [step for step in steps.values() if step.kind not in (Kind.LOCAL_DERIVATIVE, Kind.DEFINITION)]
    assert gradients
    assert all(has_matrix_form(step) for step in gradients)


def test_a_2_3_2_network_of_one_sample() -> None:
    steps = steps_of(Network((2, 3, 2), ("tanh", "tanh")).graph())
    assert {name: plain(step.formula) for name, step in steps.items()} == {
        "J": "J = (a2 - y).T @ (a2 - y)/2",
        "z2": "z2 = W2 @ a1 + b2",
        "a2": "a2 = tanh(z2)",
        "dz2/db2": "dz2/db2 = eye(2)",
        "dz2/dW2": "dz2[i]/dW2[i,j] = a1[j]",
        "dz2/da1": "dz2/da1 = W2",
        "da2/dz2": "da2/dz2 = diag(ones(2) - a2 * a2)",
        "dJ/da2": "dJ/da2 = a2 - y",
        "dJ/dz2": "dJ/dz2 = dJ/da2 * tanh'(z2)",
        "dJ/dW2": "dJ/dW2 = dJ/dz2 @ a1.T",
        "dJ/db2": "dJ/db2 = dJ/dz2",
        "z1": "z1 = W1 @ x + b1",
        "a1": "a1 = tanh(z1)",
        "dz1/db1": "dz1/db1 = eye(3)",
        "dz1/dW1": "dz1[i]/dW1[i,j] = x[j]",
        "dz1/dx": "dz1/dx = W1",
        "da1/dz1": "da1/dz1 = diag(ones(3) - a1 * a1)",
        "dJ/da1": "dJ/da1 = W2.T @ dJ/dz2",
        "dJ/dz1": "dJ/dz1 = (W2.T @ dJ/dz2) * tanh'(z1)",
        "dJ/dW1": "dJ/dW1 = dJ/dz1 @ x.T",
        "dJ/db1": "dJ/db1 = dJ/dz1",
        "dJ/dx": "dJ/dx = W1.T @ dJ/dz1",
    }
    assert [(form.kind, plain(form.value)) for form in steps["dJ/dz1"].forms] == [
        (FormKind.CHAIN, "da1/dz1.T @ dJ/da1"),
        (FormKind.SLOPE, "dJ/da1 * tanh'(z1)"),
        (FormKind.LOCAL, "dJ/da1 * (ones(3) - a1 * a1)"),
        (FormKind.RECURRENCE, "(W2.T @ dJ/dz2) * tanh'(z1)"),
    ]
    assert [(form.kind, plain(form.value)) for form in steps["dJ/dW1"].forms] == [
        (FormKind.SLOPE, "(dJ/da1 * tanh'(z1)) @ x.T"),
        (FormKind.RECURRENCE, "(dJ/da1 * (ones(3) - a1 * a1)) @ x.T"),
        (FormKind.RESULT, "dJ/dz1 @ x.T"),
        (FormKind.COMBINED, "((W2.T @ (dJ/da2 * tanh'(z2))) * tanh'(z1)) @ x.T"),
    ]


def test_a_2_3_2_network_of_a_batch() -> None:
    steps = steps_of(Network((2, 3, 2), ("sigmoid", "identity"), "cross_entropy", 4).graph())
    shown = {name: plain(step.formula) for name, step in steps.items() if has_matrix_form(step)}
    assert shown == {
        "p": "p = exp(a2)/(exp(a2) @ ones(2) @ ones(2).T)",
        "L": "L = -(y * log(p)) @ ones(2)",
        "J": "J = ones(4).T @ L/4",
        "dJ/dL": "dJ/dL = 1/4*ones(4)",
        "dJ/dp": "dJ/dp = -1/4*y/p",
        "z2": "z2 = a1 @ W2.T + ones(4) @ b2.T",
        "a2": "a2 = z2",
        "dJ/da2": "dJ/da2 = 1/4*(diag(y @ ones(2)) @ p - y)",
        "dJ/dz2": "dJ/dz2 = dJ/da2",
        "dJ/dW2": "dJ/dW2 = dJ/dz2.T @ a1",
        "dJ/db2": "dJ/db2 = dJ/dz2.T @ ones(4)",
        "z1": "z1 = x @ W1.T + ones(4) @ b1.T",
        "a1": "a1 = sigmoid(z1)",
        "dJ/da1": "dJ/da1 = dJ/dz2 @ W2",
        "dJ/dz1": "dJ/dz1 = (dJ/dz2 @ W2) * sigmoid'(z1)",
        "dJ/dW1": "dJ/dW1 = dJ/dz1.T @ x",
        "dJ/db1": "dJ/db1 = dJ/dz1.T @ ones(4)",
        "dJ/dx": "dJ/dx = dJ/dz1 @ W1",
    }
    assert plain(steps["dJ/da2"].forms[-1].value) == "1/4*(p - y)"


def test_an_activation_that_is_not_elementwise_keeps_its_jacobian() -> None:
    steps = steps_of(Network((2, 3, 2), ("softmax", "identity")).graph())
    assert plain(steps["da1/dz1"].formula) == "da1/dz1 = diag(a1) - a1 @ a1.T"
    assert [plain(form.value) for form in steps["dJ/dz1"].forms] == [
        "da1/dz1.T @ dJ/da1",
        "(diag(a1) - a1 @ a1.T) @ dJ/da1",
        "(diag(a1) - a1 @ a1.T) @ W2.T @ dJ/dz2",
        "a1 * (dJ/da1 - (dJ/da1.T @ a1)*ones(3))",
    ]
    deep = steps_of(Network((2, 3, 2), ("softmax", "softmax")).graph())
    assert plain(deep["dJ/db1"].forms[-1].value) == ("(diag(a1) - a1 @ a1.T) @ W2.T @ (diag(a2) - a2 @ a2.T) @ dJ/da2")
    batch = steps_of(Network((2, 3, 2), ("softmax", "identity"), batch=4).graph())
    assert plain(batch["dJ/dz1"].formula.sides[1]) == "a1 * (dJ/da1 - (dJ/da1 * a1) @ ones(3) @ ones(3).T)"


def test_masks_shared_biases_and_penalties() -> None:
    options = {"masked": True, "shared_bias": True, "l2": True}
    one = steps_of(Network((2, 3, 2), ("tanh", "identity"), **options).graph())
    assert plain(one["z1"].formula) == "z1 = (C * W1) @ x + b1"
    assert plain(one["dJ/dW1"].formula) == "dJ/dW1 = C * (dJ/dz1 @ x.T) + 0.01*W1"
    assert plain(one["z2"].formula) == "z2 = W2 @ a1 + b2*ones(2)"
    assert plain(one["dJ/db2"].formula) == "dJ/db2 = ones(2).T @ dJ/dz2"
    batch = steps_of(Network((2, 3, 2), ("tanh", "identity"), batch=4, **options).graph())
    assert plain(batch["z1"].formula) == "z1 = x @ (C * W1).T + ones(4) @ b1.T"
    assert plain(batch["dJ/dW1"].formula) == "dJ/dW1 = C * (dJ/dz1.T @ x) + 0.01*W1"
    assert plain(batch["dJ/db2"].formula) == "dJ/db2 = ones(4).T @ dJ/dz2 @ ones(2)"


def test_targets_that_are_class_numbers_are_one_hot() -> None:
    one = steps_of(Network((2, 3), ("identity",), "class_number").graph())
    assert plain(one["dJ/dp"].formula) == "dJ/dp = -onehot(y + 1, 3)/p"
    assert plain(one["J"].formula) == "J = -onehot(y + 1, 3).T @ log(p)"
    assert plain(one["dJ/da1"].formula) == "dJ/da1 = p - onehot(y + 1, 3)"
    batch = steps_of(Network((2, 3), ("identity",), "class_number", 4).graph())
    assert plain(batch["L"].formula) == "L = -(onehot(y + ones(4), 3) * log(p)) @ ones(3)"


def test_shapes_let_a_reader_check_the_transposes() -> None:
    def shapes(batch: int | None) -> dict[str, str]:
        steps = steps_of(Network((2, 3, 2), ("tanh", "identity"), batch=batch).graph())
        return {
            step.id: note.about["text"]
            for step in steps.values()
            for note in step.notes
            if note.key == "shapes" and note.about["form"] == step.forms[step.main].kind
        }

    assert shapes(None) == {
        "J": "1×1 = 1×2 · 2×1",
        "z2": "2×1 = 2×3 · 3×1 + 2×1",
        "dJ/da2": "2×1 = 2×1 − 2×1",
        "dJ/dW2": "2×3 = 2×1 · 1×3",
        "z1": "3×1 = 3×2 · 2×1 + 3×1",
        "dJ/da1": "3×1 = 3×2 · 2×1",
        "dJ/dz1": "3×1 = (3×2 · 2×1) ⊙ 3×1",
        "dJ/dW1": "3×2 = 3×1 · 1×2",
        "dJ/dx": "2×1 = 2×3 · 3×1",
    }
    assert shapes(4)["z1"] == "4×3 = 4×2 · 2×3 + 4×1 · 1×3"
    assert shapes(4)["dJ/dW1"] == "3×2 = 3×4 · 4×2"


def test_delta_is_the_gradient_of_weighted_sums_and_of_nothing_else() -> None:
    steps = steps_of(Network((2, 3, 2), ("tanh", "identity")).graph())
    for step in steps.values():
        nodes = [node for form in step.forms for node in walk(form.value)]
        assert all(node.delta == node.name.startswith("z") for node in nodes if isinstance(node, tree.Gradient))
        assert any(note.key == "delta" for note in step.notes) == (step.kind is Kind.PREACTIVATION_GRADIENT)


def test_fractions_of_arrays_are_said_to_be_elementwise() -> None:
    steps = steps_of(Network((2, 3), ("identity",), "cross_entropy").graph())
    assert [name for name, step in steps.items() if any(note.key == "elementwise" for note in step.notes)] == ["dJ/dp"]


@pytest.mark.parametrize(
    ("system", "step", "key", "reason"),
    [
        ("shifted positions", "z", "no_matrix_form", "position"),
        ("shifted positions", "dJ/dx", "no_matrix_form", "position"),
        ("repeated index", "t", "no_matrix_form", "position"),
        ("maximum over an index", "dJ/dM", "no_matrix_form", "reduction"),
        ("an index as a number", "dJ/dx", "no_matrix_form", "index as a number"),
        ("two inputs side by side", "dJ/dx", "no_matrix_form", "range"),
        ("dense tanh", "da/dW", "many_indices", "axes"),
    ],
)
def test_what_has_no_matrix_form_says_so(system: str, step: str, key: str, reason: str) -> None:
    found = steps_of(SYSTEMS[system])[step]
    assert [(note.key, dict(note.about)) for note in found.notes if note.key in NOT_IN_MATRICES] == [
        (key, {"quantity": step, "reason": reason})
    ]
    assert all(isinstance(node, tree.Place | tree.Partial) for node in [found.target])


def test_a_sum_over_part_of_an_axis_is_no_matrix_formula() -> None:
    j = index("j")
    part = graph(
        Line("x", (j,), (4,)),
        Line("w", (), ()),
        Line("J", (), (), Place("w") * Reduce("sum", Place("x", j), j, 2)),
    )
    steps = steps_of(part)
    assert not has_matrix_form(steps["J"])
    assert not has_matrix_form(steps["dJ/dw"])


def test_three_axes_keep_their_index_formulas() -> None:
    i, j, k = (index(name) for name in "ijk")
    network = graph(
        Line("T", (i, j, k), (2, 3, 2)),
        Line("x", (k,), (2,)),
        Line("M", (i, j), (2, 3), Reduce("sum", Place("T", i, j, k) * Place("x", k), k, 2)),
        Line("J", (), (), Reduce("sum", Reduce("sum", Place("M", i, j) ** 2, j, 3), i, 2)),
    )
    steps = check(network, values_for(network))
    assert has_matrix_form(steps["dJ/dM"])
    assert plain(steps["J"].formula) == "J = ones(2).T @ (M * M) @ ones(3)"
    assert not has_matrix_form(steps["M"])
    assert not has_matrix_form(steps["dJ/dT"])


def test_a_batch_of_numbers_is_a_vector_with_jacobians() -> None:
    text = """
        inputs:  {x: [[2, 6], [4, 7], [5, 5]]}
        targets: {y: [0, 0, 1]}
        parameters: {w: [0.5, 0.2], b: -3}
        equations: ["z = sum(w[j]*x[j], j) + b", "p = tanh(z)", "L = (p - y)**2"]
        loss: L
        """
    shown = {name: plain(step.formula) for name, step in check(*from_spec(text)).items()}
    assert shown["dL/dp"] == "dL/dp = 2*diag(p - y)"
    assert shown["dp/dz"] == "dp/dz = diag(ones(3) - p * p)"
    assert shown["dz/dw"] == "dz/dw = x"
    assert shown["dz/db"] == "dz/db = ones(3)"


def test_the_derivative_of_a_number_by_a_matrix_lies_as_the_matrix_does() -> None:
    text = """
        inputs:  {x: [2, 6], y: [1, 2, 3]}
        parameters: {W: {shape: [3, 2]}, t: 2}
        equations: ["s = sum(W[i,j]*y[i]*x[j], i, j)", "M[i,j] = t*y[i]*x[j]", "J = s**2 + sum(M[i,j]**2, i, j)"]
        loss: J
        """
    steps = check(*from_spec(text + "initial: {seed: 0}"))
    assert plain(steps["ds/dW"].formula) == "ds/dW = y @ x.T"
    assert plain(steps["dM/dt"].formula) == "dM/dt = y @ x.T"
    assert plain(steps["dJ/dW"].forms[0].value) == "dJ/ds*ds/dW"


def test_the_check_sees_a_missing_transpose() -> None:
    def without(node: tree.Node) -> tree.Node:
        return without(node.operand) if isinstance(node, tree.Transposed) else rebuilt(node, without)

    network = Network((3, 3, 3), ("tanh", "identity")).graph()
    values = IndexValues(network, values_for(network))
    values.gradients(derive(network))
    matrices = MatrixValues(values)
    form = steps_of(network)["dJ/da1"].forms[-1]
    wrong = Form(form.kind, without(form.value))
    assert wrong != form
    target = matrices.value(tree.Gradient("a1"))
    assert np.allclose(matrices.value(form.value), target)
    assert not np.allclose(matrices.value(wrong.value), target)


def test_the_cost_grows_with_the_equations_alone() -> None:
    def nodes(width: int) -> int:
        steps = steps_of(Network((width, width, width), ("tanh", "identity"), batch=width).graph())
        return sum(1 for step in steps.values() for form in step.forms for _ in walk(form.value))

    assert nodes(3) == nodes(300)


def test_matrix_formulas_hold_nothing_of_the_index_notation() -> None:
    for step in steps_of(Network((2, 3, 2), ("gelu", "softmax"), "bce", 3, True, True).graph()).values():
        if has_matrix_form(step):
            assert step.indices == ()
            assert not any(isinstance(node, INDEX_NODES) for form in step.forms for node in walk(form.value))
