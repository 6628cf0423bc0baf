"""How the quantities of a network are written: letters, layer numbers and index ranges, for every output format alike.

``W1`` of a stack of layers is the matrix W⁽¹⁾ with the elements w⁽¹⁾, ``W_xh1`` is W with the word xh below it, and
``xhat`` is x̂; the layer stands above only where the tool gave the name, so an author's ``w12`` is never taken for
anything else. A letter here is a plain character (``β``, ``ŷ``); each format spells it in its own way. No two
quantities are ever written alike: where a nicer way of writing would make them so, they keep their names.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from sympy import Symbol

from backprop_cli.symbolic.graph import Graph, Quantity

# Without delta and pi: δ is the Kronecker symbol and dJ/dz, and π is the number.
_SPELT = """alpha beta gamma epsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi chi psi omega
    Gamma Delta Theta Lambda Xi Pi Phi Psi Omega"""
GREEK = dict(zip(_SPELT.split(), "αβγεζηθκλμνξρστφχψωΓΔΘΛΞΠΦΨΩ", strict=True))
HAT = "\N{COMBINING CIRCUMFLEX ACCENT}"
GENERATED = re.compile(
    r"(?:(?P<stem>[A-Za-z]+(?:_[A-Za-z]+)*)|(?P<initial>[A-Za-z]+0)_)(?P<layer>[1-9][0-9]*(?:_[1-9][0-9]*)*)"
)
WORDED = re.compile(r"(?P<base>[^\W\d_]+)_(?P<word>[A-Za-z][A-Za-z0-9]*)")


class Shown(NamedTuple):
    """How one quantity is written.

    ``letter`` stands for its elements and ``whole`` for the array; ``word`` is written below them, ``""`` for none (the
    xh of W_xh), and ``layer`` is the number above (``"2.1"`` inside a residual block). ``indices`` and ``shape`` run
    in parallel.
    """

    name: str
    letter: str
    whole: str
    layer: str = ""
    indices: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    role: str = "intermediate"
    word: str = ""

    @property
    def is_one_glyph(self) -> bool:
        return not self.word and is_one_glyph(self.letter)

    @property
    def element(self) -> str:
        """Letter and word on one line: ``w_xh``."""
        return _joined(self.letter, self.word)

    @property
    def array(self) -> str:
        """The same for the whole array: ``W_xh``."""
        return _joined(self.whole, self.word)

    @property
    def as_named(self) -> Shown:
        """The quantity written with its own name."""
        return self._replace(letter=plain(self.name), whole=plain(self.name), layer="", word="")

    @property
    def is_crowded(self) -> bool:
        """Whether positions need a separator: 1 and 12 run together would read as 11 and 2."""
        return len(self.shape) > 1 and max(self.shape) > 9


@dataclass(frozen=True)
class Names:
    """The way of writing of every quantity of a network, by name. ``cost`` is the name of J."""

    quantities: Mapping[str, Shown] = field(default_factory=dict)
    cost: str = "J"

    @classmethod
    def of(cls, graph: Graph) -> Names:
        """The names of a graph's quantities."""
        reserved = {symbol.name for q in graph.quantities for symbol in _symbols(q)}
        preferred = {q.name: _preferred(q) for q in graph.quantities}
        cost = graph.cost or "J"
        return cls(_distinct(preferred, reserved, cost), cost)

    @classmethod
    def given(cls, shown: Iterable[Shown], cost: str = "J") -> Names:
        """Names put together by hand; those that would be written alike keep their names."""
        return cls(_distinct({entry.name: entry for entry in shown}, set(), cost), cost)

    def __getitem__(self, name: str) -> Shown:
        return self.quantities.get(name) or Shown(name, plain(name), plain(name))

    def __contains__(self, name: object) -> bool:
        return name in self.quantities

    def is_free(self, letter: str) -> bool:
        """Whether no quantity is written with this letter, so that it may serve as a symbol (δ, σ, Σ)."""
        return letter not in self._letters

    def is_set_apart(self, name: str) -> bool:
        """Whether a space stands behind the d of a quantity's differential: a whole word follows, or the two together
        would be another quantity's name, as where there is an x and a dx."""
        shown = self[name]
        return not shown.is_one_glyph or not self.is_free(f"d{shown.letter}")

    @cached_property
    def _letters(self) -> frozenset[str]:
        return frozenset(
            letter
            for shown in self.quantities.values()
            for letter in (shown.letter, shown.whole, shown.element, shown.array)
        )


