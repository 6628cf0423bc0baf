"""Layers of the library and positions in equations as users meet them: what is refused, what is computed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import backprop_cli as bp
from backprop_cli.symbolic.graph import Role
from tests.assembly.specs import problems

LINE = "[[1, 2, 3], [4, 5, 6]]"  # 2 steps of 3 features, 2 channels of length 3, or 2 samples


def stack(*layers: str, x: str = LINE, y: str = "", loss: str = "", extra: str = "") -> str:
    lines = [f"inputs: {{x: {x}}}", *([f"targets: {{y: {y}}}"] if y else []), "layers:"]
    lines += [f"  - {layer}" for layer in layers]
    lines += [f"loss: {loss}"] if loss else ["loss: mse"] if y else ["grad_output: {size: 1}"]
    return "\n".join([*lines, extra, ""])


def written(*equations: str, x: str = "[1, 2, 3, 4, 5]", parameters: str = "{w: [1, 2, 3]}", extra: str = "") -> str:
    lines = [f"inputs: {{x: {x}}}", f"parameters: {parameters}", "equations:"]
    return "\n".join([*lines, *(f"  - {equation}" for equation in equations), "loss: J", extra, ""])


def run(text: str, **values: object) -> bp.Trace:
    return bp.load(text).compile().run(values)


OPTIONS = [
    ("conv1d", ["3:5: 'conv1d' needs its options, such as conv1d: {filters: 4, kernel: 3}"]),
    ("conv1d: {}", ["3:5: 'filters' is missing", "3:5: 'kernel' is missing"]),
    ("conv1d: {filters: 0, kernel: 3}", ["3:23: expected a whole number from 1, not 0"]),
    ("conv1d: {filters: 2, kernel: [1, 2]}", ["3:34: expected a whole number, not 2 numbers"]),
    (
        "conv2d: {filters: 2, kernel: x}",
        ["3:34: expected a whole number or a pair of them, not text 'x'"],
    ),
    ("conv1d: {filters: 2, kernel: 2, stride: 0}", ["3:45: expected a whole number from 1, not 0"]),
    ("conv1d: {filters: 2, kernel: 2, padding: -1}", ["3:46: expected a whole number from 0, not -1"]),
    (
        "conv1d: {filters: 2, kernel: 9}",
        ["3:13: a window of 9 does not fit into a length of 3; 'x' is 2 x 3 (1:13)"],
    ),
    (
        "conv1d: {filters: 2, kernel: 9, padding: 2}",
        ["3:13: a window of 9 does not fit into a length of 3 with a padding of 2; 'x' is 2 x 3 (1:13)"],
    ),
    (
        "conv1d: {filters: 2, kernel: 2, weights: [[1, 2]]}",
        ["3:46: the kernels are 1 x 2, not 2 x 2 x 2 (filters x channels x kernel): 'x' is 2 x 3 (1:13)"],
    ),
    ("max_pool1d: {size: 4}", ["3:17: a window of 4 does not fit into a length of 3; 'x' is 2 x 3 (1:13)"]),
    ("max_pool1d: 2", ["3:17: expected options such as {size: 2}, not 2"]),
    ("max_pool2d: {size: 2}", ["3:17: max_pool2d takes channels x height x width, but 'x' is 2 x 3 (1:13)"]),
    ("layer_norm: {eps: 0}", ["3:23: expected a number above 0, not 0"]),
    (
        "layer_norm: {gamma: [1, 2]}",
        ["3:25: the scales are a list of 2, not a list of 3 (features): 'x' is a list of 3 per sample (1:13)"],
    ),
    ("dropout", ["3:5: 'dropout' needs its options, such as dropout: {p: 0.5, seed: 1}"]),
    ("dropout: {p: 1}", ["3:18: expected a number below 1, not 1"]),
    ("dropout: {mask: [1, 0]}", ["3:21: the mask is a list of 2, but 'x' is a list of 3 per sample (1:13)"]),
    ("embedding: {vocabulary: 5}", ["3:5: 'dim' is missing"]),
    ("attention: {heads: 2}", ["3:16: 2 heads do not divide vectors of 3 numbers evenly; 'x' is 2 x 3 (1:13)"]),
    ("attention: {causal: 3}", ["3:25: expected true or false, not 3"]),
    ("attention: {weights: {W_x: [[1]]}}", ["3:27: unknown parameter 'W_x'; did you mean 'W_v'?"]),
    (
        "attention: {weights: [[1]]}",
        [
            "3:26: expected a mapping from names to values, such as {W_q: [[1, 0], [0, 1]]}, not a list",
        ],
    ),
    ("rnn: {units: 2, output: first}", ["3:29: unknown output 'first'; expected all or last"]),
    ("rnn: {units: 2, bias: {b_x: [1]}}", ["3:28: unknown parameter 'b_x'; did you mean 'b_h'?"]),
    ("rnn: {units: 2, h0: [1]}", ["3:25: h0 is a list of 1, but the layer has 2 units"]),
    (
        "lstm: {units: 2, activation: relu}",
        [
            "3:22: unknown key 'activation'; "
            "expected name, from, share, units, output, weights, bias, h0, truncate or c0",
        ],
    ),
    ("lstm: {units: 2, c0: [1, 2, 3]}", ["3:26: c0 is a list of 3, but the layer has 2 units"]),
    ("gru: {units: 2, bias: {b_n: [1, 2]}}", ["3:28: unknown parameter 'b_n'; did you mean 'b_xn'?"]),
    ("flatten: {x: 1}", ["3:15: unknown key 'x'; expected name or from"]),
    ("lstn: {units: 2}", ["3:5: unknown layer 'lstn'; did you mean 'lstm'?"]),
    (
        "residual: {layers: [dense: {units: 1}]}",
        [
            "3:15: a residual layer adds its input to its output, but 'x' is a list of 3 per sample (1:13) and "
            "'a1_1' a list of 1 per sample (3:25)"
        ],
    ),
]


@pytest.mark.parametrize(("layer", "expected"), OPTIONS, ids=[layer for layer, _ in OPTIONS])
def test_what_is_wrong_with_a_layer(layer: str, expected: list[str]) -> None:
    assert (
        problems(stack(layer, loss="J0").replace("loss: J0", "grad_output: {shape: [1]}"))[: len(expected)] == expected
    )


def test_batch_norm_needs_a_batch() -> None:
    text = stack("batch_norm", x="[1, 2]", y="[1, 2]")
    assert problems(text) == ["4:5: batch_norm takes a batch of samples, but 'x' is a list of 2 (1:13)"]


@pytest.mark.parametrize(("token", "shown"), [("5", "5"), ("-1", "-1"), ("0.5", "0.5")])
def test_tokens_out_of_range(token: str, shown: str) -> None:
    text = stack("embedding: {vocabulary: 5, dim: 1}", x=f"[0, {token}]", y="[[1], [1]]")
    assert problems(text) == [f"1:17: {shown} is no position of 'W1'; 'x' has whole numbers from 0 to 4 here"]


@pytest.mark.parametrize("token", [[4, 0], [-1, 0], [0.5, 0]])
def test_other_tokens_out_of_range(token: list[float]) -> None:
    program = bp.load(stack("embedding: {vocabulary: 4, dim: 1}", x="[1, 2]", y="[[1], [1]]")).compile()
    with pytest.raises(bp.BackpropError, match=r"^'x' must hold whole numbers from 0 to 3$"):
        program.run({"x": token})


def test_two_recurrent_layers_of_one_name() -> None:
    found = problems(stack("lstm: {units: 1, name: q}", "lstm: {units: 1, name: q}", y="[[1], [1]]"))
    assert "'W_xi_q' would be" in "".join(found)


NAMES = [
    ("flatten: {name: r}", "a_r", ""),
    ("conv1d: {filters: 2, kernel: 2, name: r}", "z_r a_r", "W_r b_r"),
    ("max_pool1d: {size: 2, name: r}", "a_r", ""),
    ("layer_norm: {name: r}", "mu_r var_r xhat_r a_r", "gamma_r beta_r"),
    ("attention: {name: r}", "q_r k_r v_r s_r p_r c_r a_r", "W_q_r W_k_r W_v_r W_o_r"),
    ("rnn: {units: 2, name: r}", "z_r h_r", "W_xh_r W_hh_r b_h_r"),
    ("rnn: {units: 2, name: r, output: last}", "z_r h_r a_r", "W_xh_r W_hh_r b_h_r"),
    (
        "gru: {units: 2, name: r}",
        "r_r z_r n_r h_r",
        "W_xr_r W_hr_r W_xz_r W_hz_r W_xn_r W_hn_r b_r_r b_z_r b_xn_r b_hn_r",
    ),
    ("residual: {name: r, layers: [tanh: {name: s}]}", "a_r_s a_r", ""),
]


@pytest.mark.parametrize(("layer", "quantities", "parameters"), NAMES, ids=[layer for layer, _, _ in NAMES])
def test_names_of_a_layer(layer: str, quantities: str, parameters: str) -> None:
    x = f"{{value: {LINE}, batch: false}}"
    output = quantities.split()[-1]
    graph = bp.load(
        stack(layer, x=x, loss=f"{output}[{'1' if 'flatten' in layer or 'last' in layer else '1,1'}]")
    ).graph
    names = {role: [q.name for q in graph.quantities if q.role.value == role] for role in ("parameter",)}
    computed = [q.name for q in graph.quantities if not q.is_given and q.name != "J"]
    assert names["parameter"] == parameters.split()
    assert computed == quantities.split()


SHARED = [
    (("rnn: {units: 3}", "rnn: {units: 3, share: [W_xh1, W_hh1, b_h1]}"), []),
    (("rnn: {units: 3}", "rnn: {units: 3, share: W_hh1}"), ["W_xh2", "b_h2"]),
    (("attention", "attention: {share: [W_q1, W_o1]}"), ["W_k2", "W_v2"]),
    (("rnn: {units: 3}", "layer_norm", "layer_norm: {share: [gamma2, beta2]}"), []),
    (("conv1d: {filters: 2, kernel: 3, padding: 1}", "conv1d: {filters: 2, kernel: 3, padding: 1, share: W1}"), ["b2"]),
]


@pytest.mark.parametrize(("layers", "own"), SHARED)
def test_layers_share_parameters(layers: tuple[str, ...], own: list[str]) -> None:
    network = bp.load(stack(*layers, y=LINE))
    last = len(layers)
    assert [q.name for q in network.graph.quantities if q.role.value == "parameter" and q.layer == last] == own
    assert not network.verify().disagreeing


def test_a_dense_layer_shares_a_parameter_of_another_kind() -> None:
    network = bp.load(stack("attention", "dense: {share: W_v1}", y=LINE))
    assert [q.name for q in network.graph.with_role(Role.PARAMETER)] == ["W_q1", "W_k1", "W_v1", "W_o1", "b2"]
    assert not network.verify().disagreeing


def test_the_name_of_a_parameter_says_what_it_is_to_a_layer() -> None:
    given = "parameters: {W_k: [[1, 2, 0], [3, 4, 0], [0, 0, 1]], W_o_tied: [[0, 0, 1], [0, 1, 0], [1, 0, 0]]}\n"
    network = bp.load(given + stack("attention: {share: [W_k, W_o_tied]}", y=LINE))
    assert [q.name for q in network.graph.with_role(Role.PARAMETER)] == ["W_k", "W_o_tied", "W_q1", "W_v1"]
    trace = network.compile().run()
    assert_allclose(trace.forward["k1"], np.array([[5, 11, 3], [14, 32, 6]]))
    assert_allclose(trace.forward["a1"], trace.forward["c1"][:, ::-1])


UNCLEAR = [
    (
        "attention: {share: W2}",
        "'W2' could be W_q, W_k, W_v or W_o here; share a parameter that is one of them in its own layer, or one of "
        "'parameters' with that name",
    ),
    (
        "lstm: {units: 3, share: [b2]}",
        "'b2' could be b_i, b_f, b_o or b_g here; share a parameter that is one of them in its own layer, or one of "
        "'parameters' with that name",
    ),
    ("attention: {share: b2}", "'b2' is a list of 3, and can be none of W_q, W_k, W_v or W_o here"),
    ("attention: {share: [W_q, W_q1]}", "'W_q1' and 'W_q' would both be the weights of the queries of this layer"),
    (
        "layer_norm: {share: b2}",
        "'b2' could be gamma or beta here; share a parameter that is one of them in its own layer, "
        "or one of 'parameters' with that name",
    ),
]


@pytest.mark.parametrize(("layer", "expected"), UNCLEAR)
def test_what_a_shared_parameter_is_has_to_be_clear(layer: str, expected: str) -> None:
    given = "parameters: {W_q: {shape: [3, 3]}}\n"
    text = given + stack("attention", "dense: {units: 3}", layer, y=LINE)
    assert [problem.partition(": ")[2] for problem in problems(text)] == [expected]


def test_a_shared_parameter_has_to_fit() -> None:
    text = stack("rnn: {units: 3}", "rnn: {units: 2, share: W_hh1}", y=LINE)
    assert problems(text) == [
        "5:28: the weights of the state are 3 x 3, not 2 x 2 (units x states): 'h1' is 2 x 3 (4:10)"
    ]


PENALISED = [
    ("conv1d: {filters: 2, kernel: 2}", "[[1, 2], [1, 2]]", {"W1"}),
    ("attention", LINE, {"W_q1", "W_k1", "W_v1", "W_o1"}),
    ("rnn: {units: 2}", "[[1, 2], [1, 2]]", {"W_xh1", "W_hh1"}),
    ("residual: {layers: [rnn: {units: 3}]}", LINE, {"W_xh1_1", "W_hh1_1"}),
]


@pytest.mark.parametrize(("layer", "y", "expected"), PENALISED)
def test_which_parameters_are_penalised(layer: str, y: str, expected: set[str]) -> None:
    plain = run(stack(layer, y=y)).gradients
    penalised = run(stack(layer, y=y, extra="regularise: {l2: 0.1}")).gradients
    assert {name for name in plain if not np.allclose(plain[name], penalised[name])} == expected


def test_the_output_of_a_recurrent_layer_is_called_a_too() -> None:
    for name in ("a1", "h1"):
        trace = run(stack("rnn: {units: 2}", f'equations: ["m[i] = mean({name}[t,i], t)"]', y="[1, 2]"))
        assert_allclose(trace.forward["m"], trace.forward["h1"].mean(axis=0))


ONES = [
    ("rnn: {units: 2}", "[[1, 2, 3]]", "[[1, 2]]"),
    ("lstm: {units: 1}", "[[[1]]]", "[[[1]]]"),
    ("gru: {units: 1}", "[[[1]]]", "[[[1]]]"),
    ("attention: {causal: true}", "[[1, 2]]", "[[1, 2]]"),
    ("conv1d: {filters: 1, kernel: 1}", "[[1, 2]]", "[[1, 2]]"),
    ("conv2d: {filters: 1, kernel: 1}", "[[[1]]]", "[[[1]]]"),
    ("batch_norm", "[[1, 2]]", "[[1, 2]]"),
]


@pytest.mark.parametrize(("layer", "x", "y"), ONES)
def test_one_step_one_channel_one_sample(layer: str, x: str, y: str) -> None:
    assert not bp.load(stack(layer, x=x, y=y)).verify().disagreeing


SEQUENCES = [
    ("embedding: {vocabulary: 3, dim: 4}", "attention: {heads: 2, causal: true}", "dense: {units: 3}"),
    ("embedding: {vocabulary: 3, dim: 2}", "residual: {layers: [layer_norm, rnn: {units: 2}]}", "dense: {units: 3}"),
    ("embedding: {vocabulary: 3, dim: 2}", "dropout: {p: 0.5, seed: 3}", "lstm: {units: 3}", "tanh"),
]


@pytest.mark.parametrize("layers", SEQUENCES)
def test_the_cost_of_a_sequence_is_the_sum_over_its_steps(layers: tuple[str, ...]) -> None:
    trace = run(stack(*layers, x="[0, 2, 1]", y="[2, 0, 0]", loss="cross_entropy"))
    logits = list(trace.forward.values())[-2]
    expected = sum(np.log(np.exp(row).sum()) - row[target] for row, target in zip(logits, [2, 0, 0], strict=True))
    assert_allclose(trace.loss, expected)


@pytest.mark.parametrize("batch", [False, True])
def test_a_loss_by_name_is_a_mean_within_each_step_and_a_sum_over_them(batch: bool) -> None:
    x, y = "[[1, 0], [0, 1], [1, 1]]", "[[1, 2], [0, 1], [3, 0]]"
    x, y = (f"[{x}, {x}]", f"[{y}, {y}]") if batch else (x, y)
    trace = run(stack("rnn: {units: 3}", "dense: {units: 2, activation: tanh}", x=x, y=y, loss="mse"))
    expected = ((trace.forward["a2"] - trace.given["y"]) ** 2).sum() / 2 / (1 + batch)
    assert_allclose(trace.loss, expected)


@pytest.mark.parametrize(
    "layers",
    [
        ("rnn: {units: 2}",),
        ("rnn: {units: 4}", "dense: {units: 2}"),
        ("rnn: {units: 4}", "dense: {units: 3, activation: tanh}", "dense: {units: 2}", "tanh"),
        ("attention", "residual: {layers: [dense: {units: 3}]}", "dense: {units: 2}"),
    ],
)
def test_a_mean_over_the_outputs_of_a_sequence_is_one_of_each_step(layers: tuple[str, ...]) -> None:
    y = [[1, 0], [0, 1]]
    trace = run(stack(*layers, x="[[1, 2, 3], [4, 5, 6]]", y=str(y)))
    output = list(trace.forward.values())[-2]
    assert_allclose(trace.loss, ((output - y) ** 2).mean(axis=1).sum())


def test_another_batch_size() -> None:
    text = stack("conv1d: {filters: 2, kernel: 2}", "flatten", "dense: {units: 1}", x="[[[1, 2, 3]]]", y="[[1]]")
    assert run(text, x=np.ones((3, 1, 3)), y=np.ones((3, 1))).forward["a2"].shape == (3, 4)


@pytest.mark.parametrize("layers", [("conv1d: {filters: 2, kernel: 3}", "flatten"), ("gru: {units: 2, output: last}",)])
def test_size_only_inputs_are_derived(layers: tuple[str, ...]) -> None:
    text = stack(*layers, "dense: {units: 1}", x="{shape: [4, 5]}", y="{size: 1}")
    assert bp.load(text).derive().as_data()["steps"]


# Positions

COST = "J = sum(z[p]**2, p)"
READ = [
    ("z[p] = sum(w[k]*x[p+k-1], k)", "", [14, 20, 26]),
    ("z[p] = sum(w[k]*x[2*(p-1)+k], k)", "", [14, 26]),
    ("z[p] = sum(w[k]*x[p+2*(k-1)], k)", "", [22]),
    ("z[p] = sum(w[k]*x[p+k-2], k)", "ranges: {p: 5}", [8, 14, 20, 26, 14]),
    ("z[p] = sum(w[k]*x[p-k+1], k)", "ranges: {p: 7}", [1, 4, 10, 16, 22, 22, 15]),
    ("z[p] = x[6-p]", "", [5, 4, 3, 2, 1]),
    ("z[p] = x[11-2*p]", "ranges: {p: 6}", [0, 0, 5, 3, 1, 0]),
    ("z[p] = x[p]*x[p-1]", "", [0, 2, 6, 12, 20]),
    ("z[p] = x[p]*x[p+1]", "ranges: {p: 5}", [2, 6, 12, 20, 0]),
    ("z[p] = p*x[p]", "", [1, 4, 9, 16, 25]),
]


@pytest.mark.parametrize(("equation", "extra", "expected"), READ, ids=[equation for equation, _, _ in READ])
def test_shifted_positions(equation: str, extra: str, expected: list[float]) -> None:
    network = bp.load(written(equation, COST, extra=extra))
    assert_allclose(network.compile().run().forward["z"], expected)
    assert not network.verify().disagreeing


def test_an_array_read_backwards_passes_its_gradient_back() -> None:
    trace = run(written("z[i] = x[6-i]", "J = sum(z[i]*x[i], i)"))
    assert_allclose(trace.gradients["x"], [10, 8, 6, 4, 2])


def test_a_kernel_longer_than_what_it_reads_backwards() -> None:
    text = written("z[k] = sum(w[p]*x[p-k+2], p)", "J = sum(k*z[k]**2, k)", extra="ranges: {k: 6}")
    assert not bp.load(text).verify().disagreeing


def test_argmin_as_a_position() -> None:
    separate = written("m = argmin(abs(x[i]-w), i)", "z = x[m]", "J = (z-w)**2", parameters="{w: 3.2}")
    inside = written("z = x[argmin(abs(x[i]-w), i)]", "J = (z-w)**2", parameters="{w: 3.2}")
    for text in (separate, inside):
        trace = run(text)
        assert_allclose(trace.loss, 0.04)
        assert_allclose(trace.gradients["x"], [0, 0, -0.4, 0, 0])
        assert not bp.load(text).verify().disagreeing


def test_the_nearest_row_as_a_position() -> None:
    nearest = "z[n,i] = C[argmin(sum((x[n,j]-C[k,j])**2, j), k), i]"
    text = written(
        nearest,
        "J = sum((z[n,i]-x[n,i])**2, n, i)",
        x="[[1, 2], [3, 4.5]]",
        parameters="{C: [[1, 1], [3, 3], [3, 5]]}",
    )
    assert_allclose(run(text).forward["z"], [[1, 1], [3, 5]])
    assert not bp.load(text).verify().disagreeing


def test_flatten() -> None:
    cost = "J = sum(f[i]**2, i)"
    for equations in (("f = flatten(x)", cost), ("f[i] = flatten(x)[i]", cost)):
        assert_allclose(run(written(*equations, x="[[1, 2], [3, 4]]")).forward["f"], [1, 2, 3, 4])
    assert_allclose(run(written("f = flatten(x)", cost)).forward["f"], [1, 2, 3, 4, 5])


IN_POSITIONS = [
    (
        "z[p] = sum(w[k]*x[p+k-2], k)",
        "'p' starts at 1, and at p = 1 and k = 1 this reads position 0 of x (a list of 5, 1:13); shift the position, "
        "or fix the range with 'ranges: {p: ...}' if what lies outside shall read 0",
    ),
    (
        "z[p] = x[p-1]",
        "'p' starts at 1, and at p = 1 this reads position 0 of x (a list of 5, 1:13); shift the position, or fix the "
        "range with 'ranges: {p: ...}' if what lies outside shall read 0",
    ),
    (
        "z[p] = x[p+1] - x[p-1]",
        "'p' starts at 1, and at p = 1 this reads position 0 of x (a list of 5, 1:13); shift the position, or fix the "
        "range with 'ranges: {p: ...}' if what lies outside shall read 0",
    ),
    (
        "z[p] = x[p]*x[p+1]",
        "index 'p' has range 5 from x (a list of 5, 1:13), so this reads position 6 of x (a list of 5, 1:13); "
        "fix the range with 'ranges' if what lies outside shall read 0",
    ),
    ("z[p] = sum(w[k]*x[p+k+2], k)", "no value of 'p' from 1 keeps this position inside x (a list of 5, 1:13)"),
    ("z[p] = w[p]*x[0]", "'x' has no position 0 here; they run from 1 to 5"),
    ("z[p] = w[p]*x[1.5]", "positions are whole numbers"),
    (
        "z[p] = x[p*p]",
        "a position is an index, a whole number, a quantity of whole numbers, or a sum of such, like x[2*(p-1)+k]",
    ),
    (
        "z[p] = w[x[p]]",
        "4 is no position of 'w'; 'x' has whole numbers from 1 to 3 here",
    ),
    (
        "z[p] = x[w[p]]",
        "'w' stands in a position, but it is a parameter; positions are tokens, argmin, argmax and indices",
    ),
    ("z[p] = flatten(x)", "flatten gives all positions at once; write z = flatten(...), without an index"),
    (
        "z[p] = x[p]*z[p+1]",
        "'z' stands in its own equation; there only earlier steps of it, such as z[t-1], have values",
    ),
]


@pytest.mark.parametrize(("equation", "expected"), IN_POSITIONS, ids=[equation for equation, _ in IN_POSITIONS])
def test_what_is_wrong_with_a_position(equation: str, expected: str) -> None:
    found = [problem.partition(": ")[2] for problem in problems(written(equation, COST))]
    assert found[0] == expected


IN_RANGES = [
    ("ranges: {q: 2}", "6:10: no equation has an index 'q'; expected p"),
    ("ranges: [4]", "6:9: expected a mapping from names to values, such as {p: 4}, not a list"),
    ("ranges: {p: 0}", "6:13: expected a whole number from 1, not 0"),
    ("ranges: {p: 2.5}", "6:13: expected a whole number from 1, not 2.5"),
]


@pytest.mark.parametrize(("extra", "expected"), IN_RANGES)
def test_what_is_wrong_with_ranges(extra: str, expected: str) -> None:
    text = written("z[p] = x[p]", COST, extra=extra)
    line = text.splitlines().index(extra) + 1
    assert problems(text) == [f"{line}{expected[1:]}"]


# Loops

LOOPS = [
    (("h[t] = w*h[t-1] + x[t]", "J = h[5]"), 8.0625),
    (("h[0] = s", "h[t] = w*h[t-1] + x[t]", "J = h[5]"), 8.125),
    (("h[t] = w*h[t-1] + x[t]", "h[0] = s", "J = h[5]"), 8.125),
    (("h[t] = w*h[t-1] + h[t-2] + x[t]", "J = h[5]"), 14.8125),
    (("c[t] = h[t-1] + x[t]", "h[t] = w*c[t]", "J = h[5]"), 4.03125),
    (("h[t] = w*h[t-1] + x[t]", "g[t] = w*g[t-1] + h[t]", "J = g[5]"), 12.5625),
    (("c[t] = w*h[t-1]", "h[t] = c[t] + x[t]", "J = h[5]"), 8.0625),
    (("h[0] = s", "h[t] = w*h[t-1] + x[t]", "J = h[5] + h0"), 10.125),
]


@pytest.mark.parametrize(("equations", "expected"), LOOPS)
def test_loops(equations: tuple[str, ...], expected: float) -> None:
    network = bp.load(written(*equations, parameters="{w: 0.5, s: 2}"))
    assert_allclose(network.compile().run().loss, expected)
    assert not network.verify().disagreeing


def test_a_loop_whose_range_the_spec_fixes() -> None:
    text = written("h[0] = 1", "h[t] = w*h[t-1]", "J = h[5]", parameters="{w: 0.5}", extra="ranges: {t: 5}")
    trace = run(text)
    assert_allclose((trace.loss, trace.gradients["w"]), (0.5**5, 5 * 0.5**4))


INITIAL = [  # an initial state, and what it is for the two units
    ("h[0,i] = 1", [1, 1]),
    ("h[0,i] = 2*i", [2, 4]),
    ("h[0,i] = s[2]", [4, 4]),
    ("h[0,i] = s[i] - 1", [2, 3]),
]


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize(("initial", "expected"), INITIAL)
def test_the_state_tells_the_size_of_its_initial_state(initial: str, expected: list[int], first: bool) -> None:
    before = ("z[t,i] = x[t,i]", "g[t,i] = sum(w[i,j]*h[t-1,j], j)", "h[t,i] = g[t,i] + z[t,i]")
    equations = (initial, *before) if first else (*before, initial)
    text = written(
        *equations,
        "J = sum(h[3,i], i)",
        x="{value: [[1, 2], [3, 4], [5, 6]], batch: false}",
        parameters="{w: [[0.5, 0.25], [1, 2]], s: [3, 4]}",
    )
    w, h = np.array([[0.5, 0.25], [1, 2]]), np.array(expected)
    network = bp.load(text)
    trace = network.compile().run()
    assert_allclose(trace.forward["h0"], expected)
    for x in ([1, 2], [3, 4], [5, 6]):
        h = w @ h + x
    assert_allclose(trace.loss, h.sum())
    assert not network.verify().disagreeing


def test_the_initial_state_of_samples_that_are_written() -> None:
    text = written(
        "h[n,0,i] = 1",
        "h[n,t,i] = w*h[n,t-1,i] + x[n,t,i]",
        "J = mean(h[n,2,i], n, i)",
        x="[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]",
        parameters="{w: 0.5}",
    )
    trace = run(text)
    assert_allclose(trace.forward["h0"], np.ones((2, 2)))
    assert_allclose(trace.forward["h"][:, 1], [[3.75, 5.25], [9.75, 11.25]])


@pytest.mark.parametrize("other", ["h[t-1,s]", "h[t,s-1]", "1"])
def test_a_loop_along_a_diagonal(other: str) -> None:
    text = written(
        f"h[t,s] = w*h[t-1,s-1]*x[t,s] + 2*{other} + x[t,s]",
        "J = sum(h[t,s]**2, t, s)",
        x="{value: [[1, 2, 3], [3, 4, 5]], batch: false}",
        parameters="{w: 0.5}",
    )
    x, h = np.array([[1, 2, 3], [3, 4, 5]]), np.zeros((3, 4))
    for t, s in np.ndindex(2, 3):
        before = {"h[t-1,s]": h[t, s + 1], "h[t,s-1]": h[t + 1, s], "1": 1}[other]
        h[t + 1, s + 1] = 0.5 * h[t, s] * x[t, s] + 2 * before + x[t, s]
    network = bp.load(text)
    assert_allclose(network.compile().run().forward["h"], h[1:, 1:])
    assert not network.verify().disagreeing


IN_LOOPS = [
    (("h[t] = w*h[t-1] + h[t+1]",), ["4:23: 'h' has no value yet at a later step; use an earlier one, such as h[t-1]"]),
    (
        ("c[t] = h[t-1] + x[t]", "h[t] = w*c[t+1]"),
        ["5:14: 'c' has no value yet at a later step; use an earlier one, such as c[t-1]"],
    ),
    (
        ("h[t] = w*h[t-1]",),
        ["4:5: the range of index 't' is not known: no shape tells it; fix it with 'ranges: {t: ...}'"],
    ),
    (
        ("h[0] = 1", "h[t] = x[t]"),
        ["4:5: 'h[0]' is a state before the first step, but no equation uses an earlier step, h[t-1]"],
    ),
    (
        ("h[t] = w*c[t]", "c[t] = h[t-1] + x[t]"),
        ["4:14: 'c' is defined further down (5:5); an equation uses what stands before it"],
    ),
    (
        ("h[t] = h[t-1] + x[t] + h[0]",),
        [
            "4:28: 'h' has no step 0; before the first step it is 0, unless an equation h[0] = ... "
            "gives an initial state",
        ],
    ),
    (
        ("h[0] = 1", "h[t] = h[t-1] + x[t]", "c = h[0]"),
        ["6:11: 'h' has no step 0; its initial state is a quantity of its own: write h0"],
    ),
    (
        ("h[t] = h[t-1] + x[t]", "c = h[0]"),
        [
            "5:11: 'h' has no step 0; before the first step it is 0, unless an equation h[0] = ... "
            "gives an initial state"
        ],
    ),
    (
        ("h[t,s] = h[t-1,s] + h[t,s-1] + x[t]*x[s]",),
        [
            "4:25: 'h' goes a step back along 's' here, but the steps are counted by 't'; "
            "only one index can count steps",
        ],
    ),
]


@pytest.mark.parametrize(("equations", "expected"), IN_LOOPS)
def test_what_is_wrong_with_a_loop(equations: tuple[str, ...], expected: list[str]) -> None:
    assert problems(written(*equations, "J = h[5]", parameters="{w: 0.5}")) == expected
