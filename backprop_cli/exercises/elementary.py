"""The functions that formulas of single numbers are evaluated with, twice: fast, and the same on every machine.

NumPy computes exp, tanh and the like differently from one processor to the next, in the last bit. A key must not, so
its numbers come from mpmath, which works with whole numbers alone: each result is the double nearest to the true one.
Sums, products, quotients and square roots are that in NumPy too (IEEE 754).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import mpmath  # type: ignore[import-untyped]  # mpmath ships no types
import numpy as np
from numpy.typing import NDArray

from backprop_cli.verification.arrays import ELEMENTARY, erf
from backprop_cli.verification.precise import mpmath_power, real

Numbers = NDArray[np.float64]
Functions = Mapping[str, Callable[..., Numbers]]

POWER = "pow"
BITS, DOUBLE = 120, 53
ROUNDED_RIGHT = (-1.0, 0.5, 2.0)  # exponents for which NumPy divides, takes the root and multiplies


def _power(base: Numbers, exponent: Numbers, otherwise: Callable[[Numbers, Numbers], Numbers]) -> Numbers:
    if np.ndim(exponent) == 0 and float(exponent) in ROUNDED_RIGHT:
        return np.asarray(base ** float(exponent))
    return otherwise(base, exponent)


def _nearest(function: Callable[..., object]) -> Callable[..., Numbers]:
    """The function of mpmath numbers, each result with more bits than a double has and then rounded to one."""

    def nearest(*numbers: Numbers) -> Numbers:
        with mpmath.workprec(BITS):
            found = function(*(np.asarray(_precise(number), dtype=object) for number in numbers))
        with mpmath.workprec(DOUBLE):
            return np.asarray(_rounded(found), dtype=np.float64)

    return nearest


_precise = np.frompyfunc(mpmath.mpf, 1, 1)
_rounded = np.frompyfunc(lambda number: float(mpmath.mpf(number)), 1, 1)


FAST: Functions = {
    **{name: getattr(np, name) for name in ELEMENTARY},
    "erf": lambda numbers: np.asarray(erf(numbers), dtype=np.float64),
    POWER: lambda base, exponent: _power(base, exponent, np.power),
}
NEAREST: Functions = {
    **{name: _nearest(real(name)) for name in (*ELEMENTARY, "erf")},
    POWER: lambda base, exponent: _power(base, exponent, _nearest(np.frompyfunc(mpmath_power, 2, 1))),
}
