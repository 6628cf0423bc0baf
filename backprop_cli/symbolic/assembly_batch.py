"""What one sample is: which inputs and targets have the sample axis, how many samples there are, how they are counted.

In layer form the first layer of fixed rank decides (dense: a vector). In equations an input with one axis more than its
indices is a batch. ``batch: true`` says it outright.
"""

from __future__ import annotations

from collections.abc import Iterable

from backprop_cli.language import tree
from backprop_cli.spec.layers import Block
from backprop_cli.spec.schema import NetworkSpec
from backprop_cli.spec.values import Values, written
from backprop_cli.symbolic.assembly_formulas import Formulas
from backprop_cli.symbolic.draft import Draft, candidates
from backprop_cli.symbolic.notation import index

_SAMPLE_NAMES = ("n", "s", "m", "t", "p", "q", "r", "u", "v")


def find_batch(draft: Draft, spec: NetworkSpec, formulas: Formulas) -> frozenset[str]:
    """The inputs and targets with the sample axis; sets the draft's sample index and number of samples."""
    fed = _feeding_layers(spec)
    batched = {name for name, values in spec.inputs.items() if _is_batch(draft, name, values, name in fed, formulas)}
    if batched or not spec.inputs:
        by_name = spec.loss is not None and spec.loss.is_named
        for name, values in spec.targets.items():
            counts = formulas.counts(name)
            followed = values.batch is None and by_name and not counts
            if followed or _is_batch(draft, name, values, False, formulas):
                batched.add(name)
    found = [name for name in (*spec.inputs, *spec.targets) if name in batched]
    sizes = {name: ({**spec.inputs, **spec.targets})[name].shape for name in found}
    found = [name for name in found if sizes[name]]
    if not found:
        return frozenset()
    draft.samples = sizes[found[0]][0]
    draft.sample = index(_sample_name(spec, formulas, batched))
    for name in found[1:]:
        if sizes[name][0] != draft.samples:
            section = "inputs" if name in spec.inputs else "targets"
            first = draft.origin("inputs" if found[0] in spec.inputs else "targets", found[0])
            where = f" ({first})" if str(first) else ""
            draft.report(
                draft.origin(section, name).problem(
                    f"'{name}' has {_samples(sizes[name][0])}, but '{found[0]}'{where} has {draft.samples}"
                )
            )
    return frozenset(found)


def _samples(count: int) -> str:
    return f"{count} sample{'s' * (count != 1)}"


def _feeding_layers(spec: NetworkSpec) -> frozenset[str]:
    """The inputs that a layer takes, directly or through layers that act on every number."""
    if spec.layers is None:
        return frozenset()
    named = {name for layer in spec.layers if not isinstance(layer, Block) for name in layer.sources or ()}
    first = spec.layers[0] if spec.layers else None
    if first is None or isinstance(first, Block) or first.sources is None or len(spec.inputs) == 1:
        named.update(list(spec.inputs)[:1])
    return frozenset(named)


def _is_batch(draft: Draft, name: str, values: Values, feeds_layers: bool, formulas: Formulas) -> bool:
    rank = len(values.shape)
    if values.batch is not None:
        if values.batch and not rank:
            draft.report(draft.origin("inputs", name).problem(f"'{name}' is a single number, not a batch"))
            return False
        return values.batch
    if feeds_layers:
        if rank > 2:
            message = f"'{name}' is {written(values.shape)}; a layer takes a vector, or a list of vectors as a batch"
            draft.report(draft.origin("inputs", name).problem(f"{message}; say 'batch: true' or 'batch: false'"))
        return rank == 2
    return rank > 0 and rank - 1 in formulas.counts(name)


def _sample_name(spec: NetworkSpec, formulas: Formulas, batched: Iterable[str]) -> str:
    """What the author calls the sample index where it is written, or else a name that no formula uses."""
    shapes = {**spec.inputs, **spec.targets}
    for name in batched:
        for place in formulas.places(name):
            first = place.positions[0] if len(place.positions) == len(shapes[name].shape) else None
            if isinstance(first, tree.Place) and not first.positions:
                return first.name
    taken = formulas.names() | {*spec.inputs, *spec.targets, *spec.parameters}
    return next(name for name in candidates(_SAMPLE_NAMES) if name not in taken)
