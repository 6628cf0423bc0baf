"""The entries of ``layers``: the options of every kind of layer, and the table of kinds.

A layer is written as its name (``tanh``), or as a mapping from its name to its options (``dense: {units: 3}``).
"""

from __future__ import annotations

from collections.abc import Mapping
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
from backprop_cli.translation import grouped, tr


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
        message = tr("expected a layer such as {example} or tanh, not {found}")
        reject(message.format(example="dense: {units: 3}", found=describe(data)))
    if len(data) != 1:
        reject(_several_keys(data))
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


def _several_keys(data: Mapping[Any, Any]) -> str:
    if not data:
        return tr("a layer has exactly one key, the kind of layer, not none")
    message = tr("a layer has exactly one key, the kind of layer, not {keys}")
    if set(data) & set(KINDS):
        message = tr("a layer has exactly one key, the kind of layer, not {keys} (its options belong one level deeper)")
    return message.format(keys=shortened(tr(", ").join(f"'{shortened(str(key))}'" for key in data), 100))


def _read_residual(data: Any) -> Residual:
    form = ResidualForm.model_validate(data)
    return Residual(form.layers, form.name, form.sources)


def _read_bare(text: str) -> Layer:
    if text in OPTIONS:
        options = OPTIONS[text]
        if options.stands_alone:
            return options.model_validate({})
        reject(_needs_options(text, options.example))
    if text in (Block.kind, Residual.kind):
        reject(_needs_options(text, "[...]" if text == Block.kind else ResidualForm.example))
    if is_name(text) and text not in ACTIVATIONS:
        reject(_unknown(text), remedy=next(iter(get_close_matches(text, ACTIVATIONS, n=1)), None))
    return Activation(read_function(text))


def _needs_options(kind: str, example: str) -> str:
    return tr("'{kind}' needs its options, such as {example}").format(kind=kind, example=f"{kind}: {example}")


def _unknown(kind: str) -> str:
    kinds = tr(", ").join((*OPTIONS, Residual.kind, Block.kind))
    expected = tr("; expected {kinds}, or an activation such as tanh").format(kinds=kinds)
    hint = did_you_mean(kind, KINDS) or expected
    return tr("unknown layer '{name}'{hint}").format(name=shortened(kind), hint=hint)


def _read_layers(data: Any) -> tuple[Layer, ...]:
    if not isinstance(data, list | tuple):
        reject(tr("expected a list of layers, not {found}").format(found=describe(data)))
    if not data:
        reject(tr("expected a list of layers, not an empty list"))
    if len(data) > limits.EQUATIONS:
        message = tr("{number} layers; at most {most} are allowed")
        reject(message.format(number=grouped(len(data)), most=grouped(limits.EQUATIONS)))
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

    example = "{layers: [...]}"
    layers: LayersInside = Field(description="The layers inside; their output has the shape of their input.")
