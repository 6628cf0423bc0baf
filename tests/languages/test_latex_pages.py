"""Pages in other languages compile in LaTeX, where one is installed, and fit their lines."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from backprop_cli.renderers.chinese_fonts import FONTS

PAGES = [
    ("derive", "two-two-two"),
    ("derive", "two-two-two", "--view", "matrix"),
    ("derive", "rnn-truncated", "--unroll"),
    ("run", "small-cnn"),
    ("walk", "xor"),
    ("walk", "softmax-classifier", "--view", "matrix"),
]


def problems_of(engine: str, folder: Path) -> list[str]:
    """What stops the engine, and what it cannot show or fit on a line."""
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    log = done.stdout + (folder / "page.log").read_text(encoding="utf-8", errors="replace")
    return [line for line in log.splitlines() if line.startswith(("!", "Overfull", "Missing character"))]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="compares with a LaTeX that is installed")
@pytest.mark.parametrize("arguments", PAGES, ids=" ".join)
def test_a_page_in_French_compiles_and_fits_its_lines(backprop, tmp_path, arguments: tuple[str, ...]) -> None:
    backprop(*arguments, "--lang", "fr", "--format", "latex", "-o", tmp_path / "page.tex")
    assert problems_of("pdflatex", tmp_path) == []


def has_a_font() -> bool:
    listed = subprocess.run(["fc-list", ":", "family"], capture_output=True, text=True).stdout
    return any(name in listed for name in FONTS)


@pytest.mark.skipif(
    shutil.which("xelatex") is None or shutil.which("fc-list") is None or not has_a_font(),
    reason="compares with a LaTeX that is installed, and a Chinese font",
)
@pytest.mark.every_spec
@pytest.mark.parametrize("arguments", PAGES, ids=" ".join)
def test_a_page_in_Chinese_compiles_and_fits_its_lines(backprop, tmp_path, arguments: tuple[str, ...]) -> None:
    backprop(*arguments, "--lang", "zh-Hant", "--format", "latex", "-o", tmp_path / "page.tex")
    assert problems_of("xelatex", tmp_path) == []
