"""The exact look of formulas, in the three formats side by side."""

from __future__ import annotations

import pytest

from backprop_cli.documents.names import Names, Shown
from backprop_cli.language import tree
from backprop_cli.renderers import formula_latex, formula_mathml, formula_text, formula_unicode
from tests.renderers.examples import (
    NAMES,
    apply,
    at,
    compare,
    equal,
    gradient,
    minus,
    number,
    over,
    plus,
    power,
    times,
    total,
)

delta = compare(tree.Place("i"), "==", tree.Place("k"))

inside = plus(at("j"), minus(at("k")), number(1))

CASES = [
    (
        times(at("x", inside), compare(inside, ">=", number(1)), compare(inside, "<=", number(12))),
        "x[j-k+1]*(j - k + 1 >= 1)*(j - k + 1 <= 12)",
        "x[j−k+1] · [1 ≤ j − k + 1 ≤ 12]",
        r"x_{j - k + 1} \cdot [1 \le j - k + 1 \le 12]",
    ),
    (
        times(compare(inside, "<=", number(12)), compare(inside, ">=", number(1))),
        "(j - k + 1 <= 12)*(j - k + 1 >= 1)",
        "[j − k + 1 ≤ 12] · [j − k + 1 ≥ 1]",  # only in reading order are they one
        r"[j - k + 1 \le 12] \cdot [j - k + 1 \ge 1]",
    ),
    (
        equal(gradient("W2", 1, 2), times(gradient("a2", 1), tree.Prime("sigmoid", at("z2", 1)), at("a1", 2))),
        "dJ/dW2[1,2] = dJ/da2[1]*sigmoid'(z2[1])*a1[2]",
        "∂J/∂w₁₂⁽²⁾ = ∂J/∂a₁⁽²⁾ · σ′(z₁⁽²⁾) · a₂⁽¹⁾",
        r"\frac{\partial J}{\partial w_{12}^{[2]}} = "
        r"\frac{\partial J}{\partial a_{1}^{[2]}} \cdot \sigma'(z_{1}^{[2]}) \cdot a_{2}^{[1]}",
    ),
    (
        equal(at("z2", "i"), plus(total(times(at("W2", "i", "j"), at("a1", "j")), "j"), at("b2", "i"))),
        "z2[i] = sum(W2[i,j]*a1[j], j) + b2[i]",
        "zᵢ⁽²⁾ = Σⱼ wᵢⱼ⁽²⁾ · aⱼ⁽¹⁾ + bᵢ⁽²⁾",
        r"z_{i}^{[2]} = \sum_{j=1}^{4} w_{ij}^{[2]} \cdot a_{j}^{[1]} + b_{i}^{[2]}",
    ),
    (
        over(apply("exp", at("z2", "i")), total(apply("exp", at("z2", "k")), "k")),
        "exp(z2[i])/sum(exp(z2[k]), k)",
        "exp(zᵢ⁽²⁾) / Σₖ exp(zₖ⁽²⁾)",
        r"\frac{\exp(z_{i}^{[2]})}{\sum_{k=1}^{3} \exp(z_{k}^{[2]})}",
    ),
    (
        times(at("a2", "i"), plus(delta, minus(at("a2", "k")))),
        "a2[i]*((i == k) - a2[k])",
        "aᵢ⁽²⁾ · (δᵢₖ − aₖ⁽²⁾)",
        r"a_{i}^{[2]} \cdot (\delta_{ik} - a_{k}^{[2]})",
    ),
    (
        times(over(number(1), number(2)), total(power(plus(at("a2", "k"), minus(at("yhat", "k"))), 2), "k")),
        "1/2*sum((a2[k] - yhat[k])**2, k)",
        "1/2 · Σₖ (aₖ⁽²⁾ − ŷₖ)²",
        r"\frac{1}{2} \cdot \sum_{k=1}^{3} (a_{k}^{[2]} - \hat{y}_{k})^{2}",
    ),
    (
        apply("where", compare(at("z2", "i"), ">", number(0)), at("z2", "i"), number(0)),
        "where(z2[i] > 0, z2[i], 0)",
        "{ zᵢ⁽²⁾ if zᵢ⁽²⁾ > 0, 0 otherwise }",
        r"\begin{cases} z_{i}^{[2]} & \text{if } z_{i}^{[2]} > 0 \\ 0 & \text{otherwise} \end{cases}",
    ),
    # precedence: what needs brackets and what does not
    (power(at("a2", "i"), 2), "a2[i]**2", "(aᵢ⁽²⁾)²", r"(a_{i}^{[2]})^{2}"),
    (power(at("S"), 2), "S**2", "S²", "S^{2}"),
    (power(at("S"), minus(number(1))), "S**(-1)", "S⁻¹", "S^{-1}"),
    (power(at("S"), "0.5"), "S**0.5", "S^0.5", "S^{0.5}"),
    (power(minus(at("S")), 2), "(-S)**2", "(−S)²", "(-S)^{2}"),
    (minus(power(at("S"), 2)), "-S**2", "−S²", "-S^{2}"),
    (power(power(at("S"), 2), 3), "(S**2)**3", "(S²)³", "(S^{2})^{3}"),
    (over(over(at("S"), number(2)), number(3)), "S/2/3", "(S/2)/3", r"\frac{\frac{S}{2}}{3}"),
    (over(at("S"), times(number(2), number(3))), "S/(2*3)", "S/(2 · 3)", r"\frac{S}{2 \cdot 3}"),
    (times(at("S"), over(number(2), number(3))), "S*(2/3)", "S · 2/3", r"S \cdot \frac{2}{3}"),
    (times(minus(at("S")), at("beta")), "-S*beta", "−S · β", r"-S \cdot \beta"),
    (times(at("S"), minus(at("beta"))), "S*(-beta)", "S · (−β)", r"S \cdot (-\beta)"),
    (plus(at("S"), minus(plus(at("beta"), number(1)))), "S - (beta + 1)", "S − (β + 1)", r"S - (\beta + 1)"),
    (minus(minus(at("S"))), "-(-S)", "−(−S)", "-(-S)"),
    (over(minus(at("S")), at("beta")), "-S/beta", "−S/β", r"-\frac{S}{\beta}"),
    (over(gradient("S"), number(2)), "(dJ/dS)/2", "(∂J/∂S)/2", r"\frac{\frac{\partial J}{\partial S}}{2}"),
    (
        times(total(at("yhat", "k"), "k"), at("S")),
        "sum(yhat[k], k)*S",
        "(Σₖ ŷₖ) · S",
        r"\left( \sum_{k=1}^{3} \hat{y}_{k} \right) \cdot S",
    ),
    (times(number(2), total(at("x", "k"), "k")), "2*sum(x[k], k)", "2 · Σₖ xₖ", r"2 \cdot \sum_{k=1}^{12} x_{k}"),
    (apply("sqrt", plus(at("S"), number(1))), "sqrt(S + 1)", "√(S + 1)", r"\sqrt{S + 1}"),
    (apply("abs", apply("abs", at("S"))), "abs(abs(S))", "abs(|S|)", r"\left| \left| S \right| \right|"),
    (apply("max", number(0), at("S")), "max(0, S)", "max(0, S)", r"\max(0, S)"),
    (tree.Reduction("max", at("yhat", "k"), ("k",)), "max(yhat[k], k)", "maxₖ(ŷₖ)", r"\max_{k}(\hat{y}_{k})"),
    (tree.Reduction("mean", at("T"), ("d",)), "mean(T, d)", "mean[d](T)", r"\operatorname{mean}_{d}(T)"),
    (number("2.5e-12"), "2.5e-12", "2.5×10⁻¹²", r"2.5 \times 10^{-12}"),
    (tree.Number("π"), "pi", "π", r"\pi"),
    # names and positions
    (at("W_hidden", "i", "j"), "W_hidden[i,j]", "W_hidden[i,j]", r"\mathrm{W\_hidden}_{ij}"),
    (at("V", "i", "j"), "V[i,j]", "Vᵢⱼ", "V_{ij}"),
    (at("V", 1, 2), "V[1,2]", "V[1,2]", "V_{1,2}"),
    (at("V", 1, 12), "V[1,12]", "V[1,12]", "V_{1,12}"),
    (at("x", 12), "x[12]", "x₁₂", "x_{12}"),
    (at("x", "d"), "x[d]", "x[d]", "x_{d}"),
    (at("x", "row"), "x[row]", "x[row]", r"x_{\mathrm{row}}"),
    (
        at("x", plus(times(number(2), plus(tree.Place("p"), minus(number(1)))), tree.Place("k"))),
        "x[2*(p-1)+k]",
        "x[2·(p−1)+k]",
        r"x_{2 \cdot (p - 1) + k}",
    ),
    (gradient("w12"), "dJ/dw12", "∂J/∂w12", r"\frac{\partial J}{\partial \mathrm{w12}}"),
    (compare(at("z2", "i"), "!=", number(0)), "(z2[i] != 0)", "[zᵢ⁽²⁾ ≠ 0]", r"[z_{i}^{[2]} \ne 0]"),
    # the matrix view
    (
        equal(
            tree.Gradient("z2", delta=True),
            tree.Hadamard(
                (tree.MatrixProduct((tree.Transposed(tree.Matrix("W2")), tree.Gradient("z2", delta=True))),
                 tree.Prime("tanh", tree.Matrix("z2")))
            ),
        ),
        "dJ/dz2 = W2.T @ dJ/dz2 * tanh'(z2)",
        "δ⁽²⁾ = W⁽²⁾ᵀ δ⁽²⁾ ⊙ tanh′(z⁽²⁾)",
        r"\delta^{[2]} = W^{[2]\top} \, \delta^{[2]} \odot \tanh'(z^{[2]})",
    ),
    (
        equal(
            tree.Gradient("W2"),
            tree.MatrixProduct((tree.Gradient("z2", delta=True), tree.Transposed(tree.Matrix("a1")))),
        ),
        "dJ/dW2 = dJ/dz2 @ a1.T",
        "∂J/∂W⁽²⁾ = δ⁽²⁾ a⁽¹⁾ᵀ",
        r"\frac{\partial J}{\partial W^{[2]}} = \delta^{[2]} \, a^{[1]\top}",
    ),
    (
        tree.MatrixProduct((tree.Transposed(tree.Jacobian("a2", "z2")), tree.Gradient("a2"))),
        "(da2/dz2).T @ dJ/da2",
        "(∂a⁽²⁾/∂z⁽²⁾)ᵀ (∂J/∂a⁽²⁾)",
        r"\left( \frac{\partial a^{[2]}}{\partial z^{[2]}} \right)^{\top} \, \frac{\partial J}{\partial a^{[2]}}",
    ),
    (
        tree.Hadamard(
            (
                tree.MatrixProduct((tree.StepGradient(at("J", "s"), "z2"), tree.Jacobian("z2", "a1"))),
                compare(tree.Place("t"), ">", tree.Place("s")),
            )
        ),
        "dJ[s]/dz2 @ dz2/da1 * (t > s)",
        "(∂Jₛ/∂z⁽²⁾) (∂z⁽²⁾/∂a⁽¹⁾) ⊙ [t > s]",
        r"\frac{\partial J_{s}}{\partial z^{[2]}} \, \frac{\partial z^{[2]}}{\partial a^{[1]}} \odot [t > s]",
    ),
    (tree.Ones(number(3)), "ones(3)", "1₃", r"\mathbf{1}_{3}"),
    (tree.Ones(number(12), number(2)), "ones(12, 2)", "1₁₂ₓ₂", r"\mathbf{1}_{12 \times 2}"),
    (tree.Identity(number(3)), "eye(3)", "I₃", r"\mathbf{I}_{3}"),
    (tree.Diagonal(tree.Matrix("x")), "diag(x)", "diag(x)", r"\operatorname{diag}(x)"),
    (tree.OneHot(tree.Matrix("x"), number(3)), "onehot(x, 3)", "onehot₃(x)", r"\operatorname{onehot}_{3}(x)"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "text", "unicode", "latex"), CASES, ids=[case[1] for case in CASES])
