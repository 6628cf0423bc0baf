"""ruamel.yaml's scanner and parser, made to read runs of scalars in one step and to stop at the limits.

:func:`events` gives ruamel.yaml's parsing events; a run comes as one scalar event whose ``style`` is :data:`RUN`.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.parser import Parser
from ruamel.yaml.reader import Reader
from ruamel.yaml.scanner import Scanner
from ruamel.yaml.tokens import ScalarToken

from backprop_cli.spec import limits
from backprop_cli.spec.runs import Run, block_run, flow_run
from backprop_cli.translation import grouped, tr

RUN = "run"  # the style of the scalar that stands for a run; its value is the index where the run starts


class TooMuch(MarkedYAMLError):
    """A limit is passed; the mark says where."""


class _Reader(Reader):
    """Counts the characters that are read one by one."""

    slow_end = limits.SLOW_CHARACTERS

    def forward(self, length: int = 1) -> None:
        super().forward(length)
        if self.index > self.slow_end:
            message = tr("the spec has more than {most} characters besides its lists of plain numbers")
            raise TooMuch(problem=message.format(most=grouped(limits.SLOW_CHARACTERS)), problem_mark=self.get_mark())

    def skip_to(self, end: int) -> None:
        """Go on behind a run."""
        skipped = self.buffer[self.pointer : end]
        lines = skipped.count("\n") + skipped.count("\r") - skipped.count("\r\n")
        self.column = len(skipped) - 1 - max(skipped.rfind("\n"), skipped.rfind("\r")) + (0 if lines else self.column)
        self.line += lines
        self.index += len(skipped)
        self.slow_end += len(skipped)
        self.pointer = end


class _Scanner(Scanner):
    def __init__(self, loader: Any) -> None:
        self.runs: dict[int, Run] = {}
        self.after_value = -1  # the number of the token that follows a key's colon
        super().__init__(loader)

    def fetch_flow_sequence_start(self) -> None:
        run = flow_run(self.reader.buffer, self.reader.pointer)
        if run is None:
            super().fetch_flow_sequence_start()
        else:
            self.save_possible_simple_key()
            self.allow_simple_key = False
            self._fetch_run(run)

    def fetch_flow_collection_start(self, TokenClass: Any, to_push: str) -> None:
        if self.flow_level >= limits.DEPTH:
            raise TooMuch(problem=too_deep(), problem_mark=self.reader.get_mark())
        super().fetch_flow_collection_start(TokenClass, to_push)

    def fetch_block_entry(self) -> None:
        run = None
        if self._may_begin_block_list():
            run = block_run(self.reader.buffer, self.reader.pointer, self.reader.column)
        if run is None:
            super().fetch_block_entry()
        else:
            self.remove_possible_simple_key()
            self.allow_simple_key = True  # the run ends where the next line begins
            self._fetch_run(run)

    def _may_begin_block_list(self) -> bool:
        if self.flow_level or not self.allow_simple_key:
            return False
        if self.indent < self.reader.column:
            return True
        return self.after_value == self._next_token()  # a list that is not indented deeper than its key

    def fetch_value(self) -> None:
        super().fetch_value()
        self.after_value = self._next_token()

    def _next_token(self) -> int:
        return self.tokens_taken + len(self.tokens)

    def _fetch_run(self, run: Run) -> None:
        self.runs[run.start] = run
        start_mark = self.reader.get_mark()
        self.reader.skip_to(run.end)
        self.tokens.append(ScalarToken(str(run.start), True, start_mark, self.reader.get_mark(), RUN))


def too_deep() -> str:
    """What is wrong with lists and mappings that stand too deep in each other."""
    return tr("lists and mappings more than {most} deep").format(most=limits.DEPTH)


class Parsing:
    """The parsing of one YAML text: its events, its ``runs`` by the index where they start, and where it has got to."""

    def __init__(self, text: str) -> None:
        # what ruamel.yaml's parts ask of the loader that holds them; its own loaders build objects, which we never do
        loader = SimpleNamespace(
            processing_version=(1, 2),
            version=None,
            tags=None,
            doc_infos=[SimpleNamespace(tags=[])],
            comment_handling=None,
        )
        loader._resolver = loader
        self._reader = _Reader(text, loader)
        scanner = _Scanner(loader)
        self._parser = Parser(loader)
        self.runs = scanner.runs

    @property
    def index(self) -> int:
        """The index in the text of the next character to be read."""
        return int(self._reader.index)

    def events(self) -> Iterator[Any]:
        """ruamel.yaml's events. Ends with its MarkedYAMLError at a syntax error, with :class:`TooMuch` at a limit.

        Malformed escapes and directives may end in other errors of Python's own: they too mean broken YAML.
        """
        while self._parser.check_event():
            yield self._parser.get_event()
