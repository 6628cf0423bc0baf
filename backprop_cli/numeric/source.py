"""Array operations as Python text: one NumPy expression per operation, with no more parentheses than it needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from backprop_cli.numeric.operations import Entry, Operation

ATOM, POWER, SIGN, TIMES, PLUS, COMPARE = range(6)


class Text(NamedTuple):
    """An expression and how tightly it binds: the smaller, the tighter."""

    text: str
    binding: int = ATOM

    def within(self, binding: int) -> str:
        return self.text if self.binding <= binding else f"({self.text})"


# name -> operator, its binding, and what the right side may bind like without parentheses
OPERATORS: Mapping[str, tuple[str, int, int]] = {
    "add": (" + ", PLUS, TIMES),
    "subtract": (" - ", PLUS, TIMES),
    "multiply": ("*", TIMES, SIGN),
    "divide": ("/", TIMES, SIGN),
    "power": ("**", POWER, ATOM),
    "less": (" < ", COMPARE, PLUS),
    "less_equal": (" <= ", COMPARE, PLUS),
    "greater": (" > ", COMPARE, PLUS),
    "greater_equal": (" >= ", COMPARE, PLUS),
    "equal": (" == ", COMPARE, PLUS),
    "not_equal": (" != ", COMPARE, PLUS),
}
IN_PLACE = {"add": "+=", "subtract": "-=", "multiply": "*=", "divide": "/="}
ELEMENTWISE = frozenset(OPERATORS) | {
    *("exp", "log", "log1p", "expm1", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "abs", "sign", "negative"),
    *("maximum", "minimum", "logaddexp"),
}
OURS = frozenset({"erf", "erfc"})  # functions that NumPy lacks
METHODS = {"add": "sum", "maximum": "max", "minimum": "min"}


def number(text: str) -> Text:
    """A number from its repr."""
    named = {"inf": "np.inf", "-inf": "-np.inf", "nan": "np.nan"}
    text = named.get(text, text)
    return Text(text, SIGN if text.startswith("-") else ATOM)


def written(operation: Operation, operands: Sequence[Text]) -> Text:
    """The operation applied to the texts of its operands."""
    writer = _WRITERS.get(operation.kind)
    if writer is not None:
        return writer(operation, operands)
    if operation.kind in OPERATORS:
        sign, binding, right = OPERATORS[operation.kind]
        left = binding - 1 if binding in (POWER, COMPARE) else binding
        return Text(f"{operands[0].within(left)}{sign}{operands[1].within(right)}", binding)
    return Text(call(operation.kind, operands))


def call(kind: str, operands: Sequence[Text], *more: str) -> str:
    """A call of the function of that name."""
    prefix = "" if kind in OURS else "np."
    return f"{prefix}{kind}({', '.join((*(operand.text for operand in operands), *more))})"


def _whole(operation: Operation, operands: Sequence[Text]) -> Text:
    return Text(f"{operands[0].within(ATOM)}.astype(int)" if operation.shape else f"int({operands[0].text})")


def _method(name: str) -> Callable[[Operation, Sequence[Text]], Text]:
    def write(operation: Operation, operands: Sequence[Text]) -> Text:
        first, *rest = operands
        return Text(f"{first.within(ATOM)}.{name}({', '.join(operand.text for operand in rest)})")

    return write


def _argument(operation: Operation, _: Sequence[Text]) -> Text:
    raise TypeError(f"an argument is written by its name: {operation.detail[0]}")


def _reduce(operation: Operation, operands: Sequence[Text]) -> Text:
    name, axes = operation.detail
    assert isinstance(axes, tuple)
    # Without an axis NumPy is quicker than with all of them.
    over = "" if not operation.shape else str(axes[0]) if len(axes) == 1 else str(axes)
    return Text(f"{operands[0].within(ATOM)}.{METHODS[str(name)]}({over})")


def _position(operation: Operation, operands: Sequence[Text]) -> Text:
    name, axis = operation.detail
    return Text(f"{operands[0].within(ATOM)}.{name}({axis})")


def _transpose(operation: Operation, operands: Sequence[Text]) -> Text:
    (order,) = operation.detail
    assert isinstance(order, tuple)
    reverse = order == tuple(reversed(range(len(order))))
    return Text(f"{operands[0].within(ATOM)}.{'T' if reverse else f'transpose{order}'}")


def _subscript(operation: Operation, operands: Sequence[Text]) -> Text:
    entries, shape = operation.detail
    assert isinstance(entries, tuple)
    assert isinstance(shape, tuple)
    return Text(f"{operands[0].within(ATOM)}[{_entries(entries, shape)}]")


def _entries(entries: Sequence[Entry], shape: Sequence[int]) -> str:
    sizes = iter(shape)
    texts = [_entry(entry, None if entry is None else next(sizes)) for entry in entries]
    while texts[-1] == ":" and len(texts) > 1:
        texts.pop()
    return ", ".join(texts)


def _entry(entry: Entry, size: int | None) -> str:
    if not isinstance(entry, tuple):
        return str(entry)
    start, stop, *step = entry
    whole = stop == size or (step and size is not None and stop + step[0] > size)
    return f"{start or ''}:{'' if whole else stop}{''.join(f':{each}' for each in step)}"


def _reshape(operation: Operation, operands: Sequence[Text]) -> Text:
    flat = len(operation.shape) == 1
    return Text(f"{operands[0].within(ATOM)}.{'ravel()' if flat else f'reshape{operation.shape}'}")


def _copy(operation: Operation, operands: Sequence[Text]) -> Text:
    # A scalar argument may be a number, which has no copy().
    return Text(copied(operands[0])) if operation.shape else Text(f"+{operands[0].within(SIGN)}", SIGN)


def copied(array: Text) -> str:
    """A new array of the same numbers."""
    filled = re.fullmatch(r"np\.broadcast_to\((-?[\w.+-]+), (\(.*\))\)", array.text)
    if filled is None:
        return f"{array.within(ATOM)}.copy()"
    return f"np.zeros({filled[2]})" if filled[1] == "0.0" else f"np.full({filled[2]}, {filled[1]})"


def updates(name: str, operation: Operation, values: Sequence[str]) -> list[str]:
    """The lines that put values into parts of an array: added, unless nothing can be there yet."""
    places, has_base = operation.detail
    assert isinstance(places, tuple)
    lines: list[str] = []
    seen: list[Sequence[Entry]] = []
    for place, value in zip(places, values, strict=True):
        taken = has_base or any(_overlap(place, other) for other in seen)
        seen.append(place)
        entries = _entries(place, operation.shape)
        lines.append(f"{name}[{entries}] {'+=' if taken else '='} {value}")
    return lines


def _overlap(left: Sequence[Entry], right: Sequence[Entry]) -> bool:
    return all(_meet(_span(a), _span(b)) for a, b in zip(left, right, strict=True))


def _meet(left: range, right: range) -> bool:
    if left.stop <= right.start or right.stop <= left.start:
        return False
    return any(place in right for place in left)


def _span(entry: Entry) -> range:
    assert entry is not None
    return range(*entry) if isinstance(entry, tuple) else range(entry, entry + 1)


def added_at(name: str, operation: Operation, values: Sequence[str]) -> list[str]:
    """The line that adds values at positions, which may occur several times."""
    *positions, value = values
    where = positions[0] if len(positions) == 1 else f"({', '.join(positions)})"
    return [f"np.add.at({name}, {where}, {value})"]


PUT_TOGETHER: Mapping[str, Callable[[str, Operation, Sequence[str]], list[str]]] = {
    "assemble": updates,
    "add_at": added_at,
}


def _windows(operation: Operation, operands: Sequence[Text]) -> Text:
    lengths, axes = operation.detail
    assert isinstance(lengths, tuple)
    assert isinstance(axes, tuple)
    single = len(axes) == 1
    window, axis = (lengths[0], axes[0]) if single else (lengths, axes)
    where = f"{window}" if single and len(operation.shape) == 2 else f"{window}, {axis}"
    return Text(f"sliding_window_view({operands[0].text}, {where})")


def _gather(_: Operation, operands: Sequence[Text]) -> Text:
    array, *positions = operands
    return Text(f"{array.within(ATOM)}[{', '.join(position.text for position in positions)}]")


_WRITERS: Mapping[str, Callable[[Operation, Sequence[Text]], Text]] = {
    "argument": _argument,
    "number": lambda operation, _: number(str(operation.detail[0])),
    "ones": lambda operation, _: Text(f"np.ones({operation.detail[0]})"),
    "arange": lambda operation, _: Text(f"np.arange(1.0, {float(operation.shape[0] + 1)!r})"),
    "negative": lambda _, operands: Text(f"-{operands[0].within(SIGN)}", SIGN),
    "whole": _whole,
    "dot": _method("dot"),
    "matmul": lambda operation, operands: Text(call("matmul", operands)),
    "reduce": _reduce,
    "position": _position,
    "transpose": _transpose,
    "subscript": _subscript,
    "reshape": _reshape,
    "gather": _gather,
    "copy": _copy,
    "assemble": lambda operation, _: Text(f"np.zeros({operation.shape})"),
    "add_at": lambda operation, _: Text(f"np.zeros({operation.shape})"),
    "windows": _windows,
    "state": lambda operation, _: Text(f"np.zeros({operation.shape})"),
    "loop": lambda operation, _: Text("range()"),
    "after": lambda _, operands: operands[0],
    "broadcast": lambda operation, operands: Text(f"np.broadcast_to({operands[0].text}, {operation.shape})"),
}
