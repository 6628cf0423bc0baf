"""Hostile specs end in a clear message, with status 2, in seconds and in bounded memory, and run nothing."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import pytest

SECONDS = 5.0
MEMORY = 2 * 1024**3
COMMAND = [sys.executable, "-m", "backprop_cli"]

WITH_LOSS = "inputs: {x: [1, 2]}\ntargets: {y: [1]}\nlayers: [{dense: {units: 1}}]\nloss: '%s'\n"
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
    "tower of powers": EQUATION % "9**9**9**x",
    "long power": EQUATION % "x**999999999999",
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


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_spec_is_refused(text, tmp_path):
    (tmp_path / "hostile.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert_refused(["run", "hostile.yaml"], tmp_path)


def test_an_endless_file_is_refused(tmp_path):
    assert_refused(["run", "/dev/zero"], tmp_path)


def test_endless_input_is_refused(tmp_path):
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as endless:
        assert_refused(["run", "-"], tmp_path, stdin=endless.stdout)
        endless.stdout.close()


def assert_refused(arguments, folder, stdin=subprocess.DEVNULL) -> None:
    before = sorted(folder.iterdir())
    start = time.monotonic()
    done = subprocess.run(
        [*COMMAND, *arguments], stdin=stdin, cwd=folder, capture_output=True, timeout=60, preexec_fn=limit_memory
    )
    message = done.stderr.decode()
    assert done.returncode == 2, message[-2000:]
    assert done.stdout == b""
    assert message.strip()
    assert "Traceback" not in message
    assert "\x1b" not in message
    assert max(map(len, message.splitlines())) < 500
    assert len(message.splitlines()) <= 101
    assert sorted(folder.iterdir()) == before
    assert time.monotonic() - start < SECONDS
