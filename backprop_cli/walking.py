"""What a call of ``walk`` asks for: the whole walkthrough of a run, a layer of it, or the story of one gradient."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from backprop_cli.documents.blocks import Document
from backprop_cli.documents.run_tables import values_of
from backprop_cli.documents.walkthrough import walkthrough_document
from backprop_cli.errors import BackpropError
from backprop_cli.network import Network
from backprop_cli.teaching.choosing import chosen
from backprop_cli.teaching.numbers import Numbers
from backprop_cli.teaching.rounding import Rounding
from backprop_cli.teaching.walkthrough import Stage
from backprop_cli.translation import tr


class Walk:
    """One walkthrough: ``of`` is a quantity or an entry, ``only`` a layer or the cost, None for everything; ``full``
    tells every entry, ``in_matrices`` whole arrays instead. Raises BackpropError for what the network does not have,
    and where it cannot be run."""

    def __init__(
        self, network: Network, digits: int, of: str | None, only: str | None, full: bool, in_matrices: bool = False
    ) -> None:
        if in_matrices and of is not None and "[" in of:
            message = tr("--view matrix tells whole quantities; ask for {name}")
            raise BackpropError(message.format(name=of.partition("[")[0].strip()))
        self.network, self.rounding = network, Rounding(digits)
        derivation = network.derive()
        self._told = derivation.told
        self._matrices = {step.id: step for step in derivation.matrix_steps} if in_matrices else {}
        trace = network.compile().run()
        self._values = {name: np.asarray(value) for name, value in values_of(network.graph, trace).items()}
        self._gradients = {name: np.asarray(value) for name, value in trace.gradients.items() if name in network.graph}
        self._asked = of, only, full

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        numbers = Numbers(self._told, self._values, self._gradients)
        stages = chosen(self._told, numbers, self.rounding, *self._asked)
        if not self._matrices:
            return stages
        return tuple(stage._replace(step=self._matrices[stage.step.id], entries=()) for stage in stages)

    @property
    def document(self) -> Document:
        graph, names = self._told.graph, self.network.names
        return walkthrough_document(graph, names, self.stages, self._values, self._gradients, self.rounding)
