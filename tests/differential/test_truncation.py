"""Truncated backpropagation against its definition in PyTorch: for the cost of every step the sequence is computed
anew, and every state that is too old for it is a constant."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import backprop_cli as bp
from tests.strategies import examples

torch = pytest.importorskip("torch")

Tensors = Mapping[str, Any]
searching = settings(suppress_health_check=list(HealthCheck), deadline=None, phases=[Phase.generate])


def _affine(x: Any, h: Any, p: Tensors, gate: str, n: int) -> Any:
    return x @ p[f"W_x{gate}{n}"].T + h @ p[f"W_h{gate}{n}"].T + p[f"b_{gate}{n}"]


def _step(kind: str, x: Any, state: Tensors, p: Tensors, n: int) -> dict[str, Any]:
    h = state["h"]
    if kind == "rnn":
        return {"h": torch.tanh(_affine(x, h, p, "h", n))}
    if kind == "lstm":
        i, f, o = (torch.sigmoid(_affine(x, h, p, gate, n)) for gate in "ifo")
        c = f * state["c"] + i * torch.tanh(_affine(x, h, p, "g", n))
        return {"h": o * torch.tanh(c), "c": c}
    r, z = (torch.sigmoid(_affine(x, h, p, gate, n)) for gate in "rz")
    candidate = x @ p[f"W_xn{n}"].T + p[f"b_xn{n}"] + r * (h @ p[f"W_hn{n}"].T + p[f"b_hn{n}"])
    return {"h": (1 - z) * torch.tanh(candidate) + z * h}


def _states(
    layers: Sequence[Mapping[str, Any]], p: Tensors, base: list[list[dict[str, Any]]] | None, cost: int
) -> list[list[dict[str, Any]]]:
    """Per layer the states 0, 1, ..., T; those too old for J of step ``cost`` are replaced by ``base`` where they are
    read."""
    xs = list(p["x"].unbind(-2))
    found = []
    for number, layer in enumerate(layers, start=1):
        kind, window = layer["kind"], layer["window"]
        zero = torch.zeros(*p["x"].shape[:-2], layer["units"], dtype=torch.float64)
        names = ("h", "c") if kind == "lstm" else ("h",)
        states = [{name: p.get(f"{name}0_{number}", zero) for name in names}]

        def read(step: int, states: list[Any] = states, window: Any = window, number: int = number) -> Any:
            old = base is not None and window is not None and step <= cost - window
            return base[number - 1][step] if old and base is not None else states[step]

        for step, x in enumerate(xs, start=1):
            states.append(_step(kind, x, read(step - 1), p, number))
        xs = [read(step)["h"] for step in range(1, len(xs) + 1)]
        found.append(states)
    return found


def _truncated_gradients(
    layers: Sequence[Mapping[str, Any]], last: bool, p: Tensors, names: Sequence[str]
) -> dict[str, np.ndarray]:
    steps = p["x"].shape[-2]
    whole = _states(layers, p, None, 0)
    base = [[{name: state.detach() for name, state in step.items()} for step in layer] for layer in whole]
    number = len(layers) + 1
    cost = 0.0
    for step in range(1, steps + 1):
        if last and step < steps:
            continue
        h = _states(layers, p, base, step)[-1][step]["h"]
        y = p["y"] if last else p["y"].select(-2, step - 1)
        loss = ((h @ p[f"W{number}"].T + p[f"b{number}"] - y) ** 2).mean(-1)
        cost = cost + loss.mean()
    found = torch.autograd.grad(cost, [p[name] for name in names], allow_unused=True)
    return {
        name: (torch.zeros_like(p[name]) if gradient is None else gradient).numpy()
        for name, gradient in zip(names, found, strict=True)
    }


@settings(searching, max_examples=examples(20))
@given(st.data())
def test_layers(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))

    def numbers(*shape: int) -> list[Any]:
        found: list[Any] = rng.uniform(-1.5, 1.5, shape).round(3).tolist()
        return found

    steps, width, samples = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 2)), data.draw(st.integers(0, 2))
    batch = (samples,) if samples else ()
    last = data.draw(st.booleans())
    kinds = data.draw(st.lists(st.sampled_from(["rnn", "lstm", "gru"]), min_size=1, max_size=2))
    windows = [data.draw(st.one_of(st.none(), st.integers(1, 6))) for _ in kinds]
    windows[data.draw(st.integers(0, len(kinds) - 1))] = data.draw(st.integers(1, 4))
    layers, stack = [], []
    for number, (kind, window) in enumerate(zip(kinds, windows, strict=True), start=1):
        options: dict[str, Any] = {"units": data.draw(st.integers(1, 3))}
        layers.append({"kind": kind, "window": window, "units": options["units"]})
        if window is not None:
            options["truncate"] = window
        if data.draw(st.booleans()):
            options["h0"] = numbers(options["units"])
        if last and number == len(kinds):
            options["output"] = "last"
        stack.append({kind: options})
    spec = {
        "inputs": {"x": {"value": numbers(*batch, steps, width), "batch": bool(batch)}},
        "targets": {"y": {"value": numbers(*batch, *(() if last else (steps,)), 2), "batch": bool(batch)}},
        "layers": [*stack, {"dense": {"units": 2}}],
        "loss": "mse",
        "initial": {"scheme": "normal", "seed": data.draw(st.integers(0, 999))},
    }
    trace = bp.load(json.dumps(spec)).compile().run()
    names = [name for name in trace.given if name != "y"]
    tensors = {
        name: torch.tensor(value, dtype=torch.float64, requires_grad=name != "y") for name, value in trace.given.items()
    }
    expected = _truncated_gradients(layers, last, tensors, names)
    for name in names:
        assert_allclose(trace.gradients[name], expected[name], rtol=1e-9, atol=1e-12, err_msg=f"{name} of {spec}")
