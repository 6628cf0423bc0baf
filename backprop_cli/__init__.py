"""Backpropagation, derived: a network in YAML becomes formulas for its gradients, and NumPy that computes them.

    import backprop_cli as bp
    network = bp.load("specs/xor.yaml")
    print(network.compile().run().gradients["W1"])

The names below are imported when they are first used, so that ``backprop --help`` does not wait for SymPy and NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backprop_cli.errors import BackpropError, Problem, SpecError
    from backprop_cli.network import Network, load

__version__ = "0.1.0"

__all__ = ["BackpropError", "Network", "Problem", "SpecError", "__version__", "load"]

_HOMES = {
    "BackpropError": "backprop_cli.errors",
    "Network": "backprop_cli.network",
    "Problem": "backprop_cli.errors",
    "SpecError": "backprop_cli.errors",
    "load": "backprop_cli.network",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'backprop_cli' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
