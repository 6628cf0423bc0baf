"""Form A: layers become quantities under the names of their place."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from backprop_cli.library.functions import ACTIVATIONS
from backprop_cli.symbolic.graph import Role
from tests.assembly.forward import FUNCTIONS
from tests.assembly.specs import built, equation, forward

TWO_LAYERS = """
    inputs: {x: [1, 2, 3]}
    targets: {y: [0, 1]}
    layers:
      - dense: {units: 4, activation: tanh}
      - dense: {units: 2}
    loss: mse
"""


def test_names_shapes_and_roles_of_two_dense_layers() -> None:
    graph, values = built(TWO_LAYERS)
    assert [(q.name, q.shape, q.role.value, q.layer) for q in graph.quantities] == [
        ("x", (3,), "input", None),
        ("y", (2,), "target", None),
        ("W1", (4, 3), "parameter", 1),
        ("b1", (4,), "parameter", 1),
        ("z1", (4,), "weighted_sum", 1),
        ("a1", (4,), "activation", 1),
        ("W2", (2, 4), "parameter", 2),
        ("b2", (2,), "parameter", 2),
        ("z2", (2,), "weighted_sum", 2),
        ("a2", (2,), "activation", 2),
        ("J", (), "cost", None),
    ]
    assert (graph["a1"].activation, graph["a2"].activation) == ("tanh", "identity")
    assert (graph.cost, graph.output, graph.loss_name, graph.sample) == ("J", "a2", None, None)
    assert {name for name, array in values.items() if array is not None} == {"x", "y", "W1", "b1", "W2", "b2"}


def test_forward_pass_of_two_dense_layers() -> None:
    v = forward(TWO_LAYERS)
    assert_allclose(v["a1"], np.tanh(v["W1"] @ v["x"] + v["b1"]))
    assert_allclose(v["a2"], v["W2"] @ v["a1"] + v["b2"])
    assert_allclose(v["J"], np.mean((v["a2"] - v["y"]) ** 2))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("as_layer", [False, True], ids=["option", "layer"])
def test_every_activation_as_an_option_and_as_a_layer(activation: str, as_layer: bool) -> None:
    option = "" if as_layer else f", activation: {activation}"
    layer = f"- {activation}" if as_layer else ""
    weights = "[[0.5, 0.25], [0.125, 0.5], [0.25, 1]]"
    v = forward(f"""
        inputs: {{x: [1, 2]}}
        targets: {{y: [1, 2, 3]}}
        layers:
          - dense: {{units: 3, weights: {weights}, bias: false{option}}}
          {layer}
        loss: sse
    """)
    z = v["z1"]
    softmax = np.exp(z) / np.exp(z).sum()
    expected = softmax if activation == "softmax" else [FUNCTIONS.get(activation, float)(entry) for entry in z]
    assert_allclose(v["a2" if as_layer else "a1"], expected)


@pytest.mark.parametrize("layer", ["dense: {units: 2, activation: z * sigmoid(z)}", "z * sigmoid(z)"])
def test_an_activation_written_as_an_expression(layer: str) -> None:
    graph, _ = built(f"""
        inputs: {{x: [[1, 2], [3, 4], [5, 6]]}}
        targets: {{y: [[1, 2], [3, 4], [5, 6]]}}
        layers:
          - {layer}
        loss: sse
    """)
    source = "x" if layer.startswith("z") else "z1"
    assert equation(graph, "a1") == f"{source}[n,i]*sigmoid({source}[n,i])"
    assert graph["a1"].activation == "expression"


def test_an_activation_may_use_scalar_parameters() -> None:
    v = forward("""
        inputs: {x: [-1, 2]}
        targets: {y: [0, 0]}
        parameters: {alpha: 0.25}
        layers:
          - dense: {weights: [[1, 0], [0, 1]], bias: 0, activation: "where(z > 0, z, alpha*z)"}
        loss: sse
    """)
    assert_allclose(v["a1"], [-0.25, 2])


def test_a_scalar_bias_is_one_parameter_for_all_units() -> None:
    graph, values = built("""
        inputs: {x: [1, 2]}
        targets: {y: [0, 0]}
        layers:
          - dense: {weights: [[1, 0], [0, 1]], bias: 0.5}
        loss: sse
    """)
    assert graph["b1"].shape == ()
    assert values["b1"] == 0.5
    assert equation(graph, "z1") == "sum(W1[i,j]*x[j], j) + b1"


def test_a_layer_without_bias_has_no_bias() -> None:
    graph, _ = built("""
        inputs: {x: [1, 2]}
        targets: {y: [0]}
        layers:
          - dense: {units: 1, bias: false}
        loss: sse
    """)
    assert "b1" not in graph


def test_names_of_a_layer_with_a_name_of_its_own() -> None:
    graph, _ = built("""
        inputs: {x: [1, 2]}
        targets: {y: [0]}
        layers:
          - dense: {units: 3, name: hidden}
          - tanh: {name: squashed}
          - dense: {units: 1}
        loss: sse
    """)
    names = [q.name for q in graph.quantities if q.layer]
    assert names == ["W_hidden", "b_hidden", "z_hidden", "a_hidden", "a_squashed", "W3", "b3", "z3", "a3"]


def test_shared_weights_are_one_parameter() -> None:
    v = forward("""
        inputs: {x: [1, 2]}
        targets: {y: [0, 0]}
        parameters: {c: [0.5, 0.25]}
        layers:
          - dense: {units: 2, activation: tanh}
          - dense: {share: W1, bias: false}
          - dense: {share: [W1, b1]}
          - dense: {share: c, units: 2}
        loss: sse
    """)
    assert not v.keys() & {"W2", "b2", "W3", "b3", "b4"}
    assert_allclose(v["z2"], v["W1"] @ v["a1"])
    assert_allclose(v["z3"], v["W1"] @ v["a2"] + v["b1"])
    assert_allclose(v["z4"], v["W4"] @ v["a3"] + v["c"])


def test_a_layer_may_take_several_inputs_as_one_vector() -> None:
    v = forward("""
        inputs: {x: [[1, 2], [3, 4]], u: [[5], [6]]}
        targets: {y: [[1], [2]]}
        layers:
          - dense: {units: 3, from: x, activation: tanh}
          - dense: {units: 1, from: [a1, x, u]}
        loss: sse
    """)
    together = np.concatenate([v["a1"], v["x"], v["u"]], axis=1)
    assert v["W2"].shape == (1, 6)
    assert_allclose(v["z2"], together @ v["W2"].T + v["b2"])


def test_connections_wire_single_neurons() -> None:
    graph, values = built("""
        inputs: {x: [1, 2, 3]}
        targets: {y: [0, 0]}
        layers:
          - dense: {units: 2, connections: [[1, 0, 1], [0, 1, 1]]}
        loss: sse
    """)
    assert graph["mask1"].role is Role.CONSTANT
    assert values["W1"] is not None
    assert (values["W1"] == 0).tolist() == [[False, True, False], [True, False, False]]
    assert equation(graph, "z1") == "sum(mask1[i,j]*W1[i,j]*x[j], j) + b1[i]"


def test_connections_of_several_inputs() -> None:
    v = forward("""
        inputs: {x: [1, 2], u: [3]}
        targets: {y: [0]}
        layers:
          - dense: {from: [x, u], weights: [[1, 0, 3]], connections: [[1, 0, 1]], bias: 0}
        loss: sse
    """)
    assert_allclose(v["z1"], [1 * 1 + 3 * 3])


def test_blocks_of_equations_between_layers() -> None:
    v = forward("""
        inputs: {x: [[1, 2], [3, 5], [5, 0]]}
        targets: {y: [[1], [2], [3]]}
        parameters: {g: [1, 2, 3]}
        layers:
          - dense: {units: 3}
          - equations:
            - mu[i] = mean(a1[n,i], n)
            - c[n,i] = a1[n,i] - mu[i]
            - d[i] = g[i]*c[i] + a1[1,i]
          - dense: {units: 1, from: a2}
        loss: sse
    """)
    centred = v["a1"] - v["a1"].mean(axis=0)
    assert_allclose(v["d"], v["g"] * centred + v["a1"][0])
    assert_allclose(v["z3"], v["d"] @ v["W3"].T + v["b3"])


def test_the_sample_index_has_one_name_whatever_equations_call_theirs() -> None:
    graph, _ = built("""
        inputs: {x: [[1, 2], [3, 5], [5, 0]]}
        targets: {y: [[1], [2], [3]]}
        layers:
          - dense: {units: 3}
          - equations:
            - c[s,n] = a1[s,n] - mean(a1[t,n], t)
            - d[n] = 2*c[n]
          - dense: {units: 1}
        loss: sse
    """)
    assert graph.sample is not None
    sample = graph.sample.name
    assert {q.indices[0].name for q in graph.quantities if q.depends_on_sample} == {sample}
    assert all(len({symbol.name for symbol in q.indices}) == len(q.indices) for q in graph.quantities)


def test_dense_layers_act_on_the_last_axis_of_what_a_block_makes() -> None:
    v = forward("""
        inputs: {x: [1, 2]}
        parameters: {V: [[1, 2], [3, 4], [5, 6]]}
        layers:
          - equations:
            - m[t,j] = V[t,j]*x[j]
          - dense: {units: 3, activation: softmax}
        loss: sum(a2[t,i]**2, t, i)
    """)
    z = v["m"] @ v["W2"].T + v["b2"]
    assert_allclose(v["z2"], z)
    assert_allclose(v["a2"], np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))


def test_the_same_network_by_layers_and_by_equations() -> None:
    by_layers = forward("""
        inputs: {x: [[1, 2], [0.5, -1]]}
        targets: {y: [[0, 1], [1, 0]]}
        layers:
          - dense: {weights: [[0.5, 1], [-1, 0.25]], bias: [0.5, 1], activation: sigmoid}
        loss: mse
        regularise: {l2: 0.5}
    """)
    by_equations = forward("""
        inputs: {x: [[1, 2], [0.5, -1]]}
        targets: {y: [[0, 1], [1, 0]]}
        parameters: {W: [[0.5, 1], [-1, 0.25]], b: [0.5, 1]}
        equations:
          - z[i] = sum(W[i,j]*x[j], j) + b[i]
          - a[i] = 1/(1 + exp(-z[i]))
          - L = mean((a[i] - y[i])**2, i)
        loss: L
        regularise: {l2: 0.5}
    """)
    assert_allclose(by_layers["a1"], by_equations["a"])
    assert_allclose(by_layers["J"], by_equations["J"])


def test_frozen_parameters_are_noted() -> None:
    graph, _ = built(TWO_LAYERS + "    frozen: [W1, b2]\n")
    assert graph.frozen == {"W1", "b2"}


def test_a_size_alone_can_be_derived_but_has_no_values() -> None:
    graph, values = built("""
        inputs: {x: {size: 6}}
        targets: {y: {size: 2}}
        layers:
          - dense: {units: 2}
        loss: mse
    """)
    assert graph["W1"].shape == (2, 6)
    assert {name for name, array in values.items() if array is None} == {"x", "y"}


def test_parameters_are_drawn_by_initial() -> None:
    first = forward(TWO_LAYERS + "    initial: {seed: 1, decimals: 2}\n")["W1"]
    again = forward(TWO_LAYERS + "    initial: {seed: 1, decimals: 2}\n")["W1"]
    other = forward(TWO_LAYERS + "    initial: {seed: 2, decimals: 2}\n")["W1"]
    assert (first == again).all()
    assert (first != other).any()
    assert (np.round(first, 2) == first).all()
    assert np.abs(first).max() <= 1 / np.sqrt(3) + 0.005
