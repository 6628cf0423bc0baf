"""The documents of every bundled spec, for tests that set each of them in every format."""

from __future__ import annotations

from functools import cache

import backprop_cli as bp
from backprop_cli.bundled import bundled_names, bundled_spec
from backprop_cli.documents.blocks import Document
from backprop_cli.documents.names import Names
from backprop_cli.documents.run_tables import run_document
from backprop_cli.numeric.trace import Trace
from backprop_cli.questions import Question
from tests.reading_back import arrays_of
from tests.reading_back.by_step import by_each_step

DERIVED = [(name, view) for name in bundled_names() for view in ("index", "matrix")]


@cache
def network(name: str) -> bp.Network:
    return bp.load(bundled_spec(name).text)


@cache
def trace(name: str) -> Trace:
    return network(name).compile().run()


@cache
def derived(name: str, view: str = "index") -> Document:
    return Question(in_matrices=view == "matrix").document(network(name).derive())


@cache
def run(name: str, full: bool = False) -> Document:
    return run_document(network(name).graph, network(name).names, trace(name), full=full)


@cache
def by_step(name: str) -> Names:
    """How the quantities of a spec are written, J[s], the cost of one step, included."""
    return by_each_step(network(name), arrays_of(trace(name)))[0]
