"""Modules and Jacobians of truncated networks: the gradient of the cost of every step is propagated back by itself."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import backprop_cli as bp
from backprop_cli.options import WalkView
from backprop_cli.renderers import terminal
from backprop_cli.walking import Request, Walk
from tests.strategies import examples, recurrence_numbers
from tests.teaching.test_views import bundled, check_jacobians, check_modules
from tests.teaching.test_walkthrough import check as check_walk

searching = settings(suppress_health_check=list(HealthCheck), deadline=None, phases=[Phase.generate])

HEAD = """
inputs: {{x: {x}}}
targets: {{y: 0.3}}
parameters: {{U: {U}, W: {W}, b: {b}}}
equations:
{equations}
loss: J
truncate: {{h: {window}}}
"""
CELL = "h[t,i] = tanh(sum(U[i,j]*x[t,j], j) + sum(W[i,k]*h[t-1,k], k) + b[i])"
EQUATIONS = {
    "the cost reads the states": [CELL, "J = sum((h[t,i] - y)**2*(t+i), t, i)"],
    "a layer between": [CELL, "o[t] = sum(b[i]*h[t,i], i)", "J = sum((o[t] - y)**2, t)"],
    "an earlier step too": [CELL, "o[t] = sum(b[i]*h[t,i]*h[t-1,i], i)", "J = sum((o[t] - y)**2, t)"],
    "an initial state": ["h[0,i] = b[i]**2", CELL, "o[t] = sum(h[t,i], i)", "J = sum((o[t] - y)**2, t)"],
    "two steps back": [
        "h[0,i] = b[i]",
        "h[t,i] = sin(sum(W[i,k]*h[t-1,k], k)) + U[i,1]*x[t,1]*h[t-2,i]",
        "J = sum((h[t,i] - y)**2*(t+i), t, i)",
    ],
    "the last step": [CELL, "o[i] = h[{steps},i]", "J = sum((o[i] - y)**2, i)"],
    "a sum of all steps": [CELL, "S = sum(h[t,1]**2, t)", "J = 3*S + sum(h[t,1], t)"],
    "a loop of two": [
        "z[t,i] = sum(U[i,j]*x[t,j], j) + sum(W[i,k]*h[t-1,k], k) + b[i]",
        "h[t,i] = tanh(z[t,i])",
        "J = sum((h[t,i] - y)**2*(t+i), t, i)",
    ],
    "numbers as states": ["h[t] = tanh(U[1,1]*x[t,1] + W[1,1]*h[t-1])", "J = sum((h[t] - y)**2, t)"],
}


@pytest.mark.parametrize("kind", EQUATIONS)
def test_equations(kind: str) -> None:
    @settings(searching, max_examples=examples(2))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        given = data.draw(recurrence_numbers(4))
        steps = np.shape(given["x"])[-2]
        equations = "\n".join(f"  - {equation.format(steps=steps)}" for equation in EQUATIONS[kind])
        window = data.draw(st.integers(1, 5))
        network = bp.load(HEAD.format(**given, equations=equations, window=window))
        check_modules(network)
        check_jacobians(network)
        terminal.render(check_walk(network).document, 80)

    check()


def layers(data: st.DataObject) -> dict[str, Any]:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))

    def numbers(*shape: int) -> list[Any]:
        found: list[Any] = rng.uniform(-1.5, 1.5, shape).round(3).tolist()
        return found

    steps, width, samples = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 2)), data.draw(st.integers(0, 2))
    batch, last = (samples,) if samples else (), data.draw(st.booleans())
    kinds = data.draw(st.lists(st.sampled_from(["rnn", "lstm", "gru"]), min_size=1, max_size=2))
    stack: list[Any] = []
    for number, kind in enumerate(kinds, start=1):
        options: dict[str, Any] = {"units": data.draw(st.integers(1, 2)), "truncate": data.draw(st.integers(1, 3))}
        if data.draw(st.booleans()):
            options["h0"] = numbers(options["units"])
        if last and number == len(kinds):
            options["output"] = "last"
        stack.append({kind: options})
    has_dense = data.draw(st.booleans())
    outputs = 2 if has_dense else stack[-1][kinds[-1]]["units"]
    return {
        "inputs": {"x": {"value": numbers(*batch, steps, width), "batch": bool(batch)}},
        "targets": {"y": {"value": numbers(*batch, *(() if last else (steps,)), outputs), "batch": bool(batch)}},
        "layers": [*stack, *([{"dense": {"units": 2}}] if has_dense else [])],
        "loss": data.draw(st.sampled_from(["mse", "half_sse"])),
        "initial": {"scheme": "normal", "seed": data.draw(st.integers(0, 999))},
    }


@pytest.mark.thorough
@settings(searching, max_examples=examples(8))
@given(st.data())
def test_layers(data: st.DataObject) -> None:
    network = bp.load(json.dumps(layers(data)))
    check_modules(network)
    check_jacobians(network)


def of_every_step(window: int) -> tuple[bp.Network, dict[str, np.ndarray]]:
    """A recurrent layer with an initial state, and in PyTorch the gradients of the cost of every step: the states that
    it is not propagated back to are detached where they are read."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(5)
    steps, given = 4, {"x": (4, 2), "h0_1": (2,), "W_xh1": (2, 2), "W_hh1": (2, 2), "b_h1": (2,), "y": (4, 2)}
    p = {name: torch.tensor(rng.normal(size=shape), requires_grad=True) for name, shape in given.items()}

    def listed(name: str) -> Any:
        return p[name].tolist()

    rnn = {"units": 2, "truncate": window, "h0": listed("h0_1"), "bias": {"b_h": listed("b_h1")}}
    rnn["weights"] = {"W_xh": listed("W_xh1"), "W_hh": listed("W_hh1")}
    spec = {"inputs": {"x": listed("x")}, "targets": {"y": listed("y")}, "layers": [{"rnn": rnn}], "loss": "sse"}
    found: dict[str, list[np.ndarray]] = {"h1": [], "h0_1": [], "W_hh1": [], "x": []}
    for cost in range(1, steps + 1):
        states = [p["h0_1"]]
        for step in range(1, cost + 1):
            before = states[-1] if step - 1 > cost - window else states[-1].detach()
            states.append(torch.tanh(p["W_xh1"] @ p["x"][step - 1] + p["W_hh1"] @ before + p["b_h1"]))
            states[-1].retain_grad()
        for tensor in p.values():
            tensor.grad = None
        ((states[-1] - p["y"][cost - 1]) ** 2).sum().backward()
        zero = torch.zeros(2, dtype=torch.float64)
        rows = [zero if state.grad is None else state.grad for state in states[1:]]
        found["h1"].append(torch.stack([*rows, *[zero] * (steps - cost)]).numpy())
        for name in ("h0_1", "W_hh1", "x"):
            none = torch.zeros_like(p[name])
            found[name].append((none if p[name].grad is None else p[name].grad).numpy().copy())
    return bp.load(json.dumps(spec)), {name: np.array(arrays) for name, arrays in found.items()}


