"""What one run computed: every quantity and every gradient, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Number: TypeAlias = "float | NDArray[np.float64]"


class Quantities(Mapping[str, Number]):
    """Values by name, in order. ``aliases`` are further names (yhat) that are found but not listed."""

    def __init__(self, values: Mapping[str, Number], aliases: Mapping[str, str] | None = None) -> None:
        self._values = dict(values)
        self._aliases = dict(aliases or {})

    def __getitem__(self, name: str) -> Number:
        return self._values[name if name in self._values else self._aliases.get(name, name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._values!r})"


@dataclass(frozen=True)
class Trace:
    """One forward and backward pass.

    ``loss`` is J, None for a module with a given output gradient. ``forward`` holds every computed quantity in order of
    computation, ``gradients`` dJ/d(each parameter), dJ/d(each computed quantity) and dJ/d(each input); scalars are
    floats, everything else an array of the quantity's shape. ``given`` are the values that the run started from,
    ``losses`` those of the loss before it is averaged over a batch and penalties are added; they are no part of the
    data, where the loss's name stands for J.
    """

    name: str
    loss: float | None
    forward: Quantities
    gradients: Quantities
    given: Mapping[str, NDArray[np.float64]] = field(default_factory=dict, repr=False)
    losses: Mapping[str, Number] = field(default_factory=dict, repr=False)
    shown: Callable[[Trace], str] | None = field(default=None, repr=False, compare=False)

    def _repr_html_(self) -> str | None:
        """The tables of the run, for a notebook; how they look is decided by who made the program."""
        return None if self.shown is None else self.shown(self)

    @property
    def non_finite(self) -> tuple[str, ...]:
        """The names of what is not finite somewhere: ``a1``, ``dJ/dW1``."""
        found = [name for name, value in self.forward.items() if not np.all(np.isfinite(value))]
        found += [f"dJ/d{name}" for name, value in self.gradients.items() if not np.all(np.isfinite(value))]
        return tuple(found)

    def as_data(self) -> dict[str, Any]:
        """The trace as plain data, ready for JSON: nested lists, and "nan", "inf" and "-inf" for what is not finite."""
        return {
            "name": self.name,
            "loss": None if self.loss is None else plain(self.loss),
            "forward": {name: plain(value) for name, value in self.forward.items()},
            "gradients": {name: plain(value) for name, value in self.gradients.items()},
        }


def plain(value: Number) -> Any:
    """An array as nested lists of floats with full precision; what is not finite as text."""
    array = np.asarray(value, dtype=np.float64)
    if np.all(np.isfinite(array)):
        return array.tolist()
    return _spelt(array.tolist())


def _spelt(data: Any) -> Any:
    if isinstance(data, list):
        return [_spelt(part) for part in data]
    return data if np.isfinite(data) else repr(data)
