"""The Python interface: a spec becomes a :class:`Network`, which derives its gradients and compiles to NumPy.

What only some uses need is imported when it is used: a run should not wait for the derivation's printers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backprop_cli.documents.blocks import Source
from backprop_cli.documents.names import Names
from backprop_cli.numeric.program import Program
from backprop_cli.numeric.trace import Trace
from backprop_cli.spec.positions import Positions
from backprop_cli.spec.reading import Check, read, read_text, validated
from backprop_cli.spec.schema import NetworkSpec
from backprop_cli.spec.values import Values
from backprop_cli.symbolic.assembly import assemble
from backprop_cli.symbolic.derivation import Adjoints, derive
from backprop_cli.symbolic.graph import Graph, Role

if TYPE_CHECKING:
    from backprop_cli.derived import Derivation
    from backprop_cli.verification.report import Report

Numbers = Mapping[str, NDArray[np.float64] | None]
UNIT = 1e-9


@dataclass(frozen=True)
class Network:
    """A network: its valid spec, its graph of equations, and the values of what is given (None: a size alone)."""

    spec: NetworkSpec
    graph: Graph
    values: Numbers

    @property
    def name(self) -> str:
        return self.graph.name

    @cached_property
    def names(self) -> Names:
        """How its quantities are written."""
        return Names.of(self.graph)

    @property
    def source(self) -> Source:
        """What it was made from, for documents about it."""
        return Source(self.spec.positions.text, all(value is not None for value in self.values.values()))

    def derive(self) -> Derivation:
        """Every ∂J/∂w by the two-step recurrence of the chain rule, symbolically; derived once."""
        return self._derivation

    @cached_property
    def _derivation(self) -> Derivation:
        from backprop_cli.derived import Derivation  # noqa: PLC0415 - start-up
        from backprop_cli.symbolic.narration import narrate  # noqa: PLC0415 - start-up

        return Derivation(narrate(self._adjoints, self._unit_sums()), self.names, self.graph)

    @cached_property
    def _adjoints(self) -> Adjoints:
        return derive(self.graph)

    def compile(self) -> Program:
        """The forward and backward pass as one NumPy function."""
        return Program(self.graph, self._adjoints, self.values, self._for_samples, self._page)

    def _repr_markdown_(self) -> str:
        """The equations as mathematics, for a notebook."""
        return self.derive().definitions_as_markdown()

    def _page(self, trace: Trace) -> str:
        """The tables of a run, for a notebook."""
        from backprop_cli.documents.run_tables import run_document  # noqa: PLC0415 - start-up
        from backprop_cli.renderers import terminal  # noqa: PLC0415 - start-up

        return f"<pre>{escape(terminal.render(run_document(self.graph, self.names, trace)))}</pre>"

    def verify(self, trace: Trace | None = None) -> Report:
        """Every gradient of a run (the spec's own by default) against independent oracles."""
        from backprop_cli.verification.checking import verify  # noqa: PLC0415 - start-up
        from backprop_cli.verification.frozen import frozen  # noqa: PLC0415 - start-up
        from backprop_cli.verification.truncations import truncations  # noqa: PLC0415 - start-up

        trace = trace or self.compile().run()
        cost = {} if self.graph.cost is None or trace.loss is None else {self.graph.cost: np.asarray(trace.loss)}
        gradients = {name: np.asarray(gradient) for name, gradient in trace.gradients.items()}
        if not self.graph.windows:
            return verify(self.graph, {**trace.given, **cost}, gradients)
        graph, given = frozen(self.graph, {**trace.given, **trace.forward})
        report = verify(graph, {**given, **cost}, gradients)
        whole = replace(self.graph, windows={})
        full = Program(whole, derive(whole), trace.given).run()
        return replace(report, truncations=truncations(trace.gradients, full.gradients))

    def _for_samples(self, samples: int) -> Program:
        """The program of the same network for a batch of another size, without numbers for the batch."""

        def resized(name: str, values: Values) -> Values:
            if name not in self.graph or not self.graph[name].depends_on_sample:
                return values
            shape = (samples, *values.shape[1:])
            return replace(values, shape=shape, numbers=np.zeros(shape), batch=True)

        changes: dict[str, Any] = {
            section: {name: resized(name, values) for name, values in getattr(self.spec, section).items()}
            for section in ("inputs", "targets")
        }
        if self.spec.grad_output is not None:
            changes["grad_output"] = resized("grad_output", self.spec.grad_output)
        graph, _ = assemble(self.spec.model_copy(update=changes))
        return Program(graph, derive(graph), {**self.values, **dict.fromkeys(self._batch())}, shown=self._page)

    def _batch(self) -> tuple[str, ...]:
        return tuple(q.name for q in self.graph.quantities if q.is_given and q.depends_on_sample)

    def _unit_sums(self) -> bool | None:
        targets = [self.values[q.name] for q in self.graph.with_role(Role.TARGET) if q.shape]
        if any(target is None for target in targets):
            return None
        sums = [np.asarray(target).sum(axis=-1) for target in targets]
        return all(bool(np.all(np.abs(total - 1) <= UNIT)) for total in sums)


def load(source: str | Path) -> Network:
    """The network of a spec, given as the path of a YAML file or as the YAML text itself.

    Raises SpecError with every problem of the spec at once.
    """
    return _assembled(lambda check: read(source, check=check))


def load_text(text: str | bytes, source: str, default_name: str) -> Network:
    """The network of YAML text that messages call ``source``. Raises SpecError."""
    return _assembled(lambda check: read_text(text, source, default_name=default_name, check=check))


def load_data(data: Any, positions: Positions, default_name: str) -> Network:
    """The network of plain data that stand at ``positions`` in a text. Raises SpecError."""
    return _assembled(lambda check: validated(data, positions, default_name, check))


def _assembled(reading: Callable[[Check], NetworkSpec]) -> Network:
    """The network of what is read; the assembly's problems are reported together with the reader's."""
    results: list[tuple[Graph, Numbers]] = []
    spec = reading(lambda spec: results.append(assemble(spec)))
    return Network(spec, *results[-1])
