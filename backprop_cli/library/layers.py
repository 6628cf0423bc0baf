"""The layers by name, as equations in the users' own language, with the parameters they have.

The equations speak of one input ``x``; axes in front of those that are written (the sample, the step of a sequence) are
carried along unchanged. Conventions as in PyTorch: weights are units x inputs. A further layer is one more entry here
and its options in the spec.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backprop_cli.library.functions import IDENTITY, SOFTMAX


@dataclass(frozen=True)
class ParameterEntry:
    """One parameter of a layer: its letter, what it is called in messages, and its shape in the layer's own sizes."""

    letter: str
    noun: str
    shape: tuple[str, ...]
    penalised: bool


@dataclass(frozen=True)
class LayerEntry:
    """One layer: its parameters by letter. In its equations ``z`` is the weighted sum and ``a`` the output."""

    name: str
    parameters: Mapping[str, ParameterEntry]


DENSE = LayerEntry(
    "dense",
    {
        "W": ParameterEntry("W", "weights", ("units", "inputs"), penalised=True),
        "b": ParameterEntry("b", "biases", ("units",), penalised=False),
    },
)


def dense_equation(offsets: Sequence[int] = (0,), *, masked: bool = False, bias: str = "b[i]") -> str:
    """``z[i] = sum(W[i,j]*x[j], j) + b[i]``.

    Several inputs ``x1``, ``x2`` ... are one long vector, of which each begins after its offset. ``masked`` weights are
    multiplied by ``mask``; ``bias`` is ``b[i]``, one ``b`` for all units, or empty.
    """
    terms = []
    for number, offset in enumerate(offsets, start=1):
        column = f"j+{offset}" if offset else "j"
        weight = f"mask[i,{column}]*W[i,{column}]" if masked else f"W[i,{column}]"
        terms.append(f"sum({weight}*{'x' if len(offsets) == 1 else f'x{number}'}[j], j)")
    return f"z[i] = {' + '.join([*terms, bias] if bias else terms)}"


def activation_equation(name: str) -> str:
    """The equation of an activation: of one number, carried along every axis, or over the last axis (softmax)."""
    if name == SOFTMAX.name:
        return SOFTMAX.equation
    return "a = z" if name == IDENTITY else f"a = {name}(z)"
