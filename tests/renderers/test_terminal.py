"""Documents in a terminal at a fixed width: alignment, broken lines, colours, and users' text that stays text."""

from __future__ import annotations

import re

import numpy as np
import pytest
from rich.cells import cell_len

from backprop_cli.documents.blocks import (
    Array,
    Block,
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
from backprop_cli.renderers import terminal
from tests.renderers.examples import NAMES, apply, at, gradient, minus, number, over, plus, power, times, total


def page(*blocks: Block, width: int = 80, colour: bool = False) -> str:
    return terminal.render(Document(blocks, NAMES), width, colour=colour)


def side(value: tree.Node, *remark: str | tree.Node) -> Side:
    return Side(value, remark)


CHAIN = Line(
    gradient("a1", "i"),
    (
        side(total(times(gradient("a2", "k"), tree.Partial(at("a2", "k"), at("a1", "i"))), "k"), "chain rule"),
        side(
            total(times(gradient("a2", "k"), tree.Prime("sigmoid", at("z2", "k")), at("W2", "k", "i")), "k"),
            "with ",
            tree.Partial(tree.Place("J"), at("a2")),
        ),
    ),
)


def test_headings_and_paragraphs() -> None:
    shown = page(
        Heading(1, ("two, two",)),
        Prose(("The sum ", total(at("x", "j"), "j"), " is written in a paragraph that goes on for more than a line.",)),
        Heading(2, ("Layer 2",)),
        Heading(3, ("Definition",)),
        FormulaBlock((Line(at("S"), (side(at("beta")),)),)),
        Note(("A remark stands with what it is about.",)),
        Note(("A warning stands alone.",), Tone.WARNING),
        width=50,
    )  # fmt: skip
    assert shown == (
        "two, two\n"
        "════════\n"
        "\n"
        "The sum Σⱼ xⱼ is written in a paragraph that goes\n"
        "on for more than a line.\n"
        "\n"
        "── Layer 2 ───────────────────────────────────────\n"
        "\n"
        "Definition\n"
        "  S = β\n"
        "  A remark stands with what it is about.\n"
        "\n"
        "! A warning stands alone.\n"
    )


def test_equals_signs_stand_in_one_column_and_remarks_at_the_edge() -> None:
    plain = Line(gradient("W_hidden", "i", "j"), (side(times(gradient("z2", "i"), at("x", "j"))),))
    assert page(FormulaBlock((CHAIN, plain))) == (
        "  ∂J/∂aᵢ⁽¹⁾         = Σₖ ∂J/∂aₖ⁽²⁾ · ∂aₖ⁽²⁾/∂aᵢ⁽¹⁾                    chain rule\n"
        "                    = Σₖ ∂J/∂aₖ⁽²⁾ · σ′(zₖ⁽²⁾) · wₖᵢ⁽²⁾            with ∂J/∂a⁽²⁾\n"
        "\n"
        "  ∂J/∂W_hidden[i,j] = ∂J/∂zᵢ⁽²⁾ · xⱼ\n"
    )


def test_a_chain_without_remarks_stays_on_one_line_where_it_fits() -> None:
    line = Line(
        tree.Partial(at("a2", "i"), at("z2", "i")),
        (
            side(tree.Prime("sigmoid", at("z2", "i"))),
            side(times(at("a2", "i"), plus(number(1), minus(at("a2", "i"))))),
        ),
    )
    assert page(FormulaBlock((line,))) == "  ∂aᵢ⁽²⁾/∂zᵢ⁽²⁾ = σ′(zᵢ⁽²⁾) = aᵢ⁽²⁾ · (1 − aᵢ⁽²⁾)\n"
    assert page(FormulaBlock((line,)), width=40) == (
        "  ∂aᵢ⁽²⁾/∂zᵢ⁽²⁾ = σ′(zᵢ⁽²⁾)\n                = aᵢ⁽²⁾ · (1 − aᵢ⁽²⁾)\n"
    )
    assert page(FormulaBlock((line,), is_stacked=True)).count("\n") == 2


def test_a_long_side_is_broken_at_its_loosest_operators() -> None:
    square = power(plus(at("W2", "i", "j"), minus(at("V", "i", "j"))), 2)
    long = plus(
        times(number(2), at("a2", "i"), square), apply("tanh", plus(*[at("x", n) for n in range(1, 9)])), at("S")
    )
    assert page(FormulaBlock((Line(at("S"), (side(long, "a long one"),)),)), width=46) == (
        "  S = 2 · aᵢ⁽²⁾ · (wᵢⱼ⁽²⁾ − Vᵢⱼ)²\n"
        "        + tanh(x₁ + x₂ + x₃ + x₄ + x₅ + x₆\n"
        "            + x₇ + x₈)\n"
        "        + S                         a long one\n"
    )


def test_a_long_left_side_has_its_equals_sign_on_the_next_line() -> None:
    line = Line(tree.Partial(at("W_hidden", 10, 2), at("W_hidden", 12, 3)), (side(at("S")),))
    assert page(FormulaBlock((line,)), width=40) == "  ∂W_hidden[10,2]/∂W_hidden[12,3]\n   = S\n"


def test_a_vector_a_matrix_and_a_summary() -> None:
    matrix = np.array([[0.25, -1.5, 12.0], [0.125, 0.0, -0.0]])
    large = np.arange(3000.0).reshape(50, 60) / 7
    rows = (
        ("1", at("S"), Array(np.array(-0.25))),
        ("", at("x"), Array(np.array([1.0, 2.0, 3.0]), ("i",))),
        (),
        ("2", at("V"), Array(matrix, ("i", "j"))),
        ("", at("W2"), Summary((50, 60), 13.0, 0.0, 428.4, 1, Array(large[:2, :3], ("i", "j")))),
    )
    assert page(Table(("layer", "quantity", "values"), rows)) == (
        "layer  quantity  values\n"
        "───────────────────────────────────────────────────────────────────────\n"
        "1      S         -0.25\n"
        "       x         1  2  3\n"
        "───────────────────────────────────────────────────────────────────────\n"
        "2      V         i\\j   1       2       3\n"
        "                   1   0.250  -1.500  12.000\n"
        "                   2   0.125   0       0\n"
        "       w⁽²⁾      50 × 60, norm 13.0000, from 0 to 428.4000, 1 of them 0\n"
        "                 i\\j  1       2       3       …\n"
        "                   1  0       0.1429  0.2857  …\n"
        "                   2  8.5714  8.7143  8.8571  …\n"
        "                   ⋮\n"
    )


def test_a_headed_vector_has_its_index_and_positions_above_it() -> None:
    whole = Array(np.array([0.25, -1.5, 12.0]), ("n",), is_headed=True)
    corner = Array(np.arange(1.0, 7.0), ("n",), is_headed=True)
    rows = ((at("x"), whole), (at("S"), Summary((50,), 13.0, 1.0, 50.0, 0, corner)))
    assert page(Table(("quantity", "values"), rows), width=42) == (
        "quantity  values\n"
        "────────────────────────────────────────\n"
        "x         n   1      2      3\n"
        "              0.25  -1.50  12.00\n"
        "S         50 numbers, norm 13.0000, from\n"
        "          1.0000 to 50.0000\n"
        "          n  1   2   3   4   5   6   …\n"
        "             1   2   3   4   5   6   …\n"
    )


def test_wide_arrays_go_on_below_and_narrow_pages_make_records() -> None:
    row = ("1", at("x"), Array(np.arange(1, 25) / 3, ("i",), 2))
    assert page(Table(("layer", "quantity", "values"), (row,)), width=40) == (
        "layer  quantity  values\n"
        "───────────────────────────────────────\n"
        "1      x         1     2     3     4\n"
        "                 0.33  0.67  1.00  1.33\n"
        "                 5     6     7     8\n"
        "                 1.67  2.00  2.33  2.67\n"
        "                 9     10    11    12\n"
        "                 3.00  3.33  3.67  4.00\n"
        "                 13    14    15    16\n"
        "                 4.33  4.67  5.00  5.33\n"
        "                 17    18    19    20\n"
        "                 5.67  6.00  6.33  6.67\n"
        "                 21    22    23    24\n"
        "                 7.00  7.33  7.67  8.00\n"
    )
    table = Table(("parameter", "ours", "theirs", "verdict"), (("W1", 0.5, 0.25, "DISAGREES"), ("b1", 1.0, 1.0, "ok")))
    assert page(table) == (
        "parameter  ours  theirs  verdict\n"
        "──────────────────────────────────\n"
        "W1          0.5    0.25  DISAGREES\n"
        "b1          1.0    1.00  ok\n"
    )
    assert page(table, width=30) == (
        "parameter: W1\n  ours: 0.5\n  theirs: 0.25\n  verdict: DISAGREES\n"
        "parameter: b1\n  ours: 1.0\n  theirs: 1.00\n  verdict: ok\n"
    )


HOSTILE = "[bold red]x[/] \x1b[31mred\x07 :smile: \\[a]"


@pytest.mark.parametrize("colour", [False, True])
def test_users_text_is_never_obeyed(colour: bool) -> None:
    shown = page(
        Heading(1, (HOSTILE,)), Prose((HOSTILE,)), Note((HOSTILE,)), Table((HOSTILE,), ((HOSTILE,),)), colour=colour
    )
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown) if colour else shown
    assert "\x1b" not in plain
    assert plain.count(r"[bold red]x[/] \x1b[31mred\x07 :smile: \[a]") == 5


