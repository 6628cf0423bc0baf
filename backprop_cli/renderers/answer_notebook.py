"""A sheet as a notebook to fill in: each question as Markdown, its answers as lines ``dJ/dW1[1,2] = ``.

The lines stand in raw cells: they are read by the grader and never executed. Needs nbformat.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from backprop_cli.documents.blocks import Block, Heading
from backprop_cli.documents.exercise_sheet import Sheet
from backprop_cli.documents.names import Names
from backprop_cli.renderers import markdown
from backprop_cli.renderers.markdown_text import Dialect
from backprop_cli.renderers.notebook import KERNEL
from backprop_cli.renderers.optional import package
from backprop_cli.renderers.plain import one_line
from backprop_cli.translation import tr


def page(sheet: Sheet, names: Names) -> str:
    """The notebook as a file's text. Raises BackpropError where nbformat is not installed."""
    nbformat = package(
        "nbformat", tr("a notebook needs the package {name}, which is not installed: pip install {name}")
    )
    cells = list(_cells(nbformat.v4, sheet, names))
    for number, cell in enumerate(cells, start=1):
        cell["id"] = f"cell-{number}"  # nbformat draws ids, and two runs should write the same file
    notebook = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )
    nbformat.validate(notebook)
    return f"{nbformat.writes(notebook)}\n"


def _cells(v4: Any, sheet: Sheet, names: Names) -> Iterator[Any]:
    def written(blocks: Iterable[Block]) -> Any:
        return v4.new_markdown_cell(markdown.render(blocks, names, Dialect.JUPYTER))

    exercise, variant = sheet.exercise, sheet.variant
    yield written([Heading(1, (exercise.title,)), *sheet.head()])
    yield v4.new_raw_cell(f"student = {one_line(variant.student or '')}\nvariant = {variant.id}")
    yield written(sheet.given())
    for number, question in enumerate(exercise.questions, start=1):
        yield written([sheet.heading(number, question), *sheet.statement(question), *sheet.paths(question)])
        yield v4.new_raw_cell("\n".join(f"{cell} = " for cell in question.cells))
