"""Random networks for hypothesis, as the data of a spec: plain dictionaries that :func:`as_yaml` writes out.

Hypothesis chooses the structure, so that a failing network shrinks to a small one; the numbers come from a seeded
generator, so that no sum of them hits a kink by accident. Functions and losses are drawn from the library's tables: a
new entry takes part without a change here, and where its domain is limited it needs a line in the tables below.
"""

from __future__ import annotations

import json
import os
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
    "1/2 * sum(({last}[i] - y[i])**2, i)",
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


SHARE = 4  # of the networks that a property is tried with when `.ci/full` searches, one in four is tried otherwise


def examples(most: int) -> int:
    """How many networks a property is tried with: ``most`` when `.ci/full` searches, fewer at other times."""
    return most if os.environ.get("HYPOTHESIS_PROFILE") == "fresh" else -(-most // SHARE)


def as_yaml(spec: Spec) -> str:
    """The spec as text: JSON, which every YAML 1.2 reader reads."""
    return json.dumps(spec)


def numbers(rng: np.random.Generator, shape: tuple[int, ...], scale: float = 1.0) -> Any:
    """Numbers with a few decimals in nested lists, none of them 0."""
    values = np.round(rng.uniform(-scale, scale, shape), 4)
    return np.where(values == 0, 0.1234, values).tolist()


@st.composite
def layer_networks(
    draw: st.DrawFn, max_depth: int = 6, max_width: int = 8, activation: str | None = None, loss: str | None = None
) -> Spec:
    """A stack of dense layers, activations and blocks with any loss.

    ``activation`` asks for a function in the first layer (the second one, where it needs positive numbers) and ``loss``
    for a loss, each by name.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    depth = draw(st.integers(1 if activation not in POSITIVE_ONLY else 2, max_depth))
    samples = draw(st.one_of(st.none(), st.integers(1, 4)))
    loss = loss or draw(st.sampled_from((*LOSSES, "expression", "grad_output")))
    stack = _Stack(draw, rng, draw(st.integers(1, max_width)), max_width)
    for place in range(1, depth + 1):
        wanted = activation if place == 1 else None
        if activation in POSITIVE_ONLY and place <= 2:
            wanted = draw(st.sampled_from(POSITIVE)) if place == 1 else activation
        stack.add(place, last=place == depth, loss=loss, activation=wanted)
    spec: Spec = {"name": "random", "inputs": {"x": numbers(rng, stack.batched(samples, stack.inputs))}}
    spec["layers"] = stack.layers
    spec |= _loss(draw, rng, loss, samples, stack.outputs[-1])
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
        self.biases: dict[str, tuple[int, ...]] = {}
        self.steep = False

    @staticmethod
    def batched(samples: int | None, *shape: int) -> tuple[int, ...]:
        return shape if samples is None else (samples, *shape)

    def add(self, place: int, last: bool, loss: str, activation: str | None) -> None:
        if last and loss == "bce":
            self._dense(place, self.draw(st.sampled_from(("sigmoid", "1/(1 + exp(-2*z))"))))
        elif activation in POSITIVE_ONLY:
            self._activation(place, activation)
        elif activation is not None or (place == 1 and last):
            self._dense(place, activation or self._function())
        else:
            kind = self.draw(st.sampled_from(("dense", "dense", "dense", "activation", "block")))
            if kind == "block":
                self._block(place)
            elif kind == "dense":
                self._dense(place, self._function())
            else:
                self._activation(place, self._function())

    def _name(self, place: int, options: dict[str, Any]) -> str:
        """What the layer's names end in; a name is sometimes given."""
        if self.draw(st.integers(0, 5)):
            return str(place)
        options["name"] = self.draw(st.sampled_from(("hidden", "E", "in", "x"))) + str(place)
        return f"_{options['name']}"

    def _activation(self, place: int, function: str) -> None:
        options: dict[str, Any] = {}
        suffix = self._name(place, options) if function in ACTIVATIONS else str(place)
        self.layers.append({function: options} if options else function)
        self.outputs.append((f"a{suffix}", self.width))

    def _function(self) -> str:
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
        suffix = self._name(place, options)
        same = [name for name, shape in self.shapes.items() if shape[1:] == (inputs,)]
        shared = []
        if same and draw(st.integers(0, 2)) == 0:
            shared.append(draw(st.sampled_from(same)))
            units = options["units"] = self.shapes[shared[0]][0]
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
            self.weights.append(f"W{suffix}")
            self.shapes[f"W{suffix}"] = (units, inputs)
        biases = [name for name, shape in self.biases.items() if shape in ((), (units,))]
        if biases and draw(st.integers(0, 4)) == 0:
            shared.append(draw(st.sampled_from(biases)))
        else:
            shape = draw(st.sampled_from(((units,), (), None)))
            options["bias"] = False if shape is None else numbers(rng, shape)
            if shape is not None:
                self.biases[f"b{suffix}"] = shape
        if shared:
            options["share"] = shared[0] if len(shared) == 1 else shared
        if function != "identity" or draw(st.booleans()):
            options["activation"] = function
        self.width = units
        self.layers.append({"dense": options})
        self.outputs.append((f"a{suffix}", units))

    def _block(self, place: int) -> None:
        name, width = self.draw(st.sampled_from(self.outputs))
        text = self.draw(st.sampled_from(BLOCKS)).format(h=f"h{place}", a=name)
        self.layers.append({"equations": [text]})
        self.width = width
        self.outputs.append((f"h{place}", width))


def _loss(draw: st.DrawFn, rng: np.random.Generator, loss: str, samples: int | None, output: tuple[str, int]) -> Spec:
    last, width = output
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
        return {**targets, "loss": draw(st.sampled_from(LOSS_EXPRESSIONS)).format(last=last)}
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


# {v} is what the equation defines; {u} is a vector, {t} one of the same size, {s} a scalar, {W} {b} {c} parameters.
VECTOR_FROM_VECTOR = (
    "{v}[i] = tanh({u}[i])",
    "{v}[i] = {u}[i]*{t}[i]",
    "{v}[i] = {u}[i] - {t}[i]/3",
    "{v}[i] = {u}[i]/(1 + {t}[i]**2)",
    "{v}[i] = max({u}[i], {t}[i])",
    "{v}[i] = min({u}[i], {t}[i], 1/2)",
    "{v}[i] = where({u}[i] > {t}[i], {u}[i]**2, 2*{t}[i])",
    "{v}[i] = where({u}[i] < {s} + 0.05, sin({u}[i]), {s}*{u}[i])",
    "{v}[i] = exp({u}[i]) / sum(exp({u}[k]), k)",
    "{v}[m] = exp(2*{u}[m] + {t}[m]) / sum(exp(2*{u}[j] + {t}[j]), j)",
    "{v}[i] = 1/(1 + exp(-{u}[i]))",
    "{v}[i] = log(1 + exp({u}[i]))",
    "{v}[i] = {u}[i]*{u}[1]",
    "{v}[i] = i*{u}[i]/2",
    "{v}[i] = {s}*{u}[i] + {c}",
    "{v}[i] = {c}*({u}[i] - mean({u}[k], k))/sqrt(mean(({u}[k] - mean({u}[m], m))**2, k) + 1)",
    "{v}[i] = {b}[i]*abs({u}[i])",
    "{v}[i] = {t}[i] + sum(where(k <= i, {u}[k], 0), k)",
    "{v}[i] = sum((i == k)*{u}[k]**2, k) + {t}[i]",
    "{v}[i] = sigmoid({u}[i])*{t}[i] + relu(-{u}[i])",
    "{v}[i] = max({u}[k]*{t}[i], k)",
)
NEW_SIZE = (
    "{v}[i] = sum({W}[i,j]*{u}[j], j) + {b}[i]",
    "{v}[p] = sum({u}[q]*{W}[p,q], q)",
    "{v}[i] = tanh(sum({W}[i,j]*{u}[j]**2, j))",
    "{v}[i] = max({W}[i,j] + {u}[j], j)",
    "{v}[i] = sum(softplus({W}[i,j]*{u}[j]), j)",
    "{v}[i] = mean(({W}[i,j] - {u}[j])**2, j)",
)
SCALAR_FROM_VECTOR = (
    "{v} = sum({u}[i]*{t}[i], i)",
    "{v} = mean({u}[i]**2, i)",
    "{v} = max({u}[i], i) - min({t}[i], i)",
    "{v} = {u}[1] + {s}**2",
    "{v} = log(sum(exp({u}[i]), i))",
    "{v} = sum({u}[i]*{t}[j]*i, i, j)/4",
    "{v} = {c}*tanh({s})",
    "{v} = argmax({u}[i], i)*{u}[1]/3",
)
MATRIX = ("{v}[i,j] = {u}[i]*{t}[j]", "{v}[i,j] = tanh({W}[i,j] - {u}[j]*{s})")
FROM_MATRIX = (
    "{v}[i] = sum({M}[i,j]*{u}[j], j)",
    "{v}[j] = max({M}[i,j], i)",
    "{v}[i] = {M}[i,1] + {M}[1,i]",
    "{v}[i] = exp({M}[i,i]) / sum(exp({M}[k,i]), k)",
)
LETTERS = ("h", "z", "lambda", "in", "E", "I", "N", "S", "Q", "beta", "gamma", "zeta", "alpha_1", "exp1", "pi", "O")
GROUPS = (VECTOR_FROM_VECTOR, VECTOR_FROM_VECTOR, NEW_SIZE, SCALAR_FROM_VECTOR, MATRIX)


@st.composite
def equation_networks(draw: st.DrawFn, max_equations: int = 7, max_size: int = 5) -> Spec:
    """A network written as equations: fan-out, reductions, choices, softmax by hand, several inputs, any names."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    samples = draw(st.one_of(st.none(), st.integers(1, 3)))
    written = _Equations(draw, rng, samples, max_size)
    for name in ("x", "w")[: draw(st.integers(1, 2))]:
        written.give_input(name)
    for _ in range(draw(st.integers(1, max_equations))):
        written.add()
    return written.spec()


class _Equations:
    """The equations drawn so far and the quantities that the next one may use."""

    def __init__(self, draw: st.DrawFn, rng: np.random.Generator, samples: int | None, max_size: int) -> None:
        self.draw, self.rng, self.samples, self.max_size = draw, rng, samples, max_size
        self.inputs: dict[str, Any] = {}
        self.parameters: dict[str, Any] = {}
        self.lines: list[str] = []
        self.vectors: dict[str, int] = {}
        self.scalars: list[str] = []
        self.names = list(LETTERS)
        rng.shuffle(self.names)

    def give_input(self, name: str) -> None:
        size = self.draw(st.integers(1, self.max_size))
        shape = (size,) if self.samples is None else (self.samples, size)
        self.inputs[name] = numbers(self.rng, shape, 1.5)
        self.vectors[name] = size

    def add(self) -> None:
        u = self.draw(st.sampled_from(sorted(self.vectors)))
        size = self.vectors[u]
        group = self.draw(st.sampled_from(GROUPS))
        text = self.draw(st.sampled_from(group))
        v = self.names.pop()
        rows = self.draw(st.integers(1, self.max_size)) if group is NEW_SIZE else size
        if group is MATRIX:
            self._write(text, v, u, rows)
            matrix, v = v, self.names.pop()
            self._write(self.draw(st.sampled_from(FROM_MATRIX)), v, u, rows, matrix)
        else:
            self._write(text, v, u, rows)
        if group is SCALAR_FROM_VECTOR:
            self.scalars.append(v)
        else:
            self.vectors[v] = rows

    def _write(self, text: str, v: str, u: str, rows: int, matrix: str = "") -> None:
        size, count = self.vectors[u], len(self.parameters) + 1
        partners = sorted(name for name, other in self.vectors.items() if other == size)
        new = {"W": (f"W{count}", (rows, size)), "b": (f"b{count}", (rows,)), "c": (f"c{count}", ())}
        for letter, (name, shape) in new.items():
            if f"{{{letter}}}" in text:
                self.parameters[name] = numbers(self.rng, shape)
        if "{s}" in text and not self.scalars:
            self.parameters["s0"] = numbers(self.rng, ())
            self.scalars.append("s0")
        filled = {letter: name for letter, (name, _) in new.items()}
        s = self.draw(st.sampled_from(self.scalars)) if "{s}" in text else ""
        t = self.draw(st.sampled_from(partners)) if "{t}" in text else ""
        self.lines.append(text.format(v=v, u=u, t=t, s=s, M=matrix, **filled))

    def spec(self) -> Spec:
        """With a loss that everything reaches, or only the last vector."""
        last = list(self.vectors)[-1]
        y = numbers(self.rng, (self.vectors[last],) if self.samples is None else (self.samples, self.vectors[last]))
        terms = [f"1/2*sum(({last}[i] - y[i])**2, i)"]
        if self.draw(st.booleans()):
            terms += [f"sum({name}[i]**2, i)/5" for name in self.vectors if name != last]
            terms += [f"cos({name})" for name in self.scalars]
        loss = self.draw(st.sampled_from(("L", "J", "cost")))
        spec: Spec = {"name": "random", "inputs": self.inputs, "targets": {"y": y}}
        if self.parameters:
            spec["parameters"] = self.parameters
        spec |= {"equations": [*self.lines, f"{loss} = {' + '.join(terms)}"], "loss": loss}
        penalised = [name for name in self.parameters if name.startswith("W")]
        if penalised and self.draw(st.booleans()):
            spec["regularise"] = {"l2": 0.1}
        if self.samples is not None:
            spec["reduction"] = self.draw(st.sampled_from(("mean", "sum")))
        return spec


@st.composite
def recurrence_numbers(draw: st.DrawFn, most: int) -> dict[str, list[Any]]:
    """Numbers for ``h = f(U x + W h + b)`` over some steps: x, sometimes with two samples, U, W and b. Steps, units and
    inputs are at most ``most``."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    steps, units, width = (draw(st.integers(1, most)) for _ in range(3))
    samples = draw(st.sampled_from([(), (2,)]))
    shapes = {"x": (*samples, steps, width), "U": (units, width), "W": (units, units), "b": (units,)}
    return {name: rng.uniform(-1.5, 1.5, shape).round(2).tolist() for name, shape in shapes.items()}
