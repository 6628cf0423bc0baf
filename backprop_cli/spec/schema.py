"""The model of a whole network specification, and its JSON Schema.

:class:`NetworkSpec` is what users write, checked piece by piece; whether the equations fit together is for the graph
to find out. Its fields have the names of the keys, and :attr:`NetworkSpec.positions` says where each one stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field, PrivateAttr

from backprop_cli.language.tokens import is_name
from backprop_cli.library.losses import LOSSES
from backprop_cli.spec import limits
from backprop_cli.spec.arrays import InputValues, ParameterValues, mapping_like, named_arrays
from backprop_cli.spec.dense import Dense
from backprop_cli.spec.fields import (
    NAME_PATTERN,
    Equations,
    Name,
    Names,
    PositiveOrZero,
    SomeNames,
    Text,
    one_of,
    whole_number,
)
from backprop_cli.spec.findings import Finding
from backprop_cli.spec.initial import SCHEMES
from backprop_cli.spec.layers import Block, Layers
from backprop_cli.spec.loss import LossField, unknown_loss
from backprop_cli.spec.positions import Positions
from backprop_cli.spec.section import Section
from backprop_cli.spec.wording import not_both
from backprop_cli.translation import grouped, marked, tr

_NAMED: dict[str, Any] = {"propertyNames": {"pattern": NAME_PATTERN}}


class Initial(Section):
    """How parameters without values are drawn."""

    example = "{seed: 1}"
    expected = marked("expected a mapping such as {example}, not {found}")

    seed: Annotated[int, whole_number(0, 2**63 - 1)] = Field(default=0, description="Another seed draws other numbers.")
    scheme: Annotated[str, one_of(SCHEMES, "scheme")] = Field(
        default="uniform", description="The distribution; uniform is PyTorch's default for a linear layer."
    )
    decimals: Annotated[int, whole_number(0, 15)] | None = Field(
        default=None, description="Round the drawn numbers to so many decimals, for exercises on paper."
    )


class Regularise(Section):
    """Penalties that become part of the cost: (l2/2) * sum of squares + l1 * sum of absolute values."""

    example = "{l2: 0.01}"
    expected = marked("expected a mapping such as {example}, not {found}")

    l2: PositiveOrZero = Field(default=0.0, description="Adds (l2/2) * sum of w**2 to the cost.")
    l1: PositiveOrZero = Field(default=0.0, description="Adds l1 * sum of |w| to the cost.")
    of: SomeNames | None = Field(default=None, description="The parameters that are penalised; default: all weights.")


class NetworkSpec(Section):
    """A network: its inputs and targets, a stack of layers or a list of equations, and what its outputs cost."""

    expected = marked("expected a mapping with the keys inputs, targets, layers or equations, and loss, not {found}")

    name: Text = Field(default="", description="What the network is called; default: the file's name.")
    inputs: Annotated[dict[Name, InputValues], named_arrays] = Field(
        default_factory=dict,
        json_schema_extra=_NAMED,
        description="The inputs by name: one sample (a number or a vector), a batch (a list of vectors), or a size.",
    )
    targets: Annotated[dict[Name, InputValues], named_arrays] = Field(
        default_factory=dict,
        json_schema_extra=_NAMED,
        description="The targets by name, as `inputs`; for cross_entropy and nll also class numbers.",
    )
    parameters: Annotated[dict[Name, ParameterValues], named_arrays] = Field(
        default_factory=dict,
        json_schema_extra=_NAMED,
        description="The parameters that equations use: values, or shapes to draw them by `initial`.",
    )
    layers: Layers | None = Field(default=None, description="The layers, from the input to the output.")
    equations: Equations | None = Field(
        default=None, description="The network as equations, such as z[i] = sum(W[i,j]*x[j], j) + b[i]."
    )
    ranges: Annotated[dict[Name, Annotated[int, whole_number(1, limits.SIZE)]], mapping_like("{p: 4}")] = Field(
        default_factory=dict,
        json_schema_extra=_NAMED,
        description="How many values an index takes in the equations; a position outside an array then reads 0.",
    )
    loss: LossField | None = Field(
        default=None, description="The cost of one sample: a loss by name, an expression, or (of equations) a quantity."
    )
    grad_output: InputValues | None = Field(
        default=None, description="Instead of a loss: the derivative of the cost with respect to the last output."
    )
    reduction: Annotated[str, one_of(("mean", "sum"), "reduction")] = Field(
        default="mean", description="How the losses of a batch's samples become one cost."
    )
    truncate: Annotated[dict[Name, Annotated[int, whole_number(1, limits.SIZE)]], mapping_like("{h: 5}")] = Field(
        default_factory=dict,
        json_schema_extra=_NAMED,
        description="For states of the equations: propagate each step's cost back through so many states, no further.",
    )
    regularise: Regularise | None = Field(default=None, description="Penalties on the parameters, part of the cost.")
    initial: Initial = Field(default=Initial(), description="How parameters without values are drawn.")
    frozen: Names = Field(default=(), description="Parameters that updates leave alone.")

    _positions: Positions = PrivateAttr(default_factory=Positions)

    @property
    def positions(self) -> Positions:
        """Where every value stands in the spec's text."""
        return self._positions

    @classmethod
    def crosscheck(cls, data: Mapping[str, Any]) -> Iterable[Finding]:
        given = {key for key, value in data.items() if value is not None}
        for one, other in (("layers", "equations"), ("loss", "grad_output")):
            if {one, other} <= given:
                yield Finding((other,), not_both(one, other), at_key=True)
            elif not {one, other} & given:
                yield Finding((), tr("'{one}' is missing (or '{other}' instead)").format(one=one, other=other))
        if "layers" in given and not data.get("inputs"):
            yield Finding((), tr("'inputs' is missing: layers need an input"))
        names: dict[str, str] = {}
        for section in ("inputs", "targets", "parameters"):
            for name in data[section] if isinstance(data.get(section), dict) else ():
                if name in names:
                    message = tr("'{name}' is already one of the {section}").format(name=name, section=names[name])
                    yield Finding((section, name), message, at_key=True)
                names.setdefault(name, section)
        yield from _unknown_loss(data)

    def conflicts(self) -> Iterable[Finding]:
        arrays = [*self.inputs.values(), *self.targets.values(), *self.parameters.values()]
        total = sum(values.size for values in arrays)
        if total > limits.NUMBERS:
            message = tr("{number} numbers in the network; at most {most} are allowed")
            yield Finding((), message.format(number=grouped(total), most=grouped(limits.NUMBERS)))
        width = next((values.shape[-1] for values in self.inputs.values() if values.shape), 1)
        for place, layer in enumerate(self.layers or ()):
            if not isinstance(layer, Dense) or layer.units is None:
                continue
            total += layer.units * width
            if total > limits.NUMBERS:
                message = tr(
                    "{units} units with {inputs} inputs each: {number} numbers in the network; at most {most} are "
                    "allowed"
                ).format(
                    units=grouped(layer.units),
                    inputs=grouped(width),
                    number=grouped(total),
                    most=grouped(limits.NUMBERS),
                )
                yield Finding(("layers", place, "dense", "units"), message)
                return
            width = layer.units


