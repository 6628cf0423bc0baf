"""The compiled program: its interface, its errors, and that it keeps its hands off other people's arrays."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import combinations
from typing import Any

import numpy as np
import pytest

import backprop_cli as bp
from backprop_cli.numeric.compiling import compiled as compiled_schedule
from backprop_cli.numeric.operations import Table
from backprop_cli.numeric.program import Program
from backprop_cli.numeric.schedule import schedule

TANH = {
    "inputs": {"x": [[0.5, -1.0], [0.3, 0.8], [-0.2, 0.1]]},
    "targets": {"y": [[1.0], [0.0], [-1.0]]},
    "layers": [
        {"dense": {"units": 2, "activation": "tanh", "weights": [[0.1, 0.2], [0.3, 0.4]], "bias": [0.1, -0.1]}},
        {"dense": {"units": 1, "weights": [[0.7, -0.6]], "bias": [0.05]}},
    ],
    "loss": "mse",
}


def program(spec: dict[str, Any]) -> Program:
    return bp.load(json.dumps(spec) + "\n").compile()


def test_names_of_arguments_and_outputs() -> None:
    compiled = program(TANH)
    assert compiled.arguments == ("x", "y", "W1", "b1", "W2", "b2")
    assert compiled.outputs == ("J", "dJ/dW1", "dJ/db1", "dJ/dW2", "dJ/db2", "dJ/dx")


def test_the_bare_function_agrees_with_the_run() -> None:
    compiled = program(TANH)
    trace = compiled.run()
    results = compiled.function(*(trace.given[name] for name in compiled.arguments))
    assert len(results) == len(compiled.outputs)
    for name, value in zip(compiled.outputs, results, strict=True):
        expected = trace.loss if name == "J" else trace.gradients[name.removeprefix("dJ/d")]
        np.testing.assert_allclose(value, expected, rtol=1e-14)


def test_by_hand() -> None:
    trace = program(TANH).run()
    x, y = np.array(TANH["inputs"]["x"]), np.array(TANH["targets"]["y"])
    W1, b1 = np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([0.1, -0.1])
    a1 = np.tanh(x @ W1.T + b1)
    z2 = a1 @ np.array([[0.7], [-0.6]]) + 0.05
    assert trace.loss == pytest.approx(((z2 - y) ** 2).mean(), rel=1e-15)
    np.testing.assert_allclose(trace.forward["a1"], a1, rtol=1e-15)
    np.testing.assert_allclose(trace.gradients["b2"], (2 / 3 * (z2 - y)).sum(axis=0), rtol=1e-14)
    np.testing.assert_allclose(trace.gradients["W2"], 2 / 3 * (z2 - y).T @ a1, rtol=1e-14)


def test_the_source_is_what_someone_would_write() -> None:
    assert program(TANH).source == (
        "import numpy as np\n"
        "\n"
        "ones_3 = np.ones(3)\n"
        "\n"
        "\n"
        "def forward_and_backward(x, y, W1, b1, W2, b2):\n"
        '    """One forward and backward pass over float64 arrays of these shapes:\n'
        "\n"
        "    x (3, 2), y (3, 1), W1 (2, 2), b1 (2,), W2 (1, 2), b2 (1,)\n"
        '    """\n'
        "    z1 = x.dot(W1.T) + b1\n"
        "    a1 = np.tanh(z1)\n"
        "    z2 = a1.dot(W2.T) + b2\n"
        "    t1 = z2 - y\n"
        "    J = 0.3333333333333333*t1.ravel().dot(t1.ravel())\n"
        "    dz2 = 0.6666666666666666*t1\n"
        "    db2 = ones_3.dot(dz2)\n"
        "    dW2 = dz2.T.dot(a1)\n"
        "    da1 = dz2.dot(W2)\n"
        "    dz1 = da1*(1.0 - a1*a1)\n"
        "    db1 = ones_3.dot(dz1)\n"
        "    dW1 = dz1.T.dot(x)\n"
        "    dx = dz1.dot(W1)\n"
        "    return J, dW1, db1, dW2, db2, dx\n"
    )


