"""What a teacher would point at in a run: numbers that are not finite, gradients that are 0, tiny or very large.

They say what was found in the numbers, and a cause only where it was checked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from backprop_cli.documents.blocks import Inline, Note, Tone
from backprop_cli.documents.near_kinks import near_kinks
from backprop_cli.language import tree
from backprop_cli.library.functions import FUNCTIONS
from backprop_cli.numeric.trace import Number
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.notation import places

TINY = 1e-5  # beside the largest parameter gradient of the network
HUGE = 1e4  # the size of a single entry
UNDERFLOWN = 1e-300  # what is smaller may become 0 by a factor that is not
MOST_NAMED = 5


def findings(graph: Graph, values: Mapping[str, Number], gradients: Mapping[str, Number]) -> Iterator[Note]:
    """Warnings about a run's numbers, in words. ``values`` are those of every quantity, under its own name."""
    yield from _not_finite({q.name: values[q.name] for q in _computed(graph, values)}, tree.Matrix)
    yield from _not_finite(gradients, tree.Gradient)
    yield from near_kinks(graph, values)
    sizes = {q.name: _size(gradients[q.name]) for q in graph.with_role(Role.PARAMETER) if q.name in gradients}
    finite = {name: size for name, size in sizes.items() if np.isfinite(size)}
    largest = max(finite, key=lambda name: finite[name], default="")
    zero = [name for name, size in finite.items() if size == 0]
    tiny = {name: size for name, size in finite.items() if 0 < size < TINY * finite[largest]}
    huge = {name: size for name, size in finite.items() if size >= HUGE}
    if zero:
        yield _all_zero(graph, zero)
        yield from _stopped(graph, gradients)
    if tiny:
        verb, whose = (" are tiny beside ", "their") if len(tiny) > 1 else (" is tiny beside ", "its")
        rest = f": {whose} largest entry is {max(tiny.values()):.1e} in size, against {finite[largest]:.1e}."
        yield _warning((*_named(list(tiny)), verb, tree.Gradient(largest), rest))
    if huge:
        verb, whose = (" are very large: ", "their") if len(huge) > 1 else (" is very large: ", "its")
        rest = f"{verb}{whose} largest entry is {max(huge.values()):.1e} in size."
        yield _warning((*_named(list(huge)), rest))


def _computed(graph: Graph, values: Mapping[str, Number]) -> Iterator[Quantity]:
    return (quantity for quantity in graph.quantities if not quantity.is_given and quantity.name in values)


def _size(values: Number) -> float:
    """The size of the largest entry."""
    return float(np.max(np.abs(np.asarray(values)), initial=0.0))


def _all_zero(graph: Graph, names: Sequence[str]) -> Note:
    """At a minimum as behind dead units a gradient is 0 at this point only; what lies around it nobody looked at."""
    every = "Every entry of " if any(graph[name].shape for name in names) else ""
    verb = " is" if every or len(names) == 1 else " are"
    kept = "these parameters as they are." if len(names) > 1 else "this parameter as it is."
    return _warning((every, *_named(names), f"{verb} 0 here, so a gradient step leaves ", kept))


def _stopped(graph: Graph, gradients: Mapping[str, Number]) -> Iterator[Note]:
    """The layers whose activation lets nothing of the gradient through: relu with dead units alone, say."""
    uses = Counter(name for quantity in graph.quantities for name in _used(quantity))
    for output in graph.with_role(Role.ACTIVATION):
        function = FUNCTIONS.get(output.activation or "")
        [source, *others] = _used(output)
        if function is None or function.kink is None or others or uses[source] > 1 or source not in gradients:
            continue
        if _size(gradients[source]) == 0 and _size(gradients[output.name]) > UNDERFLOWN:
            start = f"{function.name} lets nothing of the gradient through: its slope is 0 at every entry of "
            yield _warning((start, tree.Matrix(source), " where ", tree.Gradient(output.name), " is not 0."))


def _used(quantity: Quantity) -> set[str]:
    return set() if quantity.definition is None else {place.name for place in places(quantity.definition)}


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
