"""Answers as rows of a file: CSV, JSON or YAML text to ``student, variant, cell, answer`` and the line of each.

Nothing here knows a key. What cannot be read is a problem with a line, and the rest of the file is read all the same.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import Any, NamedTuple

from backprop_cli.errors import BackpropError, Problem, did_you_mean
from backprop_cli.spec import nodes as yaml_nodes
from backprop_cli.spec.positions import line_and_column
from backprop_cli.spec.yaml import compose
from backprop_cli.translation import alternatives, enumerated, grouped, tr

COLUMNS = ("student", "variant", "cell", "answer")
NEEDED = ("cell", "answer")
MOST_BYTES = 20_000_000
MOST_ROWS = 200_000
LONGEST = 4_000  # characters of one field
ANSWERS = "answers"  # in JSON and YAML: the list of rows, or a student's answers by cell


class Row(NamedTuple):
    """One answer, as it was written; ``line`` counts from 1, or is the number of the row where there are no lines."""

    line: int
    student: str
    variant: str
    cell: str
    answer: str


class Rows(NamedTuple):
    rows: list[Row]
    problems: list[Problem]


def decoded(content: bytes, source: str) -> str:
    """The text of a file as programs for spreadsheets save it. Raises BackpropError for one that is too large."""
    if len(content) > MOST_BYTES:
        message = tr("{file}: more than {most} bytes")
        raise BackpropError(message.format(file=source, most=grouped(MOST_BYTES)))
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def from_csv(text: str, source: str) -> Rows:
    """Rows under a header with the columns in any order; others are ignored. Raises BackpropError without a header."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max((";", "\t", ","), key=first.count)
    found = Rows([], [])
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    columns: list[str] | None = None
    for line, fields in _read(reader, found.problems):
        if not any(field.strip() for field in fields):
            continue
        if columns is None:
            columns = [field.strip().casefold() for field in fields]
            _check_columns(columns, source, line)
            continue
        if len(found.rows) >= MOST_ROWS:
            found.problems.append(Problem(line, 1, _too_many()))
            break
        whole = _rejoined(fields, columns, delimiter)
        if len(whole) != len(columns):
            message = tr("{count} fields where the header has {expected}; put quotes around those with a '{sign}'")
            problem = message.format(count=len(whole), expected=len(columns), sign=delimiter)
            found.problems.append(Problem(line, 1, problem))
            continue
        _add(found, line, dict(zip(columns, whole, strict=True)))
    if columns is None:
        raise BackpropError(tr("{file}: there are no answers in it").format(file=source))
    return found


def _read(reader: Any, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    while True:
        before = reader.line_num
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            problems.append(Problem(max(reader.line_num, before + 1), 1, tr("this row cannot be read")))
            continue
        yield before + 1, fields


def _check_columns(columns: Sequence[str], source: str, line: int) -> None:
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        unknown = next((name for name in columns if name not in COLUMNS and did_you_mean(name, missing)), None)
        hint = "" if unknown is None else did_you_mean(unknown, missing)
        message = tr("expected the columns {columns} in the first row, and there is no {missing}{hint}")
        told = message.format(columns=enumerated(COLUMNS), missing=alternatives(missing), hint=_quoted(unknown, hint))
        raise BackpropError(Problem(line, 1, told).located(source))


def _quoted(unknown: str | None, hint: str) -> str:
    return "" if unknown is None else f" ('{unknown}'{hint})"


def _rejoined(fields: list[str], columns: Sequence[str], delimiter: str) -> list[str]:
    """The fields of a row whose ids or decimal commas were written without quotes: ``dJ/dW1[1,2]`` is one field."""
    if len(fields) <= len(columns) or delimiter != ",":
        return fields
    whole: list[str] = []
    for field in fields:
        if whole and whole[-1].count("[") > whole[-1].count("]"):
            whole[-1] += f",{field}"
        else:
            whole.append(field)
    if len(whole) == len(columns) + 1 and columns[-1] == "answer" and whole[-1].strip().isdigit():
        whole[-2:] = [f"{whole[-2]},{whole[-1]}"]
    return whole


def from_json(text: str, source: str) -> Rows:
    """A list of objects with those four members, or an object with such a list as ``answers``; an object may give a
    student's ``answers`` by cell. Rows are numbered, not lines."""
    try:
        data = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        line, column = (error.lineno, error.colno) if isinstance(error, json.JSONDecodeError) else (1, 1)
        problem = Problem(line, column, tr("this is no JSON"))
        raise BackpropError(problem.located(source)) from None
    return _from_data(data, source, {})


def from_yaml(text: str, source: str) -> Rows:
    """The same as YAML. Raises SpecError for what is no YAML."""
    root = compose(text, source)
    lines: dict[int, int] = {}
    data = _plain(root, text, lines)
    return _from_data(data, source, lines)


def _plain(node: yaml_nodes.Node, text: str, lines: dict[int, int]) -> Any:
    """Lists, mappings and the text of what stands in them; ``lines`` says where each mapping begins."""
    match node:
        case yaml_nodes.Scalar():
            return str(node.value) if node.style else text[node.start : node.end].strip()
        case yaml_nodes.Listing():
            return [str(value) for value in node.run.data()]
        case yaml_nodes.Sequence():
            return [_plain(item, text, lines) for item in node.items]
    made = {str(key): _plain(value, text, lines) for key, (_, value) in node.entries.items()}
    lines[id(made)] = line_and_column(text, node.start)[0]
    return made


def _from_data(data: Any, source: str, lines: Mapping[int, int]) -> Rows:
    is_wrapped = isinstance(data, Mapping) and isinstance(data.get(ANSWERS), list)
    several = data[ANSWERS] if is_wrapped else [data] if isinstance(data, Mapping) else data
    if not isinstance(several, list):
        message = tr("{file}: expected a list of answers, each with {columns}")
        raise BackpropError(message.format(file=source, columns=enumerated(COLUMNS)))
    found = Rows([], [])
    for number, one in enumerate(several, 1):
        line = lines.get(id(one), number)
        if len(found.rows) >= MOST_ROWS:
            found.problems.append(Problem(line, 1, _too_many()))
            break
        if not isinstance(one, Mapping):
            message = tr("expected an answer with {columns}")
            found.problems.append(Problem(line, 1, message.format(columns=enumerated(COLUMNS))))
        elif isinstance(answers := one.get(ANSWERS), Mapping):
            for cell, answer in answers.items():
                _add(found, line, {**one, "cell": cell, "answer": answer})
        elif missing := [name for name in NEEDED if name not in one]:
            message = tr("this answer has no {missing}")
            found.problems.append(Problem(line, 1, message.format(missing=alternatives(missing))))
        else:
            _add(found, line, one)
    return found


def _add(found: Rows, line: int, fields: Mapping[str, Any]) -> None:
    texts = ["" if (value := fields.get(name)) is None else value for name in COLUMNS]
    if any(isinstance(value, Mapping | list) for value in texts):
        found.problems.append(Problem(line, 1, tr("expected text or a number, not a list")))
        return
    plain = [_without_guard(str(value).strip()) for value in texts]
    if any(len(value) > LONGEST for value in plain):
        message = tr("a field has more than {most} characters")
        found.problems.append(Problem(line, 1, message.format(most=grouped(LONGEST))))
        return
    found.rows.append(Row(line, *plain))


def _without_guard(text: str) -> str:
    """The text without the apostrophe that keeps a spreadsheet from reading a formula in it."""
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@") else text


def _too_many() -> str:
    return tr("more than {most} answers; the rest is left out").format(most=grouped(MOST_ROWS))
