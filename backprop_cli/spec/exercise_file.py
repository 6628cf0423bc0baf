"""The model of an exercise file, and its JSON Schema: a network, what is given of it, what is asked, what varies.

Whether the names in it are those of the network is for the exercise to find out, with :attr:`ExerciseFile.positions`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from math import floor
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

from pydantic import Field, PrivateAttr, ValidationError

from backprop_cli.errors import Problem, SpecError, did_you_mean
from backprop_cli.spec import limits
from backprop_cli.spec.arrays import mapping_like
from backprop_cli.spec.fields import Name, Names, Positive, Text, TrueOrFalse, whole_number
from backprop_cli.spec.findings import Finding, Rejected, collected, findings_of, reject
from backprop_cli.spec.positions import Positions
from backprop_cli.spec.reader import Reader
from backprop_cli.spec.reading import read_data
from backprop_cli.spec.schema import NetworkSpec, schema_of
from backprop_cli.spec.section import Section
from backprop_cli.spec.wording import describe, expected_names, listed, no_number, not_finite, shortened
from backprop_cli.translation import grouped, marked, tr

KINDS = ("forward", "cost", "gradient", "formula", "update", "table", "paths", "bptt", "mistake", "choice")
SINGLE = ("mistake", "choice")  # about one entry
TABLES = ("forward", "backward")
POINTS, TOLERANCE = "points", "tolerance"
BESIDE = (POINTS, TOLERANCE)  # what a question may say beside its kind
MOST_QUESTIONS = 100
MOST_VALUES = 1000  # that one number may have
_SEPARATOR = re.compile(r"[\s,;]+(?![^\[\]]*\])")  # between names, not inside their positions


class Asked(NamedTuple):
    """One question as it is written: its kind, what it names, its points and how far answers may be off, None where
    nothing is said."""

    kind: str
    of: tuple[str, ...]
    points: float | None = None
    tolerance: float | None = None


def _number(data: Any) -> float:
    if type(data) not in (int, float):
        reject(no_number(data))
    if not abs(float(data)) < float("inf"):
        reject(not_finite(data))
    return float(data)


class VaryRange(Section):
    """The numbers from one to another in steps."""

    example = "{from: -2, to: 2, step: 0.5}"
    expected = marked("expected a list of numbers or a mapping such as {example}, not {found}")

    from_: Annotated[float, Reader(_number, lambda: float)] = Field(alias="from", description="The smallest number.")
    to: Annotated[float, Reader(_number, lambda: float)] = Field(description="The largest number.")
    step: Positive = Field(description="From one number to the next.")
    nonzero: TrueOrFalse = Field(default=False, description="Whether 0 is left out.")

    def conflicts(self) -> Iterable[Finding]:
        if self.to < self.from_:
            yield Finding(("to",), tr("'to' is less than 'from'"))
        elif (self.to - self.from_) / self.step >= MOST_VALUES:
            message = tr("more than {most} numbers; at most {most} are allowed").format(most=grouped(MOST_VALUES))
            yield Finding(("step",), message)
        elif self.nonzero and floor((self.to - self.from_) / self.step) == 0 and self.from_ == 0:
            yield Finding(("nonzero",), tr("no number is left without 0"))


def _read_network(data: Any) -> Any:
    if not isinstance(data, str | dict) or not data:
        message = tr("expected a network: a bundled spec, a file beside this one, or a mapping, not {found}")
        reject(message.format(found=describe(data)))
    return data


def _read_questions(data: Any) -> tuple[Asked, ...]:
    if not isinstance(data, list | tuple):
        reject(tr("expected a list of questions, not {found}").format(found=describe(data)))
    if not data:
        reject(tr("expected a list of questions, not an empty list"))
    if len(data) > MOST_QUESTIONS:
        message = tr("{number} questions; at most {most} are allowed")
        reject(message.format(number=grouped(len(data)), most=MOST_QUESTIONS))
    return collected(_read_question, data)


def _read_question(data: Any) -> Asked:
    if isinstance(data, str) and data == "cost":
        return Asked("cost", ())
    if not isinstance(data, dict):
        message = tr("expected a question such as {example}, not {found}")
        reject(message.format(example="gradient: W1[1,2]", found=describe(data)))
    findings: list[Finding] = []
    for key in data:
        if key not in (*KINDS, *BESIDE):
            name = str(key)
            hint = did_you_mean(name, (*KINDS, *BESIDE)) or expected_names((*KINDS, *BESIDE))
            message = tr("unknown question '{name}'{hint}").format(name=shortened(name), hint=hint)
            findings.append(Finding((key,), message, at_key=True))
    kinds = [key for key in data if key in KINDS]
    if len(kinds) != 1 and not findings:
        message = tr("a question has exactly one of {kinds}").format(kinds=listed(KINDS))
        findings.append(Finding((), message))
    beside: dict[str, float] = {}
    of: tuple[str, ...] = ()
    for key, read in ((POINTS, _read_points), (TOLERANCE, _read_tolerance)):
        try:
            beside.update({key: read(data[key])} if key in data else {})
        except Rejected as rejected:
            findings.extend(finding.under((key,)) for finding in rejected.findings)
    for kind in kinds[:1]:
        try:
            of = _reader_of(kind)(data[kind])
        except Rejected as rejected:
            findings.extend(finding.under((kind,)) for finding in rejected.findings)
    if findings:
        raise Rejected(findings)
    return Asked(kinds[0], of, beside.get(POINTS), beside.get(TOLERANCE))


def _read_points(data: Any) -> float:
    number = _number(data)
    if number < 0:
        reject(tr("points are not negative"))
    return number


def _read_tolerance(data: Any) -> float:
    number = _number(data)
    if number <= 0:
        reject(tr("expected a number above {limit}, not {found}").format(limit=0, found=describe(data)))
    return number


def _reader_of(kind: str) -> Callable[[Any], tuple[str, ...]]:
    def read(data: Any) -> tuple[str, ...]:
        if kind == "cost":
            if data is not True:
                reject(tr("expected true, not {found}").format(found=describe(data)))
            return ()
        if kind == "table":
            if data not in TABLES:
                hint = did_you_mean(str(data), TABLES) if isinstance(data, str) else ""
                reject(tr("expected {names}, not {found}").format(names=listed(TABLES), found=describe(data)) + hint)
            return (str(data),)
        found = _read_quantities(data)
        if kind in SINGLE and len(found) != 1:
            reject(tr("expected one quantity such as W1[1,2]"))
        return found

    return read


def _read_quantities(data: Any) -> tuple[str, ...]:
    if isinstance(data, dict) and set(data) == {"of"}:
        return _read_quantities(data["of"])
    texts = [data] if isinstance(data, str) else data
    if not isinstance(texts, list | tuple) or not texts:
        message = tr("expected a quantity such as {example}, or a list of them, not {found}")
        reject(message.format(example="W1[1,2]", found=describe(data)))
    found = collected(_read_quantity, texts)
    return tuple(name for names in found for name in names)


def _read_quantity(data: Any) -> tuple[str, ...]:
    if not isinstance(data, str) or not data.strip():
        message = tr("expected a quantity such as {example}, not {found}")
        reject(message.format(example="W1[1,2]", found=describe(data)))
    if len(data) > limits.NAME * MOST_QUESTIONS:
        reject(
            tr("a text of {number} characters; at most {most} are allowed").format(
                number=grouped(len(data)), most=grouped(limits.NAME * MOST_QUESTIONS)
            )
        )
    return tuple("".join(name.split()) for name in _SEPARATOR.split(data.strip()) if name)


def _read_rule(data: Any) -> VaryRange | tuple[float, ...]:
    if not isinstance(data, list | tuple):
        try:
            return VaryRange.model_validate(data)
        except ValidationError as error:
            raise Rejected(findings_of(error)) from None
    if not data:
        reject(tr("an empty list has no numbers"))
    if len(data) > MOST_VALUES:
        reject(tr("more than {most} numbers; at most {most} are allowed").format(most=grouped(MOST_VALUES)))
    return collected(_number, data)


_Quantities: TypeAlias = str | list[str]


class QuestionForm(Section):
    """A question: exactly one of its kinds, its points (without them every answer has one) and its tolerance."""

    forward: _Quantities | None = Field(default=None, description="Values of the forward pass: z1, or a1[2].")
    cost: Literal[True] | None = Field(default=None, description="The cost.")
    gradient: _Quantities | None = Field(
        default=None, description="Gradients of the cost: W1[1,2], or a1; truncated, of step 3's cost: dJ[3]/dh."
    )
    formula: _Quantities | None = Field(default=None, description="The gradient of one entry as a formula.")
    update: _Quantities | None = Field(default=None, description="Parameters after one step of gradient descent.")
    table: Literal["forward", "backward"] | None = Field(default=None, description="A whole pass as a table.")
    paths: _Quantities | None = Field(default=None, description="What arrives on every path at an entry, and the sum.")
    bptt: _Quantities | None = Field(default=None, description="The gradients of a state at every step.")
    mistake: str | dict[Literal["of"], str] | None = Field(
        default=None, description="A computation of one entry's gradient with one wrong line."
    )
    choice: str | None = Field(default=None, description="Which of several formulas is the gradient of one entry.")
    points: Annotated[float, Field(ge=0)] | None = Field(default=None, description="The points of the question.")
    tolerance: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="How far its numbers may be off; default: that of the exercise."
    )


Network: TypeAlias = Annotated[Any, Reader(_read_network, lambda: str | NetworkSpec)]
Questions: TypeAlias = Annotated[tuple[Asked, ...], Reader(_read_questions, lambda: list[QuestionForm])]
VaryRule: TypeAlias = Annotated[VaryRange | tuple[float, ...], Reader(_read_rule, lambda: list[float] | VaryRange)]


class ExerciseFile(Section):
    """An exercise: its network, what is given of it, what is asked, and what varies from one sheet to the next."""

    expected = marked("expected a mapping with the keys network and questions, not {found}")

    network: Network = Field(
        description="A spec: the name of a bundled one, a file in this file's folder, or the spec itself."
    )
    title: Text = Field(default="", description="What stands at the top of every sheet; default: the network's name.")
    digits: Annotated[int, whole_number(0, 12)] = Field(default=4, description="Digits after the point of answers.")
    given: Names = Field(
        default=(), description="The quantities whose numbers stand on the sheet; default: all that are given."
    )
    questions: Questions = Field(default=(), description="What is asked, in order; default: what fits the network.")
    vary: Annotated[dict[Name, VaryRule], mapping_like("{x: [1, 2, 3]}")] = Field(
        default_factory=dict, description="The numbers that entries of a given quantity may have in variants."
    )
    learning_rate: Positive = Field(default=0.5, description="Of the updates.")
    exact: TrueOrFalse = Field(default=False, description="Whether answers are exact fractions.")
    tolerance: Positive | None = Field(
        default=None, description="How far numbers may be off; default: as far as rounding every step can bring them."
    )

    _positions: Positions = PrivateAttr(default_factory=Positions)
    _places: tuple[int, ...] | None = PrivateAttr(default=None)

    @property
    def positions(self) -> Positions:
        """Where every value stands in the file."""
        return self._positions

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the file was put aside for being wrong."""
        return self._places is None

    def place_of(self, question: int) -> int:
        """The place in the file's list, from 0, of a question of :attr:`questions`."""
        return question if self._places is None else self._places[question]


