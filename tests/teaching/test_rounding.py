"""Numbers as walkthroughs and keys show them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_cli.language import tree
from backprop_cli.teaching.rounding import Rounding, Unrounded, exact_number


def value_of(node: tree.Node) -> Fraction:
    match node:
        case tree.Number(text):
            return Fraction(text)
        case tree.Negative(operand):
            return -value_of(operand)
        case tree.Quotient(numerator, denominator):
            return value_of(numerator) / value_of(denominator)
    raise TypeError(node)


@given(st.integers(-9999, 9999), st.integers(1, 1000))
def test_a_fraction_of_small_numbers_is_written_exactly(numerator: int, denominator: int) -> None:
    fraction = Fraction(numerator, denominator)
    value = numerator / denominator
    assert exact_number(value) == fraction
    assert value_of(Unrounded().tree(value)) == fraction
    assert value_of(Unrounded().tree(value * 3 / 3)) == fraction
    assert Unrounded().agrees(value * 3 / 3, value)


@pytest.mark.parametrize(("value", "text"), [(0.03548543141, "0.03548543141"), (2 / 2017, "0.000991571641051")])
def test_what_is_no_fraction_of_small_numbers_is_a_decimal(value: float, text: str) -> None:
    found = exact_number(value)
    assert isinstance(found, Decimal)
    assert str(found) == text


@given(st.floats(-1e6, 1e6))
def test_no_number_is_written_as_one_that_is_only_near(value: float) -> None:
    assert abs(Fraction(exact_number(value)) - Fraction(value)) <= Fraction(5, 10**12) * abs(Fraction(value))


def test_short_decimals_stay() -> None:
    assert Unrounded().tree(-45.15625) == tree.Negative(tree.Number("45.15625"))
    assert Unrounded().tree(1 / 3) == tree.Quotient(tree.Number("1"), tree.Number("3"))
    assert Rounding(4).tree(1 / 3) == tree.Number("0.3333")
