"""Every layer of the library against PyTorch's of that name: random options, alone and stacked, batched or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backprop_cli as bp
from backprop_cli.library.layers import LAYERS
from tests.strategies import examples
from tests.strategies_layers import stacks, with_random_gradient

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
    @settings(max_examples=examples(15))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        spec = data.draw(stacks(kind))
        network = bp.load(with_random_gradient(spec, data))
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
