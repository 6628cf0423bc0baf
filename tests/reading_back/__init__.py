"""Printed formulas read back: parsed from the page by grammars of their own, and evaluated with a run's numbers.

    check_formula(text, names, arrays, format="unicode")

is what property tests over networks use: it fails unless all sides of the printed equation are equal to 1e-9 for all
values of its free indices.
"""

from __future__ import annotations

from tests.reading_back.checking import Definitions, check_formula, read, read_definition

__all__ = ["Definitions", "check_formula", "read", "read_definition"]
