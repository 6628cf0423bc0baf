"""The functions that formulas of single numbers are evaluated with, twice: fast, and the same on every machine.

NumPy computes exp, tanh and the like differently from one processor to the next, in the last bit. A key must not, so
its numbers come from mpmath, which works with whole numbers alone: each result is the double nearest to the true one.
Sums, products, quotients and square roots are that in NumPy too (IEEE 754).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from backprop_cli.verification.arrays import ELEMENTARY, erf
from backprop_cli.verification.precise import mpmath_power, real

Numbers = NDArray[np.float64]
Functions = Mapping[str, Callable[..., Numbers]]

POWER = "pow"
ROUNDED_RIGHT = (-1.0, 0.5, 2.0)  # exponents for which NumPy divides, takes the root and multiplies


def _power(base: Numbers, exponent: Numbers, otherwise: Callable[[Numbers, Numbers], Numbers]) -> Numbers:
    if np.ndim(exponent) == 0 and float(exponent) in ROUNDED_RIGHT:
        return np.asarray(base ** float(exponent))
    return otherwise(base, exponent)


def _nearest(name: str) -> Callable[[Numbers], Numbers]:
    function = real(name)
    return lambda numbers: np.asarray(function(numbers).astype(np.float64))


_nearest_powers = np.frompyfunc(mpmath_power, 2, 1)


def _nearest_power(base: Numbers, exponent: Numbers) -> Numbers:
    return np.asarray(_nearest_powers(base, exponent), dtype=np.float64)


FAST: Functions = {
    **{name: getattr(np, name) for name in ELEMENTARY},
    "erf": lambda numbers: np.asarray(erf(numbers), dtype=np.float64),
    POWER: lambda base, exponent: _power(base, exponent, np.power),
}
NEAREST: Functions = {
    **{name: _nearest(name) for name in (*ELEMENTARY, "erf")},
    POWER: lambda base, exponent: _power(base, exponent, _nearest_power),
}
