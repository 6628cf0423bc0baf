"""Numbers as a walkthrough shows them: rounded for the eye, never for the computation."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, isfinite, isnan, log10

from backprop_cli.language import tree

SIGNIFICANT = 3  # digits that a small number keeps
SMALL, LARGE = 1e-4, 1e6
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
