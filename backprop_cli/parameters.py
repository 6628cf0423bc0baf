"""The arguments and options that several commands have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backprop_cli.options import file_name, listed, one_of, whole_number
from backprop_cli.translation import Language, use

Spec = Annotated[
    str,
    typer.Argument(
        metavar="SPEC", show_default=False, help="A YAML file, '-' for standard input, or the name of a bundled spec."
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        parser=file_name("--output"),
        show_default=False,
        help="Write to FILE, whole or not at all.",
    ),
]


Quantity = Annotated[
    str | None,
    typer.Option(
        "--of", metavar="QUANTITY", show_default=False, help="The gradient of one quantity alone: W1, or W1[1,2]."
    ),
]
Fragment = Annotated[
    bool,
    typer.Option("--fragment", help="Of a LaTeX page, the body without the preamble, to put into another document."),
]


def _speak(language: Language | None) -> None:
    if language is not None:
        use(language)


Lang = Annotated[
    Language | None,
    typer.Option(
        "--lang",
        metavar=listed(Language),
        parser=one_of(Language),
        callback=_speak,
        is_eager=True,  # what is wrong with other options is said in it
        show_default=False,
        help="The language of text for people; of the locale by default.",
    ),
]
Digits = Annotated[
    int, typer.Option(metavar="N", parser=whole_number("--digits", 0, 17), help="Digits after the decimal point.")
]
