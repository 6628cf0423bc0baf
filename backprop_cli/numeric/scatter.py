"""Where a sum of products is added to an array: at slices, at every place of a window, or at positions looked up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import NamedTuple

from sympy import Expr, Symbol

from backprop_cli.numeric.operations import Entry
from backprop_cli.numeric.positions import Affine, Sizes, affine

MOST_PARTS = 64  # lines of a program, one for each place in a window


class Part(NamedTuple):
    """The entries ``taken`` of the values belong to the part ``place`` of the array."""

    place: tuple[Entry, ...]
    taken: tuple[Entry, ...]


class Plan(NamedTuple):
    """How values over the indices ``axes`` are added to an array: first reshaped to ``shape``, then part by part."""

    axes: tuple[Symbol, ...]
    shape: tuple[int, ...]
    parts: tuple[Part, ...]


def plan(positions: Sequence[Expr], sizes: Sizes, shape: Sequence[int]) -> Plan | None:
    """The plan for positions that are sums of indices, None for any others."""
    places = [affine(position, sizes) for position in positions]
    found = [place for place in places if place is not None]
    symbols = [symbol for place in found for symbol in place.indices]
    if len(found) < len(places) or len(set(symbols)) < len(symbols):
        return None
    axes: list[Symbol] = []
    lengths: list[int] = []
    walked: list[list[Symbol]] = []
    for place in found:
        digits = place.digits(sizes) if place.steps else ()
        if digits is not None:  # an axis of the array that these indices count through
            axes.extend(digits)
            lengths.extend([prod(sizes[symbol] for symbol in digits)] if digits else [])
            walked.append([])
            continue
        forwards = {symbol for symbol, step in place.steps if step > 0}
        *window, base = sorted(place.indices, key=lambda symbol: (symbol in forwards, sizes[symbol]))
        if base not in forwards:
            return None  # every index counts down, and a slice that is added to counts up
        axes.extend((*window, base))
        lengths.extend(sizes[symbol] for symbol in (*window, base))
        walked.append(window)
    if prod(sizes[symbol] for window in walked for symbol in window) > MOST_PARTS:
        return None
    parts = tuple(_parts(found, walked, sizes, shape))
    return Plan(tuple(axes), tuple(lengths), parts)


def _parts(
    places: Sequence[Affine], walked: Sequence[Sequence[Symbol]], sizes: Sizes, shape: Sequence[int]
) -> Iterator[Part]:
    """One part for every place in the windows, without what lies outside the array."""
    window = [symbol for symbols in walked for symbol in symbols]
    for at in product(*(range(1, sizes[symbol] + 1) for symbol in window)):
        numbers = dict(zip(window, at, strict=True))
        entries: list[Entry] = []
        taken: list[Entry] = []
        for place, symbols, size in zip(places, walked, shape, strict=True):
            one = _along(place, symbols, numbers, sizes, size)
            if one is None:
                break
            entries.append(one[0])
            taken.extend(one[1])
        else:
            yield Part(tuple(entries), tuple(taken))


def _along(
    place: Affine, walked: Sequence[Symbol], numbers: Mapping[Symbol, int], sizes: Sizes, size: int
) -> tuple[Entry, tuple[Entry, ...]] | None:
    """The part of one axis, and the entries of the values that belong there; None where all of it lies outside."""
    start = place.constant + sum(step * numbers[symbol] for symbol, step in place.steps if symbol in walked)
    rest = [(symbol, step) for symbol, step in place.steps if symbol not in walked]
    if not rest:
        return (start - 1, ()) if 1 <= start <= size else None
    digits = len(rest) > 1
    step = 1 if digits else rest[0][1]
    count = prod(sizes[symbol] for symbol, _ in rest)
    first = place.low if digits else start + step  # the position that value 1 of the index belongs to
    inside = [number for number in range(count) if 1 <= first + step * number <= size]
    if not inside:
        return None
    low, high = inside[0], inside[-1]
    entry = (first + step * low - 1, first + step * high, step)
    return entry, (*(numbers[symbol] - 1 for symbol in walked), (low, high + 1))
