"""``truncate``: what it may stand beside, what it says when it cannot, and that layers and equations mean the same."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import backprop_cli as bp

HEAD = "inputs: {x: [[1, 0], [0, 1], [1, 1], [0.5, -1]]}\n"
CELL = "  - h[t,i] = tanh(sum(U[i,j]*x[t,j], j) + sum(V[i,k]*h[t-1,k], k) + b[i])"
PARAMETERS = "parameters: {U: [[0.5, 0.2], [-0.3, 0.4]], V: [[0.1, -0.2], [0.3, 0.5]], b: [0.1, -0.1]}\n"


def equations(cost: str, extra: str, *more: str) -> str:
    lines = "\n".join(["equations:", CELL, *(f"  - {line}" for line in more), f"  - J = {cost}"])
    return f"{HEAD}{PARAMETERS}{lines}\nloss: J\n{extra}\n"


def problems(text: str) -> list[str]:
    with pytest.raises(bp.SpecError) as caught:
        bp.load(text)
    return [f"{problem.line}:{problem.column}: {problem.message}" for problem in caught.value.problems]


@pytest.mark.parametrize("window", [1, 2, 3])
def test_a_layer_and_its_equations_are_truncated_alike(window: int) -> None:
    layer = (
        f"{HEAD}targets: {{y: [[1, 0], [0, 1], [1, 0], [0, 0]]}}\nlayers:\n"
        f"  - rnn: {{units: 2, truncate: {window}, weights: {{W_xh: [[0.5, 0.2], [-0.3, 0.4]], "
        "W_hh: [[0.1, -0.2], [0.3, 0.5]]}, bias: {b_h: [0.1, -0.1]}}\nloss: sse\n"
    )
    written = equations("sum((h[t,i] - y[t,i])**2, t, i)", f"truncate: {{h: {window}}}")
    written = written.replace(HEAD, f"{HEAD}targets: {{y: [[1, 0], [0, 1], [1, 0], [0, 0]]}}\n")
    of_layer, of_equations = (bp.load(text).compile().run() for text in (layer, written))
    for name, other in (("W_xh1", "U"), ("W_hh1", "V"), ("b_h1", "b"), ("h1", "h"), ("x", "x")):
        assert_allclose(of_layer.gradients[name], of_equations.gradients[other], rtol=1e-12)


SUMS = [
    "sum(h[t,i]**2, t, i)",
    "1/2*sum(sum(h[t,i]**2, i), t) + sum(V[i,k]**2, i, k)",
    "sum(t*sin(h[t,1]), t)",
    "sum(h[4,i]**2, i)",
    "sum(h[t,1], t) + exp(h[4,2])",
]
MORE = [
    ("sum(d[t]**2, t)", "d[t] = h[t-1,1]*x[t,1]"),
    ("sum(d[t]**2, t)", "d[t] = h[t,1]*h[t-1,2]"),
    ("sum(d[t,i]**2, t, i)", "d[t,i] = sum(exp(h[t,k]*h[u,k])*h[u,i], u, k)"),
]


@pytest.mark.parametrize(("cost", "more"), MORE)
def test_what_stands_between_states_and_cost(cost: str, more: str) -> None:
    assert bp.load(equations(cost, "truncate: {h: 2}\nranges: {t: 4}", more)).verify().ok


@pytest.mark.parametrize("cost", SUMS)
def test_costs_that_are_sums_over_steps(cost: str) -> None:
    network = bp.load(equations(cost, "truncate: {h: 2}"))
    assert network.verify().ok
    everything = bp.load(equations(cost, "truncate: {h: 4}")).compile().run()
    full = bp.load(equations(cost, "")).compile().run()
    for name in ("U", "V", "b", "x"):
        assert_allclose(everything.gradients[name], full.gradients[name], atol=1e-14)


NOT_SUMS = [
    ("sum(h[t,1], t)**2", (), "'J' is no sum of one term per step"),
    ("sum(m[i]**2, i)", ("m[i] = mean(h[t,i], t)",), "'J' is no sum of one term per step"),
    ("h[4,1]*h[3,1]", (), "'J' is no sum of one term per step"),
    ("sum(d[t,i], t, i)", ("d[t,i] = h[t,i]*sum(h[t,k]*s[k], k)", "s[i] = sum(h[t,i], t)"), ""),
]


@pytest.mark.parametrize(("cost", "more", "expected"), NOT_SUMS)
def test_costs_that_are_no_sums_over_steps(cost: str, more: tuple[str, ...], expected: str) -> None:
    [message] = problems(equations(cost, "truncate: {h: 2}", *reversed(more)))
    assert "the cost is no sum over the steps" in message
    assert expected in message


WRONG = [
    ("truncate: {h: 0}", "9:14: expected a whole number from 1, not 0"),
    ("truncate: {hh: 2}", "9:12: 'hh' is not defined; did you mean 'h'?"),
    ("truncate: {x: 2}", "9:12: 'x' is no state: no equation uses an earlier step of it; the states are h"),
    ("truncate: 2", "9:11: expected a mapping from names to values, such as {h: 5}, not 2"),
]


@pytest.mark.parametrize(("extra", "message"), WRONG)
def test_what_is_wrong_with_truncate(extra: str, message: str) -> None:
    [found] = problems(equations("sum(h[t,i]**2, t, i)", extra))
    assert found.split(": ", 1)[1] == message.split(": ", 1)[1]


def test_a_module_on_its_own_cannot_be_truncated() -> None:
    text = f"{HEAD}layers:\n  - rnn: {{units: 2, truncate: 2}}\ngrad_output: {np.ones((4, 2)).tolist()}\n"
    [message] = problems(text)
    assert "cannot be truncated" in message


def test_a_long_sequence() -> None:
    steps = 300
    text = f"inputs: {{x: {np.linspace(-1, 1, steps)[:, None].tolist()}}}\ntargets: {{y: {[[0.1]] * steps}}}\n"
    network = bp.load(f"{text}layers:\n  - rnn: {{units: 3, truncate: 5}}\n  - dense: {{units: 1}}\nloss: mse\n")
    assert np.isfinite(network.compile().run().gradients["W_hh1"]).all()
