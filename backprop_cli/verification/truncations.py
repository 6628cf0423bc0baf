"""How far truncated gradients are from the full ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backprop_cli.verification.report import Truncation


def truncations(truncated: Mapping[str, object], full: Mapping[str, object]) -> tuple[Truncation, ...]:
    """Both gradients of every quantity, at the entry where they differ most."""
    found = []
    for name, gradient in truncated.items():
        ours, whole = np.asarray(gradient, dtype=float), np.asarray(full[name], dtype=float)
        entry = np.unravel_index(int(np.argmax(np.nan_to_num(np.abs(ours - whole), nan=0.0))), ours.shape)
        norms = (float(np.linalg.norm(ours)), float(np.linalg.norm(whole)))
        position = tuple(int(axis) + 1 for axis in entry)
        found.append(Truncation(name, position, float(ours[entry]), float(whole[entry]), *norms))
    return tuple(found)
