"""The compiled forward and backward pass of a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backprop_cli.errors import BackpropError, did_you_mean
from backprop_cli.numeric.building import Wanted, everything_wanted, gradients_wanted, scheduled
from backprop_cli.numeric.compiling import compiled
from backprop_cli.numeric.trace import Number, Quantities, Trace
from backprop_cli.symbolic.derivation import Adjoints
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.translation import tr, tr_n

OUTPUT = "yhat"  # another name for the last output
NUMBERS = "biufO"  # the kinds of NumPy arrays that may hold real numbers
HIDDEN = (Role.HELPER, Role.LOSS, Role.COST)


class Program:
    """A network's forward and backward pass as NumPy, compiled by ``lambdify``.

    ``values`` are the spec's own numbers for the given quantities, None for what is given by size alone.
    ``for_samples`` makes the program of the same network for another size of batch, and ``shown`` the page on which a
    notebook shows a run.
    """

    def __init__(
        self,
        graph: Graph,
        adjoints: Adjoints,
        values: Mapping[str, NDArray[np.float64] | None],
        for_samples: Callable[[int], Program] | None = None,
        shown: Callable[[Trace], str] | None = None,
    ) -> None:
        self._graph = graph
        self._adjoints = adjoints
        self._values = values
        self._for_samples = for_samples
        self._shown = shown
        self._resized: dict[int, Program] = {}

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of what :attr:`function` takes, in order: all given quantities."""
        return tuple(quantity.name for quantity in self._graph.quantities if quantity.is_given)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of what :attr:`function` returns: J, dJ/d(every parameter), dJ/d(every input)."""
        return tuple(wanted.label for wanted in gradients_wanted(self._graph))

    @property
    def source(self) -> str:
        """The generated NumPy module; its function is :attr:`function`."""
        return self._bare[1]

    @property
    def function(self) -> Callable[..., Any]:
        """The bare compiled function: float64 arrays of the shapes in the graph in, a tuple of new arrays out.

        It checks nothing, and NumPy's own warnings come through (exp of a large number inside a sigmoid overflows
        harmlessly).
        """
        return self._bare[0]

    def _repr_html_(self) -> str:
        """The generated program, for a notebook."""
        return f"<pre>{escape(self.source)}</pre>"

    @cached_property
    def _bare(self) -> tuple[Callable[..., Any], str]:
        return self._compiled(gradients_wanted(self._graph))

    @cached_property
    def _everything(self) -> Callable[..., Any]:
        return self._compiled(everything_wanted(self._graph, self._adjoints))[0]

    def _compiled(self, wanted: Iterable[Wanted]) -> tuple[Callable[..., Any], str]:
        return compiled(scheduled(self._graph, self._adjoints, wanted), "forward_and_backward")

    def run(self, overrides: Mapping[str, ArrayLike] | None = None) -> Trace:
        """Computes everything from the spec's own numbers, or from these in their place.

        A batch may have another number of samples if every quantity that has the sample axis is given anew. Raises
        BackpropError for what is no mapping, names that are not given quantities, shapes that do not fit, and numbers
        that are missing.
        """
        overrides = {} if overrides is None else overrides
        if not isinstance(overrides, Mapping):
            raise BackpropError(
                tr("run expects a mapping from names to values, such as {example}").format(example="{'x': [1, 2]}")
            )
        new = {name: self._array(name, value) for name, value in overrides.items()}
        samples = self._samples(new)
        if samples != self._graph.samples:
            return self._of_size(samples).run(new)
        found = {name: new.get(name, self._values.get(name)) for name in self.arguments}
        given = {name: self._checked(self._graph[name], value) for name, value in found.items()}
        # What is not finite is pointed out in the trace, where it can be named.
        with np.errstate(all="ignore"):
            results = self._everything(*(value[()] for value in given.values()))
        return self._trace(given, dict(zip(everything_wanted(self._graph, self._adjoints), results, strict=True)))

    def _array(self, name: str, value: ArrayLike) -> NDArray[np.float64]:
        if name not in self.arguments:
            message = tr("'{name}' is not an input, target or parameter of this network{hint}")
            raise BackpropError(message.format(name=name, hint=did_you_mean(name, self.arguments)))
        with suppress(TypeError, ValueError):
            array = np.asarray(value)
            if array.dtype.kind in NUMBERS:
                return array.astype(np.float64)
        raise BackpropError(tr("'{name}' must be a number or an array of numbers").format(name=name))

    def _samples(self, new: Mapping[str, NDArray[np.float64]]) -> int | None:
        """How many samples the new arrays have, as far as they have the sample axis; all must have as many."""
        per_sample = [q for q in self._graph.quantities if q.is_given and q.depends_on_sample]
        sizes = {q.name: len(new[q.name]) for q in per_sample if q.name in new and new[q.name].ndim == len(q.shape)}
        if not sizes or set(sizes.values()) == {self._graph.samples}:
            return self._graph.samples
        first, samples = next(iter(sizes.items()))
        if samples == 0:
            raise BackpropError(tr("'{name}' has no samples").format(name=first))
        for quantity in per_sample:
            if sizes.get(quantity.name, samples) != samples:
                message = tr("'{first}' has {samples}, but '{name}' has {number}").format(
                    first=first, samples=_samples(samples), name=quantity.name, number=sizes[quantity.name]
                )
                raise BackpropError(message)
            if quantity.name not in new and samples != self._graph.samples:
                message = tr("'{first}' has {samples}, so '{name}' must be given for {samples} too")
                raise BackpropError(message.format(first=first, samples=_samples(samples), name=quantity.name))
        return samples

    def _of_size(self, samples: int | None) -> Program:
        if self._for_samples is None or samples is None:
            message = tr("this program is for batches of {number}, not {samples}")
            raise BackpropError(message.format(number=self._graph.samples, samples=samples))
        if samples not in self._resized:
            self._resized[samples] = self._for_samples(samples)
        return self._resized[samples]

    def _checked(self, quantity: Quantity, value: NDArray[np.float64] | None) -> NDArray[np.float64]:
        if value is None:
            message = tr("'{name}' is given by its size alone, so there is nothing to compute with")
            raise BackpropError(message.format(name=quantity.name))
        array = np.asarray(value, dtype=np.float64)
        if array.shape == quantity.shape:
            whole = quantity.whole
            if whole is not None and not np.isin(array, np.arange(whole.start, whole.stop)).all():
                message = tr("'{name}' must hold whole numbers from {first} to {last}")
                raise BackpropError(message.format(name=quantity.name, first=whole.start, last=whole.stop - 1))
            return array
        if not array.shape:
            message = tr("'{name}' is a single number, but an array of {wanted} is expected")
        elif quantity.shape:
            message = tr("'{name}' has the shape {found}, but {wanted} is expected")
        else:
            message = tr("'{name}' has the shape {found}, but a number is expected")
        shapes = {"found": _written(array.shape), "wanted": _written(quantity.shape)}
        raise BackpropError(message.format(name=quantity.name, **shapes))

    def _trace(self, given: Mapping[str, NDArray[np.float64]], results: Mapping[Wanted, Any]) -> Trace:
        graph = self._graph
        forward: dict[str, Number] = {}
        for quantity in graph.quantities:
            if quantity.name == graph.cost:
                forward[graph.loss_name or graph.cost] = _number(results[Wanted(quantity.name)])
            elif not quantity.is_given and quantity.role not in HIDDEN:
                forward[quantity.name] = _number(results[Wanted(quantity.name)])
        computed = [q for q in graph.quantities if not q.is_given and q.role not in HIDDEN]
        order = (*graph.with_role(Role.PARAMETER), *computed, *graph.with_role(Role.INPUT))
        gradients = {q.name: _number(results[Wanted(q.name, adjoint=True)]) for q in order}
        aliases = {OUTPUT: graph.output, **({graph.cost: graph.loss_name} if graph.cost and graph.loss_name else {})}
        loss = None if graph.cost is None else float(results[Wanted(graph.cost)])
        losses = {q.name: _number(results[Wanted(q.name)]) for q in graph.with_role(Role.LOSS)}
        return Trace(
            graph.name, loss, Quantities(forward, aliases), Quantities(gradients, aliases), given, losses, self._shown
        )


def _number(value: Any) -> Number:
    return float(value) if np.ndim(value) == 0 else np.asarray(value, dtype=np.float64)


def _written(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _samples(count: int) -> str:
    return tr_n("{number} sample", "{number} samples", count).format(number=count)
