"""Which part of a layer a parameter plays that the layer shares: the one that it plays in its own layer, else the one
that its name says, else the only one with as many axes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from backprop_cli.library.layers import ParameterEntry
from backprop_cli.spec.values import written
from backprop_cli.spec.wording import listed
from backprop_cli.symbolic.graph import Quantity
from backprop_cli.translation import tr


class NoPart(Exception):
    """Why it cannot be said which part a shared parameter plays: the text of the message."""


def shared_letter(quantity: Quantity, part: str, entries: Mapping[str, ParameterEntry], letters: Iterable[str]) -> str:
    """The letter, one of the ``letters`` that the layer has. ``part`` is the one in the parameter's own layer.

    Raises NoPart where several or none would fit.
    """
    own = list(letters)
    if part in own or len(own) == 1:
        return part if part in own else own[0]
    named = [letter for letter in own if quantity.name == letter or quantity.name.startswith(f"{letter}_")]
    fitting = [letter for letter in own if len(entries[letter].shape) == len(quantity.shape)]
    for found in (named, fitting):
        if len(found) == 1:
            return found[0]
    if not fitting:
        message = tr("'{name}' is {shape}, and can be none of {letters} here")
        raise NoPart(message.format(name=quantity.name, shape=written(quantity.shape), letters=listed(own)))
    message = tr(
        "'{name}' could be {letters} here; share a parameter that is one of them in its own layer, or one of "
        "'parameters' with that name"
    )
    raise NoPart(message.format(name=quantity.name, letters=listed(fitting)))
