"""Arrays as rows of texts, for every format that sets them as matrices; layout is the format's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from backprop_cli.documents.blocks import Array, Summary
from backprop_cli.renderers.numbers import number, numbers
from backprop_cli.translation import tr, tr_n

ALL = ("", "")


class Grid(NamedTuple):
    """A matrix, or a vector as one row (``is_vector``).

    ``label`` says which of several; ``goes_on`` says of the beginning of a larger array whether that has further rows
    and further columns, ``indices`` what its rows and columns are counted by.
    """

    rows: tuple[tuple[str, ...], ...]
    label: str = ""
    goes_on: tuple[bool, bool] = (False, False)
    indices: tuple[str, str] = ALL
    is_vector: bool = False


def described(summary: Summary) -> str:
    """Shape, norm and range of an array in words."""
    digits, size = summary.corner.digits, int(np.prod(summary.shape))
    said = [" × ".join(map(str, summary.shape))]
    if len(summary.shape) == 1:
        said = [tr_n("{size} number", "{size} numbers", size).format(size=size)]
    if summary.norm is not None and summary.least is not None and summary.greatest is not None:
        ends = {"least": number(summary.least, digits), "greatest": number(summary.greatest, digits)}
        said.append(tr("norm {norm}").format(norm=number(summary.norm, digits)))
        said.append(tr("from {least} to {greatest}").format(**ends))
    if summary.zeros == size:
        said.append(tr("all of them 0"))
    elif summary.zeros:
        said.append(tr_n("{zeros} of them 0", "{zeros} of them 0", summary.zeros).format(zeros=summary.zeros))
    return tr(", ").join(said)


def place_of(at: Sequence[int], indices: Sequence[str]) -> str:
    """The position of a matrix in an array of more axes: ``t = 1, c = 2``, counted from 1."""
    named = zip(indices or ("",) * len(at), at, strict=False)
    return ", ".join(f"{name} = {place + 1}" for name, place in named)


def grids(array: Array, shape: Sequence[int] | None = None) -> list[Grid]:
    """The matrices of an array, with one position each where it has more than two axes; ``shape`` is that of the whole
    array, of which ``array`` may be the beginning."""
    values, whole = array.values, tuple(shape or array.values.shape)
    texts = np.array(numbers(values.ravel().tolist(), array.digits), dtype=object).reshape(values.shape)
    if values.ndim < 2:
        goes_right = values.shape != whole
        across = array.indices[-1] if array.indices else ""
        return [Grid((tuple(texts.ravel().tolist()),), "", (False, goes_right), ("", across), is_vector=True)]
    goes_on = (values.shape[-2] < whole[-2], values.shape[-1] < whole[-1])
    down, across = array.indices[-2:] if len(array.indices) == values.ndim else ALL
    return [
        Grid(tuple(map(tuple, texts[at].tolist())), place_of(at, array.indices), goes_on, (down, across))
        for at in product(*(range(size) for size in values.shape[:-2]))
    ]


def cut(grid: Grid, room: float, most_rows: int, measure: Callable[[str], float]) -> list[Grid]:
    """The grid in parts of at most ``most_rows`` rows and columns that take ``room`` at most, each labelled with its
    positions; of the beginning of a larger array the first part alone. ``measure`` is the width of a column with this
    text, its gap included."""
    columns = [max(map(measure, column)) for column in zip(*grid.rows, strict=True)]
    across = list(_groups(columns, room))[: 1 if grid.goes_on[1] else None]
    down = [(start, min(start + most_rows, len(grid.rows))) for start in range(0, len(grid.rows), most_rows)]
    parts = []
    for top, bottom in down:
        for left, right in across:
            labels = [grid.label] if grid.label else []
            labels += [_from_to(grid.indices[0], _rows, top, bottom)] if len(down) > 1 else []
            labels += [_from_to(grid.indices[1], _columns, left, right)] if len(across) > 1 else []
            goes_on = (grid.goes_on[0] and bottom == len(grid.rows), grid.goes_on[1])
            rows = tuple(row[left:right] for row in grid.rows[top:bottom])
            parts.append(Grid(rows, ", ".join(labels), goes_on, grid.indices, grid.is_vector))
    return parts


def _groups(widths: Sequence[float], room: float) -> Iterator[tuple[int, int]]:
    start, taken = 0, 0.0
    for at, width in enumerate(widths):
        if at > start and taken + width > room:
            yield start, at
            start, taken = at, 0.0
        taken += width
    yield start, len(widths)


def _from_to(index: str, unnamed: Callable[[int, int], str], first: int, last: int) -> str:
    """Positions in words: ``j = 5 to 8``, ``columns 5 to 8``."""
    if not index:
        return unnamed(first + 1, last)
    if last == first + 1:
        return f"{index} = {last}"
    return tr("{index} = {first} to {last}").format(index=index, first=first + 1, last=last)


def _rows(first: int, last: int) -> str:
    return tr_n("row {last}", "rows {first} to {last}", last - first + 1).format(first=first, last=last)


def _columns(first: int, last: int) -> str:
    return tr_n("column {last}", "columns {first} to {last}", last - first + 1).format(first=first, last=last)
