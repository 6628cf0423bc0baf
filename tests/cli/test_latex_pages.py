"""The pages of every bundled spec: characters that every LaTeX has, and a run of pdflatex where it is installed."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from backprop_cli.bundled import bundled_names

PAGES = [(name, view) for name in bundled_names() for view in ("index", "matrix")]


@pytest.mark.parametrize(("name", "view"), PAGES)
def test_a_page_needs_no_font_beyond_latin(backprop, name: str, view: str) -> None:
    text = backprop("derive", name, "--view", view, "--format", "latex").stdout
    assert {character for character in text if ord(character) > 0x17F} == set()


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="compares with a LaTeX that is installed")
@pytest.mark.parametrize(("name", "view"), PAGES)
def test_a_page_compiles_and_fits_its_lines(backprop, tmp_path, name: str, view: str) -> None:
    backprop("derive", name, "--view", view, "--format", "latex", "-o", str(tmp_path / "page.tex"))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    problems = [line for line in done.stdout.splitlines() if line.startswith(("!", "Overfull"))]
    assert (done.returncode, problems) == (0, [])
