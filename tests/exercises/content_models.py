"""What may stand where in the files of learning platforms, as far as our files use it: facts of QTI 1.2.1, of QTI 2.1
with the MathML 2 in it, and of IMS manifests, in an own notation.

A content is a regular expression of names, with blanks for what follows one another. Whatever is not listed is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from xml.etree import ElementTree as ET

ANY = ".*"
TOKEN = r"[^\s:/]+"  # of XML identifiers only what ours are made of
NAME = r"[A-Za-z_][A-Za-z0-9_.-]*"
TRUTH = "true|false"
DECIMAL = r"-?\d+(\.\d+)?([eE][+-]?\d+)?"
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Kind(NamedTuple):
    """What is in an element, whether text may be, and its attributes with what they say; those with ``?`` may lack."""

    content: str = ""
    has_text: bool = False
    attributes: Mapping[str, str] = {}


TEXT = Kind("", True)

QTI12 = {
    "questestinterop": Kind("assessment"),
    "assessment": Kind("qtimetadata* section+", False, {"ident": TOKEN, "title?": ANY}),
    "section": Kind("item*", False, {"ident": TOKEN}),
    "item": Kind("itemmetadata? presentation? resprocessing* itemfeedback*", False, {"ident": TOKEN, "title?": ANY}),
    "itemmetadata": Kind("qtimetadata*"),
    "qtimetadata": Kind("qtimetadatafield+"),
    "qtimetadatafield": Kind("fieldlabel fieldentry"),
    "fieldlabel": TEXT,
    "fieldentry": TEXT,
    "presentation": Kind("(material|response_lid|response_str)+"),
    "material": Kind("mattext+"),
    "mattext": Kind("", True, {"texttype": "text/html"}),
    "response_lid": Kind("render_choice", False, {"ident": TOKEN, "rcardinality": "Single"}),
    "response_str": Kind("render_fib", False, {"ident": TOKEN, "rcardinality": "Single"}),
    "render_choice": Kind("response_label+"),
    "render_fib": Kind("response_label*", False, {"fibtype?": "String|Integer|Decimal|Scientific"}),
    "response_label": Kind("material*", False, {"ident": TOKEN}),
    "resprocessing": Kind("outcomes respcondition+"),
    "outcomes": Kind("decvar+"),
    "decvar": Kind("", False, {"varname": "SCORE", "vartype": "Decimal", "minvalue": "0", "maxvalue": "100"}),
    "respcondition": Kind("conditionvar setvar* displayfeedback*", False, {"continue": "Yes|No"}),
    "conditionvar": Kind("(and|or|varequal|vargte|varlte|other)+"),
    "or": Kind("(and|varequal|vargte|varlte)+"),
    "and": Kind("(varequal|vargte|varlte)+"),
    "varequal": Kind("", True, {"respident": "response1"}),
    "vargte": Kind("", True, {"respident": "response1"}),
    "varlte": Kind("", True, {"respident": "response1"}),
    "other": Kind(),
    "setvar": Kind("", True, {"action": "Set|Add|Subtract|Multiply|Divide", "varname": "SCORE"}),
    "displayfeedback": Kind("", False, {"feedbacktype": "Response|Solution|Hint", "linkrefid": TOKEN}),
    "itemfeedback": Kind("(flow_mat|material)+", False, {"ident": TOKEN}),
    "flow_mat": Kind("material+"),
}

MANIFEST = {
    "manifest": Kind("metadata? organizations resources", False, {"identifier": NAME}),
    "metadata": Kind("schema? schemaversion?"),
    "schema": TEXT,
    "schemaversion": TEXT,
    "organizations": Kind(),
    "resources": Kind("resource*"),
    "resource": Kind("file* dependency*", False, {"identifier": NAME, "type": TOKEN, "href?": ANY}),
    "file": Kind("", False, {"href": ANY}),
    "dependency": Kind("", False, {"identifierref": NAME}),
}

_M = "(mi|mn|mo|mtext|mrow|mfrac|msqrt|mroot|msub|msup|msubsup|munder|mover|munderover|mtable|menclose|mspace|mstyle)"
_CLASS = {"class?": ANY}
_LETTER = Kind("", True, {**_CLASS, "mathvariant?": "normal|bold|italic"})
MATHML = {
    "math": Kind(f"{_M}*"),
    "mi": _LETTER,
    "mn": _LETTER,
    "mtext": _LETTER,
    "mo": Kind(
        "",
        True,
        {
            "form?": "prefix|infix|postfix",
            **{f"{name}?": TRUTH for name in ("fence", "separator", "stretchy", "largeop", "movablelimits")},
            **{f"{name}?": r"0|-?\d*\.?\d+em" for name in ("lspace", "rspace")},
        },
    ),
    **{name: Kind(f"{_M}*", False, _CLASS) for name in ("mrow", "msqrt")},
    **{name: Kind(f"{_M} {_M}", False, _CLASS) for name in ("mfrac", "mroot", "msub", "msup", "munder")},
    "mover": Kind(f"{_M} {_M}", False, {**_CLASS, "accent?": TRUTH}),
    **{name: Kind(f"{_M} {_M} {_M}", False, _CLASS) for name in ("msubsup", "munderover")},
    "menclose": Kind(f"{_M}*", False, {**_CLASS, "notation": ANY}),
    "mtable": Kind("mtr+", False, _CLASS),
    "mtr": Kind("mtd+"),
    "mtd": Kind(f"{_M}*"),
}

_BLOCK = "(p|hr|table|math|choiceInteraction|extendedTextInteraction|rubricBlock)*"
_INLINE = "(strong|math|textEntryInteraction)*"
_FLOW = "(p|hr|table|math|strong)*"
_VALUE = Kind("value+")
_RESPONSE = {"responseIdentifier": "RESPONSE"}
_DECLARED = {"identifier": NAME, "cardinality": "single", "baseType": "float|string|identifier"}
QTI21 = {
    "assessmentTest": Kind("testPart+", False, {"identifier": NAME, "title": ANY}),
    "testPart": Kind(
        "assessmentSection+",
        False,
        {"identifier": NAME, "navigationMode": "linear|nonlinear", "submissionMode": "individual|simultaneous"},
    ),
    "assessmentSection": Kind(
        "(assessmentItemRef|assessmentSection)*", False, {"identifier": NAME, "title": ANY, "visible": TRUTH}
    ),
    "assessmentItemRef": Kind("", False, {"identifier": NAME, "href": ANY}),
    "assessmentItem": Kind(
        "responseDeclaration* outcomeDeclaration* itemBody? responseProcessing?",
        False,
        {"identifier": NAME, "title": ANY, "adaptive": TRUTH, "timeDependent": TRUTH},
    ),
    "responseDeclaration": Kind("correctResponse?", False, _DECLARED),
    "outcomeDeclaration": Kind("defaultValue?", False, _DECLARED),
    "correctResponse": _VALUE,
    "defaultValue": _VALUE,
    "value": TEXT,
    "itemBody": Kind(_BLOCK),
    "rubricBlock": Kind(_BLOCK, False, {"view": "author|candidate|proctor|scorer|testConstructor|tutor"}),
    "p": Kind(_INLINE, True),
    "strong": Kind(_INLINE, True),
    "hr": Kind(),
    "table": Kind("thead? tbody+"),
    "thead": Kind("tr+"),
    "tbody": Kind("tr+"),
    "tr": Kind("(th|td)+"),
    "th": Kind(_FLOW, True),
    "td": Kind(_FLOW, True),
    "choiceInteraction": Kind("simpleChoice+", False, {**_RESPONSE, "shuffle": TRUTH, "maxChoices": r"\d+"}),
    "simpleChoice": Kind(_FLOW, True, {"identifier": NAME}),
    "extendedTextInteraction": Kind("", False, _RESPONSE),
    "textEntryInteraction": Kind("", False, {**_RESPONSE, "expectedLength?": r"\d+"}),
    "responseProcessing": Kind("(responseCondition|setOutcomeValue)*"),
    "responseCondition": Kind("responseIf"),
    "responseIf": Kind("(equal|match) setOutcomeValue*"),
    "equal": Kind(
        "variable correct", False, {"toleranceMode": "absolute", "tolerance": f"({DECIMAL}) ({DECIMAL})"}
    ),
    "match": Kind("variable correct"),
    "variable": Kind("", False, {"identifier": NAME}),
    "correct": Kind("", False, {"identifier": NAME}),
    "setOutcomeValue": Kind("variable", False, {"identifier": NAME}),
    **MATHML,
}  # fmt: skip


def without_namespace(name: str) -> str:
    return name.rpartition("}")[2]


def _pattern(content: str) -> str:
    return WORD.sub(r"(?:\g<0>,)", content).replace(" ", "").replace(",", " ")


def problems(root: ET.Element, kinds: Mapping[str, Kind]) -> Iterator[str]:
    """What stands in a place that it must not stand in."""
    for element in root.iter():
        name = without_namespace(element.tag)
        kind = kinds.get(name)
        if kind is None:
            yield f"{name}: unknown"
            continue
        inside = "".join(f"{without_namespace(child.tag)} " for child in element)
        if not re.fullmatch(_pattern(kind.content), inside):
            yield f"{name}: has {inside.strip() or 'nothing'}"
        if not kind.has_text and any((said or "").strip() for said in (element.text, *(c.tail for c in element))):
            yield f"{name}: has text"
        yield from _of_attributes(name, element.attrib, kind.attributes)


def _of_attributes(name: str, found: Mapping[str, str], expected: Mapping[str, str]) -> Iterator[str]:
    known = {attribute.removesuffix("?"): pattern for attribute, pattern in expected.items()}
    for attribute in expected:
        if not attribute.endswith("?") and attribute not in found:
            yield f"{name}: lacks {attribute}"
    for attribute, said in found.items():
        if attribute not in known:
            yield f"{name}: has {attribute}"
        elif not re.fullmatch(known[attribute], said):
            yield f"{name}: {attribute} is {said!r}"
