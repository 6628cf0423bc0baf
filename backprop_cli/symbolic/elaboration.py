"""From one equation, as a syntax tree, to its quantity's indices, shape and definition in index notation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sympy import Abs, Expr, I, Pow, Symbol, nan, oo, zoo

from backprop_cli.language import tree
from backprop_cli.language.walking import rebuilt, walk
from backprop_cli.spec import limits
from backprop_cli.symbolic.array_sizes import largest_array
from backprop_cli.symbolic.draft import INDEX_NAMES, Draft, Origin, candidates
from backprop_cli.symbolic.functions import CLASSES, apply
from backprop_cli.symbolic.graph import Quantity, Role
from backprop_cli.symbolic.index_ranges import Binding
from backprop_cli.symbolic.notation import Place, Reduce, index
from backprop_cli.symbolic.resolution import CARRIED, Resolution
from backprop_cli.symbolic.translation import translate
from backprop_cli.translation import grouped, tr


class Elaborated(NamedTuple):
    """An equation's right side, with the indices and sizes of what it defines."""

    indices: tuple[Symbol, ...]
    shape: tuple[int, ...]
    definition: Expr
    written: tree.Node
    depends_on_sample: bool

    def as_quantity(self, name: str, role: Role, layer: int | None = None, activation: str | None = None) -> Quantity:
        """The quantity that the equation defines."""
        return Quantity(
            name,
            self.indices,
            self.shape,
            role,
            self.definition,
            self.written,
            layer,
            activation,
            self.depends_on_sample,
        )


def elaborate(
    draft: Draft,
    origin: Origin,
    left: tree.Place,
    right: tree.Node,
    *,
    names: Mapping[str, str] | None = None,
    carry: tuple[tuple[str, int], ...] | None = None,
    carried: Mapping[str, int] | None = None,
    partly: Mapping[str, int] | None = None,
    ranges: Mapping[str, int] | None = None,
    told: Mapping[str, int] | None = None,
) -> Elaborated | None:
    """The equation ``left = right`` in the graph's own names, or None where it has a problem (which is reported).

    ``carry`` are the axes, with their sizes, that stand in front of the left side if the right side carries them along;
    by default the sample's. With ``carried`` they stand there in any case. ``names``, ``carried``, ``partly``,
    ``ranges`` and ``told`` are as in :class:`Resolution`.
    """
    if carry is None:
        carry = () if draft.sample is None else ((draft.sample.name, draft.samples or 1),)
    axes = tuple(name for name, _ in carry)
    reading = Resolution(draft, origin, names or {}, axes, carried or {}, partly or {}, ranges or {}, told or {})
    free = _left_indices(reading, left)
    resolved = reading.resolve(right, free)
    reading.check_ranges(left, free.values())
    _check_samples(reading, left, free)
    if reading.failed:
        return None
    prefix = carry if reading.carries or carried is not None else ()
    explicit = reading.writes_sample is not None and any(binding.runs_over_samples for binding in free.values())
    renaming = _renaming(draft, resolved, free, [name for name, _ in prefix], explicit)
    resolved = _renamed(reading, resolved, renaming)
    shown = tuple(renaming.get(binding.shown, binding.shown) for binding in free.values())
    definition = _translated(draft, reading, resolved)
    if definition is None:
        return None
    indices = tuple(index(name) for name in (*(name for name, _ in prefix), *shown))
    shape = (*(size for _, size in prefix), *(binding.size or 1 for binding in free.values()))
    numbers = largest_array(definition, dict(zip(indices, shape, strict=True)), limits.ARRAY)
    if numbers > limits.ARRAY:
        message = tr("computing '{name}' needs an array of {number} numbers; at most {most} are allowed")
        reading.report(message.format(name=left.name, number=grouped(numbers), most=grouped(limits.ARRAY)))
        return None
    return Elaborated(
        indices,
        shape,
        definition,
        resolved,
        explicit or (bool(prefix) and draft.sample is not None and prefix[0][0] == draft.sample.name),
    )


def _left_indices(reading: Resolution, left: tree.Place) -> dict[str, Binding]:
    free: dict[str, Binding] = {}
    for position in left.positions:
        if not isinstance(position, tree.Place) or position.positions:
            reading.report(tr("on the left side every position is an index, such as z[i,j]"), position)
        elif position.name in free:
            message = tr("the index '{name}' stands twice on the left side").format(name=position.name)
            reading.report(message, position)
        else:
            free[position.name] = reading.free(position.name)
    return free


