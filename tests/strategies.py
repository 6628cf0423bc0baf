"""Random networks for hypothesis, as the data of a spec: plain dictionaries that :func:`as_yaml` writes out.

Hypothesis chooses the structure, so that a failing network shrinks to a small one; the numbers come from a seeded
generator, so that no sum of them hits a kink by accident. Functions and losses are drawn from the library's tables: a
new entry takes part without a change here, and where its domain is limited it needs a line in the tables below.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import strategies as st

from backprop_cli.library.functions import ACTIVATIONS
from backprop_cli.library.losses import LOSSES

Spec = dict[str, Any]

POSITIVE_ONLY = ("log", "sqrt")  # they follow a layer of positive outputs
POSITIVE = ("softplus", "sigmoid", "exp", "softmax", "cosh")
STEEP = ("exp", "sinh", "cosh", "tan")  # one in a network is enough: two in a row overflow
EXPRESSIONS = (
    "z * sigmoid(z)",
    "exp(-z**2)",
    "log(1 + z**2)",
    "sqrt(z**2 + 1)",
    "where(z > 0.5, z, z/2)",
    "max(z, -2*z)",
    "min(z, 0.3, z**2)",
    "z/(1 + abs(z))",
    "1/(1 + exp(-2*z))",
    "tanh(z)**2 - z/3",
    "(z > 0)*z",
)
LOSS_EXPRESSIONS = (
    "1/2 * sum((a{last}[i] - y[i])**2, i)",
    "sum(log(cosh(yhat[i] - y[i])), i)",
    "max((yhat[i] - y[i])**2, i)",
    "mean(abs(yhat[i]*y[i] - 1)**3, i) + yhat[1]**2",
    "-sum(y[i]*log(exp(yhat[i])/sum(exp(yhat[k]), k)), i)",
    "sum(where(abs(yhat[i] - y[i]) < 1, 0, yhat[i]**2), i) + sum(exp(-yhat[i]**2), i)",
)
BLOCKS = (
    "{h}[i] = {a}[i] + tanh({a}[i])",
    "{h}[i] = {a}[i]*sum({a}[k]**2, k)",
    "{h}[i] = ({a}[i] - mean({a}[k], k))/sqrt(mean(({a}[k] - mean({a}[m], m))**2, k) + 1)",
    "{h}[i] = max({a}[i], mean({a}[k], k))",
    "{h}[i] = {a}[i] - {a}[1]/2",
)


def as_yaml(spec: Spec) -> str:
    """The spec as text: JSON, which every YAML 1.2 reader reads."""
    return json.dumps(spec)


def numbers(rng: np.random.Generator, shape: tuple[int, ...], scale: float = 1.0) -> Any:
    """Numbers with a few decimals in nested lists, none of them 0."""
    values = np.round(rng.uniform(-scale, scale, shape), 4)
    return np.where(values == 0, 0.1234, values).tolist()


@st.composite
def layer_networks(draw: st.DrawFn, max_depth: int = 6, max_width: int = 8, activation: str | None = None) -> Spec:
    """A stack of dense layers, activations and blocks with any loss. ``activation`` asks for one function by name."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    depth = draw(st.integers(1, max_depth))
    samples = draw(st.one_of(st.none(), st.integers(1, 4)))
    loss = draw(st.sampled_from((*LOSSES, "expression", "grad_output")))
    stack = _Stack(draw, rng, draw(st.integers(1, max_width)), max_width)
    for place in range(1, depth + 1):
        wanted = activation if place == 1 else None
        stack.add(place, last=place == depth, loss=loss, activation=wanted)
    spec: Spec = {"name": "random", "inputs": {"x": numbers(rng, stack.batched(samples, stack.inputs))}}
    spec["layers"] = stack.layers
    spec |= _loss(draw, rng, loss, samples, stack.width, depth)
    if loss != "grad_output":
        spec |= _penalty(draw, stack.weights)
        if samples is not None:
            spec["reduction"] = draw(st.sampled_from(("mean", "sum")))
    if stack.weights and draw(st.booleans()):
        spec["frozen"] = [draw(st.sampled_from(stack.weights))]
    return spec


