"""Text for a terminal: what users wrote made harmless, formulas coloured by role, paragraphs wrapped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from backprop_cli.documents.blocks import Inline
from backprop_cli.documents.names import Names
from backprop_cli.renderers.formula_unicode import Piece, pieces
from backprop_cli.renderers.line_breaks import breaks
from backprop_cli.renderers.plain import visible

# The sixteen colours of every terminal, none that is unreadable on white or on black.
STYLES = {
    "gradient": "magenta",
    "parameter": "green",
    "input": "blue",
    "target": "blue",
    "constant": "blue",
    "weighted_sum": "cyan",
    "activation": "cyan",
    "intermediate": "cyan",
    "helper": "cyan",
    "loss": "red",
    "cost": "red",
}
FAINT = "dim"
STRONG = "bold"


def styled(found: Sequence[Piece]) -> Text:
    """Pieces of a formula, coloured by role."""
    text = Text()
    for piece in found:
        text.append(visible(piece.text), style=STYLES.get(piece.role, ""))
    return text


def text_of(parts: Iterable[Inline], names: Names) -> Text:
    """Text and formulas in one run."""
    text = Text()
    for part in parts:
        text.append_text(Text(visible(part)) if isinstance(part, str) else styled(pieces(part, names)))
    return text


def wrapped(text: Text, width: int) -> list[Text]:
    """The text in lines, broken at blanks, and between Chinese characters; a word that is longer than a line is cut."""
    if (found := breaks(text.plain, max(width, 1))) is not None:
        lines = text.divide(found)
        for line in lines:
            line.rstrip()
        return list(lines)
    lines = text.wrap(Console(file=StringIO(), width=width), max(width, 1), overflow="fold")
    for line in lines:
        line.rstrip()
    return list(lines) or [Text()]


def padded(text: Text, width: int) -> Text:
    """The text followed by blanks up to ``width``."""
    return Text.assemble(text, " " * max(width - cell_len(text.plain), 0))


def written(lines: Iterable[Text], *, colour: bool) -> str:
    """The lines as one string, with escape codes only where ``colour`` is asked for."""
    if not colour:
        return "".join(f"{line.plain.rstrip()}\n" for line in lines)
    page = StringIO()
    console = Console(
        file=page, force_terminal=True, color_system="standard", highlight=False, legacy_windows=False, _environ={}
    )
    for line in lines:
        console.print(line, soft_wrap=True)
    return page.getvalue()
