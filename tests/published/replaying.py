"""Runs a published example and compares it with the numbers its source prints."""

from __future__ import annotations

import numpy as np

import backprop_cli as bp


def trace(text, values=None):
    return bp.load(text).compile().run(values or {})


def printed(actual, expected, decimals, slack=0.5):
    """Equal to a number printed with so many decimals; ``slack`` in units of the last of them."""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=slack * 10.0**-decimals * 1.000001)
