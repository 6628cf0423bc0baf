"""docs/cli.md is made from the commands themselves: `pytest tests/cli --rewrite` writes it anew."""

from __future__ import annotations

from pathlib import Path

import typer

from backprop_cli.cli import app

FILE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"

HEAD = """\
# The command line

Every command that prints takes `-o FILE`, which writes the file whole or not at all. Text goes to standard output,
diagnostics to standard error. `NO_COLOR`, pipes and narrow terminals are respected.

| exit status | |
| --- | --- |
| 0 | done |
| 1 | the answer is no: a gradient disagrees, an answer is wrong |
| 2 | bad input; the message says where, what, and the nearest valid name |
| 130, 141 | interrupted by Ctrl-C; the reader of the pipe went away |

Text for people is in English, French or Traditional Chinese: `--lang` says which, after the command or before it, and
otherwise the locale does (`LC_ALL`, `LC_MESSAGES`, `LANG`, with `LANGUAGE` as the order of preference). Help and data
are in English.

`backprop --version` prints the version, `backprop COMMAND --help` what stands here.
"""


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def row(parameter: object) -> str:
    metavar = parameter.metavar or ""
    if parameter.param_type_name == "argument":
        name = f"`{metavar}`"
    else:
        name = ", ".join(f"`{option} {metavar}`" if metavar else f"`{option}`" for option in parameter.opts)
    default = parameter.default
    shown = f" Default: `{default}`." if isinstance(default, str | int | float) and default not in (False, "") else ""
    return f"| {cell(name)} | {cell(parameter.help)}{shown} |"


def section(name: str, command: object) -> str:
    arguments = "".join(
        f" {parameter.metavar}" if parameter.required else f" [{parameter.metavar}]"
        for parameter in command.params
        if parameter.param_type_name == "argument"
    )
    rows = [row(parameter) for parameter in command.params if parameter.opts != ["--help"]]
    table = "\n".join(["| argument or option | |", "| --- | --- |", *rows])
    return f"\n## `backprop {name}{arguments}`\n\n{command.help}\n\n{table}\n"


def reference() -> str:
    commands = typer.main.get_command(app).commands
    return HEAD + "".join(section(name, command) for name, command in commands.items())


def test_the_reference_is_current(rewrite):
    if rewrite:
        FILE.write_text(reference(), encoding="utf-8")
    assert FILE.read_text(encoding="utf-8") == reference()
