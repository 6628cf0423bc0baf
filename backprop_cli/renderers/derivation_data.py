"""A derivation as plain data: what ``derive --format json`` prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from backprop_cli.documents.names import Names
from backprop_cli.documents.wording import RULES, sentence
from backprop_cli.language import tree
from backprop_cli.renderers import formula_latex, formula_text, formula_unicode
from backprop_cli.symbolic.steps import Step
from backprop_cli.translation import Language, written_in


def steps_as_data(name: str, steps: Iterable[Step], names: Names) -> dict[str, Any]:
    """The network's name and its steps. A step's ``formula`` is one equality; ``chain`` holds every form it can be
    written in, each equal to the target: in the equation language (``text``), for a terminal (``unicode``) and for
    typesetting (``latex``)."""
    return {"name": name, "steps": [step_as_data(step, names) for step in steps]}


def step_as_data(step: Step, names: Names) -> dict[str, Any]:
    """One step, in English whatever language is written in."""
    with written_in(Language.ENGLISH):
        return _step(step, names)


def _step(step: Step, names: Names) -> dict[str, Any]:
    return {
        "id": step.id,
        "layer": step.layer,
        "kind": str(step.kind),
        "of": step.of,
        "rule": RULES[step.rule],
        "formula": _written(step.formula, names),
        "chain": [
            {"form": str(form.kind), **_written(tree.Equality((step.target, form.value)), names)} for form in step.forms
        ],
        "indices": dict(zip(step.indices, step.shape, strict=True)),
        "uses": list(step.uses),
        "notes": [sentence(note) for note in step.notes],
    }


def _written(formula: tree.Node, names: Names) -> dict[str, str]:
    return {
        "text": formula_text.render(formula, names),
        "unicode": formula_unicode.render(formula, names),
        "latex": formula_latex.render(formula, names),
    }
