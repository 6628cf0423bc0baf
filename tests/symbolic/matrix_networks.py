"""Small networks for the matrix view, put together as graphs with random values, or read from specs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import dedent

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Integer, Rational, Symbol, exp, log

from backprop_cli.spec.reading import read_text
from backprop_cli.symbolic.assembly import assemble
from backprop_cli.symbolic.functions import CLASSES
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.notation import Compare, Place, Reduce, index

i, j, k, n = (index(name) for name in "ijkn")
ELEMENTWISE = ("identity", "tanh", "sigmoid", "relu", "softplus", "gelu", "silu", "elu", "abs")
LOSSES = ("mse", "mae", "cross_entropy", "class_number", "bce")


def total(body: Expr, bound: Symbol, size: int) -> Expr:
    return Reduce("sum", body, bound, size)


@dataclass
class Network:
    """A stack of dense layers. ``sizes`` counts the inputs first; ``batch`` is the number of samples or None."""

    sizes: Sequence[int]
    activations: Sequence[str]
    loss: str = "mse"
    batch: int | None = None
    masked: bool = False  # connections of the first layer
    shared_bias: bool = False  # in the last layer
    residual: bool = False  # the first hidden layer's output is also added to the last layer's
    l2: bool = False
    l1: bool = False
    quantities: list[Quantity] = field(default_factory=list)

    def add(
        self,
        name: str,
        indices: Sequence[Symbol],
        shape: Sequence[int],
        role: Role,
        definition: Expr | None = None,
        layer: int | None = None,
        activation: str | None = None,
    ) -> None:
        per_sample = self.batch is not None and name != "C" and role not in (Role.PARAMETER, Role.COST)
        indices, shape = ((n, *indices), (self.batch or 0, *shape)) if per_sample else (tuple(indices), tuple(shape))
        self.quantities.append(
            Quantity(name, indices, shape, role, definition, None, layer, activation, depends_on_sample=per_sample)
        )

    def at(self, name: str, *positions: Symbol) -> Place:
        return Place(name, *((n,) if self.batch is not None else ()), *positions)

    def graph(self) -> Graph:
        self.quantities.clear()
        self.add("x", (j,), (self.sizes[0],), Role.INPUT)
        before = "x"
        stack = zip(self.sizes, self.sizes[1:], self.activations, strict=False)
        for layer, (width, units, activation) in enumerate(stack, 1):
            before = self._layer(layer, width, units, activation, before)
        if self.residual:
            self.add("r", (i,), (self.sizes[-1],), Role.INTERMEDIATE, self.at(before, i) + self.at("a1", i))
            before = "r"
        self._cost(before, self.sizes[-1])
        return Graph(
            "network", tuple(self.quantities), "J", before, sample=None if self.batch is None else n, samples=self.batch
        )

    def _layer(self, layer: int, width: int, units: int, activation: str, before: str) -> str:
        W, b, z, a = (f"{letter}{layer}" for letter in "Wbza")
        self.add(W, (i, j), (units, width), Role.PARAMETER, layer=layer)
        weighted: Expr = Place(W, i, j)
        if self.masked and layer == 1:
            self.add("C", (i, j), (units, width), Role.CONSTANT)
            weighted = weighted * Place("C", i, j)
        shared = self.shared_bias and layer == len(self.sizes) - 1
        self.add(b, () if shared else (i,), () if shared else (units,), Role.PARAMETER, layer=layer)
        bias = Place(b) if shared else Place(b, i)
        products = total(weighted * self.at(before, j), j, width)
        self.add(z, (i,), (units,), Role.WEIGHTED_SUM, products + bias, layer=layer)
        argument = self.at(z, i)
        if activation == "softmax":
            value = exp(argument) / total(exp(self.at(z, k)), k, units)
        else:
            value = argument if activation == "identity" else CLASSES[activation](argument)
        self.add(a, (i,), (units,), Role.ACTIVATION, value, layer=layer, activation=activation)
        return a

    def _cost(self, output: str, K: int) -> None:
        value = self.at(output, k)
        if self.loss == "class_number":
            self.add("y", (), (), Role.CONSTANT)
            y: Expr = Compare("==", k, self.at("y") + 1)
        else:
            self.add("y", (k,), (K,), Role.TARGET)
            y = self.at("y", k)
        if self.loss in ("cross_entropy", "class_number"):
            self.add("p", (i,), (K,), Role.HELPER, exp(self.at(output, i)) / total(exp(value), k, K))
            loss = -total(y * log(self.at("p", k)), k, K)
        elif self.loss == "bce":
            self.add("p", (i,), (K,), Role.HELPER, CLASSES["sigmoid"](self.at(output, i)))
            p = self.at("p", k)
            loss = -total(y * log(p) + (1 - y) * log(1 - p), k, K) / K
        else:
            loss = total(CLASSES["abs"](value - y) if self.loss == "mae" else (value - y) ** 2, k, K) / K
        penalty: Expr = Integer(0)
        if self.l2:
            penalty += total(total(Place("W1", i, j) ** 2, j, self.sizes[0]), i, self.sizes[1]) / 200
        if self.l1:
            absolute = CLASSES["abs"](Place("W1", i, j))
            penalty += Rational(1, 10) * total(total(absolute, j, self.sizes[0]), i, self.sizes[1])
        if self.batch is not None or penalty != 0:
            self.add("L", (), (), Role.LOSS, loss)
            mean = total(Place("L", n), n, self.batch) / self.batch if self.batch is not None else Place("L")
            loss = mean + penalty
        self.add("J", (), (), Role.COST, loss)


def values_for(graph: Graph, seed: int = 0) -> dict[str, NDArray[np.float64]]:
    """Random values of everything given; masks of 0 and 1, class numbers, distributions as targets."""
    random = np.random.default_rng(seed)
    found = {}
    for quantity in graph.quantities:
        if quantity.definition is not None:
            continue
        value = random.normal(size=quantity.shape)
        if quantity.role is Role.TARGET:
            value = random.uniform(0.1, 1, size=quantity.shape)
            value = value / value.sum(axis=-1, keepdims=True)
        elif quantity.role is Role.CONSTANT:
            classes = graph[graph.output].shape[-1] if quantity.name == "y" else 2
            value = random.integers(0, classes, size=quantity.shape).astype(float)
        found[quantity.name] = np.asarray(value)
    return found


def from_spec(text: str) -> tuple[Graph, dict[str, NDArray[np.float64]]]:
    """The graph of a spec and the values that it gives."""
    found: list[tuple[Graph, dict[str, NDArray[np.float64] | None]]] = []
    read_text(dedent(text), "test", default_name="test", check=lambda spec: found.append(assemble(spec)))
    graph, values = found[-1]
    return graph, {name: np.asarray(value, dtype=float) for name, value in values.items() if value is not None}


SPECS = {
    "weights over several sums and means": """
        inputs:  {x: [0.5, -1.0]}
        targets: {y: [0, 1, 0]}
        parameters: {W: [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], b: {shape: [3]}}
        equations:
          - z[i] = sum(W[i,j]*x[j], j) + b[i]
          - m = mean(z[i], i)
          - a[i] = exp(z[i]) / sum(exp(z[k]), k) + m
          - J = -sum(y[i]*log(a[i]), i) + mean(W[i,j]**2, i, j)
        loss: J
        """,
    "samples mixed": """
        inputs:  {x: [[0.5, -1.0], [1, 2], [3, 1]]}
        targets: {y: [[0, 1], [1, 0], [1, 1]]}
        parameters: {W: [[0.1, 0.2], [0.3, 0.4]], g: [1, 2]}
        equations:
          - z[i] = sum(W[i,j]*x[j], j)
          - mu[i] = mean(z[n,i], n)
          - v[i] = mean((z[n,i]-mu[i])**2, n)
          - h[n,i] = g[i]*(z[n,i] - mu[i])/sqrt(v[i] + 0.01)
          - L = sum((h[i]-y[i])**2, i)
        loss: L
        """,
    "scalars": """
        inputs: {x: 1.5}
        targets: {y: 2}
        parameters: {w: 0.5}
        equations: [yhat = x*w, S = yhat - y, L = S**2]
        loss: L
        """,
    "scalars of a batch": """
        inputs: {x: [1.5, 2, -1]}
        targets: {y: [2, 1, 0]}
        parameters: {w: 0.5, b: 0.1}
        equations: [yhat = tanh(x*w + b), L = (yhat - y)**2]
        loss: L
        """,
    "a module on its own": """
        inputs: {x: [1, 2]}
        layers: [{dense: {units: 3, activation: tanh}}]
        grad_output: [1, 2, 3]
        """,
    "classes by number": """
        inputs: {x: [[1, 2], [2, 1]]}
        targets: {c: [1, 0]}
        layers: [{dense: {units: 3, activation: relu}}, {dense: {units: 2}}]
        loss: cross_entropy
        """,
    "activations as layers and as expressions": """
        inputs: {x: [1, 2]}
        targets: {y: [0.2, 0.8]}
        layers: [{dense: {units: 3, activation: z*sigmoid(z)}}, tanh, softmax, {dense: {units: 2, bias: false}}]
        loss: {huber: {delta: 1}}
        regularise: {l2: 0.01, l1: 0.1}
        """,
    "bilinear, with matrices of the sample": """
        inputs: {x: [1, 2], A: {value: [[1, 2], [3, 5]], batch: false}}
        parameters: {W: [[0.1, 0.2], [0.3, 0.4]]}
        equations:
          - B[i,k] = sum(A[i,j]*W[j,k], j) + W[k,i] + x[i]
          - C[i,k] = tanh(B[i,k])*x[k]
          - J = sum(C[i,k]**2/(1 + x[i]**2), i, k) + x[2]*W[1,2]
        loss: J
        """,
}
