"""The equations of every walkthrough are read back from its page in every format, and those of derivations from a
terminal's: what stands on the page is what the document says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backprop_cli.bundled import bundled_names
from backprop_cli.documents.blocks import Document, FormulaBlock
from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.language.walking import rebuilt, walk
from backprop_cli.options import WalkView
from backprop_cli.symbolic.notation import by_step
from tests.reading_back.grammar import UnreadableFormula
from tests.reading_back.normal import normal
from tests.reading_back.pages import PAGE_FORMATS, Equation, PageFormat, equations
from tests.renderers import bundled_documents as bundled
from tests.renderers.test_every_view import document_of
from tests.renderers.test_html import check_formulas

SMALL = [name for name in bundled_names() if "600" not in name]
WALKED = [(name, view, format) for name in SMALL for view in (*WalkView, "perturb") for format in PAGE_FORMATS]


def formulas(document: Document) -> list[tree.Equality]:
    blocks = (block for block in document.blocks if isinstance(block, FormulaBlock))
    return [line.formula for block in blocks for line in block.lines]


def as_shown(node: tree.Node, names: Names) -> tree.Node:
    """What a page says of a formula. What is struck out counts 0, and a view may have its own letter for the cost."""
    if isinstance(node, tree.Struck):
        return tree.Number("0")
    node = rebuilt(node, lambda part: as_shown(part, names))
    match node:
        case tree.Reduction(operation, body, indices):
            return tree.Reduction(operation, body, indices)
        case tree.Jacobian(of, by) if names[of].letter == names.cost:
            return tree.Gradient(by)
        case tree.Place(name, ()) if name == names.cost:
            return tree.Place(next((own for own, shown in names.quantities.items() if shown.letter == name), name))
        case tree.Place(name, positions) if name == names.cost:
            return tree.Place(by_step(name), positions)
    return node


def of_call(formula: tree.Node, names: Names) -> Names:
    """The names with as many axes as Torch's words have in the call that a formula belongs to: what output is."""
    places = [node for node in walk(formula) if isinstance(node, tree.Place) and node.name in names]
    shapes = {place.name: (2,) * len(place.positions) for place in places if place.name != names.cost}
    words = {name: names[name]._replace(shape=shape) for name, shape in shapes.items() if not names[name].shape}
    return replace(names, quantities={**names.quantities, **words})


def meaning(node: tree.Node, names: Names) -> tree.Node:
    return as_shown(normal(as_shown(node, names), names), names)


def shown(equation: Equation, names: Names, by_steps: Names) -> tree.Node:
    try:
        return meaning(equation.read(names), names)
    except UnreadableFormula:
        return meaning(equation.read(by_steps), by_steps)


def check(document: Document, format: PageFormat, by_steps: Names) -> None:
    told, found = formulas(document), equations(document, format)
    assert len(found) == len(told)
    for equation, formula in zip(found, told, strict=True):
        names = of_call(formula, document.names)
        assert shown(equation, names, by_steps) == meaning(formula, names), equation


@pytest.mark.every_spec
@pytest.mark.parametrize(("name", "view", "format"), WALKED, ids=str)
def test_every_equation_of_a_walkthrough_is_read_back(name: str, view: str, format: PageFormat) -> None:
    check(document_of(bundled.network(name), view), format, bundled.by_step(name))


@pytest.mark.every_spec
@pytest.mark.parametrize("view", [WalkView.INDEX, WalkView.MATRIX, "perturb"])
@pytest.mark.parametrize("name", SMALL)
def test_every_formula_within_the_text_and_the_tables_of_a_walkthrough_is_read_back(name: str, view: str) -> None:
    check_formulas(document_of(bundled.network(name), view))


@pytest.mark.every_spec
@pytest.mark.parametrize(("name", "view"), bundled.DERIVED)
def test_every_equation_of_a_derivation_is_read_back_from_a_terminal(name: str, view: str) -> None:
    check(bundled.derived(name, view), "terminal", bundled.by_step(name))
