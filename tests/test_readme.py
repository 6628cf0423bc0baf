"""Everything the README and the documents show is run: commands with their output, Python, and specs.

`pytest tests/test_readme.py --rewrite` puts the present output of the commands into the README.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import backprop_cli as bp
from backprop_cli.exercise_loading import load_exercise

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(?P<kind>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


# `verify` asks PyTorch where it is installed; the pages show what the tests' own requirements give.
PROGRAM = "import sys; sys.modules['torch'] = None; from backprop_cli.cli import main; main()"


def blocks(kind: str, pages: list[Path] = PAGES) -> list[object]:
    found = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            if match["kind"] == kind:
                line = text.count("\n", 0, match.start()) + 1
                found.append(pytest.param(match["body"], id=f"{page.name}:{line}"))
    return found


def outputs(session: str, folder: Path) -> str:
    """The session again, with what its commands print now at 80 columns, without colour and without PyTorch."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHON": sys.executable, "PROGRAM": PROGRAM}
    define = 'backprop() { "$PYTHON" -c "$PROGRAM" "$@"; }; '
    lines = []
    for line in session.splitlines():
        if line.startswith("$ "):
            command = ["bash", "-c", define + line.removeprefix("$ ")]
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
            printed = [text.rstrip() for text in (done.stdout + done.stderr).splitlines()]
            lines += [line, *printed]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("session", blocks("console"))
def test_commands_print_what_is_shown(session, tmp_path, rewrite):
    now = outputs(session, tmp_path)
    if rewrite:
        for page in PAGES:
            text = page.read_text(encoding="utf-8")
            page.write_text(text.replace(f"```console\n{session}```", f"```console\n{now}```"), encoding="utf-8")
        return
    assert now == session


@pytest.mark.parametrize("session", blocks("python"))
def test_python_prints_what_is_shown(session, monkeypatch):
    monkeypatch.chdir(ROOT)
    example = doctest.DocTestParser().get_doctest(session, {}, "README", "README.md", 0)
    assert example.examples, "Python is shown as a session, with >>>"
    results = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS).run(example)
    assert results.failed == 0


@pytest.mark.parametrize("text", blocks("yaml"))
def test_specs_are_valid(text, tmp_path):
    if text.startswith("title:"):  # an exercise file
        file = tmp_path / "exercise.yaml"
        file.write_text(text, encoding="utf-8")
        assert load_exercise(str(file)).exercise.questions
    else:
        bp.load(text).derive()


def test_the_first_two_commands_are_for_a_shell():
    commands = [parameter.values[0] for parameter in blocks("sh", [README])]
    assert len(commands) >= 2
    install, check = commands[:2]
    assert "pip install" in install
    assert "bin/backprop" in install
    assert "pip install" in check
    assert "pytest" in check


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    headings = {re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in text.splitlines()}
    for target in re.findall(r"\]\(([^)]+)\)", BLOCK.sub("", text)):
        if target.startswith("#"):
            assert target[1:] in headings
        elif "://" not in target:
            assert (page.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_no_machine_and_no_registry(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"/(work|home|root|tmp|Users)/|pypi\.org|index-url", text)