class _Stack:
    """The layers drawn so far, with what the next one has to know."""

    def __init__(self, draw: st.DrawFn, rng: np.random.Generator, inputs: int, max_width: int) -> None:
        self.draw, self.rng, self.inputs, self.width, self.max_width = draw, rng, inputs, inputs, max_width
        self.layers: list[Any] = []
        self.weights: list[str] = []
        self.outputs: list[tuple[str, int]] = [("x", inputs)]
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.positive = False
        self.steep = False

    @staticmethod
    def batched(samples: int | None, *shape: int) -> tuple[int, ...]:
        return shape if samples is None else (samples, *shape)

    def add(self, place: int, last: bool, loss: str, activation: str | None) -> None:
        probabilities = last and loss == "bce"
        kinds = ["dense", "dense", "dense", "activation", "block"]
        kind = "dense" if probabilities or (place == 1 and last) else self.draw(st.sampled_from(kinds))
        function = activation or self._function(place)
        if probabilities:
            function = self.draw(st.sampled_from(("sigmoid", "1/(1 + exp(-2*z))")))
        if kind == "dense" or activation is not None:
            self._dense(place, function)
        elif kind == "activation":
            self.layers.append(function)
        else:
            self._block(place)
            function = "identity"
        self.positive = kind != "block" and function in POSITIVE
        if kind == "block":
            return
        self.outputs.append((f"a{place}", self.width))

    def _function(self, place: int) -> str:
        choices = [name for name in ACTIVATIONS if name not in POSITIVE_ONLY and not (self.steep and name in STEEP)]
        function = self.draw(st.sampled_from((*choices, *EXPRESSIONS)))
        self.steep = self.steep or function in STEEP
        return function

    def _dense(self, place: int, function: str) -> None:
        draw, rng = self.draw, self.rng
        options: dict[str, Any] = {}
        inputs = self.width
        if len(self.outputs) > 1 and draw(st.integers(0, 4)) == 0:
            chosen = draw(st.lists(st.sampled_from(self.outputs), min_size=1, max_size=2, unique=True))
            options["from"] = [name for name, _ in chosen]
            inputs = sum(width for _, width in chosen)
        same = [name for name, shape in self.shapes.items() if shape[1:] == (inputs,)]
        if same and draw(st.integers(0, 2)) == 0:
            shared = draw(st.sampled_from(same))
            units = self.shapes[shared][0]
            options |= {"units": units, "share": shared}
        else:
            units = draw(st.integers(1, self.max_width))
            W = np.array(numbers(rng, (units, inputs), 1.6 / np.sqrt(inputs) + 0.2))
            if draw(st.integers(0, 3)) == 0:
                mask = rng.integers(0, 2, (units, inputs))
                options["connections"] = mask.tolist()
                W = W * mask + 0.0
            if draw(st.booleans()):
                options["units"] = units
            options["weights"] = W.tolist()
            self.weights.append(f"W{place}")
            self.shapes[f"W{place}"] = (units, inputs)
        bias = draw(st.sampled_from(("vector", "scalar", "none")))
        options["bias"] = {"vector": numbers(rng, (units,)), "scalar": numbers(rng, ()), "none": False}[bias]
        if function != "identity" or draw(st.booleans()):
            options["activation"] = function
        self.width = units
        self.layers.append({"dense": options})

    def _block(self, place: int) -> None:
        name, width = self.draw(st.sampled_from(self.outputs))
        text = self.draw(st.sampled_from(BLOCKS)).format(h=f"h{place}", a=name)
        self.layers.append({"equations": [text]})
        self.width = width
        self.outputs.append((f"h{place}", width))


def _loss(draw: st.DrawFn, rng: np.random.Generator, loss: str, samples: int | None, width: int, depth: int) -> Spec:
    shape = (width,) if samples is None else (samples, width)
    if loss == "grad_output":
        return {"grad_output": numbers(rng, shape)}
    y = np.array(numbers(rng, shape))
    if loss == "hinge":
        y = np.sign(y)
    if loss in ("bce", "bce_with_logits"):
        y = np.round(np.abs(y), 3) if draw(st.booleans()) else (y > 0) * 1.0
    if loss in ("cross_entropy", "nll"):
        form = draw(st.sampled_from(("class", "one-hot", "distribution", "any")))
        classes = rng.integers(0, width, shape[:-1])
        if form == "class":
            return {"targets": {"y": classes.tolist()}, "loss": loss}
        if form == "one-hot":
            y = np.eye(width)[classes]
        if form == "distribution":
            y = np.abs(y) / np.abs(y).sum(-1, keepdims=True)
    targets = {"targets": {"y": y.tolist()}}
    if loss == "expression":
        return {**targets, "loss": draw(st.sampled_from(LOSS_EXPRESSIONS)).format(last=depth)}
    if loss == "huber" and draw(st.booleans()):
        return {**targets, "loss": {"huber": {"delta": draw(st.sampled_from((0.25, 0.5, 2)))}}}
    return {**targets, "loss": loss}


def _penalty(draw: st.DrawFn, weights: list[str]) -> Spec:
    chosen = draw(st.sampled_from((None, None, "l2", "l1", "both", "of")))
    if chosen is None or not weights:
        return {}
    rule: dict[str, Any] = {}
    if chosen != "l1":
        rule["l2"] = draw(st.sampled_from((0.01, 0.3)))
    if chosen in ("l1", "both"):
        rule["l1"] = draw(st.sampled_from((0.02, 0.5)))
    if chosen == "of":
        rule["of"] = [draw(st.sampled_from(weights))]
    return {"regularise": rule}
