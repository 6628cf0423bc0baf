"""Drawn parameters: steady numbers, one stream per parameter, the bounds and spreads of every scheme."""

from __future__ import annotations

from math import sqrt
from time import perf_counter

import numpy as np
import pytest

from backprop_cli.spec.initial import SCHEMES, draw

FANS = (300, 200)
SHAPE = (200, 300)
NUMBERS = [[0.3328712037887571, -0.662807671503693], [0.6277678101807819, 0.26422533849843954]]
NORMAL = [0.6291527956500844, -1.8616786359359137, 1.5883719836725092, 0.48690036144148324]


def test_the_numbers_never_change():
    assert draw("W1", (2, 2), (2, 2)).tolist() == NUMBERS
    assert draw("W1", (4,), (2, 2), scheme="normal").tolist() == pytest.approx(NORMAL, rel=1e-15)


def test_streams():
    weights = draw("W1", (3, 4), (4, 3))
    assert np.array_equal(weights, draw("W1", (3, 4), (4, 3)))
    assert not np.array_equal(weights, draw("W2", (3, 4), (4, 3)))
    assert not np.array_equal(weights, draw("W1", (3, 4), (4, 3), seed=1))
    assert np.array_equal(weights.ravel()[:6], draw("W1", (6,), (4, 3)))


@pytest.mark.parametrize(
    ("scheme", "bound"),
    [
        ("uniform", 1 / sqrt(300)),
        ("xavier_uniform", sqrt(6 / 500)),
        ("glorot_uniform", sqrt(6 / 500)),
        ("he_uniform", sqrt(6 / 300)),
        ("kaiming_uniform", sqrt(6 / 300)),
        ("lecun_uniform", sqrt(3 / 300)),
    ],
)
def test_uniform_schemes(scheme, bound):
    weights = draw("W1", SHAPE, FANS, scheme=scheme)
    assert np.abs(weights).max() < bound
    assert np.abs(weights).max() == pytest.approx(bound, rel=1e-3)
    assert weights.std() == pytest.approx(bound / sqrt(3), rel=0.01)
    assert weights.mean() == pytest.approx(0, abs=bound / 100)


@pytest.mark.parametrize(
    ("scheme", "spread"),
    [
        ("xavier_normal", sqrt(2 / 500)),
        ("he_normal", sqrt(2 / 300)),
        ("lecun_normal", sqrt(1 / 300)),
        ("normal", 1),
    ],
)
def test_normal_schemes(scheme, spread):
    weights = draw("W1", SHAPE, FANS, scheme=scheme) / spread
    assert weights.std() == pytest.approx(1, rel=0.01)
    assert weights.mean() == pytest.approx(0, abs=0.01)
    assert (np.abs(weights) < 1).mean() == pytest.approx(0.6827, abs=0.01)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_biases(scheme):
    biases = draw("b1", (200,), FANS, scheme=scheme, is_bias=True)
    if scheme in ("uniform", "normal", "ones", "zeros"):
        assert np.array_equal(biases, draw("b1", (200,), FANS, scheme=scheme))
    else:
        assert not biases.any()


def test_biases_have_the_bounds_of_their_layer():
    biases = draw("b1", (2000,), (16, 2000), is_bias=True)
    assert np.abs(biases).max() == pytest.approx(1 / 4, rel=1e-2)


def test_decimals_and_constants():
    rounded = draw("W1", SHAPE, FANS, decimals=2)
    assert {repr(float(number)) for number in rounded.ravel()} <= {str(n / 100) for n in range(-6, 7)}
    assert not np.signbit(rounded[rounded == 0]).any()
    assert draw("W1", (2, 1), (1, 2), scheme="ones").tolist() == [[1], [1]]
    assert draw("W1", (), (1, 1), scheme="zeros") == 0
    assert draw("c", (), (1, 1)).shape == ()


def test_large_weights_are_drawn_in_milliseconds():
    start = perf_counter()
    draw("W1", (600, 60), (60, 600))
    assert perf_counter() - start < 0.1
