"""Formulas that cannot be read: what the message says, and where it points."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_cli.language.grammar import parse_equation, parse_expression
from backprop_cli.language.tokens import FormulaError, tokens

EXPRESSIONS = [
    # text, the part of it that the message points at (its last occurrence), the message
    ("", "", "an empty formula"),
    ("a b", "b", "an operator is missing in 'a b'; write 'a*b' for a product"),
    ("0 < w and w < 3", "and", "'and' is no operator; multiply two comparisons: (0 < w)*(w < 3)"),
    ("0 < w and (w < 3)", "and", "'and' is no operator; multiply two comparisons: (0 < w)*(w < 3)"),
    ("w < 0 or 3 < w", "or", "'or' is no operator; take the larger of two comparisons: max(w < 0, 3 < w)"),
    ("not w < 3", "not", "'not' is no operator; write the opposite comparison: w >= 3 for not w < 3"),
    ("2x", "x", "an operator is missing in '2x'; write '2*x' for a product"),
    ("2(a)", "(", "an operator is missing in '2('; write '2*(' for a product"),
    ("(a)(b)", "(b", "an operator is missing in ')('; write ')*(' for a product"),
    ("x[1]y", "y", "an operator is missing in ']y'; write ']*y' for a product"),
    ("1.2.3", ".3", "an operator is missing in '1.2 .3'; write '1.2*.3' for a product"),
    ("a^2", "^", "unexpected character '^'; write ** for a power"),
    ("a² + b", "²", "unexpected character '²'; write **2"),
    ("a × b", "×", "unexpected character '×'; write *"),
    ("a − b", "−", "unexpected character '−'; write -"),
    ("a ≤ b", "≤", "unexpected character '≤'; write <="),
    ("√a", "√", "unexpected character '√'; write sqrt(...)"),
    ("W @ x", "@", "unexpected character '@'; write a matrix product as sum(W[i,j]*x[j], j)"),
    ("a'", "'", "unexpected character \"'\"; there are no quotes and no primes in formulas"),
    ("a.b", ".", "unexpected character '.'"),
    ("a; b", ";", "unexpected character ';'"),
    ("a\x00", "\x00", "unexpected character '\\x00'"),
    ("x[1:2]", ":", "unexpected character ':'; positions are written one by one, as in W[i,j]"),
    ("{a}", "{", "unexpected character '{'; write ( and )"),
    ("_a", "_", "a name begins with a letter, not with '_'"),
    ("a +", "+", "something is missing after '+'"),
    ("a * / b", "/", "something is missing between '*' and '/'"),
    ("a * * b", "* *", "write ** without a blank for a power"),
    ("a // b", "/ b", "something is missing between '/' and '/'"),
    ("* a", "*", "a formula cannot begin with '*'"),
    ("f(a,)", ")", "something is missing between ',' and ')'"),
    ("f()", "(", "these brackets are empty"),
    ("x[]", "[", "these brackets are empty"),
    ("(a", "(", "'(' is never closed"),
    ("x[f(a", "(", "'(' is never closed"),
    ("a)", ")", "')' was never opened"),
    ("(a]", "]", "'(' is closed by ']'"),
    ("x[a)", ")", "'[' is closed by ')'"),
    ("a, b", ",", "a comma outside brackets; decimals are written with a point"),
    ("1,5*a", ",", "a comma outside brackets; decimals are written with a point"),
    ("(a, b)", "(", "these brackets hold several values; a comma stands between the arguments of a function or the "
     "positions of a quantity"),
    ("[1, 2]", "[", "a list cannot stand in a formula; name it under inputs or parameters"),
    ("a + [1]", "[", "'[' cannot stand here; only a name has positions"),
    ("f(a)[1]", "[", "'[' cannot stand here; only a name has positions"),
    ("W[i][j]", "[", "'[' cannot stand here; write both positions in one bracket, W[i,j]"),
    ("a = b", "=", "an equals sign in the middle of a formula; '==' compares two values"),
    ("sum(a, j=1)", "=", "an equals sign in the middle of a formula; '==' compares two values"),
    ("0 < a < 1", "0", "one comparison at a time; multiply two of them: (0 < z)*(z < 1)"),
    ("sum(a)", "sum", "sum needs the index it runs over, as in sum(x[j], j)"),
    ("mean(a)", "mean", "mean needs the index it runs over, as in mean(x[j], j)"),
    ("sum(a, 2)", "2", "after its first argument, sum takes the names of indices"),
    ("sum(a, j, x[1])", "x", "after its first argument, sum takes the names of indices"),
    ("sum(a, j, j)", "sum", "sum runs over the same index twice"),
    ("max(a)", "max", "max takes two values, max(a, b), or an index to run over, max(z[k], k)"),
    ("a if b else c", "if", "an operator is missing in 'a if'; write 'a*if' for a product"),
    ("1e400", "1", "1e400 is too large for a float64"),
    ("a + 1e-400", "1", "1e-400 is too small for a float64"),
    ("9" * 41, "", "a number of 41 characters; at most 40 are allowed"),
    ("9**9**9**9", "9**9", "an exponent above 1,000 is not allowed"),
    ("a**1001", "1001", "an exponent above 1,000 is not allowed"),
    ("a**-1001", "-", "an exponent above 1,000 is not allowed"),
    ("((2*a)**999)**999", "", "the numbers in this formula grow too large"),
    ("exp(999999*log(2*a))", "exp", "the numbers in this formula grow too large"),
    ("1/0", "0", "this divides by zero"),
    ("a/(3 - 3)", "3 -", "this divides by zero"),
    ("a*0**-1", "0**", "this divides by zero"),
    ("a*(-8)**(1/3)", "(-8", "this has no real value"),
    ("a + sqrt(-1)", "sqrt", "this has no real value"),
    ("log(0)*a", "log", "this has no real value"),
    ("a*log(3 - 5)", "log", "this has no real value"),
    ("exp(1000)", "exp", "this is too large for a float64"),
    ("1e308*10", "1e", "this is too large for a float64"),
    ("1/sin(0)", "sin", "this divides by zero"),
    ("------a", "-", "too many signs in a row"),
    ("(" * 51 + "a", "(", "brackets more than 50 deep"),
    ("(" * 1_000_000, "", "the formula has 1,000,000 characters; at most 10,000 are allowed"),
    ("+".join("a" * 4000), "", "the formula has more than 2,000 symbols"),
    ("**".join("a" * 500), "", "the formula is nested too deeply"),
    ("/".join("a" * 500), "", "the formula is nested too deeply"),
]  # fmt: skip

EQUATIONS = [
    ("", 0, "an empty equation; write it like z = w*x + b"),
    ("a + b", 0, "an equation needs an equals sign, like z = w*x + b"),
    ("a == b", 2, "an equation is written with one equals sign; '==' compares two values"),
    ("= a", 0, "the left side of the equation is missing"),
    ("a = ", 3, "the right side of the equation is missing"),
    ("a = b = c", 6, "an equals sign in the middle of a formula; '==' compares two values"),
    ("a + b = c", 0, "the left side of an equation is one quantity, like z or z[i,j]"),
    ("2 = c", 0, "the left side of an equation is one quantity, like z or z[i,j]"),
    ("a = 2x", 5, "an operator is missing in '2x'; write '2*x' for a product"),
]


@pytest.mark.parametrize(("text", "part", "message"), EXPRESSIONS, ids=lambda value: str(value)[:30])
def test_what_is_wrong_with_an_expression(text: str, part: str, message: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse_expression(text)
    assert caught.value.message == message
    if part:
        assert text.startswith(part, caught.value.offset)


@pytest.mark.parametrize(("text", "offset", "message"), EQUATIONS)
def test_what_is_wrong_with_an_equation(text: str, offset: int, message: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse_equation(text)
    assert (caught.value.offset, caught.value.message) == (offset, message)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "lambda: 0",
        "[x for x in y]",
        "x.__class__",
        "f'{x}'",
        "0x10",
        "1_000",
        "1j",
        "x := 1",
        "*x",
        "f(**x)",
        "f(*x)",
        "...",
        "a # b",
        "a \\ b",
        "`a`",
        "a ? b : c",
        "not a",
        "a and b",
    ],
)
def test_python_that_is_no_formula(text: str) -> None:
    with pytest.raises(FormulaError):
        parse_expression(text)


HOSTILE = [
    "(" * 10_000,
    "9**" * 300 + "9",
    "-" * 9_999 + "a",
    "x[" * 5_000,
    "f(" * 3_000 + "a" + ")" * 3_000,
    "a**" * 600 + "a",
    "2**" * 40 + "2",
    "(1/3)**" * 40 + "1",
    "exp(" * 40 + "1e300*log(2)" + ")" * 40,
    "((((((2**1000)**1000)**1000)**1000)**1000)**1000)",
    "+".join(["1e308"] * 400),
    "*".join(["1e308"] * 400),
    "a<" * 900 + "a",
    "log(" * 40 + "1e300" + ")" * 40,
    "exp(1e-300*1e-300*log(2*a))",
    "exp(log(" * 22 + "a" + "))" * 22,
    "exp(" * 45 + "1" + ")" * 45,
    "sum(" * 45 + "a" + ", j)" * 45,
    "\u0301" * 100,
    "a" * 9_999,
    "\ud800",
]


def refusal(parse: Callable[..., object], text: str) -> FormulaError | None:
    """What is wrong with the text; anything but a FormulaError fails the test."""
    try:
        parse(text)
    except FormulaError as error:
        return error
    return None


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_formulas_are_quick(text: str) -> None:
    started = time.process_time()
    refusal(parse_expression, text)
    assert time.process_time() - started < 5


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_expression, parse_equation, tokens):
        error = refusal(parse, text)
        assert error is None or 0 <= error.offset <= len(text)


WORDS = "a x β i j sum max where exp log 2 0 .5 1e9 + - * / ** ( ) [ ] , < == ="


@given(st.lists(st.sampled_from([*WORDS.split(), " "]), max_size=40).map("".join))
def test_anything_like_a_formula_is_read_or_refused(text: str) -> None:
    for parse in (parse_expression, parse_equation):
        error = refusal(parse, text)
        assert error is None or 0 <= error.offset <= len(text)
