"""Refuses formulas whose numbers would grow beyond all bounds when they are worked out exactly.

The symbolic side keeps numbers as exact fractions, so ``9**9**9**9`` would fill the memory before anyone could stop it.
So would ``(2*x)**999999999`` and ``exp(999999999*log(2))``, where the 2 is taken out of the power. Nothing is evaluated
here beyond fractions of a few thousand digits.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, log2

from backprop_cli.language import tree
from backprop_cli.language.offsets import Offsets
from backprop_cli.language.tokens import FormulaError
from backprop_cli.language.walking import parts, walk

LARGEST_EXPONENT = 1_000
MOST_BITS = 16_384


def check_magnitudes(node: tree.Node, offsets: Offsets) -> None:
    """Raises FormulaError at the first power that is too large, or whose base is a negative number that has none."""
    _Checker(offsets).bits(node)


class _Checker:
    """``bits`` bounds the size of the exact fractions that a node may turn into, ``_value`` works out plain numbers."""

    def __init__(self, offsets: Offsets) -> None:
        self._offsets = offsets

    def bits(self, node: tree.Node) -> float:
        match node:
            case tree.Number(text=text):
                size = _size(Fraction(text))
            case tree.Power(base=base, exponent=exponent):
                size = self._power_bits(node, base, exponent)
            case tree.Quotient(denominator=denominator) if self._value(denominator) == 0:
                raise FormulaError("this divides by zero", self._offsets.of(denominator))
            case tree.Apply(function="exp", arguments=(argument,)):
                size = max(self.bits(argument), self._exponential_bits(argument))
            case tree.Apply(function="sqrt", arguments=(argument,)):
                size = self.bits(argument)
            case tree.Apply() | tree.Place() | tree.Comparison() | tree.Reduction():
                for part in parts(node):
                    self.bits(part)
                size = 0.0
            case _:
                size = sum(self.bits(part) for part in parts(node)) + len(parts(node))
        if size > MOST_BITS:
            raise FormulaError("the numbers in this formula grow too large", self._offsets.of(node))
        return size

    def _power_bits(self, node: tree.Node, base: tree.Node, exponent: tree.Node) -> float:
        base_bits = self.bits(base)
        self.bits(exponent)
        value, base_value = self._value(exponent), self._value(base)
        at = self._offsets.of(exponent)
        if value is None:
            return base_bits
        if abs(value) > LARGEST_EXPONENT:
            raise FormulaError(f"an exponent above {LARGEST_EXPONENT:,} is not allowed", at)
        if base_value is not None and base_value < 0 and value.denominator != 1:
            raise FormulaError("a negative number has no real power with a fraction as exponent", at)
        if base_value == 0 and value < 0:
            raise FormulaError("this divides by zero", self._offsets.of(node))
        return base_bits * max(1, ceil(abs(value)))

    def _exponential_bits(self, argument: tree.Node) -> float:
        """``exp(c*log(b))`` is worked out as b**c."""
        logarithms = [inner for inner in walk(argument) if isinstance(inner, tree.Apply) and inner.function == "log"]
        bits = sum(self.bits(inner.arguments[0]) for inner in logarithms)
        if not bits:
            return 0.0
        coefficient = sum(abs(log2(abs(value))) for value in self._values(argument) if value)
        return float(bits * 2 ** min(coefficient, 64.0))

    def _values(self, node: tree.Node) -> list[Fraction]:
        """The largest plain numbers in the node, those inside logarithms left out."""
        value = self._value(node)
        if value is not None:
            return [value]
        if isinstance(node, tree.Apply) and node.function == "log":
            return []
        return [value for part in parts(node) for value in self._values(part)]

    def _value(self, node: tree.Node) -> Fraction | None:
        """The value of a node made of numbers alone; ``bits`` has passed it, so it is small enough to work out."""
        if isinstance(node, tree.Number):
            return Fraction(node.text)
        if not isinstance(node, tree.Negative | tree.Add | tree.Product | tree.Quotient | tree.Power):
            return None
        values = []
        for part in parts(node):
            value = self._value(part)
            if value is None:
                return None
            values.append(value)
        match node:
            case tree.Negative():
                return -values[0]
            case tree.Add():
                return sum(values, Fraction())
            case tree.Quotient() if not values[1]:
                raise FormulaError("this divides by zero", self._offsets.of(node.denominator))
            case tree.Quotient():
                return values[0] / values[1]
            case tree.Power():
                whole = values[1].denominator == 1 and (values[0] or values[1] >= 0)
                return values[0] ** values[1].numerator if whole else None
        product = Fraction(1)
        for value in values:
            product *= value
        return product


def _size(value: Fraction) -> float:
    return float((abs(value.numerator) - 1).bit_length() + (value.denominator - 1).bit_length())
