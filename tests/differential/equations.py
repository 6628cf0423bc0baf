"""Equations evaluated one number at a time with PyTorch scalars: a second reading of the equation language.

It shares nothing with the tool: Python's own parser, plain loops over indices, and PyTorch for the derivatives.
"""

from __future__ import annotations

import ast
import itertools
import keyword
import re
from collections.abc import Callable, Mapping
from typing import Any

import torch

Tensor = Any

FUNCTIONS: Mapping[str, Callable[..., Tensor]] = {
    **{name: getattr(torch, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: getattr(torch, name) for name in ("sigmoid", "relu", "sign", "abs", "erf")},
    "leaky_relu": torch.nn.functional.leaky_relu,
    "elu": torch.nn.functional.elu,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
    "softplus": lambda z: torch.logaddexp(z, torch.zeros_like(z)),
    "heaviside": lambda z: (z > 0).to(z.dtype),
    "identity": lambda z: z + 0.0,  # a tensor of its own, with a gradient of its own
}
REDUCTIONS = ("sum", "mean", "max", "min", "argmax", "argmin")
OPERATIONS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}
COMPARISONS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
}


def number(value: Any) -> Tensor:
    return torch.as_tensor(float(value), dtype=torch.float64) if not isinstance(value, torch.Tensor) else value


def python_name(name: str) -> str:
    """Python's own words are ordinary names in the equation language."""
    return f"{name}_" if keyword.iskeyword(name) else name


def parsed(text: str) -> ast.expr:
    return ast.parse(re.sub(r"[A-Za-z_]\w*", lambda m: python_name(m[0]), text), mode="eval").body


def equation(text: str, values: Mapping[str, Tensor]) -> tuple[str, Tensor]:
    """The name on the left side of ``name[i,j] = right side``, and its value."""
    left, right = re.split(r"(?<![<>=!])=(?!=)", text, maxsplit=1)
    target = parsed(left.strip())
    name = target.value.id if isinstance(target, ast.Subscript) else target.id
    indices = [position.id for position in positions(target)] if isinstance(target, ast.Subscript) else []
    return name.removesuffix("_"), expression(right.strip(), values, indices)


def expression(text: str, values: Mapping[str, Tensor], indices: list[str] | None = None) -> Tensor:
    """The value of an expression at all positions of its free indices."""
    node = parsed(text)
    table = {python_name(name): value for name, value in values.items()}
    shape = [size_of(index, ast.Expression(node), table) for index in indices or []]
    entries = [
        number(evaluate(node, table, dict(zip(indices or [], position, strict=True))))
        for position in itertools.product(*(range(1, size + 1) for size in shape))
    ]
    return torch.stack(entries).reshape(shape)


def positions(node: ast.Subscript) -> list[Any]:
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]


def size_of(index: str, node: ast.AST, values: Mapping[str, Tensor]) -> int:
    """How far an index runs, from the places where it stands alone; a sum over an index of that name has its own."""
    found: set[int] = set()
    pending = [node]
    while pending:
        part = pending.pop()
        if part is not node and isinstance(part, ast.Call):
            bound = [b.id for b in part.args[1:] if isinstance(b, ast.Name)]
            if index in bound and is_reduction(part.func.id, part.args[1:], values, {}):
                continue
        if isinstance(part, ast.Subscript):
            sizes = zip(positions(part), values[part.value.id].shape, strict=True)
            found.update(size for position, size in sizes if isinstance(position, ast.Name) and position.id == index)
        pending.extend(ast.iter_child_nodes(part))
    (size,) = found
    return size


def evaluate(node: ast.expr, values: Mapping[str, Tensor], at: Mapping[str, int]) -> Any:
    def inner(part: ast.expr, more: Mapping[str, int] | None = None) -> Any:
        return evaluate(part, values, {**at, **(more or {})})

    match node:
        case ast.Constant(value=value):
            return number(value)
        case ast.Name(id=name):
            return number(at[name]) if name in at else values[name]
        case ast.Subscript(value=ast.Name(id=name)):
            return values[name][tuple(int(inner(position)) - 1 for position in positions(node))]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -inner(operand)
        case ast.BinOp(left=left, op=op, right=right):
            return OPERATIONS[type(op)](inner(left), inner(right))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return number(bool(COMPARISONS[type(op)](inner(left), inner(right))))
        case ast.Call(func=ast.Name(id="where"), args=[condition, then, otherwise]):
            return inner(then) if bool(inner(condition)) else inner(otherwise)
        case ast.Call(func=ast.Name(id=name), args=[body, *bound]) if is_reduction(name, bound, values, at):
            names = [index.id for index in bound]
            every = itertools.product(*(range(1, size_of(index, body, values) + 1) for index in names))
            return reduced(name, [number(inner(body, dict(zip(names, position, strict=True)))) for position in every])
        case ast.Call(func=ast.Name(id="max" | "min" as name), args=arguments):
            return reduced(name, [number(inner(argument)) for argument in arguments])
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return FUNCTIONS[name](number(inner(argument)))
    raise TypeError(ast.dump(node))


def is_reduction(name: str, bound: list[Any], values: Mapping[str, Any], at: Mapping[str, int]) -> bool:
    """Whether what follows the first argument are indices of its own: ``max(e, k)``, not ``max(a, b)``."""
    names = [part.id for part in bound if isinstance(part, ast.Name)]
    known = any(index in values or index in at for index in names)
    return name in REDUCTIONS and len(names) == len(bound) > 0 and not known


def reduced(operation: str, terms: list[Tensor]) -> Tensor:
    """Of equal extreme values the first one is taken, with its gradient."""
    if operation in ("sum", "mean"):
        total = sum(terms[1:], terms[0])
        return total / len(terms) if operation == "mean" else total
    plain = [term.item() for term in terms]
    first = plain.index(max(plain) if operation.endswith("max") else min(plain))
    return number(first + 1) if operation.startswith("arg") else terms[first]
