"""How the quantities of a network are written: letters, layer numbers and index ranges, for every output format alike.

``W1`` of a stack of layers is the matrix W⁽¹⁾ with the elements w⁽¹⁾, and ``a1`` of a batch is A⁽¹⁾; a name that an
author chose stays as it is, so ``W_hidden`` and ``w12`` are never taken for anything else. A letter here is a plain
character (``β``, ``ŷ``); each format spells it in its own way. No two quantities are ever written alike: where a nicer
way of writing would make them so, they keep their names.
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
HATS = {"yhat": "ŷ", "ahat": "â", "zhat": "ẑ", "hhat": "ĥ"}
GENERATED = re.compile(r"(?P<letter>[A-Za-z])(?P<layer>[1-9][0-9]*(?:_[1-9][0-9]*)*)")


class Shown(NamedTuple):
    """How one quantity is written.

    ``letter`` stands for its elements and ``whole`` for the array; ``layer`` is the number written above them, ``""``
    for none (``"2.1"`` inside a residual block). ``indices`` and ``shape`` run in parallel.
    """

    name: str
    letter: str
    whole: str
    layer: str = ""
    indices: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    role: str = "intermediate"

    @property
    def is_one_glyph(self) -> bool:
        return len(self.letter) == 1

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
        return cls(_distinct(preferred, reserved), graph.cost or "J")

    @classmethod
    def given(cls, shown: Iterable[Shown], cost: str = "J") -> Names:
        """Names put together by hand; those that would be written alike keep their names."""
        return cls(_distinct({entry.name: entry for entry in shown}, set()), cost)

    def __getitem__(self, name: str) -> Shown:
        return self.quantities.get(name) or Shown(name, plain(name), plain(name))

    def __contains__(self, name: object) -> bool:
        return name in self.quantities

    def is_free(self, letter: str) -> bool:
        """Whether no quantity is written with this letter, so that it may serve as a symbol (δ, σ, Σ)."""
        return letter not in self._letters

    @cached_property
    def _letters(self) -> frozenset[str]:
        return frozenset(letter for shown in self.quantities.values() for letter in (shown.letter, shown.whole))


def _symbols(quantity: Quantity) -> set[Symbol]:
    inside = set() if quantity.definition is None else quantity.definition.atoms(Symbol)
    return inside | set(quantity.indices)


def plain(name: str) -> str:
    """The name itself; in quotation marks where it holds small letters that would read as positions."""
    return f"«{name}»" if any(unicodedata.category(character) == "Lm" for character in name) else name


def _preferred(quantity: Quantity) -> Shown:
    name = quantity.name
    letter = whole = GREEK.get(name) or HATS.get(name) or plain(name)
    layer = ""
    generated = GENERATED.fullmatch(name)
    if generated and quantity.layer is not None and generated["layer"].split("_")[0] == str(quantity.layer):
        letter = whole = generated["letter"]
        layer = generated["layer"].replace("_", ".")
        if len(quantity.shape) > 1:
            letter, whole = letter.lower(), letter.upper()
    indices = tuple(symbol.name for symbol in quantity.indices)
    return Shown(name, letter, whole, layer, indices, quantity.shape, str(quantity.role))


def _distinct(preferred: Mapping[str, Shown], reserved: set[str]) -> dict[str, Shown]:
    """Names restored wherever two quantities, or a quantity and an index, would be written alike."""
    result = dict(preferred)
    while True:
        counts = Counter(key for shown in result.values() for key in _keys(shown))
        clashing = {
            name
            for name, shown in result.items()
            if (shown.letter, shown.whole, shown.layer) != (plain(name), plain(name), "")
            and (any(counts[key] > 1 for key in _keys(shown)) or (not shown.layer and shown.letter in reserved))
        }
        if not clashing:
            return result
        for name in clashing:
            result[name] = result[name]._replace(letter=plain(name), whole=plain(name), layer="")


def _keys(shown: Shown) -> set[tuple[str, str]]:
    return {(unicodedata.normalize("NFKC", letter), shown.layer) for letter in (shown.letter, shown.whole)}
