"""A bar on standard error for what takes longer than a moment, where someone is there to see it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

WORTH_A_BAR = 100


@contextmanager
def counting(total: int) -> Iterator[Callable[[int], None] | None]:
    """Something to tell how many of ``total`` are done; None where no bar is shown: for few, and where standard error
    is no terminal."""
    if total < WORTH_A_BAR or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)
