"""What is wrong with equations: the exact messages, all at once, with line and column."""

from __future__ import annotations

import pytest

from tests.assembly.specs import problems

EQUATIONS = """\
inputs: {{x: [0.5, -1.0], s: 2}}
targets: {{y: [0, 1, 0]}}
parameters: {{W: [[1, 2], [3, 4], [5, 6]], b: {{shape: [3]}}}}
equations:
  - z[i] = sum(W[i,j]*x[j], j) + b[i]
  - {}
  - J = sum(z[i], i)
loss: J
"""

IN_EQUATIONS = [
    ("q = c", ["6:9: 'c' is not defined"]),
    ("q = zz[1]", ["6:9: 'zz' is not defined; did you mean 'z'?"]),
    ("q = J", ["6:9: 'J' is defined further down (7:5); an equation uses what stands before it"]),
    (
        "q = q + 1",
        ["6:9: 'q' stands in its own equation; there only earlier steps of it, such as q[t-1], have values"],
    ),
    ("q = sum(W[i,j]*z[j], i, j)", [
        "6:20: index 'j' has range 2 from W (3 x 2, axis 2, 3:17) and 3 from z (a list of 3, 5:5)",
    ]),
    ("q[i] = x[i]*y[i]", [
        "6:17: index 'i' has range 2 from x (a list of 2, 1:13) and 3 from y (a list of 3, 2:14)",
    ]),
    ("q[i,j] = W[j,i]*W[i,j]", [
        "6:21: index 'i' has range 2 from W (3 x 2, axis 2, 3:17) and 3 from W (3 x 2, axis 1, 3:17)",
        "6:21: index 'j' has range 3 from W (3 x 2, axis 1, 3:17) and 2 from W (3 x 2, axis 2, 3:17)",
    ]),
    (
        "q[i] = 1",
        [
            "6:5: the range of index 'i' is not known: it stands in no position on the right side; "
            "fix it with 'ranges: {i: ...}'"
        ],
    ),
    ("q = sum(s, k)", ["6:9: the range of index 'k' is not known: it stands in no position inside this sum"]),
    ("q = -sum(y*log(z), i)", [
        "6:14: 'y' is a list of 3 and stands here without an index; write y[i]",
        "6:20: 'z' is a list of 3 and stands here without an index; write z[i]",
    ]),
    ("q = W", ["6:9: 'W' is 3 x 2 and stands here without an index; write W[i,j]"]),
    ("q[i] = W[i]", ["6:12: 'W' is 3 x 2 and takes 2 indices, not 1"]),
    ("q[i] = x[i,i]", ["6:12: 'x' is a list of 2 and takes 1 index, not 2"]),
    ("q[i] = s[i]", ["6:12: 's' is a single number and takes no index, not 1"]),
    ("q = x[j]", ["6:11: index 'j' belongs to no sum and does not stand on the left side"]),
    ("q = x[3]", ["6:11: 'x' has no position 3 here; they run from 1 to 2"]),
    ("q = x[0] + x[1.5]", [
        "6:11: 'x' has no position 0 here; they run from 1 to 2",
        "6:18: positions are whole numbers",
    ]),
    ("q = x[-1]", ["6:11: 'x' has no position -1 here; they run from 1 to 2"]),
    ("q[i] = x[i]*x[i+1]", [
        "6:19: index 'i' has range 2 from x (a list of 2, 1:13), so this reads position 3 of x (a list of 2, 1:13); "
        "fix the range with 'ranges' if what lies outside shall read 0",
    ]),
    ("q[i] = x[2*i-3]", [
        "6:14: 'i' starts at 1, and at i = 1 this reads position -1 of x (a list of 2, 1:13); shift the position, "
        "or fix the range with 'ranges: {i: ...}' if what lies outside shall read 0",
    ]),
    ("q[i] = x[i+2]", ["6:14: no value of 'i' from 1 keeps this position inside x (a list of 2, 1:13)"]),
    ("q[i] = sum(x[i+k-1], k)", [
        "6:12: the range of index 'k' is not known: it stands beside another such index; "
        "fix it with 'ranges: {k: ...}'",
    ]),
    ("q = x[i*i]", [
        "6:11: a position is an index, a whole number, a quantity of whole numbers, or a sum of such, "
        "like x[2*(p-1)+k]",
    ]),
    ("q[i] = x[2*(p-1)+i]", ["6:17: index 'p' belongs to no sum and does not stand on the left side"]),
    ("q = x[y[1]]", ["2:15: 0 is no position of 'x'; 'y' has whole numbers from 1 to 2 here"]),
    ("q = x[b[1]]", [
        "6:11: 'b' stands in a position, but it is a parameter; positions are tokens, argmin, argmax and indices",
    ]),
    ("q = x[z[1]]", [
        "6:11: 'z' stands in a position, but it is not made of whole numbers; "
        "positions are tokens, argmin, argmax and indices",
    ]),
    ("q = sigmiod(s)", ["6:9: unknown function 'sigmiod'; did you mean 'sigmoid'?"]),
    ("q = softmax(s)", ["6:9: unknown function 'softmax'; write exp(z[i]) / sum(exp(z[k]), k)"]),
    ("q = where(not(s < 3), s, 1)", [
        "6:15: 'not' is no operator; write the opposite comparison: w >= 3 for not w < 3",
    ]),
    ("q = s(2)", ["6:9: unknown function 's'; 's' is a quantity: write s*(...) for a product"]),
    ("q = tanh", ["6:9: 'tanh' is not defined; 'tanh' is a function: tanh(...)"]),
    ("q = tanh(s, s)", ["6:9: tanh takes 1 argument, tanh(a), not 2"]),
    ("q = where(s > 0, s)", ["6:9: where takes 3 arguments, where(condition, a, b), not 2"]),
    ("q = argmax(W[i,j], i, j)", ["6:9: argmax runs over one index"]),
    ("q[1] = s", ["6:7: on the left side every position is an index, such as z[i,j]"]),
    ("q[i,i] = x[i]", ["6:9: the index 'i' stands twice on the left side"]),
    ("z[i] = 2*x[i]", ["6:5: 'z' is defined already (5:5); choose another name"]),
    ("W = s", ["6:5: 'W' is a parameter (3:17); choose another name"]),
    ("x = s", ["6:5: 'x' is an input (1:13); choose another name"]),
    ("q[s] = x[s]*s", ["6:17: 's' is both an index and a quantity here; give the index another name"]),
    ("q = 2x", ["6:10: an operator is missing in '2x'; write '2*x' for a product"]),
    ("q = log(s - s)", [
        "6:5: this formula has no real value: it divides by zero, or takes the root or logarithm of a negative number",
    ]),
    ("q = 0**s + (1-3)**x[1]", [
        "6:5: this formula has no slope: the base of a power with a quantity as exponent is above 0",
    ]),
    ("q = a + c", ["6:9: 'a' is not defined", "6:13: 'c' is not defined"]),
]  # fmt: skip


