"""The entries of ``layers``: the options of every kind of layer, and the table of kinds.

A layer is written as its name (``tanh``), or as a mapping from its name to its options (``dense: {units: 3}``).
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, Union

from pydantic import ConfigDict, Field, ValidationError, WithJsonSchema, create_model

from backprop_cli.errors import did_you_mean
from backprop_cli.language.tokens import is_name
from backprop_cli.library.functions import ACTIVATIONS
from backprop_cli.spec import limits
from backprop_cli.spec.dense import Dense
from backprop_cli.spec.fields import (
    Equations,
    Expression,
    read_equations,
    read_function,
)
from backprop_cli.spec.findings import Finding, Rejected, collected, findings_of, reject
from backprop_cli.spec.layer_library import OPTIONS
from backprop_cli.spec.options import Library, Options
from backprop_cli.spec.reader import Reader
from backprop_cli.spec.wording import describe, shortened


@dataclass(frozen=True)
class Activation:
    """An activation as a layer of its own: ``function`` is a name or an expression in z."""

    kind: ClassVar[str] = "activation"
    function: str
    name: str | None = None
    sources: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Block:
    """Equations between layers. They see every quantity before them and the spec's own ``parameters``."""

    kind: ClassVar[str] = "equations"
    equations: tuple[str, ...]


@dataclass(frozen=True)
class Residual:
    """Layers whose output is added to their input."""

    kind: ClassVar[str] = "residual"
    layers: tuple[Layer, ...]
    name: str | None = None
    sources: tuple[str, ...] | None = None


Layer: TypeAlias = Dense | Activation | Block | Library | Residual
KINDS = (*OPTIONS, Residual.kind, Block.kind, *ACTIVATIONS)


def read_layer(data: Any) -> Layer:
    """One entry of ``layers``. Raises :class:`Rejected`, with paths from the entry (``("dense", "units")``)."""
    if isinstance(data, Dense | Activation | Block | Library | Residual):
        return data
    if isinstance(data, str):
        return _read_bare(data.strip())
    if not isinstance(data, dict):
        reject(f"expected a layer such as dense: {{units: 3}} or tanh, not {describe(data)}")
    if len(data) != 1:
        keys = ", ".join(f"'{shortened(str(key))}'" for key in data)
        hint = " (its options belong one level deeper)" if set(data) & set(KINDS) else ""
        reject(f"a layer has exactly one key, the kind of layer, not {shortened(keys, 100) or 'none'}{hint}")
    [(kind, options)] = data.items()
    if kind not in KINDS:
        raise Rejected([Finding((kind,), _unknown(str(kind)), at_key=True)])
    try:
        if kind == Block.kind:
            return Block(read_equations(options))
        if kind == Residual.kind:
            return _read_residual(options)
        if kind in OPTIONS:
            return OPTIONS[kind].model_validate({} if options is None else options)
        common = Options.model_validate({} if options is None else options)
        return Activation(kind, common.name, common.sources)
    except (ValidationError, Rejected) as error:
        raise Rejected(finding.under((kind,)) for finding in findings_of(error)) from None


def _read_residual(data: Any) -> Residual:
    form = ResidualForm.model_validate(data)
    return Residual(form.layers, form.name, form.sources)


def _read_bare(text: str) -> Layer:
    if text in OPTIONS:
        options = OPTIONS[text]
        if options.stands_alone:
            return options.model_validate({})
        reject(f"'{text}' needs its options, such as {text}: {options.example.removeprefix('options such as ')}")
    if text in (Block.kind, Residual.kind):
        example = "equations: [...]" if text == Block.kind else "residual: {layers: [...]}"
        reject(f"'{text}' needs its options, such as {example}")
    if is_name(text) and text not in ACTIVATIONS:
        reject(_unknown(text), remedy=next(iter(get_close_matches(text, ACTIVATIONS, n=1)), None))
    return Activation(read_function(text))


def _unknown(kind: str) -> str:
    kinds = ", ".join((*OPTIONS, Residual.kind, Block.kind))
    hint = did_you_mean(kind, KINDS) or f"; expected {kinds}, or an activation such as tanh"
    return f"unknown layer '{shortened(kind)}'{hint}"


def _read_layers(data: Any) -> tuple[Layer, ...]:
    if not isinstance(data, list | tuple):
        reject(f"expected a list of layers, not {describe(data)}")
    if not data:
        reject("expected a list of layers, not an empty list")
    if len(data) > limits.EQUATIONS:
        reject(f"{len(data):,} layers; at most {limits.EQUATIONS:,} are allowed")
    return collected(read_layer, data)


def _form() -> Any:
    """How layers are written, for the JSON Schema."""
    one_key = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1, "maxProperties": 1})
    kinds: dict[str, Any] = {kind: (model, Field(description=model.__doc__)) for kind, model in OPTIONS.items()}
    kinds[Block.kind] = (Equations, Field(description=Block.__doc__))
    kinds[Residual.kind] = (ResidualForm, Field(description=Residual.__doc__))
    activations: Any = {
        name: (Options | None, Field(default=None, description=f"The activation {name} as a layer of its own."))
        for name in ACTIVATIONS
    }
    mappings = [create_model(f"{kind}_layer", __config__=one_key, **{kind: key}) for kind, key in kinds.items()]
    mappings.append(create_model("activation_layer", __config__=one_key, **activations))
    bare: Any = Annotated[Literal[ACTIVATIONS], Field(description="An activation as a layer.")]
    kinds_alone = tuple(kind for kind, options in OPTIONS.items() if options.stands_alone)
    alone: Any = Annotated[Literal[kinds_alone], Field(description="A layer of the library without options.")]
    layer: Any = Union[(bare, alone, Expression, *mappings)]
    return Annotated[list[layer], Field(min_length=1, max_length=limits.EQUATIONS)]


def _form_inside() -> Any:
    """The layers of a residual layer, in the JSON Schema the same as those of the network."""
    return Annotated[Any, WithJsonSchema({"$ref": "#/properties/layers"})]


Layers: TypeAlias = Annotated[tuple[Layer, ...], Reader(_read_layers, _form)]
LayersInside: TypeAlias = Annotated[tuple[Layer, ...], Reader(_read_layers, _form_inside)]


class ResidualForm(Options):
    """Layers whose output is added to their input."""

    example = "options such as {layers: [...]}"
    layers: LayersInside = Field(description="The layers inside; their output has the shape of their input.")
