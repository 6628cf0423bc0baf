"""From printed text to the verdict whether it holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop_cli.documents.names import Names
from backprop_cli.documents.wording import sentence
from backprop_cli.language import tree
from backprop_cli.language.walking import rebuilt, walk
from backprop_cli.network import Network
from backprop_cli.numeric.trace import Trace
from backprop_cli.renderers import formula_latex, formula_mathml, formula_text, formula_unicode
from backprop_cli.renderers.glyphs import STROKE
from backprop_cli.symbolic.steps import Kind, Note, Step
from tests.reading_back.evaluation import Definitions, Evaluation, free_indices
from tests.reading_back.grammar import Reader
from tests.reading_back.latex_reader import LatexReader
from tests.reading_back.mathml_reader import MathmlReader
from tests.reading_back.text_reader import TextReader
from tests.reading_back.unicode_reader import UnicodeReader

Format: TypeAlias = Literal["text", "unicode", "latex", "mathml"]

Array: TypeAlias = NDArray[Any]

TOLERANCE = 1e-9
PRINTERS = {"text": formula_text, "unicode": formula_unicode, "latex": formula_latex, "mathml": formula_mathml}
READERS = {"text": TextReader, "unicode": UnicodeReader, "latex": LatexReader, "mathml": MathmlReader}


def read(text: str, names: Names, format: Format = "unicode") -> tree.Node:
    """The tree of a printed formula."""
    return READERS[format](without_struck(text, format), names).read()


def without_struck(text: str, format: Format) -> str:
    """The formula with 0 for every term that is struck out."""
    if format == "unicode":
        return re.sub(rf"\S{STROKE}(?:\s*\S{STROKE})*", "0", text)
    if format == "mathml":
        return text
    begin, end = (r"\cancel{", "}") if format == "latex" else ("dropped(", ")")
    while (start := text.find(begin)) >= 0:
        at, depth = start + len(begin), 1
        while depth:
            depth += (text[at] == begin[-1]) - (text[at] == end)
            at += 1
        text = f"{text[:start]}0{text[at:]}"
    return text


def read_definition(text: str, names: Names, format: Format = "unicode") -> tuple[str, tree.Equality]:
    """The quantity that a printed definition defines, and the definition; for :data:`Definitions`."""
    node = read(text, names, format)
    assert isinstance(node, tree.Equality)
    left = node.sides[0]
    assert isinstance(left, tree.Place | tree.Matrix), text
    return left.name, node


def check_formula(
    text: str,
    names: Names,
    arrays: Mapping[str, Array],
    format: Format = "unicode",
    definitions: Definitions | None = None,
    tolerance: float = TOLERANCE,
    ranges: Mapping[str, int] | None = None,
    remarks: Iterable[Note] = (),
) -> tree.Equality:
    """Fails unless all sides of the printed equation are equal for all values of its free indices; gives its tree.

    ``arrays`` holds every quantity under its name, given ones included, and every gradient as ``dJ/dX``. Local
    derivatives ∂u/∂v are worked out from u's definition by the complex step, so formulas with them need
    ``definitions``: each quantity's defining equation as :func:`read_definition` reads it from the printed page, in
    order of computation. ``ranges`` are those of indices that no place tells; what ``remarks`` beside the formula say
    of them counts more than places. A limit above a Σ of LaTeX must be the size of what the Σ runs over.
    """
    reader = READERS[format](without_struck(text, format), names)
    node = reader.read()
    assert isinstance(node, tree.Equality), f"not an equation: {text}"
    _check_limits(reader)
    free = free_indices(node, names)
    told = {index: size for index, size in _told(remarks) if (ranges or {}).get(index) == size}
    evaluation = Evaluation(names, arrays, definitions or {}, ranges or {}, told)
    target = evaluation.sizes_in(node.sides[0])  # it decides over what the equation holds
    sizes = {name: target.get(name) or evaluation.size_of(name, node) for name in free}
    exists = evaluation.exists(node.sides[0], sizes)
    sides = [evaluation.value(side, sizes) for side in node.sides]
    for number, side in enumerate(sides[1:], start=1):
        left, right = np.broadcast_arrays(sides[0], side)
        both_undefined = np.isnan(left) & np.isnan(right)
        with np.errstate(all="ignore"):
            near = np.abs(left - right) <= tolerance * (1 + np.abs(left))
        wrong = exists & ~(near | (left == right) | both_undefined)
        if wrong.any():
            at = tuple(int(axis[0]) for axis in np.nonzero(wrong)) if wrong.ndim else ()
            where = ", ".join(f"{name} = {position + 1}" for name, position in zip(sizes, at, strict=False))
            raise AssertionError(
                f"{text}\nside {number + 1} is {right[at]!r}, side 1 is {left[at]!r}"
                + (f" at {where}" if where else "")
            )
    return node


def equalities(step: Step) -> list[tree.Equality]:
    """The chain side by side with its target, so that each side's indices have one range each."""
    return [tree.Equality((step.target, form.value)) for form in step.forms]


