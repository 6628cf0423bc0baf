"""Documents in a terminal: aligned, coloured by role, and the same words and columns without colour.

What users wrote reaches rich as :class:`~rich.text.Text`, never as markup, and control characters in it are shown
instead of obeyed.
"""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text

from backprop_cli.documents.blocks import Block, Document, FormulaBlock, Heading, Note, PageBreak, Prose, Tone
from backprop_cli.documents.names import Names
from backprop_cli.renderers.styles import FAINT, STRONG, text_of, wrapped, written
from backprop_cli.renderers.terminal_formulas import formula_lines
from backprop_cli.renderers.terminal_tables import table_lines

NARROWEST = 30
WIDEST = 100  # longer lines are hard to read


def render(document: Document, width: int = 80, *, colour: bool = False) -> str:
    """The document in lines of at most ``width`` characters, within reason; escape codes only with ``colour``."""
    page = min(max(width, NARROWEST), WIDEST)
    lines: list[Text] = []
    before: Block | None = None
    for block in document.blocks:
        found = _block(block, document.names, page)
        if before is not None and found and not _belong_together(before, block):
            lines.append(Text())
        lines.extend(found)
        before = block
    return written(lines, colour=colour)


def _belong_together(before: Block, block: Block) -> bool:
    """Whether no blank line separates two blocks."""
    if isinstance(before, Heading):
        return before.level > 2
    if not isinstance(block, Note):
        return False
    return block.tone is Tone.REMARK or (isinstance(before, Note) and before.tone is block.tone)


def _block(block: Block, names: Names, page: int) -> list[Text]:
    match block:
        case Heading(level, parts):
            return _heading(level, text_of(parts, names), page)
        case Prose(parts):
            return wrapped(text_of(parts, names), page)
        case Note(parts, tone):
            return _note(text_of(parts, names), tone, page)
        case FormulaBlock():
            return formula_lines(block, names, page)
        case PageBreak():
            return [Text("─" * page, style=FAINT)]
    return table_lines(block, names, page)


def _heading(level: int, text: Text, page: int) -> list[Text]:
    text.stylize(STRONG)
    if level == 2:
        first, *rest = wrapped(text, page - 6)
        line = Text.assemble(("── ", FAINT), first, " ")
        line.append("─" * (page - cell_len(line.plain)), style=FAINT)
        return [line, *(Text.assemble("   ", more) for more in rest)]
    lines = wrapped(text, page)
    if level == 1:
        lines.append(Text("═" * max(cell_len(line.plain) for line in lines), style=FAINT))
    return lines


def _note(text: Text, tone: Tone, page: int) -> list[Text]:
    sign = Text("! ", style="bold yellow") if tone is Tone.WARNING else Text("  ")
    if tone is Tone.REMARK:
        text.stylize(FAINT)
    lines = wrapped(text, page - 2)
    return [Text.assemble(sign if n == 0 else "  ", line) for n, line in enumerate(lines)]
