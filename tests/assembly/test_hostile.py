"""Networks and formulas out to hang the tool or to fill the memory, and anything at all that looks like one."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_cli.errors import SpecError
from tests.assembly.specs import built, problems


def test_a_network_that_is_too_large_is_refused_before_it_is_drawn() -> None:
    started = time.process_time()
    found = problems("""\
        inputs: {x: {shape: [5000, 3]}}
        targets: {y: {shape: [5000, 3]}}
        layers:
          - dense: {units: 5000}
          - dense: {units: 3}
        loss: mse
        """)
    assert found == ["4:12: 25,000,000 numbers are computed up to 'z1'; at most 10,000,000 are allowed"]
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("shape", "formula", "numbers"),
    [
        (26, "sum(A[a,b]*tanh(A[b,c]*A[c,d]*A[d,e]*A[e,f]*A[a,f]), a, b, c, d, e, f)", "308,915,776"),
        (1000, "sum(max(A[a,b]*A[b,c], b), a, c)", "1,000,000,000"),
    ],
)
def test_an_equation_that_would_fill_the_memory_is_refused(shape: int, formula: str, numbers: str) -> None:
    found = problems(f"""\
        inputs: {{x: 1}}
        parameters: {{A: {{shape: [{shape}, {shape}]}}}}
        equations:
          - y = x
          - L = {formula}
        loss: L
        """)
    assert found == [f"5:5: computing 'L' needs an array of {numbers} numbers; at most 50,000,000 are allowed"]


def test_a_large_product_of_matrices_is_not_refused() -> None:
    graph, _ = built("""\
        inputs: {x: {shape: [512, 2000]}}
        parameters: {W: {shape: [2000, 2000]}}
        equations:
          - z[i] = sum(W[i,j]*x[j], j)
          - L = sum(tanh(z[i])**2, i)
        loss: L
        """)
    assert graph["z"].shape == (512, 2000)


HOSTILE = [
    "x**x**x",
    "sin(" * 45 + "x" + ")" * 45,
    "sqrt(" * 45 + "2*x" + ")" * 45,
    "exp(log(" * 22 + "x" + "))" * 22,
    "*".join(f"(x+{number})" for number in range(300)),
    "((x+1)**30)**30",
    "exp(1e300*log(x))",
    "log(exp(1e308*x))",
    "tan(1e300)*x",
    "x**1000/x**-1000",
]


@pytest.mark.parametrize("formula", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_formulas_are_quick(formula: str) -> None:
    started = time.process_time()
    built(f'inputs: {{x: 2}}\nequations: ["v = {formula}"]\nloss: v\n')
    assert time.process_time() - started < 5


GIVEN = """\
inputs: {x: [1, 2], s: 1}
targets: {y: [[1, 2], [3, 4]]}
parameters: {W: [[1, 2], [3, 4]]}
equations:"""


def test_thousands_of_problems_end_after_a_hundred() -> None:
    started = time.process_time()
    lines = "".join(f"  - q{number} = {'+'.join(f'zz{term}' for term in range(300))}\n" for number in range(100))
    found = problems(f"inputs: {{x: 1}}\nequations:\n{lines}loss: q1\n")
    assert len(found) == 101
    assert found[-1] == "3:500: ... and perhaps more problems from here on"
    assert time.process_time() - started < 5


WORDS = "x y W s n i j sum( max( where( exp( log( 2 0 .5 + - * / ** ( ) ) [ ] , < == [i] [j] [i,j] ,j) ,i)"


@given(st.lists(st.lists(st.sampled_from(WORDS.split()), max_size=12).map("".join), min_size=1, max_size=3))
def test_anything_like_equations_is_built_or_refused(formulas: list[str]) -> None:
    lines = [f"  - 'q{number}{'[i]' * (number % 2)} = {formula}'" for number, formula in enumerate(formulas)]
    text = "\n".join([GIVEN, *lines, "loss: q0", ""])
    with suppress(SpecError):
        built(text)
