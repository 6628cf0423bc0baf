"""What ``exercise`` writes: the sheets or keys of all variants in one file, or one file for each of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from backprop_cli.documents.blocks import Document
from backprop_cli.documents.exercise_key import Run, keys_document
from backprop_cli.documents.exercise_labels import label_of, with_updated
from backprop_cli.documents.exercise_sheet import Sheet, sheets_document
from backprop_cli.documents.formula_typing import typed_names
from backprop_cli.documents.names import Names
from backprop_cli.documents.quiz import Item, items, title_of
from backprop_cli.documents.run_tables import values_of
from backprop_cli.errors import BackpropError
from backprop_cli.exercises.certificate import Certificate
from backprop_cli.exercises.exercise import Exercise
from backprop_cli.exercises.ids import name_of
from backprop_cli.exercises.key import Key, Variant
from backprop_cli.exercises.making import Made, fingerprint, made, vouched_for
from backprop_cli.exercises.nodes import PATH
from backprop_cli.exercises.solving import FORMULA, own_numbers
from backprop_cli.exercises.variants import Progress
from backprop_cli.network import Network
from backprop_cli.numeric.program import Program
from backprop_cli.output import as_json
from backprop_cli.renderers import answer_notebook, exercise_csv, moodle, qti12, qti21, terminal
from backprop_cli.renderers.pages import PAGES, page
from backprop_cli.symbolic.notation import is_by_step
from backprop_cli.symbolic.steps import Derivation
from backprop_cli.teaching.whole_arrays import WholeArrays
from backprop_cli.translation import tr

QUIZZES: Mapping[str, Callable[[Sequence[tuple[str, Sequence[Item]]], Names], str | bytes]] = {
    "moodle": moodle.render,
    "qti12": qti12.render,
    "qti21": qti21.render,
}
SUFFIXES = {
    "text": "txt",
    "markdown": "md",
    "latex": "tex",
    "html": "html",
    "pdf": "pdf",
    "notebook": "ipynb",
    "json": "json",
    "csv": "csv",
    "moodle": "xml",
    "qti12": "zip",
    "qti21": "zip",
}
WHOLE = ("json", "csv", *QUIZZES)  # formats that have all variants in one file
CODE = re.compile(r"(?P<digest>[0-9A-Fa-f]{4})-(?P<seed>[0-9]{1,19})-(?P<number>[1-9][0-9]{0,4})")
EXAMPLE = "4E4E-5-1"
LONGEST_NAME = 40  # of a student in a file's name
WIDTH = 80  # of a text that is no terminal's


def made_for(
    exercise: Exercise, count: int | None, seed: int, students: Sequence[str] | None, progress: Progress | None = None
) -> Made:
    """The key with so many variants, or one for every student; with none of both, with the spec's own numbers."""
    if students is None and not count:
        return Made(own_numbers(exercise), {})
    return made(exercise, count or 0, seed, students, progress)


def numbers_of(exercise: Exercise, code: str) -> tuple[int, int]:
    """The seed and the number of the variant with this code. Raises BackpropError for a code of another exercise."""
    found = CODE.fullmatch(code.strip())
    if found is None:
        raise BackpropError(tr("'{code}' is no code of a sheet, such as {example}").format(code=code, example=EXAMPLE))
    if found["digest"].upper() != fingerprint(exercise):
        message = tr("the code {code} is of another exercise, or of this one before it was changed")
        raise BackpropError(message.format(code=code))
    return int(found["seed"]), int(found["number"])


def with_code(key: Key, code: str) -> Key:
    """The key with the one variant of this code alone."""
    wanted = code.strip().upper()
    return replace(key, variants=tuple(variant for variant in key.variants if variant.code == wanted))


