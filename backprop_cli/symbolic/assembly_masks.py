"""The masks of dropout: given, or drawn entry by entry from the layer's seed and the name of the mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backprop_cli.spec.findings import Path
from backprop_cli.spec.initial import uniform
from backprop_cli.spec.values import written
from backprop_cli.symbolic.assembly_places import LayerPlace
from backprop_cli.symbolic.draft import Draft
from backprop_cli.symbolic.graph import Quantity, Role
from backprop_cli.symbolic.wording import described
from backprop_cli.translation import tr

if TYPE_CHECKING:
    from backprop_cli.spec.layer_options import Dropout


def add_mask(draft: Draft, place: LayerPlace, layer: Dropout, source: Quantity, path: Path) -> str:
    """Add the mask for an input: 1 keeps an entry, 0 drops it. Reports a given one that has another shape."""
    name = place("mask")
    if layer.mask is not None and layer.mask.shape not in (source.shape, source.shape[source.depends_on_sample :]):
        message = tr("the mask is {found}, but '{name}' is {shape}").format(
            found=written(layer.mask.shape), name=source.name, shape=described(draft, source)
        )
        draft.report(draft.origin(*path, "mask").problem(message))
    whole = layer.mask is None or layer.mask.shape == source.shape
    shape = source.shape if whole else source.shape[1:]
    indices = source.indices if whole else source.indices[1:]
    if layer.mask is not None:
        values = layer.mask.array
    else:
        assert layer.p is not None
        values = (uniform(name, shape, layer.seed) >= layer.p).astype(np.float64)
    per_sample = whole and source.depends_on_sample
    draft.values[name] = values
    quantity = Quantity(name, indices, shape, Role.CONSTANT, layer=place.layer, depends_on_sample=per_sample)
    return draft.add(quantity, draft.origin(*path)).name
