"""Runs a bundled spec and compares numbers: what the tests of the bundled specs share."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import backprop_cli as bp

SPECS = Path(__file__).resolve().parents[2] / "specs"


def trace(name):
    return bp.load(str(SPECS / f"{name}.yaml")).compile().run()


def close(actual, expected, *, rtol=1e-12, atol=0.0):
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))
