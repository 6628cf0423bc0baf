"""Equations that refer to earlier steps: which of them run together as one loop, along which axis, and their shapes.

``h[t,i] = tanh(z[t,i])`` with ``z[t,i] = ... h[t-1,k] ...`` is a loop over t. At the first step an earlier one reads 0,
unless an equation ``h[0,i] = ...`` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from backprop_cli.language import tree
from backprop_cli.language.walking import rebuilt, walk
from backprop_cli.symbolic.assembly_formulas import Formula
from backprop_cli.symbolic.draft import Draft
from backprop_cli.symbolic.graph import Quantity, Role
from backprop_cli.symbolic.index_positions import NoPosition, Sum, position_sum
from backprop_cli.symbolic.notation import index
from backprop_cli.symbolic.wording import before_the_first
from backprop_cli.translation import tr


@dataclass
class Group:
    """Equations in the order in which they are computed: one alone, or all those of one loop. ``axes`` says at which of
    the positions written each quantity of a loop has the step, ``broken`` that a problem with it has been reported."""

    formulas: list[Formula]
    axes: dict[str, int] = field(default_factory=dict)
    broken: bool = False

    @property
    def is_loop(self) -> bool:
        return bool(self.axes)

    @property
    def names(self) -> list[str]:
        return [formula.left.name for formula in self.formulas if formula.left is not None]


def grouped(draft: Draft, formulas: Sequence[Formula], initial: Mapping[str, str]) -> list[Group]:
    """The equations in groups, each after those it needs; ``initial`` are the names of initial states by that of the
    state. Reports references to steps that are not computed yet."""
    uses = [_uses(formula) for formula in formulas]
    places = {formula.left.name: n for n, formula in reversed(list(enumerate(formulas))) if formula.left is not None}
    ahead = [any(_is_ahead(place, n, places, formulas[n]) for place in uses[n]) for n in range(len(formulas))]
    if not any(ahead):
        return [Group([formula]) for formula in formulas]
    needs = [
        {places[name] for place in some for name in (place.name, initial.get(place.name)) if name in places}
        for some in uses
    ]
    reach = _reach(needs)
    components: list[list[int]] = []
    for n in range(len(formulas)):
        together = [m for m in range(len(formulas)) if m == n or (m in reach[n] and n in reach[m])]
        if together[0] == n:
            components.append(together)
    states = {start: name for name, start in initial.items()}
    for component in components:  # an initial state gets its size from the state, so it waits for what that reads
        (start, *_), state = component, states.get(_name(formulas[component[0]]))
        loop = next((other for other in components if places.get(state or "") in other and other != component), [])
        needs[start] = needs[start] | {need for n in loop for need in needs[n]} - {*loop, *component}
    groups = []
    for component in _in_order(components, needs):
        group = Group([formulas[n] for n in component])
        if len(component) > 1 or component[0] in needs[component[0]]:
            before = len(draft.problems)
            group.axes = _axes(draft, group, initial)
            group.broken = len(draft.problems) > before
        groups.append(group)
    return groups


def _uses(formula: Formula) -> list[tree.Place]:
    return [node for node in walk(formula.right) if isinstance(node, tree.Place)]


def _is_ahead(place: tree.Place, number: int, places: Mapping[str, int], formula: Formula) -> bool:
    """Whether a place is an earlier step of a quantity that is defined here or further down."""
    return places.get(place.name, -1) >= number and any(_step_back(p, formula) for p in place.positions)


def _name(formula: Formula) -> str:
    return "" if formula.left is None else formula.left.name


def _left_names(formula: Formula) -> list[str]:
    left = () if formula.left is None else formula.left.positions
    return [position.name if isinstance(position, tree.Place) else "" for position in left]


def _step_back(position: tree.Node, formula: Formula) -> tuple[str, int] | None:
    """The index and the number of steps of ``t - 1``, for an index of the left side."""
    found = _sum(position, formula)
    if found is None or found.looked_up or found.constant >= 0 or list(found.indices.values()) != [1]:
        return None
    return next(iter(found.indices)), -found.constant


def _sum(position: tree.Node, formula: Formula) -> Sum | None:
    names = _left_names(formula)
    try:
        return position_sum(position, names.__contains__)
    except NoPosition:
        return None


def _reach(needs: Sequence[set[int]]) -> list[set[int]]:
    """Everything that each equation needs, directly or not."""
    reach = [set(some) for some in needs]
    changed = True
    while changed:
        changed = False
        for some in reach:
            more = set().union(*(reach[m] for m in some)) - some if some else set()
            if more:
                some |= more
                changed = True
    return reach


def _in_order(components: Sequence[list[int]], needs: Sequence[set[int]]) -> Iterator[list[int]]:
    """The components, each after those it needs and otherwise in the order written."""
    waiting = list(components)
    done: set[int] = set()
    while waiting:
        following = next(
            (c for c in waiting if all(need in done or need in c for n in c for need in needs[n])), waiting[0]
        )
        waiting.remove(following)
        done.update(following)
        yield following


def _axes(draft: Draft, group: Group, initial: Mapping[str, str]) -> dict[str, int]:
    """At which position each quantity of the loop has the step; reports what is not a loop over steps."""
    members = {name: number for number, name in enumerate(group.names)}
    axes: dict[str, int] = {}
    for several in (
        False,
        True,
    ):  # where two indices step back, as in h[t-1,s-1], others say which one counts the steps
        for number, formula in enumerate(group.formulas):
            names = _left_names(formula)
            for place in _uses(formula):
                if place.name not in members:
                    continue
                steps = [(axis, found) for axis, p in enumerate(place.positions) if (found := _step_back(p, formula))]
                if len(steps) == 1 or (several and steps):
                    axis, (step, _) = steps[0]
                    axes.setdefault(place.name, axis)
                    axes.setdefault(group.names[number], names.index(step))
    for number, formula in enumerate(group.formulas):
        for place in _uses(formula):
            if place.name in members:
                problem = _ahead_of_time(place, formula, number, members, axes)
                axis = axes.get(place.name, len(place.positions))
                if problem and place.positions[axis : axis + 1] == (tree.Number("0"),):
                    problem = before_the_first(place, axis, initial.get(place.name))
                if problem:
                    draft.report(formula.origin.problem(problem, place))
    return axes


def _ahead_of_time(
    place: tree.Place, formula: Formula, number: int, members: Mapping[str, int], axes: Mapping[str, int]
) -> str:
    """What is wrong with a reference to a quantity of the loop, empty where it is to what is computed already."""
    assert formula.left is not None
    axis, own = axes.get(place.name), axes.get(formula.left.name)
    names = _left_names(formula)
    if axis is None or own is None or axis >= len(place.positions):
        message = tr(
            "'{name}' has no value yet; of what is defined here or further down, use an earlier step, h[t-1,i]"
        )
        return message.format(name=place.name)
    step = names[own]
    position = place.positions[axis]
    if _step_back(position, formula) is not None and _step_back(position, formula)[0] == step:  # type: ignore[index]
        return ""
    is_now = isinstance(position, tree.Place) and position.name == step and not position.positions
    if is_now and members[place.name] < number:
        return ""
    others = [back[0] for p in place.positions if (back := _step_back(p, formula)) is not None]
    if is_now and others:
        message = tr(
            "'{name}' goes a step back along '{other}' here, but the steps are counted by '{step}'; only one index can "
            "count steps"
        )
        return message.format(name=place.name, other=others[0], step=step)
    found = _sum(position, formula)
    is_later = found is not None and found.constant > 0 and not found.looked_up and found.indices == {step: 1}
    message = tr("'{name}' has no value yet at a step; use an earlier one, such as {name}[{step}-1]")
    if is_now:
        message = tr("'{name}' has no value yet at this step; use an earlier one, such as {name}[{step}-1]")
    elif is_later:
        message = tr("'{name}' has no value yet at a later step; use an earlier one, such as {name}[{step}-1]")
    return message.format(name=place.name, step=step)


@dataclass
class LoopSizes:
    """How far the indices on the left sides of a loop run, by quantity and index, as far as that is known; and whether
    its equations carry the sample along or write its index."""

    by_index: dict[tuple[str, str], int] = field(default_factory=dict)
    carried: bool = False
    explicit: bool = False

    def of(self, formula: Formula) -> dict[str, int]:
        """The ranges of the indices of one equation."""
        return {name: size for (quantity, name), size in self.by_index.items() if quantity == _name(formula)}

    def of_initial(self, start: Formula, state: Formula, axis: int) -> dict[str, int]:
        """The ranges of the indices of an initial state: those of the state, but for the step at ``axis``."""
        names = _left_names(state)
        sizes = [self.of(state).get(name, 0) for name in (*names[:axis], *names[axis + 1 :])]
        return {name: size for name, size in zip(_left_names(start), sizes, strict=False) if size}


def loop_sizes(draft: Draft, group: Group, ranges: Mapping[str, int]) -> LoopSizes:
    """What the shapes of the quantities that a loop reads tell about its own, all of which have the same steps."""
    found = LoopSizes()
    sizes = found.by_index
    for _ in range(len(group.formulas) + 1):
        for formula in group.formulas:
            assert formula.left is not None
            for name in _left_names(formula):
                if name in ranges:
                    sizes[formula.left.name, name] = ranges[name]
            for place in _uses(formula):
                shape, samples = _known_shape(draft, place, group, sizes)
                offset = len(shape) - len(place.positions)
                found.carried |= samples and offset == 1
                for axis, position in enumerate(place.positions):
                    bare = isinstance(position, tree.Place) and not position.positions
                    if not bare or position.name not in _left_names(formula) or offset < 0:  # type: ignore[union-attr]
                        continue
                    size = shape[axis + offset]
                    if size:
                        sizes.setdefault((formula.left.name, position.name), size)  # type: ignore[union-attr]
                        found.explicit |= samples and axis == 0 and offset == 0
        steps = [(f.left.name, _left_names(f)[group.axes[f.left.name]]) for f in group.formulas if f.left is not None]
        known = next((sizes[step] for step in steps if sizes.get(step)), None)
        if known is not None:
            for step in steps:
                sizes.setdefault(step, known)
    return found


def provisional(draft: Draft, group: Group, found: LoopSizes) -> tuple[str, ...]:
    """Put the quantities of a loop into the draft, with their shapes, before their equations are read. Returns the
    indices of which the range is not known, without putting anything into the draft if there are any."""
    sizes = found.by_index
    written = [(formula, formula.left, _left_names(formula)) for formula in group.formulas if formula.left is not None]
    unknown = [name for _, left, names in written for name in names if not sizes.get((left.name, name))]
    if unknown:
        return tuple(dict.fromkeys(unknown))
    for formula, left, names in written:
        shape = tuple(sizes[left.name, name] for name in names)
        per_sample = found.carried and draft.sample is not None
        front = (draft.sample,) if per_sample and draft.sample is not None else ()
        draft.quantities[left.name] = Quantity(
            left.name,
            (*front, *map(index, names)),
            (*((draft.samples or 1,) if per_sample else ()), *shape),
            Role.INTERMEDIATE,
            depends_on_sample=per_sample or found.explicit,
        )
        draft.origins[left.name] = formula.origin
    return ()


def _known_shape(
    draft: Draft, place: tree.Place, group: Group, sizes: Mapping[tuple[str, str], int]
) -> tuple[tuple[int, ...], bool]:
    """The shape of what a place reads, 0 for an axis that is not known yet, and whether it has the sample axis."""
    for formula in group.formulas:
        if formula.left is not None and formula.left.name == place.name:
            return tuple(sizes.get((place.name, name), 0) for name in _left_names(formula)), False
    quantity = draft.known(place.name)
    return ((), False) if quantity is None else (quantity.shape, quantity.depends_on_sample)


def initial_names(draft: Draft, formulas: Sequence[Formula]) -> tuple[list[Formula], dict[str, str]]:
    """The equations with ``h[0,i] = ...`` as one of a quantity of its own, and the names of those by h."""
    found: dict[str, str] = {}
    result = []
    for formula in formulas:
        left = formula.left
        zero = None if left is None else next((n for n, p in enumerate(left.positions) if p == tree.Number("0")), None)
        if left is None or zero is None:
            result.append(formula)
            continue
        name = found.setdefault(left.name, draft.free_name((f"{left.name}0", f"{left.name}_0")))
        positions = (*left.positions[:zero], *left.positions[zero + 1 :])
        result.append(Formula(tree.Place(name, positions), formula.right, formula.origin))
    return result, found


def with_initial(formula: Formula, initial: Mapping[str, str], axes: Mapping[str, int]) -> tree.Node:
    """The right side with the initial state where the step before the first is read: ``h[t-1,k] + (t == 1)*h0[k]``."""

    def change(node: tree.Node) -> tree.Node:
        node = rebuilt(node, change)
        if not isinstance(node, tree.Place) or node.name not in initial or node.name not in axes:
            return node
        axis = axes[node.name]
        back = _step_back(node.positions[axis], formula) if axis < len(node.positions) else None
        if back is None:
            return node
        rest = (*node.positions[:axis], *node.positions[axis + 1 :])
        first = tree.Comparison("==", tree.Place(back[0]), tree.Number(str(back[1])))
        return tree.Add((node, tree.Product((first, tree.Place(initial[node.name], rest)))))

    return change(formula.right)
