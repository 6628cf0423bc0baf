"""Documents as LaTeX: what users wrote is escaped, long formulas are cut where LaTeX allows it."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_cli.bundled import bundled_names
from backprop_cli.documents.blocks import (
    Array,
    Document,
    FormulaBlock,
    Heading,
    Line,
    Note,
    Prose,
    Side,
    Summary,
    Table,
    Tone,
)
from backprop_cli.language import tree
from backprop_cli.renderers import formula_latex, latex
from backprop_cli.renderers.arrays import Grid, cut, grids
from backprop_cli.renderers.latex_breaking import broken
from tests.reading_back import read
from tests.reading_back.alignment import as_meant, as_read, chains
from tests.reading_back.normal import normal
from tests.renderers import bundled_documents as bundled
from tests.renderers.examples import NAMES, apply, at, gradient, minus, number, over, plus, power, times, total
from tests.strategies_trees import NAMES as CONFUSING
from tests.strategies_trees import formulas

STRUT = re.compile(r"\\rule\[.*?\]\{.*?\}\{.*?\}")


def test_a_page_is_the_fragment_in_a_document() -> None:
    document = Document((Heading(1, ("title",)),), NAMES)
    assert latex.fragment(document) == "\\section*{title}\n"
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
    assert latex.fragment(document) == (
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
    assert latex.fragment(Document((Heading(1, (hostile,)),), NAMES)) == (
        r"\section*{50\% of \$x\_1\$ \& \textbackslash{}input\{/etc/passwd\} \#1 \{a\} "
        r"\textasciitilde{} \textasciicircum{} \textless{}b\textgreater{} $\beta$}" + "\n"
    )


def test_users_text_stays_on_its_line_and_keeps_its_hyphens() -> None:
    hostile = "a\n\n\\end{document}\t--- '' ,, \x1b"
    assert formula_latex.escaped(hostile) == (
        r"a  \textbackslash{}end\{document\} -{}-{}- '{}' ,{}, \textbackslash{}x1b"
    )


def test_tables() -> None:
    matrix = Array(np.array([[0.5, -1e-9], [np.nan, np.inf]]), ("i", "j"))
    summary = Summary((3, 9), 1.5, -1.0, 0.5, 2, Array(np.array([[1.0, 2.0]]), ("i", "j")))
    table = Table(("quantity", "a_b", "values"), ((at("S"), 1.25, matrix), (), ("c|d", 3, summary)))
    strut = r"\rule[-1.6ex]{0pt}{4.6ex}"
    assert latex.fragment(Document((table,), NAMES)).splitlines() == [
        r"\begin{longtable}[l]{@{}lrp{371pt}@{}}",
        r"\textbf{quantity} & \textbf{a\_b} & \textbf{values} \tabularnewline",
        r"\hline",
        r"\endhead",
        rf"$S$ & 1.25 & {strut}$\left(\begin{{array}}{{rr}} 0.5000 & -1.000 \times 10^{{-9}} \\ "
        r"\mathrm{nan} & \infty \end{array}\right)$ \tabularnewline",
        r"\hline",
        rf"c\textbar{{}}d & 3.00 & {strut}\raggedright 3 $\times$ 9, norm 1.5000, from $-$1.0000 to 0.5000, "
        r"2 of them 0 \tabularnewline",
        rf" &  & {strut}$\left(\begin{{array}}{{rrr}} 1 & 2 & \cdots \\ \vdots & \vdots \end{{array}}\right)$ "
        r"\tabularnewline",
        r"\end{longtable}",
    ]


def test_a_wide_matrix_is_cut_and_says_where() -> None:
    (grid,) = grids(Array(np.arange(12.0).reshape(3, 4), ("i", "j")))
    parts = cut(grid, 7, 2, lambda text: len(text) + 1.0)
    assert [(part.label, part.rows) for part in parts] == [
        ("i = 1 to 2, j = 1 to 3", (("0", "1", "2"), ("4", "5", "6"))),
        ("i = 1 to 2, j = 4", (("3",), ("7",))),
        ("i = 3, j = 1 to 3", (("8", "9", "10"),)),
        ("i = 3, j = 4", (("11",),)),
    ]
    (larger,) = grids(Array(np.arange(4.0)), (9,))
    assert cut(larger, 4, 2, lambda text: len(text) + 1.0) == [
        Grid((("0", "1"),), "", (False, True), ("", ""), is_vector=True)
    ]


@pytest.mark.every_spec
@pytest.mark.parametrize(("name", "view"), bundled.DERIVED)
def test_every_formula_of_the_bundled_specs_is_read_back_from_its_page(name: str, view: str) -> None:
    document = bundled.derived(name, view)
    page = latex.page(document)
    bodies = re.findall(r"\\begin\{align\*\}\n(.*?)\n\\end\{align\*\}", page, re.DOTALL)
    printed = [" = ".join(chain) for body in bodies for chain in chains(body)]
    names = document.names, bundled.by_step(name)
    assert [as_read(chain, *names) for chain in printed] == as_meant(document, names[1])


@pytest.mark.every_spec
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("name", bundled_names())
def test_every_number_of_a_run_is_read_back(name: str, full: bool) -> None:
    if full and "600" in name:
        pytest.skip("many numbers")
    document = bundled.run(name, full)
    cells = [row[-1] for block in document.blocks if isinstance(block, Table) for row in block.rows if row]
    meant = [cell.corner if isinstance(cell, Summary) else cell for cell in cells]
    lines = [line for line in latex.page(document).splitlines() if line.endswith("tabularnewline")]
    groups: list[list[str]] = []
    for line in lines:
        *labels, values = line.removesuffix(r" \tabularnewline").split(" & ", 1 if "layer" not in lines[0] else 2)
        if r"\textbf" in line:
            continue
        if labels[-1].strip():
            groups.append([])
        groups[-1].append(values)
    assert len(groups) == len(meant) > 2
    for group, array in zip(groups, meant, strict=True):
        found = np.full(array.values.shape, np.nan)
        for values in group:
            if r"\raggedright" not in values and values.count("$") == 2 and r"$\vdots$" not in values:
                _put_in(found, array.indices, values)
        is_cut = np.isnan(found)
        assert not is_cut.any() or any(r"\cdots" in values for values in group)
        assert np.allclose(found[~is_cut], array.values[~is_cut], rtol=5e-3, atol=5e-5)
        assert is_cut.mean() < 0.5


def _put_in(found: np.ndarray, indices: tuple[str, ...], values: str) -> None:
    """The numbers of one matrix of a page, put where its label says that they stand."""
    label, _, matrix = STRUT.sub("", values).rpartition(r"\newline")
    ranges = dict(re.findall(r"(\w+) = ([\d to]+)", label))
    numbers = [
        [
            float(re.sub(r" \\times 10\^\{(-?\d+)\}", r"e\1", cell))
            for cell in re.split(r" & |, ", row)
            if "dots" not in cell
        ]
        for row in re.sub(
            r"\$|\\left\(|\\right\)|\\(begin|end)\{array\}(\{r+\})?|^\(|\)$", "", matrix.strip("$")
        ).split(r" \\ ")
    ]
    block = np.array([row for row in numbers if row])
    at = []
    for axis, index in enumerate(indices[: found.ndim]):
        size = block.shape[axis - found.ndim] if found.ndim - axis <= 2 else 1
        first = int(ranges.get(index, "1").split(" to ")[0]) - 1
        at.append(slice(first, first + size))
    found[tuple(at)] = block.reshape(found[tuple(at)].shape)


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
