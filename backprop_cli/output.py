"""Where a command's output goes: to standard output or, whole or not at all, to a file.

Everything is rendered before the first character is written, so an error leaves no half of a page behind.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from errno import EACCES
from pathlib import Path
from shutil import get_terminal_size
from typing import TextIO

from backprop_cli.errors import BackpropError
from backprop_cli.renderers.plain import visible
from backprop_cli.translation import tr


def write(content: str | bytes, to: Path | None, *, data: bool = False) -> None:
    """Write ``content`` to the file ``to``, or to standard output where it is None.

    Files, and ``data``, which is for programs, are always UTF-8. Text for people is in the encoding of its terminal if
    that has all the characters, and in UTF-8 otherwise. Bytes are written as they are, but not to a terminal. Raises
    BackpropError for these, and where the file cannot be written.
    """
    if isinstance(content, bytes):
        if to is None and sys.stdout is not None and sys.stdout.isatty():
            message = tr("a terminal cannot show this format; write it to a file with -o FILE, or into a pipe")
            raise BackpropError(message)
        encoded = content
    else:
        encoded = _encoded(content, "utf-8" if data or to is not None else _encoding(sys.stdout))
    if to is not None:
        _write_file(encoded, to)
    else:
        _write_stream(sys.stdout, encoded)


def page_width() -> int:
    """The columns of the terminal, or what COLUMNS says; 80 where there is neither."""
    return get_terminal_size((80, 24)).columns


def shows_colour(to: Path | None) -> bool:
    """Whether text written to ``to`` may be coloured: on a terminal that can, unless NO_COLOR says no."""
    if to is not None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (sys.stdout is not None and sys.stdout.isatty())


def as_json(data: object) -> str:
    """``data`` as JSON text that people can read too: names in their own script, an array on one line, no NaN."""
    return _json(data, "\n") + "\n"


def warn(message: str) -> None:
    """One diagnostic on standard error; control characters in what users wrote are shown, not obeyed."""
    _write_stream(sys.stderr, _encoded(f"{visible(message)}\n", _encoding(sys.stderr)))


def discard_output() -> None:
    """Send the rest of standard output nowhere: its reader has gone, and flushing it at exit would complain."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _json(data: object, newline: str) -> str:
    inner = newline + "  "
    if isinstance(data, Mapping) and data:
        members = (f"{json.dumps(str(key), ensure_ascii=False)}: {_json(data[key], inner)}" for key in data)
        return "{" + inner + f",{inner}".join(members) + newline + "}"
    if isinstance(data, list | tuple) and any(isinstance(element, Mapping) for element in data):
        return "[" + inner + f",{inner}".join(_json(element, inner) for element in data) + newline + "]"
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


def _encoding(stream: TextIO | None) -> str:
    return getattr(stream, "encoding", None) or "utf-8"


def _encoded(text: str, encoding: str) -> bytes:
    """The text in an encoding that has the signs of mathematics; what UTF-8 itself refuses is replaced."""
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode("utf-8", errors="replace")


def _write_stream(stream: TextIO | None, content: bytes) -> None:
    if stream is None:  # closed by the caller (`>&-`): nobody listens
        return
    stream.flush()
    stream.buffer.write(content)
    stream.buffer.flush()


def _write_file(content: bytes, to: Path) -> None:
    try:
        if to.exists() and not to.is_file():
            to.write_bytes(content)  # a terminal, a pipe: nothing to replace
        else:
            _replace(to.resolve(), content)
    except OSError as error:
        message = tr("cannot write {file}: {reason}")
        raise BackpropError(message.format(file=to, reason=error.strerror or error)) from error


def _replace(target: Path, content: bytes) -> None:
    """Write beside the target and move into its place, which readers see as one moment."""
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(EACCES, tr("it is read-only"))
    draft = target.with_name(f".backprop-{os.getpid()}.tmp")
    try:
        with draft.open("xb") as file:
            file.write(content)
        if target.exists():
            draft.chmod(target.stat().st_mode & 0o7777)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
