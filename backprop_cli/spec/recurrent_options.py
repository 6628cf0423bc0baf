"""What the recurrent layers of the library may say about themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from backprop_cli.spec.arrays import ParameterValues, mapping_like
from backprop_cli.spec.fields import Function, Name, one_of
from backprop_cli.spec.findings import Finding, reject
from backprop_cli.spec.layer_options import Count, Parametrised, unknown_letters
from backprop_cli.spec.reader import Reader
from backprop_cli.spec.values import Values, read_values
from backprop_cli.spec.wording import describe
from backprop_cli.translation import tr


def _read_biases(data: Any) -> dict[str, Values] | bool:
    if isinstance(data, bool):
        return data
    if not isinstance(data, dict):
        message = tr("expected true, false, or a mapping such as {example}, not {found}")
        reject(message.format(example="{b_h: [0, 0]}", found=describe(data)))
    return {str(name): read_values(values, ("size", "shape", "value")) for name, values in data.items()}


_BIASES: Any = bool | dict[str, ParameterValues]


class Recurrent(Parametrised):
    """A layer over steps x features; its output is the state at every step, or the last one."""

    example = "{units: 4}"
    stands_alone = False
    gates: ClassVar[tuple[str, ...]] = ()
    biases: ClassVar[tuple[str, ...]] = ()
    states: ClassVar[tuple[str, ...]] = ("h",)

    units: Count = Field(description="How many units.")
    output: Annotated[str, one_of(("all", "last"), "output")] = Field(
        default="all", description="The state at every step (`all`), or at the last alone."
    )
    weights: Annotated[dict[Name, ParameterValues], mapping_like("{W_xh: [[1, 0], [0, 1]]}")] = Field(
        default_factory=dict, description="Values of W_xh, W_hh, ..., units x inputs; drawn where absent."
    )
    bias: Annotated[dict[Name, ParameterValues] | bool, Reader(_read_biases, lambda: _BIASES)] = Field(
        default=True, description="Values of b_h, ... by name; false: no biases; true: drawn."
    )
    h0: ParameterValues | None = Field(default=None, description="The state before the first step; 0 if absent.")
    truncate: Count | None = Field(
        default=None, description="Propagate the cost of each step back through so many states and no further."
    )

    def given(self) -> Mapping[str, tuple[Values | None, tuple[str, ...]]]:
        found: dict[str, tuple[Values | None, tuple[str, ...]]] = {}
        for gate in self.gates:
            for letter in (f"W_x{gate}", f"W_h{gate}"):
                found[letter] = (self.weights.get(letter), ("weights", letter))
        values = self.bias if isinstance(self.bias, dict) else {}
        for name in () if self.bias is False else self.biases or self.gates:
            found[f"b_{name}"] = (values.get(f"b_{name}"), ("bias", f"b_{name}"))
        return found

    def conflicts(self) -> Iterable[Finding]:
        known = self.given()
        yield from unknown_letters(self.weights, [name for name in known if name.startswith("W")], ("weights",))
        if isinstance(self.bias, dict):
            yield from unknown_letters(self.bias, [name for name in known if name.startswith("b")], ("bias",))

    def settings(self) -> Mapping[str, Any]:
        return {"units": self.units, "bias": self.bias is not False, "last": self.output == "last"}

    def initial(self) -> Mapping[str, Values]:
        return {} if self.h0 is None else {"h": self.h0}

    def windows(self) -> Mapping[str, int]:
        return {} if self.truncate is None else dict.fromkeys(self.states, self.truncate)


class Rnn(Recurrent):
    """h_t = activation(W_xh x_t + W_hh h_(t-1) + b_h)."""

    kind = "rnn"
    gates = ("h",)
    activation: Function = Field(default="tanh", description="A function by name, `softmax`, or an expression in z.")

    @property
    def applies(self) -> str | None:
        return self.activation


class Lstm(Recurrent):
    """A long short-term memory: gates i, f, o, candidates g, cells c."""

    kind = "lstm"
    gates = ("i", "f", "o", "g")
    states = ("h", "c")
    c0: ParameterValues | None = Field(default=None, description="The cells before the first step; 0 if absent.")

    def initial(self) -> Mapping[str, Values]:
        return {**super().initial(), **({} if self.c0 is None else {"c": self.c0})}


class Gru(Recurrent):
    """A gated recurrent unit: reset gates r, update gates z, candidates n."""

    kind = "gru"
    gates = ("r", "z", "n")
    biases = ("r", "z", "xn", "hn")
