"""Every numerical form equals the definition it stands for; erf and erfc are right to the last digits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Expr, Integer

from backprop_cli.library.functions import FUNCTIONS
from backprop_cli.numeric import special
from backprop_cli.numeric.functions import FORMS, RECOGNISED, UFUNCS, Numeric, numeric_form, recognised
from backprop_cli.symbolic.functions import CLASSES
from backprop_cli.symbolic.notation import Place, Where, fresh_value
from tests.numeric import naive
from tests.numeric.networks import computed, formula, k

POINTS = np.array([-20.0, -3.2, -1.0, -0.3, -1e-9, 0.0, 1e-9, 0.4, 1.0, 2.7, 30.0])
POSITIVE = ("log", "sqrt")


def applied(name: str) -> Expr:
    z = Place("z", k)
    return CLASSES[name](z, *[Place("o", k)] * (len(FUNCTIONS[name].arguments) - 1))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_computed_as_it_is_defined(name: str) -> None:
    points = np.abs(POINTS) + 0.1 if name in POSITIVE else POINTS
    for z in points.reshape(-1, 1):
        arrays = {"z": np.full(4, z), "o": np.array([0.5, -3.2, 1.0, float(z[0])])}
        graph = formula(arrays, applied(name), (k,))
        expected = naive.run(graph, arrays)["r"]
        np.testing.assert_allclose(computed(graph, arrays), expected, rtol=1e-13, atol=1e-15, err_msg=f"{name}({z})")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_slope_is_computed_as_it_is_derived(name: str) -> None:
    v = fresh_value("v")
    slope = CLASSES[name](v, *[Integer(1)] * (len(FUNCTIONS[name].arguments) - 1)).diff(v).xreplace({v: Place("z", k)})
    points = (np.abs(POINTS) + 0.1 if name in POSITIVE else POINTS)[1:-1]
    for value in points:
        arrays = {"z": np.full(4, value)}
        graph = formula(arrays, slope, (k,))
        np.testing.assert_allclose(computed(graph, arrays), naive.run(graph, arrays)["r"], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", FORMS)
def test_forms_are_of_library_functions(name: str) -> None:
    assert name in FUNCTIONS
    assert numeric_form(applied(name)) is not None
    assert name not in UFUNCS


@pytest.mark.parametrize("name", RECOGNISED)
def test_a_definition_written_out_is_recognised(name: str) -> None:
    function = applied(name)
    assert isinstance(function.definition, Where)
    assert recognised(function.definition) == function


def test_other_choices_stay() -> None:
    choice = Where(Place("z", k), 1, 2)
    assert recognised(choice) is choice


def test_without_a_form_a_function_is_its_definition() -> None:
    function = CLASSES["silu"](Place("z", k))
    assert numeric_form(Numeric("expm1", Place("z", k))) is None
    assert "sigmoid" in str(numeric_form(function))


@pytest.mark.parametrize(("ours", "exact"), [(special.erf, math.erf), (special.erfc, math.erfc)])
def test_erf_of_large_arrays(ours: object, exact: object) -> None:
    rng = np.random.default_rng(0)
    edges = [0.0, 0.46875, -0.46875, 4.0, -4.0, 5.9, 26.0, -26.0, 1e-300, 1e8, np.inf, -np.inf]
    x = np.concatenate([rng.normal(size=300), rng.uniform(-27, 27, 300), edges])
    assert x.size > special.ONE_BY_ONE
    with np.errstate(all="raise", under="ignore"):
        found = ours(x)  # type: ignore[operator]
    expected = np.array([exact(value) for value in x])  # type: ignore[operator]
    np.testing.assert_allclose(found, expected, rtol=2e-15, atol=1e-300)


@given(st.floats(allow_nan=False))
def test_erf_of_numbers(x: float) -> None:
    assert special.erf(x) == math.erf(x)
    assert special.erfc(np.array([[x]])).shape == (1, 1)


def test_erf_keeps_nan_and_shape() -> None:
    x = np.full((40, 20), np.nan)
    assert np.isnan(special.erf(x)).all()
    assert special.erf(np.zeros((40, 20))).shape == (40, 20)
    assert special.erf(np.zeros((0, 3))).shape == (0, 3)
