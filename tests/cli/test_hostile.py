"""Hostile specs end in a clear message, with status 2, in seconds and in bounded memory, and run nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS = 5.0
MEMORY = 2 * 1024**3

EQUATION = "inputs: {x: 1}\nequations: ['L = %s']\nloss: L\n"


def alias_bomb() -> str:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]" for k in range(1, 12)]
    return "\n".join(lines) + "\ninputs: {x: *a11}\n"


HOSTILE = {
    "code in an expression": EQUATION % '__import__("os").system("touch owned")',
    "code in a name": "inputs: {'__import__(\"os\").system(\"touch owned\")': 1}\nequations: ['L = 1']\nloss: L\n",
    "attribute": EQUATION % "x.__class__.__mro__",
    "python tag": "!!python/object/apply:os.system ['touch owned']\n",
    "tower of powers": EQUATION % "9**9**9**9**9",
    "power of a power": EQUATION % "x*9**9**9",
    "huge number": EQUATION % ("9" * 100_000),
    "nested parentheses": EQUATION % ("(" * 1_000_000 + "x" + ")" * 1_000_000),
    "nested brackets": "x: " + "[" * 500_000 + "]" * 500_000,
    "long chain": EQUATION % ("+x" * 400_000),
    "a billion units": "inputs: {x: [1]}\ntargets: {y: [1]}\nlayers: [{dense: {units: 1000000000}}]\nloss: mse\n",
    "a billion inputs": "inputs: {x: {size: 1000000000}}\nequations: ['L = sum(x[i], i)']\nloss: L\n",
    "alias bomb": alias_bomb(),
    "recursive alias": "inputs: &a {x: *a}\nequations: ['L = 1']\nloss: L\n",
    "empty": "",
    "only a comment": "# nothing\n",
    "a list": "- 1\n- 2\n",
    "binary": bytes(range(256)) * 100,
    "fifty megabytes": b"inputs: {x: [" + b"1, " * 17_000_000 + b"1]}\n",
    "escape sequences": "inputs: {x: 1}\nequations: ['L = x']\nloss: \"\\e[31mred\"\n",
}

# Runs every spec of a folder in one process of limited memory: status, both outputs, and seconds of processor time.
PROGRAM = """
import io, json, resource, sys, time
from pathlib import Path
from backprop_cli.cli import run_command_line
import backprop_cli.network  # what every run imports is not the spec's doing

resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
stdout, found = sys.stdout, {}
for spec in [*sorted(Path().glob("*.yaml")), "/dev/zero", "-"]:
    sys.stdin = open("/dev/zero")
    sys.stdout, sys.stderr = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    start = time.process_time()
    status = run_command_line(["run", str(spec)])
    seconds = time.process_time() - start
    texts = [stream.buffer.getvalue().decode() for stream in (sys.stdout, sys.stderr)]
    found[Path(spec).stem] = [status, *texts, seconds]
json.dump(found, stdout)
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    for name, text in HOSTILE.items():
        (folder / f"{name}.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    command = [sys.executable, "-c", PROGRAM, str(MEMORY)]
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(command, cwd=folder, env={"PYTHONPATH": root}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert sorted(path.stem for path in folder.iterdir()) == sorted(HOSTILE)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", [*HOSTILE, "zero", "-"])
def test_a_hostile_spec_is_refused(outcomes, name):
    status, output, message, seconds = outcomes[name]
    assert status == 2
    assert output == ""
    assert message.strip()
    assert "Traceback" not in message
    assert "\x1b" not in message
    assert max(map(len, message.splitlines())) < 500
    assert len(message.splitlines()) <= 101
    assert seconds < SECONDS
