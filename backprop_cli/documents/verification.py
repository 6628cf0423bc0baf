"""A verification as a document: every gradient beside what each oracle found, at the entry where they differ most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from backprop_cli.documents.blocks import Block, Cell, Document, Heading, Inline, Note, Prose, Table, Tone
from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.verification.report import Comparison, Kink, Oracle, Report, Truncation, Verdict, Witness

HEADER = ("worst entry", "ours", "oracle", "difference", "allowed", "verdict")
COST_HEADER = ("", "ours", "again", "difference", "allowed", "verdict")
ROUNDING = 64 * np.finfo(np.float64).eps  # of the norm
TRUNCATED_HEADER = ("differs most at", "truncated", "full", "norm, truncated", "norm, full")
TRUNCATED = (
    "Truncated gradients are those of the same cost with older states frozen, which is what the oracles above "
    "differentiate. Backpropagation through all steps gives the full gradient of the cost."
)
VERDICTS = {Verdict.OK: "agrees", Verdict.DISAGREES: "DISAGREES", Verdict.KINK: "kink", Verdict.LEFT_OUT: "left out"}
AT_KINKS = (
    "At a kink the difference quotient averages the slopes of the two sides; the gradient takes the one that the "
    "derivation states, so a difference is no error: "
)


def verification_document(name: str, names: Names, report: Report) -> Document:
    """The report in words and tables: the verdict first, then J, then one table an oracle."""
    blocks: list[Block] = [Heading(1, (f"Verification: {name}",)), *_verdict(report, names)]
    if report.cost is not None:
        blocks.append(Heading(2, (tree.Place(names.cost), ", evaluated again")))
        blocks.append(Table(COST_HEADER, (_row(report.cost, names),)))
        if report.cost.note:
            blocks.append(Note((f"{report.cost.note}.",)))
    for witness in report.witnesses:
        blocks.append(Heading(2, (f"Against {witness.name}",)))
        if witness.left_out:
            blocks.append(Prose((f"Left out: {witness.left_out}.",)))
            continue
        if witness.method:
            blocks.append(Prose((witness.method,)))
        found = [comparison for comparison in report.comparisons if comparison.oracle is witness.oracle]
        blocks.append(Table(HEADER, tuple(_row(comparison, names) for comparison in found)))
        blocks.extend(_remarks(found))
    blocks.extend(_truncated(report, names))
    return Document(tuple(blocks), names)


def _truncated(report: Report, names: Names) -> Iterator[Block]:
    """The truncated gradients beside the full ones."""
    if not report.truncations:
        return
    yield Heading(2, ("Beside the full gradient",))
    yield Prose((TRUNCATED,))
    apart = [one for one in report.truncations if not _is_rounding(one)]
    if apart:
        yield Table(TRUNCATED_HEADER, tuple(_truncation(one, names) for one in apart))
    same = [tree.Gradient(one.quantity) for one in report.truncations if one not in apart]
    if same:
        yield Note((*_listed(same), f" {'is' if len(same) == 1 else 'are'} the same without truncation."))


def _is_rounding(one: Truncation) -> bool:
    """Whether the two differ by no more than the order of their sums can make them."""
    return bool(abs(one.truncated - one.full) <= ROUNDING * max(one.truncated_norm, one.full_norm))


def _truncation(one: Truncation, names: Names) -> tuple[Cell, ...]:
    entry = tree.Partial(tree.Place(names.cost), _place(one.quantity, one.position))
    return (entry, *(f"{n + 0.0:.8g}" for n in (one.truncated, one.full, one.truncated_norm, one.full_norm)))


def _verdict(report: Report, names: Names) -> Iterator[Block]:
    every = [*([report.cost] if report.cost else []), *report.comparisons]
    for comparison in every:
        if comparison.verdict is Verdict.DISAGREES:
            yield Note(_disagreement(comparison, report.witnesses, names), Tone.WARNING)
    if report.ok:
        yield Prose((_headline(report),))
    if report.unverified and len(report.unverified) < len(report.quantities):
        gradients = _listed([tree.Gradient(quantity) for quantity in report.unverified])
        yield Note(("No oracle could judge ", *gradients, "."), Tone.WARNING)
    if report.kinks:
        yield Note((AT_KINKS, *_listed_parts([_kink(kink) for kink in report.kinks]), "."))


def _headline(report: Report) -> str:
    """How many gradients each oracle confirms; those that checked nothing are not named."""
    total = len(report.quantities)
    witnesses = [witness for witness in report.witnesses if not witness.left_out]
    found = {w.name: [c for c in report.comparisons if c.oracle is w.oracle] for w in witnesses}
    shares = {name: some for name, some in found.items() if any(c.worst is not None for c in some)}
    missing = report.cost.note if report.cost is not None and report.cost.verdict is Verdict.LEFT_OUT else ""
    without = f" J was not compared: {missing}." if missing else ""
    if not shares:
        gradients = "the gradient" if total == 1 else f"the {total} gradients"
        return f"No oracle could judge {gradients}" + (f": {missing}." if missing else ".")
    if all(_confirmed(some) == total for some in shares.values()):
        return f"{_counted(total)} verified by {_words(list(shares))}: no disagreement.{without}"
    parts = [f"{_confirmed(some)} by {name}{_others(some, total)}" for name, some in shares.items()]
    return f"{_counted(total)}, confirmed: {', '.join(parts)}; no disagreement.{without}"


def _confirmed(comparisons: Sequence[Comparison]) -> int:
    return sum(comparison.verdict is Verdict.OK and not comparison.is_partial for comparison in comparisons)


def _others(comparisons: Sequence[Comparison], total: int) -> str:
    """``(others: 3 at a kink, 1 left out)``."""
    kinks = sum(comparison.verdict is Verdict.KINK for comparison in comparisons)
    partial = sum(comparison.verdict is Verdict.OK and comparison.is_partial for comparison in comparisons)
    left_out = total - _confirmed(comparisons) - kinks - partial
    counts = ((kinks, "at a kink"), (partial, "in part"), (left_out, "left out"))
    some = [f"{count} {what}" for count, what in counts if count]
    return f" (others: {', '.join(some)})" if some else ""


def _disagreement(comparison: Comparison, witnesses: Sequence[Witness], names: Names) -> tuple[Inline, ...]:
    worst = comparison.worst
    title = next((w.name for w in witnesses if w.oracle is comparison.oracle), str(Oracle.EVALUATION))
    if worst is None:
        return (_entry(comparison, names), f" disagrees with {title}: {comparison.note}.")
    return (
        _entry(comparison, names),
        f": ours is {worst.ours + 0.0:.10g}, by {title} {worst.theirs + 0.0:.10g}; "
        f"they differ by {worst.difference:.3g}, and {worst.allowed:.3g} is allowed.",
    )


def _entry(comparison: Comparison, names: Names) -> tree.Node:
    """The gradient at the worst entry, or as a whole; J itself where that was compared."""
    if comparison.oracle is Oracle.EVALUATION:
        return tree.Place(comparison.quantity)
    if comparison.worst is None:
        return tree.Gradient(comparison.quantity)
    return tree.Partial(tree.Place(names.cost), _place(comparison.quantity, comparison.worst.position))


def _place(name: str, position: Sequence[int]) -> tree.Place:
    return tree.Place(name, tuple(tree.Number(str(number)) for number in position))


def _row(comparison: Comparison, names: Names) -> tuple[Cell, ...]:
    worst, verdict = comparison.worst, VERDICTS[comparison.verdict]
    if comparison.verdict is Verdict.OK and comparison.is_partial:
        verdict += " in part"
    label = _entry(comparison, names)
    if worst is None:
        return (label, "", "", "", "", verdict)
    difference = f"{worst.difference:.1e}" if worst.difference else "0"
    return (label, f"{worst.ours + 0.0:.8g}", f"{worst.theirs + 0.0:.8g}", difference, f"{worst.allowed:.1e}", verdict)


def _remarks(comparisons: Sequence[Comparison]) -> Iterator[Block]:
    """What was left out, each reason once, with the quantities it concerns."""
    reasons: dict[str, list[tree.Node]] = {}
    for comparison in comparisons:
        if comparison.note:
            reasons.setdefault(comparison.note, []).append(tree.Gradient(comparison.quantity))
    for reason, gradients in reasons.items():
        yield Note((*_listed(gradients), f": {reason}."))


def _kink(kink: Kink) -> tuple[Inline, ...]:
    return (
        f"{kink.function} in ",
        _place(kink.quantity, kink.position) if kink.position else tree.Matrix(kink.quantity),
    )


def _counted(gradients: int) -> str:
    return f"{gradients} gradient" + ("" if gradients == 1 else "s")


def _words(words: Sequence[str]) -> str:
    return "".join(str(part) for part in _listed(words))


def _listed(items: Sequence[Inline]) -> tuple[Inline, ...]:
    return _listed_parts([(item,) for item in items])


def _listed_parts(items: Sequence[tuple[Inline, ...]]) -> tuple[Inline, ...]:
    """``a, b and c``."""
    parts: list[Inline] = []
    for k, item in enumerate(items):
        parts += [*([", " if k < len(items) - 1 else " and "] if k else []), *item]
    return tuple(parts)
