"""A schedule compiled by SymPy's ``lambdify``: its ``cse`` hook takes our lines, its printer prints them unchanged."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sympy import Basic, Expr, Symbol, lambdify
from sympy.core.symbol import Str
from sympy.printing.numpy import NumPyPrinter

from backprop_cli.numeric.schedule import Line, Schedule
from backprop_cli.numeric.special import erf, erfc

NAMESPACE: Mapping[str, Any] = {"np": np, "erf": erf, "erfc": erfc, "sliding_window_view": sliding_window_view}
PURPOSE = "One forward and backward pass over float64 arrays of these shapes:"
WIDTH = 100
INDENTED: Mapping[str, Any] = {"initial_indent": "    ", "subsequent_indent": "    ", "break_on_hyphens": False}
IMPORTS = {
    "sliding_window_view": "from numpy.lib.stride_tricks import sliding_window_view",
    **{name: f"from backprop_cli.numeric.special import {name}" for name in ("erf", "erfc")},
}


class Written(Expr):  # type: ignore[misc]
    """Code that has been written already."""

    def __new__(cls, text: str) -> Written:
        made: Written = super().__new__(cls, Str(text))
        return made


class LinePrinter(NumPyPrinter):  # type: ignore[misc]
    """Prints code that has been written already, as it is."""

    def _print_Written(self, expression: Written) -> str:
        return str(expression.args[0].name)


def compiled(schedule: Schedule, name: str) -> tuple[Callable[..., Any], str]:
    """The function, and the text of a module that defines it as ``name``."""
    namespace = dict(NAMESPACE)
    if schedule.constants:
        names = [line.name for line in schedule.constants]
        values = _lambdified((), schedule.constants, names, namespace)()
        namespace.update(zip(names, values, strict=True))
    function = _lambdified(schedule.arguments, schedule.lines, schedule.outputs, namespace)
    generated = "".join(linecache.getlines(function.__code__.co_filename)).removeprefix("def _lambdifygenerated")
    signature, _, rest = generated.partition("\n")
    function.__doc__ = _docstring(schedule)
    body = f'{signature}\n    """{function.__doc__}"""\n{rest}'
    header = ["import numpy as np"]
    constants = [f"{line.name} = {line.text}" for line in schedule.constants]
    code = "\n".join((body, *constants))
    header += [line for function_name, line in IMPORTS.items() if f"{function_name}(" in code]
    parts = ["\n".join(header), *(["\n".join(constants)] if constants else []), f"\ndef {name}{body}"]
    return function, "\n\n".join(parts)


def _docstring(schedule: Schedule) -> str:
    """What the function takes, in words that wrap like code."""
    blank = "\0"  # a name stays on one line with its shape
    shapes = [f"{name} {shape}" for name, shape in zip(schedule.arguments, schedule.shapes, strict=True)]
    text = fill(", ".join(shape.replace(" ", blank) for shape in shapes), WIDTH, **INDENTED).replace(blank, " ")
    return f"{PURPOSE}\n\n{text}\n    "


def _lambdified(
    arguments: Sequence[str], lines: Sequence[Line], outputs: Sequence[str], namespace: Mapping[str, Any]
) -> Callable[..., Any]:
    steps = [(Symbol(line.name), Written("\n    ".join((line.text, *line.updates)))) for line in lines]

    def cse(results: Basic) -> tuple[list[tuple[Symbol, Written]], Basic]:
        return steps, results

    function: Callable[..., Any] = lambdify(
        [Symbol(name) for name in arguments],
        Written(", ".join(outputs) if len(outputs) > 1 else f"({outputs[0]},)"),
        modules=[namespace],
        printer=LinePrinter({"fully_qualified_modules": False}),
        cse=cse,
        docstring_limit=0,
    )
    return function
