"""How large the arrays on the way to a quantity are, counted before they are built."""

from __future__ import annotations

from math import prod

import pytest

from backprop_cli.numeric.lowering import Lowering
from backprop_cli.numeric.operations import Table
from backprop_cli.symbolic.array_sizes import largest_array
from backprop_cli.symbolic.formulas import canonical
from backprop_cli.symbolic.graph import Graph
from backprop_cli.symbolic.notation import Place, Reduce, index
from tests.assembly.specs import built

GIVEN = """
inputs: {x: {shape: [7, 5]}, v: {shape: [7], value: 2}}
parameters: {W: {shape: [4, 5]}, C: {shape: [6, 5]}, A: {shape: [5, 5]}, B: {shape: [4, 6]}, E: {shape: [9, 4]},
  q: {shape: [4, 6, 5]}}
"""

FORMULAS = {
    "z[i] = sum(W[i,j]*x[j], j)": 7 * 5,
    "z[i] = tanh(sum(W[i,j]*x[j], j))": 7 * 5,
    "z[k] = sum((x[j] - C[k,j])**2, j)": 7 * 6,
    "z[i] = sum(where(i <= j, W[i,j]*x[j], 0), j)": 7 * 4 * 5,
    "z[i] = sum(W[i,j]*x[j]*(i == j), j)": 7 * 5,
    "z[i] = E[v+1,i]": 7 * 4,
    "z[i] = max(W[i,j]*x[j], j)": 7 * 4 * 5,
    "z[i] = tanh(max(W[i,j]*x[j], j)*sum(B[i,k], k))": 7 * 4 * 5,
    "s = sum(W[i,j]*C[k,j]*B[i,k], i, j, k)": 6 * 5,
    "s = sum(tanh(W[i,j]*C[k,j]), i, j, k)": 4 * 6 * 5,
    "s = sum(q[i,k,j]*W[i,j]*C[k,j]*B[i,k], i, j, k)": 4 * 6 * 5,
    "s = sum(A[a,b]*A[b,c]*A[c,d]*A[d,e]*A[e,a], a, b, c, d, e)": 5 * 5,
    "s = sum(A[a,b]*tanh(A[b,c]*A[c,d]*A[d,e]*A[a,e]), a, b, c, d, e)": 5**5,
    "s = sum(sum(W[i,j]*x[j], j)*sum(B[i,k]*C[k,j], j, k), i)": 7 * 5,
    "s = 1/sum(exp(W[i,j])*x[j], i, j)": 7 * 5,
    "s = mean((W[i,j] - x[j])**2, i, j)": 7 * 5,
}


def graph_of(formula: str) -> Graph:
    name = formula[0]
    total = f"\n  - 's2 = sum({name}[i], i)'" if name == "z" else ""
    return built(f"{GIVEN}equations:\n  - '{formula}'{total}\nloss: {'s2' if total else 's'}\n")[0]


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_largest_array_of_a_formula(formula: str) -> None:
    quantity = graph_of(formula)[formula[0]]
    assert quantity.definition is not None
    sizes = dict(zip(quantity.indices, quantity.shape, strict=True))
    assert largest_array(quantity.definition, sizes, 0) == FORMULAS[formula]


@pytest.mark.parametrize("formula", FORMULAS)
def test_nothing_is_counted_that_the_program_does_not_build(formula: str) -> None:
    graph = graph_of(formula)
    lowering = Lowering(Table())
    for quantity in graph.quantities:
        if quantity.definition is None:
            lowering.give(quantity.place, quantity.shape)
    quantity = graph[formula[0]]
    lowering.define(quantity.place, quantity.shape, [({}, (canonical(quantity.definition),))])
    built_arrays = [prod(lowering.table.shape(value)) for value in range(len(lowering.table))]
    assert max(built_arrays) >= FORMULAS[formula]


def test_a_product_of_large_matrices_needs_no_array_of_all_its_terms() -> None:
    n, i, j = index("n"), index("i"), index("j")
    definition = Reduce("sum", Place("W", i, j) * Place("x", n, j), j, 3000)
    assert largest_array(definition, {n: 512, i: 3000}, 0) == 3000 * 3000


def test_what_cannot_be_too_large_is_not_looked_at_closely() -> None:
    n, j = index("n"), index("j")
    definition = Reduce("sum", Place("x", n, j), j, 20)
    assert largest_array(definition, {n: 10}, 199) == 200
    assert largest_array(definition, {n: 10}, 200) == 200
    assert largest_array(Reduce("sum", Place("w", j) * Place("x", n, j), j, 20) ** 2, {n: 10}, 10**6) == 200
