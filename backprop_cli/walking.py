"""What a call of ``walk`` asks for: the steps of a run by their indices or in matrices, the calls of Torch's modules,
Jacobians, or a small change of one number followed to the cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop_cli.documents.blocks import Document
from backprop_cli.documents.jacobians import jacobians_document
from backprop_cli.documents.modules import modules_document
from backprop_cli.documents.perturbation import Prediction, perturbation_document
from backprop_cli.documents.run_tables import values_of
from backprop_cli.documents.walkthrough import walkthrough_document
from backprop_cli.errors import BackpropError
from backprop_cli.network import Network
from backprop_cli.numeric.trace import Trace
from backprop_cli.options import WalkView
from backprop_cli.renderers import views_data, walk_data
from backprop_cli.symbolic.notation import is_by_step
from backprop_cli.symbolic.steps import Derivation
from backprop_cli.teaching.choosing import chosen, layer_named
from backprop_cli.teaching.jacobians import Block, blocks
from backprop_cli.teaching.modules import Call, calls
from backprop_cli.teaching.numbers import Numbers
from backprop_cli.teaching.perturbation import Changes, Perturbation, asked
from backprop_cli.teaching.rounding import Rounding
from backprop_cli.teaching.walkthrough import MOST_ENTRIES, Stage
from backprop_cli.teaching.whole_arrays import WholeArrays
from backprop_cli.translation import tr

LEARNING_RATE = 0.01
SMALLER = (1, 10, 100)  # what a perturbation is divided by to see how its prediction gets better

LARGEST = 1e200  # of a number whose rounding can be told

Arrays = Mapping[str, NDArray[np.float64]]


class Request(NamedTuple):
    """``of`` is a quantity or an entry, ``only`` a layer or the cost, None for everything; ``full`` tells every entry;
    ``rate`` is the learning rate of the update in the modules' view."""

    digits: int = 4
    of: str | None = None
    only: str | None = None
    full: bool = False
    view: WalkView = WalkView.INDEX
    rate: float = LEARNING_RATE


