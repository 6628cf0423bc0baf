"""One formula with every name resolved: quantities by their names in the graph, indices with their ranges.

The result is again a syntax tree, with the structure that its author gave it: what is shown is what was written, with
the sample index added where the equation speaks of one sample. Every problem is reported where it stands, and the rest
of the formula is still looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from backprop_cli.errors import did_you_mean
from backprop_cli.language import tree
from backprop_cli.language.grammar import REDUCTIONS
from backprop_cli.language.structure import CONNECTIVES, FLATTEN
from backprop_cli.language.walking import rebuilt
from backprop_cli.library.functions import CALLABLE, FUNCTIONS, SOFTMAX
from backprop_cli.symbolic.assembly_whole import check_whole
from backprop_cli.symbolic.draft import INDEX_NAMES, Draft, Origin, candidates
from backprop_cli.symbolic.graph import Quantity
from backprop_cli.symbolic.index_positions import NoPosition, Sum, position_sum
from backprop_cli.symbolic.index_ranges import Binding, Reading, Shift, fixed_range, outside, settle
from backprop_cli.symbolic.wording import (
    axes_of,
    bare_hint,
    before_the_first,
    look_alike,
    not_defined,
    own_shape,
    range_unknown,
)
from backprop_cli.translation import tr, tr_n

# No author's name begins with it, so the axes that are carried along cannot be taken for an index of the formula.
CARRIED = "\0"


@dataclass
class Resolution:
    """How one formula is read.

    ``names`` maps the formula's own names to those of the graph (a library layer's W to W1). ``carry`` are the indices
    that quantities with more axes than are written carry in front; ``carried`` says how many of them, by name in the
    graph, where it is not just the sample. ``partly`` are quantities with the axis that an index, or an index plus a
    number, reads in part only: it says nothing about ranges. ``ranges`` are the ranges that the spec fixes, by index;
    ``told`` those of the left side's indices that other equations tell.
    The other fields are filled while resolving: ``bound`` holds the bindings of each reduction by its identity,
    ``kept`` keeps those alive, and ``shifts`` are the positions that are more than an index.
    """

    draft: Draft
    origin: Origin
    names: Mapping[str, str] = field(default_factory=dict)
    carry: tuple[str, ...] = ()
    carried: Mapping[str, int] = field(default_factory=dict)
    partly: Mapping[str, int] = field(default_factory=dict)
    ranges: Mapping[str, int] = field(default_factory=dict)
    told: Mapping[str, int] = field(default_factory=dict)
    bound: dict[int, tuple[Binding, ...]] = field(default_factory=dict)
    kept: list[tree.Node] = field(default_factory=list)
    shifts: list[Shift] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    failed: bool = False
    carries: bool = False
    writes_sample: tree.Place | None = None
    _reductions: list[tuple[tree.Reduction, tuple[Binding, ...]]] = field(default_factory=list)

    def report(self, message: str, node: tree.Node | None = None) -> None:
        self.failed = True
        self.draft.report(self.origin.problem(message, node))

    def resolve(self, node: tree.Node, scope: Mapping[str, Binding]) -> tree.Node:
        """The node with names resolved; ``scope`` are the indices that are bound around it."""
        match node:
            case tree.Place(positions=()):
                return self._bare(node, scope)
            case tree.Place():
                return self._with_positions(node, scope)
            case tree.Reduction():
                return self._reduction(node, scope)
            case tree.Apply():
                return self._apply(node, scope)
        return rebuilt(node, lambda part: self.resolve(part, scope))

    def _bare(self, node: tree.Place, scope: Mapping[str, Binding]) -> tree.Node:
        quantity = self._find(node.name)
        if node.name in scope:
            if quantity is not None and not axes_of(quantity, self._carried_axes(quantity)):
                message = tr("'{name}' is both an index and a quantity here; give the index another name")
                self.report(message.format(name=node.name), node)
            return tree.Place(scope[node.name].shown)
        return self._place(node, (), scope)

    def _with_positions(self, node: tree.Place, scope: Mapping[str, Binding]) -> tree.Node:
        positions = tuple(self._position(position, scope) for position in node.positions)
        return self._place(node, positions, scope)

    def _place(self, node: tree.Place, positions: Sequence[tree.Node], scope: Mapping[str, Binding]) -> tree.Node:
        quantity = self._find(node.name)
        if quantity is None:
            self._unknown(node, scope)
            return node
        missing = len(quantity.shape) - len(positions)
        allowed = self._carried_axes(quantity)
        if missing not in (0, allowed) or (missing == 0 and allowed and quantity.name in self.carried):
            self.report(self._wrong_count(node, quantity, allowed), node)
            return node
        if missing:
            self.carries = True
        elif quantity.depends_on_sample:
            self.writes_sample = node
        prefix = tuple(tree.Place(CARRIED + name) for name in self.carry[:missing])
        place: tree.Node = tree.Place(quantity.name, (*prefix, *positions))
        for axis, written in enumerate(node.positions, start=missing):
            beyond = self._read(node, quantity, axis, written, scope)
            if beyond is not None:
                inside = tree.Comparison("<=", tree.Place(beyond.shown), tree.Number(str(quantity.shape[axis])))
                place = tree.Apply("where", (inside, place, tree.Number("0")))
        return place

    def _read(
        self, node: tree.Place, quantity: Quantity, axis: int, written: tree.Node, scope: Mapping[str, Binding]
    ) -> Binding | None:
        """Note what a position says about ranges; returns the index that runs beyond the array by itself, if any."""
        try:
            position = position_sum(written, scope.__contains__)
        except NoPosition:
            return None  # reported when the position itself was read
        size = quantity.shape[axis]
        origin = str(self.draft.origins[quantity.name])
        reading = Reading(size, node.name, quantity.shape, axis, origin, node)
        if position.looked_up:
            self._look_up(quantity, axis, position, written)
        elif position.index is not None:
            binding = scope[position.index]
            if binding.fixed is not None and binding.fixed > size:
                return binding
            if self.partly.get(quantity.name) != axis:
                binding.runs_over_samples |= axis == 0 and quantity.depends_on_sample
                binding.readings.append(reading)
        elif position.indices:
            terms = tuple((scope[name], factor) for name, factor in position.indices.items() if factor)
            self.shifts.append(Shift(position.constant, terms, reading, written))
        elif not 1 <= position.constant <= size:
            self.report(self._no_position(node, quantity, axis, position.constant), written)
        return None

    def _no_position(self, node: tree.Place, quantity: Quantity, axis: int, position: int) -> str:
        steps = next((loop.axes[quantity.name] for loop in self.draft.loops if quantity.name in loop.axes), None)
        if position == 0 and axis == steps:
            missing = len(quantity.shape) - len(node.positions)
            return before_the_first(node, axis - missing, self.draft.initial.get(quantity.name))
        message = tr("'{name}' has no position {position} here; they run from 1 to {last}")
        return message.format(name=node.name, position=position, last=quantity.shape[axis])

    def _look_up(self, quantity: Quantity, axis: int, position: Sum, written: tree.Node) -> None:
        """What is looked up must be whole numbers; where one alone decides the position, those inside the array."""
        alone = len(position.looked_up) == 1 and position.looked_up[0][1] == 1 and not position.indices
        allowed = range(1 - position.constant, quantity.shape[axis] - position.constant + 1) if alone else None
        for node, _ in position.looked_up:
            if isinstance(node, tree.Place) and (found := self._find(node.name)) is not None:
                problem = check_whole(self.draft, found, allowed, quantity.name)
                if problem is not None:
                    self.report(problem, written)

    def _position(self, node: tree.Node, scope: Mapping[str, Binding]) -> tree.Node:
        try:
            position_sum(node, scope.__contains__)
        except NoPosition as error:
            self.report(error.message, error.node)
            return node
        return self._resolved_position(node, scope)

    def _resolved_position(self, node: tree.Node, scope: Mapping[str, Binding]) -> tree.Node:
        match node:
            case tree.Place(name=name, positions=()) if name in scope:
                return tree.Place(scope[name].shown)
            case tree.Place(name=name, positions=()) if self._find(name) is None and name not in self.draft.broken:
                message = tr("index '{name}' belongs to no sum and does not stand on the left side")
                self.report(message.format(name=name), node)
                return node
            case tree.Place() | tree.Reduction():
                return self.resolve(node, scope)
        return rebuilt(node, lambda part: self._resolved_position(part, scope))

    def _reduction(self, node: tree.Reduction, scope: Mapping[str, Binding]) -> tree.Node:
        if node.operation in ("argmax", "argmin") and len(node.indices) > 1:
            self.report(tr("{function} runs over one index").format(function=node.operation), node)
        inner = {name: self._bind(name, scope) for name in node.indices}
        body = self.resolve(node.body, {**scope, **inner})
        resolved = tree.Reduction(node.operation, body, tuple(binding.shown for binding in inner.values()))
        self.kept.append(resolved)
        self.bound[id(resolved)] = tuple(inner.values())
        self._reductions.append((node, tuple(inner.values())))
        return resolved

    def _bind(self, name: str, scope: Mapping[str, Binding]) -> Binding:
        shown = name
        if name in {binding.shown for binding in scope.values()}:
            around = {binding.shown for binding in scope.values()} | self.used | self.draft.quantities.keys()
            shown = next(other for other in candidates(INDEX_NAMES) if other not in around)
        self.used.add(shown)
        return Binding(name, shown, self.ranges.get(name))

    def free(self, name: str) -> Binding:
        """An index of the left side."""
        self.used.add(name)
        return Binding(name, name, self.ranges.get(name), self.told.get(name))

    def check_ranges(self, left: tree.Place, free: Iterable[Binding]) -> None:
        """Settle the range of every index; report those that are unknown or contradictory, and positions outside."""
        settle(self.shifts)
        for node, bindings in self._reductions:
            for binding in bindings:
                reason = tr("it stands in no position inside this {function}").format(function=node.operation)
                self._check(binding, node, reason)
        for binding in free:
            reason = tr("it stands in no position on the right side; fix it with '{ranges}'")
            self._check(binding, left, reason.format(ranges=fixed_range(binding.name)))
        for shift in () if self.failed else self.shifts:
            if problem := outside(shift):
                self.report(problem, shift.position)

    def _check(self, binding: Binding, node: tree.Node, unread: str) -> None:
        for reading in binding.conflicts():
            self.report(binding.explain(reading), reading.place)
        if binding.size is None and not self.failed:
            if any(binding is other for shift in self.shifts for other, _ in shift.terms):
                unread = tr("it stands beside another such index; fix it with '{ranges}'")
                unread = unread.format(ranges=fixed_range(binding.name))
            self.report(range_unknown(binding.name, unread), node)

    def _apply(self, node: tree.Apply, scope: Mapping[str, Binding]) -> tree.Node:
        name, count = node.function, len(node.arguments)
        entry = FUNCTIONS.get(name)
        wanted = 3 if name == "where" else len(entry.arguments) if entry else None
        if wanted is None:
            self._no_function(node, scope)
        elif count != wanted and not (entry and entry.variadic and count > wanted):
            form = tr("where(condition, a, b)") if name == "where" else f"{name}({', '.join('ab'[:wanted])})"
            message = tr_n(
                "{function} takes {number} argument, {form}, not {found}",
                "{function} takes {number} arguments, {form}, not {found}",
                wanted,
            )
            self.report(message.format(function=name, number=wanted, form=form, found=count), node)
        return rebuilt(node, lambda part: self.resolve(part, scope))

    def _find(self, name: str) -> Quantity | None:
        return self.draft.known(self.names.get(name, name))

    def _carried_axes(self, quantity: Quantity) -> int:
        """How many axes in front may be left out."""
        return self.carried.get(quantity.name, 1 if quantity.depends_on_sample and self.carry else 0)

    def _unknown(self, node: tree.Place, scope: Mapping[str, Binding]) -> None:
        self.failed = True
        name = node.name
        if name in self.draft.broken:
            return
        if name in self.draft.later:
            self.report(self._too_early(name), node)
            return
        valid = [*self.draft.names(), *self.names, *scope]
        hint = look_alike(name, valid) or did_you_mean(name, valid)
        if not hint and name in (*FUNCTIONS, *REDUCTIONS):
            hint = tr("; '{name}' is a function: {name}(...)").format(name=name)
        self.report(not_defined(name, hint), node)

    def _too_early(self, name: str) -> str:
        where = self.draft.later[name]
        if where == self.origin:
            message = tr(
                "'{name}' stands in its own equation; there only earlier steps of it, such as {name}[t-1], have values"
            )
            return message.format(name=name)
        message = tr("'{name}' is defined further down{place}; an equation uses what stands before it")
        return message.format(name=name, place=f" ({where})" if str(where) else "")

    def _no_function(self, node: tree.Apply, scope: Mapping[str, Binding]) -> None:
        name = node.function
        if self._find(name) is not None or name in scope:
            hint = tr("; '{name}' is a quantity: write {name}*(...) for a product")
            if name in scope:
                hint = tr("; '{name}' is an index: write {name}*(...) for a product")
            hint = hint.format(name=name)
        elif name == FLATTEN:
            hint = tr("; it stands alone on a right side, f = flatten(x), or with a position, flatten(x)[j]")
        elif name in CONNECTIVES:
            return self.report(CONNECTIVES[name], node)
        elif name == SOFTMAX.name:
            hint = tr("; write {place}").format(place="exp(z[i]) / sum(exp(z[k]), k)")
        else:
            hint = did_you_mean(name, (*CALLABLE, *sorted(REDUCTIONS)))
        return self.report(tr("unknown function '{name}'{hint}").format(name=name, hint=hint), node)

    def _wrong_count(self, node: tree.Place, quantity: Quantity, allowed: int) -> str:
        if quantity.name in self.carried and node.positions:
            return tr("'{name}' stands for one number here; write it without an index").format(name=node.name)
        axes = axes_of(quantity, allowed)
        hint = ""
        if not node.positions:
            message = tr("'{name}' is {shape} and stands here without an index{hint}")
            hint = bare_hint(node.name, quantity)
        elif not axes:
            message = tr("'{name}' is {shape} and takes no index, not {found}")
        else:
            message = tr_n(
                "'{name}' is {shape} and takes {number} index, not {found}",
                "'{name}' is {shape} and takes {number} indices, not {found}",
                axes,
            )
        found = len(node.positions)
        return message.format(name=node.name, shape=own_shape(quantity), hint=hint, number=axes, found=found)
