"""Arrays read back from the tables of a terminal's page: every number at the position that it stands at."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

LEADING = re.compile(r"\w+ = \d+(?:, \w+ = \d+)*")


def rows_of(text: str) -> dict[str, list[str]]:
    """The lines of the last column of a table with two columns, by what stands in the first."""
    header, _, *lines = text.splitlines()
    left = header.index(header.split()[-1])
    found: dict[str, list[str]] = {}
    label = ""
    for line in lines:
        label = line[:left].strip() or label
        found.setdefault(label, []).append(line[left:])
    return found


def numbers_in(lines: list[str], shape: tuple[int, ...], indices: tuple[str, ...]) -> dict[tuple[int, ...], str]:
    """The numbers of an array, by their positions; of a large one those that are shown."""
    if not shape:
        (line,) = lines
        return {(): line.strip()}
    found: dict[tuple[int, ...], str] = {}
    corner, leading, heads = "\\".join(indices[-2:]), (), []
    for line in lines:
        first, *rest = [cell for cell in line.split() if cell not in ("…", "⋮")] or [""]
        if LEADING.fullmatch(line.strip()):
            leading = tuple(int(place) for place in re.findall(r"= (\d+)", line))
        elif first == corner:
            heads = [int(head) for head in rest]
        elif len(shape) == 1 and first and heads:
            found |= {(head,): cell for head, cell in zip(heads, (first, *rest), strict=True)}
        elif first.isdigit() and heads:
            found |= {(*leading, int(first), head): cell for head, cell in zip(heads, rest, strict=True)}
    return found


def check_array(lines: list[str], exact: NDArray[np.float64], indices: tuple[str, ...], noise: float) -> None:
    """Every number is the exact one with its digits, up to ``noise``; 0 is 0, and no number is missing."""
    text = " ".join(lines)
    found = numbers_in(lines, exact.shape, indices)
    assert len(found) == exact.size or (found and " norm " in text), text
    for position, number in found.items():
        mantissa, _, power = number.partition("e")
        unit = 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2])) if number != "0" else 0.0
        value = exact[tuple(place - 1 for place in position)]
        assert abs(float(number) - value) <= 0.5 * unit * (1 + 1e-6) + noise, (text, position, value)
