"""The generated NumPy program as a page: text that runs as Python, coloured where the terminal can.

Lines are never broken here: a terminal may wrap them, which copies as one line and stays the same program.
"""

from __future__ import annotations

from textwrap import wrap

from pygments.token import Comment, Keyword, Name, Number, Operator, String
from rich.style import Style
from rich.syntax import ANSISyntaxTheme, Syntax
from rich.text import Text

from backprop_cli.numeric.program import Program
from backprop_cli.renderers.plain import visible
from backprop_cli.renderers.styles import FAINT, written

# As everywhere colours of the terminal's own sixteen, none that is unreadable on white or on black.
THEME = ANSISyntaxTheme(
    {
        Comment: Style.parse(FAINT),
        String: Style.parse("green"),
        Keyword: Style.parse("magenta"),
        Operator.Word: Style.parse("magenta"),
        Number: Style.parse("cyan"),
        Name.Function: Style.parse("blue"),
    }
)
INTRODUCTION = "One forward and backward pass: forward_and_backward takes {takes} and returns {returns}."


def render(program: Program, width: int = 80, *, colour: bool = False) -> str:
    """The source of the program, introduced by a comment that says which names it takes and returns."""
    said = INTRODUCTION.format(takes=", ".join(program.arguments), returns=", ".join(program.outputs))
    comment = [f"# {line}" for line in wrap(visible(said), max(width, 40) - 2, break_on_hyphens=False)]
    text = "\n".join((*comment, program.source.rstrip("\n")))
    if not colour:
        return written(map(Text, text.split("\n")), colour=False)
    highlighted = Syntax("", "python", theme=THEME).highlight(text)
    return written(highlighted.split("\n"), colour=True)
