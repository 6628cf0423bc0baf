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
from backprop_cli.spec.wording import (
    count,
    describe,
    listed,
    no_number,
    no_truth_value,
    no_whole_number,
    not_both,
    not_finite,
    too_large,
    too_many_numbers,
)
from backprop_cli.translation import grouped, tr

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
        message = tr("expected one of {keys}").format(keys=listed(key for key in keys if key != "batch"))
        findings.append(Finding((), message))
    if {"size", "shape"} <= data.keys():
        findings.append(Finding(("shape",), not_both("size", "shape"), at_key=True))
    batch = data.get("batch")
    if not isinstance(batch, bool | None):
        findings.append(Finding(("batch",), no_truth_value(batch)))
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
        message = tr("the value is {found}, not {wanted}")
        reject(message.format(found=written(given.shape), wanted=written(shape)), ("value",))
    return Values(shape, np.broadcast_to(given.numbers, shape), given.whole, batch)


def read_array(data: Any) -> Values:
    """A number or nested lists of numbers, every list of one depth equally long. Raises :class:`Rejected`."""
    level: list[Any] = [data.tolist() if isinstance(data, np.ndarray) else data]
    shape: tuple[int, ...] = ()
    while isinstance(level[0], list | tuple):
        if len(shape) == limits.AXES:
            reject(tr("lists more than {most} deep").format(most=limits.AXES))
        if ragged := list(islice(_ragged(level, shape), _MOST_PER_ARRAY)):
            raise Rejected(ragged)
        shape = (*shape, len(level[0]))
        if not shape[-1]:
            reject(tr("an empty list has no numbers"))
        if prod(shape) > limits.NUMBERS:
            reject(too_many_numbers(prod(shape), limits.NUMBERS))
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
        return tr("a list of {number}").format(number=shape[0])
    return " x ".join(map(str, shape)) if shape else tr("a single number")


def _value(read: Callable[[Any], T], data: Mapping[str, Any], key: str, findings: list[Finding]) -> T | None:
    try:
        return read(data[key])
    except Rejected as rejected:
        findings.extend(finding.under((key,)) for finding in rejected.findings)
        return None


def _read_size(data: Any) -> tuple[int, ...]:
    if type(data) is not int or data < 1:
        reject(no_whole_number(describe(data), 1))
    if data > limits.SIZE:
        reject(too_large(grouped(data), limits.SIZE))
    return (data,)


def _read_shape(data: Any) -> tuple[int, ...]:
    if not isinstance(data, list | tuple):
        message = tr("expected a list of sizes such as {example}, not {found}")
        reject(message.format(example="[3, 2]", found=describe(data)))
    if len(data) > limits.AXES:
        reject(tr("{number} axes; at most {most} are allowed").format(number=len(data), most=limits.AXES))
    shape = tuple(size for (size,) in collected(_read_size, data))
    if prod(shape) > limits.NUMBERS:
        message = tr("{shape} are {number} numbers; at most {most} are allowed")
        reject(message.format(shape=written(shape), number=grouped(prod(shape)), most=grouped(limits.NUMBERS)))
    return shape


def _ragged(level: Sequence[Any], shape: tuple[int, ...]) -> Iterator[Finding]:
    """Rows of one depth that are not as long as the first one."""
    first = len(level[0])
    for flat, row in enumerate(level):
        at = _position(flat, shape)
        if not isinstance(row, list | tuple):
            message = tr("row {first} is a list of {number}, row {row} is {found}")
            rows = {"first": _row((0,) * len(at)), "row": _row(at)}
            yield Finding(at, message.format(number=first, found=describe(row), **rows))
        elif len(row) != first:
            message = tr("rows of different lengths: row {first} has {entries}, row {row} has {number}")
            rows = {"first": _row((0,) * len(at)), "row": _row(at)}
            yield Finding(at, message.format(entries=count(first, "entry"), number=len(row), **rows))


def _not_numbers(level: Sequence[Any], shape: tuple[int, ...]) -> Iterator[Finding]:
    for flat, entry in enumerate(level):
        at = _position(flat, shape)
        if type(entry) not in (int, float):
            yield Finding(at, no_number(entry), remedy=0.0)
        elif not isfinite(_as_float(entry)):
            yield Finding(at, not_finite(entry), remedy=0.0)


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
