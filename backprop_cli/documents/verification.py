"""A verification as a document: every gradient beside what each oracle found, at the entry where they differ most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from backprop_cli.documents.blocks import Block, Cell, Document, Heading, Inline, Note, Prose, Table, Tone
from backprop_cli.documents.names import Names
from backprop_cli.documents.sentences import filled, listed
from backprop_cli.language import tree
from backprop_cli.translation import Sentences, between, enumerated, marked, said, tr, tr_n
from backprop_cli.verification.report import Comparison, Kink, Oracle, Report, Truncation, Verdict, Witness

ROUNDING = 64 * np.finfo(np.float64).eps  # of the norm
TRUNCATED = marked(
    "Truncated gradients are those of the same cost with older states frozen, which is what the oracles above "
    "differentiate. Backpropagation through all steps gives the full gradient of the cost."
)
IN_PART = "in part"
VERDICTS = Sentences[Verdict | str](
    {
        Verdict.OK: marked("agrees"),
        IN_PART: marked("agrees in part"),
        Verdict.DISAGREES: marked("DISAGREES"),
        Verdict.KINK: marked("kink"),
        Verdict.LEFT_OUT: marked("left out"),
    }
)
AT_KINKS = marked(
    "At a kink the difference quotient averages the slopes of the two sides; the gradient takes the one that the "
    "derivation states, so a difference is no error: {kinks}."
)


def verification_document(name: str, names: Names, report: Report) -> Document:
    """The report in words and tables: the verdict first, then J, then one table an oracle."""
    blocks: list[Block] = [Heading(1, (tr("Verification: {name}").format(name=name),)), *_verdict(report, names)]
    if report.cost is not None:
        blocks.append(Heading(2, filled(tr("{cost}, evaluated again"), cost=tree.Place(names.cost))))
        blocks.append(Table(_header("", tr("again")), (_row(report.cost, names),)))
        if report.cost.note:
            blocks.append(Note((tr("{reason}.").format(reason=said(report.cost.note)),)))
    for witness in report.witnesses:
        blocks.append(Heading(2, (tr("Against {oracle}").format(oracle=said(witness.name)),)))
        if witness.left_out:
            blocks.append(Prose((tr("Left out: {reason}.").format(reason=said(witness.left_out)),)))
            continue
        if witness.method:
            blocks.append(Prose((said(witness.method),)))
        found = [comparison for comparison in report.comparisons if comparison.oracle is witness.oracle]
        blocks.append(
            Table(_header(tr("worst entry"), tr("oracle")), tuple(_row(comparison, names) for comparison in found))
        )
        blocks.extend(_remarks(found))
    blocks.extend(_truncated(report, names))
    return Document(tuple(blocks), names)


def _header(entry: str, theirs: str) -> tuple[str, ...]:
    return (entry, tr("ours"), theirs, tr("difference"), tr("allowed"), tr("verdict"))


def _truncated(report: Report, names: Names) -> Iterator[Block]:
    """The truncated gradients beside the full ones."""
    if not report.truncations:
        return
    yield Heading(2, (tr("Beside the full gradient"),))
    yield Prose((tr(TRUNCATED),))
    apart = [one for one in report.truncations if not _is_rounding(one)]
    if apart:
        norms = (tr("norm, truncated"), tr("norm, full"))
        header = (tr("differs most at"), tr("truncated"), tr("full"), *norms)
        yield Table(header, tuple(_truncation(one, names) for one in apart))
    same = [tree.Gradient(one.quantity) for one in report.truncations if one not in apart]
    if same:
        message = tr_n(
            "{gradients} is the same without truncation.", "{gradients} are the same without truncation.", len(same)
        )
        yield Note(filled(message, gradients=listed(same)))


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
        gradients = listed(map(tree.Gradient, report.unverified))
        yield Note(filled(tr("No oracle could judge {gradients}."), gradients=gradients), Tone.WARNING)
    if report.kinks:
        yield Note(filled(tr(AT_KINKS), kinks=_kinks(report.kinks)))


def _headline(report: Report) -> str:
    """How many gradients each oracle confirms; those that checked nothing are not named."""
    total = len(report.quantities)
    witnesses = [witness for witness in report.witnesses if not witness.left_out]
    found = {w.name: [c for c in report.comparisons if c.oracle is w.oracle] for w in witnesses}
    shares = {said(name): some for name, some in found.items() if any(c.worst is not None for c in some)}
    missing = said(report.cost.note) if report.cost is not None and report.cost.verdict is Verdict.LEFT_OUT else ""
    if not shares:
        return _unjudged(total, missing)
    if all(_confirmed(some) == total for some in shares.values()):
        message = tr_n(
            "{total} gradient verified by {oracles}: no disagreement.",
            "{total} gradients verified by {oracles}: no disagreement.",
            total,
        )
        told = message.format(total=total, oracles=enumerated(shares))
    else:
        message = tr_n(
            "{total} gradient, confirmed: {shares}; no disagreement.",
            "{total} gradients, confirmed: {shares}; no disagreement.",
            total,
        )
        told = message.format(total=total, shares=tr(", ").join(_share(*share, total) for share in shares.items()))
    if not missing:
        return told
    return tr("{headline} J was not compared: {reason}.").format(headline=told, reason=missing)


def _unjudged(total: int, missing: str) -> str:
    if not missing:
        message = tr_n("No oracle could judge the gradient.", "No oracle could judge the {total} gradients.", total)
        return message.format(total=total)
    message = tr_n(
        "No oracle could judge the gradient: {reason}.", "No oracle could judge the {total} gradients: {reason}.", total
    )
    return message.format(total=total, reason=missing)


def _share(oracle: str, comparisons: Sequence[Comparison], total: int) -> str:
    """``5 by SymPy (others: 3 at a kink, 1 left out)``."""
    confirmed, others = _confirmed(comparisons), _others(comparisons, total)
    if not others:
        return tr("{confirmed} by {oracle}").format(confirmed=confirmed, oracle=oracle)
    message = tr("{confirmed} by {oracle} (others: {others})")
    return message.format(confirmed=confirmed, oracle=oracle, others=tr(", ").join(others))


def _confirmed(comparisons: Sequence[Comparison]) -> int:
    return sum(comparison.verdict is Verdict.OK and not comparison.is_partial for comparison in comparisons)


def _others(comparisons: Sequence[Comparison], total: int) -> list[str]:
    """``3 at a kink``, ``1 left out``."""
    kinks = sum(comparison.verdict is Verdict.KINK for comparison in comparisons)
    partial = sum(comparison.verdict is Verdict.OK and comparison.is_partial for comparison in comparisons)
    left_out = total - _confirmed(comparisons) - kinks - partial
    counts = (
        (kinks, tr_n("{count} at a kink", "{count} at a kink", kinks)),
        (partial, tr_n("{count} in part", "{count} in part", partial)),
        (left_out, tr_n("{count} left out", "{count} left out", left_out)),
    )
    return [what.format(count=count) for count, what in counts if count]


def _disagreement(comparison: Comparison, witnesses: Sequence[Witness], names: Names) -> tuple[Inline, ...]:
    worst, entry = comparison.worst, _entry(comparison, names)
    found = next((w.name for w in witnesses if w.oracle is comparison.oracle), None)
    oracle = tr("a second evaluation") if found is None else said(found)
    if worst is None:
        message = tr("{gradient} disagrees with {oracle}: {reason}.")
        return filled(message, gradient=entry, oracle=oracle, reason=said(comparison.note))
    message = tr(
        "{gradient}: ours is {ours}, by {oracle} {theirs}; they differ by {difference}, and {allowed} is allowed."
    )
    numbers = {"ours": f"{worst.ours + 0.0:.10g}", "theirs": f"{worst.theirs + 0.0:.10g}"}
    sizes = {"difference": f"{worst.difference:.3g}", "allowed": f"{worst.allowed:.3g}"}
    return filled(message, gradient=entry, oracle=oracle, **numbers, **sizes)


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
    worst, is_in_part = comparison.worst, comparison.verdict is Verdict.OK and comparison.is_partial
    verdict = VERDICTS[IN_PART if is_in_part else comparison.verdict]
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
            reasons.setdefault(said(comparison.note), []).append(tree.Gradient(comparison.quantity))
    for reason, gradients in reasons.items():
        yield Note(filled(tr("{gradients}: {reason}."), gradients=listed(gradients), reason=reason))


def _kinks(kinks: Sequence[Kink]) -> tuple[Inline, ...]:
    """``relu in z and abs in d``."""
    return tuple(part for kink in between([_kink(kink) for kink in kinks]) for part in _parts(kink))


def _parts(told: str | tuple[Inline, ...]) -> tuple[Inline, ...]:
    return (told,) if isinstance(told, str) else told


def _kink(kink: Kink) -> tuple[Inline, ...]:
    place = _place(kink.quantity, kink.position) if kink.position else tree.Matrix(kink.quantity)
    return filled(tr("{function} in {place}"), function=kink.function, place=place)
