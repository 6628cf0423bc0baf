"""A marked class as a document: each student's marks with what went wrong in words, then the class as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from backprop_cli.documents.blocks import Bar, Block, Cell, Document, Heading, Inline, Note, Prose, Table, Tone
from backprop_cli.documents.names import Names
from backprop_cli.documents.sentences import filled, gap, listed
from backprop_cli.exercises.ids import name_of
from backprop_cli.exercises.key import CellKind
from backprop_cli.exercises.marks import Difference, DifferenceKind, Mark, Marked, Report, Verdict
from backprop_cli.exercises.mistake_wording import NAMES, SENTENCES
from backprop_cli.exercises.nodes import Node
from backprop_cli.symbolic.display import tree_of
from backprop_cli.teaching.rounding import exact_text
from backprop_cli.translation import Sentences, enumerated, marked, tr, tr_n

BINS = 10  # of the distribution of points
LONGEST_ANSWER = 24  # characters of an answer in the table of all
LONGEST_FORMULA_ANSWER = 200
LONGEST_FORMULA = 60  # operations of a step's formula that is shown

VERDICTS = Sentences[Verdict](
    {
        Verdict.RIGHT: marked("right"),
        Verdict.CONSISTENT: marked("consistent"),
        Verdict.WRONG: marked("WRONG"),
        Verdict.MISSING: marked("missing"),
        Verdict.FLAGGED: marked("flagged"),
    }
)
DIFFERENCES = Sentences[DifferenceKind](
    {
        DifferenceKind.ITSELF: marked("{cell}: the formula uses what it is to be a formula of."),
        DifferenceKind.GRADIENTS: marked("{cell}: the formula is right, but it uses gradients that were to be put in."),
        DifferenceKind.NUMBERS: marked(
            "{cell}: the formula is right for the numbers of this sheet alone. It was to be written with {part}."
        ),
        DifferenceKind.FACTOR: marked("{cell}: the answer is {part} times the right formula."),
        DifferenceKind.TERM: marked("{cell}: the answer is the right formula plus {part}."),
    }
)


def grading_document(report: Report, names: Names) -> Document:
    """Every student's sheet, and where there are several a summary of the class."""
    blocks: list[Block] = [Heading(1, (tr("Marks: {title}").format(title=report.title),))]
    for student in report.students:
        blocks.extend(_student(student))
    if len(report.students) > 1:
        blocks.extend(_class(report))
    return Document(tuple(blocks), names)


def _student(student: Marked) -> Iterator[Block]:
    heading = tr("{student}, variant {variant}: {points} of {of} points")
    total = {"points": points(student.points), "of": points(student.of)}
    yield Heading(2, (heading.format(student=student.student, variant=student.variant, **total),))
    header = (tr("asked for"), tr("answer"), tr("right answer"), tr("verdict"), tr("points"))
    yield Table(header, tuple(_row(mark) for mark in student.marks))
    yield from _formulas(student)
    yield from _held(student)
    for mark in student.marks:
        if (feedback := _feedback(mark)) is not None:
            yield Note(feedback, Tone.WARNING)


def _held(student: Marked) -> Iterator[Block]:
    """How many points the teacher still has to decide about, and why."""
    flagged = [mark for mark in student.marks if mark.verdict is Verdict.FLAGGED]
    if not flagged:
        return
    message = tr_n(
        "Points held back for the teacher to decide about: {points}, for {count} flagged answer.",
        "Points held back for the teacher to decide about: {points}, for {count} flagged answers.",
        len(flagged),
    )
    yield Note((message.format(points=points(student.held), count=len(flagged)),), Tone.WARNING)
    if trivial := [mark.cell.id for mark in flagged if mark.difference is None]:
        message = tr(
            "{cell}: this follows from the numbers before it, but a wrong one among them leaves nothing to compute "
            "here."
        )
        yield Note((message.format(cell=enumerated(trivial)),), Tone.WARNING)


