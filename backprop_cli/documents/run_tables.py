"""One run as a document: the forward table, the backward table from last layer to first, and what stands out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backprop_cli.documents.blocks import Array, Block, Cell, Document, Heading, Note, Prose, Summary, Table, Tone
from backprop_cli.documents.findings import findings
from backprop_cli.documents.introduction import windows
from backprop_cli.documents.names import Names
from backprop_cli.documents.sentences import filled
from backprop_cli.documents.wording import PARTS
from backprop_cli.language import tree
from backprop_cli.numeric.trace import Number, Trace
from backprop_cli.symbolic.display import COST
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.notation import places
from backprop_cli.translation import tr, tr_n

MOST_NUMBERS = {0: 1, 1: 20, 2: 64}  # of a scalar, a vector or a matrix that is shown whole
CORNER = (3, 6)  # rows and columns of a larger one


def run_document(graph: Graph, names: Names, trace: Trace, *, digits: int = 4, full: bool = False) -> Document:
    """The tables of one run with ``digits`` after the point; ``full`` shows every number of large arrays too."""
    blocks: list[Block] = [Heading(1, (graph.name,)), *_introduction(graph, trace)]
    tables = ((tr("Forward pass"), _forward(graph, trace)), (tr("Backward pass"), _backward(graph, trace)))
    for title, groups in tables:
        rows = _rows(graph, groups, digits, full)
        if rows:
            blocks += [Heading(2, (title,)), Table(_header(graph), rows, digits)]
    return Document((*blocks, *findings(graph, values_of(graph, trace), trace.gradients)), names)


def _introduction(graph: Graph, trace: Trace) -> Iterator[Block]:
    if graph.samples is not None:
        said = tr_n(
            "A batch of {samples} sample, counted by {sample}.",
            "A batch of {samples} samples, counted by {sample}.",
            graph.samples,
        )
        yield Prose((said.format(samples=graph.samples, sample=graph.sample),))
    if graph.windows:
        yield Note(filled(PARTS["truncated run"], windows=windows(graph), cost=tree.Place(COST)), Tone.WARNING)


Entry = tuple[Quantity, tree.Node, NDArray[np.float64]]


def _header(graph: Graph) -> tuple[str, ...]:
    return (*((tr("layer"),) if _has_layers(graph) else ()), tr("quantity"), tr("values"))


def _has_layers(graph: Graph) -> bool:
    return any(quantity.layer is not None for quantity in graph.quantities)


def _forward(graph: Graph, trace: Trace) -> Iterator[Entry]:
    """Every value, a given one right before the first quantity that uses it."""
    shown: set[str] = set()
    values = values_of(graph, trace)
    for quantity in graph.quantities:
        if quantity.definition is None:
            continue
        used = [other for other in _used(graph, quantity) if other.is_given and other.name not in shown]
        for given in sorted(used, key=lambda other: other.role is Role.PARAMETER):
            shown.add(given.name)
            if given.name in values:
                yield given, tree.Matrix(given.name), np.asarray(values[given.name])
        if quantity.name in values:
            yield quantity, tree.Matrix(quantity.name), np.asarray(values[quantity.name])
    for name in sorted(set(graph.seeds.values()) & set(values)):
        yield graph[name], tree.Matrix(name), np.asarray(values[name])


def _used(graph: Graph, quantity: Quantity) -> list[Quantity]:
    """The quantities in a definition, in the order of the graph."""
    names = {place.name for place in places(quantity.definition)} if quantity.definition is not None else set()
    return [other for other in graph.quantities if other.name in names]


def values_of(graph: Graph, trace: Trace) -> dict[str, Number]:
    """Every value under the name that the derivation gives it: the trace has J under the loss's name."""
    cost = {} if graph.cost is None or trace.loss is None else {graph.cost: trace.loss}
    return {**trace.given, **trace.forward, **trace.losses, **cost}


def _backward(graph: Graph, trace: Trace) -> Iterator[Entry]:
    """Every gradient from the cost to the inputs; a parameter's comes after that of the first quantity it enters."""
    computed = [quantity for quantity in graph.quantities if quantity.definition is not None]
    home: dict[str, list[Quantity]] = {quantity.name: [] for quantity in computed}
    homeless = {quantity.name: quantity for quantity in graph.with_role(Role.PARAMETER)}
    for quantity in computed:
        for used in _used(graph, quantity):
            if used.name in homeless:
                home[quantity.name].append(homeless.pop(used.name))
    for quantity in reversed(computed):
        yield from _gradients([quantity, *home[quantity.name]], trace)
    yield from _gradients([*homeless.values(), *graph.with_role(Role.INPUT)], trace)


def _gradients(quantities: Iterable[Quantity], trace: Trace) -> Iterator[Entry]:
    for quantity in quantities:
        if quantity.name in trace.gradients:
            yield quantity, tree.Gradient(quantity.name), np.asarray(trace.gradients[quantity.name])


def _rows(graph: Graph, entries: Iterable[Entry], digits: int, full: bool) -> tuple[tuple[Cell, ...], ...]:
    rows: list[tuple[Cell, ...]] = []
    before: str | None = None
    has_layers = _has_layers(graph)
    for quantity, label, values in entries:
        indices = [symbol.name for symbol in quantity.indices]
        cell = array_cell(values, indices, digits, full, is_headed=quantity.depends_on_sample)
        place = graph.label_of(quantity)
        if rows and place != before:
            rows.append(())
        is_first = not rows or place != before
        before = place
        layer = place if place is not None and is_first else ""
        rows.append((layer, label, cell) if has_layers else (label, cell))
    return tuple(rows)


def array_cell(
    values: ArrayLike, indices: Iterable[str], digits: int, full: bool, is_headed: bool = False
) -> Array | Summary:
    """An array as it stands in a table: whole where it is small or ``full`` is asked for, otherwise summarised.

    Where it ``is_headed``, a vector too has its index and positions above it.
    """
    array = np.asarray(values, dtype=np.float64)
    names = tuple(indices)[: array.ndim]
    if full or array.size <= MOST_NUMBERS.get(array.ndim, MOST_NUMBERS[2]):
        return Array(array, names, digits, is_headed)
    finite = array[np.isfinite(array)]
    leading, cut = (1,) * max(array.ndim - 2, 0), CORNER if array.ndim > 1 else CORNER[1:]
    corner = array[tuple(slice(size) for size in (*leading, *cut))]
    return Summary(
        array.shape,
        float(np.linalg.norm(finite)) if finite.size else None,
        float(finite.min()) if finite.size else None,
        float(finite.max()) if finite.size else None,
        int(np.count_nonzero(array == 0)),
        Array(corner, names, digits, is_headed),
    )
