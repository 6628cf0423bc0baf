"""Reads MathML by what it shows: its elements are put into LaTeX as a person would copy them, and that is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from backprop_cli.documents.names import Names
from tests.reading_back.grammar import UnreadableFormula
from tests.reading_back.latex_reader import COMMANDS, GREEK, LatexReader

LETTERS = {letter: command for command, letter in GREEK.items()} | {"∂": r"\partial"}
FUNCTIONS = {name: command for command, name in COMMANDS.items()}
SIGNS = {"−": "-", "⋅": r"\cdot", "⊙": r"\odot", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "×": r"\times", "⊤": r"\top"}
SIGNS |= {sign: sign for sign in "+=<>(),[]"}
APPLIED, SEPARATED, MULTIPLIED = "\u2061", "\u2063", "\u2062"
SIGNS |= {APPLIED: "", SEPARATED: "", MULTIPLIED: r"\,"}
PARTS = {"msub": 2, "msup": 2, "msubsup": 3, "mfrac": 2, "munder": 2, "munderover": 3, "mover": 2}


class MathmlReader(LatexReader):
    def __init__(self, text: str, names: Names) -> None:
        super().__init__(as_latex(ElementTree.fromstring(f"<mrow>{text}</mrow>")), names)


def as_latex(element: ElementTree.Element, is_function: bool = False) -> str:
    """``is_function`` says that what follows the element is an argument, by the sign for application after it."""
    if element.tag in PARTS and len(element) != PARTS[element.tag]:
        raise UnreadableFormula(f"{element.tag} with {len(element)} parts")
    match element.tag:
        case "mrow" if len(element) == 2 and element[1].text == "′":
            return f"{as_latex(element[0], is_function)}'"
        case "math" | "mrow":
            text = _row(list(element))
            return re.sub(r"\\times 10 ?\^\{ ?(-?) ?(\d+) ?\}", r"\\times 10^{\1\2}", text)
        case "mi" | "mn" | "mo" | "mtext":
            return _leaf(element, is_function)
        case "msub" | "munder":
            return f"{as_latex(element[0], is_function)}_{{{as_latex(element[1])}}}"
        case "msup":
            return f"{as_latex(element[0], is_function)}^{{{as_latex(element[1])}}}"
        case "msubsup" | "munderover":
            return f"{as_latex(element[0], is_function)}_{{{as_latex(element[1])}}}^{{{as_latex(element[2])}}}"
        case "mfrac":
            return rf"\frac{{{as_latex(element[0])}}}{{{as_latex(element[1])}}}"
        case "msqrt":
            return rf"\sqrt{{{_row(list(element))}}}"
        case "mover" if element[1].text == "^":
            return rf"\hat{{{as_latex(element[0])}}}"
        case "mspace" if element.get("width") == "0.1667em":
            return r"\,"
        case "menclose" if element.get("notation") == "horizontalstrike":
            return "0"
        case "mtable":
            rows = r" \\ ".join(" & ".join(_row(list(cell)) for cell in row) for row in element)
            return rf"\begin{{cases}} {rows} \end{{cases}}"
    raise UnreadableFormula(f"the element {element.tag}")


def _row(elements: Sequence[ElementTree.Element]) -> str:
    texts = []
    for element, after in zip(elements, [*elements[1:], None], strict=True):
        if element.tag == "mo" and element.text == "{":
            if after is None or after.tag != "mtable":
                raise UnreadableFormula("a brace before no choice")
            continue
        texts.append(as_latex(element, after is not None and after.text == APPLIED))
    return " ".join(text for text in texts if text)


def _leaf(element: ElementTree.Element, is_function: bool) -> str:
    text = element.text or ""
    if len(element) or not text:
        raise UnreadableFormula(f"an empty {element.tag}, or one with parts")
    is_bold = element.get("class") == "bold"
    match element.tag:
        case "mtext":
            return rf"\text{{{text}}}".replace("\N{NO-BREAK SPACE}", " ")
        case "mn":
            return rf"\mathbf{{{text}}}" if is_bold else text
        case "mo" if text == "|":
            return r"\left|" if element.get("form") == "prefix" else r"\right|"
        case "mo":
            if text not in SIGNS and text != "∑":
                raise UnreadableFormula(f"the sign {text!r}")
            return r"\sum" if text == "∑" else SIGNS[text]
    if is_bold:
        return rf"\mathbf{{{text}}}"
    if text in LETTERS:
        return LETTERS[text]
    if is_function:
        return FUNCTIONS.get(text) or rf"\operatorname{{{_escaped(text)}}}"
    is_upright = len(text) > 1 or not text.isascii() or element.get("mathvariant") == "normal"
    return rf"\mathrm{{{_escaped(text)}}}" if is_upright else text


def _escaped(text: str) -> str:
    return text.replace("_", r"\_")
