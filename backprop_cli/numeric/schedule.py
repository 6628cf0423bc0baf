"""Which operations a program needs, in which order, on which lines, and which of them overwrite a dead temporary.

A value that is used once and is small stands inside the line that uses it; a view always does. Large elementwise
results are written into the array of an operand that nobody reads any more. Arguments are never written to, nor is
anything that the program returns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from backprop_cli.numeric.loops import Body
from backprop_cli.numeric.naming import Names
from backprop_cli.numeric.operations import (
    COMMUTATIVE,
    INTEGERS,
    SEEN_THROUGH,
    SOURCES,
    VIEWS,
    Operation,
    Shape,
    Table,
    Value,
)
from backprop_cli.numeric.source import ELEMENTWISE, IN_PLACE, PUT_TOGETHER, Text, call, copied, written

SMALL = 1024  # numbers: below, a fresh array costs less than keeping track of one
LINE = 96  # characters
COPIED_FOR, WRITTEN_OUT_FOR = 2, 4  # lines that read a view: it gets a name if it has to be copied, or if it has not


@dataclass
class Line:
    """``name = text``, followed by updates in place of arrays that are there."""

    name: str
    text: str
    updates: list[str] = field(default_factory=list)


class Schedule(NamedTuple):
    """A program: what it takes, constants computed once, lines computed at each call, and the texts of its results."""

    arguments: tuple[str, ...]
    shapes: tuple[Shape, ...]
    constants: tuple[Line, ...]
    lines: tuple[Line, ...]
    outputs: tuple[str, ...]


def schedule(
    table: Table,
    arguments: Mapping[str, Value],
    names: Mapping[Value, str],
    outputs: Sequence[Value],
    called: Sequence[str] = (),
) -> Schedule:
    """The program that computes ``outputs``. ``arguments`` are all that it takes, by the users' names, in order;
    ``names`` are the names of quantities for the values they are, and ``called`` those of the outputs: one that is
    known by another name (dz1, which is db1 too) gets its own at the end."""
    made = _Scheduler(table, arguments, names, outputs)
    return made.with_names(made.schedule(), names, called) if called else made.schedule()


class _Scheduler:
    """``texts`` are the arguments of a loop's body as the program writes them, and ``places`` where it puts results."""

    def __init__(
        self,
        table: Table,
        arguments: Mapping[str, Value],
        names: Mapping[Value, str],
        outputs: Sequence[Value],
        identifiers: Names | None = None,
        texts: Mapping[Value, str] | None = None,
        places: Mapping[Value, str] | None = None,
    ) -> None:
        self.table, self.outputs = table, outputs
        self.returned = Counter(outputs)
        self.identifiers = identifiers or Names()
        self.arguments = {value: self.identifiers.identifier(name) for name, value in arguments.items()}
        self.arguments |= texts or {}
        self.needed = self._reachable()
        self.users = self._users()
        self.kept: set[Value] = set()  # views with a name, because to write them out again and again would cost more
        self.reads = self._reads()
        self.names = dict(places or {})
        self.names |= {
            value: self.identifiers.identifier(name)
            for value, name in names.items()
            if value in self.needed and self._operation(value).kind not in SOURCES and value not in self.names
        }
        self.quantities = frozenset(self.names.values())
        self.texts: dict[Value, Text] = {v: Text(name) for v, name in self.arguments.items()}
        self.variables: dict[Value, str] = {}
        self.leaves: dict[Value, Counter[Value]] = {}
        self.claimed: set[str] = set()
        self.step = ""  # what the loops count their steps with
        self.constants: list[Line] = []
        self.lines: list[Line] = []

    def schedule(self) -> Schedule:
        for value in self._in_order():
            if value not in self.texts:
                self._place(value)
        results = tuple(self.texts[value].text for value in self.outputs)
        shapes = tuple(self.table.shape(value) for value in self.arguments)
        return Schedule(tuple(self.arguments.values()), shapes, tuple(self.constants), tuple(self.lines), results)

    def with_names(self, done: Schedule, names: Mapping[Value, str], called: Sequence[str]) -> Schedule:
        lines, outputs = list(done.lines), list(done.outputs)
        for place, (value, own) in enumerate(zip(self.outputs, called, strict=True)):
            if names.get(value) != own:
                name = self.identifiers.identifier(own)
                lines.append(Line(name, outputs[place]))
                outputs[place] = name
        return done._replace(lines=tuple(lines), outputs=tuple(outputs))

    def _in_order(self) -> Iterator[Value]:
        """What is needed in the order in which it was asked for, but a value that is used once just before its use:
        then what it is made of may be overwritten where it is not needed any more."""
        done: set[Value] = set()
        for root in self.needed:
            if len(self.users[root]) == 1 and root not in self.returned and root not in self.names:
                continue
            stack = [root]
            while stack:
                value = stack[-1]
                missing = [operand for operand in self._operation(value).operands if operand not in done]
                if missing and value not in done:
                    stack += reversed(missing)
                    continue
                stack.pop()
                if value not in done:
                    done.add(value)
                    yield value

    def _operation(self, value: Value) -> Operation:
        return self.table[value]

    def _reachable(self) -> list[Value]:
        """What the outputs need, in the order in which it was first asked for, which is an order of computation."""
        found = set(self.outputs)
        stack = list(found)
        while stack:
            for operand in self._operation(stack.pop()).operands:
                if operand not in found:
                    found.add(operand)
                    stack.append(operand)
        return sorted(found)

    def _users(self) -> dict[Value, list[Value]]:
        users: dict[Value, list[Value]] = {value: [] for value in self.needed}
        for value in self.needed:
            for operand in self._operation(value).operands:
                users[operand].append(value)
        return users

    def _reads(self) -> Counter[Value]:
        """How often lines will read each value: what reads a view reads what it is a view of, and so does the line that
        gives a view its name; what is returned is read once more."""
        reads: Counter[Value] = Counter()
        for value in reversed(self.needed):
            for user in self.users[value]:
                reads[value] += reads[user] if self._operation(user).kind in VIEWS else 0
                reads[value] += not self._is_seen_through(user)
            reads[value] += self.returned[value]
            if reads[value] >= (COPIED_FOR if self._is_laid_out_anew(value) else WRITTEN_OUT_FOR):
                self.kept.add(value)
        return reads

    def _is_seen_through(self, value: Value) -> bool:
        if any(self._operation(user).kind == "loop" for user in self.users[value]):
            return False  # worked out once, before the loop
        return self._operation(value).kind in SEEN_THROUGH and value not in self.returned and value not in self.kept

    def _is_laid_out_anew(self, value: Value) -> bool:
        """Whether a change of shape has to copy the array: its numbers stand in another order."""
        operation = self._operation(value)
        if operation.kind != "reshape":
            return False
        base = self._operation(operation.operands[0])
        while base.kind == "subscript":
            base = self._operation(base.operands[0])
        return base.kind in ("windows", "transpose")

    def _place(self, value: Value) -> None:
        operation = self._operation(value)
        text = written(operation, [self.texts[operand] for operand in operation.operands])
        leaves: Counter[Value] = Counter()
        for operand in operation.operands:
            leaves.update(self.leaves.get(operand, {}))
            if operand in self.variables:
                leaves[operand] += 1
        if operation.constant:
            self._place_constant(value, operation, text)
        elif self._stands_inside(value, operation, text):
            self.texts[value], self.leaves[value] = text, leaves
        else:
            if operation.kind in VIEWS:
                self.leaves[value] = self._lent_by(value)
            self.reads.subtract(leaves)
            self._emit(value, operation, text)

    def _lent_by(self, view: Value) -> Counter[Value]:
        """The array whose numbers a view shows: a line that reads the one reads the other."""
        owner = view
        while self._operation(owner).kind in VIEWS:
            owner = self._operation(owner).operands[0]
        return Counter({owner: 1} if owner in self.variables else {})

    def _place_constant(self, value: Value, operation: Operation, text: Text) -> None:
        users = [self._operation(user) for user in self.users[value]]
        inside = all(user.constant or user.kind == "copy" for user in users) and value not in self.returned
        if operation.kind == "number" or (inside and operation.kind in SOURCES | VIEWS | {"broadcast"}):
            self.texts[value] = text
            return
        name = self.names.get(value)
        if name is None and operation.kind == "ones":
            name = self.identifiers.identifier(f"ones_{operation.detail[0]}")
        name = name or self.identifiers.numbered("constant_")
        self.constants.append(self._line(name, operation, text.text))
        self.texts[value] = Text(name)

    def _stands_inside(self, value: Value, operation: Operation, text: Text) -> bool:
        if self._is_seen_through(value):
            return True
        if value in self.names or value in self.returned or len(text.text) > LINE:
            return False
        shown = self._is_shown_by_one_view(value)
        if self.reads[value] != 1 and not shown:
            return False
        if operation.kind in PUT_TOGETHER or operation.kind in ("state", "loop"):  # it takes more than one line
            return False
        if any(self._operation(user).kind == "loop" for user in self.users[value]):
            return False
        return operation.boolean or operation.size < SMALL or shown

    def _is_shown_by_one_view(self, value: Value) -> bool:
        """Whether nobody reads the value but a view that has a name."""
        first, *rest = self.users[value]
        return not rest and self._operation(first).kind in VIEWS and not self._is_seen_through(first)

    def _emit(self, value: Value, operation: Operation, text: Text) -> None:
        if operation.kind == "after":
            self._name(value, text.text)
            return
        if operation.kind == "loop":
            self._emit_loop(value, operation)
            return
        target = self._overwritable(value, operation)
        if target is None:
            self._assign(value, text.text)
            return
        there = self.variables[target]
        name = self._inherited(value, there) or (self.identifiers.numbered("t") if there in self.quantities else there)
        left, *rest = operation.operands
        if left != target and operation.kind in COMMUTATIVE:
            left, rest = target, [left]
        if operation.kind in IN_PLACE and name == there and left == target:
            self.lines[-1].updates.append(f"{name} {IN_PLACE[operation.kind]} {self.texts[rest[0]].text}")
            self._name(value, name)
        else:
            operands = [self.texts[operand] for operand in operation.operands]
            self._assign(value, call(operation.kind, operands, f"out={there}"), name)

    def _emit_loop(self, value: Value, operation: Operation) -> None:
        body = operation.detail[0]
        assert isinstance(body, Body)
        operands = [self.texts[operand].text for operand in operation.operands]
        self.step = self.step or self.identifiers.identifier("t")
        step = self.step

        def at(offset: int) -> str:
            shift = f" {'-' if offset < 0 else '+'} {abs(offset)}" if offset else ""
            return f"[{step}{shift}]"

        texts = {
            argument: operands[operand] if offset is None else f"{operands[operand]}{at(offset + shift)}"
            for argument, (operand, offset) in zip(body.arguments, body.inputs, strict=True)
            for shift in (body.front if self._operation(operation.operands[operand]).kind == "state" else 0,)
        }
        places: dict[Value, str] = {}
        names = dict(body.names)
        for state, result in body.results:
            if body.reads(result):  # what this step goes on with has a name, which is read faster than a row
                names[result] = f"{operands[state]}_now"
            else:
                places.setdefault(result, f"{operands[state]}{at(body.front)}")
        inner = _Scheduler(body.table, {}, names, [r for _, r in body.results], self.identifiers, texts, places)
        lines = []
        for argument, (operand, offset) in zip(body.arguments, body.inputs, strict=True):
            if offset is not None and inner.reads[argument] > 1:
                name = self.identifiers.identifier(f"{operands[operand]}_{_when(offset)}")
                lines.append(f"{name} = {texts[argument]}")
                inner.texts[argument] = Text(name)
        inside = inner.schedule()
        self.constants.extend(inside.constants)
        lines += [line for each in inside.lines for line in (f"{each.name} = {each.text}", *each.updates)]
        for (state, _), text in zip(body.results, inside.outputs, strict=True):
            if text != f"{operands[state]}{at(body.front)}":
                lines.append(f"{operands[state]}{at(body.front)} = {text}")
        count = f"range({body.steps - 1}, -1, -1)" if body.backwards else f"range({body.steps})"
        # Loops are no line of their own: they follow the one before, which made the last of their states.
        self.lines[-1].updates += [f"for {step} in {count}:", *(f"    {line}" for line in lines)]
        self._name(value, step)

    def _assign(self, value: Value, text: str, name: str | None = None) -> None:
        name = name or self._inherited(value) or self.identifiers.numbered("t")
        self.lines.append(self._line(name, self._operation(value), text))
        self._name(value, name)

    def _line(self, name: str, operation: Operation, text: str) -> Line:
        if operation.kind not in PUT_TOGETHER:
            return Line(name, text)
        values = [self.texts[operand].text for operand in operation.operands]
        updates = PUT_TOGETHER[operation.kind]
        if not operation.detail[-1]:
            return Line(name, f"np.zeros({operation.shape})", updates(name, operation, values))
        base = self._operation(operation.operands[0])
        passing = operation.operands[0] not in self.variables and base.kind not in SOURCES | VIEWS | {"broadcast"}
        temporary = base.kind in PUT_TOGETHER and self.reads[operation.operands[0]] == 0
        fresh = (passing or temporary) and not base.constant
        return Line(
            name,
            values[0] if fresh else copied(self.texts[operation.operands[0]]),
            updates(name, operation, values[1:]),
        )

    def _name(self, value: Value, name: str) -> None:
        self.variables[value] = name
        self.texts[value] = Text(name)

    def _inherited(self, value: Value, there: str | None = None) -> str | None:
        """The value's own name, or that of the quantity it is the first ingredient of: z for the product that b is
        added to next. Only one value at a time has a name, and hands it over to the one that is computed ``there``."""
        if value in self.names:
            return self.names[value]
        heir = value
        while heir not in self.names:
            users = self.users[heir]
            alone = len(users) == 1 and heir not in self.returned and self._operation(users[0]).kind in ELEMENTWISE
            if not alone or self.table.shape(users[0]) != self.table.shape(value) or self._operation(users[0]).boolean:
                return None
            heir = users[0]
        name = self.names[heir]
        if name in self.claimed and name != there:
            return None
        self.claimed.add(name)
        return name

    def _overwritable(self, value: Value, operation: Operation) -> Value | None:
        """An operand of the same shape that is a temporary nobody will read again."""
        numbers = operation.shape and not operation.boolean  # a scalar is no array that could be written to
        if operation.size < SMALL or operation.kind not in ELEMENTWISE or not numbers:
            return None
        for operand in operation.operands:
            taken = self._operation(operand)
            fresh = operand in self.variables and taken.kind not in SOURCES | VIEWS | INTEGERS and not taken.boolean
            if fresh and not taken.constant and taken.shape == operation.shape and self.reads[operand] == 0:
                return operand
        return None


def _when(offset: int) -> str:
    return "before" if offset < 0 else "after" if offset else "now"
