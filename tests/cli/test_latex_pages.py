"""The pages of every bundled spec: characters that every LaTeX has, and a run of pdflatex where it is installed."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

from backprop_cli.bundled import bundled_names
from backprop_cli.documents.blocks import Array, Document, Heading, Note, Prose, Table, Tone
from backprop_cli.renderers import latex
from tests.renderers.examples import NAMES, at
from tests.renderers.test_markdown import HOSTILE

PAGES = [
    *(("derive", name, "--view", view) for name in bundled_names() for view in ("index", "matrix")),
    *(("run", name) for name in bundled_names()),
    ("run", "relu-600-60-40-10", "--full", "--digits", "2"),
]
WALKS = [
    *(
        ("walk", name, "--view", view)
        for name in bundled_names()
        for view in ("index", "matrix", "modules", "jacobians")
        if name != "rnn-truncated" or view in ("index", "matrix")
    ),
    ("walk", "two-two-two", "--perturb", "W1[1,2]=0.01"),
    ("walk", "rnn", "--perturb", "W_hh[1,2]=0.1"),
    ("walk", "batch-norm", "--perturb", "x[1,2]=0.1"),
]


@pytest.mark.parametrize("arguments", PAGES, ids=" ".join)
def test_a_page_needs_no_font_beyond_latin(backprop, arguments: tuple[str, ...]) -> None:
    text = backprop(*arguments, "--format", "latex").stdout
    assert {character for character in text if ord(character) > 0x17F} == set()


@pytest.mark.every_spec
@pytest.mark.parametrize("arguments", WALKS, ids=" ".join)
def test_a_walk_compiles_and_fits_its_lines(backprop, tmp_path, arguments: tuple[str, ...]) -> None:
    text = backprop(*arguments, "--format", "latex").stdout
    assert {character for character in text if ord(character) > 0x17F} == set()
    if shutil.which("pdflatex") is not None:
        test_a_page_compiles_and_fits_its_lines(backprop, tmp_path, arguments)


@pytest.mark.every_spec
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="compares with a LaTeX that is installed")
@pytest.mark.parametrize("arguments", PAGES, ids=" ".join)
def test_a_page_compiles_and_fits_its_lines(backprop, tmp_path, arguments: tuple[str, ...]) -> None:
    backprop(*arguments, "--format", "latex", "-o", str(tmp_path / "page.tex"))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    problems = [line for line in done.stdout.splitlines() if line.startswith(("!", "Overfull"))]
    assert (done.returncode, problems) == (0, [])


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="compares with a LaTeX that is installed")
def test_what_users_write_compiles(tmp_path) -> None:
    blocks = [
        block
        for text in HOSTILE
        for block in (
            Heading(1, (text,)),
            Prose((text, at("S"))),
            Note((text,), Tone.WARNING),
            Table((text, "values"), ((text, Array(np.array([1.0, 2.0]))), (at("S"), None))),
        )
    ]
    (tmp_path / "page.tex").write_text(latex.page(Document(tuple(blocks), NAMES)), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert (done.returncode, [line for line in done.stdout.splitlines() if line.startswith("!")]) == (0, [])


@pytest.mark.parametrize("command", ["derive", "run"])
def test_a_fragment_is_the_page_without_its_preamble(backprop, command: str) -> None:
    page = backprop(command, "xor", "--format", "latex").stdout
    fragment = backprop(command, "xor", "--format", "latex", "--fragment").stdout
    assert page.partition("\\begin{document}\n")[2] == f"\n{fragment}\n\\end{{document}}\n"
    assert "\\usepackage" not in fragment


@pytest.mark.parametrize("format", ["text", "json", "markdown"])
def test_a_fragment_is_of_latex(backprop, format: str) -> None:
    outcome = backprop("run", "xor", "--format", format, "--fragment")
    message = f"--fragment belongs to --format latex, not to {format}\n"
    assert (outcome.status, outcome.stdout, outcome.stderr) == (2, "", message)


NAMED = "name\n王小明\nZoë Łuk\n"


def test_a_chinese_name_gets_a_font(backprop, tmp_path) -> None:
    (tmp_path / "class.csv").write_text(NAMED, encoding="utf-8")
    options = ("--students", str(tmp_path / "class.csv"), "--format", "latex")
    assert r"\usepackage[scheme=plain,fontset=none]{ctex}" in backprop("exercise", "two-two-two", *options).stdout
    (tmp_path / "class.csv").write_text("name\nZoë Łuk\n", encoding="utf-8")
    assert "ctex" not in backprop("exercise", "two-two-two", *options).stdout


@pytest.mark.skipif(shutil.which("xelatex") is None, reason="compares with a LaTeX that is installed")
def test_a_chinese_name_compiles(backprop, tmp_path) -> None:
    (tmp_path / "class.csv").write_text(NAMED, encoding="utf-8")
    options = ("--students", str(tmp_path / "class.csv"), "--format", "latex", "-o", str(tmp_path / "page.tex"))
    assert backprop("exercise", "two-two-two", *options).status == 0
    command = ["xelatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    if "no font with traditional Chinese" in done.stdout or "ctex.sty' not found" in done.stdout:
        pytest.skip("neither ctex nor a font with Chinese characters is installed")
    problems = [line for line in done.stdout.splitlines() if line.startswith(("!", "Missing character"))]
    assert (done.returncode, problems) == (0, [])
