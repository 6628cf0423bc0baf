"""The readers and the checker catch what is wrong; a checker that passes everything would prove nothing."""

from __future__ import annotations

import numpy as np
import pytest

from backprop_cli.documents.names import Names, Shown
from backprop_cli.language import tree
from tests.reading_back import check_formula, read, read_definition
from tests.reading_back.evaluation import change_of
from tests.reading_back.grammar import UnreadableFormula

NAMES = Names.given(
    [
        Shown("x", "x", "x", "", ("j",), (2,)),
        Shown("W1", "w", "W", "1", ("i", "j"), (3, 2)),
        Shown("z1", "z", "z", "1", ("i",), (3,)),
        Shown("a1", "a", "a", "1", ("i",), (3,)),
        Shown("J", "J", "J"),
    ]
)
x, W = np.array([0.5, -2.0]), np.array([[0.1, 0.2], [-0.3, 0.4], [0.5, 0.6]])
z = W @ x
a = np.tanh(z)
ARRAYS = {"x": x, "W1": W, "z1": z, "a1": a, "J": np.asarray(a.sum()), "dJ/da1": np.ones(3)}
ARRAYS |= {change_of("x"): np.array([0.01, 0.02]), change_of("z1"): W @ np.array([0.01, 0.02])}
ARRAYS |= {"dJ/dz1": 1 - a**2, "dJ/dW1": np.outer(1 - a**2, x), "dJ/dx": W.T @ (1 - a**2)}
DEFINITIONS = dict(
    read_definition(text, NAMES) for text in ("zᵢ⁽¹⁾ = Σⱼ wᵢⱼ⁽¹⁾ · xⱼ", "aᵢ⁽¹⁾ = tanh(zᵢ⁽¹⁾)", "J = Σᵢ aᵢ⁽¹⁾")
)

LAYER = "<mrow><mo>[</mo><mn>1</mn><mo>]</mo></mrow>"
MATHML = (
    f"<msubsup><mi>z</mi><mi>i</mi>{LAYER}</msubsup><mo>=</mo>"
    "<munderover><mo>∑</mo><mrow><mi>j</mi><mo>=</mo><mn>1</mn></mrow><mn>{limit}</mn></munderover>"
    f"<msubsup><mi>w</mi><mrow><mi>i</mi><mi>j</mi></mrow>{LAYER}</msubsup>"
    "<mo>⋅</mo><msub><mi>x</mi><mi>j</mi></msub>"
)

HOLDING = [
    ("unicode", "zᵢ⁽¹⁾ = Σⱼ wᵢⱼ⁽¹⁾ · xⱼ"),
    ("unicode", "∂J/∂xⱼ = Σᵢ ∂J/∂aᵢ⁽¹⁾ · ∂aᵢ⁽¹⁾/∂zᵢ⁽¹⁾ · wᵢⱼ⁽¹⁾ = Σᵢ ∂J/∂zᵢ⁽¹⁾ · wᵢⱼ⁽¹⁾"),
    ("unicode", "∂aᵢ⁽¹⁾/∂zₖ⁽¹⁾ = δᵢₖ · tanh′(zᵢ⁽¹⁾) = δᵢₖ · (1 − (aᵢ⁽¹⁾)²)"),
    ("unicode", "∂aᵢ⁽¹⁾/∂xⱼ = (1 − (aᵢ⁽¹⁾)²) · wᵢⱼ⁽¹⁾"),
    ("unicode", "∂J/∂W⁽¹⁾ = (∂J/∂a⁽¹⁾ ⊙ tanh′(z⁽¹⁾)) xᵀ"),
    ("unicode", "∂J/∂x = (∂z⁽¹⁾/∂x)ᵀ (∂a⁽¹⁾/∂z⁽¹⁾)ᵀ (∂J/∂a⁽¹⁾)"),
    ("text", "dJ/dW1[i,j] = dJ/da1[i]*tanh'(z1[i])*x[j]"),
    ("latex", r"z_{i}^{[1]} = \sum_{j=1}^{2} w_{ij}^{[1]} \cdot x_{j}"),
    ("mathml", MATHML.format(limit=2)),
    ("unicode", "dzᵢ⁽¹⁾ = Σⱼ wᵢⱼ⁽¹⁾ · dxⱼ"),
    ("text", "dz1[i] = sum(W1[i,j]*dx[j], j)"),
    ("latex", r"\mathrm{d}z_{i}^{[1]} = \sum_{j=1}^{2} w_{ij}^{[1]} \cdot \mathrm{d}x_{j}"),
]


@pytest.mark.parametrize(("format", "text"), HOLDING)
def test_what_holds_passes(format: str, text: str) -> None:
    check_formula(text, NAMES, ARRAYS, format, DEFINITIONS)


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("unicode", "zᵢ⁽¹⁾ = Σⱼ wᵢⱼ⁽¹⁾ · xⱼ + 0.00000001"),
        ("unicode", "∂J/∂xⱼ = Σᵢ ∂J/∂zᵢ⁽¹⁾ · wᵢⱼ⁽¹⁾ · 1.0005"),
        ("unicode", "∂J/∂zᵢ⁽¹⁾ = ∂J/∂aᵢ⁽¹⁾ · tanh(zᵢ⁽¹⁾)"),
        ("unicode", "∂aᵢ⁽¹⁾/∂zₖ⁽¹⁾ = tanh′(zᵢ⁽¹⁾)"),
        ("unicode", "dzᵢ⁽¹⁾ = Σⱼ wᵢⱼ⁽¹⁾ · xⱼ"),
        ("text", "dJ/dW1[i,j] = dJ/da1[i]*tanh'(a1[i])*x[j]"),
        ("latex", r"z_{i}^{[1]} = \sum_{j=1}^{3} w_{ij}^{[1]} \cdot x_{j}"),  # a wrong limit
        ("mathml", MATHML.format(limit=3)),
    ],
)
def test_what_does_not_hold_fails(format: str, text: str) -> None:
    with pytest.raises(AssertionError):
        check_formula(text, NAMES, ARRAYS, format, DEFINITIONS)


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("unicode", "wᵢ⁽¹⁾"),
        ("unicode", "w⁽²⁾"),
        ("unicode", "xⱼ ++ 1"),
        ("unicode", "(xⱼ"),
        ("unicode", "xⱼ · xⱼ ⊙ xⱼ"),
        ("text", "W1[i]"),
        ("text", "dx"),
        ("text", "x[j]*"),
        ("latex", r"\frac{x_{j}}"),
        ("latex", r"w_{i}^{[1]}"),
        ("latex", r"\input{secret}"),
        ("latex", r"x_j"),
        ("latex", r"dx_{j}"),
        ("latex", r"\mathrm{d}\,x_{j}"),
        ("mathml", "<msub><mi>x</mi></msub>"),
        ("mathml", "<mfrac><mi>x</mi><mi>x</mi><mi>x</mi></mfrac>"),
        ("mathml", "<mtext>x</mtext><script>x</script>"),
    ],
)
def test_what_is_not_printed_is_not_read(format: str, text: str) -> None:
    with pytest.raises(UnreadableFormula):
        read(text, NAMES, format)


def test_a_choice_and_its_condition() -> None:
    node = read("{ zᵢ⁽¹⁾ if zᵢ⁽¹⁾ ≥ 0, −1 otherwise }", NAMES)
    assert node == tree.Apply(
        "where",
        (
            tree.Comparison(">=", tree.Place("z1", (tree.Place("i"),)), tree.Number("0")),
            tree.Place("z1", (tree.Place("i"),)),
            tree.Negative(tree.Number("1")),
        ),
    )
