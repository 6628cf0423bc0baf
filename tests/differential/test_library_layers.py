"""Every layer of the library against PyTorch's of that name: random options, alone and stacked, batched or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backprop_cli as bp
from backprop_cli.library.layers import LAYERS

torch = pytest.importorskip("torch")
F = torch.nn.functional

Options = dict[str, Any]
Tensors = dict[str, Any]


def _pair(value: int | list[int], count: int) -> list[int]:
    return list(value) if isinstance(value, list) else [value] * count


def _convolution(x: Any, options: Options, p: Tensors) -> Any:
    plane = x.dim() == 4
    convolve = F.conv2d if plane else F.conv1d
    count = 2 if plane else 1
    stride, padding = (_pair(options.get(k, d), count) for k, d in (("stride", 1), ("padding", 0)))
    bias = p.get("b")
    if bias is not None and bias.dim() == 0:
        bias = bias.expand(options["filters"])
    z = convolve(x, p["W"], bias, stride=stride, padding=padding)
    return torch.tanh(z) if options.get("activation") == "tanh" else z


def _pool(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    def pool(x: Any, options: Options, p: Tensors) -> Any:
        return function(x, _pair(options["size"], count), _pair(options.get("stride", options["size"]), count))

    return pool


def _layer_norm(x: Any, options: Options, p: Tensors) -> Any:
    return F.layer_norm(x, x.shape[-1:], p["gamma"], p["beta"], options.get("eps", 1e-5))


def _batch_norm(x: Any, options: Options, p: Tensors) -> Any:
    return F.batch_norm(x, None, None, p["gamma"], p["beta"], training=True, eps=options.get("eps", 1e-5))


def _attention(x: Any, options: Options, p: Tensors) -> Any:
    heads, width = options.get("heads", 1), x.shape[-1]
    module = torch.nn.MultiheadAttention(width, heads, bias=False, batch_first=True, dtype=torch.float64)
    state = {"in_proj_weight": torch.cat([p["W_q"], p["W_k"], p["W_v"]]), "out_proj.weight": p["W_o"]}
    steps = x.shape[1]
    mask = torch.ones(steps, steps, dtype=torch.bool).triu(1) if options.get("causal") else None
    found, _ = torch.func.functional_call(module, state, (x, x, x), {"attn_mask": mask, "need_weights": False})
    return found


def _embedding(x: Any, options: Options, p: Tensors) -> Any:
    return F.embedding(x.long(), p["W"])


def _dropout(x: Any, options: Options, p: Tensors) -> Any:
    keep = 1 - options["p"] if "p" in options else 1
    return x * torch.tensor(options["mask"], dtype=torch.float64) / keep


def _gate(x: Any, h: Any, p: Tensors, name: str) -> Any:
    bias = p.get(f"b_{name}", torch.zeros(()).double())
    return x @ p[f"W_x{name}"].T + h @ p[f"W_h{name}"].T + bias


def _rnn(x: Any, options: Options, p: Tensors) -> Any:
    units = options["units"]
    if options.get("activation", "tanh") in ("tanh", "relu"):
        module = torch.nn.RNN(x.shape[-1], units, nonlinearity=options.get("activation", "tanh"), batch_first=True)
        zero = torch.zeros(units).double()
        names = {"weight_ih_l0": p["W_xh"], "weight_hh_l0": p["W_hh"], "bias_ih_l0": p.get("b_h", zero)}
        return _run(module, {**names, "bias_hh_l0": zero}, x, options, [_initial(x, options, p, "h0")])
    raise AssertionError(options)


def _lstm(x: Any, options: Options, p: Tensors) -> Any:
    order, units = ("i", "f", "g", "o"), options["units"]
    module = torch.nn.LSTM(x.shape[-1], units, batch_first=True)
    zero = torch.zeros(units).double()
    names = {
        "weight_ih_l0": torch.cat([p[f"W_x{gate}"] for gate in order]),
        "weight_hh_l0": torch.cat([p[f"W_h{gate}"] for gate in order]),
        "bias_ih_l0": torch.cat([p.get(f"b_{gate}", zero) for gate in order]),
        "bias_hh_l0": torch.zeros(4 * units).double(),
    }
    return _run(module, names, x, options, [_initial(x, options, p, "h0"), _initial(x, options, p, "c0")])


def _gru(x: Any, options: Options, p: Tensors) -> Any:
    units = options["units"]
    module = torch.nn.GRU(x.shape[-1], units, batch_first=True)
    zero = torch.zeros(units).double()
    names = {
        "weight_ih_l0": torch.cat([p[f"W_x{gate}"] for gate in "rzn"]),
        "weight_hh_l0": torch.cat([p[f"W_h{gate}"] for gate in "rzn"]),
        "bias_ih_l0": torch.cat([p.get("b_r", zero), p.get("b_z", zero), p.get("b_xn", zero)]),
        "bias_hh_l0": torch.cat([zero, zero, p.get("b_hn", zero)]),
    }
    return _run(module, names, x, options, [_initial(x, options, p, "h0")])


def _initial(x: Any, options: Options, p: Tensors, name: str) -> Any:
    start = p.get(name, torch.zeros(options["units"]).double())
    return start.expand(x.shape[0], options["units"])[None]


def _run(module: Any, names: Tensors, x: Any, options: Options, start: list[Any]) -> Any:
    state = start[0] if len(start) == 1 else tuple(start)
    found, _ = torch.func.functional_call(module.double(), names, (x, state))
    return found[:, -1] if options.get("output") == "last" else found


# Every function takes a batch, options and parameters by letter.
REFERENCE: dict[str, Callable[[Any, Options, Tensors], Any]] = {
    "flatten": lambda x, options, p: x.flatten(1),
    "conv1d": _convolution,
    "conv2d": _convolution,
    "max_pool1d": _pool(F.max_pool1d, 1),
    "max_pool2d": _pool(F.max_pool2d, 2),
    "avg_pool1d": _pool(F.avg_pool1d, 1),
    "avg_pool2d": _pool(F.avg_pool2d, 2),
    "layer_norm": _layer_norm,
    "batch_norm": _batch_norm,
    "dropout": _dropout,
    "embedding": _embedding,
    "attention": _attention,
    "rnn": _rnn,
    "lstm": _lstm,
    "gru": _gru,
    "dense": lambda x, options, p: x @ p["W"].T + p["b"],
    "tanh": lambda x, options, p: torch.tanh(x),
}

SMALL = st.integers(1, 3)
RANKS = {"conv1d": 2, "max_pool1d": 2, "avg_pool1d": 2, "conv2d": 3, "max_pool2d": 3, "avg_pool2d": 3, "attention": 2}
RANKS |= dict.fromkeys(("rnn", "lstm", "gru"), 2)


@st.composite
def options_of(draw: st.DrawFn, kind: str, shape: tuple[int, ...]) -> Options:
    """Options that fit an input of this shape (of one sample)."""
    lengths = shape[1:]
    both = st.booleans()

    def sizes(most: int, least: int = 1) -> int | list[int]:
        each = [draw(st.integers(least, max(least, min(most, length)))) for length in lengths]
        return each if len(set(each)) > 1 else each[0]

    match kind:
        case "conv1d" | "conv2d":
            found: Options = {"filters": draw(SMALL), "kernel": sizes(3)}
            if draw(both):
                found["stride"] = draw(st.integers(1, 3))
            if draw(both):
                found["padding"] = draw(st.integers(0, 2))
            if draw(both):
                found["activation"] = "tanh"
            if draw(both):
                found["bias"] = False
            elif draw(both):
                found["bias"] = 0.3
            return found
        case "max_pool1d" | "max_pool2d" | "avg_pool1d" | "avg_pool2d":
            return {"size": sizes(3), **({"stride": draw(st.integers(1, 3))} if draw(both) else {})}
        case "layer_norm" | "batch_norm":
            return {"eps": draw(st.sampled_from([1e-5, 0.1]))} if draw(both) else {}
        case "attention":
            heads = [n for n in (1, 2, 3) if shape[-1] % n == 0]
            return {"heads": draw(st.sampled_from(heads)), "causal": draw(both)}
        case "embedding":
            return {"vocabulary": 5, "dim": draw(SMALL)}
        case "rnn" | "lstm" | "gru":
            found = {"units": draw(SMALL)}
            if draw(both):
                found["bias"] = False
            if draw(both):
                found["output"] = "last"
            if kind == "rnn" and draw(both):
                found["activation"] = "relu"
            for state in ("h0", *(("c0",) if kind == "lstm" else ())):
                if draw(both):
                    found[state] = [0.3, -0.7, 0.2][: found["units"]]
            return found
        case "dense":
            return {"units": draw(SMALL)}
    return {}


@st.composite
def stacks(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """A spec of one layer of this kind, with others around it where they fit."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rank = RANKS.get(kind, draw(st.integers(1, 3)) if kind in ("flatten", "dropout", "batch_norm") else 1)
    if kind == "layer_norm":
        rank = draw(st.integers(1, 2))
    shape = tuple(draw(st.integers(2 if kind == "batch_norm" else 1, 6)) for _ in range(rank))
    batched = kind in ("batch_norm", "layer_norm") or draw(st.booleans())
    samples = (draw(st.integers(2, 3)),) if batched else ()
    value = rng.uniform(-1.5, 1.5, (*samples, *shape))
    if kind == "embedding":
        value = rng.integers(0, 5, (*samples, *shape)).astype(float)
    layers: list[Any] = [{kind: draw(options_of(kind, shape))}]
    if kind == "dropout":
        mask = rng.integers(0, 2, (*samples, *shape)) if draw(st.booleans()) else rng.integers(0, 2, shape)
        layers = [{"dropout": {"mask": mask.tolist(), **({"p": 0.25} if draw(st.booleans()) else {})}}]
    if draw(st.booleans()) and kind != "embedding":
        layers.insert(0, "tanh")
    if draw(st.booleans()):
        layers.append("tanh")
    if draw(st.booleans()) and kind != "layer_norm":
        layers += ["flatten", {"dense": {"units": 2}}]
    return {"inputs": {"x": {"value": value.tolist(), "batch": bool(batched)}}, "layers": layers}


