"""Large arrays in words, for every format alike."""

from __future__ import annotations

from math import prod

from backprop_cli.documents.blocks import Summary
from backprop_cli.renderers.numbers import number


def summary_text(summary: Summary) -> str:
    """Shape, norm and range of an array."""
    digits = summary.corner.digits
    said = [" × ".join(map(str, summary.shape)) + (" numbers" if len(summary.shape) == 1 else "")]
    if summary.norm is not None and summary.least is not None and summary.greatest is not None:
        said.append(f"norm {number(summary.norm, digits)}")
        said.append(f"from {number(summary.least, digits)} to {number(summary.greatest, digits)}")
    if summary.zeros:
        said.append(f"{summary.zeros} of them 0" if summary.zeros < prod(summary.shape) else "all of them 0")
    return ", ".join(said)