def _unknown_loss(data: Mapping[str, Any]) -> Iterable[Finding]:
    """Without equations, a single name that is no loss of the library can only be a slip."""
    loss, layers = data.get("loss"), data.get("layers")
    if not isinstance(loss, str) or not isinstance(layers, list) or data.get("equations") is not None:
        return
    if any(isinstance(layer, dict) and Block.kind in layer for layer in layers):
        return
    if is_name(loss.strip()) and loss.strip() not in LOSSES:
        yield unknown_loss(loss.strip(), ("loss",))


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a network specification, for editors and the YAML language server."""
    schema = schema_of(NetworkSpec, "A network for backprop")
    schema["allOf"] = [
        {"oneOf": [{"required": ["layers"]}, {"required": ["equations"]}]},
        {"oneOf": [{"required": ["loss"]}, {"required": ["grad_output"]}]},
    ]
    return schema


def schema_of(model: type[Section], title: str) -> dict[str, Any]:
    """The JSON Schema of a whole file."""
    written = model.model_json_schema(by_alias=True)
    schema: dict[str, Any] = _plain(written, written["$defs"])
    schema["title"] = title
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _plain(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """The schema without the titles that repeat every key, and with a reference to a definition written in one way:
    pydantic's versions differ in what they put around it."""
    if isinstance(schema, list):
        return [_plain(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    match schema.get("allOf"):
        case [{"$ref": _} as reference]:
            schema = {key: value for key, value in schema.items() if key != "allOf"} | reference
    dropped = {"title": schema["title"]} if isinstance(schema.get("title"), str) else {}
    if "$ref" in schema:
        dropped["description"] = definitions[schema["$ref"].rpartition("/")[2]].get("description")
    return {
        key: _plain(value, definitions) for key, value in schema.items() if key not in dropped or value != dropped[key]
    }
