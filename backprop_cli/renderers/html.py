"""Documents as one HTML file that needs nothing else: no network, no scripts, no fonts.

Mathematics is MathML, which browsers set themselves and screen readers speak. Sections fold; on paper all are open.
What users wrote is escaped, and a policy in the page forbids to load anything in case it were not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from backprop_cli.documents.blocks import (
    Block,
    Document,
    FormulaBlock,
    Heading,
    Inline,
    Line,
    Note,
    PageBreak,
    Prose,
    Side,
    Tone,
)
from backprop_cli.documents.names import Names
from backprop_cli.renderers import formula_unicode
from backprop_cli.renderers.formula_mathml import element
from backprop_cli.renderers.html_style import style_sheet
from backprop_cli.renderers.html_tables import table
from backprop_cli.renderers.mathml_elements import escaped
from backprop_cli.translation import language, tr

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
PUNCTUATION = re.compile(r"\u00a0?[.,;:!?)、。，；：！？）]")
FEWEST_LISTED = 2  # sections of a page with a table of contents


class _Section(NamedTuple):
    """A heading of level 2 and what stands under it."""

    heading: Heading
    blocks: list[Block]


def page(document: Document) -> str:
    """The whole file."""
    names = document.names
    leaves = list(_leaves(document.blocks))
    title = _sectioned(leaves[0])[0]
    lines = [
        "<!DOCTYPE html>",
        f'<html lang="{language()}">',
        "<head>",
        '<meta charset="utf-8"/>',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        f"<title>{escaped(_plain(title, names))}</title>",
        f"<style>{style_sheet()}</style>",
        "</head>",
        "<body>",
        *(_leaf(leaves[0], names, "") if len(leaves) == 1 else ()),
    ]
    for number, leaf in enumerate(leaves if len(leaves) > 1 else (), start=1):
        lines += ['<article class="leaf">', *_leaf(leaf, names, f"{number}-"), "</article>"]
    return "\n".join([*lines, "</body>", "</html>", ""])


def fragment(blocks: Iterable[Block], names: Names) -> str:
    """Blocks without sections, to be put into another page."""
    return "\n".join(_blocks(blocks, names, deepest=3))


def _leaves(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    """The blocks between two breaks of the page."""
    for is_break, some in groupby(blocks, key=lambda block: isinstance(block, PageBreak)):
        if not is_break:
            yield list(some)


def _leaf(blocks: Sequence[Block], names: Names, prefix: str) -> Iterator[str]:
    """A page with its title and sections; a table of contents where it is the only one."""
    title, before, sections = _sectioned(blocks)
    main = "div" if prefix else "main"
    if title:
        yield f"<header><h1>{_text(title, names)}</h1></header>"
    yield f"<{main}>"
    yield from _blocks(before, names, deepest=2)
    if len(sections) >= FEWEST_LISTED and not prefix:
        yield from _contents(sections, names)
    for number, section in enumerate(sections, start=1):
        yield from _section(f"{prefix}{number}", section, names)
    yield f"</{main}>"


def _sectioned(blocks: Iterable[Block]) -> tuple[tuple[Inline, ...], list[Block], list[_Section]]:
    """The title, what stands before the first section, and the sections."""
    title: tuple[Inline, ...] = ()
    before: list[Block] = []
    sections: list[_Section] = []
    for block in blocks:
        if isinstance(block, Heading) and block.level == 1 and not title:
            title = block.parts
        elif isinstance(block, Heading) and block.level == 2:
            sections.append(_Section(block, []))
        else:
            (sections[-1].blocks if sections else before).append(block)
    return title, before, sections


def _contents(sections: Sequence[_Section], names: Names) -> Iterator[str]:
    title = escaped(tr("Contents"))
    yield f'<nav aria-labelledby="contents"><h2 id="contents">{title}</h2><ul>'
    for number, section in enumerate(sections, start=1):
        yield f'<li><a href="#section-{number}">{_text(section.heading.parts, names)}</a></li>'
    yield "</ul></nav>"


def _section(number: str, section: _Section, names: Names) -> Iterator[str]:
    yield f'<details open="" id="section-{number}">'
    yield f"<summary><h2>{_text(section.heading.parts, names)}</h2></summary>"
    yield from _blocks(section.blocks, names, deepest=3)
    yield "</details>"


def _blocks(blocks: Iterable[Block], names: Names, deepest: int) -> Iterator[str]:
    for block in blocks:
        yield _block(block, names, deepest)


def _block(block: Block, names: Names, deepest: int) -> str:
    """``deepest`` is the level that a heading may have here without leaving out one above it."""
    match block:
        case Heading(level, parts):
            tag = f"h{min(level, deepest)}"
            return f"<{tag}>{_text(parts, names)}</{tag}>"
        case Prose(parts):
            return f"<p>{_text(parts, names)}</p>"
        case Note(parts, Tone.WARNING):
            warning = escaped(tr("Warning:"))
            return f'<p class="note warning"><strong>{warning}</strong> {_text(parts, names)}</p>'
        case Note(parts):
            return f'<p class="note">{_text(parts, names)}</p>'
        case FormulaBlock(lines, is_stacked):
            inside = "\n".join(_line(line, names, is_stacked) for line in lines)
            return f'<div class="formulas">\n{inside}\n</div>'
        case PageBreak():
            return "<hr/>"
    return table(block, names)


def _text(parts: Iterable[Inline], names: Names) -> str:
    """Text and formulas; a sign of punctuation does not begin a line after a formula."""
    result = ""
    shown = ""  # a formula that may be followed by one
    for part in parts:
        if not isinstance(part, str):
            result, shown = result + shown, element(part, names)
            continue
        sign = PUNCTUATION.match(part) if shown else None
        if sign is not None:
            result += f'<span class="kept">{shown}{sign[0]}</span>{escaped(part[sign.end() :])}'
        else:
            result += shown + escaped(part)
        shown = ""
    return result + shown


def _plain(parts: Iterable[Inline], names: Names) -> str:
    return "".join(part if isinstance(part, str) else formula_unicode.render(part, names) for part in parts)


def _line(line: Line, names: Names, is_stacked: bool) -> str:
    is_told = is_stacked or any(side.remark for side in line.sides)
    target = f'<div class="left">{element(line.target, names)}</div>'
    sides = "\n".join(_side(side, names, is_told) for side in line.sides)
    kind = "chain line" if is_told else "line"
    return f'<div class="{kind}">{target}\n<div class="sides">{sides}</div></div>'


def _side(side: Side, names: Names, is_told: bool) -> str:
    """An equals sign, what stands after it, and why; ``is_told`` gives it a line of its own."""
    value = f'<span class="value">{element(side.value, names)}</span>'
    remark = f' <span class="remark">{_text(side.remark, names)}</span>' if side.remark else ""
    own = " told" if is_told else ""
    return f'<div class="side{own}"><span class="equation"><span class="equals">=</span> {value}</span>{remark}</div>'
