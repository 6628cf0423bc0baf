"""Whole pages as readers see them, one file each in ``golden/``; ``pytest --rewrite`` writes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest

import backprop_cli as bp
from backprop_cli.bundled import bundled_spec
from backprop_cli.documents.derivation import derivation_document
from backprop_cli.documents.run_tables import run_document
from backprop_cli.renderers import latex, terminal

GOLDEN = Path(__file__).parent / "golden"
PAGES = [
    ("run", "two-two-two", 80),
    ("run", "two-two-two", 40),
    ("run", "xor", 50),
    ("run", "relu-600-60-40-10", 80),
    ("run", "scalar-graph", 80),
    ("derive", "two-two-two", 80),
    ("derive", "two-two-two", 50),
    ("derive", "softmax-classifier", 80),
    ("derive", "residual-sum", 80),
    ("matrix", "mlp", 80),
    ("latex", "two-two-two", 80),
]


def shown(command: str, name: str, width: int) -> str:
    network = bp.load(bundled_spec(name).text)
    if command == "run":
        return terminal.render(run_document(network.graph, network.names, network.compile().run()), width)
    derivation = network.derive()
    steps = derivation.matrix_steps if command == "matrix" else None
    document = derivation_document(derivation.told, network.names, steps)
    return latex.page(document) if command == "latex" else terminal.render(document, width)


@pytest.mark.parametrize(("command", "name", "width"), PAGES)
def test_page(command: str, name: str, width: int, rewrite: bool) -> None:
    page = shown(command, name, width)
    file = GOLDEN / (f"{command}-{name}.tex" if command == "latex" else f"{command}-{name}-{width}.txt")
    if rewrite:
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(page, encoding="utf-8")
    assert page == file.read_text(encoding="utf-8")
    assert command == "latex" or max(map(len, page.splitlines())) <= width
