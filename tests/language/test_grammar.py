"""Text to tree: structure, names and numbers are kept as they are written."""

from __future__ import annotations

import pytest

from backprop_cli.language.grammar import defined_name, parse_equation, parse_expression, used_as_positions
from backprop_cli.language.offsets import Offsets
from backprop_cli.language.tokens import is_name
from backprop_cli.language.tree import (
    Add,
    Apply,
    Comparison,
    Negative,
    Node,
    Number,
    Place,
    Power,
    Product,
    Quotient,
    Reduction,
)
from backprop_cli.language.walking import walk

a, b, c, i, j, k, x, z = (Place(name) for name in "abcijkxz")
one, two = Number("1"), Number("2")


def at(name: str, *positions: Node) -> Place:
    return Place(name, positions)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", a),
        ("(a)", a),
        ("+a", a),
        ("2", two),
        (".5", Number(".5")),
        ("1e-3", Number("1e-3")),
        ("2.", Number("2.")),
        ("007", Number("007")),
        ("x[1]", at("x", one)),
        ("x[i, 2]", at("x", i, two)),
        ("x[2*i+1]", at("x", Add((Product((two, i)), one)))),
        ("-a**2", Negative(Power(a, two))),
        ("a**-b", Power(a, Negative(b))),
        ("a**b**c", Power(a, Power(b, c))),
        ("a - b - c", Add((a, Negative(b), Negative(c)))),
        ("a - (b + c)", Add((a, Negative(Add((b, c)))))),
        ("a*b*c", Product((a, b, c))),
        ("a*(b*c)", Product((a, Product((b, c))))),
        ("a/b/c", Quotient(Quotient(a, b), c)),
        ("a/b*c", Product((Quotient(a, b), c))),
        ("2*(a - b)", Product((two, Add((a, Negative(b)))))),
        ("-a*b", Product((Negative(a), b))),
        ("a*-b", Product((a, Negative(b)))),
        ("a <= b + c", Comparison("<=", a, Add((b, c)))),
        ("(a == b)*c", Product((Comparison("==", a, b), c))),
        ("tanh(z)", Apply("tanh", (z,))),
        ("where(a > b, a, b)", Apply("where", (Comparison(">", a, b), a, b))),
        ("sum(x[j], j)", Reduction("sum", at("x", j), ("j",))),
        ("sum(a, j, k)", Reduction("sum", a, ("j", "k"))),
        ("mean(x[j], j)", Reduction("mean", at("x", j), ("j",))),
        ("argmax(x[j], j)", Reduction("argmax", at("x", j), ("j",))),
        ("max(x[k], k)", Reduction("max", at("x", k), ("k",))),
        ("max(x[k], a)", Apply("max", (at("x", k), a))),
        ("max(a, b)", Apply("max", (a, b))),
        ("max(a, 1)", Apply("max", (a, one))),
        ("max(a, b, c)", Apply("max", (a, b, c))),
        ("min(x[j]*x[k], j, k)", Reduction("min", Product((at("x", j), at("x", k))), ("j", "k"))),
        ("f(a, b)", Apply("f", (a, b))),
        ("a\n  + b", Add((a, b))),
    ],
)
def test_expressions(text: str, expected: Node) -> None:
    assert parse_expression(text) == expected


def test_an_equation() -> None:
    assert parse_equation("z[i] = sum(W[i,j]*x[j], j) + b[i]") == (
        at("z", i),
        Add((Reduction("sum", Product((at("W", i, j), at("x", j))), ("j",)), at("b", i))),
    )


PYTHON = "lambda in is not None True E I N S Q O beta match print import__ exp"
ELSEWHERE = "β σ ŷ y\u0302 ﬁ x٣ 名前 É"


@pytest.mark.parametrize("name", [*PYTHON.split(), *ELSEWHERE.split(), "W_hidden", "z1"])
def test_any_letter_first_name_is_kept_as_it_is_written(name: str) -> None:
    assert is_name(name)
    assert parse_equation(f"{name} = 2*{name}[{name}] - {name}") == (
        Place(name),
        Add((Product((two, at(name, Place(name)))), Negative(Place(name)))),
    )


def test_names_that_look_alike_stay_two_names() -> None:
    micro, mu, ligature = "µ", "μ", "ﬁ"
    assert parse_expression(f"{micro} + {mu} + {ligature} + fi") == Add(
        (Place(micro), Place(mu), Place(ligature), Place("fi"))
    )


@pytest.mark.parametrize("text", ["", "_a", "1a", "a b", "a-b", "a.b", "²", "a²", "a\0", "a·b", "[", "a'", "\n"])
def test_what_is_no_name(text: str) -> None:
    assert not is_name(text)


def test_long_sums_and_products_stay_flat() -> None:
    assert parse_expression("+".join("a" * 1000)) == Add((a,) * 1000)
    assert parse_expression("*".join("a" * 1000)) == Product((a,) * 1000)


def test_every_node_knows_where_it_begins() -> None:
    text = "z[i] = sum(W[i,j]*x[j], j) - tanh(-2*b[i])**2"
    offsets = Offsets()
    left, right = parse_equation(text, offsets)
    found = {text[offsets.of(node) :][:4] for side in (left, right) for node in walk(side)}
    assert found == {"z[i]", "i] =", "sum(", "W[i,", "i,j]", "j]*x", "x[j]", "j], ", "tanh", "-2*b", "2*b[", "b[i]"} | {
        "i])*",
        "2",
    }


@pytest.mark.parametrize(
    ("text", "name"), [("z[i] = 2x", "z"), ("z = (", "z"), ("z", "z"), ("2 = z", None), ("", None), ("_z = 1", None)]
)
def test_the_name_that_an_equation_defines(text: str, name: str | None) -> None:
    assert defined_name(text) == name


def test_the_indices_that_stand_as_positions() -> None:
    assert used_as_positions(parse_expression("W[i,2]*x[j]*k + f(y[l+1], m)")) == {"i", "j", "l"}
