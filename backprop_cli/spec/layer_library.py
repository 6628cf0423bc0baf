"""The table of the library's layers: what each may say about itself, by its name."""

from __future__ import annotations

from collections.abc import Mapping

from backprop_cli.spec.layer_options import (
    Attention,
    AvgPool1d,
    AvgPool2d,
    BatchNorm,
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    LayerNorm,
    Library,
    MaxPool1d,
    MaxPool2d,
)
from backprop_cli.spec.recurrent_options import Gru, Lstm, Rnn

LIBRARY: Mapping[str, type[Library]] = {
    options.kind: options
    for options in (
        Flatten,
        Conv1d,
        Conv2d,
        MaxPool1d,
        MaxPool2d,
        AvgPool1d,
        AvgPool2d,
        LayerNorm,
        BatchNorm,
        Dropout,
        Embedding,
        Attention,
        Rnn,
        Lstm,
        Gru,
    )
}
