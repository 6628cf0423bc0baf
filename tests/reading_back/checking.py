"""From printed text to the verdict whether it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from tests.reading_back.evaluation import Definitions, Evaluation, free_indices
from tests.reading_back.grammar import Reader
from tests.reading_back.latex_reader import LatexReader
from tests.reading_back.text_reader import TextReader
from tests.reading_back.unicode_reader import UnicodeReader

Format: TypeAlias = Literal["text", "unicode", "latex"]

TOLERANCE = 1e-9
READERS = {"text": TextReader, "unicode": UnicodeReader, "latex": LatexReader}


def read(text: str, names: Names, format: Format = "unicode") -> tree.Node:
    """The tree of a printed formula."""
    return READERS[format](text, names).read()


def read_definition(text: str, names: Names, format: Format = "unicode") -> tuple[str, tree.Equality]:
    """The quantity that a printed definition defines, and the definition; for :data:`Definitions`."""
    node = read(text, names, format)
    assert isinstance(node, tree.Equality)
    left = node.sides[0]
    assert isinstance(left, tree.Place | tree.Matrix), text
    return left.name, node


def check_formula(
    text: str,
    names: Names,
    arrays: Mapping[str, NDArray[np.float64]],
    format: Format = "unicode",
    definitions: Definitions | None = None,
    tolerance: float = TOLERANCE,
) -> tree.Equality:
    """Fails unless all sides of the printed equation are equal for all values of its free indices; gives its tree.

    ``arrays`` holds every quantity under its name, given ones included, and every gradient as ``dJ/dX``. Local
    derivatives ∂u/∂v are worked out from u's definition by the complex step, so formulas with them need
    ``definitions``: each quantity's defining equation as :func:`read_definition` reads it from the printed page, in
    order of computation. A limit above a Σ of LaTeX must be the size of what the Σ runs over.
    """
    reader = READERS[format](text, names)
    node = reader.read()
    assert isinstance(node, tree.Equality), f"not an equation: {text}"
    _check_limits(reader)
    free = free_indices(node, names)
    evaluation = Evaluation(names, arrays, definitions or {})
    sizes = {name: evaluation.size_of(name, node) for name in free}
    sides = [evaluation.value(side, sizes) for side in node.sides]
    for number, side in enumerate(sides[1:], start=1):
        left, right = np.broadcast_arrays(sides[0], side)
        both_undefined = np.isnan(left) & np.isnan(right)
        with np.errstate(all="ignore"):
            near = np.abs(left - right) <= tolerance * (1 + np.abs(left))
        wrong = ~(near | (left == right) | both_undefined)
        if wrong.any():
            at = tuple(int(axis[0]) for axis in np.nonzero(wrong))
            where = ", ".join(f"{name} = {position + 1}" for name, position in zip(sizes, at, strict=False))
            raise AssertionError(
                f"{text}\nside {number + 1} is {right[at]!r}, side 1 is {left[at]!r}" + (f" at {where}" if where else "")
            )
    return node


def _check_limits(reader: Reader) -> None:
    for reduction, limit in reader.limits:
        size = Evaluation(reader.names, {}, {}).size_of(reduction.indices[0], reduction.body)
        assert size == limit, f"Σ over {reduction.indices[0]} stops at {limit}, not at {size}: {reader.source}"