@pytest.mark.parametrize("window", [1, 2, 3, 4, 5])
def test_the_gradients_of_every_step_are_those_of_detached_states(window: int) -> None:
    network, expected = of_every_step(window)
    tensors = [tensor for call in Walk(network, Request(view=WalkView.MODULES)).calls for tensor in call.tensors]
    grad_output = next(tensor for tensor in tensors if tensor.of == "h1@" and tensor.word == "gradOutput")
    assert_allclose(grad_output.values, expected["h1"], rtol=1e-9, atol=1e-12)
    rows = [row for block in Walk(network, Request(view=WalkView.JACOBIANS)).blocks for row in block.rows]
    by_label = {(row.by, type(row.label).__name__): row.values for row in rows}
    assert_allclose(by_label["h1", "StepGradient"], expected["h1"].reshape(4, -1), rtol=1e-9, atol=1e-12)
    for name in ("h0_1", "W_hh1", "x"):
        whole = expected[name].sum(axis=0).reshape(1, -1)
        assert_allclose(by_label[name, "Gradient"], whole, rtol=1e-9, atol=1e-12)
        last = [tensor for tensor in tensors if tensor.of == name and tensor.word.startswith("grad")][-1]
        assert_allclose(last.values.reshape(1, -1), whole, rtol=1e-9, atol=1e-12)
    if window <= 4:  # what is cut off is told; else the initial state is reached by every cost
        assert_allclose(by_label["h0_1", "StepGradient"], expected["h0_1"], rtol=1e-9, atol=1e-12)


def test_what_a_page_says_of_the_steps() -> None:
    network = bundled("rnn-truncated")
    modules = " ".join(terminal.render(Walk(network, Request(view=WalkView.MODULES)).document, 100).split())
    assert "Jₛ goes back through 2 states of h" in modules
    assert "gradOutput[s,t,i] is ∂Jₛ/∂hₜᵢ" in modules
    assert "[t > s − 2] is 0 at the states that are too old for Jₛ to go back to." in modules
    assert "∂J/∂h = Σₛ ∂Jₛ/∂h" in modules
    assert modules.count("Forward. Module") == 3
    jacobians = " ".join(terminal.render(Walk(network, Request(view=WalkView.JACOBIANS)).document, 100).split())
    assert "∂Jₛ/∂h = ((∂Jₛ/∂o) (∂o/∂h) + (∂Jₛ/∂h) (∂h/∂h)) ⊙ [t > s − 2]" in jacobians
    assert "Shapes: 3×6 = (3×3 · 3×6 + 3×6 · 6×6) ⊙ 3×6." in jacobians
    assert "LeCun" not in jacobians


def test_plain_data_of_every_step() -> None:
    network = bundled("rnn-truncated")
    calls = Walk(network, Request(view=WalkView.MODULES)).as_data()["calls"]
    tensors = [tensor for call in calls for tensor in call["tensors"] if tensor["quantity"] == "dJ[s]/dh"]
    assert {(tensor["tensor"], tensor["of"], np.shape(tensor["values"])) for tensor in tensors} == {
        ("gradOutput", "h", (3, 3, 2))
    }
    blocks = Walk(network, Request(view=WalkView.JACOBIANS)).as_data()["modules"]
    rows = [row for block in blocks for row in block["rows"] if row["formula"]["text"].startswith("dJ[s]/dh ")]
    assert [np.shape(row["values"]) for row in rows] == [(3, 6)]
