"""Bars of a chart are as long as what they stand for, in every format."""

from __future__ import annotations

import re

import pytest

from backprop_cli.documents.blocks import Bar, Document, Table
from backprop_cli.documents.names import Names
from backprop_cli.renderers import html, latex, markdown, terminal, typst

SHARES = (1.0, 0.5, 0.25, 0.1, 0.0)
EIGHTHS = " ▏▎▍▌▋▊▉█"
DOCUMENT = Document(
    (Table(("students", ""), tuple((str(n), Bar(share)) for n, share in enumerate(SHARES))),), Names({})
)


def in_characters(line: str) -> float:
    return sum(max(EIGHTHS.find(letter), 0) for letter in line)


@pytest.mark.parametrize(
    ("page", "length"),
    [
        (terminal.render(DOCUMENT), in_characters),
        (markdown.page(DOCUMENT), in_characters),
        (html.page(DOCUMENT), r"--share:([\d.]+)"),
        (latex.page(DOCUMENT), r"\\rule\{([\d.]+)pt\}\{1.4ex\}"),
        (typst.markup(DOCUMENT), r"box\(width: ([\d.]+)pt"),
    ],
    ids=["terminal", "markdown", "html", "latex", "typst"],
)
def test_bars_are_as_long_as_their_shares(page: str, length) -> None:
    if callable(length):
        lengths = [length(line) for line in page.splitlines() if re.match(r"\W*\d", line)]
    else:
        lengths = [float(found) for found in re.findall(length, page)]
    assert len(lengths) == len(SHARES)
    assert lengths[0] > 0
    for found, share in zip(lengths, SHARES, strict=True):
        assert found / lengths[0] == pytest.approx(share, abs=1 / 400)
