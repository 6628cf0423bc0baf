r"""Numbers and matrices as LaTeX's mathematics, without delimiters."""

from __future__ import annotations

from backprop_cli.renderers.arrays import Grid

WORDS = {"nan": r"\mathrm{nan}", "inf": r"\infty", "-inf": r"-\infty"}


def number(text: str) -> str:
    r"""The text of a number: ``1.5e-7`` is ``1.5 \times 10^{-7}``."""
    mantissa, _, power = WORDS.get(text, text).partition("e")
    return rf"{mantissa} \times 10^{{{power}}}" if power.lstrip("-").isdigit() else WORDS.get(text, text)


def rows(grid: Grid) -> list[list[str]]:
    """The entries, with dots where the array goes on."""
    goes_down, goes_right = grid.goes_on
    found = [[*map(number, row), *([r"\cdots"] if goes_right else [])] for row in grid.rows]
    return [*found, [r"\vdots"] * len(grid.rows[0])] if goes_down else found


def matrix(grid: Grid) -> str:
    """A matrix in parentheses, as MathJax, KaTeX and amsmath read it (amsmath up to ten columns)."""
    inside = r" \\ ".join(" & ".join(row) for row in rows(grid))
    return vector(grid) if grid.is_vector else rf"\begin{{pmatrix}} {inside} \end{{pmatrix}}"


def right_aligned(grid: Grid) -> str:
    """The same with the numbers at the right of their columns, of which there may be any number."""
    inside = r" \\ ".join(" & ".join(row) for row in rows(grid))
    columns = "r" * (len(grid.rows[0]) + grid.goes_on[1])
    return vector(grid) if grid.is_vector else rf"\left(\begin{{array}}{{{columns}}} {inside} \end{{array}}\right)"


def vector(grid: Grid) -> str:
    """A vector, neither a row nor a column: its numbers with commas between them."""
    return f"({', '.join(rows(grid)[0])})"
