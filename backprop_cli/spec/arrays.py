"""The fields that hold arrays: inputs and parameters by name, and a layer's weights, biases and connections."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Field
from typing_extensions import TypeAliasType, TypedDict

from backprop_cli.spec import limits
from backprop_cli.spec.findings import reject
from backprop_cli.spec.reader import Reader
from backprop_cli.spec.values import Values, read_values, written
from backprop_cli.spec.wording import describe, number_hint
from backprop_cli.translation import tr

Numbers = TypeAliasType("Numbers", "float | list[Numbers]")


class InputForm(TypedDict, total=False):
    """An array by its size or shape alone (it can be derived but not run), or by its value."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    size: Annotated[int, Field(ge=1, le=limits.SIZE, description="The length of a vector.")]
    shape: Annotated[list[int], Field(description="The size of every axis.")]
    value: Annotated[Numbers, Field(description="The numbers; one number fills the whole shape.")]
    batch: Annotated[bool, Field(description="Whether the first axis runs over the samples of a batch.")]


class ParameterForm(TypedDict, total=False):
    """A parameter by its size or shape (its numbers are drawn by `initial`), or by its value."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    size: Annotated[int, Field(ge=1, le=limits.SIZE, description="The length of a vector.")]
    shape: Annotated[list[int], Field(description="The size of every axis.")]
    value: Annotated[Numbers, Field(description="The numbers; one number fills the whole shape.")]


def _read_parameter(data: Any) -> Values:
    """Any form of an array that a parameter may have."""
    return read_values(data, ("size", "shape", "value"))


def _read_matrix(data: Any) -> Values:
    weights = _read_parameter(data)
    if len(weights.shape) != 2:
        message = tr("expected a matrix, one row per unit and one column per input, not {found}")
        reject(message.format(found=written(weights.shape)))
    return weights


def _read_mask(data: Any) -> Values:
    mask = _read_matrix(data)
    if mask.numbers is not None and not ((mask.numbers == 0) | (mask.numbers == 1)).all():
        reject(tr("connections are 0 (not connected) or 1 (connected)"))
    return mask


def _read_bias(data: Any) -> Values | bool:
    if isinstance(data, bool):
        return data
    if isinstance(data, str):
        reject(_no_bias(describe(data)) + number_hint(data))
    bias = _read_parameter(data)
    if len(bias.shape) > 1:
        reject(_no_bias(written(bias.shape)))
    return bias


def _no_bias(found: str) -> str:
    return tr("expected true, false, a number or a list with one number per unit, not {found}").format(found=found)


def mapping_like(example: str) -> BeforeValidator:
    """Refuses what is no mapping, with an example of what to write instead."""

    def check(data: Any) -> Any:
        if not isinstance(data, dict):
            message = tr("expected a mapping from names to values, such as {example}, not {found}")
            reject(message.format(example=example, found=describe(data)))
        return data

    return BeforeValidator(check)


named_arrays = mapping_like("{x: [1, 2]}")
InputValues: TypeAlias = Annotated[Values, Reader(read_values, lambda: Numbers | InputForm)]
ParameterValues: TypeAlias = Annotated[Values, Reader(_read_parameter, lambda: Numbers | ParameterForm)]
Matrix: TypeAlias = Annotated[Values, Reader(_read_matrix, lambda: list[list[float]] | ParameterForm)]
Mask: TypeAlias = Annotated[Values, Reader(_read_mask, lambda: list[list[Literal[0, 1]]])]
Bias: TypeAlias = Annotated[Values | bool, Reader(_read_bias, lambda: bool | float | list[float] | ParameterForm)]
