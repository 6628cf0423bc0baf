"""How the answers of an exercise are written: a formula for each, and tables whose columns are positions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from backprop_cli.documents.blocks import Cell, Table
from backprop_cli.documents.names import Names
from backprop_cli.exercises.exercise import Exercise
from backprop_cli.exercises.nodes import PATH, UPDATED
from backprop_cli.exercises.solving import FORMULA
from backprop_cli.language import tree
from backprop_cli.symbolic.display import position_tree, tree_of
from backprop_cli.symbolic.notation import Place
from backprop_cli.teaching.rounding import Rounding, Unrounded, exact_text
from backprop_cli.translation import tr

BLANK = "_" * 10
WIDEST = 6  # columns of positions; longer arrays are listed
NEW = "new"  # what stands below the letter of a parameter after an update, as in the ids of answers


def with_updated(names: Names) -> Names:
    """The names with those of parameters after an update."""
    added = {}
    for name, shown in names.quantities.items():
        if shown.role == "parameter":
            new = f"{UPDATED}{name}"
            added[new] = shown._replace(name=new, word=f"{shown.word},{NEW}" if shown.word else NEW)
    return replace(names, quantities={**names.quantities, **added})


def label_of(exercise: Exercise, cell: str) -> tree.Node:
    """What stands before the blank of an answer that is a number or a formula."""
    place = exercise.place(cell.removeprefix(FORMULA))
    if not cell.startswith(PATH):
        return tree_of(place)
    number, _, gradient = cell.removeprefix(PATH).partition(" of ")
    target = exercise.place(gradient)
    node = exercise.nodes.node(target)
    paths = () if node is None else node.contributions
    path = paths[int(number) - 1]
    if path.upstream is None or path.is_share or sum(other.upstream == path.upstream for other in paths) > 1:
        return tree_of(path.expression)
    of, by = (position_tree(Place(place.name, *place.positions)) for place in (path.upstream, target))
    return tree.Product((tree_of(path.upstream), tree.Partial(of, by)))


def listed_cells(exercise: Exercise, cells: Sequence[str], filled: Callable[[str], Cell]) -> Table:
    """A row for every answer, with the numbers of paths in front."""
    rows = ((label_of(exercise, cell), filled(cell)) for cell in cells)
    return with_paths(cells, (tr("quantity"), tr("answer")), rows, exercise.digits)


def path_of(cell: str) -> str | None:
    """The number of a path as answers are called by it; None for an answer that is not about one."""
    return cell.removeprefix(PATH).partition(" of ")[0] if cell.startswith(PATH) else None


def with_paths(cells: Sequence[str], header: Sequence[str], rows: Iterable[Sequence[Cell]], digits: int) -> Table:
    """A table with a row for every one of these answers; where some are about paths, their numbers stand in front."""
    numbers = list(map(path_of, cells))
    if not any(numbers):
        return Table(tuple(header), tuple(map(tuple, rows)), digits)
    numbered = ((number, *row) for number, row in zip(numbers, rows, strict=True))
    return Table((tr("path"), *header), tuple(numbered), digits)


def grid(exercise: Exercise, cells: Sequence[str], filled: Callable[[str], Cell]) -> Table:
    """A row for every vector and every row of a matrix, a column for every position in it; a list where that is too
    wide."""
    groups: dict[tuple[type[Place], str, tuple[int, ...]], dict[int, str]] = {}
    for cell in cells:
        place = exercise.place(cell)
        *outer, last = (int(position) for position in place.positions or (1,))
        groups.setdefault((type(place), place.name, tuple(outer)), {})[last] = cell
    columns = sorted({position for found in groups.values() for position in found})
    if len(columns) > WIDEST or len(columns) < 2:
        return listed_cells(exercise, cells, filled)
    rows: list[tuple[Cell, ...]] = []
    for (kind, name, before), found in groups.items():
        label = _row_label(exercise, kind, name, before)
        rows.append((label, *(filled(found[position]) if position in found else None for position in columns)))
    return Table((tr("quantity"), *map(str, columns)), tuple(rows), exercise.digits)


def _row_label(exercise: Exercise, kind: type[Place], name: str, outer: Sequence[int]) -> tree.Node:
    return tree_of(kind(name, *outer, *exercise.nodes.graph[name].indices[-1:]))


def answer(exercise: Exercise, value: float) -> Cell:
    """A right answer as a key shows it."""
    if not exercise.exact:
        return value
    return exact_text(value)


def rounding_of(exercise: Exercise) -> Rounding:
    """How the numbers of worked solutions are shown."""
    return Unrounded() if exercise.exact else Rounding(exercise.digits)
