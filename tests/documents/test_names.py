"""How quantities are written, and that no two are ever written alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.renderers import formula_latex, formula_unicode
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.notation import Place, index


def parameter(name: str, axes: int = 0, layer: int | None = None) -> Quantity:
    return Quantity(name, tuple(map(index, "ijt"[:axes])), (2,) * axes, Role.PARAMETER, layer=layer)


def names_of(*quantities: Quantity) -> Names:
    cost = Quantity("J", (), (), Role.COST, Place(quantities[0].name, *[1] * len(quantities[0].shape)))
    return Names.of(Graph("n", (*quantities, cost), "J", quantities[0].name))


@pytest.mark.parametrize(
    ("quantity", "element", "whole"),
    [
        (parameter("W1", 2, 1), "wᵢⱼ⁽¹⁾", "W⁽¹⁾"),
        (parameter("b1", 1, 1), "bᵢ⁽¹⁾", "b⁽¹⁾"),
        (parameter("a12", 2, 12), "aᵢⱼ⁽¹²⁾", "A⁽¹²⁾"),
        (parameter("W2_1", 2, 2), "wᵢⱼ⁽²·¹⁾", "W⁽²·¹⁾"),
        (parameter("W1", 2), "W1[i,j]", "W1"),  # an author's own name
        (parameter("W2", 2, 1), "W2[i,j]", "W2"),  # of another layer
        (parameter("W01", 2, 1), "W01[i,j]", "W01"),
        (parameter("W_hidden", 2, 1), "W_hidden[i,j]", "W_hidden"),
        (parameter("W_xh1", 2, 1), "w_xh⁽¹⁾[i,j]", "W_xh⁽¹⁾"),
        (parameter("b_i2_1", 1, 2), "b_i⁽²·¹⁾[i]", "b_i⁽²·¹⁾"),
        (parameter("W_xh1", 2), "W_xh1[i,j]", "W_xh1"),
        (parameter("h0_1", 1, 1), "h0⁽¹⁾[i]", "h0⁽¹⁾"),
        (parameter("gamma2", 1, 2), "γᵢ⁽²⁾", "γ⁽²⁾"),
        (parameter("gamma2", 1), "gamma2[i]", "gamma2"),
        (parameter("xhat2", 2, 2), "x̂ᵢⱼ⁽²⁾", "X̂⁽²⁾"),
        (parameter("var2", 1, 2), "var⁽²⁾[i]", "var⁽²⁾"),
        (parameter("w_hat", 1), "ŵᵢ", "ŵ"),
        (parameter("theta_hat"), "θ̂", "θ̂"),
        (parameter("mu_x"), "μ_x", "μ_x"),
        (parameter("V", 2), "Vᵢⱼ", "V"),
        (parameter("w12"), "w12", "w12"),
        (parameter("beta", 1), "βᵢ", "β"),
        (parameter("yhat", 1), "ŷᵢ", "ŷ"),
        (parameter("delta"), "delta", "delta"),
        (parameter("lambda"), "λ", "λ"),
        (parameter("what"), "what", "what"),
        (parameter("aᵢ", 1), "«aᵢ»[i]", "«aᵢ»"),
    ],
)
def test_one_quantity(quantity: Quantity, element: str, whole: str) -> None:
    names = names_of(quantity)
    own = tree.Place(quantity.name, tuple(tree.Place(symbol.name) for symbol in quantity.indices))
    assert formula_unicode.render(own, names) == element
    assert formula_unicode.render(tree.Matrix(quantity.name), names) == whole


@pytest.mark.parametrize(
    ("quantity", "element", "whole"),
    [
        (parameter("W_xh1", 2, 1), r"w_{\mathrm{xh},ij}^{[1]}", r"W_{\mathrm{xh}}^{[1]}"),
        (parameter("b_h1", 1, 1), r"b_{\mathrm{h},i}^{[1]}", r"b_{\mathrm{h}}^{[1]}"),
        (parameter("W_hidden", 2), r"W_{\mathrm{hidden},ij}", r"W_{\mathrm{hidden}}"),
        (parameter("xhat2", 1, 2), r"\hat{x}_{i}^{[2]}", r"\hat{x}^{[2]}"),
        (parameter("theta_hat"), r"\hat{\theta}", r"\hat{\theta}"),
        (parameter("var2", 1, 2), r"\mathrm{var}_{i}^{[2]}", r"\mathrm{var}^{[2]}"),
        (parameter("w_1", 1), r"\mathrm{w\_1}_{i}", r"\mathrm{w\_1}"),
    ],
)
def test_one_quantity_in_latex(quantity: Quantity, element: str, whole: str) -> None:
    names = names_of(quantity)
    own = tree.Place(quantity.name, tuple(tree.Place(symbol.name) for symbol in quantity.indices))
    assert formula_latex.render(own, names) == element
    assert formula_latex.render(tree.Matrix(quantity.name), names) == whole


def test_a_word_that_could_be_an_index_of_an_array_stays_on_the_line() -> None:
    names = names_of(parameter("W_i", 1), parameter("W", 2), parameter("b_i", 1), parameter("b"))
    written = [formula_latex.render(tree.Place(name, (tree.Place("j"),)), names) for name in ("W_i", "b_i")]
    assert written == [r"\mathrm{W\_i}_{j}", r"b_{\mathrm{i},j}"]  # W has positions below it, b has none


def test_names_that_would_be_written_alike_stay_as_they_are() -> None:
    names = names_of(parameter("beta"), parameter("β"), parameter("W1", 2, 1), parameter("w1", 1, 1))
    written = [formula_unicode.render(tree.Matrix(name), names) for name in ("beta", "β", "W1", "w1")]
    assert written == ["beta", "β", "W1", "w1"]


def test_a_letter_that_an_index_has_is_not_taken() -> None:
    beta = parameter("beta")
    x = Quantity("x", (index("β"),), (2,), Role.INPUT)
    assert names_of(beta, x)["beta"].letter == "beta"


NAME = st.one_of(
    st.sampled_from(
        [
            "W1",
            "w1",
            "W_1",
            "W2_1",
            "beta",
            "β",
            "yhat",
            "ŷ",
            "ŷ",
            "E",
            "I",
            "δ",
            "sigma",
            "σ",
            "x_i",
            "xᵢ",
            "x",
            "xhat",
            "x_hat",
            "W_q1",
            "W_q",
            "mu_x",
            "μ_x",
        ]
    ),
    st.from_regex(r"[a-zA-Zαβσ][a-zA-Z0-9_ᵢₖβ]{0,3}", fullmatch=True),
)


@given(st.lists(st.tuples(NAME, st.sampled_from([None, 1, 2])), min_size=1, unique_by=lambda found: found[0]))
def test_no_two_quantities_are_written_alike(chosen: list[tuple[str, int | None]]) -> None:
    quantities = [parameter(name, 2, layer) for name, layer in chosen if name != "J"]
    if not quantities:
        return
    names = names_of(*quantities)
    for render in (formula_unicode.render, formula_latex.render):
        wholes = [render(tree.Matrix(q.name), names) for q in quantities]
        elements = [render(tree.Place(q.name, (tree.Place("i"), tree.Number("2"))), names) for q in quantities]
        assert len(set(wholes)) == len(wholes)
        assert len(set(elements)) == len(elements)