def is_exercise_file(data: Any) -> bool:
    """Whether plain data are an exercise and not a network: only an exercise has these keys."""
    return isinstance(data, Mapping) and ("network" in data or "questions" in data)


def read_exercise_file(
    content: str | bytes, source: str, check: Callable[[ExerciseFile], object]
) -> ExerciseFile | None:
    """The exercise file in YAML text, None where it is a network's spec. Raises SpecError with every problem: where
    its form is wrong, also with those that the check raises for what is left without the wrong parts."""
    data, positions = read_data(content, source)
    if not is_exercise_file(data):
        return None
    try:
        file = ExerciseFile.model_validate(data)
    except ValidationError as error:
        findings = findings_of(error)
        further = _further(data, findings, positions, check)
        raise SpecError(source, [*map(positions.of, findings), *further]) from None
    file._positions = positions
    return file


def _further(
    data: Any, findings: Iterable[Finding], positions: Positions, check: Callable[[ExerciseFile], object]
) -> Iterable[Problem]:
    """The problems of what is left without the questions and entries that the findings are about."""
    paths = [finding.path for finding in findings]
    if not isinstance(data, dict) or () in paths:
        return ()
    wrong = {path[1] for path in paths if path[0] == "questions" and len(path) > 1}
    rest = {key: dict(value) if isinstance(value, dict) else value for key, value in data.items()}
    for path in paths:
        if len(path) > 1 and isinstance(rest.get(path[0]), dict):
            rest[path[0]].pop(path[1], None)
        elif path[0] != "questions" or len(path) == 1:
            rest.pop(path[0], None)
    if wrong and "questions" in rest:
        rest["questions"] = [one for place, one in enumerate(data["questions"]) if place not in wrong]
    asked = rest.get("questions") or rest.pop("questions", [])
    try:
        file = ExerciseFile.model_validate(rest)
    except ValidationError:  # what was put aside was needed after all
        return ()
    file._positions = positions
    file._places = tuple(place for place in range(len(wrong) + len(asked)) if place not in wrong)
    try:
        check(file)
    except SpecError as error:  # where its network is a file of its own, that is told once this one is mended
        return error.problems if error.source == positions.source else ()
    return ()


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of an exercise file."""
    return schema_of(ExerciseFile, "An exercise for backprop")
