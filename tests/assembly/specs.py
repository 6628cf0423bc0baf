"""Short ways to a graph in tests."""

from __future__ import annotations

from textwrap import dedent

import numpy as np
import pytest
from numpy.typing import NDArray

from backprop_cli.documents.names import Names
from backprop_cli.errors import SpecError
from backprop_cli.renderers import formula_text
from backprop_cli.spec.reading import read_text
from backprop_cli.symbolic.assembly import assemble
from backprop_cli.symbolic.graph import Graph
from tests.assembly.forward import as_written, by_definition


def built(text: str) -> tuple[Graph, dict[str, NDArray[np.float64] | None]]:
    return assemble(read_text(dedent(text), "spec.yaml"))


def problems(text: str) -> list[str]:
    """The messages of a spec that is wrong, without the name of the file."""
    with pytest.raises(SpecError) as caught:
        built(text)
    return [line.removeprefix("spec.yaml:") for line in str(caught.value).splitlines()]


def forward(text: str) -> dict[str, NDArray[np.float64]]:
    """The values of a spec's quantities, and that what was written means the same as the definitions."""
    graph, given = built(text)
    values = {name: array for name, array in given.items() if array is not None}
    defined, written = by_definition(graph, values), as_written(graph, values)
    for name, array in defined.items():
        np.testing.assert_allclose(written[name], array, rtol=1e-12, err_msg=name)
    return defined


def equation(graph: Graph, name: str) -> str:
    """The right side of a quantity's equation, as text."""
    written = graph[name].written
    assert written is not None
    return formula_text.render(written, Names.of(graph))
