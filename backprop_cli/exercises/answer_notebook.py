"""Answers in a notebook that a student has filled in. It is read as the JSON it is; nothing in it is ever run.

An answer is a line ``dJ/dW1[1,2] = 0.0827`` or ``dJ/dW1[1,2]: 0.0827`` in any cell, also as a comment or an item of a
list; ``student = Ann`` and ``variant: 3`` say whose it is. A cell whose metadata has ``{"backprop": {"cell": ID}}``
holds that one answer; the notebook's own metadata may have ``{"backprop": {"student": …, "variant": …}}``. A line of
code is an answer where it gives a number, and a computation otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from backprop_cli.errors import BackpropError, Problem, did_you_mean
from backprop_cli.exercises.answer_rows import LONGEST, MOST_ROWS, Row, Rows
from backprop_cli.exercises.written_ids import compact
from backprop_cli.exercises.written_numbers import is_blank, number_of
from backprop_cli.translation import grouped, tr

OWN = "backprop"  # the tool's own part of metadata
_MARKS = "#>*-|`$ \t"
_ID = re.compile(r"(?:(?:new|path \d+ of|formula|choice|mistake) )?(?:d\w+/d)?[^\W_]\w*(?:\[[\d,]+\])?", re.IGNORECASE)
_PLAIN = re.compile(r"\w+")  # may be anything, also a variable of the student's own


def is_notebook(data: Any) -> bool:
    return isinstance(data, Mapping) and isinstance(data.get("cells"), list) and "nbformat" in data


def from_notebook(text: str, source: str, cells: Collection[str]) -> Rows:
    """The answers to ``cells``, each under the line of the notebook's text that it stands in, all cells one after the
    other. The last answer to a cell counts, as a notebook is filled in from above."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise BackpropError(Problem(1, 1, tr("this is no notebook")).located(source)) from None
    if not is_notebook(data):
        raise BackpropError(Problem(1, 1, tr("this is no notebook")).located(source))
    own = _own(data)
    who = {name: str(own[name]) for name in ("student", "variant") if isinstance(own.get(name), str | int)}
    known = {compact(cell): cell for cell in cells}
    answers: dict[str, tuple[int, str]] = {}
    unknown: list[tuple[str, tuple[int, str]]] = []
    problems: list[Problem] = []
    for line, name, answer in _lines(data, known):
        if len(answer) > LONGEST or len(answers) > MOST_ROWS:
            problems.append(
                Problem(line, 1, tr("a field has more than {most} characters").format(most=grouped(LONGEST)))
            )
        elif name in ("student", "variant"):
            who[name] = who.get(name) or answer
        elif answer and name not in cells:
            unknown.append((name, (line, answer)))
        elif answer:
            if answers.get(name, (0, answer))[1] != answer:
                message = tr("{cell} is answered twice; the last answer counts")
                problems.append(Problem(line, 1, message.format(cell=name)))
            answers[name] = (line, answer)
    rows = [
        Row(line, who.get("student", ""), who.get("variant", ""), name, answer)
        for name, (line, answer) in [*answers.items(), *unknown]
    ]
    if not rows and who.get("student"):  # a sheet that was handed in empty
        rows.append(Row(1, who["student"], who.get("variant", ""), "", ""))
    return Rows(rows, problems)


def _own(part: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = part.get("metadata")
    own = metadata.get(OWN) if isinstance(metadata, Mapping) else None
    return own if isinstance(own, Mapping) else {}


def _lines(data: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[tuple[int, str, str]]:
    """Line, name and answer, wherever a line answers one of the ``known`` cells, or seems to answer another one, or
    says who answers."""
    line = 0
    for part in data["cells"]:
        if not isinstance(part, Mapping):
            continue
        source = part.get("source", "")
        text = "".join(map(str, source)) if isinstance(source, list) else str(source)
        is_code = part.get("cell_type") == "code"
        name = _own(part).get("cell")
        if isinstance(name, str) and compact(name) in known:
            yield line + 1, known[compact(name)], _filled(_after_name(text, known))
        for written in text.splitlines():
            line += 1
            found = _of_code(written, known) if is_code else _answer(written, known) or _unknown(written, known)
            if found is not None:
                yield line, *found


def _after_name(text: str, known: Mapping[str, str]) -> str:
    """What a cell of one answer holds: its last line that says something, without the id before it."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        return ""
    found = _answer(lines[-1], known)
    return lines[-1] if found is None else found[1]


def _answer(line: str, known: Mapping[str, str]) -> tuple[str, str] | None:
    plain = line.strip(_MARKS)
    for sign in ("=", ":"):
        left, found, right = plain.partition(sign)
        name = compact(left.strip(_MARKS))
        if found and name in known:
            return known[name], _filled(right)
        if found and name.casefold() in ("student", "variant"):
            return name.casefold(), _filled(right)
    return None


def _of_code(line: str, known: Mapping[str, str]) -> tuple[str, str] | None:
    """The answer in a comment, or one that is no statement of the program but a number."""
    if line.lstrip().startswith("#"):
        return _answer(line, known)
    plain = line.partition("#")[0]
    found = _answer(plain, known)
    if found is not None:
        return found if found[0] in ("student", "variant") or number_of(found[1]) is not None else None
    return _unknown(plain, known) if re.search(r"\w/d\w|\w \w", plain.partition("=")[0]) else None


def _unknown(line: str, known: Mapping[str, str]) -> tuple[str, str] | None:
    """An answer to a cell that there is not, where the line looks like one."""
    for sign in ("=", ":"):
        left, found, right = line.strip(_MARKS).partition(sign)
        name = compact(left.strip(_MARKS))
        if not found or not _filled(right) or not _ID.fullmatch(name):
            continue
        if not _PLAIN.fullmatch(name) or (number_of(right) is not None and did_you_mean(name, known)):
            return name, _filled(right)
    return None


def _filled(text: str) -> str:
    answer = text.strip("`$| \t").strip()
    return "" if is_blank(answer) else answer
