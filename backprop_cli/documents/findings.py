"""What a teacher would point at in a run: numbers that are not finite, gradients that vanished, exploded or are 0."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from backprop_cli.documents.blocks import Inline, Note, Tone
from backprop_cli.language import tree
from backprop_cli.numeric.trace import Number, Trace
from backprop_cli.symbolic.graph import Graph, Role

VANISHED = 1e-5  # of the largest parameter gradient of the network
EXPLODED = 1e4  # the size of a single entry
MOST_NAMED = 5


def findings(graph: Graph, trace: Trace) -> Iterator[Note]:
    """Warnings about a run's numbers, in words."""
    yield from _not_finite(trace.forward, tree.Matrix)
    yield from _not_finite(trace.gradients, tree.Gradient)
    sizes = {
        quantity.name: float(np.max(np.abs(np.asarray(trace.gradients[quantity.name])), initial=0.0))
        for quantity in graph.with_role(Role.PARAMETER)
        if quantity.name in trace.gradients
    }
    finite = {name: size for name, size in sizes.items() if np.isfinite(size)}
    largest = max(finite.values(), default=0.0)
    zero = [name for name, size in finite.items() if size == 0]
    vanished = {name: size for name, size in finite.items() if 0 < size < VANISHED * largest}
    exploded = {name: size for name, size in finite.items() if size >= EXPLODED}
    if zero:
        yield _about(zero, (" is", " are"), " 0 everywhere: no small change of these parameters changes the cost.")
    if vanished:
        size = max(vanished.values())
        rest = f" all but vanished: no entry is above {size:.1e} in size, against {largest:.1e} elsewhere."
        yield _about(vanished, (" has", " have"), rest)
    if exploded:
        rest = f" exploded: the largest entry is {max(exploded.values()):.1e} in size."
        yield _about(exploded, (" has", " have"), rest)


def _about(names: Iterable[str], verb: tuple[str, str], rest: str) -> Note:
    named = list(names)
    return _warning((*_named(named), verb[len(named) > 1], rest))


def _not_finite(values: Mapping[str, Number], label: type[tree.Matrix | tree.Gradient]) -> Iterator[Note]:
    found = {name: np.argwhere(~np.isfinite(np.asarray(value))) for name, value in values.items()}
    wrong = {name: where for name, where in found.items() if len(where)}
    for name, where in list(wrong.items())[:MOST_NAMED]:
        value = np.asarray(values[name])
        first = tuple(int(axis) for axis in where[0])
        spelt = float(value[first])
        if not value.shape:
            yield _warning((label(name), f" is not finite: it is {spelt}."))
            continue
        at = ", ".join(str(axis + 1) for axis in first)
        count = f"{len(where)} of its {value.size} numbers are" if len(where) > 1 else "one number is"
        yield _warning((label(name), f": {count} not finite, the first at position {at}: {spelt}."))
    if len(wrong) > MOST_NAMED:
        yield _warning((f"{len(wrong) - MOST_NAMED} more quantities are not finite.",))


def _named(names: Sequence[str]) -> tuple[Inline, ...]:
    parts: list[Inline] = []
    for place, name in enumerate(names[:MOST_NAMED]):
        if place:
            parts.append(" and " if place == len(names) - 1 else ", ")
        parts.append(tree.Gradient(name))
    if len(names) > MOST_NAMED:
        parts.append(f" and {len(names) - MOST_NAMED} more")
    return tuple(parts)


def _warning(parts: tuple[Inline, ...]) -> Note:
    return Note(parts, Tone.WARNING)
