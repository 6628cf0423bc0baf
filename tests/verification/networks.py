"""Graphs written down node by node, with gradients worked out by hand in NumPy: of the tool only its notation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sympy import Expr, Rational, exp, log, tanh

from backprop_cli.symbolic.functions import apply
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.notation import Compare, Place, Reduce, Where, index

i, j, k = index("i"), index("j"), index("k")


@dataclass(frozen=True)
class Example:
    """A graph, the values of a run and the right gradients."""

    graph: Graph
    values: dict
    gradients: dict

    def wrong(self, name, factor=1.0005, entry=None):
        """The gradients with one of them, or one entry of it, off by 0.05 %."""
        array = np.array(self.gradients[name], dtype=float)
        array[... if entry is None else entry] *= factor
        return {**self.gradients, name: array}


def given(name, indices, shape, role=Role.PARAMETER):
    return Quantity(name, indices, shape, role)


def computed(name, indices, shape, definition, role=Role.INTERMEDIATE):
    return Quantity(name, indices, shape, role, definition)


def graph(*quantities, cost="J", output=None, **more):
    return Graph("test", quantities, cost, output or quantities[-2].name, **more)


def two_layers(seed=0, scale=1.0):
    """x -> sigmoid -> tanh, half the sum of squares, all by hand; ``scale`` multiplies the cost."""
    rng = np.random.default_rng(seed)
    x, y, W1, W2 = rng.normal(size=2), rng.normal(size=2), rng.normal(size=(3, 2)), rng.normal(size=(2, 3))
    z1 = W1 @ x
    a1 = 1 / (1 + np.exp(-z1))
    z2 = W2 @ a1
    a2 = np.tanh(z2)
    J = scale * 0.5 * np.sum((a2 - y) ** 2)
    da2 = scale * (a2 - y)
    dz2 = da2 * (1 - a2**2)
    da1 = W2.T @ dz2
    dz1 = da1 * a1 * (1 - a1)
    network = graph(
        given("x", (j,), (2,), Role.INPUT),
        given("W1", (i, j), (3, 2)),
        computed("z1", (i,), (3,), Reduce("sum", Place("W1", i, j) * Place("x", j), j, 2)),
        computed("a1", (i,), (3,), apply("sigmoid", (Place("z1", i),))),
        given("W2", (k, i), (2, 3)),
        computed("z2", (k,), (2,), Reduce("sum", Place("W2", k, i) * Place("a1", i), i, 3)),
        computed("a2", (k,), (2,), tanh(Place("z2", k))),
        given("y", (k,), (2,), Role.TARGET),
        computed(
            "J",
            (),
            (),
            Rational(scale) / 2 * Reduce("sum", (Place("a2", k) - Place("y", k)) ** 2, k, 2),
            Role.COST,
        ),
        output="a2",
    )
    values = {"x": x, "y": y, "W1": W1, "W2": W2, "J": J}
    gradients = {
        "W1": np.outer(dz1, x),
        "W2": np.outer(dz2, a1),
        "z1": dz1,
        "a1": da1,
        "z2": dz2,
        "a2": da2,
        "x": W1.T @ dz1,
    }
    return Example(network, values, gradients)


def scalar(definition: Expr, w, J, slope):
    """J as a function of one number w."""
    network = graph(given("w", (), ()), computed("J", (), (), definition, Role.COST), output="w")
    return Example(network, {"w": np.asarray(w), "J": J}, {"w": np.asarray(slope)})


def over_vector(definition: Expr, w, J, slope):
    """J as a function of one vector w."""
    w = np.asarray(w, dtype=float)
    network = graph(given("w", (i,), w.shape), computed("J", (), (), definition, Role.COST), output="w")
    return Example(network, {"w": w, "J": J}, {"w": np.asarray(slope, dtype=float)})


def shared_bias_under_softmax():
    """Logits z + b with one b for all: the cost does not depend on it, and its gradient is Σ(p - y), rounding only."""
    z, y, b = np.array([0.3, -1.2, 2.0]), np.array([0.0, 1.0, 0.0]), 0.7
    p = np.exp(z + b) / np.exp(z + b).sum()
    network = graph(
        given("b", (), ()),
        given("z", (i,), (3,), Role.INPUT),
        given("y", (i,), (3,), Role.TARGET),
        computed("s", (i,), (3,), Place("z", i) + Place("b")),
        computed("p", (i,), (3,), exp(Place("s", i)) / Reduce("sum", exp(Place("s", k)), k, 3), Role.HELPER),
        computed("J", (), (), -Reduce("sum", Place("y", i) * log(Place("p", i)), i, 3), Role.COST),
    )
    values = {"z": z, "y": y, "b": np.asarray(b), "J": -np.log(p[1])}
    return Example(network, values, {"b": np.asarray((p - y).sum() + 3e-17), "s": p - y, "z": p - y})


def root_behind_a_choice(z):
    """``where(z > 0, sqrt(z), 0)``: automatic differentiation finds nan at 0, where the branch taken has slope 0."""
    w = Place("w")
    slope = 0.5 / np.sqrt(z) if z > 0 else 0.0
    return scalar(Where(Compare(">", w, 0), w ** Rational(1, 2), 0), z, np.sqrt(max(z, 0.0)), slope)
