"""What the command ``grade`` does: a key and answers from files to a marked class."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from backprop_cli.documents.blocks import Document
from backprop_cli.documents.grading import grading_document
from backprop_cli.errors import BackpropError, Problem
from backprop_cli.exercises.answer_rows import MOST_BYTES
from backprop_cli.exercises.answers import first_of, read_answers
from backprop_cli.exercises.grading import grade
from backprop_cli.exercises.key import Key, Variant
from backprop_cli.exercises.marks import Report
from backprop_cli.network import Network, load_text
from backprop_cli.renderers import unicode_reading
from backprop_cli.translation import grouped, tr

STANDARD_INPUT = "-"
MOST_KEY_BYTES = 500_000_000


@dataclass(frozen=True)
class Marking:
    """A marked class, what in the answers could not be marked, and the network that it is about."""

    report: Report
    network: Network
    problems: tuple[Problem, ...]
    source: str  # of the answers

    @classmethod
    def of(cls, key: str, answers: str) -> Marking:
        """From two files, one of which may be ``-``, standard input.

        Raises BackpropError where the key is none, or where nothing in the answers can be marked.
        """
        if key == answers == STANDARD_INPUT:
            raise BackpropError(tr("standard input is the key or the answers, not both"))
        read_key, network = read(_content(key, MOST_KEY_BYTES), _called(key))
        source = _called(answers)
        submissions, problems = read_answers(_content(answers, MOST_BYTES), source, read_key)
        if not submissions:
            told = [problem.located(source) for problem in first_of(problems)]
            raise BackpropError("\n".join([*told, tr("{file}: there are no answers in it").format(file=source)]))

        def as_typed(text: str) -> str:
            return unicode_reading.as_typed(text, network.names)

        report = grade(read_key, network.graph, submissions, as_typed)
        for student, one in zip(report.students, submissions, strict=True):
            problems.extend(student.unread(one.lines))
        return cls(report, network, tuple(first_of(problems)), source)

    @property
    def document(self) -> Document:
        return grading_document(self.report, self.network.names)


def read(content: bytes, source: str) -> tuple[Key, Network]:
    """The key in a file, complete, and its network. Raises BackpropError for anything else."""
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        message = tr("{file}: this is no key as exercise --format json writes it")
        raise BackpropError(message.format(file=source)) from None
    try:
        key = Key.from_data(data)
    except BackpropError as error:
        raise BackpropError(tr("{file}: {problem}").format(file=source, problem=error)) from None
    network = load_text(key.network, source, key.title)
    return replace(key, variants=tuple(_complete(variant, network, source) for variant in key.variants)), network


def _complete(variant: Variant, network: Network, source: str) -> Variant:
    """The variant with the network's own numbers for what it does not give itself."""
    given = {name: np.asarray(values) for name, values in network.values.items() if values is not None}
    given.update(variant.given)
    graph = network.graph
    for quantity in graph.quantities:
        if quantity.definition is None and (
            quantity.name not in given or given[quantity.name].shape != tuple(quantity.shape)
        ):
            message = tr("{file}: variant {variant} does not give {name} with its shape")
            raise BackpropError(message.format(file=source, variant=variant.id, name=quantity.name))
    unknown = [name for name in given if name not in graph or given[name].shape != tuple(graph[name].shape)]
    return variant._replace(given={name: values for name, values in given.items() if name not in unknown})


def _content(file: str, most: int) -> bytes:
    try:
        if file == STANDARD_INPUT:
            content = b"" if sys.stdin is None else sys.stdin.buffer.read(most + 1)
        else:
            with Path(file).open("rb") as opened:
                content = opened.read(most + 1)
    except (OSError, ValueError) as error:
        message = tr("{file}: cannot be read: {reason}")
        reason = getattr(error, "strerror", None) or error
        raise BackpropError(message.format(file=_called(file), reason=reason)) from None
    if len(content) > most:
        raise BackpropError(tr("{file}: more than {most} bytes").format(file=_called(file), most=grouped(most)))
    return content


def _called(file: str) -> str:
    return "<stdin>" if file == STANDARD_INPUT else file
