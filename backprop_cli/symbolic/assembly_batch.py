"""What one sample is: which inputs and targets have the sample axis, how many samples there are, how they are counted.

In layer form the first layer of fixed rank decides (dense: a vector); in equations an input with one axis more than its
indices is a batch. ``batch: true`` and ``batch: false`` say it outright.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from backprop_cli.language import tree
from backprop_cli.library.layers import LAYERS
from backprop_cli.spec.dense import Dense
from backprop_cli.spec.layers import Block, Layer, Residual
from backprop_cli.spec.options import Library
from backprop_cli.spec.schema import NetworkSpec
from backprop_cli.spec.values import Values, written
from backprop_cli.spec.wording import count
from backprop_cli.symbolic.assembly_formulas import Formulas
from backprop_cli.symbolic.draft import Draft, Origin, candidates
from backprop_cli.symbolic.notation import index
from backprop_cli.translation import tr

_SAMPLE_NAMES = ("n", "s", "m", "t", "p", "q", "r", "u", "v")


def find_batch(draft: Draft, spec: NetworkSpec, formulas: Formulas) -> frozenset[str]:
    """The inputs and targets with the sample axis; sets the draft's sample index and number of samples."""
    batched = [name for name, values in spec.inputs.items() if _is_batch(draft, spec, name, values, formulas)]
    by_name = spec.loss is not None and spec.loss.is_named
    for name, values in spec.targets.items():
        rank = len(values.shape)
        if values.batch is not None:
            is_batch = _outright(draft, draft.origin("targets", name), name, values)
        elif not batched and spec.inputs:
            is_batch = False
        else:
            counts = formulas.counts(name)
            is_batch = rank > 0 and (rank - 1 in counts or (by_name and not counts))
        if is_batch:
            batched.append(name)
    if batched:
        _count_samples(draft, spec, batched)
        draft.sample = index(_sample_name(spec, formulas, batched))
    return frozenset(batched)


def _is_batch(draft: Draft, spec: NetworkSpec, name: str, values: Values, formulas: Formulas) -> bool:
    rank, origin = len(values.shape), draft.origin("inputs", name)
    if values.batch is not None:
        return _outright(draft, origin, name, values)
    if rank and rank - 1 in formulas.counts(name) and not _feeds_layer(spec, name):
        return True
    if spec.layers is None or not (_feeds_layer(spec, name) or isinstance(spec.layers[0], Block)):
        return False
    sample = next(_sample_ranks(_from_input(spec, name)), 1)
    if rank > sample + 1:
        message = tr(
            "'{name}' is {shape}; layers take a vector, or a list of vectors as a batch; say 'batch: true' or "
            "'batch: false'"
        )
        if sample != 1:
            message = tr(
                "'{name}' is {shape}; layers take samples of {axes} axes, or a list of them as a batch; say "
                "'batch: true' or 'batch: false'"
            )
        draft.report(origin.problem(message.format(name=name, shape=written(values.shape), axes=sample)))
    return rank == sample + 1


def _from_input(spec: NetworkSpec, name: str) -> Sequence[Layer]:
    """The layers from the first one that takes the input."""
    layers = spec.layers or ()
    takes = (n for n, layer in enumerate(layers) if not isinstance(layer, Block) and name in (layer.sources or ()))
    return layers[next(takes, 0) :]


def _sample_ranks(layers: Iterable[Layer]) -> Iterator[int]:
    """How many axes one sample has, by each layer that decides it."""
    for layer in layers:
        if isinstance(layer, Residual):
            yield from _sample_ranks(layer.layers)
        elif isinstance(layer, Dense):
            yield 1
        elif isinstance(layer, Library) and (rank := LAYERS[layer.kind].sample) is not None:
            yield rank


def _outright(draft: Draft, origin: Origin, name: str, values: Values) -> bool:
    if values.batch and not values.shape:
        message = tr("'{name}' is a single number, so it is no batch").format(name=name)
        draft.report(origin.problem(message))
        return False
    return bool(values.batch)


def _feeds_layer(spec: NetworkSpec, name: str) -> bool:
    """Whether a layer takes this input, by ``from`` or as the first of the stack."""
    layers = [layer for layer in spec.layers or () if not isinstance(layer, Block)]
    if any(name in (layer.sources or ()) for layer in layers):
        return True
    first = spec.layers[0] if spec.layers else None
    return (
        first is not None and not isinstance(first, Block) and first.sources is None and name == next(iter(spec.inputs))
    )


def _count_samples(draft: Draft, spec: NetworkSpec, batched: list[str]) -> None:
    """Set the number of samples; report who disagrees with the first."""
    first = batched[0]
    draft.samples = _given(spec, first).shape[0]
    for name in batched[1:]:
        samples = _given(spec, name).shape[0]
        if samples != draft.samples:
            origin = str(draft.origin(_section(spec, first), first))
            where = f" ({origin})" if origin else ""
            message = tr("'{name}' has {samples}, but '{first}'{where} has {number}").format(
                name=name, samples=count(samples, "sample"), first=first, where=where, number=draft.samples
            )
            draft.report(draft.origin(_section(spec, name), name).problem(message))


def _section(spec: NetworkSpec, name: str) -> str:
    return "inputs" if name in spec.inputs else "targets"


def _given(spec: NetworkSpec, name: str) -> Values:
    return spec.inputs[name] if name in spec.inputs else spec.targets[name]


def _sample_name(spec: NetworkSpec, formulas: Formulas, batched: Iterable[str]) -> str:
    """What the author calls the sample index where it is written, or else a name that no formula uses."""
    for name in batched:
        for place in formulas.places(name):
            first = place.positions[0] if len(place.positions) == len(_given(spec, name).shape) else None
            if isinstance(first, tree.Place) and not first.positions:
                return first.name
    taken = formulas.names() | {*spec.inputs, *spec.targets, *spec.parameters}
    return next(name for name in candidates(_SAMPLE_NAMES) if name not in taken)
