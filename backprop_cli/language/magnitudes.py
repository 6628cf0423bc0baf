"""Refuses formulas whose numbers have no finite real value, or grow beyond all bounds when they are worked out exactly.

The symbolic side keeps numbers as exact fractions, so ``9**9**9**9`` would fill the memory before anyone could stop it.
So would ``(2*x)**999999999`` and ``exp(999999999*log(2))``, where the 2 is taken out of the power. Nothing is evaluated
here beyond fractions of a few thousand digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil

from backprop_cli.language import tree
from backprop_cli.language.offsets import Offsets
from backprop_cli.language.tokens import FormulaError
from backprop_cli.language.walking import parts, walk
from backprop_cli.translation import grouped, tr

LARGEST_EXPONENT = 1_000
MOST_BITS = 16_384


def check_magnitudes(node: tree.Node, offsets: Offsets) -> None:
    """Raises FormulaError at the first number, power or function of numbers that is too large or has no real value."""
    _Checker(offsets).bits(node)


_FLOATS: Mapping[str, Callable[..., float]] = {
    **{name: getattr(math, name) for name in ("exp", "log", "sqrt", "erf")},
    **{name: getattr(math, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "Negative": lambda value: -value,
    "Add": lambda *terms: sum(terms),
    "Product": lambda *factors: math.prod(factors),
    "Quotient": lambda numerator, denominator: numerator / denominator,
    "Power": lambda base, exponent: base**exponent,
}


class _Checker:
    """``bits`` bounds the size of the exact fractions that a node may turn into, ``_value`` works out plain numbers."""

    def __init__(self, offsets: Offsets) -> None:
        self._offsets = offsets
        # By identity, which the tree being checked keeps: nested logarithms would be worked out again at every level.
        self._bits: dict[int, float] = {}
        self._values: dict[int, Fraction | None] = {}
        self._constants: dict[int, float | None] = {}

    def bits(self, node: tree.Node) -> float:
        if id(node) not in self._bits:
            self._bits[id(node)] = self._bits_of(node)
        return self._bits[id(node)]

    def _bits_of(self, node: tree.Node) -> float:
        size = self._size_of(node)
        if size > MOST_BITS:
            raise FormulaError(tr("the numbers in this formula grow too large"), self._offsets.of(node))
        self.constant(node)
        return size

    def constant(self, node: tree.Node) -> float | None:
        """What a node of numbers and functions of numbers comes to; None where it holds a name."""
        if id(node) not in self._constants:
            self._constants[id(node)] = self._constant_of(node)
        return self._constants[id(node)]

    def _constant_of(self, node: tree.Node) -> float | None:
        work_out = _FLOATS.get(node.function if isinstance(node, tree.Apply) else type(node).__name__)
        if isinstance(node, tree.Number):
            return float(node.text)
        if work_out is None:
            return None
        values = [self.constant(part) for part in parts(node)]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return None
        try:
            value = work_out(*known)
        except ZeroDivisionError:
            raise FormulaError(tr("this divides by zero"), self._offsets.of(node)) from None
        except OverflowError:
            value = math.inf
        except (ValueError, TypeError):
            value = math.nan
        if isinstance(value, complex) or math.isnan(value):
            raise FormulaError(tr("this has no real value"), self._offsets.of(node))
        if math.isinf(value):
            raise FormulaError(tr("this is too large for a float64"), self._offsets.of(node))
        return value

    def _size_of(self, node: tree.Node) -> float:
        match node:
            case tree.Number(text=text):
                return _size(Fraction(text))
            case tree.Power(base=base, exponent=exponent):
                return self._power_bits(base, exponent)
            case tree.Quotient(denominator=denominator) if self.constant(denominator) == 0:
                raise FormulaError(tr("this divides by zero"), self._offsets.of(denominator))
            case tree.Apply(function="exp", arguments=(argument,)):
                return max(self.bits(argument), self._exponential_bits(argument))
            case tree.Apply(function="sqrt", arguments=(argument,)):
                return self.bits(argument)
            case tree.Apply() | tree.Place() | tree.Comparison() | tree.Reduction():
                for part in parts(node):
                    self.bits(part)
                return 0.0
        return sum(self.bits(part) for part in parts(node)) + len(parts(node))

    def _power_bits(self, base: tree.Node, exponent: tree.Node) -> float:
        base_bits = self.bits(base)
        self.bits(exponent)
        value = self._value(exponent)
        if value is None:
            return base_bits
        if abs(value) > LARGEST_EXPONENT:
            message = tr("an exponent above {most} is not allowed").format(most=grouped(LARGEST_EXPONENT))
            raise FormulaError(message, self._offsets.of(exponent))
        return base_bits * max(1, ceil(abs(value)))

    def _exponential_bits(self, argument: tree.Node) -> float:
        """``exp(c*log(b))`` is worked out as b**c."""
        logarithms = [inner for inner in walk(argument) if isinstance(inner, tree.Apply) and inner.function == "log"]
        bits = sum(self.bits(inner.arguments[0]) for inner in logarithms)
        if not bits:
            return 0.0
        lengths = ((value.numerator.bit_length(), value.denominator.bit_length()) for value in self._numbers(argument))
        return float(bits * 2 ** min(sum(abs(over - under) for over, under in lengths), 64))

    def _numbers(self, node: tree.Node) -> list[Fraction]:
        """The largest plain numbers in the node, those inside logarithms left out."""
        value = self._value(node)
        if value is not None:
            return [value]
        if isinstance(node, tree.Apply) and node.function == "log":
            return []
        return [value for part in parts(node) for value in self._numbers(part)]

    def _value(self, node: tree.Node) -> Fraction | None:
        """The value of a node made of numbers alone; ``bits`` has passed it, so it is small enough to work out."""
        if id(node) not in self._values:
            self._values[id(node)] = self._value_of(node)
        return self._values[id(node)]

    def _value_of(self, node: tree.Node) -> Fraction | None:
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
            case tree.Quotient():
                return values[0] / values[1] if values[1] else None
            case tree.Power():
                whole = values[1].denominator == 1 and (values[0] or values[1] >= 0)
                return values[0] ** values[1].numerator if whole else None
        product = Fraction(1)
        for value in values:
            product *= value
        return product


def _size(value: Fraction) -> float:
    return float((abs(value.numerator) - 1).bit_length() + (value.denominator - 1).bit_length())
