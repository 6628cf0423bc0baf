"""The table of the layers that have options of their own, by the names that users write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pkgutil import resolve_name
from typing import TypeAlias

from backprop_cli.spec.dense import Dense
from backprop_cli.spec.options import Library

Model: TypeAlias = type[Dense] | type[Library]

_PLACES = {
    "dense": "dense:Dense",
    "flatten": "layer_options:Flatten",
    "conv1d": "layer_options:Conv1d",
    "conv2d": "layer_options:Conv2d",
    "max_pool1d": "layer_options:MaxPool1d",
    "max_pool2d": "layer_options:MaxPool2d",
    "avg_pool1d": "layer_options:AvgPool1d",
    "avg_pool2d": "layer_options:AvgPool2d",
    "layer_norm": "layer_options:LayerNorm",
    "batch_norm": "layer_options:BatchNorm",
    "dropout": "layer_options:Dropout",
    "embedding": "layer_options:Embedding",
    "attention": "layer_options:Attention",
    "rnn": "recurrent_options:Rnn",
    "lstm": "recurrent_options:Lstm",
    "gru": "recurrent_options:Gru",
}


class _Models(Mapping[str, Model]):
    """Each model is imported when a spec first uses it: building them all takes longer than reading a small spec."""

    def __getitem__(self, kind: str) -> Model:
        model: Model = resolve_name(f"backprop_cli.spec.{_PLACES[kind]}")
        return model

    def __contains__(self, kind: object) -> bool:
        return kind in _PLACES

    def __iter__(self) -> Iterator[str]:
        return iter(_PLACES)

    def __len__(self) -> int:
        return len(_PLACES)


OPTIONS: Mapping[str, Model] = _Models()
