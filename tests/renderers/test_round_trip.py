"""Whatever is printed reads back as what it was, in every format."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import example, given

from backprop_cli.language import grammar, tree
from backprop_cli.renderers import formula_latex, formula_mathml, formula_text, formula_unicode
from tests.reading_back import read
from tests.reading_back.normal import normal
from tests.strategies_trees import NAMES, equalities, formulas, matrix_formulas

FORMATS = {"text": formula_text, "unicode": formula_unicode, "latex": formula_latex, "mathml": formula_mathml}
EVERY_FORMAT = pytest.mark.parametrize("format", list(FORMATS))


def assert_survives(node: tree.Node, format: str) -> None:
    as_text = format == "text"
    printed = FORMATS[format].render(node, NAMES)
    assert normal(read(printed, NAMES, format), NAMES, as_text=as_text) == normal(node, NAMES, as_text=as_text), printed


BRACKET_AS_EXPONENT = tree.Power(tree.Place("i"), tree.Comparison("<", tree.Number("0"), tree.Number("0")))


@EVERY_FORMAT
@given(node=formulas())
@example(node=BRACKET_AS_EXPONENT)
def test_formulas_in_index_notation(node: tree.Node, format: str) -> None:
    assert_survives(node, format)


@EVERY_FORMAT
@given(node=equalities())
def test_chains_of_equalities(node: tree.Node, format: str) -> None:
    assert_survives(node, format)


@EVERY_FORMAT
@example(node=tree.MatrixProduct((tree.Matrix("J"), tree.Apply("abs", (tree.Identity(tree.Number("1")),)))))
@given(node=matrix_formulas())
def test_formulas_in_the_matrix_view(node: tree.Node, format: str) -> None:
    assert_survives(node, format)


@given(node=formulas(language_only=True))
def test_the_grammar_reads_what_authors_could_have_written(node: tree.Node) -> None:
    printed = formula_text.render(node, NAMES)
    with patch.object(grammar, "check_magnitudes"):  # random numbers are often divided by 0
        parsed = grammar.parse_expression(printed)
    assert normal(parsed, NAMES) == normal(node, NAMES), printed