class Sheets:
    """The sheets and keys of one exercise with the numbers of its key."""

    def __init__(self, network: Network, exercise: Exercise, key: Key) -> None:
        self.network, self.exercise, self.key = network, exercise, key

    def text(self, is_key: bool, width: int, *, colour: bool = False) -> str:
        """All sheets, or all keys, for a terminal."""
        return terminal.render(self.document(is_key, self.key.variants), width, colour=colour)

    def file(self, format: str, is_key: bool) -> str | bytes:
        """All of them as one file. Raises BackpropError where a format holds one alone."""
        if format == "json":
            vouched = None if self.vouched is None else self.vouched._asdict()
            return as_json({**self.key.as_data(), "certificate": vouched})
        if format == "csv":
            return exercise_csv.answers(self.key) if is_key else exercise_csv.form(self.key, self.notes)
        if format in QUIZZES:
            sheets = [self.sheet(variant) for variant in self.key.variants]
            return QUIZZES[format]([(title_of(sheet), tuple(items(sheet))) for sheet in sheets], self.names)
        if format == "notebook" and len(self.key.variants) > 1:
            raise BackpropError(tr("a notebook holds one sheet; write into a folder, with -o FOLDER/"))
        return self.pages(format, is_key, self.key.variants)

    def pages(self, format: str, is_key: bool, variants: Sequence[Variant]) -> str | bytes:
        """Some of them as a page."""
        if format == "notebook" and not is_key:
            return answer_notebook.page(self.sheet(variants[0]), self.names)
        document = self.document(is_key, variants)
        return page(format, document) if format in PAGES else terminal.render(document, WIDTH)

    def document(self, is_key: bool, variants: Sequence[Variant]) -> Document:
        if not is_key:
            return sheets_document(self.exercise, self.derivation, self.network.names, variants)
        loss = self.network.spec.loss
        text = "" if loss is None else loss.text
        return keys_document(self.exercise, self.derivation, self.network.names, variants, self.run, text, self.vouched)

    @cached_property
    def notes(self) -> dict[str, str]:
        """What a form without formulas says beside some answers: which path it is about, and what a formula is made
        of."""
        names = " ".join(map(name_of, typed_names(self.exercise)))
        cells = [cell for question in self.exercise.questions for cell in question.cells]
        formulas = {cell: f"{names} * **" for cell in cells if cell.startswith(FORMULA)}
        paths = {c: self.exercise.write(label_of(self.exercise, c)) for c in cells if c.startswith(PATH)}
        return formulas | paths

    @cached_property
    def vouched(self) -> Certificate | None:
        """How the gradients of all variants were checked; None without a cost."""
        return vouched_for(self.exercise, self.key.variants)

    def sheet(self, variant: Variant) -> Sheet:
        return Sheet(self.exercise, self.derivation, variant)

    @cached_property
    def derivation(self) -> Derivation:
        return self.network.derive().told

    @cached_property
    def names(self) -> Names:
        return with_updated(self.network.names)

    @cached_property
    def _program(self) -> Program:
        return self.network.compile()

    def run(self, variant: Variant) -> Run:
        """A run with a variant's numbers."""
        graph = self.network.graph
        given = {name: array for name, array in variant.given.items() if graph[name].definition is None}
        trace = self._program.run(given)
        values = {name: np.asarray(value) for name, value in values_of(graph, trace).items()}
        gradients = {name: np.asarray(value) for name, value in trace.gradients.items() if name in graph}
        if graph.windows:
            formulas = self.derivation.adjoints.formulas
            apart = WholeArrays(graph, values, formulas, gradients)
            gradients |= {name: apart.gradient(name) for name in formulas if is_by_step(name)}
        arrays = WholeArrays(replace(graph, windows={}), values)
        shown = {q.name: arrays[q.name] for q in graph.quantities if q.name in arrays}
        return Run(values, gradients, shown)


def written_files(
    sheets: Sheets, format: str, is_key: bool, folder: Path, *, resume: bool = False
) -> Iterator[tuple[Path, str | bytes | None]]:
    """The files in a folder, which is made, each to be written whole before the next is made.

    ``resume`` gives None for the sheets that are there already: their names hold the code of what is on them, and
    whose they are.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = tr("cannot write {file}: {reason}")
        raise BackpropError(message.format(file=folder, reason=error.strerror or error)) from error
    suffix = SUFFIXES[format]
    if format in WHOLE:
        stem = "key" if is_key or format == "json" else "quiz" if format in QUIZZES else "answers"
        yield folder / f"{stem}.{suffix}", sheets.file(format, is_key)
        return
    variants = sheets.key.variants
    width = len(variants[-1].id)
    for variant in variants:
        who = "" if variant.student is None else _for_files(variant.student)
        name = f"{'key' if is_key else 'sheet'}-{variant.id.zfill(width)}-{variant.code}{who}.{suffix}"
        path = folder / name
        yield (
            path,
            None if resume and path.is_file() and path.stat().st_size else sheets.pages(format, is_key, [variant]),
        )


def _for_files(student: str) -> str:
    """A student's name as the end of a file's name: letters and digits alone."""
    plain = re.sub(r"[\W_]+", "-", student).strip("-")[:LONGEST_NAME]
    return f"-{plain}" if plain else ""
