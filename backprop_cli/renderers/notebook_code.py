"""The code in a notebook: Python that loads a spec, runs it, and compares what comes out with the numbers of the page.

Whatever users wrote stands in it as the literal of a text, which is read back before it is used.
"""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Iterator, Sequence

import numpy as np

from backprop_cli.documents.blocks import Array, Source, Summary, Table
from backprop_cli.language import tree

DIGITS = 12  # that count, of a number in the code

LOADING = """\
import numpy as np
from numpy import inf, nan

import backprop_cli as bp

spec = {spec}

network = bp.load(spec)"""

RUNNING = """
trace = network.compile().run()
values = {{**trace.given, **trace.forward, **trace.losses, {cost!r}: trace.loss}}
gradients = trace.gradients"""

COMPARING = """\
expected = {{
{numbers}
}}
for name, numbers in expected.items():
    {shape}
    np.testing.assert_allclose(found, numbers, rtol=1e-9, atol=1e-12, err_msg=name)"""

WHOLE = "found = {values}[name]"
BEGINNING = """\
found = np.asarray({values}[name])
    found = found[tuple(slice(size) for size in np.shape(numbers))]  # the first entries"""

NORMS = """\
norms = {{
{numbers}
}}
for name, norm in norms.items():
    found = np.asarray({values}[name])
    np.testing.assert_allclose(np.linalg.norm(found[np.isfinite(found)]), norm, rtol=1e-9, err_msg=name)"""

VERIFYING = """\
report = network.verify()
assert report.ok
[(comparison.quantity, str(comparison.oracle), str(comparison.verdict)) for comparison in report.comparisons]"""


def loading(source: Source, cost: str) -> str:
    """The network from the spec's own text, and its numbers where it has them."""
    code = LOADING.format(spec=literal(source.text))
    return code + RUNNING.format(cost=cost) if source.has_numbers else code


def showing(names: Sequence[str]) -> str:
    """The gradients of these quantities."""
    return "{" + ", ".join(f"'dJ/d{name}': gradients[{name!r}]" for name in names) + "}"


def comparing(table: Table) -> Iterator[str]:
    """Code for each kind of rows of a table, values and gradients, that fails where a number is not the one printed."""
    for kind, values in ((tree.Matrix, "values"), (tree.Gradient, "gradients")):
        rows = [row for row in table.rows if row and isinstance(row[-1], Array | Summary)]
        cells = {label.name: row[-1] for row in rows for label in row if isinstance(label, kind)}
        whole = {name: cell.values for name, cell in cells.items() if isinstance(cell, Array)}
        large = {name: cell for name, cell in cells.items() if isinstance(cell, Summary)}
        if whole:
            yield COMPARING.format(numbers=_items(whole), shape=WHOLE.format(values=values))
        if large:
            corners = {name: cell.corner.values for name, cell in large.items()}
            norms = {name: np.asarray(cell.norm) for name, cell in large.items() if cell.norm is not None}
            yield COMPARING.format(numbers=_items(corners), shape=BEGINNING.format(values=values))
            yield NORMS.format(numbers=_items(norms), values=values)


def literal(text: str) -> str:
    """The text as Python's literal: in its own lines where these are read back as they are, otherwise with escapes."""
    lines = f'"""\\\n{text}"""'
    try:
        is_safe = all(c.isprintable() or c == "\n" for c in text) and literal_eval(lines) == text
    except (SyntaxError, ValueError):
        is_safe = False
    return lines if is_safe else repr(text)


def _items(arrays: dict[str, np.ndarray]) -> str:
    return "\n".join(f"    {name!r}: {_nested(values)}," for name, values in arrays.items())


def _nested(values: np.ndarray) -> str:
    if values.ndim:
        return f"[{', '.join(map(_nested, values))}]"
    return f"{float(values) + 0.0:.{DIGITS}g}"
