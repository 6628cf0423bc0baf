"""Tables in a page: heads of rows and columns are marked as such, arrays are lists and tables inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, product

import numpy as np

from backprop_cli.documents.blocks import Array, Bar, Cell, Summary, Table
from backprop_cli.documents.names import Names
from backprop_cli.renderers.arrays import described, place_of
from backprop_cli.renderers.formula_mathml import element
from backprop_cli.renderers.mathml_elements import escaped
from backprop_cli.renderers.numbers import aligned, before_point, numbers

Row = tuple[Cell, ...]


def table(content: Table, names: Names) -> str:
    """The table; groups of rows are bodies of their own."""
    heads = "".join(f'<th scope="col"{_alignment(content, n)}>{escaped(h)}</th>' for n, h in enumerate(content.header))
    texts = _numbers(content)
    lines = ['<div class="values"><table>', f"<thead><tr>{heads}</tr></thead>"]
    for is_group, group in groupby(enumerate(content.rows), key=lambda numbered: bool(numbered[1])):
        if is_group:
            lines += ["<tbody>", *_body(list(group), texts, names), "</tbody>"]
    return "\n".join([*lines, "</table></div>"])


def _numbers(content: Table) -> dict[tuple[int, int], str]:
    """The numbers of every column by row and column, their points below each other."""
    found: dict[tuple[int, int], str] = {}
    for column in range(len(content.header)):
        cells = {n: row[column] for n, row in enumerate(content.rows) if row}
        values = {n: float(cell) for n, cell in cells.items() if isinstance(cell, int | float)}
        texts = aligned(numbers(list(values.values()), content.digits))
        found.update({(n, column): text for n, text in zip(values, texts, strict=True)})
    return found


def _alignment(content: Table, column: int) -> str:
    has_numbers = any(row and isinstance(row[column], int | float) for row in content.rows)
    return ' class="number"' if has_numbers else ""


def _body(rows: Sequence[tuple[int, Row]], texts: dict[tuple[int, int], str], names: Names) -> Iterator[str]:
    """Rows that belong together. What only the first of them says in its first cell is said of all."""
    _, first = rows[0]
    is_shared = len(first) > 2 and isinstance(first[-1], Array | Summary) and not any(row[0] for _, row in rows[1:])
    for place, (n, row) in enumerate(rows):
        cells = []
        for column, cell in enumerate(row):
            if column == 0 and is_shared:
                head = f'<th scope="rowgroup" rowspan="{len(rows)}">{_content(cell, names)}</th>'
                cells += [head] if place == 0 else []
            elif column == int(is_shared):
                cells.append(f'<th scope="row">{texts.get((n, column)) or _content(cell, names)}</th>')
            elif (n, column) in texts:
                cells.append(f'<td class="number">{texts[n, column]}</td>')
            else:
                kind = ' class="arrays"' if isinstance(cell, Array | Summary) else ""
                cells.append(f"<td{kind}>{_content(cell, names)}</td>")
        yield f"<tr>{''.join(cells)}</tr>"


def _content(cell: Cell, names: Names) -> str:
    match cell:
        case None:
            return ""
        case str():
            return escaped(cell)
        case Bar(share):
            return f'<span class="bar" style="--share:{share:.4g}"></span>'
        case Array():
            return _array(cell, cell.values.shape)
        case Summary():
            corner = _array(cell.corner, cell.shape)
            return f'<p class="summary">{escaped(described(cell))}</p>{corner}'
        case bool() | int() | float():
            return numbers([cell], 0)[0]
    return element(cell, names)


def _array(array: Array, shape: tuple[int, ...]) -> str:
    """``shape`` is that of the whole array, of which ``array`` may be the beginning."""
    values = array.values
    shown = numbers(values.ravel().tolist(), array.digits)
    if values.ndim == 0:
        return f'<span class="array">{shown[0]}</span>'
    if values.ndim == 1 and not array.is_headed:
        more = ["…"] if shape[0] > len(shown) else []
        return f'<ol class="array">{"".join(f"<li>{text}</li>" for text in [*shown, *more])}</ol>'
    texts = np.array(aligned(shown), dtype=object).reshape(values.shape)
    if values.ndim == 1:
        return f'<div class="array">{_grid(texts[None], [*array.indices, ""], (1, *shape))}</div>'
    tables = []
    for at in product(*(range(size) for size in values.shape[:-2])):
        corner = "\\".join(array.indices[-2:]) if len(array.indices) > 1 else ""
        labels = [corner, *(str(place + 1) for place in range(values.shape[-2]))]
        tables.append(_grid(texts[at], labels, shape[-2:], place_of(at, array.indices)))
    if values.shape[:-2] != shape[:-2]:
        tables.append('<p class="more">⋮</p>')
    return f'<div class="array">{"".join(tables)}</div>'


def _grid(texts: np.ndarray, labels: Sequence[str], shape: Sequence[int], caption: str = "") -> str:
    """Numbers under the positions of their columns, ``labels`` at the left: of the heads, and of every row."""
    rows, columns = texts.shape
    more = '<td class="more">…</td>' if shape[1] > columns else ""
    behind = " " * (len(texts[0, 0]) - before_point(texts[0, 0]))  # heads stand over the digits before the point
    heads = "".join(f'<th scope="col">{place + 1}{behind}</th>' for place in range(columns))
    lines = [f"<caption>{escaped(caption)}</caption>"] if caption else []
    lines.append(f'<thead><tr><th scope="col">{escaped(labels[0])}</th>{heads}{more}</tr></thead><tbody>')
    for label, row in zip(labels[1:], texts, strict=True):
        cells = "".join(f"<td>{text}</td>" for text in row)
        lines.append(f'<tr><th scope="row">{escaped(label)}</th>{cells}{more}</tr>')
    if shape[0] > rows:
        lines.append(f'<tr><th scope="row">⋮</th><td colspan="{columns}"></td></tr>')
    return f"<table>{''.join(lines)}</tbody></table>"