def _row(mark: Mark) -> tuple[Cell, ...]:
    said = tr("{points} of {of} held back") if mark.held else tr("{points} of {of}")
    earned = said.format(points=points(mark.held or mark.points), of=points(mark.cell.points))
    is_formula = mark.cell.kind is CellKind.FORMULA
    answers = ("", "") if is_formula else (_clipped(mark.text, LONGEST_ANSWER), _right(mark))
    return (mark.cell.id, *answers, VERDICTS[mark.verdict], earned)


def _formulas(student: Marked) -> Iterator[Block]:
    """Answers that are formulas, for which the table of all has no room."""
    found = [mark for mark in student.marks if mark.right is not None]
    rows = tuple(
        (mark.cell.id, _clipped(mark.text, LONGEST_FORMULA_ANSWER), tree_of(mark.right))
        for mark in found
        if mark.right is not None
    )
    if rows:
        yield Table((tr("asked for"), tr("answer"), tr("right answer")), rows)


def _clipped(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _right(mark: Mark) -> str:
    return _number(mark, mark.cell.value) if isinstance(mark.cell.value, float) else mark.cell.value


def _number(mark: Mark, number: float) -> str:
    """A number of ours with the digits asked for; what a student wrote stays as it is."""
    if mark.is_exact:
        return exact_text(number)
    return f"{number:z.{mark.cell.digits}f}"


def points(number: float) -> str:
    """A number of points without zeros at its end."""
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _feedback(mark: Mark) -> tuple[Inline, ...] | None:
    """What is to be said of an answer; nothing of one that is right or missing."""
    cell = mark.cell.id
    if mark.verdict is Verdict.FLAGGED and mark.difference is not None:
        return _difference(cell, mark.difference)
    if mark.verdict is not Verdict.WRONG:
        return None
    if mark.unread is not None:
        return (_sentence(mark.unread),)
    if mark.rounded_to is not None:
        return (_rounded(mark, mark.rounded_to),)
    parts: list[Inline] = []
    if mark.difference is not None:
        parts.extend(_difference(cell, mark.difference))
        parts.extend(f"{gap()}{SENTENCES[mistake]}" for mistake in mark.mistakes[:1])
    elif mark.mistakes:
        parts.extend(_mistakes(mark))
    if mark.step is not None:
        parts.extend(_step(mark.step))
    if parts:
        return tuple(parts)
    if mark.expected is not None:
        message = tr("{cell}: from the numbers before it this comes to {number}. No typical mistake gives the answer.")
        return (message.format(cell=cell, number=_number(mark, mark.expected)),)
    return (tr("{cell}: this is not the right answer.").format(cell=cell),)


def _rounded(mark: Mark, digits: int) -> str:
    if mark.is_exact:
        message = tr_n(
            "{cell}: this is the right step, but rounded to {count} digit after the point instead of exact.",
            "{cell}: this is the right step, but rounded to {count} digits after the point instead of exact.",
            digits,
        )
    else:
        message = tr_n(
            "{cell}: this is the right step, but rounded to {count} digit after the point instead of {asked}.",
            "{cell}: this is the right step, but rounded to {count} digits after the point instead of {asked}.",
            digits,
        )
    return message.format(cell=mark.cell.id, count=digits, asked=mark.cell.digits)


def _sentence(message: str) -> str:
    """A message of a line as a sentence, which it is already where it ends with a question."""
    return message if message.endswith(("?", "？")) else tr("{message}.").format(message=message)


def _difference(cell: str, difference: Difference) -> tuple[Inline, ...]:
    formula = difference.formula
    part: Sequence[Inline] = () if formula is None else (tree_of(formula),)
    if difference.places:
        part = listed(map(tree_of, difference.places))
    return filled(DIFFERENCES[difference.kind], cell=cell, part=part)


def _mistakes(mark: Mark) -> tuple[Inline, ...]:
    cell, told = mark.cell.id, [SENTENCES[mistake] for mistake in mark.mistakes]
    if len(told) == 1:
        if mark.step is None or name_of(mark.step.place) == cell or mark.cell.kind is CellKind.FORMULA:
            return filled(tr("{cell}: {sentence}"), cell=cell, sentence=told[0])
        message = tr("{cell}: a mistake on the way, at {step}, gives this answer. {sentence}")
        return filled(message, cell=cell, step=name_of(mark.step.place), sentence=told[0])
    several = gap().join(f"({number}) {sentence}" for number, sentence in enumerate(told, 1))
    return filled(tr("{cell}: several mistakes give this answer. {sentences}"), cell=cell, sentences=several)


def _step(node: Node) -> tuple[Inline, ...]:
    """The step as it should be, where its formula is one to read."""
    if any(" " in place.name for place in node.uses) or int(node.formula.count_ops()) > LONGEST_FORMULA:
        return ()
    target: Inline = name_of(node.place) if " " in node.place.name else tree_of(node.place)
    return (gap(), *filled(tr("The step is {target} = {formula}."), target=target, formula=tree_of(node.formula)))


def _class(report: Report) -> Iterator[Block]:
    count = len(report.students)
    mean = sum(student.points for student in report.students) / count
    yield Heading(2, (tr("The class"),))
    message = tr_n("{count} student, {mean} points on average.", "{count} students, {mean} points on average.", count)
    sentences = [message.format(count=count, mean=points(mean))]
    held = [student.held for student in report.students if student.held]
    if held:
        message = tr_n(
            "Points held back for the teacher to decide about, which are in no total: {points}, of {count} student.",
            "Points held back for the teacher to decide about, which are in no total: {points}, of {count} students.",
            len(held),
        )
        sentences.append(message.format(count=len(held), points=points(sum(held))))
    marks = [mark for student in report.students for mark in student.marks]
    failed = Counter(mark.cell.id for mark in marks if mark.verdict is Verdict.WRONG)
    if failed:
        worst, most = failed.most_common(1)[0]
        message = tr_n(
            "What fails most often is {cell}: {count} wrong answer.",
            "What fails most often is {cell}: {count} wrong answers.",
            most,
        )
        sentences.append(message.format(cell=worst, count=most))
    yield Prose((gap().join(sentences),))
    apart = dict.fromkeys(mark.cell.id for mark in marks if mark.verdict is not Verdict.RIGHT)
    if apart:
        found = {mark.verdict for mark in marks}
        verdicts = [verdict for verdict in Verdict if verdict in found]
        ordered = sorted(apart, key=lambda cell: -failed[cell])
        header = (tr("asked for"), *(VERDICTS[verdict] for verdict in verdicts))
        yield Table(header, tuple(_cell_row(cell, marks, verdicts) for cell in ordered))
    made = Counter(mark.mistakes[0] for mark in marks if mark.mistakes)
    if made:
        yield Heading(3, (tr("Mistakes"),))
        yield Table(
            (tr("mistake"), tr("times")), tuple((NAMES[name], str(times)) for name, times in made.most_common())
        )
    yield Heading(3, (tr("Distribution of the points"),))
    yield _distribution(report.students)


def _cell_row(cell: str, marks: Sequence[Mark], verdicts: Sequence[Verdict]) -> tuple[Cell, ...]:
    counted = Counter(mark.verdict for mark in marks if mark.cell.id == cell)
    return (cell, *(str(counted[verdict]) for verdict in verdicts))


def _distribution(students: Sequence[Marked]) -> Table:
    """How many students reached which tenth of the points, with bars."""
    shares = [student.points / student.of if student.of else 0.0 for student in students]
    counted = Counter(min(int(share * BINS), BINS - 1) for share in shares)
    longest = max(counted.values())
    rows = [
        (f"{100 * at // BINS}–{100 * (at + 1) // BINS} %", str(counted[at]), Bar(counted[at] / longest))
        for at in range(BINS)
    ]
    return Table((tr("points"), tr("students"), ""), tuple(rows))
