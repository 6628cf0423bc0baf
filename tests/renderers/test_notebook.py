"""Notebooks: valid, executed from top to bottom for every bundled spec, and not to be fooled by a spec's text."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop_cli as bp
from backprop_cli.bundled import bundled_names
from backprop_cli.documents.blocks import Array, Document, Heading, Source, Table
from backprop_cli.documents.run_tables import run_document
from backprop_cli.errors import BackpropError
from backprop_cli.language import tree
from backprop_cli.renderers import notebook
from backprop_cli.renderers.notebook_code import VERIFYING, comparing, literal
from backprop_cli.renderers.plain import one_line
from tests.reading_back.alignment import as_meant, as_read, chains
from tests.reading_back.pages import ALIGNED, unadapted
from tests.renderers import bundled_documents as bundled
from tests.renderers.examples import NAMES
from tests.renderers.test_markdown import HOSTILE, text_of


def sources(document: Document, kind: str) -> list[str]:
    read = nbformat.reads(notebook.page(document), as_version=4)
    nbformat.validate(read)
    return [cell["source"] for cell in read.cells if cell["cell_type"] == kind]


def executed(cells: list[str]) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for cell in cells:
        exec(cell, names)
    return names


@pytest.mark.every_spec
@pytest.mark.parametrize("name", bundled_names())
def test_a_derivation_shows_every_gradient_of_a_run(name: str) -> None:
    document = bundled.derived(name)._replace(source=bundled.network(name).source)
    cells = sources(document, "code")
    shown = [gradient for cell in cells[1:-1] for gradient in re.findall(r"gradients\['(\w+)'\]", cell)]
    assert set(shown) == set(bundled.trace(name).gradients)
    executed(cells[:-1])


@pytest.mark.parametrize("name", ["two-two-two", "rnn-truncated", "linear-module"])
def test_a_notebook_verifies_every_gradient(name: str) -> None:
    document = bundled.run(name)._replace(source=bundled.network(name).source)
    cells = sources(document, "code")
    assert cells[-1] == VERIFYING
    assert executed([cells[0], cells[-1]])["report"].ok


@pytest.mark.every_spec
@pytest.mark.parametrize("name", bundled_names())
def test_a_run_computes_every_number_of_its_page_anew(name: str) -> None:
    document = bundled.run(name)._replace(source=bundled.network(name).source)
    cells = sources(document, "code")
    compared = {key for cell in cells for key in re.findall(r"^    '(\w+)': ", cell, re.MULTILINE)}
    rows = [row for block in document.blocks if isinstance(block, Table) for row in block.rows if row]
    assert compared == {label.name for row in rows for label in row if isinstance(label, tree.Matrix | tree.Gradient)}
    executed(cells[:-1])


@pytest.mark.parametrize("name", ["two-two-two", "relu-600-60-40-10"])
def test_a_wrong_number_is_found(name: str) -> None:
    document = bundled.run(name)._replace(source=bundled.network(name).source)
    load, *checks, _ = sources(document, "code")
    for check in checks:
        wrong = re.sub(r"\d\.\d{5}", lambda found: f"{float(found[0]) + 1e-5:.5f}", check, count=1)
        assert wrong != check
        with pytest.raises(AssertionError):
            executed([load, wrong])


@pytest.mark.every_spec
@pytest.mark.parametrize(("name", "view"), bundled.DERIVED)
def test_every_formula_is_read_back(name: str, view: str) -> None:
    document = bundled.derived(name, view)
    names = document.names, bundled.by_step(name)
    bodies = [body for cell in sources(document, "markdown") for body in ALIGNED.findall(cell)]
    printed = [" = ".join(chain) for body in bodies for chain in chains(unadapted(body))]
    assert [as_read(chain, *names) for chain in printed] == as_meant(document, names[1])


def test_what_is_not_finite() -> None:
    text = "inputs: {x: 0}\nparameters: {w: -1}\nequations:\n  - y = w/x\n  - L = sqrt(y)\nloss: L\n"
    network = bp.load(text)
    document = run_document(network.graph, network.names, network.compile().run())._replace(source=network.source)
    cells = sources(document, "code")
    assert "'y': -inf" in cells[1]
    assert "'J': nan" in cells[1]
    executed(cells[:-1])


def test_sizes_alone_are_loaded_and_no_more() -> None:
    network = bp.load("inputs: {x: {size: 2}}\nequations: ['L = sum(x[i], i)']\nloss: L\n")
    document = Document((Heading(1, ("a",)), Heading(2, ("b",))), NAMES, network.source)
    (cell,) = sources(document, "code")
    assert "trace" not in cell
    assert executed([cell])["network"].name == "network"
    assert sources(document._replace(source=None), "code") == []


@pytest.mark.parametrize("text", [*HOSTILE, '"""', '\\"""', "'''", "a\r\nb", "\\", "{0} {{", '"', "é\u2028"])
def test_a_specs_text_is_a_text(text: str) -> None:
    spec = f"inputs: {{x: 1}}\nequations: ['L = x']\nloss: L\n# {text}"
    document = Document((Heading(1, (text,)),), NAMES, Source(spec, False))
    (cell,) = sources(document, "code")
    program = cell.replace("network = bp.load(spec)", "")
    assert executed([program])["spec"] == spec
    (title,) = sources(document, "markdown")
    assert title.startswith("# ")
    assert text_of(title.removeprefix("# ")).strip() == one_line(text).strip()


@given(text=st.text(st.sampled_from("\"'\\\n\r\tn{}#ax0é\x00\u2028")))
def test_any_text_survives_its_literal(text: str) -> None:
    names: dict[str, Any] = {}
    exec(f"spec = {literal(text)}", names)
    assert names["spec"] == text


def test_a_number_that_no_table_shows_is_not_compared() -> None:
    assert list(comparing(Table(("quantity", "n"), (("J", 1.0),)))) == []
    table = Table(("quantity", "values"), ((tree.Matrix("S"), Array(np.array(-0.0))),))
    assert "    'S': 0," in next(iter(comparing(table)))


def test_the_file_is_the_same_every_time() -> None:
    document = bundled.run("xor")
    assert notebook.page(document) == notebook.page(document)
    assert [cell["id"] for cell in json.loads(notebook.page(document))["cells"]] == ["cell-1", "cell-2", "cell-3"]


def test_without_nbformat_there_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nbformat", None)
    message = "^a notebook needs the package nbformat, which is not installed: pip install nbformat$"
    with pytest.raises(BackpropError, match=message):
        notebook.page(Document((Heading(1, ("a",)),), NAMES))