def test_the_same_words_with_and_without_colour() -> None:
    blocks = (Heading(2, ("Layer",)), FormulaBlock((CHAIN,)), Table(("q", "values"), ((at("S"), Array(np.eye(2))),)))
    coloured = page(*blocks, colour=True)
    assert "\x1b[35m∂J/∂aᵢ⁽¹⁾\x1b[0m" in coloured
    stripped = "".join(f"{line.rstrip()}\n" for line in re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines())
    assert stripped == page(*blocks)


@pytest.mark.parametrize("width", [30, 36, 50, 64, 80])
def test_no_line_is_wider_than_the_page(width: int) -> None:
    long = over(minus(total(times(*[at("W2", "i", "k")] * 9), "k")), plus(*[power(at("a2", "i"), 2)] * 6))
    shown = page(
        Heading(1, ("a title that is too long for one line of a narrow terminal",)),
        Heading(2, ("a section with a title that is too long for one line",)),
        Prose(("word " * 40,)),
        FormulaBlock((Line(gradient("W_hidden", 12, 3), (side(long, "a remark that is long enough"),)), CHAIN)),
        Note(("x" * 200,), Tone.WARNING),
        Table(
            ("layer", "quantity", "values"), (("1", gradient("W_hidden"), Array(np.full((3, 12), 1 / 3), ("i", "j"))),)
        ),
        width=width,
    )
    assert max(cell_len(line) for line in shown.splitlines()) <= width


def test_heads_in_wide_characters_stand_over_their_numbers() -> None:
    lines = page(Table(("量", "答案", "分數"), (("z", 0.5, 1.0), ("a", -0.25, 2.0)), 2)).splitlines()
    assert lines[0] == "量   答案  分數"
    assert lines[2:] == ["z    0.50     1", "a   -0.25     2"]
