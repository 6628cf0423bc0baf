"""Documents as LaTeX: what users wrote is escaped, long formulas are cut where LaTeX allows it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backprop_cli.documents.blocks import Document, FormulaBlock, Heading, Line, Note, Prose, Side, Tone
from backprop_cli.language import tree
from backprop_cli.renderers import formula_latex, latex
from backprop_cli.renderers.latex_breaking import broken
from tests.reading_back import read
from tests.reading_back.normal import normal
from tests.renderers.examples import NAMES, apply, at, gradient, minus, number, over, plus, power, times, total
from tests.strategies_trees import NAMES as CONFUSING
from tests.strategies_trees import formulas


def test_a_page_is_the_fragment_in_a_document() -> None:
    document = Document((Heading(1, ("title",)),), NAMES)
    assert latex.render(document) == "\\section*{title}\n"
    page = latex.page(document)
    assert page.startswith("\\documentclass")
    assert page.endswith("\\begin{document}\n\n\\section*{title}\n\n\\end{document}\n")


def test_blocks() -> None:
    chain = (
        Side(times(gradient("a2", "i"), tree.Prime("sigmoid", at("z2", "i"))), ("chain rule",)),
        Side(gradient("z2", "i"), ("with ", tree.Gradient("z2"))),
    )
    document = Document(
        (
            Heading(2, ("Layer ", at("S"))),
            Prose(("a line with ", at("S"), ".")),
            Note(("look",), Tone.WARNING),
            FormulaBlock((Line(gradient("b2", "i"), chain), Line(at("S"), (Side(at("beta")), Side(number(1)))))),
        ),
        NAMES,
    )
    assert latex.render(document) == (
        "\\subsection*{Layer $S$}\n\n"
        "a line with $S$.\n\n"
        "\\textbf{Warning:} \\textit{look}\n\n"
        "\\begin{align*}\n"
        "  \\frac{\\partial J}{\\partial b_{i}^{[2]}} &= "
        "\\frac{\\partial J}{\\partial a_{i}^{[2]}} \\cdot \\sigma'(z_{i}^{[2]}) && \\text{chain rule} \\\\\n"
        "  &= \\frac{\\partial J}{\\partial z_{i}^{[2]}} "
        "&& \\text{with $\\frac{\\partial J}{\\partial z^{[2]}}$} \\\\\n"
        "  S &= \\beta = 1\n"
        "\\end{align*}\n"
    )


def test_users_text_is_escaped() -> None:
    hostile = r"50% of $x_1$ & \input{/etc/passwd} #1 {a} ~ ^ <b> β"
    assert latex.render(Document((Heading(1, (hostile,)),), NAMES)) == (
        r"\section*{50\% of \$x\_1\$ \& \textbackslash{}input\{/etc/passwd\} \#1 \{a\} "
        r"\textasciitilde{} \textasciicircum{} \textless{}b\textgreater{} $\beta$}" + "\n"
    )


def test_a_long_formula_is_cut_at_its_loosest_operators() -> None:
    square = power(plus(at("W_hidden", "i", "j"), minus(at("V", "i", "j"))), 2)
    product = times(number(2), at("a2", "i"), square, gradient("W_hidden", "i", "j"))
    long = plus(total(product, "j"), apply("tanh", plus(*[at("x", n) for n in range(1, 12)])), at("S"))
    assert broken(formula_latex.render(long, NAMES), 70, 66) == [
        (
            0,
            r"\sum_{j=1}^{4} 2 \cdot a_{i}^{[2]} \cdot (\mathrm{W\_hidden}_{ij} - V_{ij})^{2}"
            r" \cdot \frac{\partial J}{\partial \mathrm{W\_hidden}_{ij}}",
        ),
        (0, r"+ \tanh(x_{1} + x_{2} + x_{3} + x_{4} + x_{5} + x_{6} + x_{7} + x_{8} + x_{9} + x_{10} + x_{11}) + S"),
    ]


def test_brackets_that_are_cut_are_no_longer_stretched() -> None:
    halves = [times(over(at("x", n), number(2)), at("x", n)) for n in range(1, 15)]
    (_, first), *rest = broken(formula_latex.render(apply("tanh", plus(*halves)), NAMES), 60, 56)
    assert first.startswith(r"\tanh\Bigl( \frac{x_{1}}{2} \cdot x_{1} + ")
    assert rest[-1][1].endswith(r"\Bigr)")
    assert {right for right, _ in rest} == {2}


def test_a_comparison_is_broken_at_its_sign_and_not_among_indices() -> None:
    position = plus(at("i"), minus(times(number(2), at("j"))))
    largest = tree.Reduction("argmax", at("V", "k", "j"), ("k",))
    inside = tree.Comparison("==", position, largest)
    (_, first), (right, second) = broken(formula_latex.render(times(at("S"), inside), NAMES), 17, 17)
    assert (first, right, second) == (r"S \cdot [i - 2 \cdot j", 2, r"= \operatorname{argmax}_{k}(V_{kj})]")


@given(node=formulas(), room=st.sampled_from([10, 25, 60]))
def test_the_pieces_are_the_formula(node: tree.Node, room: int) -> None:
    pieces = [piece for _, piece in broken(formula_latex.render(node, CONFUSING), room, room)]
    assert normal(read(" ".join(pieces), CONFUSING, "latex"), CONFUSING) == normal(node, CONFUSING)
