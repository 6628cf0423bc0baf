"""Where things stand in a spec's text: every value, every key, and every character inside a formula."""

from __future__ import annotations

from dataclasses import dataclass, field

from backprop_cli.errors import Problem
from backprop_cli.spec.findings import Finding, Path
from backprop_cli.spec.nodes import Mapping, Node, Scalar, place

_ESCAPE_DIGITS = {"x": 2, "u": 4, "U": 8}
_ESCAPED_BLANKS = "nrtv_NLP \t"


def line_and_column(text: str, index: int) -> tuple[int, int]:
    """The position of a character as editors count it, from 1."""
    before = text[:index].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


@dataclass(frozen=True)
class Positions:
    """The places of a spec that ``source`` names, such as ``specs/xor.yaml`` or ``<stdin>``.

    Paths are keys and places, from 0, as in the YAML: ``("layers", 0, "dense", "activation")``, ``("equations", 2)``.
    A path that leads nowhere stands where its last part that exists does. Without a text every line is 0.
    """

    source: str = "<data>"
    text: str = field(default="", repr=False)
    root: Node | None = field(default=None, repr=False)

    def at(self, path: Path, *, key: bool = False, offset: int = 0) -> tuple[int, int]:
        """Line and column, from 1, of the value at the path, ``offset`` characters into its text, or of its key.

        Without an offset, a text in quotes stands at its quote, and a block of text at its first character.
        """
        if self.root is None:
            return (0, 0)
        index, scalar = place(self.root, path, key=key)
        if scalar is not None and (offset or scalar.style in ("|", ">")):
            index = _character(self.text, scalar, offset)
        return line_and_column(self.text, index)

    def inside(self, key: str) -> Positions:
        """The places of the part under this key of a mapping, as one whose paths begin there."""
        root = self.root.entries[key][1] if isinstance(self.root, Mapping) else None
        return Positions(self.source, self.text, root)

    def problem(self, path: Path, message: str, *, key: bool = False, offset: int = 0) -> Problem:
        """A problem with the value at the path (with its key)."""
        return Problem(*self.at(path, key=key, offset=offset), message)

    def of(self, finding: Finding) -> Problem:
        """The finding as a problem with its position."""
        return self.problem(finding.path, finding.message, key=finding.at_key, offset=finding.offset)


def _character(text: str, scalar: Scalar, offset: int) -> int:
    """Where character number ``offset`` of a scalar's value stands in the text.

    Folding, indentation and escaped line ends only add and drop blanks, so the characters that are not blank pair off.
    """
    value = str(scalar.value)
    wanted = len("".join(value[:offset].split()))
    index = scalar.start
    if scalar.style in ("|", ">"):
        index = text.find("\n", index)
        if index < 0:  # the file ends with the sign of the block
            return scalar.start
    elif scalar.style in ("'", '"'):
        index += 1
    passed = 0
    while index < scalar.end:
        blank, length = _unit(text, index, scalar.style)
        if not blank:
            if passed == wanted:
                return index
            passed += 1
        index += length
    return scalar.end


def _unit(text: str, index: int, style: str | None) -> tuple[bool, int]:
    """Whether the character at the index is blank, and how long it is written."""
    if style == "'" and text.startswith("''", index):
        return False, 2
    if style != '"' or text[index] != "\\":
        return text[index].isspace(), 1
    escape = text[index + 1]
    if digits := _ESCAPE_DIGITS.get(escape):
        return chr(int(text[index + 2 : index + 2 + digits], 16)).isspace(), 2 + digits
    return escape in _ESCAPED_BLANKS or escape in "\r\n", 2
