"""The functions of the equation language: one entry each, defined in the users' own language.

A function without a definition is one that SymPy differentiates itself (exp, log, sqrt, tanh ...). Every other
derivative comes out of the definition; none is written down anywhere. The definitions decide what happens at a kink:
the slope of ``where(z > 0, z, 0)`` at 0 is that of the branch chosen there.

Constants and conventions as in PyTorch: leaky_relu 0.01, elu 1, gelu exact. Sources: torch.nn.functional.
"""

from __future__ import annotations

from typing import NamedTuple

from backprop_cli.translation import marked


class FunctionEntry(NamedTuple):
    """One function: its arguments, its definition in them, and how it is shown.

    ``symbol`` is its name in formulas for people (σ for sigmoid); ``kink`` says where its slope jumps and which slope
    it is given there, as a phrase that follows "at". ``variadic`` functions take two or more arguments, folded from the
    left. ``activation`` is False for what no layer would use on its own.
    """

    name: str
    arguments: tuple[str, ...]
    definition: str | None
    symbol: str
    kink: str | None = None
    variadic: bool = False
    activation: bool = True


class IndexedFunctionEntry(NamedTuple):
    """An activation that is no function of one number: ``a[i]`` defined over the last axis of ``z``."""

    name: str
    equation: str
    symbol: str


def _native(name: str, symbol: str | None = None) -> FunctionEntry:
    return FunctionEntry(name, ("z",), None, symbol or name)


_ENTRIES = (
    _native("exp"),
    _native("log"),
    _native("sqrt"),
    _native("sin"),
    _native("cos"),
    _native("tan"),
    _native("sinh"),
    _native("cosh"),
    _native("tanh"),
    _native("erf"),
    FunctionEntry("sigmoid", ("z",), "1/(1 + exp(-z))", "σ"),
    FunctionEntry("relu", ("z",), "where(z > 0, z, 0)", "relu", kink=marked("0, where its slope is taken as 0")),
    FunctionEntry(
        "leaky_relu",
        ("z",),
        "where(z > 0, z, 0.01*z)",
        "leaky_relu",
        kink=marked("0, where its slope is taken as 0.01, the one on the left"),
    ),
    FunctionEntry("elu", ("z",), "where(z > 0, z, exp(z) - 1)", "elu"),
    FunctionEntry("gelu", ("z",), "z*(1 + erf(z/sqrt(2)))/2", "gelu"),
    FunctionEntry("softplus", ("z",), "log(1 + exp(z))", "softplus"),
    FunctionEntry("silu", ("z",), "z*sigmoid(z)", "silu"),
    FunctionEntry(
        "sign", ("z",), "where(z > 0, 1, where(z < 0, -1, 0))", "sign", kink=marked("0, where its slope is taken as 0")
    ),
    FunctionEntry(
        "abs", ("z",), "where(z > 0, z, where(z < 0, -z, 0))", "abs", kink=marked("0, where its slope is taken as 0")
    ),
    FunctionEntry(
        "heaviside", ("z",), "where(z > 0, 1, 0)", "heaviside", kink=marked("0, where its slope is taken as 0")
    ),
    FunctionEntry(
        "max",
        ("u", "v"),
        "where(u >= v, u, v)",
        "max",
        kink=marked("equal arguments, where the first takes the gradient"),
        variadic=True,
        activation=False,
    ),
    FunctionEntry(
        "min",
        ("u", "v"),
        "where(u <= v, u, v)",
        "min",
        kink=marked("equal arguments, where the first takes the gradient"),
        variadic=True,
        activation=False,
    ),
)

FUNCTIONS = {entry.name: entry for entry in _ENTRIES}

SOFTMAX = IndexedFunctionEntry("softmax", "a[i] = exp(z[i])/sum(exp(z[k]), k)", "softmax")

IDENTITY = "identity"

ACTIVATIONS = (IDENTITY, *(entry.name for entry in _ENTRIES if entry.activation), SOFTMAX.name)

# ``where`` is a form of the language: it has a condition, which is no number to differentiate by.
CALLABLE = (*FUNCTIONS, "where")
