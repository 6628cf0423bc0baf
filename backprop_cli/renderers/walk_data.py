"""A walkthrough as plain data: what ``walk --format json`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, isnan
from typing import Any

from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.renderers import formula_latex, formula_text, formula_unicode
from backprop_cli.teaching.rounding import Rounding
from backprop_cli.teaching.walkthrough import Path, Stage, Told
from backprop_cli.translation import Language, written_in


def walk_as_data(name: str, stages: Sequence[Stage], names: Names, rounding: Rounding) -> dict[str, Any]:
    """The steps in the order of teaching. Each entry has its formula, the formula with rounded numbers put in (null
    where it is too long), and its value in full precision; a gradient on several paths has the same for each path."""
    with written_in(Language.ENGLISH):
        return {"name": name, "digits": rounding.digits, "steps": [_stage(stage, names) for stage in stages]}


def _stage(stage: Stage, names: Names) -> dict[str, Any]:
    return {
        "id": stage.step.id,
        "layer": stage.step.layer,
        "kind": str(stage.step.kind),
        "pass": "forward" if stage.is_forward else "backward",
        "formula": written(stage.step.formula, names),
        "size": stage.size,
        "entries": [_entry(entry, names) for entry in stage.entries],
    }


def _entry(entry: Told, names: Names) -> dict[str, Any]:
    return {
        "position": list(entry.position),
        "formula": written(tree.Equality((entry.target, entry.formula)), names),
        "numbers": None if entry.put_in is None else written(entry.put_in, names),
        "value": number(entry.value),
        "paths": [_path(path, names) for path in entry.paths],
    }


def _path(path: Path, names: Names) -> dict[str, Any]:
    return {
        "through": [formula_text.render(place, names) for place in path.through],
        "formula": written(path.formula, names),
        "numbers": written(path.put_in, names),
        "value": number(path.value),
    }


def written(formula: tree.Node, names: Names) -> dict[str, str]:
    """A formula in the equation language, for a terminal and for typesetting."""
    return {
        "text": formula_text.render(formula, names),
        "unicode": formula_unicode.render(formula, names),
        "latex": formula_latex.render(formula, names),
    }


def number(value: float) -> float | str:
    """A number for JSON, which has none that are not finite."""
    return value if isfinite(value) else "nan" if isnan(value) else "inf" if value > 0 else "-inf"
