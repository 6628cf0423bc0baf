"""The lowering of loops: a body over arrays of one step, and the states it fills."""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr

from backprop_cli.numeric.arrays import Labelled
from backprop_cli.numeric.loops import Apart, Body, Member, same_step, steps_read
from backprop_cli.numeric.lowering import Lowering
from backprop_cli.numeric.operations import Table, Value
from backprop_cli.symbolic.notation import Adjoint, Place


def lower_loop(lowering: Lowering, members: Sequence[Member], backwards: bool) -> None:
    """Lower the members of a loop, each of which may use those before it at the same step, and all of them at earlier
    steps (at later ones where the loop runs backwards)."""
    _Loop(lowering, members, backwards).lower()


class _Loop:
    def __init__(self, lowering: Lowering, members: Sequence[Member], backwards: bool) -> None:
        self.outer, self.backwards, self.original = lowering, backwards, members
        self.step, self.members = same_step(members)
        self.by_key = {_key(member.place): member for member in self.members}
        self.steps = members[0].shape[members[0].axis]
        self.inner = Lowering(Table())
        self.arguments: dict[object, Value] = {}
        self.inputs: list[tuple[int, int | None]] = []
        self.operands: list[Value] = []

    def lower(self) -> None:
        apart = Apart(self.step, self.by_key)
        given = []
        for member in self.members:
            sizes = dict(zip(member.place.positions, member.shape, strict=True))
            given.append(apart.terms(member.given, sizes))
        reads = [read for some in given for _, fs in some for f in fs for read in steps_read(f, self.step, self.by_key)]
        reach = max((abs(offset) for _, offset in reads), default=0)
        front = 0 if self.backwards else reach
        kept = {_key(place) for place, offset in reads if offset}
        stored = [m for m in self.members if m.is_stored or _key(m.place) in kept]
        states = [self._state(member, reach) for member in stored]
        self.operands.extend(states)
        number = {_key(member.place): n for n, member in enumerate(stored)}
        for expression, (place, shape) in apart.hoisted.items():
            self.outer.define(place, shape, [({}, (expression,))])
        results = []
        names: dict[Value, str] = {}
        for member, products in zip(self.members, given, strict=True):
            rest, shape = self._without_step(member.place), _without(member.shape, member.axis)
            local = type(member.place)(f"{member.place.name}", *rest)
            self.inner.define(local, shape, [(s, [self._read(f, number) for f in fs]) for s, fs in products])
            value = self.inner.whole(*_key(member.place))
            own = self.inner.value_of(*_key(member.place))
            label = f"d{member.place.name}" if isinstance(member.place, Adjoint) else member.place.name
            if own is not None:
                names.setdefault(own, label)
            if _key(member.place) in number:
                results.append((number[_key(member.place)], value))
        body = Body(
            self.inner.table,
            tuple(self.arguments.values()),
            tuple(self.inputs),
            tuple(results),
            names,
            self.steps,
            front,
            self.backwards,
        )
        done = self.outer.table.loop(body, self.operands)
        for member, state in zip(stored, states, strict=True):
            self._keep(member, self.outer.table.after(state, done), front)
        for member in self.members:
            if member not in stored:
                self.outer.forget(member.place)

    def _without_step(self, place: Place) -> tuple[Expr, ...]:
        axis = self.by_key[_key(place)].axis
        return (*place.positions[:axis], *place.positions[axis + 1 :])

    def _state(self, member: Member, reach: int) -> Value:
        rest = _without(member.shape, member.axis)
        return self.outer.table.state((self.steps + reach, *rest))

    def _keep(self, member: Member, state: Value, front: int) -> None:
        """Store the member's steps: all of its state but the zeros around them."""
        original = next(m for m in self.original if _key(m.place) == _key(member.place))
        positions = original.place.positions
        axes = (positions[member.axis], *_without(positions, member.axis))
        shape = self.outer.table.shape(state)
        inside = ((front, front + self.steps), *((0, size) for size in shape[1:]))
        array = Labelled(self.outer.table.subscript(state, inside), axes)
        self.outer.store(original.place, original.shape, array)

    def _read(self, expression: Expr, number: dict[tuple[str, bool], int]) -> Expr:
        """The expression over arrays of one step: every place without its step, read from an argument of the body."""
        rules: dict[Expr, Expr] = {}
        for place in sorted(expression.atoms(Place), key=str):
            key = _key(place)
            if key in self.by_key:
                offset = int(place.positions[self.by_key[key].axis] - self.step)
                rest = self._without_step(place)
                if offset == 0:
                    rules[place] = type(place)(place.name, *rest)
                else:
                    rules[place] = self._earlier(place, rest, offset, number[key])
            else:
                rules[place] = self._given(place)
        return expression.xreplace(rules)

    def _earlier(self, place: Place, rest: tuple[Expr, ...], offset: int, state: int) -> Place:
        member = self.by_key[_key(place)]
        name = f"{place.name}@{offset}"
        if (name, _key(place)) not in self.arguments:
            shape = _without(member.shape, member.axis)
            own = type(place)(name, *self._without_step(member.place))
            self.inner.give(own, shape)
            self.arguments[name, _key(place)] = self.inner.argument_of(own)
            self.inputs.append((state, offset))
        return type(place)(name, *rest)

    def _given(self, place: Place) -> Place:
        """A quantity from outside the loop, of which a step is read where its first axis is the step."""
        by_step = bool(place.positions) and place.positions[0] == self.step
        key = (place.name, isinstance(place, Adjoint))
        if key not in self.arguments:
            own, shape, value = self.outer.with_axes_first(place, self.step if by_step else None)
            self.inner.give(own, shape)
            self.arguments[key] = self.inner.argument_of(own)
            self.inputs.append((len(self.operands), 0 if by_step else None))
            self.operands.append(value)
        return type(place)(place.name, *(place.positions[1:] if by_step else place.positions))


def _key(place: Place) -> tuple[str, bool]:
    return place.name, isinstance(place, Adjoint)


def _without(several: Sequence[object], axis: int) -> tuple:  # type: ignore[type-arg]
    return (*several[:axis], *several[axis + 1 :])
