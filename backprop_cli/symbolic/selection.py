"""One quantity of a derivation, as people ask for it: ``W1``, ``W1[1,2]``, ``dJ/dW1[1,2]``; positions count from 1."""

from __future__ import annotations

import re

from backprop_cli.errors import BackpropError, did_you_mean
from backprop_cli.symbolic.display import tree_of
from backprop_cli.symbolic.entries import entry_step, needed_steps
from backprop_cli.symbolic.expansion import Expansion
from backprop_cli.symbolic.graph import Role
from backprop_cli.symbolic.notation import Adjoint
from backprop_cli.symbolic.steps import Derivation, Form, FormKind, Step
from backprop_cli.translation import tr, tr_n

ASKED = re.compile(
    r"\s*(?:(?:dJ|∂J)\s*/\s*[d∂](?=[^\W\d_]))?\s*(?P<name>[^\W\d_]\w*)\s*(?:\[(?P<positions>[^\[\]]*)\])?\s*"
)


def selected(derivation: Derivation, asked: str, expand: bool = False) -> tuple[Step, ...]:
    """The steps that lead to ∂J/∂(what is asked for), that one last; with ``expand`` that step alone, in given
    quantities.

    Raises BackpropError for a name the network does not have, one without a gradient, or positions outside its shape.
    """
    name, position = asked_for(derivation, asked)
    step = derivation.by_id[f"dJ/d{name}"]
    shape = derivation.graph[name].shape
    if position is None and expand and shape:
        message = tr("--expand writes out one entry; ask for one, such as {example}")
        raise BackpropError(message.format(example=_example(name, shape)))
    if expand:
        return (_expanded(derivation, step, name, position or ()),)
    if position is not None:
        step = entry_step(derivation, step, position)
    return needed_steps(derivation, step)


def _expanded(derivation: Derivation, step: Step, name: str, position: tuple[int, ...]) -> Step:
    one = entry_step(derivation, step, position)
    value = tree_of(Expansion(derivation.adjoints).expanded(Adjoint(name, *position)))
    return Step(
        one.id, one.layer, one.kind, one.of, one.rule, one.target, (), (), (Form(FormKind.EXPANDED, value),), 0, (), ()
    )


def asked_for(derivation: Derivation, asked: str) -> tuple[str, tuple[int, ...] | None]:
    """The quantity and the position that a text names; no position: all of it. Raises BackpropError."""
    graph = derivation.graph
    match = ASKED.fullmatch(asked)
    if match is None:
        message = tr("cannot read '{asked}'; expected a quantity such as W1 or W1[1,2]")
        raise BackpropError(message.format(asked=asked))
    name = _known(derivation, match["name"])
    if match["positions"] is None:
        return name, None
    shape = graph[name].shape
    try:
        position = tuple(int(part) for part in match["positions"].split(","))
    except ValueError:
        message = tr("'{asked}': positions are whole numbers that count from 1, such as {example}")
        raise BackpropError(message.format(asked=asked, example=_example(name, shape))) from None
    if len(position) != len(shape):
        message = tr_n(
            "'{asked}' has {number} position, but {name} has {axes}",
            "'{asked}' has {number} positions, but {name} has {axes}",
            len(position),
        )
        raise BackpropError(message.format(asked=asked, number=len(position), name=name, axes=_axes(shape)))
    for number, size in zip(position, shape, strict=True):
        if not 1 <= number <= size:
            message = tr("'{asked}': {number} is out of range; {name} has {axes}, and positions count from 1")
            raise BackpropError(message.format(asked=asked, number=number, name=name, axes=_axes(shape)))
    return name, position


def _known(derivation: Derivation, name: str) -> str:
    graph = derivation.graph
    valid = sorted(step.id.removeprefix("dJ/d") for step in derivation.steps if step.id.startswith("dJ/d"))
    for candidate in (name, name[1:] if name[:1] == "d" else name):
        if candidate in valid:
            return candidate
    if name in graph and graph[name].role in (Role.TARGET, Role.CONSTANT):
        message = tr("{name} is given and fixed: the derivation has no gradient of it")
        raise BackpropError(message.format(name=name))
    if name == graph.cost:
        message = tr("{name} is the cost itself; ask for a quantity it depends on, such as {example}")
        raise BackpropError(message.format(name=name, example=valid[0]))
    hint = did_you_mean(name, valid) or tr("; there are {names}").format(names=tr(", ").join(valid))
    raise BackpropError(tr("there is no quantity '{name}'{hint}").format(name=name, hint=hint))


def _axes(shape: tuple[int, ...]) -> str:
    if not shape:
        return tr("no positions (it is one number)")
    if len(shape) == 1:
        return tr("one, from 1 to {size}").format(size=shape[0])
    return f"{len(shape)} ({' x '.join(map(str, shape))})"


def _example(name: str, shape: tuple[int, ...]) -> str:
    return f"{name}[{','.join('1' for _ in shape)}]" if shape else name
