"""What is measured beyond dense networks: recurrence, convolution and attention, each with every number of its case."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.cases import Array

GATES = "ifog"
UNITS, FEATURES, OUTPUTS = 8, 3, 2
RNN = ("W_xh", "W_hh", "b_h")
LSTM = (*(f"W_{kind}{gate}" for gate in GATES for kind in "xh"), *(f"b_{gate}" for gate in GATES))
RECURRENT = {"rnn": RNN, "lstm": LSTM}


@dataclass(frozen=True)
class Recurrent:
    """A recurrent layer of 8 units over 3 features, and a dense one of 2 at each of its steps; mse at each."""

    layer: str
    steps: int

    @property
    def kind(self) -> str:
        return "recurrent, mse at every step"

    @property
    def name(self) -> str:
        return f"{self.layer} {FEATURES}-{UNITS}-{OUTPUTS}"

    @property
    def size(self) -> str:
        return f"T = {self.steps}"

    def arrays(self) -> tuple[Array, Array, tuple[Array, ...]]:
        rng = np.random.default_rng(0)
        shapes = {"W_x": (UNITS, FEATURES), "W_h": (UNITS, UNITS), "b_": (UNITS,)}
        own = [shapes[name[:3] if name[0] == "W" else "b_"] for name in RECURRENT[self.layer]]
        parameters = [rng.normal(size=shape) / 2 for shape in (*own, (OUTPUTS, UNITS), (OUTPUTS,))]
        return rng.normal(size=(self.steps, FEATURES)), rng.normal(size=(self.steps, OUTPUTS)), tuple(parameters)

    def spec(self) -> str:
        return _spec(
            (self.steps, FEATURES),
            (self.steps, OUTPUTS),
            (f"{self.layer}: {{units: {UNITS}}}", f"dense: {{units: {OUTPUTS}}}"),
            "mse",
        )


@dataclass(frozen=True)
class Convolutional:
    """One grey channel, filters of 3 x 3 with relu, the largest of each 2 x 2, and a dense layer over 10 classes."""

    samples: int
    side: int = 8
    filters: int = 4
    classes: int = 10

    @property
    def kind(self) -> str:
        return "convolution, relu, max pooling, cross entropy"

    @property
    def name(self) -> str:
        return f"1x{self.side}x{self.side}, {self.filters} filters"

    @property
    def size(self) -> str:
        return f"batch {self.samples}"

    def arrays(self) -> tuple[Array, Array, tuple[Array, ...]]:
        rng = np.random.default_rng(0)
        x = rng.normal(size=(self.samples, 1, self.side, self.side))
        y = rng.integers(self.classes, size=self.samples).astype(np.float64)
        inputs = self.filters * ((self.side - 2) // 2) ** 2
        shapes = ((self.filters, 1, 3, 3), (self.filters,), (self.classes, inputs), (self.classes,))
        return x, y, tuple(rng.normal(size=shape) / 3 for shape in shapes)

    def spec(self) -> str:
        layers = (
            f"conv2d: {{filters: {self.filters}, kernel: 3, activation: relu}}",
            "max_pool2d: {size: 2}",
            "flatten",
            f"dense: {{units: {self.classes}}}",
        )
        return _spec((self.samples, 1, self.side, self.side), (self.samples,), layers, "cross_entropy")


@dataclass(frozen=True)
class Attention:
    """Self-attention of T steps on T others, d features in some heads; half the sum of squares."""

    heads: int
    steps: int = 64
    features: int = 64

    @property
    def kind(self) -> str:
        return "self-attention, sum of squares"

    @property
    def name(self) -> str:
        return f"d = {self.features}, {self.heads} head{'s' * (self.heads > 1)}"

    @property
    def size(self) -> str:
        return f"T = {self.steps}"

    def arrays(self) -> tuple[Array, Array, tuple[Array, ...]]:
        rng = np.random.default_rng(0)
        square = (self.features, self.features)
        x, y = rng.normal(size=(2, self.steps, self.features))
        return x, y, tuple(rng.normal(size=square) / np.sqrt(self.features) for _ in range(4))

    def spec(self) -> str:
        shape = (self.steps, self.features)
        return _spec(shape, shape, (f"attention: {{heads: {self.heads}}}",), "half_sse")


def _spec(x: tuple[int, ...], y: tuple[int, ...], layers: tuple[str, ...], loss: str) -> str:
    stack = "".join(f"  - {layer}\n" for layer in layers)
    return f"inputs: {{x: {{shape: {list(x)}}}}}\ntargets: {{y: {{shape: {list(y)}}}}}\nlayers:\n{stack}loss: {loss}\n"


Layered = Recurrent | Convolutional | Attention


def layered_cases() -> list[Layered]:
    return [
        Recurrent("rnn", 20),
        Recurrent("rnn", 200),
        Recurrent("lstm", 20),
        Recurrent("lstm", 200),
        Convolutional(32),
        Attention(1),
        Attention(4),
    ]
