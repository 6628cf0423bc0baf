"""Every sentence in the source is looked up in a catalogue, but those that are not for readers."""

from __future__ import annotations

from pathlib import Path

import pytest

from backprop_cli.documents.exercise_wording import ASKED, KEY, SHEET
from backprop_cli.documents.wording import PARTS, REMARKS, RULES, WALK
from backprop_cli.documents.wording_views import JACOBIANS, LOOPS, PERTURBATION
from backprop_cli.documents.wording_views import MODULES as VIEW_OF_MODULES
from backprop_cli.verification.report import Oracle, Verdict
from tests.languages.catalogues import PACKAGE
from tests.languages.literals import lookups_inside_f_strings, sentences

KEYS = {*PARTS, *WALK, *REMARKS, *JACOBIANS, *LOOPS, *VIEW_OF_MODULES, *PERTURBATION, *SHEET, *ASKED, *KEY}  # of tables
DATA = {*RULES.values(), *map(str, Verdict), *map(str, Oracle)}  # what programs read stays English
WITHOUT_PROSE = {
    "renderers/html_style.py": "a style sheet",
    "class_headers.py": "headers of class lists, to be recognised",
    "renderers/chinese_fonts.py": "names of fonts",
    "renderers/notebook_code.py": "Python code, whose comments are English",
    "spec/syntax.py": "what the YAML library says, to be recognised",
}
OTHERS = {
    "documents/names.py": ("alpha beta gamma",),  # names of letters
    "documents/verification.py": ("in part",),  # a key
    "documents/wording_views.py": ("accGradParameters(", "forward(", "backward(", "updateGradInput("),  # calls
    "exercises/gate.py": ("not finite", "dead", "saturated", "tie at", "answer ", "a typical", "same numbers"),  # ids
    "exercises/choices.py": ("Expr | None",),  # a type
    "documents/exercise_sheet.py": ("{} by step",),  # a key
    "exercises/other_windows.py": ("{} states of {}",),  # the name of a quantity that no author can give
    "numeric/compiling.py": ("from ", "import numpy", "One forward"),  # the program it writes
    "numeric/schedule.py": ("for {} in {}:",),  # the program it writes
    "numeric/trace.py": ("float |",),  # a type
    "renderers/answer_notebook.py": ("student = {}",),  # what grade reads
    "renderers/formula_typst.py": ("quad quad",),  # markup
    "renderers/html.py": ("default-src", "<", "chain line"),  # markup
    "renderers/latex.py": ("% Chinese text",),  # a comment for those who typeset the page
    "renderers/moodle.py": ("<",),  # markup
    "renderers/packages.py": ("<",),  # markup
    "renderers/program_source.py": ("One forward and backward pass",),  # a comment in a Python program
    "renderers/qti12.py": ("IMS Content",),  # the name of a format
    "renderers/terminal.py": ("bold yellow",),  # a style
    "renderers/typst.py": ("#", "quad quad", "  stroke", "New Computer"),  # markup and the name of a font
    "spec/arrays.py": ("float |",),  # a type
    "spec/exercise_file.py": ("An exercise for backprop",),  # the schema's title
    "spec/initial.py": ("torch.nn", "He et", "Glorot", "LeCun"),  # sources
    "spec/layers.py": ("dense: {",),  # YAML
    "spec/loss.py": ("huber: {",),  # YAML
    "spec/schema.py": ("A network for backprop",),  # the schema's title
    "symbolic/steps.py": ("no path to", "given output", "sum over the costs", "chain rule"),  # ids of rules
    "verification/automatic.py": ("HIPS autograd",),  # a name
}  # fmt: skip

MODULES = sorted(PACKAGE.rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_every_sentence_is_looked_up(path: Path) -> None:
    name = relative(path)
    if name in WITHOUT_PROSE:
        return
    found = [
        (line, text)
        for line, text in sentences(path.read_text(encoding="utf-8"))
        if text not in KEYS | DATA and not text.startswith(OTHERS.get(name, ()))
    ]
    assert found == []


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_message_hides_in_an_f_string(path: Path) -> None:
    assert list(lookups_inside_f_strings(path.read_text(encoding="utf-8"))) == []


def test_exceptions_are_still_needed() -> None:
    for name, starts in OTHERS.items():
        found = [text for _, text in sentences((PACKAGE / name).read_text(encoding="utf-8"))]
        assert all(any(text.startswith(start) for text in found) for start in starts), name


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('warn("the file is gone")', ["the file is gone"]),
        ('warn(f"{name} is gone for good")', ["{} is gone for good"]),
        ('warn(tr("the file is gone"))', []),
        ('warn(tr_n("one file is", "{n} files are", n))', []),
        ('"""What it does."""', []),
        ('raise ValueError("not for people")', []),
        ('open("backprop.mo")', []),
    ],
)
def test_sentences_are_found(source: str, expected: list[str]) -> None:
    assert [text for _, text in sentences(source)] == expected
