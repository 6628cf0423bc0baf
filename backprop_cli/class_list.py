"""Class lists: the names of students from a CSV file, which is someone else's."""

from __future__ import annotations

import csv
from pathlib import Path

from backprop_cli.errors import BackpropError, Problem, SpecError
from backprop_cli.renderers.plain import one_line
from backprop_cli.spec.limits import NAME, TEXT_BYTES
from backprop_cli.spec.reading import content_of
from backprop_cli.translation import tr

HEADS = ("student", "name")
MOST_STUDENTS = 10_000


def class_list(path: Path) -> tuple[str, ...]:
    """The students in order: those in a column called 'student' or 'name', or in the first one where the first row
    names no column. Raises BackpropError, with the line of what is wrong."""
    content = content_of(path)
    if len(content) > TEXT_BYTES:
        raise BackpropError(tr("{file}: a class list of more than {most} bytes").format(file=path, most=TEXT_BYTES))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BackpropError(tr("{file}: this is not UTF-8 text").format(file=path)) from None
    separator = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    reader = csv.reader(text.splitlines(), delimiter=separator)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise SpecError(str(path), [Problem(reader.line_num, 1, str(error))]) from None
    heads = [cell.strip().casefold() for cell in rows[0][1]] if rows else []
    column = next((heads.index(head) for head in HEADS if head in heads), None)
    names = _names(path, rows if column is None else rows[1:], column or 0)
    if not names:
        raise BackpropError(tr("{file}: there are no students in it").format(file=path))
    return names


def _names(path: Path, rows: list[tuple[int, list[str]]], column: int) -> tuple[str, ...]:
    found: dict[str, int] = {}
    problems = []
    for line, row in rows:
        name = " ".join(one_line(row[column]).split()) if column < len(row) else ""
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
