"""Packages that only one format needs, imported when a page of it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from backprop_cli.errors import BackpropError


def package(name: str, purpose: str) -> Any:
    """The package, as a module. Raises BackpropError that says how to install it where it is missing."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise BackpropError(f"{purpose} needs the package {name}, which is not installed: pip install {name}") from None
