"""Weighted sums that rounding alone keeps from 0, where a kinked activation such as relu follows.

By hand such a sum is 0 and the activation has the slope of its kink; in floating point it lands on either side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

import numpy as np
from numpy.typing import NDArray
from sympy import Add

from backprop_cli.documents.blocks import Note, Tone
from backprop_cli.documents.sentences import filled
from backprop_cli.language import tree
from backprop_cli.library.functions import FUNCTIONS
from backprop_cli.numeric.trace import Number
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.notation import Reduce, places
from backprop_cli.translation import tr_n
from backprop_cli.verification.arrays import Named, NumPyArrays
from backprop_cli.verification.evaluation import Evaluator

ROUNDING = 1e-15  # beside the sum of its terms' sizes: what may be left of a sum that is 0


def near_kinks(graph: Graph, values: Mapping[str, Number]) -> Iterator[Note]:
    """A warning for every layer with such sums. ``values`` are those of every quantity, given ones too."""
    for output in graph.with_role(Role.ACTIVATION):
        function = FUNCTIONS.get(output.activation or "")
        if function is None or function.kink is None:
            continue
        for source in dict.fromkeys(graph[place.name] for place in places(output.definition)):
            if source.role is Role.WEIGHTED_SUM and source.name in values:
                found = _rounded_off(graph, source, values)
                if len(found):
                    yield _note(source, np.asarray(values[source.name]), found, function.name)


def _rounded_off(graph: Graph, source: Quantity, values: Mapping[str, Number]) -> NDArray[np.intp]:
    """The positions, from 0, of the entries that are not 0 but no larger than rounding leaves of their terms."""
    sizes = np.abs(np.asarray(values[source.name]))
    smallest = np.min(sizes, where=sizes > 0, initial=np.inf)
    if not smallest <= ROUNDING * _bound(source, values) < np.inf:
        return np.empty((0, sizes.ndim), dtype=np.intp)
    evaluator = Evaluator(NumPyArrays())
    for place in places(source.definition):
        evaluator.values[place.name] = Named(np.abs(np.asarray(values[place.name])), graph[place.name].indices)
    return np.argwhere((sizes > 0) & (sizes <= ROUNDING * evaluator.defined(source).array))


def _bound(source: Quantity, values: Mapping[str, Number]) -> float:
    """No entry's terms are larger together; much quicker than adding them up."""
    definition = source.definition
    assert definition is not None
    count = len(Add.make_args(definition)) * prod(node.size for node in definition.atoms(Reduce))
    largest = {place.name: float(np.max(np.abs(values[place.name]))) for place in places(definition)}
    return float(count * prod(max(1.0, size) for size in largest.values()))


def _note(source: Quantity, values: NDArray[np.float64], found: NDArray[np.intp], function: str) -> Note:
    first = tuple(found[0])
    at = ", ".join(str(axis + 1) for axis in first)
    message = tr_n(
        "{quantity} is 0 up to rounding at position {position} ({value}): rounding decides on which side of "
        "{function}'s kink it lies, and so {function}'s slope there.",
        "{quantity} is 0 up to rounding at {number} positions, the first {position} ({value}): rounding decides on "
        "which side of {function}'s kink it lies, and so {function}'s slope there.",
        len(found),
    )
    value = f"{values[first]:.1e}"
    quantity = tree.Matrix(source.name)
    told = filled(message, quantity=quantity, number=len(found), position=at, value=value, function=function)
    return Note(told, Tone.WARNING)
