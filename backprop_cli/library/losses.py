"""The losses by name: the whole cost of one sample, in the users' own language.

``a`` is the network's output, ``y`` the target and ``k`` the index that runs over all numbers of a sample; ``K`` is how
many they are. Where the output has several axes, k stands for all of them, and for the last one in what is defined over
the last axis; where the output is one number, k and the sum over it fall away. The scaling is exact, without the clamps
of libraries. Sources: the losses of the same names in torch.nn.functional.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class LossEntry:
    """One loss.

    ``definition`` is the cost of one sample. ``definition_by_class`` is the same where the target is a class number
    ``y``, from 0, instead of one number per class; None where that has no meaning. ``probabilities`` defines the helper
    ``p`` that the definitions may use, as an equation over the last axis. ``options`` are numbers that the author may
    give, with their defaults as text.
    """

    name: str
    definition: str
    definition_by_class: str | None = None
    probabilities: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


_BCE = "-1/K*sum(y[k]*log({p}[k]) + (1 - y[k])*log(1 - {p}[k]), k)"

_ENTRIES = (
    LossEntry("mse", "1/K*sum((a[k] - y[k])**2, k)"),
    LossEntry("sse", "sum((a[k] - y[k])**2, k)"),
    LossEntry("half_sse", "1/2*sum((a[k] - y[k])**2, k)"),
    LossEntry("mae", "1/K*sum(abs(a[k] - y[k]), k)"),
    LossEntry(
        "huber",
        "1/K*sum(where(abs(a[k] - y[k]) <= delta, 1/2*(a[k] - y[k])**2, delta*(abs(a[k] - y[k]) - 1/2*delta)), k)",
        options={"delta": "1"},
    ),
    LossEntry("bce", _BCE.format(p="a")),
    LossEntry("bce_with_logits", _BCE.format(p="p"), probabilities="p[k] = sigmoid(a[k])"),
    LossEntry(
        "cross_entropy",
        "-sum(y[k]*log(p[k]), k)",
        definition_by_class="-sum((k == y + 1)*log(p[k]), k)",
        probabilities="p[k] = exp(a[k])/sum(exp(a[l]), l)",
    ),
    LossEntry("nll", "-sum(y[k]*a[k], k)", definition_by_class="-sum((k == y + 1)*a[k], k)"),
    LossEntry("hinge", "1/K*sum(max(0, 1 - y[k]*a[k]), k)"),
)

LOSSES = {entry.name: entry for entry in _ENTRIES}