def test_formula(formula: tree.Node, text: str, unicode: str, latex: str) -> None:
    assert formula_text.render(formula, NAMES) == text
    assert formula_unicode.render(formula, NAMES) == unicode
    assert formula_latex.render(formula, NAMES) == latex


def test_a_quotient_of_names_that_look_like_differentials_is_no_derivative() -> None:
    names = Names.given([Shown(name, name, name) for name in ("J", "z", "dJ", "dz")])
    assert formula_text.render(over(at("dJ"), at("dz")), names) == "dJ/(dz)"
    assert formula_text.render(tree.Partial(at("J"), at("z")), names) == "dJ/dz"


def test_a_change_is_never_written_like_a_quantity() -> None:
    names = Names.given([Shown(name, name, name) for name in ("x", "dx", "y", "step", "z", "dz")])
    changes = equal(tree.Differential(at("y")), times(at("dx"), tree.Differential(at("x"))))
    word = tree.Differential(at("step"))
    assert formula_text.render(changes, names) == "dy = dx*d x"
    assert formula_unicode.render(changes, names) == "dy = dx · d x"
    assert formula_latex.render(changes, names) == r"\mathrm{d}y = \mathrm{dx} \cdot \mathrm{d}\,x"
    assert formula_mathml.render(word, names).startswith('<mi mathvariant="normal">d</mi><mspace width="0.1667em"/>')
    assert formula_text.render(word, names) == "dstep"
    assert formula_unicode.render(word, names) == "d step"
    assert formula_text.render(over(word, at("dz")), names) == "dstep/(dz)"


def test_symbols_make_way_for_quantities_of_that_name() -> None:
    names = Names.given([Shown(name, name, name, "", ("k",), (3,)) for name in ("σ", "δ", "Σ", "π", "I")])
    formula = total(times(apply("sigmoid", at("σ", "k")), delta, at("Σ", "k"), tree.Number("π")), "k")
    assert formula_unicode.render(formula, names) == "∑ₖ sigmoid(σₖ) · [i = k] · Σₖ · 3.141592653589793"
    assert formula_unicode.render(tree.Identity(number(2)), names) == "Id₂"


def test_a_formula_of_any_depth_is_printed() -> None:
    deep: tree.Node = at("S")
    for _ in range(5000):
        deep = apply("tanh", deep)
    assert formula_text.render(deep, NAMES).count("(") == 5000
    assert formula_unicode.render(deep, NAMES).count("(") == 5000
    assert formula_latex.render(deep, NAMES).count("tanh") == 5000
