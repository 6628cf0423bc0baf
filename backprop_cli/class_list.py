"""Class lists: the names of students from a CSV file, which is someone else's."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from backprop_cli.class_headers import Columns, columns_of, joined
from backprop_cli.errors import BackpropError, Problem, SpecError
from backprop_cli.exercises.answer_rows import decoded
from backprop_cli.renderers.plain import one_line
from backprop_cli.spec.limits import NAME, TEXT_BYTES
from backprop_cli.spec.reading import content_of
from backprop_cli.translation import tr

MOST_STUDENTS = 10_000
SEPARATORS = (";", "\t", ",")
UNREADABLE = ("\N{REPLACEMENT CHARACTER}", "\0")


class _Row(NamedTuple):
    line: int
    name: str
    telling: tuple[str, ...]


def class_list(path: Path) -> tuple[str, ...]:
    """The students in order, by the columns that a header names, or those of a list of names alone.

    Students of one name are told apart by a number or an address that stands behind it, ``Ann Meier (17)``. Raises
    BackpropError, with the line of what is wrong.
    """
    content = content_of(path)
    if len(content) > TEXT_BYTES:
        raise BackpropError(tr("{file}: a class list of more than {most} bytes").format(file=path, most=TEXT_BYTES))
    text = decoded(content, str(path))
    if any(sign in text for sign in UNREADABLE):
        raise BackpropError(tr("{file}: this is not UTF-8 text").format(file=path))
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(SEPARATORS, key=lambda sign: (first.count(sign), sign == ","))
    reader = csv.reader(text.splitlines(), delimiter=separator, skipinitialspace=True)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise SpecError(str(path), [Problem(reader.line_num, 1, str(error))]) from None
    if not rows:
        raise BackpropError(tr("{file}: there are no students in it").format(file=path))
    columns = columns_of(rows[0][1])
    if columns is None and len(rows[0][1]) == 1:
        names = _names(path, [_row(line, row, Columns((0,), ())) for line, row in rows])
    elif columns is None or not columns.names:
        message = tr("no column is known to hold names; call one 'name', or two 'first name' and 'last name'")
        raise SpecError(str(path), [Problem(rows[0][0], 1, message)])
    else:
        names = _names(path, [_row(line, row, columns) for line, row in rows[1:]])
    if not names:
        raise BackpropError(tr("{file}: there are no students in it").format(file=path))
    return names


def _row(line: int, cells: Sequence[str], columns: Columns) -> _Row:
    found = [" ".join(one_line(cell).split()) for cell in cells]

    def at(places: Sequence[int]) -> tuple[str, ...]:
        return tuple(found[place] if place < len(found) else "" for place in places)

    return _Row(line, joined(at(columns.names)), at(columns.telling))


def _told_apart(rows: Sequence[_Row]) -> list[_Row]:
    """The rows in which names that several students have are followed by what each of these has for itself."""
    alike = {name for name, count in Counter(row.name for row in rows).items() if count > 1 and name}
    by_name = {name: [row for row in rows if row.name == name] for name in alike}
    found = []
    for row in rows:
        same = by_name.get(row.name, [])
        for place, own in enumerate(row.telling):
            others = [other.telling[place] for other in same]
            if same and all(others) and len(set(others)) == len(others):
                row = row._replace(name=f"{row.name} ({own})")
                break
        found.append(row)
    return found


def _names(path: Path, rows: Sequence[_Row]) -> tuple[str, ...]:
    found: dict[str, int] = {}
    problems = []
    for line, name, _ in _told_apart(rows):
        if not name:
            problems.append(Problem(line, 1, tr("there is no name in this row")))
        elif len(name) > NAME:
            problems.append(
                Problem(
                    line,
                    1,
                    tr("a name of {number} characters; at most {most} are allowed").format(number=len(name), most=NAME),
                )
            )
        elif name in found:
            message = tr("'{name}' stands in line {line} already; names tell students apart")
            problems.append(Problem(line, 1, message.format(name=name, line=found[name])))
        else:
            found[name] = line
    if len(found) > MOST_STUDENTS:
        problems.append(Problem(0, 0, tr("more than {most} students").format(most=MOST_STUDENTS)))
    if problems:
        raise SpecError(str(path), problems)
    return tuple(found)