@pytest.mark.parametrize(("equation", "expected"), IN_EQUATIONS, ids=[equation for equation, _ in IN_EQUATIONS])
def test_what_is_wrong_with_an_equation(equation: str, expected: list[str]) -> None:
    assert problems(EQUATIONS.format(equation)) == expected


def test_a_name_that_only_looks_the_same() -> None:
    assert problems("inputs: {\u03bc: 1}\nequations: ['q = 2*\u00b5']\nloss: q\n") == [
        "2:20: '\u00b5' is not defined; '\u03bc' looks the same but is written U+03BC, not U+00B5"
    ]


def test_what_uses_a_broken_quantity_is_not_to_blame() -> None:
    assert problems(EQUATIONS.format("q = 2x\n  - r = 2*q")) == [
        "6:10: an operator is missing in '2x'; write '2*x' for a product"
    ]
    assert problems(EQUATIONS.format("q = nothing\n  - r = 2*q\n  - s2 = r + q")) == ["6:9: 'nothing' is not defined"]


def test_all_problems_come_at_once() -> None:
    text = (
        EQUATIONS.format("q = nothing\n  - r = sigmiod(s)\n  - t = W") + "frozen: [w]\nregularise: {l2: 1, of: [z]}\n"
    )
    assert problems(text) == [
        "6:9: 'nothing' is not defined",
        "7:9: unknown function 'sigmiod'; did you mean 'sigmoid'?",
        "8:9: 'W' is 3 x 2 and stands here without an index; write W[i,j]",
        "11:10: no parameter is called 'w'; did you mean 'W'?",
        "12:26: no parameter is called 'z'",
    ]
