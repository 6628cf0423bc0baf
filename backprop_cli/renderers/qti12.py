"""A quiz as a package of QTI 1.2, as Canvas imports it: one assessment for each variant, one item for each answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from xml.etree import ElementTree as ET

from backprop_cli.documents.names import Names
from backprop_cli.documents.quiz import Answer, Item, solution
from backprop_cli.exercises.key import CellKind
from backprop_cli.renderers.packages import fingerprint, manifest, packed, serialised
from backprop_cli.renderers.plain import one_line
from backprop_cli.renderers.simple_html import formula, fragment, text

NAMESPACE = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
KINDS = {
    CellKind.NUMBER: "numerical_question",
    CellKind.FORMULA: "essay_question",
    CellKind.CHOICE: "multiple_choice_question",
    CellKind.LINE: "multiple_choice_question",
}
GIVEN = "text_only_question"
ROUNDING = Decimal("0.00005")  # of what is typed into a Canvas quiz, which keeps four digits after the point
SOLUTION = "general_fb"  # what Canvas calls the comment on every answer


def render(variants: Iterable[tuple[str, Sequence[Item]]], names: Names) -> bytes:
    """The package; each variant has its title."""
    every = tuple(variants)
    files: dict[str, str] = {}
    root, resources = manifest(f"backprop-{fingerprint(every)}", "IMS Content", "1.1.3")
    for number, (title, items) in enumerate(every, start=1):
        name = f"variant-{number}"
        file = f"{name}/{name}.xml"
        resource = ET.SubElement(resources, "resource", identifier=name, type="imsqti_xmlv1p2", href=file)
        ET.SubElement(resource, "file", href=file)
        files[file] = serialised(_assessment(f"{name}-{fingerprint([(title, items)])}", title, items, names))
    return packed({"imsmanifest.xml": serialised(root), **files})


def _assessment(name: str, title: str, items: Sequence[Item], names: Names) -> ET.Element:
    root = ET.Element("questestinterop", xmlns=NAMESPACE)
    assessment = ET.SubElement(root, "assessment", ident=name, title=one_line(title))
    _metadata(assessment, {"qmd_assessmenttype": "Examination"})  # without it Canvas makes a quiz for practice
    section = ET.SubElement(assessment, "section", ident="root_section")
    for number, item in enumerate(items):
        said = fragment(item.blocks, names)
        if not item.answers:
            _item(section, f"{name}-given-{number}", item.title, GIVEN, 0.0, said)
        for place, answer in enumerate(item.answers, start=1):
            label = "" if answer.label is None else f"<p>{formula(answer.label, names)} = ?</p>"
            ident = f"{name}-{number}-{place}"
            kind = KINDS[answer.cell.kind]
            element = _item(section, ident, answer.cell.id, kind, answer.cell.points, said + label)
            presentation = element.find("presentation")
            assert presentation is not None
            _asked(presentation, answer, names)
            _marked(element, answer)
            if answer.cell.kind is CellKind.FORMULA:
                feedback = ET.SubElement(element, "itemfeedback", ident=SOLUTION)
                _material(ET.SubElement(feedback, "flow_mat"), fragment(solution(answer), names))
    return root


def _item(section: ET.Element, ident: str, title: str, kind: str, points: float, said: str) -> ET.Element:
    element = ET.SubElement(section, "item", ident=ident, title=one_line(title))
    _metadata(ET.SubElement(element, "itemmetadata"), {"question_type": kind, "points_possible": f"{points:.15g}"})
    _material(ET.SubElement(element, "presentation"), said)
    return element


def _metadata(parent: ET.Element, fields: Mapping[str, str]) -> None:
    metadata = ET.SubElement(parent, "qtimetadata")
    for label, entry in fields.items():
        field = ET.SubElement(metadata, "qtimetadatafield")
        ET.SubElement(field, "fieldlabel").text = label
        ET.SubElement(field, "fieldentry").text = entry


def _material(parent: ET.Element, html: str) -> None:
    ET.SubElement(ET.SubElement(parent, "material"), "mattext", texttype="text/html").text = html


def _asked(presentation: ET.Element, answer: Answer, names: Names) -> None:
    if answer.choices:
        response = ET.SubElement(presentation, "response_lid", ident="response1", rcardinality="Single")
        render_choice = ET.SubElement(response, "render_choice")
        for one in answer.choices:
            _material(ET.SubElement(render_choice, "response_label", ident=one.value), text(one.parts, names))
        return
    response = ET.SubElement(presentation, "response_str", ident="response1", rcardinality="Single")
    is_number = answer.cell.kind is CellKind.NUMBER
    fib = ET.SubElement(response, "render_fib", {"fibtype": "Decimal"} if is_number else {})
    ET.SubElement(fib, "response_label", ident="answer1")


def _marked(element: ET.Element, answer: Answer) -> None:
    processing = ET.SubElement(element, "resprocessing")
    outcomes = ET.SubElement(processing, "outcomes")
    ET.SubElement(outcomes, "decvar", maxvalue="100", minvalue="0", varname="SCORE", vartype="Decimal")
    condition = ET.SubElement(processing, "respcondition", {"continue": "No"})
    variable = ET.SubElement(condition, "conditionvar")
    if answer.cell.kind is CellKind.FORMULA:
        ET.SubElement(variable, "other")
        ET.SubElement(condition, "displayfeedback", feedbacktype="Response", linkrefid=SOLUTION)
        return
    value = answer.cell.value
    if isinstance(value, str):
        ET.SubElement(variable, "varequal", respident="response1").text = value
    else:
        # as decimals: their distance, as which Canvas reads the tolerance, is then the tolerance itself
        middle, tolerance = Decimal(repr(value)), _accepted(answer.cell.tolerance)
        either = ET.SubElement(variable, "or")
        ET.SubElement(either, "varequal", respident="response1").text = str(middle)
        within = ET.SubElement(either, "and")
        ET.SubElement(within, "vargte", respident="response1").text = str(middle - tolerance)
        ET.SubElement(within, "varlte", respident="response1").text = str(middle + tolerance)
    ET.SubElement(condition, "setvar", action="Set", varname="SCORE").text = "100"


def _accepted(tolerance: float) -> Decimal:
    """How far a right answer can be from the number of the key; where more digits are asked for than Canvas keeps, by
    its rounding too, or it would take every right answer for a wrong one."""
    asked = Decimal(repr(tolerance))
    return asked if asked >= ROUNDING else asked + ROUNDING
