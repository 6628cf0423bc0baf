"""Arrays as a spec gives them: a number, nested lists, or a mapping with a size, a shape or a value.

Refuses ragged lists, text, numbers that are not finite, and arrays beyond the limits, each at its own element.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from math import inf, isfinite, prod
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from backprop_cli.spec import limits
from backprop_cli.spec.findings import Finding, Path, Rejected, collected, reject, unknown_keys
from backprop_cli.spec.wording import count, describe, listed, number_hint

T = TypeVar("T")

_MOST_PER_ARRAY = 5  # findings: the rest of a long column of the same slip teaches nothing


@dataclass(frozen=True, eq=False)
class Values:
    """An array of a spec: its ``shape``, and its ``numbers`` (float64, read-only) unless the spec gives the size alone.

    ``whole`` says that every number was written as an integer, which class numbers must be; ``batch`` is what the spec
    says outright about the first axis, None where it says nothing.
    """

    shape: tuple[int, ...]
    numbers: NDArray[np.float64] | None = None
    whole: bool = False
    batch: bool | None = None

    @property
    def array(self) -> NDArray[np.float64] | None:
        """The numbers in memory one after the other (``{shape: [3], value: 0}`` keeps its one number only once)."""
        return None if self.numbers is None else np.ascontiguousarray(self.numbers).reshape(self.shape)

    @property
    def size(self) -> int:
        """How many numbers the array holds."""
        return prod(self.shape)


def read_values(data: Any, keys: Collection[str] = ("size", "shape", "value", "batch")) -> Values:
    """Any form of an array; ``keys`` are the ones that a mapping may have here. Raises :class:`Rejected`."""
    if isinstance(data, Values):
        return data
    if not isinstance(data, dict):
        return read_array(data)
    findings = list(unknown_keys(data, keys))
    if not findings and not data.keys() & {"size", "shape", "value"}:
        findings.append(Finding((), f"expected one of {listed(key for key in keys if key != 'batch')}"))
    if {"size", "shape"} <= data.keys():
        findings.append(Finding(("shape",), "give 'size' or 'shape', not both", at_key=True))
    batch = data.get("batch")
    if not isinstance(batch, bool | None):
        findings.append(Finding(("batch",), f"expected true or false, not {describe(batch)}"))
    shape = given = None
    for key, read in (("size", _read_size), ("shape", _read_shape)):
        if key in data:
            shape = _value(read, data, key, findings)
    if "value" in data:
        given = _value(read_array, data, "value", findings)
    if findings:
        raise Rejected(findings)
    if given is None:
        return Values(shape or (), batch=batch)
    if shape is None or shape == given.shape:
        return Values(given.shape, given.numbers, given.whole, batch)
    if given.shape or given.numbers is None:
        reject(f"the value is {written(given.shape)}, not {written(shape)}", ("value",))
    return Values(shape, np.broadcast_to(given.numbers, shape), given.whole, batch)


def read_array(data: Any) -> Values:
    """A number or nested lists of numbers, every list of one depth equally long. Raises :class:`Rejected`."""
    level: list[Any] = [data.tolist() if isinstance(data, np.ndarray) else data]
    shape: tuple[int, ...] = ()
    while isinstance(level[0], list | tuple):
        if len(shape) == limits.AXES:
            reject(f"lists more than {limits.AXES} deep")
        if ragged := list(islice(_ragged(level, shape), _MOST_PER_ARRAY)):
            raise Rejected(ragged)
        shape = (*shape, len(level[0]))
        if not shape[-1]:
            reject("an empty list has no numbers")
        if prod(shape) > limits.NUMBERS:
            reject(f"{prod(shape):,} numbers; at most {limits.NUMBERS:,} are allowed")
        level = list(chain.from_iterable(level))
    kinds = set(map(type, level))
    if kinds <= {int, float}:
        numbers = _as_floats(level)
        if np.isfinite(numbers).all():
            numbers = numbers.reshape(shape)
            numbers.setflags(write=False)
            return Values(shape, numbers, whole=kinds == {int})
    raise Rejected(islice(_not_numbers(level, shape), _MOST_PER_ARRAY))


def written(shape: Sequence[int]) -> str:
    """A shape as messages name it: ``a list of 3``, ``3 x 2`` or ``a single number``."""
    if len(shape) == 1:
        return f"a list of {shape[0]}"
    return " x ".join(map(str, shape)) if shape else "a single number"


def _value(read: Callable[[Any], T], data: Mapping[str, Any], key: str, findings: list[Finding]) -> T | None:
    try:
        return read(data[key])
    except Rejected as rejected:
        findings.extend(finding.under((key,)) for finding in rejected.findings)
        return None


def _read_size(data: Any) -> tuple[int, ...]:
    if type(data) is not int or data < 1:
        reject(f"expected a whole number from 1, not {describe(data)}")
    if data > limits.SIZE:
        reject(f"{data:,} is too large; at most {limits.SIZE:,} is allowed")
    return (data,)


def _read_shape(data: Any) -> tuple[int, ...]:
    if not isinstance(data, list | tuple):
        reject(f"expected a list of sizes such as [3, 2], not {describe(data)}")
    if len(data) > limits.AXES:
        reject(f"{len(data)} axes; at most {limits.AXES} are allowed")
    shape = tuple(size for (size,) in collected(_read_size, data))
    if prod(shape) > limits.NUMBERS:
        reject(f"{written(shape)} are {prod(shape):,} numbers; at most {limits.NUMBERS:,} are allowed")
    return shape


def _ragged(level: Sequence[Any], shape: tuple[int, ...]) -> Iterator[Finding]:
    """Rows of one depth that are not as long as the first one."""
    first = len(level[0])
    for flat, row in enumerate(level):
        at = _position(flat, shape)
        if not isinstance(row, list | tuple):
            yield Finding(at, f"row {_row((0,) * len(at))} is a list of {first}, row {_row(at)} is {describe(row)}")
        elif len(row) != first:
            yield Finding(
                at,
                f"rows of different lengths: row {_row((0,) * len(at))} has {count(first, 'entry')}, "
                f"row {_row(at)} has {len(row)}",
            )


def _not_numbers(level: Sequence[Any], shape: tuple[int, ...]) -> Iterator[Finding]:
    for flat, entry in enumerate(level):
        at = _position(flat, shape)
        if type(entry) not in (int, float):
            hint = number_hint(entry) if isinstance(entry, str) else ""
            yield Finding(at, f"expected a number, not {describe(entry)}{hint}", remedy=0.0)
        elif not isfinite(_as_float(entry)):
            yield Finding(at, f"expected a finite number, not {describe(entry)}", remedy=0.0)


def _as_floats(level: list[int | float]) -> NDArray[np.float64]:
    try:
        return np.array(level, dtype=np.float64)
    except OverflowError:
        return np.array([_as_float(number) for number in level])


def _as_float(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:
        return inf


def _position(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Where the entry number ``flat`` stands in nested lists of this shape, from 0."""
    at: list[int] = []
    for size in reversed(shape):
        flat, place = divmod(flat, size)
        at.append(place)
    return tuple(reversed(at))


def _row(at: Path) -> str:
    places = [str(int(place) + 1) for place in at]
    return places[0] if len(places) == 1 else f"[{','.join(places)}]"
