"""What a teacher would point at in a run: numbers that are not finite, gradients that are 0, tiny or very large.

They say what was found in the numbers, and a cause only where it was checked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from backprop_cli.documents.blocks import Inline, Note, Tone
from backprop_cli.documents.near_kinks import near_kinks
from backprop_cli.documents.sentences import filled, listed
from backprop_cli.language import tree
from backprop_cli.library.functions import FUNCTIONS
from backprop_cli.numeric.trace import Number
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.notation import places
from backprop_cli.translation import tr, tr_n

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
        message = tr_n(
            "{gradients} is tiny beside {largest}: its largest entry is {size} in size, against {other}.",
            "{gradients} are tiny beside {largest}: their largest entry is {size} in size, against {other}.",
            len(tiny),
        )
        sizes_told = {"size": f"{max(tiny.values()):.1e}", "other": f"{finite[largest]:.1e}"}
        yield _warning(filled(message, gradients=_named(list(tiny)), largest=tree.Gradient(largest), **sizes_told))
    if huge:
        message = tr_n(
            "{gradients} is very large: its largest entry is {size} in size.",
            "{gradients} are very large: their largest entry is {size} in size.",
            len(huge),
        )
        yield _warning(filled(message, gradients=_named(list(huge)), size=f"{max(huge.values()):.1e}"))


def _computed(graph: Graph, values: Mapping[str, Number]) -> Iterator[Quantity]:
    return (quantity for quantity in graph.quantities if not quantity.is_given and quantity.name in values)


def _size(values: Number) -> float:
    """The size of the largest entry."""
    return float(np.max(np.abs(np.asarray(values)), initial=0.0))


def _all_zero(graph: Graph, names: Sequence[str]) -> Note:
    """At a minimum as behind dead units a gradient is 0 at this point only; what lies around it nobody looked at."""
    if any(graph[name].shape for name in names):
        message = tr_n(
            "Every entry of {gradients} is 0 here, so a gradient step leaves this parameter as it is.",
            "Every entry of {gradients} is 0 here, so a gradient step leaves these parameters as they are.",
            len(names),
        )
    else:
        message = tr_n(
            "{gradients} is 0 here, so a gradient step leaves this parameter as it is.",
            "{gradients} are 0 here, so a gradient step leaves these parameters as they are.",
            len(names),
        )
    return _warning(filled(message, gradients=_named(names)))


def _stopped(graph: Graph, gradients: Mapping[str, Number]) -> Iterator[Note]:
    """The layers whose activation lets nothing of the gradient through: relu with dead units alone, say."""
    uses = Counter(name for quantity in graph.quantities for name in _used(quantity))
    for output in graph.with_role(Role.ACTIVATION):
        function = FUNCTIONS.get(output.activation or "")
        [source, *others] = _used(output)
        if function is None or function.kink is None or others or uses[source] > 1 or source not in gradients:
            continue
        if _size(gradients[source]) == 0 and _size(gradients[output.name]) > UNDERFLOWN:
            message = tr(
                "{function} lets nothing of the gradient through: its slope is 0 at every entry of {quantity} where "
                "{gradient} is not 0."
            )
            quantity, gradient = tree.Matrix(source), tree.Gradient(output.name)
            yield _warning(filled(message, function=function.name, quantity=quantity, gradient=gradient))


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
            yield _warning(
                filled(tr("{quantity} is not finite: it is {value}."), quantity=label(name), value=str(spelt))
            )
            continue
        at = ", ".join(str(axis + 1) for axis in first)
        message = tr_n(
            "{quantity}: one number is not finite, the first at position {position}: {value}.",
            "{quantity}: {number} of its {size} numbers are not finite, the first at position {position}: {value}.",
            len(where),
        )
        counts = {"number": len(where), "size": value.size}
        yield _warning(filled(message, quantity=label(name), position=at, value=str(spelt), **counts))
    if len(wrong) > MOST_NAMED:
        more = len(wrong) - MOST_NAMED
        message = tr_n("{number} more quantities are not finite.", "{number} more quantities are not finite.", more)
        yield _warning(filled(message, number=more))


def _named(names: Sequence[str]) -> tuple[Inline, ...]:
    """The gradients of these quantities, the first of them where they are many."""
    shown = [tree.Gradient(name) for name in names[:MOST_NAMED]]
    if len(names) == len(shown):
        return listed(shown)
    more = len(names) - MOST_NAMED
    said = tr_n("{gradients} and {number} more", "{gradients} and {number} more", more)
    return filled(said, gradients=listed(shown, tr(", ")), number=more)


def _warning(parts: tuple[Inline, ...]) -> Note:
    return Note(parts, Tone.WARNING)
