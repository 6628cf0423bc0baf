"""From a spec to the graph of its network.

Layers and equations end in the same list: a layer is its library's equations under the names of its place. All problems
of a spec are found in one go.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from backprop_cli.errors import SpecError, did_you_mean
from backprop_cli.language.tokens import is_name
from backprop_cli.spec.dense import Dense
from backprop_cli.spec.layers import Block, Residual
from backprop_cli.spec.options import Library
from backprop_cli.spec.schema import NetworkSpec
from backprop_cli.spec.wording import listed
from backprop_cli.symbolic.assembly_batch import find_batch
from backprop_cli.symbolic.assembly_costs import COST, add_cost, expression_loss, quantity_as_loss
from backprop_cli.symbolic.assembly_equations import add_equations
from backprop_cli.symbolic.assembly_formulas import Formulas, read_formulas
from backprop_cli.symbolic.assembly_given import add_given, add_parameter, add_seed, draw_missing
from backprop_cli.symbolic.assembly_layers import add_stacked, generated_names
from backprop_cli.symbolic.assembly_losses import named_loss
from backprop_cli.symbolic.assembly_places import every_layer, placed
from backprop_cli.symbolic.costs_by_step import NoSumOverSteps, taken_apart, windowed_loops
from backprop_cli.symbolic.draft import Draft, TooManyProblems
from backprop_cli.symbolic.graph import Graph, Loop, Quantity, Role
from backprop_cli.symbolic.notation import places
from backprop_cli.symbolic.wording import no_parameter, not_defined
from backprop_cli.translation import tr

NAMED_KINDS = (Dense, Library, Residual)


def assemble(spec: NetworkSpec) -> tuple[Graph, dict[str, NDArray[np.float64] | None]]:
    """The graph of the network, and the values of its given quantities, None for those given by size alone.

    Raises SpecError with every problem of the equations, shapes and names.
    """
    draft = Draft(spec.positions)
    graph = None
    with suppress(TooManyProblems):
        graph = _Assembly(spec, draft).graph()
    if draft.problems or graph is None:
        raise SpecError(spec.positions.source, draft.problems)
    return graph, draft.values


class _Assembly:
    """The order in which a spec becomes a graph."""

    def __init__(self, spec: NetworkSpec, draft: Draft) -> None:
        self._spec, self._draft = spec, draft

    def graph(self) -> Graph | None:
        formulas = read_formulas(self._draft, self._spec)
        self._reserve(formulas)
        batched = find_batch(self._draft, self._spec, formulas)
        self._add_given(batched)
        output = self._add_computed(formulas)
        return self._with_cost(formulas, output)

    def _reserve(self, formulas: Formulas) -> None:
        """Note the names that layers give and those still to come; report two of one name."""
        spec, draft = self._spec, self._draft
        reserved: dict[str, str] = {}
        parts = {name: "W" if len(values.shape) == 2 else "b" for name, values in spec.parameters.items()}
        for place, layer in every_layer(spec.layers or ()):
            for name, what in generated_names(place, layer, parts).items():
                if name in reserved:
                    message = tr("'{name}' would be {one} and {other}; give one of them another name")
                    message = message.format(name=name, one=what, other=reserved[name])
                    draft.report(draft.origin(*place.path).problem(message))
                reserved.setdefault(name, what)
                draft.later[name] = draft.origin(*place.path)
        defined = {formula.left.name for formula in formulas.equations if formula.left is not None}
        if spec.loss is not None and (spec.loss.text in defined - {COST} or not is_name(spec.loss.text) or spec.layers):
            reserved[COST] = tr("the cost")
        draft.reserved = reserved
        for section in ("inputs", "targets", "parameters"):
            for name in getattr(spec, section):
                if name in reserved:
                    message = tr("'{name}' is the name of {what}; choose another one")
                    message = message.format(name=name, what=reserved[name])
                    draft.report(draft.origin(section, name, at_key=True).problem(message))
        for formula in (*formulas.equations, *(each for block in formulas.blocks.values() for each in block)):
            if formula.left is not None:
                draft.later.setdefault(formula.left.name, formula.origin)

    def _add_given(self, batched: frozenset[str]) -> None:
        spec, draft = self._spec, self._draft
        for section, role in (("inputs", Role.INPUT), ("targets", Role.TARGET)):
            for name, values in getattr(spec, section).items():
                if name in draft.reserved:  # reported; what uses it is not to blame
                    draft.give_up(name, draft.origin(section, name))
                    continue
                add_given(draft, name, values, role, name in batched, draft.origin(section, name))
        for name, values in spec.parameters.items():
            add_parameter(draft, name, "", values.shape, values, draft.origin("parameters", name))

    def _add_computed(self, formulas: Formulas) -> str | None:
        """Add everything that is computed before the cost; returns the name of the last output."""
        spec, draft = self._spec, self._draft
        if spec.layers is None:
            return add_equations(draft, formulas.equations, None, spec.ranges)
        current = self._first_input()
        for place, layer in placed(spec.layers):
            current = add_stacked(draft, place, layer, current, formulas)
        return current

    def _first_input(self) -> str | None:
        spec, draft = self._spec, self._draft
        if len(spec.inputs) == 1:
            return next(iter(spec.inputs))
        first = spec.layers[0] if spec.layers else None
        if first is not None and not isinstance(first, Block) and first.sources is None:
            message = tr("there are {number} inputs ({names}); say with 'from' which one the first layer takes")
            message = message.format(number=len(spec.inputs), names=tr(", ").join(spec.inputs))
            draft.report(draft.origin("layers", 0).problem(message))
        return None

    def _with_cost(self, formulas: Formulas, output: str | None) -> Graph | None:
        spec, draft = self._spec, self._draft
        self._check_names()
        if output is None or output not in draft.quantities:
            return None
        seeds: dict[str, str] = {}
        loss_name = None
        if spec.grad_output is not None:
            seeds = add_seed(draft, spec.grad_output, draft.quantities[output])
            if spec.regularise is not None:
                message = tr("there is no cost to add a penalty to: 'grad_output' stands in place of a loss")
                draft.report(draft.origin("regularise", at_key=True).problem(message))
        else:
            output, loss_name = self._add_cost(formulas, output)
        self._note_windows()
        if draft.problems:
            return None
        draw_missing(draft, spec.initial)
        graph = Graph(
            spec.name,
            tuple(draft.quantities.values()),
            None if seeds else COST,
            output,
            seeds,
            draft.sample,
            draft.samples,
            frozenset(spec.frozen),
            loss_name,
            tuple(draft.loops),
            draft.labels,
            {
                place.label: layer.kind
                for place, layer in every_layer(spec.layers or ())
                if isinstance(layer, NAMED_KINDS)
            },
            {name: window for name, (window, _) in draft.windows.items()},
        )
        return graph if self._can_be_truncated(graph) else None

    def _note_windows(self) -> None:
        """Take in the spec's own ``truncate``; report names in it that are no states."""
        draft = self._draft
        states = [
            name
            for loop in draft.loops
            for name in loop.axes
            if any(_is_read_earlier(draft.quantities[other], name, loop) for other in loop.axes)
        ]
        for name, window in self._spec.truncate.items():
            origin = draft.origin("truncate", name, at_key=True)
            if name in states:
                draft.windows[name] = window, origin
            elif name not in draft.broken:
                hint = did_you_mean(name, states)
                if states and not hint:
                    hint = tr("; the states are {names}").format(names=listed(states))
                message = not_defined(name, hint)
                if name in draft.quantities:
                    message = tr("'{name}' is no state: no equation uses an earlier step of it{hint}")
                    message = message.format(name=name, hint=hint)
                draft.report(origin.problem(message))

    def _can_be_truncated(self, graph: Graph) -> bool:
        """Whether the cost is a sum over the steps where it is to be truncated; reports it where it is not."""
        if not graph.windows:
            return True
        _, origin = next(iter(self._draft.windows.values()))
        try:
            taken_apart(graph, windowed_loops(graph))
        except NoSumOverSteps as error:
            message = tr("the cost is no sum over the steps, so it cannot be truncated step by step: {reason}")
            self._draft.report(origin.problem(message.format(reason=error)))
            return False
        return True

    def _add_cost(self, formulas: Formulas, output: str) -> tuple[str, str | None]:
        """Add the cost; returns the output and the author's name of the loss quantity, None where it has none but J."""
        spec, draft = self._spec, self._draft
        assert spec.loss is not None
        if spec.layers is not None:
            self._name_yhat(output)
        if spec.loss.is_named and spec.layers is not None:
            found = named_loss(draft, spec, draft.quantities[output])
            if found is not None:
                add_cost(draft, spec, found, None)
            return output, None
        named = quantity_as_loss(draft, spec, formulas.loss)
        if named is None:
            if formulas.loss is not None and not is_name(spec.loss.text):
                found = expression_loss(draft, spec, formulas.loss)
                if found is not None:
                    add_cost(draft, spec, found, None)
            return output, None
        computed = [name for name, quantity in draft.quantities.items() if not quantity.is_given]
        before = computed[: computed.index(named.name)]
        if before and (spec.layers is None or output == named.name):
            output = before[-1]
        add_cost(draft, spec, None, named)
        return output, None if named.name == COST else named.name

    def _name_yhat(self, output: str) -> None:
        taken = self._draft.known("yhat")
        if taken is None:
            self._draft.aliases["yhat"] = output
        elif taken.name != output:
            message = tr("'yhat' is another name of the last output, '{output}'; choose another one")
            self._draft.report(self._draft.origins["yhat"].problem(message.format(output=output)))

    def _check_names(self) -> None:
        """Report names in ``frozen`` and ``regularise: {of: ...}`` that are no parameters."""
        spec, draft = self._spec, self._draft
        parameters = [name for name, quantity in draft.quantities.items() if quantity.role is Role.PARAMETER]
        penalised = spec.regularise.of if spec.regularise is not None else None
        for path, names in ((("frozen",), spec.frozen), (("regularise", "of"), penalised or ())):
            for number, name in enumerate(names):
                if name not in parameters and name not in draft.broken:
                    message = no_parameter(name, did_you_mean(name, parameters))
                    draft.report(draft.origin(*path, number).problem(message))


def _is_read_earlier(quantity: Quantity, name: str, loop: Loop) -> bool:
    """Whether the quantity, one of the loop, uses an earlier step of the one called ``name``."""
    step = quantity.indices[loop.axes[quantity.name]]
    found = places(quantity.definition) if quantity.definition is not None else ()
    return any(place.name == name and place.positions[loop.axes[name]] != step for place in found)
