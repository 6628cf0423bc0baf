"""The one rule against ``sympy.diff`` of the cost, expanded into single entries."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Expr, Float, Symbol

from backprop_cli.symbolic.derivation import Adjoints, derive
from backprop_cli.symbolic.expansion import Expansion
from backprop_cli.symbolic.graph import Graph, Quantity
from backprop_cli.symbolic.notation import Adjoint, Compare, Place, Where
from tests.symbolic.systems import SYSTEMS


def positions(quantity: Quantity) -> list[tuple[int, ...]]:
    return list(product(*(range(1, size + 1) for size in quantity.shape)))


def numeric(expression: Expr, values: dict[Expr, Expr]) -> float:
    return float(decided(expression.xreplace(values)).evalf(30))


def decided(expression: Expr) -> Expr:
    """Choices whose conditions are numbers are made."""
    parts = [decided(part) if isinstance(part, Expr) else part for part in expression.args]
    rebuilt = expression.func(*parts) if expression.args else expression
    if isinstance(rebuilt, Compare):
        left, right = rebuilt.left.evalf(30), rebuilt.right.evalf(30)
        holds = {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right, "==": left == right}
        return Float(int(bool(holds[rebuilt.operator])))
    if isinstance(rebuilt, Where):
        return rebuilt.then if rebuilt.condition != 0 else rebuilt.otherwise
    return rebuilt


@st.composite
def assignments(draw: st.DrawFn, graph: Graph) -> dict[Expr, Expr]:
    """A number for every entry of every given quantity, no two alike and none near a kink."""
    entries = [Place(q.name, *at) for q in graph.quantities if q.is_given for at in positions(q)]
    numbers = draw(
        st.lists(st.integers(-40, 40).filter(bool), min_size=len(entries), max_size=len(entries), unique=True)
    )
    return {entry: Float(number, 30) / 23 for entry, number in zip(entries, numbers, strict=True)}


def assert_rule_holds(adjoints: Adjoints, values: dict[Expr, Expr]) -> None:
    graph = adjoints.graph
    expansion = Expansion(adjoints)
    cost = expansion.expanded(Place("J"))
    symbols = {place: Symbol(f"e{number}", real=True) for number, place in enumerate(values)}
    by_symbol = {symbol: values[place] for place, symbol in symbols.items()}
    for quantity in graph.quantities:
        if not quantity.is_given:
            continue
        for at in positions(quantity):
            place = Place(quantity.name, *at)
            direct = numeric(cost.xreplace(symbols).diff(symbols[place]), by_symbol)
            derived = numeric(expansion.expanded(Adjoint(quantity.name, *at)), values)
            assert derived == pytest.approx(direct, rel=1e-12, abs=1e-12), (place, adjoints.formulas[quantity.name])


@pytest.mark.parametrize("name", SYSTEMS)
@given(data=st.data())
@settings(max_examples=3, deadline=None)
def test_every_adjoint_is_the_derivative_of_the_expanded_cost(name: str, data: st.DataObject) -> None:
    graph = SYSTEMS[name]
    assert_rule_holds(derive(graph), data.draw(assignments(graph)))


def test_the_check_sees_a_missing_factor() -> None:
    graph = SYSTEMS["dense tanh"]
    adjoints = derive(graph)
    wrong = {
        **adjoints.formulas,
        "W": adjoints.formulas["x"].__class__(
            adjoints.formulas["W"].target, adjoints.formulas["W"].indices, adjoints.formulas["W"].shape, ()
        ),
    }
    values = {
        Place(q.name, *at): Float(n + 1, 30) / 7
        for n, (q, at) in enumerate((q, at) for q in graph.quantities if q.is_given for at in positions(q))
    }
    with pytest.raises(AssertionError):
        assert_rule_holds(Adjoints(graph, wrong, adjoints.paths), values)


@pytest.mark.parametrize(
    ("system", "name", "formula"),
    [
        ("softmax", "x", "a[j]*(dJ/da[j] - sum(dJ/da[k]*a[k], k))"),
        ("cross-entropy", "x", "p[j]*sum(y[k], k) - y[j]"),
        ("binary cross-entropy", "x", "1/3*(p[j] - y[j])"),
        ("sigmoid written out", "W", "dJ/da[i]*a[i]*(1 - a[i])*x[j]"),
        ("shifted positions", "x", "sum(dJ/dz[j-k+1]*w[k]*(j - k + 1 >= 1)*(j - k + 1 <= 4), k)"),
    ],
)
def test_textbook_forms(system: str, name: str, formula: str) -> None:
    from backprop_cli.documents.names import Names
    from backprop_cli.renderers.formula_text import render
    from backprop_cli.symbolic.display import terms_tree

    graph = SYSTEMS[system]
    assert render(terms_tree(derive(graph).formulas[name].terms), Names.of(graph)) == formula
