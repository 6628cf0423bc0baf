"""Every layer of the library, once as a layer and once as the equations that its documentation gives: the same numbers,
and the same formulas for the gradients of all parameters."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import backprop_cli as bp
from backprop_cli.library.layers import LAYERS

LINE = [[0.5, -1.0, 2.0, 0.25], [1.5, 0.5, -0.75, -2.0]]
PLANE = [[[0.5, -1.0, 2.0], [1.5, 0.25, -0.75], [0.1, 0.9, -0.3]]]
STEPS = [[0.5, -1.0], [0.25, 2.0], [-0.75, 0.3]]


@dataclass(frozen=True)
class Case:
    """One layer on ``x``, and its equations; ``output`` with its indices is what the cost is taken of.

    Layers with an activation derive their parameters from dJ/da, by the first use of the chain rule, equations from the
    quantity in between: ``delta`` is what such a layer writes for its dJ/dz. ``same_formulas`` is False where formulas
    differ for another good reason, which the case says.
    """

    layer: dict[str, Any]
    x: Any
    equations: tuple[str, ...]
    output: str
    ranges: dict[str, int] = field(default_factory=dict)
    batch: bool = False
    delta: tuple[str, str] = ("", "")
    same_formulas: bool = True


def gate(x: str, h: str, bias: str) -> str:
    return f"sum(W_{x}1[i,j]*x[t,j], j) + sum(W_{h}1[i,k]*h1[t-1,k], k) + b_{bias}1[i]"


CASES = [
    Case({"flatten": {}}, PLANE, ("a1 = flatten(x)",), "a1[i]"),
    Case(
        {"conv1d": {"filters": 2, "kernel": 2, "activation": "tanh"}},
        LINE,
        ("z1[c,p] = sum(W1[c,d,k]*x[d,p+k-1], d, k) + b1[c]", "a1[c,p] = tanh(z1[c,p])"),
        "a1[c,p]",
        delta=("dJ/dz1[i,p]", "dJ/da1[i,p]*(1 - a1[i,p]**2)"),
    ),
    Case(
        {"conv1d": {"filters": 2, "kernel": 3, "stride": 2, "padding": 1}},
        LINE,
        ("z1[c,p] = sum(W1[c,d,k]*x[d,2*(p-1)+k-1], d, k) + b1[c]", "a1[c,p] = z1[c,p]"),
        "a1[c,p]",
        ranges={"p": 2},
        delta=("dJ/dz1[i,p]", "dJ/da1[i,p]"),
    ),
    Case(
        {"conv2d": {"filters": 2, "kernel": 2, "activation": "relu"}},
        PLANE,
        ("z1[c,p,q] = sum(W1[c,d,k,l]*x[d,p+k-1,q+l-1], d, k, l) + b1[c]", "a1[c,p,q] = relu(z1[c,p,q])"),
        "a1[c,p,q]",
        delta=("dJ/dz1[i,p,q]", "dJ/da1[i,p,q]*where(z1[i,p,q] > 0, 1, 0)"),
    ),
    Case({"max_pool1d": {"size": 2}}, LINE, ("a1[c,p] = max(x[c,2*(p-1)+k], k)",), "a1[c,p]", {"p": 2, "k": 2}),
    Case({"avg_pool1d": {"size": 2}}, LINE, ("a1[c,p] = mean(x[c,2*(p-1)+k], k)",), "a1[c,p]", {"p": 2, "k": 2}),
    Case(
        {"max_pool2d": {"size": 2, "stride": 1}},
        PLANE,
        ("a1[c,p,q] = max(x[c,p+k-1,q+l-1], k, l)",),
        "a1[c,p,q]",
        {"p": 2, "q": 2, "k": 2, "l": 2},
    ),
    Case(
        {"avg_pool2d": {"size": 2, "stride": 1}},
        PLANE,
        ("a1[c,p,q] = mean(x[c,p+k-1,q+l-1], k, l)",),
        "a1[c,p,q]",
        {"p": 2, "q": 2, "k": 2, "l": 2},
    ),
    Case(
        {"layer_norm": {"gamma": [1.5, 0.5, -1.0], "beta": [0.1, 0.2, 0.3]}},
        [0.5, -1.0, 2.0],
        (
            "mu1 = mean(x[i], i)",
            "var1 = mean((x[i] - mu1)**2, i)",
            "xhat1[i] = (x[i] - mu1)/sqrt(var1 + 1e-05)",
            "a1[i] = gamma1[i]*xhat1[i] + beta1[i]",
        ),
        "a1[i]",
    ),
    Case(
        {"batch_norm": {"gamma": [1.5, 0.5], "beta": [0.1, 0.2]}},
        STEPS,
        (
            "mu1[i] = mean(x[n,i], n)",
            "var1[i] = mean((x[n,i] - mu1[i])**2, n)",
            "xhat1[n,i] = (x[n,i] - mu1[i])/sqrt(var1[i] + 1e-05)",
            "a1[n,i] = gamma1[i]*xhat1[n,i] + beta1[i]",
        ),
        "a1[n,i]",
        batch=True,
    ),
    Case({"dropout": {"mask": [1, 0, 1], "p": 0.5}}, [0.5, -1.0, 2.0], ("a1[i] = mask1[i]*x[i]/0.5",), "a1[i]"),
    Case({"embedding": {"vocabulary": 3, "dim": 2}}, [2, 0, 2], ("a1[i,j] = W1[x[i]+1,j]",), "a1[i,j]"),
    Case(
        {"attention": {}},
        STEPS,
        (
            "q1[t,i] = sum(W_q1[i,j]*x[t,j], j)",
            "k1[t,i] = sum(W_k1[i,j]*x[t,j], j)",
            "v1[t,i] = sum(W_v1[i,j]*x[t,j], j)",
            "s1[t,u] = sum(q1[t,i]*k1[u,i], i)/sqrt(2)",
            "p1[t,u] = exp(s1[t,u])/sum(exp(s1[t,w]), w)",
            "c1[t,i] = sum(p1[t,u]*v1[u,i], u)",
            "a1[t,o] = sum(W_o1[o,i]*c1[t,i], i)",
        ),
        "a1[t,o]",
    ),
    Case(
        {"attention": {"heads": 2, "causal": True}},
        STEPS,
        (
            "q1[h,t,i] = sum(W_q1[1*(h-1)+i,j]*x[t,j], j)",
            "k1[h,t,i] = sum(W_k1[1*(h-1)+i,j]*x[t,j], j)",
            "v1[h,t,i] = sum(W_v1[1*(h-1)+i,j]*x[t,j], j)",
            "s1[h,t,u] = sum(q1[h,t,i]*k1[h,u,i], i)/sqrt(1)",
            "p1[h,t,u] = where(u <= t, exp(s1[h,t,u]), 0)/sum(where(w <= t, exp(s1[h,t,w]), 0), w)",
            "c1[h,t,i] = sum(p1[h,t,u]*v1[h,u,i], u)",
            "a1[t,o] = sum(W_o1[o,1*(h-1)+i]*c1[h,t,i], h, i)",
        ),
        "a1[t,o]",
        ranges={"h": 2, "i": 1},
    ),
    Case(
        {"rnn": {"units": 3}},
        STEPS,
        (f"z1[t,i] = {gate('xh', 'hh', 'h')}", "h1[t,i] = tanh(z1[t,i])"),
        "h1[t,i]",
        delta=("dJ/dz1[t,i]", "dJ/dh1[t,i]*(1 - h1[t,i]**2)"),
    ),
    Case(
        {"rnn": {"units": 2, "h0": [0.5, -0.25], "output": "last"}},
        STEPS,
        ("h1[0,i] = h0_1[i]", f"z1[t,i] = {gate('xh', 'hh', 'h')}", "h1[t,i] = tanh(z1[t,i])", "a1[i] = h1[3,i]"),
        "a1[i]",
        # An equation of its own gives the initial state another name (h10); in the layer it is the input h0_1.
        same_formulas=False,
    ),
    Case(
        {"lstm": {"units": 2}},
        STEPS,
        (
            *(f"{letter}1[t,i] = sigmoid({gate(f'x{letter}', f'h{letter}', letter)})" for letter in "ifo"),
            f"g1[t,i] = tanh({gate('xg', 'hg', 'g')})",
            "c1[t,i] = f1[t,i]*c1[t-1,i] + i1[t,i]*g1[t,i]",
            "h1[t,i] = o1[t,i]*tanh(c1[t,i])",
        ),
        "h1[t,i]",
    ),
    Case(
        {"gru": {"units": 2}},
        STEPS,
        (
            *(f"{letter}1[t,i] = sigmoid({gate(f'x{letter}', f'h{letter}', letter)})" for letter in "rz"),
            "n1[t,i] = tanh(sum(W_xn1[i,j]*x[t,j], j) + b_xn1[i] + r1[t,i]*(sum(W_hn1[i,k]*h1[t-1,k], k) + b_hn1[i]))",
            "h1[t,i] = (1 - z1[t,i])*n1[t,i] + z1[t,i]*h1[t-1,i]",
        ),
        "h1[t,i]",
    ),
]


def networks(case: Case) -> tuple[bp.Network, bp.Network]:
    """The layer, and the equations with the layer's own numbers for parameters."""
    name, _, indices = case.output.removesuffix("]").partition("[")
    x = {"value": case.x, "batch": case.batch}
    own = ", ".join(indices.split(",")[case.batch :])
    at = f"[{own.replace(' ', '')}]"
    cost = f"1/2 * sum(yhat{at}**2, {own}) + sum(yhat{at}, {own})"
    layer = bp.load(json.dumps({"inputs": {"x": x}, "layers": [case.layer], "loss": cost}))
    given = layer.compile().run().given
    inputs = {
        key: {"value": np.asarray(given[key]).tolist(), "batch": False} for key in ("mask1", "h0_1") if key in given
    }
    graph = layer.graph
    parameters = {q.name: np.asarray(given[q.name]).tolist() for q in graph.quantities if q.role.value == "parameter"}
    spec: dict[str, Any] = {"inputs": {"x": x, **inputs}, "equations": [*case.equations]}
    spec["equations"].append(f"J = {cost}".replace("yhat", name))
    if case.ranges:
        spec["ranges"] = case.ranges
    return layer, bp.load(json.dumps({**spec, "parameters": parameters, "loss": "J"}))