def _symbols(quantity: Quantity) -> set[Symbol]:
    inside = set() if quantity.definition is None else quantity.definition.atoms(Symbol)
    return inside | set(quantity.indices)


def plain(name: str) -> str:
    """The name itself; in quotation marks where it holds small letters that would read as positions."""
    return f"«{name}»" if any(unicodedata.category(character) == "Lm" for character in name) else name


def is_one_glyph(text: str) -> bool:
    """Whether the text is one letter, with or without a hat."""
    return sum(not unicodedata.combining(character) for character in text) == 1


def _joined(letter: str, word: str) -> str:
    return f"{letter}_{word}" if word else letter


def _preferred(quantity: Quantity) -> Shown:
    stem, layer = quantity.name, ""
    generated = GENERATED.fullmatch(stem)
    if generated and quantity.layer is not None and generated["layer"].split("_")[0] == str(quantity.layer):
        stem, layer = generated["stem"] or generated["initial"], generated["layer"].replace("_", ".")
    letter, word = _spelt(stem)
    whole = letter
    if layer and len(quantity.shape) > 1 and is_one_glyph(letter) and letter not in GREEK.values():
        letter, whole = letter.lower(), letter.upper()
    indices = tuple(symbol.name for symbol in quantity.indices)
    return Shown(quantity.name, letter, whole, layer, indices, quantity.shape, str(quantity.role), word)


def _spelt(stem: str) -> tuple[str, str]:
    """The letter that a name spells, and the word below it: ``theta``, ``xhat``, ``W_xh``."""
    letter = _letter(stem)
    if letter is not None:
        return letter, ""
    worded = WORDED.fullmatch(stem)
    base = None if worded is None else _letter(worded["base"])
    return (plain(stem), "") if worded is None or base is None else (base, worded["word"])


def _letter(name: str) -> str | None:
    """The one letter that a name is or spells, None where it is neither."""
    if name in GREEK or is_one_glyph(name):
        return GREEK.get(name) or (name if plain(name) == name else None)
    if not name.endswith("hat") or name == "what":
        return None
    base = name.removesuffix("hat").removesuffix("_")
    letter = GREEK.get(base) or (base if len(base) == 1 and base.isalpha() else None)
    return None if letter is None or plain(letter) != letter else unicodedata.normalize("NFC", letter + HAT)


def _distinct(preferred: Mapping[str, Shown], reserved: set[str], cost: str) -> dict[str, Shown]:
    """Names restored wherever two quantities, or a quantity and an index, would be written alike.

    A word goes back on the line where the letter alone is an array of the same layer: below it, the word could be taken
    for a position. So it does behind the letter of the cost, which has positions where it is taken apart by steps.
    """
    arrays = {(base, shown.layer) for shown in preferred.values() if shown.shape for base in _letters(shown)}
    arrays.add((cost, ""))
    result = {
        name: _on_the_line(shown) if _is_mistakable(shown, arrays) else shown for name, shown in preferred.items()
    }
    while True:
        counts = Counter(key for shown in result.values() for key in _keys(shown))
        clashing = {
            name
            for name, shown in result.items()
            if (shown.element, shown.array, shown.layer) != (plain(name), plain(name), "")
            and (any(counts[key] > 1 for key in _keys(shown)) or (not shown.layer and shown.element in reserved))
        }
        if not clashing:
            return result
        for name in clashing:
            result[name] = result[name].as_named


def _letters(shown: Shown) -> set[str]:
    return set() if shown.word else {shown.letter, shown.whole}


def _is_mistakable(shown: Shown, arrays: set[tuple[str, str]]) -> bool:
    return bool(shown.word) and any((base, shown.layer) in arrays for base in (shown.letter, shown.whole))


def _on_the_line(shown: Shown) -> Shown:
    return shown._replace(letter=shown.element, whole=shown.array, word="")


def _keys(shown: Shown) -> set[tuple[str, str]]:
    return {(unicodedata.normalize("NFKC", letter), shown.layer) for letter in (shown.element, shown.array)}
