"""How messages speak of quantities: their own shape, without the sample axis, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from unicodedata import normalize

from backprop_cli.errors import did_you_mean
from backprop_cli.language import tree
from backprop_cli.library.layers import ParameterEntry
from backprop_cli.spec.values import written
from backprop_cli.symbolic.draft import Draft, free_indices
from backprop_cli.symbolic.graph import Quantity
from backprop_cli.translation import Sentences, marked, tr

_AXES = Sentences(
    {
        "units": marked("units"),
        "inputs": marked("inputs"),
        "outputs": marked("outputs"),
        "states": marked("states"),
        "steps": marked("steps"),
        "features": marked("features"),
        "channels": marked("channels"),
        "length": marked("length"),
        "height": marked("height"),
        "width": marked("width"),
        "filters": marked("filters"),
        "kernel": marked("kernel"),
        "kernel'": marked("kernel'"),
        "vocabulary": marked("vocabulary"),
        "dim": "dim",
    }
)


def axes_of(quantity: Quantity, carried: int) -> int:
    """How many positions the quantity takes where the first ``carried`` axes are carried along."""
    return len(quantity.shape) - carried


def own_shape(quantity: Quantity) -> str:
    """``a list of 3``, and for a batch ``a list of 3 per sample``."""
    if quantity.depends_on_sample:
        return tr("{shape} per sample").format(shape=written(quantity.shape[1:]))
    return written(quantity.shape)


def bare_hint(name: str, quantity: Quantity) -> str:
    """``; write W[i,j]``."""
    indices = free_indices(len(quantity.shape) - quantity.depends_on_sample)
    return tr("; write {place}").format(place=f"{name}[{','.join(indices)}]") if indices else ""


def look_alike(name: str, valid: Iterable[str]) -> str:
    """A hint where a name is written with other characters that look the same, such as µ (micro) for μ (mu)."""
    form = normalize("NFKC", name)
    same = next((other for other in valid if other != name and normalize("NFKC", other) == form), None)
    if same is None:
        return ""
    message = tr("; '{same}' looks the same but is written {codes}, not {own_codes}")
    return message.format(same=same, codes=_codes(same), own_codes=_codes(name))


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
    if start is not None:
        message = tr("'{name}' has no step 0; its initial state is a quantity of its own: write {place}")
        return message.format(name=place.name, place=_shown(start, rest))
    message = tr(
        "'{name}' has no step 0; before the first step it is 0, unless an equation {place} = ... gives an initial state"
    )
    return message.format(name=place.name, place=_shown(place.name, place.positions))


def no_parameter(name: str, hint: str) -> str:
    """What is wrong where a parameter is named that there is not."""
    return tr("no parameter is called '{name}'{hint}").format(name=name, hint=hint)


def nothing_to_share(name: str, parameters: Iterable[str]) -> str:
    """What is wrong where a layer shares a parameter that there is not."""
    hint = did_you_mean(name, parameters) or tr("; share the parameter of a layer before this one")
    return no_parameter(name, hint)


def shared_twice(name: str, other: str, parameter: ParameterEntry) -> str:
    """What is wrong where a layer shares two parameters that are the same to it."""
    message = tr("'{name}' and '{other}' would both be {parameter} of this layer")
    return message.format(name=name, other=other, parameter=tr(parameter.noun))


def given_and_shared(key: str, name: str) -> str:
    """What is wrong where a layer has values for a parameter that it shares."""
    return tr("'{key}' is given, and '{name}' is shared as well; keep one of them").format(key=key, name=name)


def is_described(draft: Draft, quantity: Quantity) -> str:
    """``'x' is a list of 3 (2:10)``."""
    return tr("'{name}' is {shape}").format(name=quantity.name, shape=described(draft, quantity))


def axes_named(names: Iterable[str]) -> str:
    """``units x inputs``."""
    return " x ".join(_AXES[name] for name in names)


def wrong_shape(
    parameters: str, found: Sequence[int], wanted: Sequence[int], entry: ParameterEntry, inputs: str
) -> str:
    """What is wrong with parameters that have not the shape that the ``inputs`` of their layer ask for."""
    message = tr("{parameters} are {found}, not {wanted} ({axes}): {inputs}")
    shapes = {"found": written(found), "wanted": written(wanted), "axes": axes_named(entry.shape)}
    return message.format(parameters=parameters, inputs=inputs, **shapes)


def not_defined(name: str, hint: str = "") -> str:
    """What is wrong where a name stands for nothing."""
    return tr("'{name}' is not defined{hint}").format(name=name, hint=hint)


def range_unknown(name: str, reason: str) -> str:
    """What is wrong where nothing tells how far an index runs."""
    return tr("the range of index '{index}' is not known: {reason}").format(index=name, reason=reason)


def _shown(name: str, positions: Sequence[tree.Node]) -> str:
    texts = [
        p.name if isinstance(p, tree.Place) else p.text if isinstance(p, tree.Number) else "..." for p in positions
    ]
    return f"{name}[{','.join(texts)}]" if texts else name
