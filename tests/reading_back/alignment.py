r"""Reads back the rows of an ``align*`` or ``aligned`` environment as the chains of equalities that they print."""

from __future__ import annotations

import re

from backprop_cli.documents.blocks import Document, FormulaBlock
from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.renderers import formula_latex
from tests.reading_back.checking import read
from tests.reading_back.grammar import UnreadableFormula
from tests.reading_back.normal import normal

REMARK = re.compile(r" && \\text\{(.*)\}$")
CONTINUED = re.compile(r"^&\\qquad (?:\\quad )*")


def chains(rows: str) -> list[list[str]]:
    """Target and sides of every chain, in LaTeX."""
    return [chain for chain, _ in remarked(rows)]


def remarked(rows: str) -> list[tuple[list[str], str]]:
    """Target and sides of every chain, and what is remarked beside it."""
    found: list[tuple[list[str], str]] = []
    for line in rows.strip().split(" \\\\\n"):
        remark = REMARK.search(line)
        row = REMARK.sub("", line.strip())
        if CONTINUED.match(row):
            found[-1][0][-1] += " " + CONTINUED.sub("", row)
        elif row.startswith("&= "):
            found[-1][0].append(row.removeprefix("&= "))
        else:
            target, _, side = row.partition(" &= ")
            found.append(([target, side], ""))
        if remark is not None:
            chain, before = found[-1]
            found[-1] = chain, f"{before} {remark[1]}".strip()
    return found


def as_read(latex: str, names: Names, by_step: Names) -> tree.Node:
    """The formula, with ``by_step`` where it speaks of J[s], the cost of one step."""
    try:
        return normal(read(latex, names, "latex"), names)
    except UnreadableFormula:
        return normal(read(latex, by_step, "latex"), by_step)


def as_meant(document: Document, by_step: Names) -> list[tree.Node]:
    """The equalities of a document, in order, as they are read back from one line each."""
    lines = (line for block in document.blocks if isinstance(block, FormulaBlock) for line in block.lines)
    names = document.names
    return [as_read(formula_latex.render(line.formula, names), names, by_step) for line in lines]
