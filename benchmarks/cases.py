"""What is measured: three sizes of network, three kinds of layers and loss, four sizes of batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SIZES = ((2, 2, 2), (6, 10, 3), (600, 60, 40, 10))
KINDS = {
    "tanh, mse": ("tanh", "mse"),
    "sigmoid, mse": ("sigmoid", "mse"),
    "relu, cross entropy": ("relu", "cross_entropy"),
}
BATCHES = (None, 1, 32, 512)  # None: one sample as a vector


@dataclass(frozen=True)
class Case:
    """One network and one batch, with random numbers; ``parameters`` are W1, b1, W2, b2, ..."""

    sizes: tuple[int, ...]
    kind: str
    samples: int | None

    @property
    def activation(self) -> str:
        return KINDS[self.kind][0]

    @property
    def loss(self) -> str:
        return KINDS[self.kind][1]

    @property
    def name(self) -> str:
        return "-".join(map(str, self.sizes))

    @property
    def size(self) -> str:
        return "one sample" if self.samples is None else f"batch {self.samples}"

    def shape(self, size: int) -> tuple[int, ...]:
        return (size,) if self.samples is None else (self.samples, size)

    def arrays(self) -> tuple[Array, Array, tuple[Array, ...]]:
        """x, y and the parameters. Targets of the cross entropy are one-hot."""
        rng = np.random.default_rng(0)
        x = rng.normal(size=self.shape(self.sizes[0]))
        outputs = self.sizes[-1]
        if self.loss == "cross_entropy":
            y = np.eye(outputs)[rng.integers(outputs, size=self.samples)]
        else:
            y = rng.normal(size=self.shape(outputs))
        parameters: list[Array] = []
        for inputs, units in zip(self.sizes, self.sizes[1:], strict=False):
            parameters += [rng.normal(size=(units, inputs)) / np.sqrt(inputs), rng.normal(size=units)]
        return x, y, tuple(parameters)

    def spec(self) -> str:
        """The network for this tool; the last layer is linear."""
        hidden = "".join(
            f"  - dense: {{units: {units}, activation: {self.activation}}}\n" for units in self.sizes[1:-1]
        )
        return (
            f"inputs: {{x: {{shape: {list(self.shape(self.sizes[0]))}}}}}\n"
            f"targets: {{y: {{shape: {list(self.shape(self.sizes[-1]))}}}}}\n"
            f"layers:\n{hidden}  - dense: {{units: {self.sizes[-1]}}}\n"
            f"loss: {self.loss}\n"
        )


def cases() -> list[Case]:
    return [Case(sizes, kind, samples) for kind in KINDS for sizes in SIZES for samples in BATCHES]
