"""What a wrong call gets: one message with the nearest name, status 2, no traceback. And a quick start."""

from __future__ import annotations

import subprocess
import sys

import pytest

from backprop_cli import __version__, cli


def test_version(backprop):
    assert backprop("--version").stdout == f"backprop {__version__}\n"


def test_no_command_shows_the_help(backprop):
    outcome = backprop()
    assert (outcome.status, outcome.stdout) == (2, "")
    assert outcome.stderr == backprop("--help").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["exmples"], "backprop: No such command 'exmples'. Did you mean 'examples'?\nTry 'backprop --help'.\n"),
        (["new", "--forc"], "backprop new: No such option: --forc (Possible options: --force, --form)\n"),
        (["new", "surplus"], "backprop new: Got unexpected extra argument"),
        (["examples", "--format", "jsno"], "unknown format 'jsno'; did you mean 'json'?\n"),
        (["examples", "--format", "xml"], "unknown format 'xml'; expected text or json\n"),
    ],
)
def test_wrong_calls(backprop, arguments, message):
    outcome = backprop(*arguments)
    assert (outcome.status, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith(message)
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize("command", sorted(cli.typer.main.get_command(cli.app).commands))
def test_every_command_has_help(backprop, command):
    outcome = backprop(command, "--help")
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith(f"Usage: backprop {command} ")
    assert all(len(line) <= 80 for line in outcome.stdout.splitlines())


def test_ctrl_c_is_quiet(backprop, monkeypatch):
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "bundled_specs", interrupted)
    outcome = backprop("examples")
    assert (outcome.status, outcome.stdout, outcome.stderr) == (130, "", "")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["derive", "--help"], ["examples"], ["new"]])
def test_help_starts_without_the_heavy_libraries(arguments):
    program = (
        "import sys\n"
        "from backprop_cli.cli import run_command_line\n"
        f"assert run_command_line({arguments!r}) == 0\n"
        "heavy = {'sympy', 'numpy', 'ruamel', 'torch', 'autograd'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_importing_the_package_is_light_too():
    program = "import sys, backprop_cli; assert not {'sympy', 'numpy', 'pydantic', 'typer'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