def _check_samples(reading: Resolution, left: tree.Place, free: Mapping[str, Binding]) -> None:
    over_samples = [binding for binding in free.values() if binding.runs_over_samples]
    if reading.writes_sample is not None and reading.carries and over_samples:
        message = tr("the sample index '{name}' is written here but not everywhere in this equation")
        reading.report(message.format(name=over_samples[0].name), reading.writes_sample)
    elif over_samples and not next(iter(free.values())).runs_over_samples:
        message = tr("the sample index '{name}' comes first: {quantity}[...]")
        reading.report(message.format(name=over_samples[0].name, quantity=left.name), left)


def _renaming(
    draft: Draft, resolved: tree.Node, free: Mapping[str, Binding], prefix: list[str], explicit: bool
) -> dict[str, str]:
    """New names for indices: an index of the equation gives way to a carried one of its name, and the sample index is
    called the same everywhere."""
    own = _index_names(resolved) | {binding.shown for binding in free.values()}
    renaming: dict[str, str] = {}
    sample = draft.sample.name if draft.sample is not None else ""
    if explicit and (first := next(iter(free.values())).shown) != sample and sample not in own:
        renaming[first] = sample
    taken = own | set(prefix) | set(renaming.values()) | draft.quantities.keys()
    for name in sorted(own & set(prefix)):
        renaming[name] = next(other for other in candidates(INDEX_NAMES) if other not in taken)
        taken.add(renaming[name])
    return renaming


def _index_names(node: tree.Node) -> set[str]:
    found: set[str] = set()
    for inner in walk(node):
        if isinstance(inner, tree.Reduction):
            found.update(inner.indices)
        elif isinstance(inner, tree.Place) and not inner.positions:
            found.add(inner.name)
    return {name for name in found if not name.startswith(CARRIED)}


def _renamed(reading: Resolution, node: tree.Node, renaming: Mapping[str, str]) -> tree.Node:
    """The resolved tree with its indices renamed and the carried axes under their own names."""

    def change(part: tree.Node, inside: bool = False) -> tree.Node:
        if isinstance(part, tree.Place) and not part.positions:
            if not inside and _is_scalar(reading.draft, part.name):
                return part
            return tree.Place(renaming.get(part.name, part.name).removeprefix(CARRIED))
        new = rebuilt(part, lambda child: change(child, isinstance(part, tree.Place)))
        if isinstance(part, tree.Reduction):
            assert isinstance(new, tree.Reduction)
            sizes = tuple(binding.size or 1 for binding in reading.bound[id(part)])
            new = tree.Reduction(
                new.operation, new.body, tuple(renaming.get(name, name) for name in new.indices), sizes
            )
        return new

    return change(node)


def _is_scalar(draft: Draft, name: str) -> bool:
    """Whether a bare name that is resolved is a quantity; otherwise it is an index used as a number."""
    return name in draft.quantities and not draft.quantities[name].shape


def _translated(draft: Draft, reading: Resolution, resolved: tree.Node) -> Expr | None:
    def leaf(node: tree.Place | tree.Reduction) -> Expr:
        if isinstance(node, tree.Reduction):
            return _reduce(node, translate(node.body, leaf, apply))
        if not node.positions and not _is_scalar(draft, node.name):
            return index(node.name)
        return Place(node.name, *(translate(part, leaf, apply).expand() for part in node.positions))

    definition = translate(resolved, leaf, apply)
    if definition.has(zoo, nan, oo, -oo, I):
        message = tr(
            "this formula has no real value: it divides by zero, or takes the root or logarithm of a negative number"
        )
        reading.report(message)
        return None
    if any(node.base.is_number and not node.base.is_positive and node.exp.has(Place) for node in definition.atoms(Pow)):
        message = tr("this formula has no slope: the base of a power with a quantity as exponent is above 0")
        reading.report(message)
        return None
    return definition.replace(Abs, CLASSES["abs"])


def _reduce(node: tree.Reduction, body: Expr) -> Expr:
    operation = "sum" if node.operation == "mean" else node.operation
    count = 1
    for name, size in reversed(list(zip(node.indices, node.sizes, strict=True))):
        body = Reduce(operation, body, index(name), size)
        count *= size
    return body / count if node.operation == "mean" else body
