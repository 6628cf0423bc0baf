"""The texts in the package's source that look as if people read them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

LOOKED_UP = ("tr", "tr_n", "marked", "Statement")
FOR_PROGRAMMERS = ("NoMatrixFormError", "AttributeError", "NoNumber", "TypeError", "ValueError")
TWO_WORDS = re.compile(r"(?<![\\#<{.\w])[A-Za-z]{2,}[,:;]? +(?:\W*)[A-Za-z]{2,}")


def sentences(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every literal of two words and more that is no docstring and is not looked up in a catalogue."""
    tree = ast.parse(source)
    hidden = {id(part) for node in ast.walk(tree) for part in _unread(node)}
    for node in _outermost(tree):
        if id(node) not in hidden and TWO_WORDS.search(text := _text(node)):
            yield node.lineno, text


def lookups_inside_f_strings(source: str) -> Iterator[int]:
    """Lines where the extraction would not find a message."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            yield from (inner.lineno for inner in ast.walk(node) if _is_lookup(inner))


def _outermost(tree: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            yield node
        waiting.extend(() if isinstance(node, ast.JoinedStr) else ast.iter_child_nodes(node))


def _text(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)


def _unread(node: ast.AST) -> Iterator[ast.AST]:
    """What is looked up in a catalogue, docstrings, the help of options, and what only programmers see."""
    if _is_lookup(node):
        yield from (part for argument in node.args for part in ast.walk(argument))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FOR_PROGRAMMERS:
        yield from (part for argument in node.args for part in ast.walk(argument))
    elif isinstance(node, ast.Assert) and node.msg is not None:
        yield node.msg
    elif isinstance(node, ast.keyword) and node.arg in ("help", "description"):
        yield node.value


def _is_lookup(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in LOOKED_UP
