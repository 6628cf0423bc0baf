"""A quiz as Moodle XML: numerical and cloze questions with a tolerance for each answer, and multiple choice.

A formula is an essay, with the right one for whoever marks it: Moodle cannot compare formulas. Each variant is a
category of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import lcm
from xml.etree import ElementTree as ET

from backprop_cli.documents.names import Names
from backprop_cli.documents.quiz import Answer, Item, solution
from backprop_cli.exercises.key import CellKind
from backprop_cli.renderers.mathml_elements import escaped
from backprop_cli.renderers.plain import one_line
from backprop_cli.renderers.simple_html import formula, fragment, table, text
from backprop_cli.translation import tr

LARGEST_DENOMINATOR = 100  # of the points of one answer, which a cloze question has as whole numbers
GAP = str.maketrans({"{": "&#123;"})  # begins a gap in the text of a cloze question
END = str.maketrans(
    {"}": "&#125;", "~": "&#126;", "\\": "&#92;"}
)  # ends what is told in a gap, or keeps it from ending


def render(variants: Iterable[tuple[str, Sequence[Item]]], names: Names) -> str:
    """The variants, each with its title."""
    quiz = ET.Element("quiz")
    for title, items in variants:
        category = ET.SubElement(ET.SubElement(quiz, "question", type="category"), "category")
        ET.SubElement(category, "text").text = f"$course$/{_part(one_line(title))}"
        for item in items:
            quiz.append(_question(item, names))
    ET.indent(quiz)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(quiz, encoding="unicode")}\n'


def _question(item: Item, names: Names) -> ET.Element:
    said = fragment(item.blocks, names)
    if not item.answers:
        return _started("description", item, said)
    first = item.answers[0]
    if first.cell.kind in (CellKind.CHOICE, CellKind.LINE):
        return _choice(item, said, first, names)
    if first.cell.kind is CellKind.FORMULA:
        return _essay(item, said, names)
    if len(item.answers) == 1:
        return _numerical(item, said, first, names)
    weights = _weights(item.answers)
    rows = [
        (formula(answer.label, names).translate(GAP) if answer.label is not None else "", _gap(answer, weight))
        for answer, weight in zip(item.answers, weights, strict=True)
    ]
    return _started("cloze", item, said.translate(GAP) + table((tr("quantity"), tr("answer")), rows))


def _started(kind: str, item: Item, said: str) -> ET.Element:
    question = ET.Element("question", type=kind)
    _text(question, "name", one_line(item.title))
    _text(question, "questiontext", said, html=True)
    if kind not in ("cloze", "description"):
        ET.SubElement(question, "defaultgrade").text = f"{item.points:.15g}"
    return question


def _text(parent: ET.Element, tag: str, content: str, html: bool = False) -> ET.Element:
    element = ET.SubElement(parent, tag, {"format": "html"} if html else {})
    ET.SubElement(element, "text").text = content
    return element


def _numerical(item: Item, said: str, answer: Answer, names: Names) -> ET.Element:
    label = "" if answer.label is None else f"<p>{formula(answer.label, names)} = ?</p>"
    question = _started("numerical", item, said + label)
    right = ET.SubElement(question, "answer", fraction="100", format="plain_text")
    ET.SubElement(right, "text").text = _number(answer)
    _text(right, "feedback", escaped(tr("Right.")), html=True)
    ET.SubElement(right, "tolerance").text = repr(answer.cell.tolerance)
    wrong = ET.SubElement(question, "answer", fraction="0", format="plain_text")
    ET.SubElement(wrong, "text").text = "*"
    _text(wrong, "feedback", escaped(_wrong(answer)), html=True)
    return question


def _choice(item: Item, said: str, answer: Answer, names: Names) -> ET.Element:
    question = _started("multichoice", item, said)
    ET.SubElement(question, "single").text = "true"
    ET.SubElement(question, "shuffleanswers").text = "false"
    ET.SubElement(question, "answernumbering").text = "ABCD" if answer.cell.kind is CellKind.CHOICE else "none"
    for one in answer.choices:
        is_right = one.value == answer.cell.value
        element = ET.SubElement(question, "answer", fraction="100" if is_right else "0", format="html")
        ET.SubElement(element, "text").text = text(one.parts, names)
        _text(element, "feedback", escaped(tr("Right.") if is_right else _wrong(answer)), html=True)
    return question


def _essay(item: Item, said: str, names: Names) -> ET.Element:
    asked = [answer.label for answer in item.answers if answer.label is not None]
    labels = "".join(f"<p>{formula(label, names)} = ?</p>" for label in asked)
    question = _started("essay", item, said + labels)
    right = "".join(fragment(solution(answer), names) for answer in item.answers)
    _text(question, "graderinfo", right, html=True)
    ET.SubElement(question, "responseformat").text = "plain"
    return question


def _part(title: str) -> str:
    """A name in the path of a category: its slashes are doubled, and at its ends told from those between names."""
    return re.sub("^(?=/)|(?<=/)$", " ", title.replace("/", "//"))


def _gap(answer: Answer, weight: int) -> str:
    right, wrong = _told(tr("Right.")), _told(_wrong(answer))
    return f"{{{weight}:NUMERICAL:={_number(answer)}:{answer.cell.tolerance!r}#{right}~*#{wrong}}}"


def _number(answer: Answer) -> str:
    return repr(answer.cell.value)


def _wrong(answer: Answer) -> str:
    """What a wrong answer is told, with the right number in the digits that are asked for."""
    value = answer.cell.value
    shown = value if isinstance(value, str) else f"{value:z.{answer.cell.digits}f}"
    return tr("Right is {answer}.").format(answer=shown)


def _told(said: str) -> str:
    """What a gap tells: Moodle resolves the references in it to find the markup, whose own are resolved after that."""
    return escaped(escaped(said).translate(END))


def _weights(answers: Sequence[Answer]) -> list[int]:
    """The points of the answers as whole numbers in the same proportion."""
    points = [Fraction(answer.cell.points).limit_denominator(LARGEST_DENOMINATOR) for answer in answers]
    factor = lcm(*(one.denominator for one in points))
    return [max(int(one * factor), 0) for one in points]
