"""Elementary functions: the fast ones agree with the nearest ones, and those are the same on every processor."""

import os
import subprocess
import sys
from collections.abc import Mapping

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backprop_cli.exercises.elementary import FAST, NEAREST, POWER

SINGLE = [name for name in NEAREST if name != POWER]
AWAY_FROM_OVERFLOW = st.floats(-300.0, 300.0, allow_subnormal=False)


def test_both_know_the_same_functions() -> None:
    assert FAST.keys() == NEAREST.keys()


@pytest.mark.parametrize("name", SINGLE)
@given(number=AWAY_FROM_OVERFLOW)
def test_the_nearest_double(name: str, number: float) -> None:
    argument = abs(number) + 1e-3 if name == "log" else number
    with mpmath.workdps(60):
        true = float(getattr(mpmath, name)(argument))
    assert float(NEAREST[name](np.asarray(argument))) == true
    assert float(FAST[name](np.asarray(argument))) == pytest.approx(true, rel=1e-13, abs=1e-300)


@example(9.421928862308222, -0.9000880337579145)
@given(st.floats(1e-3, 50.0), st.one_of(st.integers(-4, 4), st.floats(-3.0, 3.0)))
def test_the_nearest_power(base: float, exponent: float) -> None:
    with mpmath.workdps(60):
        true = float(mpmath.mpf(base) ** mpmath.mpf(exponent))
    assert float(NEAREST[POWER](np.asarray(base), np.asarray(float(exponent)))) == true
    assert float(FAST[POWER](np.asarray(base), np.asarray(float(exponent)))) == pytest.approx(true, rel=1e-14)


def test_what_is_not_a_number_is_no_error() -> None:
    with np.errstate(all="ignore"):
        found = NEAREST["log"](np.array([-1.0, 0.0, 1.0])), NEAREST["exp"](np.array([1e4, np.nan, np.inf]))
    assert [float(number) for number in found[0]] == pytest.approx([np.nan, -np.inf, 0.0], nan_ok=True)
    assert [float(number) for number in found[1]] == pytest.approx([np.inf, np.nan, np.inf], nan_ok=True)


def test_the_same_bytes_on_a_processor_that_can_do_less() -> None:
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    if not found:
        pytest.skip("NumPy uses nothing here that could be switched off")
    lesser = {"NPY_DISABLE_CPU_FEATURES": " ".join(found)}
    assert exercise(lesser) == exercise({})


def exercise(environment: Mapping[str, str]) -> bytes:
    command = [
        sys.executable,
        "-m",
        "backprop_cli",
        "exercise",
        "linear-tanh-linear",
        "--variants",
        "2",
        "--format",
        "json",
    ]
    return subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True).stdout