class _Run:
    """A network's derivation and the numbers of its run."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.derivation = network.derive()
        self.told: Derivation = self.derivation.told
        self.program = network.compile()
        trace = self.program.run()
        self.values = self.values_of(trace)
        self.gradients: Arrays = {
            name: np.asarray(value) for name, value in trace.gradients.items() if name in network.graph
        }

    @cached_property
    def whole(self) -> Derivation:
        """The derivation of the network without truncation."""
        whole = replace(self.network.graph, windows={})
        return replace(self.network, graph=whole).derive().told if self.network.graph.windows else self.told

    @cached_property
    def shown(self) -> Arrays:
        """The values with those of quantities that the tool names itself, such as the probabilities of a cost."""
        graph = replace(self.network.graph, windows={})
        arrays = WholeArrays(graph, self.values)
        return {q.name: arrays[q.name] for q in graph.quantities if q.name in arrays}

    def values_of(self, trace: Trace) -> Arrays:
        return {name: np.asarray(value) for name, value in values_of(self.network.graph, trace).items()}

    @property
    def of_each_step(self) -> Arrays:
        """The gradients of the cost of every step, by the names of the copies; none where nothing is truncated."""
        names = [name for name in self.told.adjoints.formulas if is_by_step(name)]
        return {name: self.whole_arrays.gradient(name) for name in names}

    @cached_property
    def whole_arrays(self) -> WholeArrays:
        """The arrays of the run, of a truncated network with the gradients of the cost of every step."""
        return WholeArrays(self.network.graph, self.values, self.told.adjoints.formulas, self.gradients)


class Walk:
    """One walkthrough. Raises BackpropError for what the network does not have, and where it cannot be run."""

    def __init__(self, network: Network, request: Request) -> None:
        is_by_entries = request.view in (WalkView.INDEX, WalkView.MATRIX)
        if request.view is WalkView.MATRIX and request.of is not None and "[" in request.of:
            quantity = request.of.partition("[")[0].strip()
            raise BackpropError(
                tr("--view matrix tells whole quantities; ask for {quantity}").format(quantity=quantity)
            )
        if request.of is not None and not is_by_entries:
            message = tr("--of belongs to --view index or matrix; with --view {view} use --only 'layer 2'")
            raise BackpropError(message.format(view=request.view))
        self.request, self.rounding = request, Rounding(request.digits)
        self.network, self._run = network, _Run(network)

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The steps by their entries, or of whole arrays."""
        run, request = self._run, self.request
        numbers = Numbers(run.told, run.values, self._gradients)
        stages = chosen(run.told, numbers, self.rounding, request.of, request.only, request.full)
        if request.view is WalkView.INDEX:
            return stages
        matrices = {step.id: step for step in run.derivation.matrix_steps}
        return tuple(stage._replace(step=matrices[stage.step.id], entries=()) for stage in stages)

    @cached_property
    def _gradients(self) -> Arrays:
        """The gradients of the run; where entries are asked for, those of the cost of every step of a truncated network
        too."""
        request = self.request
        if request.view is WalkView.INDEX and (request.full or request.of is not None):
            return {**self._run.gradients, **self._run.of_each_step}
        return self._run.gradients

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """The calls of Torch's modules."""
        found = calls(self._run.told, self._run.whole_arrays, self.request.rate)
        if self.request.only is None:
            return found
        outputs = dict.fromkeys(call.module.output for call in found if call.module is not None)
        wanted = layer_named(self.request.only, self.network.graph, outputs)
        return tuple(call for call in found if call.module is not None and call.module.output in wanted)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The modules with their Jacobians."""
        found = blocks(self._run.told, self._run.whole, self._run.whole_arrays)
        if self.request.only is None:
            return found
        wanted = layer_named(self.request.only, self.network.graph, dict.fromkeys(block.of for block in found))
        return tuple(block for block in found if block.of in wanted)

    @property
    def document(self) -> Document:
        graph, names, request, run = self._run.told.graph, self.network.names, self.request, self._run
        match request.view:
            case WalkView.MODULES:
                return modules_document(graph, names, self.calls, request.rate, request.digits, request.full)
            case WalkView.JACOBIANS:
                return jacobians_document(graph, names, self.blocks, run.values, request.digits, request.full)
        loss = self.network.spec.loss
        text = "" if loss is None else loss.text
        return walkthrough_document(graph, names, self.stages, run.shown, self._gradients, self.rounding, text)

    def as_data(self) -> dict[str, Any]:
        """What ``walk --format json`` prints."""
        name, names = self.network.name, self.network.names
        match self.request.view:
            case WalkView.MODULES:
                return views_data.modules_as_data(name, self.network.graph, self.calls, names, self.request.rate)
            case WalkView.JACOBIANS:
                return views_data.jacobians_as_data(name, self.blocks, names)
        return walk_data.walk_as_data(name, self.stages, names, self.rounding)


class PerturbedWalk:
    """A small change of one number, such as ``W1[1,2]=0.01``, followed through a network to the cost. Raises
    BackpropError for what cannot be changed, and where the network cannot be run."""

    def __init__(self, network: Network, request: Request, perturb: str) -> None:
        if request.of is not None or request.only is not None or request.view is not WalkView.INDEX:
            raise BackpropError(
                tr("--perturb follows one number through the whole network; leave out --of, --only and --view")
            )
        self.network, self.rounding = network, Rounding(request.digits)
        self._run = _Run(network)
        self.perturbation: Perturbation = asked(self._run.told, perturb)
        told = self._run.whole
        whole = told.graph
        changes = Changes(told, whole, self._run.values, self.perturbation)
        self._told = told
        self.changes = tuple(changes.told(self.rounding, MOST_ENTRIES if request.full else 1))
        self._predicted = float(changes.by_name.get(whole.cost or "", np.zeros(())))

    @cached_property
    def true_changes(self) -> Arrays:
        """What changes in a run with the changed number."""
        return self._true(1)

    def _true(self, divisor: int) -> Arrays:
        of, position, change = self.perturbation
        value = np.array(self._run.values[of], dtype=np.float64)
        value[tuple(place - 1 for place in position)] += change / divisor
        after = self._run.values_of(self._run.program.run({of: value}))
        return {name: _difference(after[name], before) for name, before in self._run.values.items()}

    @cached_property
    def predictions(self) -> tuple[Prediction, ...]:
        """The first-order changes of the cost and the true ones, none where there is no cost."""
        cost = self.network.graph.cost
        if cost is None:
            return ()
        return tuple(
            Prediction(self.perturbation.change / divisor, self._predicted / divisor, float(self._true(divisor)[cost]))
            for divisor in SMALLER
        )

    @property
    def _gradient(self) -> float | None:
        if self.network.graph.windows or self.network.graph.cost is None:
            return None
        return float(self._run.gradients[self.perturbation.of][tuple(p - 1 for p in self.perturbation.position)])

    @property
    def document(self) -> Document:
        return perturbation_document(
            self._told,
            self._told.graph,
            self.network.names,
            self.perturbation,
            self.changes,
            self.true_changes,
            self.predictions,
            self._gradient,
            self.rounding,
        )

    def as_data(self) -> dict[str, Any]:
        """What ``walk --perturb … --format json`` prints."""
        return views_data.perturbation_as_data(
            self.network.name, self.perturbation, self.changes, self.true_changes, self.predictions, self.network.names
        )


def _difference(after: NDArray[np.float64], before: NDArray[np.float64]) -> NDArray[np.float64]:
    """The difference of two runs, without the digits that the rounding of their numbers leaves in it."""
    largest = float(np.max(np.abs(before), initial=1.0))
    with np.errstate(all="ignore"):
        return np.round(after - before, 14 - int(np.log10(largest))) if largest < LARGEST else after - before
