"""How messages speak of quantities: their own shape, without the sample axis, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from unicodedata import normalize

from backprop_cli.language import tree
from backprop_cli.spec.values import written
from backprop_cli.symbolic.draft import Draft, free_indices
from backprop_cli.symbolic.graph import Quantity


def axes_of(quantity: Quantity, carried: int) -> int:
    """How many positions the quantity takes where the first ``carried`` axes are carried along."""
    return len(quantity.shape) - carried


def own_shape(quantity: Quantity) -> str:
    """``a list of 3``, and for a batch ``a list of 3 per sample``."""
    if quantity.depends_on_sample:
        return f"{written(quantity.shape[1:])} per sample"
    return written(quantity.shape)


def bare_hint(name: str, quantity: Quantity) -> str:
    """``; write W[i,j]``."""
    indices = free_indices(len(quantity.shape) - quantity.depends_on_sample)
    return f"; write {name}[{','.join(indices)}]" if indices else ""


def look_alike(name: str, valid: Iterable[str]) -> str:
    """A hint where a name is written with other characters that look the same, such as µ (micro) for μ (mu)."""
    form = normalize("NFKC", name)
    same = next((other for other in valid if other != name and normalize("NFKC", other) == form), None)
    if same is None:
        return ""
    return f"; '{same}' looks the same but is written {_codes(same)}, not {_codes(name)}"


def _codes(name: str) -> str:
    return " ".join(f"U+{ord(letter):04X}" for letter in name)


def number_text(value: float) -> str:
    """A number of the spec as it is written in formulas: ``0.01``, ``2``."""
    return repr(value).removesuffix(".0")


def described(draft: Draft, quantity: Quantity) -> str:
    """The quantity's own shape and where it comes from: ``a list of 3 (2:10)``."""
    origin = str(draft.origins.get(quantity.name, ""))
    return f"{own_shape(quantity)} ({origin})" if origin else own_shape(quantity)


def before_the_first(place: tree.Place, axis: int, start: str | None) -> str:
    """What to write instead of ``h[0,i]``; ``start`` is the name of the initial state, where an equation gives it."""
    rest = (*place.positions[:axis], *place.positions[axis + 1 :])
    what = f"'{place.name}' has no step 0"
    if start is not None:
        return f"{what}; its initial state is a quantity of its own: write {_shown(start, rest)}"
    return (
        f"{what}; before the first step it is 0, unless an equation {_shown(place.name, place.positions)} = ... "
        "gives an initial state"
    )


def _shown(name: str, positions: Sequence[tree.Node]) -> str:
    texts = [
        p.name if isinstance(p, tree.Place) else p.text if isinstance(p, tree.Number) else "..." for p in positions
    ]
    return f"{name}[{','.join(texts)}]" if texts else name
