"""The command line as a function, as in the tests of the command line."""

from __future__ import annotations

from tests.cli.conftest import backprop

__all__ = ["backprop"]
