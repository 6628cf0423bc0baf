"""A verification as a document: every gradient beside what each oracle found, at the entry where they differ most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backprop_cli.documents.blocks import Block, Cell, Document, Heading, Note, Prose, Table, Tone
from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.verification.report import Comparison, Report, Verdict, Witness

HEADER = ("worst entry", "ours", "oracle", "rel. error", "tolerance", "verdict")
VERDICTS = {Verdict.OK: "agrees", Verdict.DISAGREES: "DISAGREES", Verdict.KINK: "kink", Verdict.LEFT_OUT: "left out"}


def verification_document(name: str, names: Names, report: Report) -> Document:
    """The report in words and tables: the verdict first, then one table an oracle."""
    blocks: list[Block] = [Heading(1, (f"Verification: {name}",)), *_verdict(report)]
    for witness in report.witnesses:
        blocks.append(Heading(2, (f"Against {witness.name}",)))
        if witness.left_out:
            blocks.append(Prose((f"Left out: {witness.left_out}.",)))
            continue
        found = [comparison for comparison in report.comparisons if comparison.oracle is witness.oracle]
        if report.cost is not None and report.cost.oracle is witness.oracle:
            found.insert(0, report.cost)
        blocks.append(Table(HEADER, tuple(_row(comparison, names) for comparison in found)))
        blocks.extend(_remarks(found))
    return Document(tuple(blocks), names)


def _verdict(report: Report) -> Iterator[Block]:
    for comparison in report.disagreeing:
        yield Note((_disagreement(comparison, report.witnesses),), Tone.WARNING)
    if report.ok:
        gradients = {comparison.quantity for comparison in report.comparisons} - set(report.unverified)
        witnesses = [witness.name for witness in report.witnesses if not witness.left_out]
        yield Prose((f"{_counted(len(gradients), 'gradient')} verified by {_listed(witnesses)}: no disagreement.",))
    if report.unverified:
        yield Note((f"No oracle could judge the gradient of {_listed(report.unverified)}.",), Tone.WARNING)
    if report.kinks:
        text = (
            f"At a kink there are several slopes to choose from, so a difference is no error: {_listed(report.kinks)}."
        )
        yield Note((text,))


def _disagreement(comparison: Comparison, witnesses: Sequence[Witness]) -> str:
    worst, witness = comparison.worst, next(w.name for w in witnesses if w.oracle is comparison.oracle)
    if worst is None:
        return f"The gradient of {comparison.quantity} disagrees with {witness}: {comparison.note}."
    return (
        f"{_entry(comparison)}: ours is {worst.ours:.10g}, {witness} finds {worst.theirs:.10g}; "
        f"they differ by {worst.absolute:.3g}, and {worst.tolerance:.3g} is allowed."
    )


def _entry(comparison: Comparison) -> str:
    worst = comparison.worst
    position = f"[{','.join(map(str, worst.position))}]" if worst is not None and worst.position else ""
    return f"dJ/d{comparison.quantity}{position}"


def _row(comparison: Comparison, names: Names) -> tuple[Cell, ...]:
    worst, verdict = comparison.worst, VERDICTS[comparison.verdict]
    position = worst.position if worst is not None else ()
    by = tree.Place(comparison.quantity, tuple(tree.Number(str(number)) for number in position))
    label = by if comparison.quantity == names.cost else tree.Partial(tree.Place(names.cost), by)
    if worst is None:
        return (label, "", "", "", "", verdict)
    numbers = (f"{worst.ours:.8g}", f"{worst.theirs:.8g}", f"{worst.relative:.1e}", f"{worst.tolerance:.1e}")
    return (label, *numbers, verdict)


def _remarks(comparisons: Sequence[Comparison]) -> Iterator[Block]:
    """What was left out, each reason once, with the quantities it concerns."""
    reasons: dict[str, list[str]] = {}
    for comparison in comparisons:
        if comparison.note:
            reasons.setdefault(comparison.note, []).append(comparison.quantity)
    for reason, quantities in reasons.items():
        yield Note((f"{_listed(quantities)}: {reason}.",))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "nothing"
