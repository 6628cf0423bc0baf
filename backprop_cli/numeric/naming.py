"""Names in generated code: as in the mathematics, and never what a user typed unless it is harmless.

A name is kept if it is a plain identifier; anything else in it becomes an underscore. Keywords, the names the code
itself uses and names already taken get underscores behind them (``lambda_``).
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable
from itertools import count

RESERVED = frozenset({"np", "erf", "erfc", "sliding_window_view", *keyword.kwlist, *keyword.softkwlist, *dir(builtins)})


class Names:
    """Identifiers given out so far; no two are the same, also after Python's normalisation of identifiers."""

    def __init__(self, reserved: Iterable[str] = RESERVED) -> None:
        self._taken = set(reserved)

    def identifier(self, name: str) -> str:
        """A free identifier that looks like the name."""
        plain = re.sub(r"[^0-9A-Za-z_]", "_", _spelt(name))
        if not plain or not plain[0].isalpha():
            plain = f"v{plain}"
        while plain in self._taken:
            plain += "_"
        self._taken.add(plain)
        return plain

    def numbered(self, stem: str) -> str:
        """The first free one of stem1, stem2, ..."""
        name = next(name for number in count(1) if (name := f"{stem}{number}") not in self._taken)
        self._taken.add(name)
        return name


GREEK = {
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "δ": "delta",
    "ε": "epsilon",
    "ζ": "zeta",
    "η": "eta",
    "θ": "theta",
    "ι": "iota",
    "κ": "kappa",
    "λ": "lambda",
    "μ": "mu",
    "ν": "nu",
    "ξ": "xi",
    "π": "pi",
    "ρ": "rho",
    "σ": "sigma",
    "τ": "tau",
    "υ": "upsilon",
    "φ": "phi",
    "χ": "chi",
    "ψ": "psi",
    "ω": "omega",
}


def _spelt(name: str) -> str:
    """Greek letters by name, so that σ and another letter do not become the same underscore."""
    return "".join(_letter(letter) for letter in name)


def _letter(letter: str) -> str:
    small = GREEK.get(letter.lower(), letter)
    return small.capitalize() if letter.isupper() else small
