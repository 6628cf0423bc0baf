"""Findings: what is wrong with a value, at a path inside it, in words of our own.

Validators raise all findings of a value at once as :class:`Rejected`; :func:`findings_of` reads them back from
pydantic's error. Every field has a validator of our own, so no message is in pydantic's words. Line and column come
later, in :mod:`backprop_cli.spec.reading`, because a spec may also be plain Python data.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn, TypeAlias, TypeVar

from pydantic import ValidationError

from backprop_cli.errors import did_you_mean
from backprop_cli.spec.wording import describe, expected_names, shortened
from backprop_cli.translation import tr

T = TypeVar("T")
Path: TypeAlias = tuple[int | str, ...]

DROP: Any = object()  # as a remedy: the spec without this key


@dataclass(frozen=True)
class Finding:
    """What is wrong at ``path``: with the key that ends it (``at_key``), or with the value, ``offset`` characters in.

    ``remedy`` is a value that could stand there instead without making anything else wrong (:data:`DROP`: none at all),
    or None. With it the rest of the spec can still be examined.
    """

    path: Path
    message: str
    at_key: bool = False
    offset: int = 0
    remedy: Any = None

    def under(self, path: Path) -> Finding:
        """The same finding seen from further out."""
        return replace(self, path=path + self.path)


class Rejected(ValueError):
    """What a validator raises; the findings' paths start at the value that it validates."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("; ".join(finding.message for finding in self.findings))


def reject(message: str, path: Path = (), *, remedy: Any = None) -> NoReturn:
    """End a validator with one finding."""
    raise Rejected([Finding(path, message, remedy=remedy)])


def collected(read: Callable[[Any], T], items: Iterable[Any]) -> tuple[T, ...]:
    """Every item read; the findings of all items come together, each under its place."""
    done: list[T] = []
    findings: list[Finding] = []
    for place, item in enumerate(items):
        try:
            done.append(read(item))
        except Rejected as rejected:
            findings.extend(finding.under((place,)) for finding in rejected.findings)
    if findings:
        raise Rejected(findings)
    return tuple(done)


def findings_of(error: ValidationError | Rejected) -> tuple[Finding, ...]:
    """All findings in an error, pydantic's or our own, with paths from the outermost value."""
    if isinstance(error, Rejected):
        return error.findings
    found: list[Finding] = []
    for detail in error.errors(include_url=False):
        path, at_key = detail["loc"], False
        if path and path[-1] == "[key]":
            path, at_key = path[:-1], True
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, Rejected):
            own = (replace(finding, at_key=finding.at_key or at_key) for finding in cause.findings)
            found.extend(finding.under(path) for finding in own)
        elif detail["type"] == "missing":
            found.append(Finding(path[:-1], tr("'{key}' is missing").format(key=path[-1]), at_key=True))
        else:
            message = tr("{expected}, not {found}").format(expected=detail["msg"], found=describe(detail["input"]))
            found.append(Finding(path, message, at_key))
    return tuple(found)


def unknown_keys(data: Mapping[Any, Any], keys: Collection[str]) -> Iterator[Finding]:
    """A finding for every key that is not one of ``keys``, with the nearest one that is."""
    for key in data:
        if key not in keys:
            name = str(key) if isinstance(key, str | int) else describe(key)
            hint = expected_names(keys) if keys else tr("; no keys are expected here")
            if isinstance(key, str):
                hint = did_you_mean(name, keys) or hint
            elif isinstance(key, int | float):
                hint = tr("; a number is written with a point, not with a comma")
            message = tr("unknown key '{name}'{hint}").format(name=shortened(name), hint=hint)
            yield Finding((key,), message, at_key=True, remedy=DROP)
