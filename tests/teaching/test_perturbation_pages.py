"""The pages of a small change, read back in every format: each equation holds, and each number in a table is right."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import backprop_cli as bp
from backprop_cli.bundled import bundled_names, bundled_spec
from backprop_cli.documents.blocks import Document, FormulaBlock, Table
from backprop_cli.language import tree
from backprop_cli.network import Network
from backprop_cli.renderers import terminal
from backprop_cli.symbolic.graph import Role
from backprop_cli.walking import PerturbedWalk, Request
from tests.reading_back import arrays_of, read
from tests.reading_back.changes import Changed, Run, check_equations, check_rounding
from tests.reading_back.checking import definitions_of, ranges_of
from tests.reading_back.pages import PAGE_FORMATS, PageFormat, equations
from tests.reading_back.terminal_tables import check_array, rows_of
from tests.strategies import as_yaml, equation_networks, examples, layer_networks

searching = settings(suppress_health_check=list(HealthCheck), deadline=None, phases=[Phase.generate])
NOISE = 2e-14  # of a difference of two runs, as a share of their numbers


def run_of(network: Network) -> Run:
    return Run(network.names, arrays_of(network.compile().run()), definitions_of(network))


@cache
def bundled(name: str) -> tuple[Network, Run]:
    network = bp.load(bundled_spec(name).text)
    return network, run_of(network)


def check(network: Network, run: Run, changed: Changed, format: PageFormat, digits: int = 4, width: int = 80) -> int:
    """The page as it is read back from one format; gives the number of places into which numbers are put."""
    positions = ",".join(map(str, changed.position))
    entry = f"{changed.of}[{positions}]" if positions else changed.of
    walk = PerturbedWalk(network, Request(digits=digits, full=digits % 2 == 0), f"{entry}={changed.change!r}")
    document = walk.document
    lines = [line.formula for block in document.blocks if isinstance(block, FormulaBlock) for line in block.lines]
    if format == "terminal":
        check_tables(document, run, changed, digits)
    return check_equations(equations(document, format, width), run, changed, digits, list(map(ranges_of, lines)))


def check_tables(document: Document, run: Run, changed: Changed, digits: int) -> None:
    """The changes to first order and in a run; then those of the cost for smaller and smaller changes."""
    first_order, true = run.to_first_order(changed), run.truly(changed)
    page, at, of = terminal.render(document, 80), 0, ""
    for block in document.blocks:
        if isinstance(block, FormulaBlock) and isinstance(block.lines[-1].target, tree.Differential):
            of = block.lines[-1].target.of.name
        if not isinstance(block, Table):
            continue
        text = terminal.render(document._replace(blocks=(block,)), 80)
        at = page.index(text, at) + len(text)
        if len(block.header) > 2:
            check_comparison(text, run, changed, digits)
            continue
        rows, indices = rows_of(text), run.names[of].indices
        assert list(rows) == ["to first order", "in a run"]
        largest = float(np.max(np.abs(run.arrays[of]), initial=1.0))
        check_array(rows["to first order"], first_order[of], indices, 1e-9 * float(np.max(np.abs(first_order[of]))))
        check_array(rows["in a run"], true[of], indices, NOISE * largest)


def check_comparison(text: str, run: Run, changed: Changed, digits: int) -> None:
    cost = run.names.cost
    predicted, largest = float(run.to_first_order(changed)[cost]), max(1.0, abs(float(run.arrays[cost])))
    lines = text.splitlines()
    assert lines[0].split("  ")[0] == "changed by"
    for line, divisor in zip(lines[2:], (1, 10, 100), strict=True):
        smaller = Changed(changed.of, changed.position, changed.change / divisor)
        true = float(run.truly(smaller)[cost])
        exact = (smaller.change, predicted / divisor, true, true - predicted / divisor)
        shown = [read(cell.strip(), run.names) for cell in line.split("  ") if cell]
        for number, value, noise in zip(shown, exact, (0.0, 0.0, NOISE, NOISE), strict=True):
            check_rounding(number, value, digits, line, noise * largest)


def entries_of(network: Network) -> list[Changed]:
    """The first and the last entry of every quantity that can be changed."""
    formulas = network.derive().told.adjoints.formulas
    found: dict[tuple[str, tuple[int, ...]], None] = {}
    for quantity in network.graph.with_role(Role.PARAMETER, Role.INPUT):
        if quantity.name in formulas:
            found |= {(quantity.name, (1,) * len(quantity.shape)): None, (quantity.name, quantity.shape): None}
    return [Changed(name, position, 0.01) for name, position in found]


SMALL = [name for name in bundled_names() if "600" not in name]
CHOSEN = ("two-two-two", "rnn", "batch-norm", "self-attention", "small-cnn", "softmax-classifier")


@pytest.mark.parametrize("name", CHOSEN)
def test_a_page(name: str) -> None:
    network, run = bundled(name)
    entries = entries_of(network)
    for place, format in enumerate(PAGE_FORMATS):
        assert check(network, run, entries[place % len(entries)], format) > 5


@pytest.mark.every_spec
@pytest.mark.parametrize("format", PAGE_FORMATS)
@pytest.mark.parametrize("name", SMALL)
def test_every_page(name: str, format: PageFormat) -> None:
    """The formats share the numbers that can be changed among them."""
    (network, run), place = bundled(name), PAGE_FORMATS.index(format)
    entries = entries_of(network)
    changed = entries[place * len(entries) // len(PAGE_FORMATS)]
    check(network, run, changed, format, digits=3 + place % 3, width=60)
    check(network, run, changed, format, digits=5 - place % 3, width=100)


@settings(searching, max_examples=examples(15))
@given(st.one_of(layer_networks(), equation_networks()), st.data())
def test_random_networks(spec, data: st.DataObject) -> None:
    network = bp.load(as_yaml(spec))
    trace = network.compile().run()
    values = [*trace.forward.values(), *trace.gradients.values()]
    assume(all(np.all(np.isfinite(value)) and np.max(np.abs(value), initial=0) < 1e3 for value in values))
    changed = data.draw(st.sampled_from(entries_of(network)))
    format, digits = data.draw(st.sampled_from(PAGE_FORMATS)), data.draw(st.integers(2, 6))
    check(network, run_of(network), changed, format, digits)


LINE = "inputs: {{x: 2}}\nparameters: {{w: {w}}}\nequations: ['J = {J}']\nloss: J\n"


@pytest.mark.parametrize(
    ("cost", "w", "change", "is_exact"),
    [
        ("3*w*x", 0.7, 0.01, True),
        ("relu(-w)*x", 0.7, 0.01, True),
        ("3*w*x", 0.7, 1e-8, False),  # so small a change tells nothing
        ("w**2", 0.7, 1e-8, False),
        ("w**2", 0, 1e-8, False),
        ("w + sin(w*x)", 0.7, 1e-6, False),
        ("w + sin(w*x)", 0.7, 0.01, False),
    ],
)
def test_a_prediction_is_called_exact_where_the_cost_is_linear(
    cost: str, w: float, change: float, is_exact: bool
) -> None:
    walk = PerturbedWalk(bp.load(LINE.format(J=cost, w=w)), Request(), f"w={change!r}")
    assert ("The prediction is exact here" in terminal.render(walk.document, 80)) == is_exact


def test_the_change_of_x_beside_a_quantity_dx() -> None:
    text = "inputs: {x: 1}\nparameters: {dx: 0.1}\nequations: ['f = (x+dx)**2', 'df = f/dx', 'J = df - 2*x']\nloss: J\n"
    network = bp.load(text)
    for name in ("x", "dx"):
        for format in PAGE_FORMATS:
            check(network, run_of(network), Changed(name, (), 0.01), format)
