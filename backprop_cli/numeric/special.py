"""The error functions erf and erfc for NumPy arrays, which NumPy does not have, to a relative error of about 1e-15.

Large arrays: the rational Chebyshev approximations of W. J. Cody, "Rational Chebyshev approximations for the error
function", Math. Comp. 23 (1969) 631-637, with the coefficients of his CALERF (SPECFUN, netlib). Small ones: the C
library's functions, number by number, which cost less than that many NumPy calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

ONE_BY_ONE = 512  # numbers
BLOCK = 8192  # numbers whose intermediate results fit into the cache

# erf(x) = x·P(x²)/Q(x²) for |x| ≤ 0.46875; coefficients from the highest power down, as in all the tables below.
_CENTRE_ABOVE = (
    1.85777706184603153e-1,
    3.16112374387056560e0,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
_CENTRE_BELOW = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)

# erfc(x) = exp(-x²)·P(x)/Q(x) for 0.46875 ≤ x ≤ 4.
_MIDDLE_ABOVE = (
    2.15311535474403846e-8,
    5.64188496988670089e-1,
    8.88314979438837594e0,
    6.61191906371416295e1,
    2.98635138197400131e2,
    8.81952221241769090e2,
    1.71204761263407058e3,
    2.05107837782607147e3,
    1.23033935479799725e3,
)
_MIDDLE_BELOW = (
    1.0,
    1.57449261107098347e1,
    1.17693950891312499e2,
    5.37181101862009858e2,
    1.62138957456669019e3,
    3.29079923573345963e3,
    4.36261909014324716e3,
    3.43936767414372164e3,
    1.23033935480374942e3,
)

# erfc(x) = exp(-x²)/x·(1/√π - y·P(y)/Q(y)) with y = 1/x², for x > 4.
_TAIL_ABOVE = (
    1.63153871373020978e-2,
    3.05326634961232344e-1,
    3.60344899949804439e-1,
    1.25781726111229246e-1,
    1.60837851487422766e-2,
    6.58749161529837803e-4,
)
_TAIL_BELOW = (
    1.0,
    2.56852019228982242e0,
    1.87295284992346725e0,
    5.27905102951428412e-1,
    6.05183413124413191e-2,
    2.33520497626869185e-3,
)


def erf(x: ArrayLike) -> Any:
    """2/√π · ∫ from 0 to x of exp(-t²) dt, of each number."""
    return _small_or_large(math.erf, _erf, x)


def erfc(x: ArrayLike) -> Any:
    """1 - erf(x), of each number, exact also where erf(x) is next to 1."""
    return _small_or_large(math.erfc, _erfc, x)


def _small_or_large(one: Callable[[float], float], many: Callable[[Array], Array], x: ArrayLike) -> Any:
    array = np.asarray(x, dtype=np.float64)
    if array.ndim == 0:
        return np.float64(one(float(array)))
    flat = array.ravel()
    if array.size <= ONE_BY_ONE:
        return np.fromiter(map(one, flat.tolist()), np.float64, array.size).reshape(array.shape)
    blocks = [many(flat[start : start + BLOCK]) for start in range(0, array.size, BLOCK)]
    return np.concatenate(blocks).reshape(array.shape)


def _erf(x: Array) -> Array:
    size = np.abs(x)
    result = np.copysign(1.0 - _tail_of(np.maximum(size, 0.46875)), x)
    centre = size <= 0.46875
    result[centre] = _centre(x[centre])
    return result


def _erfc(x: Array) -> Array:
    size = np.abs(x)
    beyond = _tail_of(np.maximum(size, 0.46875))
    result = np.where(x < 0.0, 2.0 - beyond, beyond)
    centre = size <= 0.46875
    result[centre] = 1.0 - _centre(x[centre])
    return result


def _centre(x: Array) -> Array:
    square = x * x
    return x * _polynomial(_CENTRE_ABOVE, square) / _polynomial(_CENTRE_BELOW, square)


def _tail_of(size: Array) -> Array:
    """erfc of numbers from 0.46875 on; the exponential is split as in CALERF, so that the square loses no digits."""
    middle = np.minimum(size, 4.0)
    ratio = _polynomial(_MIDDLE_ABOVE, middle) / _polynomial(_MIDDLE_BELOW, middle)
    far = size > 4.0
    if far.any():
        x = size[far]
        y = 1.0 / (x * x)
        ratio[far] = (1.0 / math.sqrt(math.pi) - y * _polynomial(_TAIL_ABOVE, y) / _polynomial(_TAIL_BELOW, y)) / x
    # Beyond 27 the result is 0 in double precision; a bound keeps infinities out of the difference of squares.
    bounded = np.minimum(size, 30.0)
    coarse = np.trunc(bounded * 16.0) / 16.0
    result: Array = np.exp(-coarse * coarse) * np.exp(-(bounded - coarse) * (bounded + coarse)) * ratio
    return result


def _polynomial(coefficients: Sequence[float], x: Array) -> Array:
    value: Array = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value *= x
        value += coefficient
    return value
