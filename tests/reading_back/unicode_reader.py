"""Reads what :mod:`backprop_cli.renderers.formula_unicode` prints."""

from __future__ import annotations

import re

from backprop_cli.language import tree
from backprop_cli.library.functions import FUNCTIONS
from tests.reading_back.grammar import REDUCTIONS, Reader, TwoSided, UnreadableFormula

SMALL = dict(zip("₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", "0123456789aehijklmnoprstuvxβγρφχ", strict=True))
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻·", "0123456789-.", strict=True))
NOT_IN_NAMES = "".join(SMALL) + "ᵀ⁰¹²³⁴-⁹"
CHOOSING = ("if", "otherwise")
FUNCTION_OF = {entry.symbol: name for name, entry in FUNCTIONS.items()}


def raised(text: str) -> str:
    return "".join(RAISED[character] for character in text)


class UnicodeReader(Reader):
    PATTERN = re.compile(
        rf"(?P<number>[0-9]+(?:\.[0-9]*)?(?:×10[⁻⁰¹²³⁴-⁹]+)?|\.[0-9]+(?:×10[⁻⁰¹²³⁴-⁹]+)?)"
        rf"|(?P<layer>⁽[⁰¹²³⁴-⁹·]+⁾)|(?P<power>[⁻⁰¹²³⁴-⁹]+)|(?P<small>[{''.join(SMALL)}]+)|(?P<transposed>ᵀ)"
        rf"|(?P<name>«[^»]+»|(?![{NOT_IN_NAMES}])[^\W\d_](?:(?![{NOT_IN_NAMES}])[\w\u0300-\u036f])*)"
        rf"|(?P<operator>[-−+·⊙/=<>≤≥≠()\[\]{{}}|,√∂Σ∑′^])"
    )
    MINUS, TIMES = "−", "·"
    COMPARISONS = {"<": "<", "≤": "<=", ">": ">", "≥": ">=", "=": "==", "≠": "!="}

    def factor(self) -> tree.Node:
        if self._begins_sum():
            return self._summed()
        numerator = self._juxtaposed()
        if not self.take("/"):
            return numerator
        return tree.Quotient(numerator, self._summed() if self._begins_sum() else self._juxtaposed())

    def _sum_sign(self) -> str:
        return "Σ" if self.names.is_free("Σ") else "∑"

    def _begins_sum(self) -> bool:
        return self.peek().text == self._sum_sign()

    def _summed(self) -> tree.Node:
        self.next()
        return tree.Reduction("sum", indices=self._indices(), body=self.product())

    def _indices(self) -> tuple[str, ...]:
        if self.peek().kind == "small":
            return tuple(SMALL[character] for character in self.next().text)
        self.expect("[")
        indices = [self.next().text]
        while self.take(","):
            indices.append(self.next().text)
        self.expect("]")
        return tuple(indices)

    def _juxtaposed(self) -> tree.Node:
        parts = [self._power()]
        while self._begins_matrix():
            parts.append(self._power())
        return parts[0] if len(parts) == 1 else tree.MatrixProduct(tuple(parts))

    def _begins_matrix(self) -> bool:
        if self.peek().kind == "name":
            return self.peek().text not in CHOOSING
        if self.peek().text == "|" and not self.peek().is_glued:  # a bar that closes stands at what it closes
            return True
        return self.peek().text in ("(", "{") or (self.peek().kind == "number" and self.peek(1).kind == "small")

    def _power(self) -> tree.Node:
        node = self._atom()
        if self.peek().kind == "transposed":
            self.next()
            node = tree.Transposed(node)
        if self.peek().kind == "power":
            digits = raised(self.next().text)
            number = tree.Number(digits.lstrip("-"))
            return tree.Power(node, tree.Negative(number) if digits[0] == "-" else number)
        return tree.Power(node, self._atom()) if self.take("^") else node

    def _atom(self) -> tree.Node:
        token = self.next()
        match token.kind, token.text:
            case "number", text:
                mantissa, _, power = text.partition("×10")
                if self.peek().kind == "small" and self.peek().is_glued:
                    return self._ones()
                return tree.Number(f"{mantissa}e{raised(power)}" if power else mantissa)
            case _, "(":
                node = self.inside()
                self.expect(")")
                return node
            case _, "[":
                node = self.inside()
                self.expect("]")
                if not isinstance(node, tree.Comparison | TwoSided):
                    raise self.error("a bracket that compares nothing")
                return node
            case _, "|":
                node = self.inside()
                self.expect("|")
                return tree.Apply("abs", (node,))
            case _, "√":
                return tree.Apply("sqrt", (self._atom(),))
            case _, "{":
                return self._choice()
            case _, "∂":
                of = self._named(self.next().text)
                self.expect("/", "∂")
                return self.derivative(of, self._named(self.next().text))
            case "name", name:
                return self._differential(name) or self._name(name)
        raise self.error(f"{token.text!r} begins nothing")

    def _differential(self, name: str) -> tree.Node | None:
        """``dxⱼ``; ``d W_xh[i,j]`` with a space before a word, ``d x`` where there is a dx."""
        start, is_apart = self.at, name == "d" and self.peek().kind == "name" and self.peek().text not in CHOOSING
        if name[0] != "d" or not (is_apart or self.names.is_free(name)):
            return None
        try:
            of = self._named(self.next().text if is_apart else name[1:])
        except UnreadableFormula:
            of = None
        if isinstance(of, tree.Place) and of.name in self.names and is_apart == self.is_set_apart(of):
            return tree.Differential(of)
        self.at = start
        return None

    def _ones(self) -> tree.Node:
        rows, _, columns = self._small_text().partition("x")
        return tree.Ones(tree.Number(rows), tree.Number(columns or "1"))

    def _small_text(self) -> str:
        return "".join(SMALL[character] for character in self.next().text)

    def _choice(self) -> tree.Node:
        then = self.sum()
        self.expect("if")
        condition = self.inside()
        self.expect(",")
        otherwise = self.sum()
        self.expect("otherwise", "}")
        return tree.Apply("where", (condition, then, otherwise))

    def _name(self, name: str) -> tree.Node:
        if name == "δ" and self.names.is_free("δ"):
            if self.peek().kind == "layer":
                return self.delta(raised(self.next().text[1:-1]))
            left, right = self.small_positions("".join(SMALL[c] for c in self.next().text), is_one=False)
            return tree.Comparison("==", left, right)
        if name == "π" and self.names.is_free("π"):
            return tree.Number("π")
        if self.peek().text == "′":
            self.next()
            self.expect("(")
            argument = self.inside()
            self.expect(")")
            return tree.Prime(FUNCTION_OF.get(name, name), argument)
        if name == ("I" if self.names.is_free("I") else "Id") and self.peek().kind == "small":
            return tree.Identity(tree.Number(self._small_text()))
        if name == "onehot" and self.peek().kind == "small":
            size = tree.Number(self._small_text())
            return tree.OneHot(*self._arguments(), size)
        if self.peek().text == "(" and self.peek().is_glued and name == "diag":
            return tree.Diagonal(*self._arguments())
        if self.peek().text == "(" and self.peek().is_glued:
            return tree.Apply(FUNCTION_OF.get(name, name), self._arguments())
        if name in REDUCTIONS and self._is_reduction():
            indices = self._indices()
            (body,) = self._arguments()
            return tree.Reduction(name, body, indices)
        return self._named(name)

    def _is_reduction(self) -> bool:
        start = self.at
        try:
            self._indices()
        except UnreadableFormula:
            return False
        else:
            return self.peek().text == "(" and self.peek().is_glued
        finally:
            self.at = start

    def _arguments(self) -> tuple[tree.Node, ...]:
        self.expect("(")
        found = [self.inside()]
        while self.take(","):
            found.append(self.inside())
        self.expect(")")
        return tuple(found)

    def _named(self, name: str) -> tree.Place | tree.Matrix:
        small = ""
        if self.peek().kind == "small" and self.peek().is_glued:
            small = "".join(SMALL[character] for character in self.next().text)
        layer = raised(self.next().text[1:-1]) if self.peek().kind == "layer" else ""
        if small:
            return self.place(name, layer, self.small_positions(small, self.has_one_axis(name, layer)))
        if self.peek().text == "[" and self.peek().is_glued:
            self.next()
            positions = [self.inside()]
            while self.take(","):
                positions.append(self.inside())
            self.expect("]")
            return self.place(name, layer, tuple(positions))
        return self.place(name, layer, None)
