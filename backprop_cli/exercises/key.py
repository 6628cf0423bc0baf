"""A key: what every variant asks for, with values, tolerances and points; the JSON that grading reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop_cli.errors import BackpropError
from backprop_cli.translation import tr

MOST_DIGITS = 17  # after the point
GENERATOR = "backprop-sha256-1"  # how the numbers of variants are made; a change of it changes every sheet


class CellKind(StrEnum):
    """What an answer is: a number, a formula in the equation language, one of several choices, or the id of a line."""

    NUMBER = "number"
    FORMULA = "formula"
    CHOICE = "choice"
    LINE = "line"


class Cell(NamedTuple):
    """One answer that is asked for.

    ``id`` is the id of a node (``z1[1]``, ``dJ/dW1[1,2]``, ``new W1[1,2]``, ``path 1 of dJ/da1[1]``), or of a question
    whose answer is no number (``formula dJ/dW1[1,2]``, ``choice 3``, ``mistake 4``). ``value`` is the number in full
    precision, the formula as text, the letter of the choice or the id of the line. ``tolerance`` counts for numbers;
    it is ``fixed`` where it was set and is not what rounding can cause. ``mistakes`` has the id of the mistake behind
    each wrong letter of a choice.
    """

    id: str
    question: int
    kind: CellKind
    value: float | str
    tolerance: float
    points: float
    digits: int
    fixed: bool = False
    mistakes: Mapping[str, str] | None = None

    def as_data(self) -> dict[str, Any]:
        data = {**self._asdict(), "kind": str(self.kind)}
        if self.mistakes is None:
            del data["mistakes"]
        return data


class Variant(NamedTuple):
    """The numbers of one sheet: ``id`` counts from 1, ``code`` is printed on the sheet and makes it again, ``student``
    is a name from a class list. ``given`` are the given quantities by name."""

    id: str
    code: str
    student: str | None
    given: Mapping[str, NDArray[np.float64]]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Key:
    """``network`` is the text of its spec, without which no answer can be recomputed; ``learning_rate`` is that of the
    update questions."""

    title: str
    network: str
    digits: int
    seed: int
    learning_rate: float
    variants: tuple[Variant, ...]

    def as_data(self) -> dict[str, Any]:
        """What ``exercise --format json`` prints."""
        return {
            "title": self.title,
            "network": self.network,
            "digits": self.digits,
            "seed": self.seed,
            "generator": GENERATOR,
            "learning_rate": self.learning_rate,
            "variants": [
                {
                    "id": variant.id,
                    "code": variant.code,
                    "student": variant.student,
                    "given": {name: np.asarray(array).tolist() for name, array in variant.given.items()},
                    "cells": [cell.as_data() for cell in variant.cells],
                }
                for variant in self.variants
            ],
        }

    @classmethod
    def from_data(cls, data: Any) -> Key:
        """The key of such data. Raises BackpropError where they are no key."""
        try:
            if data["generator"] != GENERATOR:
                message = tr("this key was made by the generator {other}, not by {own}")
                raise BackpropError(message.format(other=data["generator"], own=GENERATOR))
            found = cls(
                str(data["title"]),
                str(data["network"]),
                _digits(data["digits"]),
                int(data["seed"]),
                _finite(data["learning_rate"]),
                tuple(_variant(one) for one in data["variants"]),
            )
            _each_once(variant.id for variant in found.variants)
            return found
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise BackpropError(tr("this is no key as exercise --format json writes it")) from error


def _variant(data: Mapping[str, Any]) -> Variant:
    given = {str(name): np.asarray(array, dtype=np.float64) for name, array in data["given"].items()}
    cells = tuple(_cell(cell) for cell in data["cells"])
    _each_once(cell.id for cell in cells)
    if not all(np.all(np.isfinite(array)) for array in given.values()):
        raise ValueError("a given number is not finite")
    student = None if data["student"] is None else str(data["student"])
    return Variant(str(data["id"]), str(data["code"]), student, given, cells)


def _cell(data: Mapping[str, Any]) -> Cell:
    kind = CellKind(data["kind"])
    value = _finite(data["value"]) if kind is CellKind.NUMBER else str(data["value"])
    tolerance, points = _not_negative(data["tolerance"]), _not_negative(data["points"])
    fixed = bool(data.get("fixed", False))
    told = data.get("mistakes")
    mistakes = None if told is None else {str(letter): str(mistake) for letter, mistake in told.items()}
    question, digits = int(data["question"]), _digits(data["digits"])
    return Cell(str(data["id"]), question, kind, value, tolerance, points, digits, fixed, mistakes)


def _finite(number: Any) -> float:
    found = float(number)
    if not isfinite(found):
        raise ValueError(f"{number} is not finite")
    return found


def _not_negative(number: Any) -> float:
    found = _finite(number)
    if found < 0:
        raise ValueError(f"{number} is negative")
    return found


def _digits(number: Any) -> int:
    if int(number) not in range(MOST_DIGITS + 1):
        raise ValueError(f"{number} digits")
    return int(number)


def _each_once(ids: Iterable[str]) -> None:
    found = list(ids)
    if not found or len(set(found)) < len(found):
        raise ValueError("no ids, or the same twice")
