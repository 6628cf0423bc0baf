"""Printed formulas read back: parsed from the page by grammars of their own, and evaluated with a run's numbers.

    check_formula(text, names, arrays, format="unicode")

fails unless all sides of the printed equation are equal to 1e-9 for all values of its free indices, and

    check_steps(derivation.steps, names, arrays_of(trace), format="latex")

does so for every formula of a derivation. Property tests over networks use them. :mod:`tests.reading_back.pages` finds
the equations of a whole page in every format, :mod:`tests.reading_back.changes` checks those of a small change.
"""

from __future__ import annotations

from tests.reading_back.checking import Definitions, arrays_of, check_formula, check_steps, read, read_definition

__all__ = ["Definitions", "arrays_of", "check_formula", "check_steps", "read", "read_definition"]
