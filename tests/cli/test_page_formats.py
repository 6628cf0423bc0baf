"""Every bundled spec as a page in every format of whole pages: of `derive` and of `run`, to files and to terminals."""

from __future__ import annotations

import sys

import pytest

from backprop_cli.bundled import bundled_names
from backprop_cli.errors import BackpropError
from backprop_cli.options import DeriveFormat, RunFormat
from backprop_cli.output import write
from backprop_cli.renderers.pages import PAGES


@pytest.mark.every_spec
@pytest.mark.parametrize("format", PAGES)
@pytest.mark.parametrize("name", bundled_names())
@pytest.mark.parametrize("command", ["derive", "run"])
def test_every_spec_is_a_page(backprop, tmp_path, command: str, name: str, format: str) -> None:
    file = tmp_path / "page"
    outcome = backprop(command, name, "--format", format, "-o", file)
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "", "")
    assert file.stat().st_size > 200


def test_both_commands_know_every_format() -> None:
    for formats in (DeriveFormat, RunFormat):
        assert set(PAGES) <= {choice.value for choice in formats}


@pytest.mark.parametrize("format", PAGES)
def test_two_runs_write_the_same_bytes(backprop, tmp_path, format: str) -> None:
    files = [tmp_path / "one", tmp_path / "two"]
    for file in files:
        assert backprop("run", "two-two-two", "--format", format, "-o", file).status == 0
    assert files[0].read_bytes() == files[1].read_bytes()


def test_bytes_are_written_as_they_are(capfdbinary, tmp_path) -> None:
    write(b"\x00\xff\n", None)
    assert capfdbinary.readouterr().out == b"\x00\xff\n"
    write(b"\x00\xff\r\n", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"\x00\xff\r\n"


def test_bytes_are_not_written_to_a_terminal(monkeypatch, capfdbinary, tmp_path) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    message = "^a terminal cannot show this format; write it to a file with -o FILE, or into a pipe$"
    with pytest.raises(BackpropError, match=message):
        write(b"\x00", None)
    assert capfdbinary.readouterr().out == b""
    write(b"\x00", tmp_path / "file")
