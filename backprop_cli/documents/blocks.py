"""What a document is made of: text, formulas as trees, and numbers as arrays; no markup and no layout.

Text in a document may come from users (a network's name, a quantity's) and is plain text to every renderer.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop_cli.documents.names import Names
from backprop_cli.language import tree

Inline: TypeAlias = str | tree.Node


class Heading(NamedTuple):
    """``level`` 1 is the document's title, 2 a section (a layer), 3 a part of it."""

    level: int
    parts: tuple[Inline, ...]


class Prose(NamedTuple):
    """A paragraph of text and formulas."""

    parts: tuple[Inline, ...]


class Tone(StrEnum):
    REMARK = "remark"
    WARNING = "warning"


class Note(NamedTuple):
    """A remark on what stands above it, or a warning."""

    parts: tuple[Inline, ...]
    tone: Tone = Tone.REMARK


class Side(NamedTuple):
    """One side of an equation and, in a few words, why it equals the one before."""

    value: tree.Node
    remark: tuple[Inline, ...] = ()


class Line(NamedTuple):
    """``target = side = side = …``."""

    target: tree.Node
    sides: tuple[Side, ...]

    @property
    def formula(self) -> tree.Equality:
        return tree.Equality((self.target, *(side.value for side in self.sides)))


class FormulaBlock(NamedTuple):
    """Equations that belong together; their equals signs stand in one column. ``is_stacked`` gives each side of a chain
    a line of its own even where all of them fit on one."""

    lines: tuple[Line, ...]
    is_stacked: bool = False


class Array(NamedTuple):
    """Numbers at positions that count from 1. ``indices`` name the axes; ``digits`` are those after the point.

    A vector that ``is_headed`` has its index and positions above it however short it is.
    """

    values: NDArray[np.float64]
    indices: tuple[str, ...] = ()
    digits: int = 4
    is_headed: bool = False


class Summary(NamedTuple):
    """A large array in a few numbers. ``norm``, ``least`` and ``greatest`` are of its finite entries, of which there
    are none where they are None; ``corner`` are its first entries."""

    shape: tuple[int, ...]
    norm: float | None
    least: float | None
    greatest: float | None
    zeros: int
    corner: Array


class Bar(NamedTuple):
    """A bar of a chart, as long as this share of the longest."""

    share: float


Cell: TypeAlias = str | tree.Node | float | Array | Summary | Bar | None


class Table(NamedTuple):
    """Rows under a header; an empty row separates groups. Numbers line up at the decimal point, ``digits`` after it.
    Arrays stand in the last column."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    digits: int = 4


class PageBreak(NamedTuple):
    """What follows begins a page of its own, such as another student's sheet."""


Block: TypeAlias = Heading | Prose | Note | FormulaBlock | Table | PageBreak


class Source(NamedTuple):
    """The text of the spec that a document is about, and whether it gives all numbers, not sizes alone."""

    text: str
    has_numbers: bool


class Document(NamedTuple):
    """Blocks in reading order, how the quantities in its formulas are written, and what it was made from: formats that
    compute need that."""

    blocks: tuple[Block, ...]
    names: Names
    source: Source | None = None
