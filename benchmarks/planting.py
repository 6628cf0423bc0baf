"""Students who make one mistake: a right solution of a random network with a typical mistake planted at one step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from sympy import Rational

import backprop_cli as bp
from backprop_cli.exercises.diagnosis import Diagnosis, Suspect
from backprop_cli.exercises.ids import name_of
from backprop_cli.exercises.key import Cell, CellKind, Key, Variant
from backprop_cli.exercises.mistakes import Setting
from backprop_cli.exercises.nodes import Node, Nodes, evaluated, given_values
from backprop_cli.exercises.tolerances import widths
from backprop_cli.network import Network
from backprop_cli.symbolic.derivation import derive
from backprop_cli.symbolic.graph import Role
from backprop_cli.symbolic.notation import Adjoint, Place, is_by_step

ACTIVATIONS = ("tanh", "sigmoid", "relu", "softplus", "silu", "identity", "leaky_relu", "softmax", "z/(1 + z**2)")
LOSSES = ("mse", "sse", "half_sse", "huber", "1/2 * sum((yhat[i] - y[i])**2, i) + yhat[1]**2/4")
EQUATIONS = (
    ("h[i] = tanh(sum(W[i,j]*x[j], j) + b[i])", "s = sum(h[i]**2, i)", "J = (s - 1/2)**2 + sum(V[i,i]*h[i], i)"),
    ("z[i] = sum(W[i,j]*x[j], j) + b[i]", "a[i] = exp(z[i])/sum(exp(z[k]), k)", "J = -sum(a[i]*log(a[i]), i)"),
    (
        "u[i] = x[i]*b[i]",
        "v[i] = sigmoid(u[i]) + u[i]**2",
        "w[i] = sum(V[i,j]*v[j], j) - u[i]",
        "J = sum(w[i]**2, i)/2",
    ),
    ("h[i] = sum(W[i,j]*x[j], j)", "g[i] = h[i]*sigmoid(h[i] + b[i])", "J = sum((g[i] + x[i] - b[i])**2, i)/3"),
)


def numbers(rng: np.random.Generator, *shape: int) -> object:
    values = np.round(rng.uniform(-1, 1, shape), 2)
    return np.where(np.abs(values) < 0.1, 0.37, values).tolist()


def random_network(rng: np.random.Generator) -> str:
    """The spec of a small network: layers, equations with fan-out, or a recurrent layer."""
    kind = rng.choice(("layers", "layers", "layers", "equations", "recurrent"))
    if kind == "equations":
        n = int(rng.integers(2, 4))
        lines = EQUATIONS[int(rng.integers(len(EQUATIONS)))]
        values = {"W": numbers(rng, n, n), "V": numbers(rng, n, n), "b": numbers(rng, n)}
        used = {name: value for name, value in values.items() if any(f"{name}[" in line for line in lines)}
        return repr({"inputs": {"x": numbers(rng, n)}, "parameters": used, "equations": list(lines), "loss": "J"})
    inputs, outputs = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    if kind == "recurrent":
        units, steps = int(rng.integers(1, 3)), int(rng.integers(2, 4))
        h = {"W_xh": numbers(rng, units, inputs), "W_hh": numbers(rng, units, units)}
        layer = {"units": units, "activation": "tanh", "weights": h, "bias": {"b_h": numbers(rng, units)}}
        last = {"dense": {"weights": numbers(rng, outputs, units), "bias": numbers(rng, outputs)}}
        spec = {"inputs": {"x": numbers(rng, steps, inputs)}, "layers": [{"rnn": layer}, last]}
        return repr({**spec, "targets": {"y": numbers(rng, steps, outputs)}, "loss": "half_sse"})
    samples = (2,) if rng.integers(4) == 0 else ()
    layers: list[object] = []
    width = inputs
    for place in range(depth := int(rng.integers(1, 4))):
        units = outputs if place == depth - 1 else int(rng.integers(1, 4))
        dense = {"weights": numbers(rng, units, width), "activation": str(rng.choice(ACTIVATIONS))}
        layers.append({"dense": {**dense, "bias": numbers(rng, units) if rng.integers(5) else False}})
        width = units
    spec = {"inputs": {"x": numbers(rng, *samples, inputs)}, "targets": {"y": numbers(rng, *samples, outputs)}}
    penalty = {"regularise": {"l2": 0.1}} if rng.integers(5) == 0 else {}
    return repr({**spec, "layers": layers, "loss": str(rng.choice(LOSSES)), **penalty}).replace("False", "false")


def truncated_network(rng: np.random.Generator) -> str:
    """The spec of a small recurrent network that is truncated, with a cost at every step."""
    units, steps = int(rng.integers(1, 3)), int(rng.integers(3, 5))
    window = int(rng.integers(1, steps))
    h = {"W_xh": numbers(rng, units, 2), "W_hh": numbers(rng, units, units)}
    layer = {"units": units, "weights": h, "bias": {"b_h": numbers(rng, units)}, "truncate": window}
    last = {"dense": {"weights": numbers(rng, 1, units), "bias": numbers(rng, 1)}}
    spec = {"inputs": {"x": numbers(rng, steps, 2)}, "layers": [{"rnn": layer}, last], "loss": "half_sse"}
    return repr({**spec, "targets": {"y": numbers(rng, steps, 1)}})


class Exercise(NamedTuple):
    """A network with everything asked for in ``cells``, and what it takes to solve it."""

    network: Network
    nodes: Nodes
    rate: Rational
    key: Key
    given: Mapping[Place, np.ndarray]
    asked: tuple[Place, ...]
    tolerances: Mapping[Place, float]
    order: tuple[Node, ...]
    diagnosis: Diagnosis


def exercise(text: str, rng: np.random.Generator, digits: int = 4, share: float = 1.0) -> Exercise:
    """Everything about the network asked for, or a ``share`` of it at random; the gradients of parameters always."""
    network = bp.load(text)
    nodes = Nodes(network.graph, derive(network.graph))
    whole = nodes.graph
    rate = Rational(1, 10)
    asked: list[Place] = []
    for quantity in whole.quantities:
        if quantity.definition is not None and quantity.role is not Role.HELPER and not is_by_step(quantity.name):
            asked += [place for place in nodes.entries(quantity.name) if rng.random() < share]
    for quantity in reversed(whole.quantities):
        if nodes.has_gradient(quantity.name) and quantity.role not in (Role.HELPER, Role.INPUT):
            is_parameter = quantity.role is Role.PARAMETER
            entries = [p for p in nodes.entries(quantity.name, True) if not nodes.is_cut_off(p)]
            asked += [p for p in entries if is_parameter or rng.random() < share]
            if is_parameter:
                asked += [nodes.updated(place, rate) for place in list(nodes.entries(quantity.name))[:2]]
    arrays = {name: np.asarray(values)[None] for name, values in network.values.items() if values is not None}
    given = given_values(whole, arrays)
    values = nodes.values(given, asked)
    widths_ = widths(nodes, values, asked, digits)
    tolerances = {place: float(np.ravel(widths_[place])[0]) for place in asked if place in widths_}
    asked = [place for place in asked if place in tolerances]
    cells = tuple(
        Cell(name_of(p), 1, CellKind.NUMBER, float(np.ravel(values[p])[0]), tolerances[p], 1.0, digits) for p in asked
    )
    key = Key(
        "random", text, digits, 0, float(rate), (Variant("1", "A", None, {k: v[0] for k, v in arrays.items()}, cells),)
    )
    order = tuple(nodes.in_order(asked))
    setting = Setting(nodes, rate)
    return Exercise(network, nodes, rate, key, given, tuple(asked), tolerances, order, Diagnosis(setting))


def solved(one: Exercise, digits: int, rounds: str, slip: Suspect | None = None) -> dict[Place, float]:
    """A student's numbers, computed each from those before it. ``rounds``: ``"every"`` number, only those that are
    ``"asked"``, or ``"none"`` before it is written down."""
    known = dict(one.given)
    for node in one.order:
        formula = node.formula if slip is None or slip.node.place != node.place else slip.formula
        extra = dict(known)
        for other in one.nodes.in_order(sorted(formula.atoms(Place) - known.keys(), key=str)):
            if other.place not in extra:
                extra[other.place] = evaluated(other.formula, extra)
        value = np.asarray(evaluated(formula, extra))
        rounded = rounds == "every" or (rounds == "asked" and node.place in one.tolerances)
        known[node.place] = np.round(value, digits) if rounded else value
    return {place: float(np.ravel(known[place])[0]) for place in one.asked}


def written(numbers_: Mapping[Place, float], digits: int) -> dict[str, str]:
    return {name_of(place): f"{value:.{digits}f}" for place, value in numbers_.items()}


def slips(one: Exercise) -> Iterator[Suspect]:
    """Every mistake that can be made in the exercise."""
    for node in one.order:
        yield from one.diagnosis.suspects(node)


def first_visible(one: Exercise, honest: Mapping[Place, float], planted: Mapping[Place, float]) -> Place | None:
    """The first answer that a mistake moves by more than twice what rounding explains; None where no answer is."""
    order = [node.place for node in one.order if node.place in one.tolerances]
    apart = (place for place in order if not abs(honest[place] - planted[place]) <= 2 * one.tolerances[place])
    return next(apart, None)


def is_gradient(place: Place) -> bool:
    return isinstance(place, Adjoint)