def _forward(spec: dict[str, Any], values: Tensors) -> Any:
    current = values["x"]
    for number, layer in enumerate(spec["layers"], start=1):
        [(kind, options)] = layer.items() if isinstance(layer, dict) else [(layer, {})]
        own = {letter: values[f"{letter}{number}"] for letter in _letters(kind) if f"{letter}{number}" in values}
        own |= {state: values[f"{state}_{number}"] for state in ("h0", "c0") if f"{state}_{number}" in values}
        current = REFERENCE[kind](current, options, own)
    return current


def _letters(kind: str) -> tuple[str, ...]:
    return ("W", "b") if kind not in LAYERS else tuple(LAYERS[kind].parameters)


def test_every_layer_has_a_reference() -> None:
    assert LAYERS.keys() <= REFERENCE.keys()


@pytest.mark.parametrize("kind", LAYERS)
def test_layer(kind: str) -> None:
    @settings(max_examples=30)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        spec = data.draw(stacks(kind))
        network = _with_random_gradient(spec, data)
        trace = network.compile().run()
        values = {name: torch.tensor(value, requires_grad=True) for name, value in trace.given.items()}
        batched = spec["inputs"]["x"]["batch"]
        if not batched:
            values["x"] = torch.tensor(trace.given["x"][None], requires_grad=True)
        output = _forward(spec, values)
        last = trace.forward[network.graph.output]
        found = output.detach().numpy()[() if batched else 0]
        np.testing.assert_allclose(np.asarray(last), found, rtol=1e-9, atol=1e-12)
        seed = torch.tensor(trace.given["grad_output"] if batched else trace.given["grad_output"][None])
        (output * seed).sum().backward()
        for name, gradient in trace.gradients.items():
            if name in values:
                theirs = values[name].grad
                expected = np.zeros(np.shape(gradient)) if theirs is None else theirs.numpy()
                if name == "x" and not batched:
                    expected = expected[0]
                scale = max(1.0, float(np.abs(expected).max(initial=0)))
                np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-11 * scale, err_msg=name)

    check()


def _with_random_gradient(spec: dict[str, Any], data: st.DataObject) -> bp.Network:
    """The network with a random gradient of its output."""
    shape = _output_shape(spec)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    return bp.load(json.dumps({**spec, "grad_output": rng.uniform(-1, 1, shape).tolist()}))


def _output_shape(spec: dict[str, Any]) -> tuple[int, ...]:
    """The shape of the last output, as the message about a gradient of another shape tells it."""
    try:
        bp.load(json.dumps({**spec, "grad_output": {"shape": [9, 9, 9, 9, 9, 9]}}))
    except bp.SpecError as error:
        [problem] = error.problems
        return tuple(int(n) for n in _sizes(problem.message))
    raise AssertionError("no output has six axes")


def _sizes(message: str) -> list[str]:
    described = message.rpartition(" is ")[2].removesuffix(", one per sample")
    return [part for part in described.replace("a list of ", "").split(" x ") if part != "a single number"]
