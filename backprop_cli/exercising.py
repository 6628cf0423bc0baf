"""What a call of ``exercise`` asks for: sheets or keys of an exercise, in the form of one document or of data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from backprop_cli.documents.blocks import Document
from backprop_cli.documents.exercise_key import Run, keys_document
from backprop_cli.documents.exercise_sheet import sheets_document
from backprop_cli.documents.run_tables import values_of
from backprop_cli.exercises.exercise import Exercise
from backprop_cli.exercises.key import Key, Variant
from backprop_cli.network import Network
from backprop_cli.numeric.program import Program
from backprop_cli.symbolic.steps import Derivation
from backprop_cli.teaching.whole_arrays import WholeArrays


class Sheets:
    """The sheets and keys of one exercise with the numbers of its key."""

    def __init__(self, network: Network, exercise: Exercise, key: Key) -> None:
        self.network, self.exercise, self.key = network, exercise, key

    @cached_property
    def derivation(self) -> Derivation:
        return self.network.derive().told

    def sheets(self, variants: Sequence[Variant]) -> Document:
        return sheets_document(self.exercise, self.derivation, self.network.names, variants)

    def keys(self, variants: Sequence[Variant]) -> Document:
        loss = self.network.spec.loss
        text = "" if loss is None else loss.text
        return keys_document(self.exercise, self.derivation, self.network.names, variants, self.run, text)

    @cached_property
    def _program(self) -> Program:
        return self.network.compile()

    def run(self, variant: Variant) -> Run:
        """A run with a variant's numbers."""
        trace = self._program.run(dict(variant.given))
        graph = self.network.graph
        values = {name: np.asarray(value) for name, value in values_of(graph, trace).items()}
        gradients = {name: np.asarray(value) for name, value in trace.gradients.items() if name in graph}
        arrays = WholeArrays(replace(graph, windows={}), values)
        shown = {q.name: arrays[q.name] for q in graph.quantities if q.name in arrays}
        return Run(values, gradients, shown)