def name_of(case: Case) -> str:
    [(kind, options)] = case.layer.items()
    return "-".join([kind, *(key for key in options if key not in ("filters", "units", "kernel", "vocabulary", "dim"))])


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_the_layer_and_its_equations_give_the_same(case: Case) -> None:
    layer, equations = networks(case)
    ours, theirs = layer.compile().run(), equations.compile().run()
    np.testing.assert_allclose(ours.loss, theirs.loss, rtol=1e-13)
    for name, value in ours.forward.items():
        np.testing.assert_allclose(value, theirs.forward[name], rtol=1e-13, err_msg=name)
    for name, value in ours.gradients.items():
        np.testing.assert_allclose(value, theirs.gradients[name], rtol=1e-12, atol=1e-14, err_msg=name)
    if case.same_formulas:
        formulas, written = parameter_formulas(layer), parameter_formulas(equations)
        assert formulas == {name: [text.replace(*case.delta) for text in texts] for name, texts in written.items()}
        assert bool(formulas) == bool(LAYERS[next(iter(case.layer))].parameters)


def parameter_formulas(network: bp.Network) -> dict[str, list[str]]:
    """How dJ/d(parameter) is written, step by step, for every parameter."""
    found: dict[str, list[str]] = {}
    for step in network.derive().as_data()["steps"]:
        if step["kind"] == "parameter_gradient":
            found.setdefault(step["of"], []).append(step["formula"]["text"])
    return found


def test_every_layer_is_written_out() -> None:
    assert {kind for case in CASES for kind in case.layer} == set(LAYERS)
