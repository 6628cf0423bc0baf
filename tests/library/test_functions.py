"""Every function's definition against PyTorch and against numbers known from elsewhere, and its slope at a kink."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import sympy

from backprop_cli.language.grammar import parse_equation, parse_expression
from backprop_cli.library.functions import ACTIVATIONS, CALLABLE, FUNCTIONS, SOFTMAX
from backprop_cli.symbolic.functions import CLASSES, LibraryFunction, apply, expanded
from backprop_cli.symbolic.notation import Compare, Where, fresh_value

POINTS = (-3.5, -1.0, -0.25, 0.0, 0.125, 1.0, 2.75)

# Values at 1/2, to ten digits, from tables and from WolframAlpha.
AT_HALF = {
    "exp": 1.6487212707,
    "log": -0.6931471806,
    "sqrt": 0.7071067812,
    "sin": 0.4794255386,
    "cos": 0.8775825619,
    "tan": 0.5463024898,
    "sinh": 0.5210953055,
    "cosh": 1.1276259652,
    "tanh": 0.4621171573,
    "erf": 0.5204998778,
    "sigmoid": 0.6224593312,
    "relu": 0.5,
    "leaky_relu": 0.5,
    "elu": 0.5,
    "gelu": 0.3457312307,
    "softplus": 0.9740769842,
    "silu": 0.3112296656,
    "sign": 1.0,
    "abs": 0.5,
    "heaviside": 1.0,
}

# Slopes where the function has a kink (contract, "Functions").
AT_KINK = {"relu": 0, "leaky_relu": 0.01, "sign": 0, "abs": 0, "heaviside": 0, "elu": 1}


def number(expression: sympy.Expr, at: Mapping[sympy.Symbol, float]) -> float:
    """The value of an expression of library functions, worked out from their definitions."""
    return float(
        _number(expanded(expression).xreplace({symbol: sympy.Float(value, 30) for symbol, value in at.items()}))
    )


def _number(node: Any) -> Any:
    if isinstance(node, Where):
        return _number(node.then if _number(node.condition) else node.otherwise)
    if isinstance(node, Compare):
        left, right = _number(node.left), _number(node.right)
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[node.operator]
    return node.func(*map(_number, node.args)).evalf(30) if node.args else node.evalf(30)


def value(name: str, *at: float) -> float:
    symbols = [fresh_value("z") for _ in at]
    return number(apply(name, tuple(symbols)), dict(zip(symbols, at, strict=True)))


def slope(name: str, *at: float, by: int = 0) -> float:
    symbols = [fresh_value("z") for _ in at]
    return number(apply(name, tuple(symbols)).diff(symbols[by]), dict(zip(symbols, at, strict=True)))


def test_the_table_holds_the_functions_of_the_contract() -> None:
    contract = (
        "exp log sqrt sin cos tan sinh cosh tanh sigmoid relu leaky_relu elu gelu softplus silu sign abs erf min max "
        "where heaviside"
    )
    assert set(CALLABLE) == set(contract.split())


@pytest.mark.parametrize("name", [name for name, entry in FUNCTIONS.items() if len(entry.arguments) == 1])
def test_every_function_has_its_known_value_at_one_half(name: str) -> None:
    assert value(name, 0.5) == pytest.approx(AT_HALF[name], rel=1e-9)


@pytest.mark.parametrize(("name", "expected"), AT_KINK.items())
def test_the_slope_at_a_kink(name: str, expected: float) -> None:
    assert slope(name, 0.0) == expected


def test_every_function_with_a_kink_says_so() -> None:
    kinked = {name for name, entry in FUNCTIONS.items() if entry.kink}
    assert kinked == set(AT_KINK) - {"elu"} | {"max", "min"}


@pytest.mark.parametrize(("name", "at", "expected"), [("max", (2, 2), (1, 0)), ("min", (2, 2), (1, 0))])
def test_of_equal_arguments_the_first_takes_the_gradient(
    name: str, at: tuple[float, float], expected: tuple[float, float]
) -> None:
    assert (slope(name, *at, by=0), slope(name, *at, by=1)) == expected


def test_max_and_min_of_several_arguments() -> None:
    assert (value("max", 1, 3, 2), value("min", 2, 1, 3)) == (3, 1)
    assert [slope("max", 3, 3, 3, by=by) for by in range(3)] == [1, 0, 0]


def torch_functions() -> dict[str, Callable[[Any], Any]]:
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    return {
        **{name: getattr(torch, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
        **{name: getattr(torch, name) for name in ("erf", "sigmoid", "relu", "sign", "abs")},
        **{name: getattr(F, name) for name in ("leaky_relu", "elu", "gelu", "softplus", "silu")},
        "heaviside": lambda z: torch.heaviside(z.detach(), torch.zeros((), dtype=z.dtype)) + 0 * z,
    }


DEFINED = [(name, at) for name in AT_HALF for at in POINTS if name not in ("log", "sqrt") or at > 0]


@pytest.mark.parametrize(("name", "at"), DEFINED)
def test_values_and_slopes_are_those_of_torch(name: str, at: float) -> None:
    torch = pytest.importorskip("torch")
    z = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    result = torch_functions()[name](z)
    result.backward()
    assert value(name, at) == pytest.approx(result.item(), rel=1e-12, abs=1e-15)
    assert slope(name, at) == pytest.approx(z.grad.item(), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", [name for name, entry in FUNCTIONS.items() if entry.definition is not None])
def test_functions_stay_as_they_are_written(name: str) -> None:
    arguments = tuple(sympy.Integer(0) for _ in FUNCTIONS[name].arguments)
    applied = CLASSES[name](*arguments)
    assert isinstance(applied, LibraryFunction)
    assert applied.is_real
    assert str(applied) == f"{name}({', '.join('0' for _ in arguments)})"


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_definition_is_in_the_users_own_language(name: str) -> None:
    entry = FUNCTIONS[name]
    if entry.definition is not None:
        parse_expression(entry.definition)


def test_softmax_is_an_equation_in_the_users_own_language() -> None:
    left, _ = parse_equation(SOFTMAX.equation)
    assert left.name == "a"


def test_activations_are_identity_softmax_and_the_functions_of_one_number() -> None:
    assert set(ACTIVATIONS) == {"identity", "softmax"} | set(AT_HALF)


def test_slopes_come_out_of_the_definitions() -> None:
    z = fresh_value("z")
    for at in POINTS:
        sigmoid = 1 / (1 + math.exp(-at))
        assert number(apply("sigmoid", (z,)).diff(z), {z: at}) == pytest.approx(sigmoid * (1 - sigmoid), rel=1e-14)
