"""The notation of a sheet read back: ``a₁⁽²⁾`` as ``a2[1]``, for students who type what they see.

What :mod:`~backprop_cli.renderers.formula_unicode` prints for quantities and powers becomes the equation language, by
the names of the network; so does what LaTeX shows, ``a_{1}^{[2]}`` and ``a2_1``. Nothing is guessed: a letter whose
layer is not said, or positions that run together, are an UnreadableError that says how to type them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from backprop_cli.documents.names import Names, Shown
from backprop_cli.exercises.formula_reading import LONGEST, UnreadableError
from backprop_cli.renderers.glyphs import FROM_SUBSCRIPT, FROM_SUPERSCRIPT
from backprop_cli.translation import alternatives, tr

_BELOW, _ABOVE = "".join(FROM_SUBSCRIPT), "".join(FROM_SUPERSCRIPT)
_SMALL = re.escape(_BELOW + _ABOVE)
_NAME = rf"«[^«»]+»|(?![{_SMALL}])[^\W\d_](?:(?![{_SMALL}]|_\{{)[\w\u0300-\u036f])*"
_MARK = rf"[{_BELOW}]+|_\{{\w+(?:,\w+)*\}}|⁽[{_ABOVE.replace('⁽', '').replace('⁾', '')}]+⁾|\^\{{?\[[0-9.]+\]\}}?"
_EXPONENT = r"(?<=[0-9.])[eE][-+\N{MINUS SIGN}]?[0-9]"  # of a number, 2e-3
_PRINTED = re.compile(rf"(?!{_EXPONENT})(?P<name>{_NAME})(?P<marks>(?:{_MARK})*)")
_MARKS = re.compile(_MARK)
_POWER = re.compile(r"[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_NUMBERED = re.compile(r"(?P<name>.+?)_(?P<below>[0-9]+)")
_DIFFERENTIAL = re.compile(r"/\s*\Z")


def as_typed(text: str, names: Names) -> str:
    """The formula in the equation language as far as it was not. Raises UnreadableError where it is not clear."""
    if len(text) > LONGEST:
        return text  # the reader of formulas refuses it
    text = unicodedata.normalize("NFC", text)
    plain = _PRINTED.sub(lambda found: _Reading(names, found).plain(), text)
    return _POWER.sub(_power, plain)


def _power(found: re.Match[str]) -> str:
    return f"**({''.join(FROM_SUPERSCRIPT[character] for character in found[0])})"


class _Reading:
    """One name with what stands below and above it."""

    def __init__(self, names: Names, found: re.Match[str]) -> None:
        self.names, self.found = names, found
        self.name = found["name"].strip("«»")
        self.text = found[0]

    def plain(self) -> str:
        marks = _MARKS.findall(self.found["marks"])
        below = [mark for mark in marks if mark[0] in _BELOW or mark[0] == "_"]
        above = [mark for mark in marks if mark not in below]
        if not marks:
            return self._bare()
        if len(below) > 1 or len(above) > 1:
            raise UnreadableError(tr("'{text}' cannot be read").format(text=self.text))
        layer = "".join(FROM_SUPERSCRIPT.get(character, character) for character in above[0]) if above else ""
        layer = layer.strip("^{}[]()").replace("·", ".")
        numbered = _NUMBERED.fullmatch(self.name)
        if numbered and not below and not self._written(self.name, layer):
            self.name, below = numbered["name"], [numbered["below"]]
        candidates = self._written(self.name, layer)
        whole = self.name + "".join(below)
        if not layer and whole in self.names:
            candidates = [whole, *candidates]
        if not candidates and (inner := self._differential()):
            return inner
        if len(candidates) != 1:
            raise UnreadableError(self._unclear(candidates))
        return candidates[0] if candidates[0] == whole or not below else self._at(candidates[0], below[0])

    def _bare(self) -> str:
        """A name without anything small: the network's own, a letter that is shown for one, or ``a2_1``."""
        numbered = _NUMBERED.fullmatch(self.name)
        if self.name in self.names:
            return self.name
        if found := self._written(self.name, ""):
            return self.text if self._is_called else found[0]
        if numbered and (found := self._written(numbered["name"], "")):
            return self._at(found[0], numbered["below"])
        return self._differential() or self.text

    def _differential(self) -> str:
        """``dz2[1]`` where a d stands before the quantity of a gradient, ``""`` otherwise."""
        before = self.found.string[: self.found.start()]
        inner = _PRINTED.fullmatch(self.text[1:]) if self.text.startswith("d") else None
        if inner is None or not _DIFFERENTIAL.search(before):
            return ""
        return f"d{_Reading(self.names, inner).plain()}"

    @property
    def _is_called(self) -> bool:
        return self.found.string[self.found.end() :].lstrip().startswith("(")

    def _written(self, letter: str, layer: str) -> list[str]:
        """The quantities that are written with this letter in this layer, or have this name."""
        if not layer and letter in self.names:
            return [letter]
        return [name for name, shown in self.names.quantities.items() if shown.layer == layer and _is(shown, letter)]

    def _unclear(self, candidates: Sequence[str]) -> str:
        near = candidates or [name for name, shown in self.names.quantities.items() if _is(shown, self.name)]
        if not near:
            return tr("there is no quantity '{name}'{hint}").format(name=self.text, hint="")
        message = tr("'{text}' is not clear; type {names}")
        return message.format(text=self.text, names=alternatives(list(map(self._example, near))))

    def _example(self, name: str) -> str:
        positions = ",".join(str(min(at, size)) for at, size in enumerate(self.names[name].shape, start=1))
        return f"{name}[{positions}]" if positions else name

    def _at(self, name: str, below: str) -> str:
        """The entry at the positions that stand below, or the cost of one step above a fraction bar."""
        shape = self.names[name].shape
        if name == self.names.cost and not shape and self.found.string[self.found.end() :].lstrip().startswith("/"):
            shape = (0,)  # a cost of every step
        positions = list(_positions(below, len(shape)))
        is_crowded = self.names[name].is_crowded and "," not in below and any(p.isdigit() for p in positions)
        if is_crowded or len(positions) != len(shape):
            raise UnreadableError(self._unclear([name]))
        return f"{name}[{','.join(positions)}]"


def _is(shown: Shown, letter: str) -> bool:
    return letter in (shown.letter, shown.whole, shown.element, shown.array)


def _positions(below: str, axes: int) -> Iterator[str]:
    """Positions as they are printed: those of one axis together, those of several a character each."""
    text = "".join(FROM_SUBSCRIPT.get(character, character) for character in below).strip("_{}")
    if "," in text:
        yield from text.split(",")
    elif axes == 1 and (text.isdigit() or len(text) == 1):
        yield text
    else:
        yield from text
