"""Closed forms: each is found, equals the derivative, and those that would divide by a new quantity are refused."""

from __future__ import annotations

import json

import pytest
from sympy import Expr, Float, Mul, exp, log, sqrt, tanh

import backprop_cli as bp
from backprop_cli.documents.names import Names
from backprop_cli.renderers.formula_text import render
from backprop_cli.symbolic.closed_forms import in_terms_of_values
from backprop_cli.symbolic.display import tree_of
from backprop_cli.symbolic.functions import CLASSES, apply
from backprop_cli.symbolic.notation import Place, index
from backprop_cli.symbolic.rule import occurrences
from tests.symbolic.test_rule import decided

i = index("i")
z, a = Place("z", i), Place("a", i)
sigmoid = apply("sigmoid", (z,))

FOUND = {
    tanh(z): "1 - a[i]**2",
    sigmoid: "a[i]*(1 - a[i])",
    1 / (1 + exp(-z)): "a[i]*(1 - a[i])",
    exp(z) / (1 + exp(z)): "a[i]*(1 - a[i])",
    (1 + tanh(z / 2)) / 2: "a[i]*(1 - a[i])",
    (exp(z) - exp(-z)) / (exp(z) + exp(-z)): "1 - a[i]**2",
    2 * sigmoid - 1: "1/2*(1 - a[i])*(1 + a[i])",
    exp(z): "a[i]",
    apply("softplus", (z,)): "sigmoid(z[i])",
}
REFUSED = {
    "swish as a quotient": z / (1 + exp(-z)),
    "mish": z * tanh(log(1 + exp(z))),
    "a square root": sqrt(z),
    "a power": z**3,
}


LONGER = {
    "a term of the definition comes back": z**3 + exp(z) / 2,
    "and squared": z + tanh(z),
    "as long as the derivative": 1 + exp(z),
    "a factor more": 1 + 2 * tanh(z),
}


def slope(definition: Expr) -> tuple[Expr, Expr]:
    (occurrence,) = occurrences(definition, "z")
    plain = Mul(*occurrence.chain)
    return plain, in_terms_of_values(plain, [(a, definition)])


@pytest.mark.parametrize("definition", FOUND, ids=str)
def test_what_textbooks_show_is_found(definition: Expr) -> None:
    _, closed = slope(definition)
    assert render(tree_of(closed), Names()) == FOUND[definition]


@pytest.mark.parametrize("name", REFUSED)
def test_no_closed_form_divides_by_a_new_quantity(name: str) -> None:
    plain, closed = slope(REFUSED[name])
    assert closed == plain


@pytest.mark.parametrize("name", LONGER)
def test_no_closed_form_is_longer_or_brings_the_definition_back(name: str) -> None:
    plain, closed = slope(LONGER[name])
    assert closed == plain


MASKED_SOFTMAX = {
    "softmax": ("exp(s[u])", "exp(s[k])"),
    "by choice": ("where(u <= 2, exp(s[u]), 0)", "where(k <= 2, exp(s[k]), 0)"),
    "by the opposite choice": ("where(u > 2, 0, exp(s[u]))", "where(k > 2, 0, exp(s[k]))"),
}


@pytest.mark.parametrize("name", MASKED_SOFTMAX)
def test_a_masked_softmax_has_the_closed_form_of_softmax(name: str) -> None:
    above, below = MASKED_SOFTMAX[name]
    spec = {
        "inputs": {"s": [1, 2, 3]},
        "equations": [f"p[u] = {above}/sum({below}, k)", "J = sum(p[u]**2, u)"],
        "loss": "J",
    }
    steps = bp.load(json.dumps(spec) + "\n").derive().as_data()["steps"]
    formulas = {step["of"]: step["formula"]["text"].partition(" = ")[2] for step in steps}
    assert formulas["dp/ds"] == "p[u]*((u == k) - p[k])"


@pytest.mark.parametrize("definition", [*FOUND, *REFUSED.values(), *(apply(n, (z,)) for n in ("silu", "gelu", "elu"))])
@pytest.mark.parametrize("number", [-1.75, 0.375, 2.5])
def test_a_closed_form_equals_the_difference_quotient(definition: Expr, number: float) -> None:
    if definition.has(sqrt(z)) and number < 0:
        number = -number
    _, closed = slope(definition)

    def value(expression: Expr, at: Float) -> Expr:
        expanded = expression.xreplace({a: definition})
        for _ in range(3):
            expanded = expanded.replace(lambda e: isinstance(e, tuple(LIBRARY)), lambda e: e.definition)
        return decided(expanded.xreplace({z: at})).evalf(40)

    step = Float("1e-12", 40)
    at = Float(number, 40)
    quotient = (value(definition, at + step) - value(definition, at - step)) / (2 * step)
    assert float(value(closed, at)) == pytest.approx(float(quotient), rel=1e-9)


LIBRARY = [cls for cls in CLASSES.values() if hasattr(cls, "entry")]
