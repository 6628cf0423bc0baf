"""Where output goes: whole or not at all, quiet when the reader leaves, readable in any encoding."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from backprop_cli.errors import BackpropError
from backprop_cli.output import as_json, write

COMMAND = [sys.executable, "-m", "backprop_cli"]
LONG = "relu-600-60-40-10"


def test_a_file_is_written_whole(backprop, tmp_path):
    file = tmp_path / "list.txt"
    assert backprop("examples", "-o", file).status == 0
    assert file.read_text(encoding="utf-8") == backprop("examples").stdout
    assert [entry.name for entry in tmp_path.iterdir()] == ["list.txt"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "list.txt"
    file.write_text("before")

    def fails(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(BackpropError, match=f"^cannot write {file}: No space left on device$"):
        write("after", file)
    assert file.read_text() == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["list.txt"]


def test_permissions_and_links_are_kept(tmp_path):
    file, link = tmp_path / "real.txt", tmp_path / "link.txt"
    file.write_text("before")
    file.chmod(0o640)
    link.symlink_to(file)
    write("after", link)
    assert link.is_symlink()
    assert file.read_text() == "after"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("target", "reason"), [("missing/list.txt", "No such file or directory"), (".", "Is a directory")]
)
def test_a_file_that_cannot_be_written(backprop, tmp_path, monkeypatch, target, reason):
    monkeypatch.chdir(tmp_path)
    outcome = backprop("examples", "-o", target)
    assert (outcome.status, outcome.stderr) == (2, f"cannot write {target}: {reason}\n")


def test_an_output_without_a_name(backprop):
    outcome = backprop("examples", "-o", "")
    assert (outcome.status, outcome.stdout) == (2, "")
    assert outcome.stderr == "--output: expected the name of a file, not an empty text\n"


def test_a_reader_that_leaves_ends_the_command_quietly():
    with subprocess.Popen([*COMMAND, "examples", LONG], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only where the system has a full device")
@pytest.mark.parametrize("arguments", [["examples"], ["--help"]])
def test_a_full_disk_is_a_message(arguments):
    with open("/dev/full", "w") as full:
        done = subprocess.run([*COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (2, "cannot write the output: No space left on device\n")


@pytest.mark.parametrize("arguments", [["derive", "xor"], ["examples", "scalar-graph"]], ids=" ".join)
def test_where_the_encoding_lacks_the_signs_of_mathematics_the_text_is_utf8(backprop, arguments):
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    text = subprocess.run([*COMMAND, *arguments], env=environment, capture_output=True).stdout
    assert text.decode("utf-8") == backprop(*arguments).stdout


def test_text_is_in_the_encoding_of_its_terminal_where_that_has_every_character():
    environment = {**os.environ, "PYTHONIOENCODING": "utf-16-le"}
    text = subprocess.run([*COMMAND, "examples"], env=environment, capture_output=True).stdout
    assert text.decode("utf-16-le").startswith("batch-norm ")


def test_control_characters_in_messages_are_shown(backprop):
    outcome = backprop("examples", "\x1b[31mred")
    assert outcome.stderr == "no bundled spec is called '\\x1b[31mred'\n"


def test_json_keeps_arrays_on_one_line():
    data = {"name": "σ", "forward": {"W": [[1, 2], [3, 4]]}, "steps": [{"id": 1}], "none": {}, "empty": []}
    assert as_json(data) == (
        '{\n  "name": "σ",\n  "forward": {\n    "W": [[1, 2], [3, 4]]\n  },\n'
        '  "steps": [\n    {\n      "id": 1\n    }\n  ],\n  "none": {},\n  "empty": []\n}\n'
    )
