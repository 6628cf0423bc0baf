"""Arrays in a terminal: vectors as rows, matrices with their positions, large ones by a corner."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from rich.text import Text

from backprop_cli.documents.blocks import Array, Summary
from backprop_cli.renderers.arrays import described, place_of
from backprop_cli.renderers.numbers import aligned, numbers
from backprop_cli.renderers.styles import FAINT, wrapped

GAP = 2


def array_lines(array: Array, width: int) -> list[Text]:
    """The numbers in lines of at most ``width`` characters, as far as a single number allows."""
    return _lines(array, width, array.values.shape)


def summary_lines(summary: Summary, width: int) -> list[Text]:
    """Shape, norm and range of an array, and its first entries."""
    return [*wrapped(Text(described(summary)), width), *_lines(summary.corner, width, summary.shape)]


def _lines(array: Array, width: int, shape: tuple[int, ...]) -> list[Text]:
    """``shape`` is that of the whole array, of which ``array`` may be the beginning."""
    values = array.values
    shown = numbers(values.ravel().tolist(), array.digits)
    if values.ndim == 0:
        return [Text(shown[0])]
    if values.ndim == 1:
        if array.is_headed:
            return _blocks([aligned(shown)], [*array.indices, ""], width, shape[0])
        return _vector(shown, width, shape[0])
    texts = np.array(shown, dtype=object).reshape(values.shape)
    lines: list[Text] = []
    for at in product(*(range(size) for size in values.shape[:-2])):
        if at:
            lines.append(Text(place_of(at, array.indices), style=FAINT))
        lines.extend(_matrix(texts[at], array.indices[-2:], width, shape[-2:]))
    return [*lines, Text("⋮", style=FAINT)] if values.shape[:-2] != shape[:-2] else lines


def _vector(texts: Sequence[str], width: int, size: int) -> list[Text]:
    """One row, without positions where it fits on a line."""
    if size > len(texts):
        kept = list(texts)
        while len(kept) > 1 and len((" " * GAP).join((*kept, "…"))) > width:
            kept.pop()
        return [Text.assemble((" " * GAP).join(kept), " " * GAP, ("…", FAINT))]
    row = (" " * GAP).join(texts)
    return [Text(row)] if len(row) <= width else _blocks([aligned(texts)], [], width, size)


def _matrix(texts: np.ndarray, indices: Sequence[str], width: int, shape: Sequence[int]) -> list[Text]:
    cells = aligned(texts.ravel().tolist())
    rows = [cells[start : start + texts.shape[1]] for start in range(0, len(cells), texts.shape[1])]
    corner = "\\".join(indices) if len(indices) == 2 else ""
    labels = [corner, *(str(place + 1) for place in range(len(rows)))]
    lines = _blocks(rows, labels, width, shape[1])
    if shape[0] > len(rows):
        lines.append(Text("⋮".rjust(max(map(len, labels))), style=FAINT))
    return lines


def _blocks(rows: list[list[str]], labels: Sequence[str], width: int, columns: int) -> list[Text]:
    """Rows of aligned cells under the positions of their columns, in as many blocks of columns as the width needs."""
    label = max(map(len, labels), default=0)
    size = max(len(rows[0][0]), len(str(columns)))
    ones = _before_point(rows[0][0])
    count = max((width - label - (GAP if label else 0) + GAP) // (size + GAP), 1)
    if columns > len(rows[0]):  # the beginning of a larger array: as much of it as fits on one line
        rows = [row[: max(count - 1, 1)] for row in rows]
    lines: list[Text] = []
    for first in range(0, len(rows[0]), count):
        last = min(first + count, len(rows[0]))
        is_cut = last == len(rows[0]) < columns
        heads = [str(place + 1).rjust(ones) for place in range(first, last)]
        lines.append(_row(labels[0] if labels else "", heads, label, size, FAINT, is_cut))
        for place, row in enumerate(rows):
            own = labels[place + 1] if labels else ""
            lines.append(_row(own, row[first:last], label, size, "", is_cut))
    return lines


def _before_point(cell: str) -> int:
    """Where the last digit before the point of an aligned number stands, counted from 1."""
    return len(cell.rstrip().partition(".")[0].partition("e")[0])


def _row(label: str, cells: Sequence[str], label_width: int, size: int, style: str, is_cut: bool) -> Text:
    parts = [Text(label.rjust(label_width), style=FAINT)] if label_width else []
    parts += [Text(cell.ljust(size), style=style) for cell in cells]
    if is_cut:
        parts.append(Text("…", style=FAINT))
    return Text(" " * GAP).join(parts)
