"""Graphs for the tests of lowering: one formula over given arrays, compiled and run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sympy import Expr, Symbol

from backprop_cli.numeric.building import Wanted, scheduled
from backprop_cli.numeric.compiling import compiled
from backprop_cli.symbolic.derivation import Adjoints
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.notation import index

i, j, k, h, m, n = (index(name) for name in "ijkhmn")
SIZES = {i: 2, j: 3, k: 4, h: 2, m: 3, n: 4}


def given(arrays: Mapping[str, np.ndarray]) -> list[Quantity]:
    """Parameters of these shapes; their own indices do not matter."""
    return [
        Quantity(name, tuple(index(f"q{axis}") for axis in range(array.ndim)), array.shape, Role.PARAMETER)
        for name, array in arrays.items()
    ]


def formula(
    arrays: Mapping[str, np.ndarray], definition: Expr, indices: Sequence[Symbol] = (), name: str = "r"
) -> Graph:
    """``r[indices] = definition`` over the arrays."""
    shape = tuple(SIZES[axis] for axis in indices)
    result = Quantity(name, tuple(indices), shape, Role.INTERMEDIATE, definition)
    return Graph("formula", (*given(arrays), result), None, name)


def source(graph: Graph) -> str:
    """The generated module that computes the graph's output."""
    return compiled(scheduled(graph, Adjoints(graph, {}, {}), [Wanted(graph.output)]), "formula")[1]


def lines(graph: Graph) -> list[str]:
    """The lines of the generated function, without its signature and docstring."""
    return [line.strip() for line in source(graph).split('    """\n')[-1].strip().splitlines()]


def computed(graph: Graph, arrays: Mapping[str, np.ndarray]) -> Any:
    """The graph's output, by the compiled program; the arguments must not change."""
    before = {name: array.copy() for name, array in arrays.items()}
    with np.errstate(all="ignore"):
        (value,) = compiled(scheduled(graph, Adjoints(graph, {}, {}), [Wanted(graph.output)]), "formula")[0](
            *arrays.values()
        )
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, before[name], err_msg=f"the argument {name} has changed")
        assert not np.shares_memory(value, array), f"the result is the argument {name}"
    return value