def ranges_of(formula: tree.Node) -> dict[str, int]:
    """The ranges of bound indices, which the remarks beside a formula tell where it does not."""
    found: dict[str, set[int]] = {}
    for node in walk(formula):
        if isinstance(node, tree.Reduction):
            for index, size in zip(node.indices, node.sizes, strict=False):
                found.setdefault(index, set()).add(size)
    return {index: sizes.pop() for index, sizes in found.items() if len(sizes) == 1}


def with_ranges(node: tree.Node, ranges: Mapping[str, int]) -> tree.Node:
    """The formula as read, with the ranges of its bound indices."""
    node = rebuilt(node, lambda part: with_ranges(part, ranges))
    if not isinstance(node, tree.Reduction) or not set(node.indices) <= ranges.keys():
        return node
    return replace(node, sizes=tuple(ranges[index] for index in node.indices))


def check_steps(
    steps: Sequence[Step],
    names: Names,
    arrays: Mapping[str, Array],
    format: Format = "unicode",
    tolerance: float = TOLERANCE,
) -> int:
    """Prints every side of every step of a derivation and checks it with :func:`check_formula`; gives their number.

    ``arrays`` as there (see :func:`arrays_of`). The definitions are read back from the printed steps too.
    """
    render = PRINTERS[format].render
    read_back: dict[str, tree.Equality] = {}
    for step in steps:
        if step.kind is Kind.DEFINITION:
            name, definition = read_definition(render(step.chain, names), names, format)
            known = with_ranges(definition, ranges_of(step.chain))
            assert isinstance(known, tree.Equality)
            read_back[name] = known
    definitions = {name: read_back[name] for name in names.quantities if name in read_back}
    for step in steps:
        for equality in equalities(step):
            ranges = ranges_of(equality)
            printed = render(equality, names)
            check_formula(printed, names, arrays, format, definitions, tolerance, ranges, step.notes)
    return len(steps)


def definitions_of(network: Network, format: Format = "unicode") -> dict[str, tree.Equality]:
    """Every quantity's definition as it is read back from a printed derivation."""
    told, found = network.derive().told, {}
    for quantity in network.graph.quantities:
        if quantity.name in told.by_id:
            formula = told.by_id[quantity.name].formula
            name, definition = read_definition(PRINTERS[format].render(formula, network.names), network.names, format)
            known = with_ranges(definition, ranges_of(formula))
            assert isinstance(known, tree.Equality)
            found[name] = known
    return found


def arrays_of(trace: Trace) -> dict[str, Array]:
    """What :func:`check_formula` needs of a run: given, computed and gradient values, these as ``dJ/dX``."""
    gradients = {f"dJ/d{name}": np.asarray(value) for name, value in trace.gradients.items()}
    values = {**trace.given, **trace.forward}
    return {name: np.asarray(value) for name, value in values.items()} | gradients


def _told(remarks: Iterable[Note]) -> list[tuple[str, int]]:
    """The ranges that remarks tell: ``Here k from 1 to 2.``"""
    found = (re.findall(r"(\w+) from 1 to (\d+)", sentence(note)) for note in remarks if note.key == "ranges")
    return [(index, int(size)) for pairs in found for index, size in pairs]


def _check_limits(reader: Reader) -> None:
    for reduction, limit in reader.limits:
        sizes = Evaluation(reader.names, {}, {}).axes_of(reduction.indices[0], reduction.body)
        wrong = f"Σ over {reduction.indices[0]} stops at {limit}, but its axes have {sizes}: {reader.source}"
        assert limit in sizes or not sizes, wrong
