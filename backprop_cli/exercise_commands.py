"""The commands ``exercise`` and ``grade``: sheets and keys, and the marks of what is handed in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from backprop_cli.errors import BackpropError
from backprop_cli.options import GradeFormat, file_name, listed, number_above_zero, one_of, whole_number
from backprop_cli.output import as_json, page_width, shows_colour, warn, write
from backprop_cli.parameters import Lang, Output
from backprop_cli.translation import enumerated, tr, tr_n

MOST_VARIANTS = 10_000


class ExerciseFormat(StrEnum):
    TEXT = "text"
    MARKDOWN = "markdown"
    LATEX = "latex"
    HTML = "html"
    PDF = "pdf"
    NOTEBOOK = "notebook"
    JSON = "json"
    CSV = "csv"
    MOODLE = "moodle"
    QTI12 = "qti12"
    QTI21 = "qti21"


@dataclass(frozen=True)
class Destination:
    """A file, or a folder for files."""

    path: Path
    is_folder: bool


def destination(text: str) -> Destination:
    """What ``-o`` names: a folder where there is one, or where the name ends as that of a folder."""
    path = file_name("--output")(text)
    return Destination(path, path.is_dir() or text.endswith(("/", os.sep)))


def exercise(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            show_default=False,
            help="An exercise file or a spec: a YAML file, '-' for standard input, or a bundled name.",
        ),
    ],
    variants: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            parser=whole_number("--variants", 0, MOST_VARIANTS),
            show_default=False,
            help="So many sheets with numbers of their own; 0, as without it: one with the spec's own numbers.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="SEED",
            parser=whole_number("--seed", 0, 2**63 - 1),
            show_default=False,
            help="Another seed gives other numbers; 0 by default.",
        ),
    ] = None,
    students: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            parser=file_name("--students"),
            show_default=False,
            help="A sheet for everyone in this class list: columns such as 'name', or 'first name' and 'last name'.",
        ),
    ] = None,
    code: Annotated[
        str | None,
        typer.Option(
            "--code", metavar="CODE", show_default=False, help="The one sheet with this code, which is printed on it."
        ),
    ] = None,
    key: Annotated[bool, typer.Option("--key", help="The answers and worked solutions instead of the sheets.")] = False,
    digits: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            parser=whole_number("--digits", 0, 12),
            show_default=False,
            help="Digits after the decimal point of the answers; what the file says by default, or 4.",
        ),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER",
            parser=number_above_zero("--tolerance"),
            show_default=False,
            help="How far numbers may be off; as far as rounding every step can bring them by default.",
        ),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Ask for exact fractions; the network may have sums, products and relu.")
    ] = False,
    format: Annotated[
        ExerciseFormat,
        typer.Option(
            metavar=listed(ExerciseFormat),
            parser=one_of(ExerciseFormat),
            help="How to write it. json is always the key, as grade reads it; moodle, qti12 (Canvas) and qti21 are "
            "quizzes with their answers; csv and notebook are to be filled in.",
        ),
    ] = ExerciseFormat.TEXT,
    output: Annotated[
        Destination | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|FOLDER/",
            parser=destination,
            show_default=False,
            help="Write to FILE, whole or not at all; into a folder, one file for each variant.",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="With -o FOLDER/: go on with an interrupted run; the sheets that are there stay."
        ),
    ] = False,
    lang: Lang = None,
) -> None:
    """Make exercise sheets and their keys, from an exercise file or from a network's spec.

    A spec asks for its forward pass, the cost, a gradient of every layer with its paths, and an update.
    """
    from backprop_cli.class_list import class_list
    from backprop_cli.exercise_loading import load_exercise
    from backprop_cli.exercise_writing import Sheets, made_for, numbers_of, with_code, written_files
    from backprop_cli.exercises.variants import told
    from backprop_cli.progress import counting

    into = output.path if output is not None and output.is_folder else None
    if resume and into is None:
        raise BackpropError(tr("--resume goes on filling a folder; name it with -o FOLDER/"))
    _require_one_way(variants, seed, students, code)
    names = None if students is None else class_list(students)
    network, asked = load_exercise(file, digits, exact, tolerance)
    if code is not None:
        seed, variants = numbers_of(asked, code)
    total = len(names) if names is not None else variants or 0
    with counting(total) as progress:
        made = made_for(asked, variants, seed or 0, names, progress)
    sheets = Sheets(network, asked, made.key if code is None else with_code(made.key, code))
    if rejected := told(made.rejected):
        warn(rejected)
    path = None if output is None else output.path
    if into is not None:
        with counting(len(sheets.key.variants)) as progress:
            _fill(written_files(sheets, str(format), key, into, resume=resume), progress)
    elif format is ExerciseFormat.TEXT:
        write(sheets.text(key, page_width(), colour=shows_colour(path)), path)
    else:
        write(sheets.file(str(format), key), path, data=True)


def _require_one_way(variants: int | None, seed: int | None, students: Path | None, code: str | None) -> None:
    """Raises BackpropError where two options say which sheets are made."""
    given = {"--seed": seed is not None, "--variants": bool(variants), "--students": students is not None}
    if code is not None and any(given.values()):
        message = tr("--code makes the one sheet whose seed and number it holds; leave out {options}")
        raise BackpropError(message.format(options=enumerated(name for name, is_given in given.items() if is_given)))
    if students is not None and variants:
        raise BackpropError(tr("--students makes one sheet for everyone in the list; leave out --variants"))


def _fill(files: Iterable[tuple[Path, str | bytes | None]], progress: Callable[[int], None] | None) -> None:
    """Write the files that have a content, and say how many have none: those are there already."""
    kept = 0
    for done, (path, content) in enumerate(files, 1):
        if content is None:
            kept += 1
        else:
            write(content, path, data=True)
        if progress is not None:
            progress(done)
    if kept:
        message = tr_n("{number} sheet was there already", "{number} sheets were there already", kept)
        warn(message.format(number=kept))


def grade(
    key: Annotated[
        str, typer.Argument(metavar="KEY", show_default=False, help="A key as exercise --format json writes it.")
    ],
    answers: Annotated[
        str,
        typer.Argument(
            metavar="ANSWERS",
            show_default=False,
            help="CSV with the columns student, variant, cell, answer; the same as JSON or YAML; or a filled notebook.",
        ),
    ],
    format: Annotated[
        GradeFormat, typer.Option(metavar=listed(GradeFormat), parser=one_of(GradeFormat), help="How to print it.")
    ] = GradeFormat.TEXT,
    output: Output = None,
    lang: Lang = None,
) -> None:
    """Mark students' answers against a key, and say which step went wrong; exit status 1 if any answer is wrong.

    A step that is consistent with the student's own numbers before it gets full points. A wrong number is compared with
    what typical mistakes give. What cannot be read is reported with its line, and the rest is marked.
    """
    from backprop_cli.marking import Marking
    from backprop_cli.renderers import grades_csv, pages, terminal

    marking = Marking.of(key, answers)
    for problem in marking.problems:
        warn(problem.located(marking.source))
    match format:
        case GradeFormat.JSON:
            write(as_json(marking.report.as_data()), output, data=True)
        case GradeFormat.CSV:
            write(grades_csv.render(marking.report), output, data=True)
        case GradeFormat.TEXT:
            write(terminal.render(marking.document, page_width(), colour=shows_colour(output)), output)
        case _:
            write(pages.page(format, marking.document), output, data=True)
    if not marking.report.is_all_right:
        raise typer.Exit(1)
