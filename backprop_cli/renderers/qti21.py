"""A quiz as a package of QTI 2.1: one test for each variant, one item for each answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

from backprop_cli.documents.names import Names
from backprop_cli.documents.quiz import Answer, Item, solution
from backprop_cli.exercises.key import CellKind
from backprop_cli.renderers.packages import fingerprint, manifest, packed, serialised
from backprop_cli.renderers.plain import one_line
from backprop_cli.renderers.simple_html import MATHML, formula, fragment, text

QTI = "http://www.imsglobal.org/xsd/imsqti_v2p1"
ITEM = "imsqti_item_xmlv2p1"
TEST = "imsqti_test_xmlv2p1"


def render(variants: Iterable[tuple[str, Sequence[Item]]], names: Names) -> bytes:
    """The package; each variant has its title."""
    every = tuple(variants)
    files: dict[str, str] = {}
    root, resources = manifest(f"backprop-{fingerprint(every)}", "QTIv2.1 Package", "1.0.0")
    for number, (title, items) in enumerate(every, start=1):
        name = f"variant-{number}-{fingerprint([(title, items)])}"
        found = dict(_items(name, items, names))
        test = f"variant-{number}.xml"
        resource = ET.SubElement(resources, "resource", identifier=name, type=TEST, href=test)
        ET.SubElement(resource, "file", href=test)
        for ident in found:
            ET.SubElement(resource, "dependency", identifierref=ident)
        for ident in found:
            item = ET.SubElement(resources, "resource", identifier=ident, type=ITEM, href=f"{ident}.xml")
            ET.SubElement(item, "file", href=f"{ident}.xml")
        files[test] = serialised(_test(name, title, found))
        files |= {f"{ident}.xml": serialised(item) for ident, item in found.items()}
    return packed({"imsmanifest.xml": serialised(root), **files})


def _test(ident: str, title: str, items: Iterable[str]) -> ET.Element:
    root = ET.Element("assessmentTest", xmlns=QTI, identifier=ident, title=one_line(title))
    part = ET.SubElement(root, "testPart", identifier="part", navigationMode="nonlinear", submissionMode="simultaneous")
    section = ET.SubElement(part, "assessmentSection", identifier="section", title=one_line(title), visible="true")
    for item in items:
        ET.SubElement(section, "assessmentItemRef", identifier=item, href=f"{item}.xml")
    return root


def _items(name: str, items: Sequence[Item], names: Names) -> Iterable[tuple[str, ET.Element]]:
    for number, item in enumerate(items):
        said = fragment(item.blocks, names)
        if not item.answers:
            yield f"{name}-given-{number}", _given(f"{name}-given-{number}", item.title, said)
        for place, answer in enumerate(item.answers, start=1):
            yield f"{name}-{number}-{place}", _item(f"{name}-{number}-{place}", said, answer, names)


def _started(ident: str, title: str) -> ET.Element:
    return ET.Element(
        "assessmentItem",
        xmlns=QTI,
        identifier=ident,
        title=one_line(title),
        adaptive="false",
        timeDependent="false",
    )


def _given(ident: str, title: str, said: str) -> ET.Element:
    item = _started(ident, title)
    item.append(_body(said))
    return item


def _item(ident: str, said: str, answer: Answer, names: Names) -> ET.Element:
    cell = answer.cell
    item = _started(ident, cell.id)
    base = {CellKind.NUMBER: "float", CellKind.FORMULA: "string"}.get(cell.kind, "identifier")
    declared = ET.SubElement(item, "responseDeclaration", identifier="RESPONSE", cardinality="single", baseType=base)
    if cell.kind is not CellKind.FORMULA:
        value = repr(cell.value) if isinstance(cell.value, float) else _identifier(cell.value)
        ET.SubElement(ET.SubElement(declared, "correctResponse"), "value").text = value
    for name, initial in (("SCORE", 0.0), ("MAXSCORE", cell.points)):
        outcome = ET.SubElement(item, "outcomeDeclaration", identifier=name, cardinality="single", baseType="float")
        ET.SubElement(ET.SubElement(outcome, "defaultValue"), "value").text = f"{initial:.15g}"
    body = _body(said)
    item.append(body)
    _asked(body, answer, names)
    if cell.kind is CellKind.FORMULA:
        rubric = ET.SubElement(body, "rubricBlock", view="scorer")
        rubric.extend(_body(fragment(solution(answer), names)))
    else:
        _marked(item, answer)
    return item


def _body(html: str) -> ET.Element:
    """The item's text, whose elements are those of QTI."""
    return _parsed(f"<itemBody>{html}</itemBody>")


def _parsed(markup: str) -> ET.Element:
    """Formulas say by themselves that they are MathML, with no prefix: also a player that reads items as HTML finds
    them."""
    root = ET.fromstring(markup)
    for element in root.iter():
        if element.tag == f"{{{MATHML}}}math":
            element.set("xmlns", MATHML)
        element.tag = element.tag.removeprefix(f"{{{MATHML}}}")
    return root


def _asked(body: ET.Element, answer: Answer, names: Names) -> None:
    if answer.choices:
        interaction = ET.SubElement(
            body, "choiceInteraction", responseIdentifier="RESPONSE", shuffle="false", maxChoices="1"
        )
        for one in answer.choices:
            choice = _parsed(f"<simpleChoice>{text(one.parts, names)}</simpleChoice>")
            choice.set("identifier", _identifier(one.value))
            interaction.append(choice)
    elif answer.cell.kind is CellKind.FORMULA:
        ET.SubElement(body, "extendedTextInteraction", responseIdentifier="RESPONSE")
    else:
        label = "" if answer.label is None else formula(answer.label, names)
        paragraph = _parsed(f"<p>{label} = </p>")
        ET.SubElement(paragraph, "textEntryInteraction", responseIdentifier="RESPONSE", expectedLength="12")
        body.append(paragraph)


def _marked(item: ET.Element, answer: Answer) -> None:
    processing = ET.SubElement(item, "responseProcessing")
    condition = ET.SubElement(ET.SubElement(processing, "responseCondition"), "responseIf")
    if answer.cell.kind is CellKind.NUMBER:
        tolerance = repr(answer.cell.tolerance)
        test = ET.SubElement(condition, "equal", toleranceMode="absolute", tolerance=f"{tolerance} {tolerance}")
    else:
        test = ET.SubElement(condition, "match")
    ET.SubElement(test, "variable", identifier="RESPONSE")
    ET.SubElement(test, "correct", identifier="RESPONSE")
    score = ET.SubElement(condition, "setOutcomeValue", identifier="SCORE")
    ET.SubElement(score, "variable", identifier="MAXSCORE")


def _identifier(value: str | float) -> str:
    """A choice's identifier: a letter first, which a line's number is not."""
    return f"choice-{value}"
