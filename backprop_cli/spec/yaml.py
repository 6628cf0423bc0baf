"""YAML 1.2 text to positioned nodes: the core schema, one document, plain data only, and limits on everything.

Nothing is ever built from a tag: a tag that is not one of the core schema's is a problem, like a key given twice, an
alias inside its own anchor, or aliases that would expand beyond the limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from backprop_cli.errors import Problem, SpecError
from backprop_cli.spec import limits
from backprop_cli.spec.nodes import Listing, Mapping, Node, Scalar, Sequence
from backprop_cli.spec.positions import line_and_column
from backprop_cli.spec.runs import Run
from backprop_cli.spec.scalars import Plain, resolve
from backprop_cli.spec.scanning import RUN, Parsing, TooMuch, too_deep
from backprop_cli.spec.syntax import no_yaml, syntax_problem
from backprop_cli.spec.wording import shortened
from backprop_cli.translation import grouped, tr

_ENTRY_WEIGHT = 100  # of a value on its own against a number in a list, in what aliases may expand to
_CORE = "tag:yaml.org,2002:"
_LONG_WORD = re.compile(rf"(?<![^\s,\[\]])[^\s,\[\]]{{{limits.SLOW_CHARACTERS + 1}}}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


class _Stop(Exception):
    """Nothing after this problem can be read."""


def compose(text: str, source: str) -> Node:
    """The document's root node. Raises SpecError with every problem that could be found before reading had to stop."""
    composer = _Composer(text)
    with suppress(_Stop):
        composer.read()
    if composer.problems:
        raise SpecError(source, (Problem(*line_and_column(text, at), message) for at, message in composer.problems))
    if composer.root is None or (isinstance(composer.root, Scalar) and composer.root.value is None):
        raise SpecError(source, [Problem(1, 1, tr("the spec is empty"))])
    return composer.root


@dataclass
class _Composer:
    """Builds nodes from parsing events, with a stack of the lists and mappings that are still open."""

    text: str
    root: Node | None = None
    problems: list[tuple[int, str]] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    stack: list[tuple[Sequence | Mapping, list[Scalar | None]]] = field(default_factory=list)
    nodes: int = 0

    def read(self) -> None:
        """Compose the whole text; problems are gathered, and those that end the reading raise."""
        parsing = self._begin()
        documents = 0
        for event in self._until_error(parsing):
            match event:
                case DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        message = tr("a second document starts here; a spec is one document")
                        self._stop(event.start_mark.index, message)
                case CollectionEndEvent():
                    self._close()
                case AliasEvent():
                    self._count(event)
                    self._add(self._alias(event), event.start_mark.index)
                case NodeEvent():
                    self._count(event)
                    self._open(event, parsing.runs)

    def _begin(self) -> Parsing:
        # ruamel.yaml looks at a word character by character before it can be stopped
        if found := _LONG_WORD.search(self.text):
            message = tr("a word of more than {most} characters").format(most=grouped(limits.SLOW_CHARACTERS))
            self._stop(found.start(), message)
        try:
            return Parsing(self.text)
        except ReaderError as error:
            message = tr("the character {code} cannot stand in YAML; is this a text file?")
            self._stop(error.position, message.format(code=f"U+{error.character:04X}"))

    def _until_error(self, parsing: Parsing) -> Iterator[Any]:
        try:
            yield from parsing.events()
        except TooMuch as error:
            self._stop(error.problem_mark.index, error.problem)
        except MarkedYAMLError as error:
            self._stop(*syntax_problem(error))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            self._stop(parsing.index, no_yaml(tr("a malformed escape or directive")))

    def _count(self, event: Any) -> None:
        self.nodes += 1
        if self.nodes > limits.NODES:
            message = tr("more than {most} values besides plain lists of numbers").format(most=grouped(limits.NODES))
            self._stop(event.start_mark.index, message)

    def _open(self, event: Any, runs: dict[int, Run]) -> None:
        start = event.start_mark.index
        node = self._node(event, runs)
        if event.anchor:
            self.anchors[event.anchor] = node
        if isinstance(node, Scalar | Listing):
            self._add(node, start)
        else:
            if len(self.stack) >= limits.DEPTH:
                self._stop(start, too_deep())
            self.stack.append((node, [None]))

    def _node(self, event: Any, runs: dict[int, Run]) -> Node:
        start, tag = event.start_mark.index, event.tag
        match event:
            case ScalarEvent() if event.style == RUN:
                run = runs[int(event.value)]
                self._check_tag(tag, start, "seq")
                return Listing(run.start, run, weight=run.size)
            case ScalarEvent():
                return Scalar(start, event.end_mark.index, self._value(event), event.style, _ENTRY_WEIGHT)
            case SequenceStartEvent():
                self._check_tag(tag, start, "seq")
                return Sequence(start, weight=_ENTRY_WEIGHT)
            case _:
                self._check_tag(tag, start, "map")
                return Mapping(start, weight=_ENTRY_WEIGHT)

    def _value(self, event: Any) -> Plain:
        tag, text = event.tag, event.value
        if event.style is None and tag is None:
            return resolve(text)
        if found := _CONTROL.search(text):
            message = tr("the control character {code} in a text").format(code=f"U+{ord(found[0]):04X}")
            self.problems.append((event.start_mark.index, message))
        if tag is None or tag in ("!", f"{_CORE}str"):
            return str(text)
        value = resolve(text)
        if tag == f"{_CORE}float" and type(value) is int:
            return float(value)
        kind = {bool: "bool", int: "int", float: "float", type(None): "null"}.get(type(value), "str")
        self._check_tag(tag, event.start_mark.index, kind)
        return value

    def _check_tag(self, tag: str | None, start: int, kind: str) -> None:
        if tag not in (None, "!", f"{_CORE}{kind}"):
            message = tr("the tag {tag} does not belong here; a spec is plain data")
            self.problems.append((start, message.format(tag=shortened(tag.replace(_CORE, "!!")))))

    def _alias(self, event: Any) -> Node:
        start, name = event.start_mark.index, shortened(event.anchor)
        node = self.anchors.get(event.anchor)
        if node is None:
            self._stop(start, tr("the alias *{name} has no anchor &{name} before it").format(name=name))
        if any(node is open_node for open_node, _ in self.stack):
            self._stop(start, tr("the alias *{name} stands inside the very value that it repeats").format(name=name))
        return node

    def _close(self) -> None:
        node, _ = self.stack.pop()
        self._add(node, node.start)

    def _add(self, node: Node, start: int) -> None:
        """Put a finished node where it belongs."""
        if not self.stack:
            self.root = node
            return
        parent, pending = self.stack[-1]
        parent.weight += node.weight
        if parent.weight > limits.EXPANDED:
            self._stop(start, tr("the aliases repeat too much: more values than any network needs"))
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif pending[0] is None:
            pending[0] = self._key(node, start)
        else:
            key, pending[0] = pending[0], None
            if key.value in parent.entries:
                line, _ = line_and_column(self.text, parent.entries[key.value][0].start)
                message = tr("the key '{key}' is given twice, first on line {line}")
                self.problems.append((key.start, message.format(key=shortened(str(key.value)), line=line)))
            else:
                parent.entries[key.value] = (key, node)

    def _key(self, node: Node, start: int) -> Scalar:
        if not isinstance(node, Scalar):
            self._stop(start, tr("a key must be text, not a list or a mapping"))
        return node

    def _stop(self, at: int, message: str) -> NoReturn:
        self.problems.append((at, message))
        raise _Stop
