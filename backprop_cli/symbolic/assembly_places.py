"""Where layers stand: in the stack, or in the stack inside a residual layer; and what their names end in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from backprop_cli.spec.findings import Path
from backprop_cli.spec.layers import Block, Layer, Residual


class LayerPlace(NamedTuple):
    """A layer's place. ``layer`` is the number in the outermost stack, from 1; ``label`` is what people call the layer
    (2, or 2.1 inside a residual layer at place 2); ``ending`` is what its names end in; ``path`` is where it stands in
    the spec."""

    layer: int
    label: str
    ending: str
    path: Path

    def __call__(self, letter: str) -> str:
        """``W1``, or ``W_hidden`` where the layer has a name."""
        return f"{letter}{self.ending}"


def placed(layers: Sequence[Layer], around: LayerPlace | None = None) -> Iterator[tuple[LayerPlace, Layer]]:
    """Every layer of a stack with its place; the layers of a residual layer are not gone into."""
    for number, layer in enumerate(layers):
        name = None if isinstance(layer, Block) else layer.name
        if around is None:
            ending = f"_{name}" if name else str(number + 1)
            yield LayerPlace(number + 1, str(number + 1), ending, ("layers", number)), layer
        else:
            path = (*around.path, Residual.kind, "layers", number)
            ending = f"{around.ending}_{name or number + 1}"
            yield LayerPlace(around.layer, f"{around.label}.{number + 1}", ending, path), layer


def every_layer(layers: Sequence[Layer], around: LayerPlace | None = None) -> Iterator[tuple[LayerPlace, Layer]]:
    """Every layer, each residual layer before the layers inside it."""
    for place, layer in placed(layers, around):
        yield place, layer
        if isinstance(layer, Residual):
            yield from every_layer(layer.layers, place)
