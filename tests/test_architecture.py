"""The house rules that a reader should not have to check: layers, late imports, sizes and names of files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "backprop_cli"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Imports go only from later to earlier.
LAYERS = (
    ("errors", "translation"),
    ("language",),
    ("library",),
    ("spec",),
    ("symbolic",),
    ("numeric",),
    ("verification",),
    ("teaching",),
    ("exercises",),
    ("documents",),
    ("renderers",),
    ("derived",),
    ("network",),
    (
        "bundled",
        "marking",
        "options",
        "output",
        "parameters",
        "progress",
        "questions",
        "sources",
        "walking",
    ),
    ("class_headers", "class_list", "exercise_loading", "exercise_writing"),
    ("exercise_commands",),
    ("cli", "__main__", "__init__"),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}

# Where an optional or slow library is imported late, at the edge.
OPTIONAL = {"torch", "autograd", "jax"}


def layer_of(parts: tuple[str, ...]) -> str:
    return parts[0].removesuffix(".py") if parts else "__init__"


def imports(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Line, dotted name and whether it stands inside a function, for every import of a file."""

    def visit(node: ast.AST, inside: bool) -> Iterator[tuple[int, str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((child.lineno, alias.name, inside) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                module = child.module or ""
                if module == "backprop_cli":
                    yield from ((child.lineno, f"{module}.{alias.name}", inside) for alias in child.names)
                else:
                    yield child.lineno, module, inside
            nested = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from visit(child, inside or nested)

    yield from visit(ast.parse(path.read_text(encoding="utf-8")), False)


def relative(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_imports_go_from_later_to_earlier_layers(path: Path) -> None:
    own = layer_of(path.relative_to(PACKAGE).parts)
    assert own in RANK, f"{relative(path)} belongs to no layer"
    for line, name, _ in imports(path):
        if name.startswith("backprop_cli."):
            other = layer_of(tuple(name.split(".")[1:2]))
            if other in RANK:
                assert RANK[other] <= RANK[own], f"{relative(path)}:{line}: {own} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_imports_inside_functions_are_optional_or_put_off_for_start_up(path: Path) -> None:
    if relative(path) in {"cli.py", "exercise_commands.py", "network.py"}:
        return
    late = [(line, name) for line, name, inside in imports(path) if inside and name.split(".")[0] not in OPTIONAL]
    assert late == []


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", [*MODULES, *Path(__file__).parent.rglob("*.py")], ids=lambda path: path.name)
def test_no_module_is_a_bag_of_leftovers(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "helper", "misc", "common"}


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_nothing_evaluates_text(path: Path) -> None:
    """Users' formulas go through the project's own grammar; only the program that the tool wrote itself is executed."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not called & {"eval", "exec", "parse_expr"}


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_every_module_says_what_it_offers(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
