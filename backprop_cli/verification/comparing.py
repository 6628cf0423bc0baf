"""Two gradients of one quantity, entry by entry, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from backprop_cli.translation import Statement
from backprop_cli.verification.arrays import Array
from backprop_cli.verification.differences import UNCERTAIN
from backprop_cli.verification.report import Comparison, Kink, Oracle, Verdict, Worst

NearKink: TypeAlias = Callable[[Sequence[int]], Mapping[int, tuple[Kink, ...]]]
Spread: TypeAlias = Callable[[Sequence[int]], Mapping[int, float]]

ROUNDED = Statement("float64 does not hold enough digits of the values that the gradient depends on at some entries")

ASKED = 200  # entries that differ and are looked at for kinks; where more differ, the formula is wrong


@dataclass(frozen=True)
class Opinion:
    """What an oracle says of some entries of one gradient.

    ``entries`` are positions from 0 in the array laid flat, ``allowed`` the absolute difference allowed at each. Where
    the oracle has no opinion its number is nan; ``silence`` says why, and ``doubt`` why a gradient that differs may not
    be judged. ``part`` says why not every entry was checked.
    ``at_kinks`` holds entries that are known to stand at a kink, with its functions.
    """

    oracle: Oracle
    entries: Sequence[int]
    numbers: Array
    allowed: Array
    silence: str = ""
    doubt: str = ROUNDED
    part: str = ""
    at_kinks: Mapping[int, tuple[Kink, ...]] = field(default_factory=dict)


def compared(quantity: str, gradient: Array, opinion: Opinion, near_kink: NearKink, spread: Spread) -> Comparison:
    """The comparison of a gradient with an opinion on it.

    ``near_kink`` says of entries (positions from 0 in the array laid flat) which functions have a kink there; an entry
    that differs at a kink is no error. ``spread`` says of others that differ how far rounding in the forward pass moves
    the right gradient: by a little, and so much more is allowed; or by so much that the entry is not judged. Infinite
    numbers agree with themselves only; a finite number of ours is not judged by one that is not, which an oracle
    without stable forms may well have.
    """
    entries = np.asarray(opinion.entries, dtype=int)
    ours, theirs = gradient.reshape(-1)[entries], opinion.numbers
    with np.errstate(all="ignore"):
        absolute = np.where(ours == theirs, 0.0, np.abs(ours - theirs))
        larger = np.maximum(np.abs(ours), np.abs(theirs))
        relative = np.where(absolute == 0, 0.0, absolute / larger)
    silent = (absolute != 0) & ~np.isfinite(theirs)
    absolute[np.isnan(absolute)] = np.inf
    relative[~np.isfinite(relative)] = np.inf
    allowed = np.where(np.isfinite(opinion.allowed), opinion.allowed, 0.0)
    apart = (absolute > allowed) & ~silent
    suspects = np.flatnonzero(apart | silent)
    asked = sorted(suspects, key=lambda k: -absolute[k])[:ASKED]
    found = {**near_kink([int(entries[k]) for k in asked]), **opinion.at_kinks}
    kink = np.array([bool(found.get(int(entry))) for entry in entries], dtype=bool) & (apart | silent)
    blurs = spread([int(entries[k]) for k in asked if apart[k] and not kink[k]])
    blur = np.array([blurs.get(int(entry), 0.0) for entry in entries])
    with np.errstate(invalid="ignore"):
        lost = apart & ~kink & (blur > UNCERTAIN * np.abs(theirs)) & ~(absolute > allowed + blur)
    allowed = np.where(lost | ~np.isfinite(blur), allowed, allowed + blur)
    wrong, judged = (absolute > allowed) & ~silent & ~kink & ~lost, ~(silent | lost) | kink

    verdict = Verdict.LEFT_OUT
    candidates = np.flatnonzero(judged)
    for case, where in ((Verdict.DISAGREES, wrong), (Verdict.KINK, kink), (Verdict.OK, judged)):
        if where.any():
            verdict, candidates = case, np.flatnonzero(where)
            break
    near = dict.fromkeys(name for k in np.flatnonzero(kink) for name in found[int(entries[k])])
    notes = [opinion.part, opinion.silence if (silent & ~kink).any() else "", opinion.doubt if lost.any() else ""]
    worst = None
    if len(candidates):
        with np.errstate(all="ignore"):
            shares = np.where(absolute[candidates] == 0, 0.0, absolute[candidates] / allowed[candidates])
        k = int(candidates[np.argmax(shares)])
        position = tuple(int(p) + 1 for p in np.unravel_index(entries[k], gradient.shape))
        numbers = (ours[k], theirs[k], absolute[k], relative[k], allowed[k])
        worst = Worst(position, *(float(number) for number in numbers))
    return Comparison(
        quantity,
        opinion.oracle,
        verdict,
        entries=gradient.size,
        asked=len(entries),
        checked=int(judged.sum()),
        kinks=int(kink.sum()),
        worst=worst,
        near=tuple(near),
        note=Statement.joined(notes),
    )
