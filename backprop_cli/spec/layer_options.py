"""What the layers of the library may say about themselves; their equations are the library's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Annotated, Any, TypeAlias

from pydantic import Field

from backprop_cli.errors import did_you_mean
from backprop_cli.spec import limits
from backprop_cli.spec.arrays import Bias, ParameterValues, mapping_like
from backprop_cli.spec.fields import (
    Function,
    Name,
    Names,
    Positive,
    TrueOrFalse,
    number_between,
    whole_number,
)
from backprop_cli.spec.findings import Finding, reject
from backprop_cli.spec.options import Library
from backprop_cli.spec.reader import Reader
from backprop_cli.spec.values import Values
from backprop_cli.spec.wording import count, describe, expected_names, no_whole_number
from backprop_cli.translation import tr


def _read_sizes(data: Any, axes: int, least: int) -> tuple[int, ...]:
    """One whole number for all axes, or one for each."""
    several = data if isinstance(data, list | tuple) else [data] * axes
    if any(type(number) is not int for number in several):
        reject(_no_sizes(axes, describe(data)))
    if len(several) != axes:
        reject(_no_sizes(axes, count(len(several), "number")))
    if wrong := [number for number in several if not least <= number <= limits.SIZE]:
        reject(no_whole_number(str(wrong[0]), least))
    return tuple(several)


def _no_sizes(axes: int, found: str) -> str:
    if axes == 2:
        return tr("expected a whole number or a pair of them, not {found}").format(found=found)
    return tr("expected a whole number, not {found}").format(found=found)


def _sizes(axes: int, least: int) -> Reader:
    one = Annotated[int, Field(ge=least, le=limits.SIZE)]
    form: Any = one if axes == 1 else one | Annotated[list[one], Field(min_length=axes, max_length=axes)]
    return Reader(partial(_read_sizes, axes=axes, least=least), lambda: form)


Size1: TypeAlias = Annotated[tuple[int, ...], _sizes(1, 1)]
Size2: TypeAlias = Annotated[tuple[int, ...], _sizes(2, 1)]
Padding1: TypeAlias = Annotated[tuple[int, ...], _sizes(1, 0)]
Padding2: TypeAlias = Annotated[tuple[int, ...], _sizes(2, 0)]
Count: TypeAlias = Annotated[int, whole_number(1, limits.SIZE)]


class Parametrised(Library):
    """A layer with parameters, which may be those of another layer."""

    share: Names = Field(default=(), description="Parameters of other layers to use instead of its own, such as W1.")

    @property
    def shared(self) -> tuple[str, ...]:
        return self.share


class Weighted(Parametrised):
    """A layer with the parameters W and b."""

    weights: ParameterValues | None = Field(default=None, description="The weights; drawn by `initial` if absent.")

    def given(self) -> Mapping[str, tuple[Values | None, tuple[str, ...]]]:
        return {"W": (self.weights, ("weights",))}


class Convolution(Weighted):
    """Kernels that slide over the input."""

    filters: Count = Field(description="How many kernels, and channels of the output.")
    activation: Function = Field(
        default="identity", description="A function by name, `softmax`, or an expression in z such as z * sigmoid(z)."
    )
    bias: Bias = Field(default=True, description="The biases, one per filter; false: no bias; true: drawn.")

    @property
    def activates(self) -> str | None:
        return self.activation

    def given(self) -> Mapping[str, tuple[Values | None, tuple[str, ...]]]:
        values = self.bias if isinstance(self.bias, Values) else None
        return {**super().given(), **({} if self.bias is False else {"b": (values, ("bias",))})}

    def settings(self) -> Mapping[str, Any]:
        names = ("filters", "kernel", "stride", "padding")
        return {**{name: getattr(self, name) for name in names}, "bias": self.bias is not False}


class Conv1d(Convolution):
    """A convolution along one axis; its input is channels x length, its weights filters x channels x kernel."""

    kind = "conv1d"
    example = "{filters: 4, kernel: 3}"
    stands_alone = False
    kernel: Size1 = Field(description="The length of the kernels.")
    stride: Size1 = Field(default=(1,), description="How far the kernel moves from one place to the next.")
    padding: Padding1 = Field(default=(0,), description="How many zeros stand on either side of the input.")


class Conv2d(Convolution):
    """A convolution over a plane; its input is channels x height x width, its weights filters x channels x kernel."""

    kind = "conv2d"
    example = "{filters: 4, kernel: 3}"
    stands_alone = False
    kernel: Size2 = Field(description="The height and width of the kernels; one number for both.")
    stride: Size2 = Field(default=(1, 1), description="How far the kernel moves from one place to the next.")
    padding: Padding2 = Field(default=(0, 0), description="How many zeros stand around the input.")


class Pool(Library):
    """Windows of the input, each channel by itself."""

    def settings(self) -> Mapping[str, Any]:
        size = getattr(self, "size")  # noqa: B009  (the field of the subclasses)
        return {"size": size, "stride": getattr(self, "stride") or size}  # noqa: B009


class Pool1d(Pool):
    """One number for each window of size entries along an axis; its input is channels x length."""

    example = "{size: 2}"
    stands_alone = False
    size: Size1 = Field(description="The length of a window.")
    stride: Size1 | None = Field(default=None, description="From one window to the next; default: the size.")


class Pool2d(Pool):
    """One number for each window of a plane; its input is channels x height x width."""

    example = "{size: 2}"
    stands_alone = False
    size: Size2 = Field(description="The height and width of a window; one number for both.")
    stride: Size2 | None = Field(default=None, description="From one window to the next; default: the size.")


class MaxPool1d(Pool1d):
    """The largest number of each window; of equal ones the first takes the gradient."""

    kind = "max_pool1d"


class MaxPool2d(Pool2d):
    """The largest number of each window; of equal ones the first takes the gradient."""

    kind = "max_pool2d"


class AvgPool1d(Pool1d):
    """The mean of each window."""

    kind = "avg_pool1d"


class AvgPool2d(Pool2d):
    """The mean of each window."""

    kind = "avg_pool2d"


class Norm(Parametrised):
    """A normalised input, scaled by gamma and shifted by beta."""

    eps: Positive = Field(default=1e-5, description="Added to the variance under the root.")
    gamma: ParameterValues | None = Field(default=None, description="The scales; 1 if absent.")
    beta: ParameterValues | None = Field(default=None, description="The shifts; 0 if absent.")

    def given(self) -> Mapping[str, tuple[Values | None, tuple[str, ...]]]:
        return {"gamma": (self.gamma, ("gamma",)), "beta": (self.beta, ("beta",))}

    def settings(self) -> Mapping[str, Any]:
        return {"eps": self.eps}


class LayerNorm(Norm):
    """Every vector normalised by its own mean and biased variance."""

    kind = "layer_norm"


class BatchNorm(Norm):
    """Every feature normalised by its mean and biased variance over the batch."""

    kind = "batch_norm"


class Dropout(Library):
    """Entries put to 0 with probability p, and the others divided by 1 - p."""

    kind = "dropout"
    example = "{p: 0.5, seed: 1}"
    stands_alone = False
    p: Annotated[float, number_between(0, 1)] | None = Field(default=None, description="The probability of a 0.")
    seed: Annotated[int, whole_number(0, 2**63 - 1)] = Field(default=0, description="Another seed drops other entries.")
    mask: ParameterValues | None = Field(
        default=None,
        description="The mask itself: 0 drops an entry; without `p` the input is multiplied by it as it is.",
    )

    @classmethod
    def crosscheck(cls, data: Mapping[str, Any]) -> Iterable[Finding]:
        if data.get("p") is None and data.get("mask") is None:
            message = tr("dropout needs 'p', such as {example}, or a 'mask'").format(example="dropout: {p: 0.5}")
            yield Finding((), message, at_key=True)

    def settings(self) -> Mapping[str, Any]:
        return {"keep": 1 if self.p is None else 1 - self.p}


class Embedding(Weighted):
    """A vector for each token; the input is a list of tokens, whole numbers from 0."""

    kind = "embedding"
    example = "{vocabulary: 10, dim: 4}"
    stands_alone = False
    vocabulary: Count = Field(description="How many tokens there are.")
    dim: Count = Field(description="The length of the vectors.")

    def settings(self) -> Mapping[str, Any]:
        return {"vocabulary": self.vocabulary, "dim": self.dim}


class Attention(Parametrised):
    """Self-attention of the steps of a sequence, steps x features, without biases."""

    kind = "attention"
    example = "{heads: 2}"
    heads: Count = Field(default=1, description="How many heads share the features among them.")
    causal: TrueOrFalse = Field(
        default=False, description="Whether a step attends to itself and those before it alone."
    )
    weights: Annotated[dict[Name, ParameterValues], mapping_like("{W_q: [[1, 0], [0, 1]]}")] = Field(
        default_factory=dict, description="Values of W_q, W_k, W_v and W_o, outputs x inputs; drawn where absent."
    )

    def given(self) -> Mapping[str, tuple[Values | None, tuple[str, ...]]]:
        letters = ("W_q", "W_k", "W_v", "W_o")
        return {letter: (self.weights.get(letter), ("weights", letter)) for letter in letters}

    def conflicts(self) -> Iterable[Finding]:
        yield from unknown_letters(self.weights, self.given(), ("weights",))

    def settings(self) -> Mapping[str, Any]:
        return {"heads": self.heads, "causal": self.causal}


class Flatten(Library):
    """All axes in one, the last fastest."""

    kind = "flatten"


def unknown_letters(values: Mapping[str, Values], letters: Iterable[str], path: tuple[str, ...]) -> Iterable[Finding]:
    """Names of parameters that the layer does not have."""
    known = tuple(letters)
    for name in values:
        if name not in known:
            hint = did_you_mean(name, known) or expected_names(known)
            message = tr("unknown parameter '{name}'{hint}").format(name=name, hint=hint)
            yield Finding((*path, name), message, at_key=True)
