"""Numbers with many digits, by mpmath: slow, without overflow, and without rounding to speak of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mpmath  # type: ignore[import-untyped]  # mpmath ships no types
import numpy as np
from sympy import Expr, N

from backprop_cli.verification.arrays import ELEMENTARY, Array, NumPyArrays

DIGITS = 80  # a difference quotient with a step of 1e-20 keeps 40 of them, off by less than 1e-60 of J
LARGEST_ARGUMENT = 1e9  # beyond it mpmath works with as many digits as the argument or the result has
PERIODIC_OR_STEEP = ("exp", "sin", "cos", "tan", "sinh", "cosh")


def real(name: str) -> Callable[..., Array]:
    """An mpmath function for arrays of mpmath numbers; nan where it is not real or would take for ever."""
    function = getattr(mpmath, name)

    def guarded(argument: Any) -> Any:
        try:
            if name in PERIODIC_OR_STEEP and abs(argument) > LARGEST_ARGUMENT:
                argument = mpmath.sign(argument) * mpmath.inf
            return mpmath.mpf(function(argument))
        except (TypeError, ValueError, ZeroDivisionError):
            return mpmath.nan

    vectorised = np.frompyfunc(guarded, 1, 1)
    return lambda array: np.asarray(vectorised(array), dtype=object)


def mpmath_power(base: Any, exponent: Any) -> Any:
    try:
        if abs(exponent) > LARGEST_ARGUMENT:
            return mpmath.nan
        return mpmath.mpf(base**exponent)
    except ZeroDivisionError:
        return mpmath.inf
    except (TypeError, ValueError):
        return mpmath.nan


def mpmath_number(value: Expr) -> Any:
    """A SymPy number with :data:`DIGITS` digits."""
    return mpmath.mpf(value.p) / value.q if value.is_Rational else mpmath.mpf(str(N(value, DIGITS)))


PRECISE_FUNCTIONS: Mapping[str, Callable[..., Array]] = {name: real(name) for name in (*ELEMENTARY, "erf")}


class PreciseArrays(NumPyArrays):
    """NumPy arrays of mpmath numbers. To be used inside ``mpmath.workdps(DIGITS)``."""

    kind: Any = object
    functions = PRECISE_FUNCTIONS
    _numbers = np.frompyfunc(lambda value: mpmath.mpf(value.item() if isinstance(value, np.generic) else value), 1, 1)
    _powers = np.frompyfunc(mpmath_power, 2, 1)
    _whole = np.frompyfunc(mpmath.isint, 1, 1)

    @property
    def unit(self) -> Any:
        return mpmath.eps

    def whole(self, array: Array) -> Array:
        return np.asarray(self._whole(array), dtype=bool)

    def number(self, value: Expr) -> Array:
        return np.asarray(mpmath_number(value), dtype=object)

    def array(self, value: Any) -> Array:
        return value if isinstance(value, np.ndarray) else np.asarray(value)

    def given(self, values: Array) -> Array:
        return np.asarray(self._numbers(np.asarray(values)), dtype=object)

    def power(self, base: Array, exponent: Array) -> Array:
        return np.asarray(self._powers(base, exponent), dtype=object)
