"""Arrays in words, for every format alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backprop_cli.documents.blocks import Summary
from backprop_cli.renderers.numbers import number


def described(summary: Summary) -> str:
    """Shape, norm and range of an array in words."""
    digits = summary.corner.digits
    said = [" × ".join(map(str, summary.shape)) + (" numbers" if len(summary.shape) == 1 else "")]
    if summary.norm is not None and summary.least is not None and summary.greatest is not None:
        said.append(f"norm {number(summary.norm, digits)}")
        said.append(f"from {number(summary.least, digits)} to {number(summary.greatest, digits)}")
    if summary.zeros:
        said.append(f"{summary.zeros} of them 0" if summary.zeros < np.prod(summary.shape) else "all of them 0")
    return ", ".join(said)


def place_of(at: Sequence[int], indices: Sequence[str]) -> str:
    """The position of a matrix in an array of more axes: ``t = 1, c = 2``, counted from 1."""
    named = zip(indices or ("",) * len(at), at, strict=False)
    return ", ".join(f"{name} = {place + 1}" for name, place in named)
