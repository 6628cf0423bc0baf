"""Numbers are short and never misleading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_cli.renderers.numbers import aligned, number, numbers


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.3775, 4, "0.3775"),
        (-0.25, 4, "-0.2500"),
        (0.0, 4, "0"),
        (-0.0, 4, "0"),
        (0.00012345, 4, "1.234e-4"),
        (4.9e-324, 4, "4.941e-324"),
        (0.0005, 4, "0.0005"),
        (123456.789, 2, "123456.79"),
        (1234567.0, 4, "1.235e6"),
        (-1e300, 3, "-1.00e300"),
        (0.04, 1, "4.0e-2"),
        (2.5, 0, "2"),
        (float("nan"), 4, "nan"),
        (float("-inf"), 4, "-inf"),
    ],
)
def test_one_number(value: float, digits: int, text: str) -> None:
    assert number(value, digits) == text


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1, 2, 3], ["1", "2", "3"]),
        ([0.15, 0.2], ["0.15", "0.20"]),
        ([-0.0, 1.0], ["0", "1"]),
        ([0.1, 1 / 3], ["0.1000", "0.3333"]),
        ([4.386e-4, 9.954e-4], ["0.000439", "0.000995"]),  # two digits more
        ([0.3, 2.654e-4], ["0.30000", "0.00027"]),
        ([0.5, 1.5e-9], ["0.5000", "1.500e-9"]),  # too small even for that
        ([1 / 3, 0.0], ["0.3333", "0"]),
        ([float("nan"), 1 / 3], ["nan", "0.3333"]),
        ([], []),
    ],
)
def test_numbers_that_belong_together(values: list[float], texts: list[str]) -> None:
    assert numbers(values, 4) == texts


def test_points_stand_in_one_column() -> None:
    assert aligned(["-0.25", "12.5", "3", "1.5e-9", "nan"]) == [
        " -0.25  ",
        " 12.5   ",
        "  3     ",
        "  1.5e-9",
        "nan     ",
    ]


@given(st.lists(st.floats(-1e307, 1e307), min_size=1), st.integers(0, 8))
def test_only_zero_is_shown_as_zero(values: list[float], digits: int) -> None:
    for value, text in zip(values, numbers(values, digits), strict=True):
        assert (float(text) == 0) == (value == 0)
        assert not text.startswith("-0") or value < 0
        assert abs(float(text) - value) <= 0.51 * max(10.0**-digits, abs(value) * 10.0 ** -max(digits - 1, 1))