def test_the_source_is_a_module() -> None:
    spec = {**TANH, "layers": [{"dense": {"units": 1, "activation": "gelu"}}], "regularise": {"l2": 0.1}}
    compiled = program(spec)
    module: dict[str, Any] = {}
    exec(compiled.source, module)
    given = [compiled.run().given[name] for name in compiled.arguments]
    for ours, theirs in zip(compiled.function(*given), module["forward_and_backward"](*given), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_large_arrays_overwrite_what_is_dead() -> None:
    spec = {
        "inputs": {"x": {"shape": [512, 60]}},
        "targets": {"y": {"shape": [512, 40]}},
        "layers": [{"dense": {"units": 50, "activation": "relu"}}, {"dense": {"units": 40, "activation": "sigmoid"}}],
        "loss": "mse",
    }
    body = program(spec).source.split('    """\n')[1]
    assert body == (
        "    z1 = x.dot(W1.T)\n"
        "    z1 += b1\n"
        "    a1 = np.maximum(z1, 0.0)\n"
        "    z2 = a1.dot(W2.T)\n"
        "    z2 += b2\n"
        "    a2 = np.negative(z2, out=z2)\n"
        "    a2 = np.exp(a2, out=a2)\n"
        "    a2 += 1.0\n"
        "    a2 = np.divide(1.0, a2, out=a2)\n"
        "    t1 = a2 - y\n"
        "    J = 4.8828125e-05*t1.ravel().dot(t1.ravel())\n"
        "    da2 = np.multiply(9.765625e-05, t1, out=t1)\n"
        "    dz2 = np.multiply(da2, a2, out=da2)\n"
        "    t2 = np.subtract(1.0, a2, out=a2)\n"
        "    dz2 *= t2\n"
        "    db2 = ones_512.dot(dz2)\n"
        "    dW2 = dz2.T.dot(a1)\n"
        "    da1 = dz2.dot(W2)\n"
        "    dz1 = np.multiply(da1, z1 > 0.0, out=da1)\n"
        "    db1 = ones_512.dot(dz1)\n"
        "    dW1 = dz1.T.dot(x)\n"
        "    dx = dz1.dot(W1)\n"
        "    return J, dW1, db1, dW2, db2, dx\n"
    )


SPECS = {
    "batch": TANH,
    "one sample": {
        **TANH,
        "inputs": {"x": [1.0, 2.0]},
        "targets": {"y": [0.5]},
    },
    "cross entropy with a class": {
        "inputs": {"x": [[1.0, 2.0], [0.5, -1.0]]},
        "targets": {"y": [1, 0]},
        "layers": ["relu", {"dense": {"units": 3}}],
        "loss": "cross_entropy",
    },
    "gradients of the same numbers": {
        "inputs": {"x": [1.0, 2.0], "u": [0.0, 1.0]},
        "parameters": {"b": [1.0, 1.0], "c": [2.0, 2.0]},
        "equations": ["z[i] = x[i] + u[i] + b[i] + c[i]", "J = sum(z[i]**2, i)"],
        "loss": "J",
    },
    "gradients that are arguments": {
        "inputs": {"x": [1.0, 2.0]},
        "parameters": {"w": [3.0, 4.0], "s": 2.0},
        "equations": ["J = sum(w[i]*x[i], i) + s"],
        "loss": "J",
    },
    "unused parameters": {
        "inputs": {"x": [1.0, 2.0]},
        "parameters": {"w": [3.0, 4.0], "b": [3.0, 4.0], "s": 1.0},
        "equations": ["J = sum(x[i], i)"],
        "loss": "J",
    },
    "a module on its own": {
        "inputs": {"x": [1.0, 2.0]},
        "layers": [{"dense": {"units": 2, "weights": [[1, 2], [3, 4]], "bias": [0, 0]}}],
        "grad_output": [1.0, 2.0],
    },
    "names of Python": {
        "inputs": {"in": [1.0, 2.0], "np": 3.0, "σ": 0.5},
        "parameters": {"lambda": [3.0, 4.0], "print": 2.0, "dz": 1.0, "ones_2": 1.5},
        "equations": [
            "z[i] = lambda[i]*in[i] + dz",
            "erf_1[i] = z[i]*print*ones_2",
            "J = sum(erf_1[i]*np**2, i) + σ + exp(np)",
        ],
        "loss": "J",
    },
}


@pytest.mark.parametrize("name", SPECS)
def test_no_result_shares_memory(name: str) -> None:
    compiled = program(SPECS[name])
    given = [compiled.run().given[argument] for argument in compiled.arguments]
    before = [array.copy() for array in given]
    results = [value for value in compiled.function(*given) if isinstance(value, np.ndarray)]
    for left, right in combinations([*results, *given], 2):
        assert not np.shares_memory(left, right)
    for array, copy in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    trace = compiled.run()
    values = [*trace.forward.values(), *trace.gradients.values()]
    arrays = [value for value in values if isinstance(value, np.ndarray)]
    for left, right in combinations(arrays, 2):
        assert not np.shares_memory(left, right)


@pytest.mark.parametrize("name", SPECS)
def test_every_gradient_by_differences(name: str) -> None:
    compiled = program(SPECS[name])
    if "J" not in compiled.outputs:
        pytest.skip("there is no cost to differentiate")
    trace = compiled.run()
    for argument, value in trace.given.items():
        if argument not in trace.gradients:
            continue
        expected = np.empty(value.shape)
        for place in np.ndindex(value.shape):
            costs = []
            for step in (1e-6, -1e-6):
                moved = value.copy()
                moved[place] += step
                costs.append(compiled.run({argument: moved}).loss or 0.0)
            expected[place] = (costs[0] - costs[1]) / 2e-6
        np.testing.assert_allclose(trace.gradients[argument], expected, rtol=1e-6, atol=1e-6, err_msg=argument)


def test_scalars_are_floats() -> None:
    trace = program({**SPECS["unused parameters"]}).run()
    assert type(trace.forward["J"]) is float
    assert type(trace.gradients["s"]) is float
    assert trace.gradients["s"] == 0.0
    np.testing.assert_array_equal(trace.gradients["w"], [0.0, 0.0])


def test_scalar_arguments_may_be_plain_numbers() -> None:
    equations = ["yhat = w*x", "S = yhat - y", "L = S**2"]
    spec = {"inputs": {"x": 1}, "targets": {"y": 2}, "parameters": {"w": 1}, "equations": equations, "loss": "L"}
    compiled = program(spec)
    assert compiled.function(1.0, 2.0, 1.0) == (1.0, -2.0, -2.0)
    assert compiled.function(np.array(1.0), np.array(2.0), np.array(1.0)) == (1.0, -2.0, -2.0)


def test_forward_and_gradients_of_the_trace() -> None:
    trace = program(TANH).run()
    assert list(trace.forward) == ["z1", "a1", "z2", "a2", "J"]
    assert list(trace.gradients) == ["W1", "b1", "W2", "b2", "z1", "a1", "z2", "a2", "x"]
    assert trace.forward["yhat"] is trace.forward["a2"]
    assert "yhat" not in list(trace.forward)
    assert trace.forward["J"] == trace.loss
    with pytest.raises(KeyError):
        trace.forward["a9"]


def test_a_module_on_its_own_has_no_loss() -> None:
    compiled = program(SPECS["a module on its own"])
    assert compiled.outputs == ("dJ/dW1", "dJ/db1", "dJ/dx")
    trace = compiled.run()
    assert trace.loss is None
    np.testing.assert_array_equal(trace.gradients["x"], [7.0, 10.0])
    np.testing.assert_array_equal(compiled.run({"grad_output": [0, 1]}).gradients["x"], [3.0, 4.0])


def test_helpers_and_losses_of_samples_stay_inside() -> None:
    trace = program(SPECS["cross entropy with a class"]).run()
    assert list(trace.forward) == ["a1", "z2", "a2", "J"]
    assert list(trace.gradients) == ["W2", "b2", "a1", "z2", "a2", "x"]


def test_the_loss_under_its_own_name() -> None:
    equations = ["z[i] = w*x[i]", "L = sum(z[i]**2, i)"]
    spec = {"inputs": {"x": [[1, 2], [3, 4]]}, "parameters": {"w": 1}, "equations": equations, "loss": "L"}
    trace = program(spec).run()
    assert list(trace.forward) == ["z", "L"]
    assert trace.forward["L"] == trace.loss == trace.forward["J"] == 15.0


def test_overrides() -> None:
    compiled = program(TANH)
    assert compiled.run({"W1": np.zeros((2, 2)), "b1": [0, 0]}).forward["a1"].tolist() == [[0.0, 0.0]] * 3  # type: ignore[union-attr]
    assert compiled.run().loss == compiled.run({}).loss


def test_another_size_of_batch() -> None:
    compiled = program(TANH)
    x, y = [[0.5, -1.0], [0.3, 0.8]], [[1.0], [0.0]]
    small = program({**TANH, "inputs": {"x": x}, "targets": {"y": y}}).run()
    other = compiled.run({"x": x, "y": y})
    assert other.loss == small.loss
    np.testing.assert_array_equal(other.gradients["W1"], small.gradients["W1"])
    assert compiled.run({"x": x[:1], "y": y[:1]}).forward["z1"].shape == (1, 2)  # type: ignore[union-attr]


ERRORS = {
    "unknown name": ({"W11": [[1]]}, "'W11' is not an input, target or parameter of this network; did you mean 'W1'?"),
    "computed quantity": ({"z1": [[1]]}, "'z1' is not an input, target or parameter of this network"),
    "shape": ({"W1": [1, 2]}, "'W1' has the shape 2, but 2 x 2 is expected"),
    "shape of a sample": ({"x": [[1, 2, 3]], "y": [[1]]}, "'x' has the shape 1 x 3, but 1 x 2 is expected"),
    "a number for an array": ({"W1": 1}, "'W1' is a single number, but an array of 2 x 2 is expected"),
    "another case": ({"w1": [[1]]}, "'w1' is not an input, target or parameter of this network; did you mean 'W1'?"),
    "complex numbers": ({"b1": np.array([1j, 2])}, "'b1' must be a number or an array of numbers"),
    "numbers as text": ({"b1": ["1", "2"]}, "'b1' must be a number or an array of numbers"),
    "a list": ([1], "run expects a mapping from names to values, such as {'x': [1, 2]}"),
    "an empty list": ([], "run expects a mapping from names to values, such as {'x': [1, 2]}"),
    "text": ({"W1": "abc"}, "'W1' must be a number or an array of numbers"),
    "ragged": ({"W1": [[1], [2, 3]]}, "'W1' must be a number or an array of numbers"),
    "half a batch": ({"x": [[1, 2]]}, "'x' has 1 sample, so 'y' must be given for 1 sample too"),
    "two sizes": ({"x": [[1, 2]], "y": [[1], [2]]}, "'x' has 1 sample, but 'y' has 2"),
    "no samples": ({"x": np.zeros((0, 2)), "y": np.zeros((0, 1))}, "'x' has no samples"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_of_a_run(name: str) -> None:
    overrides, message = ERRORS[name]
    with pytest.raises(bp.BackpropError) as caught:
        program(TANH).run(overrides)
    assert str(caught.value).startswith(message)


def test_a_network_given_by_sizes_compiles_and_does_not_run() -> None:
    compiled = program({**TANH, "inputs": {"x": {"shape": [3, 2]}}})
    assert "def forward_and_backward" in compiled.source
    with pytest.raises(
        bp.BackpropError, match=r"^'x' is given by its size alone, so there is nothing to compute with$"
    ):
        compiled.run()
    assert compiled.run({"x": TANH["inputs"]["x"]}).loss == program(TANH).run().loss


def test_names_cannot_reach_the_code() -> None:
    source = program(SPECS["names of Python"]).source
    compile(source, "generated", "exec")
    assert "def forward_and_backward(in_, np_, sigma, lambda_, print_, dz, ones_2):" in source


@pytest.mark.thorough
def test_a_deep_chain_compiles() -> None:
    layers = [{"dense": {"units": 2, "activation": "tanh"}}] * 200
    compiled = program({"inputs": {"x": [0.1, 0.2]}, "targets": {"y": [1, 0]}, "layers": layers, "loss": "mse"})
    assert np.isfinite(compiled.run().loss or np.nan)
    assert len(compiled.outputs) == 402


SCRIPT = """
import json, sys
import backprop_cli as bp
for spec in json.loads(sys.stdin.read()):
    print(bp.load(json.dumps(spec) + chr(10)).compile().source)
"""


def test_the_source_does_not_depend_on_the_hash_seed() -> None:
    specs = json.dumps([SPECS["cross entropy with a class"], SPECS["names of Python"], SPECS["batch"]])
    found = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            input=specs,
            capture_output=True,
            text=True,
            check=True,
            env=environment(seed),
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(found) == 1


def environment(seed: str) -> dict[str, str]:
    return {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(path for path in sys.path if path) + ":."}


def test_what_a_view_shows_is_not_overwritten_while_the_view_is_needed() -> None:
    spec = {
        "inputs": {"x": {"size": 1}},
        "parameters": {"w": {"shape": [3]}, "u": {"shape": [2000]}},
        "equations": ["a[i] = tanh(u[i])", "z[p] = x[1]*sum(w[k]*a[p+k-1], k)", "J = sum(z[p]**2, p)"],
        "loss": "J",
    }
    compiled = program(spec)
    u, w = np.random.default_rng(0).normal(size=2000), np.array([1.0, -2.0, 0.5])
    _, dw, du, _ = compiled.function(np.ones(1), w, u)
    a = np.tanh(u)
    windows = np.lib.stride_tricks.sliding_window_view(a, 3)
    np.testing.assert_allclose(dw, 2 * (windows @ w) @ windows, rtol=1e-12)
    np.testing.assert_allclose(du, np.convolve(2 * (windows @ w), w) * (1 - a * a), rtol=1e-10, atol=1e-12)


def test_a_convolution_lays_its_windows_out_once() -> None:
    spec = {
        "inputs": {"x": {"shape": [2, 1, 6, 6]}},
        "targets": {"y": {"shape": [2, 8]}},
        "layers": [{"conv2d": {"filters": 2, "kernel": 3}}, {"max_pool2d": {"size": 2}}, "flatten"],
        "loss": "mse",
    }
    source = program(spec).source
    assert source.count(".reshape(32, 9)") == 1
    assert ".max(" not in source  # the larger of two is one call


@pytest.mark.parametrize("order", [(2, 0, 1), (1, 2, 0), (0, 2, 1)])
def test_a_part_of_a_transposed_array_is_one_of_the_array(order: tuple[int, ...]) -> None:
    array = np.arange(24.0).reshape(2, 3, 4)
    for entries in ((0, (0, 1), (0, 2)), ((0, 2), 1, (0, 2)), ((0, 2), None, (0, 2), 1), (1, None, 0, (0, 2))):
        table = Table()
        turned = table.transpose(table.argument("A", array.shape), order)
        value = table.subscript(turned, entries)
        made = compiled_schedule(schedule(table, {"A": 0}, {}, [table.copy(value)]), "part")[0]
        expected = array.transpose(order)[tuple(slice(*e) if isinstance(e, tuple) else e for e in entries)]
        np.testing.assert_array_equal(made(array)[0], expected)


def test_a_loop_hands_on_products_instead_of_scaled_matrices() -> None:
    spec = {
        "inputs": {"x": {"shape": [5, 3]}},
        "targets": {"y": {"shape": [5, 4]}},
        "layers": [{"lstm": {"units": 4}}],
        "loss": "half_sse",
    }
    source = program(spec).source
    backward = source.split("for t in range(4, -1, -1):\n")[1]
    step = [line.strip() for line in backward.splitlines() if line.startswith("        ")]
    assert len(step) == 7  # dh, dc, and what c and each of the four gates hand back
    assert "[:, None]" not in source  # no W scaled for every step
    for gate in "ifgo":
        assert f"d{gate}1 = np.zeros" not in source  # nobody reads these but the products
        assert f"d{gate}1_back[t + 1].dot(W_h{gate}1)" in step[0]
