"""Packages that only one format needs, imported when a page of it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from backprop_cli.errors import BackpropError


def package(name: str, missing: str) -> Any:
    """The package, as a module. Raises BackpropError with the message ``missing`` where it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise BackpropError(missing.format(name=name)) from None
