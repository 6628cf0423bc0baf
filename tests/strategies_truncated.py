"""Truncated backpropagation by its definition in PyTorch: for the cost of every step the sequence is computed anew, and
every state that is too old for it is a constant. Networks for it, drawn at random."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

Tensors = Mapping[str, Any]


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


class Recurrent(NamedTuple):
    """A network of recurrent layers and a dense one on top: its spec, the layers, and whether ``last`` is the only step
    with a cost."""

    spec: dict[str, Any]
    layers: Sequence[Mapping[str, Any]]
    last: bool


def costs(network: Recurrent, p: Tensors) -> Iterator[tuple[int, Any, list[list[dict[str, Any]]]]]:
    """The step, the cost J_s and the states of every layer that it was computed from, by step; those that are too old
    are read as constants."""
    layers, last = network.layers, network.last
    steps = p["x"].shape[-2]
    whole = _states(layers, p, None, 0)
    base = [[{name: state.detach() for name, state in step.items()} for step in layer] for layer in whole]
    number = len(layers) + 1
    for step in range(1, steps + 1):
        if last and step < steps:
            continue
        states = _states(layers, p, base, step)
        h = states[-1][step]["h"]
        y = p["y"] if last else p["y"].select(-2, step - 1)
        yield step, ((h @ p[f"W{number}"].T + p[f"b{number}"] - y) ** 2).mean(-1).mean(), states


def truncated_gradients(network: Recurrent, p: Tensors, names: Sequence[str]) -> dict[str, np.ndarray]:
    """∂J/∂(what is given)."""
    cost = sum(cost for _, cost, _ in costs(network, p))
    found = torch.autograd.grad(cost, [p[name] for name in names], allow_unused=True)
    return {
        name: (torch.zeros_like(p[name]) if gradient is None else gradient).numpy()
        for name, gradient in zip(names, found, strict=True)
    }


def tensors_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The given quantities, targets apart, ready to be differentiated by."""
    return {name: torch.tensor(value, dtype=torch.float64, requires_grad=name != "y") for name, value in given.items()}


@st.composite
def recurrent_networks(draw: st.DrawFn, most_steps: int = 5, most_units: int = 3) -> Recurrent:
    """One or two layers, of which one at least is truncated."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def numbers(*shape: int) -> list[Any]:
        found: list[Any] = rng.uniform(-1.5, 1.5, shape).round(3).tolist()
        return found

    steps, width, samples = draw(st.integers(1, most_steps)), draw(st.integers(1, 2)), draw(st.integers(0, 2))
    batch = (samples,) if samples else ()
    last = draw(st.booleans())
    kinds = draw(st.lists(st.sampled_from(["rnn", "lstm", "gru"]), min_size=1, max_size=2))
    windows = [draw(st.one_of(st.none(), st.integers(1, 6))) for _ in kinds]
    windows[draw(st.integers(0, len(kinds) - 1))] = draw(st.integers(1, 4))
    layers, stack = [], []
    for number, (kind, window) in enumerate(zip(kinds, windows, strict=True), start=1):
        options: dict[str, Any] = {"units": draw(st.integers(1, most_units))}
        layers.append({"kind": kind, "window": window, "units": options["units"]})
        if window is not None:
            options["truncate"] = window
        if draw(st.booleans()):
            options["h0"] = numbers(options["units"])
        if last and number == len(kinds):
            options["output"] = "last"
        stack.append({kind: options})
    spec = {
        "inputs": {"x": {"value": numbers(*batch, steps, width), "batch": bool(batch)}},
        "targets": {"y": {"value": numbers(*batch, *(() if last else (steps,)), 2), "batch": bool(batch)}},
        "layers": [*stack, {"dense": {"units": 2}}],
        "loss": "mse",
        "initial": {"scheme": "normal", "seed": draw(st.integers(0, 999))},
    }
    return Recurrent(spec, layers, last)
