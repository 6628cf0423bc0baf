"""From a file or YAML text to a valid :class:`NetworkSpec`, or to every problem at once, each with line and column."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from backprop_cli.errors import Problem, SpecError
from backprop_cli.spec import limits
from backprop_cli.spec.findings import DROP, Finding, findings_of
from backprop_cli.spec.nodes import data as plain_data
from backprop_cli.spec.positions import Positions
from backprop_cli.spec.schema import NetworkSpec
from backprop_cli.spec.yaml import compose
from backprop_cli.translation import grouped, tr, tr_n

MOST_PROBLEMS = 100
UNNAMED = "network"
_BYTE_ORDERS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

Check = Callable[[NetworkSpec], object]


def read(source: str | Path, *, check: Check | None = None) -> NetworkSpec:
    """The spec in the file ``source`` or in the text ``source``: YAML has a line break or ``: `` in it, a path has not.

    ``check`` examines the spec further, and raises SpecError; it gets a spec with problems too, if what is wrong with
    it leaves the rest meaningful, so that the problems of both come together. Raises SpecError.
    """
    if isinstance(source, str) and ("\n" in source or ": " in source or source.lstrip().startswith("{")):
        return read_text(source, check=check)
    if source == "":
        message = tr("expected the path of a file or YAML text, not an empty text")
        raise SpecError("<text>", [Problem(0, 0, message)])
    return read_file(Path(source), check=check)


def read_file(path: Path, *, check: Check | None = None) -> NetworkSpec:
    """The spec in a file; its default name is the file's stem."""
    return read_text(content_of(path), str(path), default_name=path.stem, check=check)


def content_of(path: Path) -> bytes:
    """The bytes of a file, one more than a spec may have where there are more. Raises SpecError."""
    try:
        with path.open("rb") as file:
            return file.read(limits.TEXT_BYTES + 1)
    except FileNotFoundError:
        raise SpecError(str(path), [Problem(0, 0, tr("there is no such file"))]) from None
    except (OSError, ValueError) as error:  # a ValueError for a path with a NUL
        said = getattr(error, "strerror", None) or str(error)
        message = tr("cannot be read: {reason}").format(reason=said)
        raise SpecError(str(path), [Problem(0, 0, message)]) from None


def read_text(
    content: str | bytes, source: str = "<text>", *, default_name: str = UNNAMED, check: Check | None = None
) -> NetworkSpec:
    """The spec in YAML text, or in the bytes of a file in UTF-8 (or UTF-16 with its mark); ``source`` names it."""
    data, positions = read_data(content, source)
    return validated(data, positions, default_name, check)


def read_data(content: str | bytes, source: str) -> tuple[Any, Positions]:
    """The plain data of YAML text, and where everything stands in it. Raises SpecError."""
    if len(content) > limits.TEXT_BYTES:
        message = tr("the spec is larger than {most} bytes; large data belongs in a data file")
        message = message.format(most=grouped(limits.TEXT_BYTES))
        raise SpecError(source, [Problem(0, 0, message)])
    text = content.removeprefix("\ufeff") if isinstance(content, str) else _decoded(content, source)
    root = compose(text, source)
    return plain_data(root), Positions(source, text, root)


def _decoded(content: bytes, source: str) -> str:
    mark, encoding = next((order for order in _BYTE_ORDERS if content.startswith(order[0])), (b"", "utf-8"))
    content = content.removeprefix(mark)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode(encoding, "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = tr("byte {byte} is not {encoding} text; is this a text file?")
        message = message.format(byte=f"0x{content[error.start]:02x}", encoding=encoding.upper())
        raise SpecError(source, [Problem(line, column, message)]) from None


def validated(data: Any, positions: Positions, default_name: str, check: Check | None = None) -> NetworkSpec:
    """The spec that plain data hold. Raises SpecError with every problem."""
    if isinstance(data, dict) and data.get("name") is None:
        data = {**data, "name": default_name}
    try:
        spec = _spec(data, positions)
    except ValidationError as error:
        findings = findings_of(error)
        problems = [positions.of(finding) for finding in findings]
        rest = _without(data, findings)
        raise SpecError(positions.source, _first([*problems, *_further(rest, positions, check)])) from None
    if check is not None:
        check(spec)
    return spec


def _spec(data: Any, positions: Positions) -> NetworkSpec:
    spec = NetworkSpec.model_validate(data)
    spec._positions = positions
    return spec


def _further(data: Any, positions: Positions, check: Check | None) -> Iterable[Problem]:
    """The problems that the check finds in a spec whose own problems are put aside."""
    if data is None or check is None:
        return ()
    try:
        check(_spec(data, positions))
    except SpecError as error:
        return error.problems
    except ValidationError:  # what was put aside was needed after all
        pass
    return ()


def _without(data: Any, findings: Iterable[Finding]) -> Any:
    """The data with every finding's remedy in place, or None if one has none."""
    data = deepcopy(data)
    for finding in findings:
        if finding.remedy is None or not finding.path:
            return None
        *outer, last = finding.path
        parent = data
        for part in outer:
            parent = parent[part]
        if finding.remedy is DROP:
            parent.pop(last, None)
        else:
            parent[last] = finding.remedy
    return data


def _first(problems: Iterable[Problem]) -> list[Problem]:
    """The first hundred problems, and how many more there are."""
    found = sorted(set(problems))
    if len(found) <= MOST_PROBLEMS:
        return found
    beyond = found[MOST_PROBLEMS]
    more = len(found) - MOST_PROBLEMS
    message = tr_n(
        "... and {number} more problem from here on", "... and {number} more problems from here on", more
    ).format(number=grouped(more))
    return [*found[:MOST_PROBLEMS], Problem(beyond.line, beyond.column, message)]
