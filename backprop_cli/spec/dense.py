"""What a dense layer may say about itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from backprop_cli.spec import limits
from backprop_cli.spec.arrays import Bias, Mask, Matrix
from backprop_cli.spec.fields import Function, Names, whole_number
from backprop_cli.spec.findings import Finding
from backprop_cli.spec.options import Options
from backprop_cli.spec.values import Values, written
from backprop_cli.spec.wording import count
from backprop_cli.translation import tr


class Dense(Options):
    """A dense layer: z_i = sum_j w_ij x_j + b_i, a_i = activation(z_i)."""

    kind: ClassVar[str] = "dense"
    example = "{units: 3}"
    stands_alone = False
    units: Annotated[int, whole_number(1, limits.SIZE)] | None = Field(
        default=None, description="How many units; may be left out where `weights` says it."
    )
    activation: Function = Field(
        default="identity", description="A function by name, `softmax`, or an expression in z such as z * sigmoid(z)."
    )
    weights: Matrix | None = Field(
        default=None, description="The weights, units x inputs; drawn by `initial` if absent."
    )
    bias: Bias = Field(
        default=True,
        description="The biases, one per unit; one number is shared by all units; false: no bias; true: drawn.",
    )
    share: Names = Field(default=(), description="Parameters of other layers to use instead of its own, such as W1.")
    connections: Mask | None = Field(
        default=None, description="Which unit (row) is wired to which input (column): 1 or 0."
    )

    @classmethod
    def crosscheck(cls, data: Mapping[str, Any]) -> Iterable[Finding]:
        if all(data.get(key) is None for key in ("units", "weights", "share", "connections")):
            yield Finding((), units_missing(), at_key=True)

    def conflicts(self) -> Iterable[Finding]:
        rows = {
            key: values.shape[0] for key in ("weights", "connections") if (values := getattr(self, key)) is not None
        }
        if isinstance(self.bias, Values) and self.bias.shape:
            rows["bias"] = self.bias.shape[0]
        if self.units is not None:
            wanted, because = self.units, f"units: {self.units}"
        elif rows:
            first = next(iter(rows))
            wanted, because = rows[first], f"{first}: {count(rows[first], 'row')}"
        for key, number in rows.items():
            if number != wanted:
                noun = "number" if key == "bias" else "row"
                message = tr("{key}: {found} for {units} ({because})")
                counts = {"found": count(number, noun), "units": count(wanted, "unit")}
                yield Finding((key,), message.format(key=key, because=because, **counts))
        weights, mask = self.weights, self.connections
        if weights is not None and mask is not None and weights.shape[1] != mask.shape[1]:
            message = tr("connections are {connections}, weights {weights}")
            shapes = {"connections": written(mask.shape), "weights": written(weights.shape)}
            yield Finding(("connections",), message.format(**shapes))


def units_missing() -> str:
    """What is wrong with a dense layer where nothing says how many units it has."""
    return tr("a dense layer needs 'units', such as {example}").format(example=f"{Dense.kind}: {Dense.example}")
