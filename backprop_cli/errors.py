"""What goes wrong on the user's side: every problem says where, what, what was expected and what was probably meant.

Nothing here prints. A command catches :class:`BackpropError`, writes its text to standard error and ends with status 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from backprop_cli.translation import tr


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong with a spec, at a line and column that count from 1 (0: nowhere in particular)."""

    line: int
    column: int
    message: str

    def located(self, source: str) -> str:
        """The problem in one line, the way compilers write it: ``file:line:column: message``."""
        where = f"{source}:{self.line}:{self.column}" if self.line else source
        return f"{where}: {self.message}"


class BackpropError(Exception):
    """Bad input of any kind. Its text is meant for the person who gave the input."""


class SpecError(BackpropError):
    """All problems of one spec at once, sorted by position.

    ``source`` is what the user calls the spec: a path, ``<stdin>``, ``<text>`` or a bundled name.
    """

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(problem.located(source) for problem in self.problems))


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """``"; did you mean 'sigmoid'?"`` for the nearest valid name, or nothing where none is near.

    A name that differs in capitals alone is the nearest, however short it is.
    """
    names = list(valid)
    near = [other for other in names if other.casefold() == name.casefold()]
    near = near or get_close_matches(name, names, n=3, cutoff=0.6)
    near.sort(key=lambda other: sorted(other) != sorted(name))  # letters in the wrong order are the likeliest slip
    return tr("; did you mean '{name}'?").format(name=near[0]) if near else ""
