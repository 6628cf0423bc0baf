"""Numbers as a walkthrough shows them: rounded for the eye, never for the computation."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor, isfinite, isnan, log10

from backprop_cli.language import tree

SIGNIFICANT = 3  # digits that a small number keeps
SMALL, LARGE = 1e-4, 1e6
SHORT_DENOMINATOR = 1000  # of a fraction that is written as one
EXACT_DIGITS = 12
NEXT_TO = 1e-14  # relative: what floating point makes of a fraction
WHOLE = 1e15  # a larger whole number is rounded too: nobody reads so many digits


@dataclass(frozen=True)
class Rounding:
    """``digits`` after the point, and more where a small number would keep less than three of its own; one that is
    smaller still is written with a power of ten."""

    digits: int = 4

    def text(self, value: float) -> str:
        """The number as it is shown, without its sign. Numbers that are short as they are stay so: 0.5, 3."""
        size = abs(value)
        if isnan(size) or not isfinite(size):
            return "nan" if isnan(size) else "inf"
        short = f"{size:.{self.digits}f}"
        if float(short) == size < WHOLE:
            return short.rstrip("0").rstrip(".") if "." in short else short
        if size < min(SMALL, 10.0**-self.digits) or size >= LARGE:
            return f"{size:.{max(self.digits - 1, 0)}e}"
        leading = -floor(log10(size))  # the place after the point where the number begins
        kept = max(1, min(self.digits, SIGNIFICANT))
        return f"{size:.{max(self.digits, leading + kept - 1)}f}"

    def tree(self, value: float) -> tree.Node:
        number = tree.Number(self.text(value))
        return tree.Negative(number) if value < 0 else number

    def shown(self, value: float) -> float:
        """The number that is shown."""
        return float(self.text(value)) * (-1 if value < 0 else 1)

    def agrees(self, of_rounded: float, value: float) -> bool:
        """Whether what rounded numbers come to is shown as the value is."""
        return self.shown(of_rounded) == self.shown(value) or (isnan(of_rounded) and isnan(value))


@dataclass(frozen=True)
class Unrounded(Rounding):
    """Numbers of exact arithmetic: short decimals as they are, other fractions of small numbers as fractions."""

    digits: int = EXACT_DIGITS

    def tree(self, value: float) -> tree.Node:
        exact = exact_number(abs(value))
        if float(self.text(value)) == abs(value) or not isinstance(exact, Fraction) or exact.denominator == 1:
            return super().tree(value)
        parts = (tree.Number(str(part)) for part in exact.as_integer_ratio())
        return tree.Negative(tree.Quotient(*parts)) if value < 0 else tree.Quotient(*parts)

    def shown(self, value: float) -> float:
        return float(exact_number(value)) if isfinite(value) else value


def exact_text(value: float) -> str:
    """An exact number in plain text: a fraction of small numbers, else a decimal."""
    exact = exact_number(value)
    return str(exact) if isinstance(exact, Fraction) else f"{exact:f}"


def exact_number(value: float) -> Fraction | Decimal:
    """The fraction of small numbers that a number is, but for the rounding of floating point; where it is none, the
    number with :data:`EXACT_DIGITS` digits. Raises ValueError or OverflowError for what is not finite."""
    fraction = Fraction(value).limit_denominator(SHORT_DENOMINATOR)
    if abs(fraction - Fraction(value)) <= NEXT_TO * abs(Fraction(value)):
        return fraction
    return Decimal(f"{value:.{EXACT_DIGITS}g}")
