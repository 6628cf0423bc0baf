r"""Reads the subset of LaTeX that :mod:`backprop_cli.renderers.formula_latex` prints, and nothing else.

Every brace must be one the printer writes, so a formula that LaTeX would set differently from what it says is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from backprop_cli.language import tree
from backprop_cli.library.functions import FUNCTIONS
from tests.reading_back.grammar import REDUCTIONS, Reader, Token, TwoSided, UnreadableFormula

COMMANDS = {f"\\{name}": name for name in ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min")}
FUNCTION_OF = {entry.symbol: name for name, entry in FUNCTIONS.items()}
_COMMANDS = r"""\alpha \beta \gamma \delta \varepsilon \zeta \eta \theta \kappa \lambda \mu \nu \xi \pi \rho \sigma \tau
    \phi \chi \psi \omega \Gamma \Delta \Theta \Lambda \Xi \Pi \Sigma \Phi \Psi \Omega"""
GREEK = dict(zip(_COMMANDS.split(), "αβγδεζηθκλμνξπρστφχψωΓΔΘΛΞΠΣΦΨΩ", strict=True))


class LatexReader(Reader):
    PATTERN = re.compile(
        r"(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?: \\times 10\^\{-?[0-9]+\})?)"
        r"|(?P<name>\\(?:mathrm|text)\{(?:[^\W_]|\\_|\$\\[A-Za-z]+\$|[«»\u0300-\u036f])+\}|\\hat\{(?:[A-Za-z]|\\[A-Za-z]+)\}|[A-Za-z])"
        r"|(?P<function>\\operatorname\{(?:[A-Za-z0-9]|\\_)+\}'?)"
        r"|(?P<special>\\mathbf\{[1I]\})"
        r"|(?P<word>\\text\{if \}|\\text\{otherwise\}|\\begin\{cases\}|\\end\{cases\})"
        r"|(?P<command>\\left\||\\right\||\\\\|\\,|\\[A-Za-z]+)"
        r"|(?P<operator>&=|[-+<>=()\[\]{}^_,&'])"
    )
    TIMES, HADAMARD = r"\cdot", r"\odot"
    COMPARISONS = {"<": "<", r"\le": "<=", ">": ">", r"\ge": ">=", "=": "==", r"\ne": "!="}

    def _scan(self, text: str) -> Iterator[Token]:
        for token in super()._scan(text):
            if token.text not in (r"\left", r"\right", r"\Bigl", r"\Bigr"):
                yield Token("name", token.text, token.is_glued) if token.text in GREEK else token

    def factor(self) -> tree.Node:
        if self.peek().text == r"\sum":
            return self._summed()
        parts = [self._power()]
        while self.take(r"\,"):
            parts.append(self._power())
        return parts[0] if len(parts) == 1 else tree.MatrixProduct(tuple(parts))

    def _summed(self) -> tree.Node:
        self.expect(r"\sum", "_", "{")
        index = self._letter(self.next().text)
        has_limit = self.take("=")
        if has_limit:
            self.expect("1")
        self.expect("}")
        limit = int(self._group_text()) if has_limit else 0
        node = tree.Reduction("sum", self.product(), (index,), (limit,) if has_limit else ())
        if has_limit:
            self.limits.append((node, limit))
        return node

    def _group_text(self) -> str:
        self.expect("^", "{")
        text = self.next().text
        self.expect("}")
        return text

    def _group(self) -> tree.Node:
        self.expect("{")
        node = self.inside()
        self.expect("}")
        return node

    def _power(self) -> tree.Node:
        node = self._atom()
        if not self.take("^"):
            return node
        if self.peek(1).text == r"\top":
            self.expect("{", r"\top", "}")
            return tree.Transposed(node)
        return tree.Power(node, self._group())

    def _atom(self) -> tree.Node:
        token = self.next()
        match token.kind, token.text:
            case "number", text:
                mantissa, _, power = text.partition(r" \times 10^{")
                return tree.Number(f"{mantissa}e{power[:-1]}" if power else mantissa)
            case _, "(" | "[":
                node = self.inside()
                self.expect(")" if token.text == "(" else "]")
                if (token.text == "[") != isinstance(node, tree.Comparison | TwoSided):
                    raise self.error("a bracket that compares nothing, or a comparison without one")
                return node
            case _, r"\left|":
                node = self.inside()
                self.expect(r"\right|")
                return tree.Apply("abs", (node,))
            case _, r"\sqrt":
                return tree.Apply("sqrt", (self._group(),))
            case _, r"\frac":
                return self._fraction()
            case _, r"\begin{cases}":
                return self._choice()
            case "special", text:
                return self._special(text[-2])
            case "function", text:
                return self._function(self._plain(text.rstrip("'")), is_prime=text.endswith("'"))
            case "command", text if text in COMMANDS:
                return self._function(COMMANDS[text], is_prime=self.take("'"))
            case "name", r"\mathrm{d}":
                return self._differential()
            case "name", text:
                return self._name(self._letter(text))
        raise self.error(f"{token.text!r} begins nothing")

    def _fraction(self) -> tree.Node:
        if self.peek(1).text != r"\partial":
            above = self._group()
            return tree.Quotient(above, self._group())
        self.expect("{", r"\partial")
        of = self._named(self._letter(self.next().text))
        self.expect("}", "{", r"\partial")
        by = self._named(self._letter(self.next().text))
        self.expect("}")
        return self.derivative(of, by)

    def _differential(self) -> tree.Differential:
        r"""``\mathrm{d}x``; a space where a word follows, or where there is a dx."""
        is_apart = self.take(r"\,")
        name = self._letter(self.next().text)
        of = self._named(name)
        if not isinstance(of, tree.Place) or is_apart != self.is_set_apart(of):
            raise self.error(f"a differential of {name}")
        return tree.Differential(of)

    def _choice(self) -> tree.Node:
        then = self.sum()
        self.expect("&", r"\text{if }")
        condition = self.inside()
        self.expect(r"\\")
        otherwise = self.sum()
        self.expect("&", r"\text{otherwise}", r"\end{cases}")
        return tree.Apply("where", (condition, then, otherwise))

    def _special(self, kind: str) -> tree.Node:
        self.expect("_", "{")
        rows = tree.Number(self.next().text)
        columns = tree.Number(self.next().text) if self.take(r"\times") else tree.Number("1")
        self.expect("}")
        return tree.Ones(rows, columns) if kind == "1" else tree.Identity(rows)

    def _function(self, name: str, is_prime: bool) -> tree.Node:
        if name == "onehot":
            self.expect("_", "{")
            size = tree.Number(self.next().text)
            self.expect("}")
            return tree.OneHot(*self._arguments(), size)
        if name == "diag":
            return tree.Diagonal(*self._arguments())
        if self.take("_"):
            if name not in REDUCTIONS or is_prime:
                raise self.error(f"{name} reduces nothing")
            self.expect("{")
            indices = [self._letter(self.next().text)]
            while self.take(","):
                indices.append(self._letter(self.next().text))
            self.expect("}")
            (body,) = self._arguments()
            return tree.Reduction(name, body, tuple(indices))
        arguments = self._arguments()
        return tree.Prime(name, arguments[0]) if is_prime else tree.Apply(name, arguments)

    def _arguments(self) -> tuple[tree.Node, ...]:
        self.expect("(")
        found = [self.inside()]
        while self.take(","):
            found.append(self.inside())
        self.expect(")")
        return tuple(found)

    def _name(self, letter: str) -> tree.Node:
        if letter == "δ" and self.names.is_free("δ"):
            if self.peek(2).text == "[":
                return self._transposed(self.delta(self._layer()))
            left, right = self._below(is_one=False)
            return tree.Comparison("==", left, right)
        if letter == "π" and self.names.is_free("π"):
            return tree.Number("π")
        if letter in FUNCTION_OF and self.names.is_free(letter) and self.peek().text in ("(", "'"):
            return self._function(FUNCTION_OF[letter], is_prime=self.take("'"))
        return self._named(letter)

    def _named(self, letter: str) -> tree.Node:
        if self.peek().text == "_":
            at = self.at
            self._below(is_one=False)
            layer = self._layer()
            self.at = at
            worded = self._worded(letter, layer)
            if worded is not None and self.take("}"):
                return self._transposed(self.place(worded, self._layer(), None))
            if worded is not None:
                self.expect(",")
            name = letter if worded is None else worded
            positions = self._below(is_one=self.has_one_axis(name, layer), is_open=worded is not None)
            self._layer()
            return self.place(name, layer, positions)
        return self._transposed(self.place(letter, self._layer(), None))

    def _worded(self, letter: str, layer: str) -> str | None:
        """``W_xh`` where an upright word below the letter belongs to the name; a word may be an index too, but only
        where the letter alone is an array."""
        first = self.peek(2).text
        if not first.startswith((r"\mathrm", r"\text")) or any(
            shown.shape and shown.layer == layer and letter in (shown.element, shown.array)
            for shown in self.names.quantities.values()
        ):
            return None
        self.expect("_", "{", first)
        return f"{letter}_{self._plain(first)}"

    def _layer(self) -> str:
        """``^{[2]}``; of ``^{[2]\\top}`` the beginning. A comparison in brackets is an exponent."""
        if self.peek().text != "^" or self.peek(2).text != "[" or self.peek(4).text != "]":
            return ""
        self.expect("^", "{", "[")
        layer = self.next().text
        self.expect("]")
        self._is_transposed = self.take(r"\top")
        self.expect("}")
        return layer

    _is_transposed = False

    def _transposed(self, node: tree.Node) -> tree.Node:
        is_transposed, self._is_transposed = self._is_transposed, False
        return tree.Transposed(node) if is_transposed else node

    def _below(self, is_one: bool, is_open: bool = False) -> tuple[tree.Node, ...]:
        """Positions under a letter: single letters and digits run together, anything else with commas."""
        if not is_open:
            self.expect("_", "{")
        found: list[tree.Node] = []
        commas = 0
        while True:
            if self.peek().kind == "number" and self.peek(1).text not in (r"\cdot", "+", "-"):
                digits = self.next().text
                together = self.peek().text == "," or commas or is_one
                found += [tree.Number(digits)] if together else [tree.Number(digit) for digit in digits]
            elif self.peek().kind == "name" and self.peek(1).kind in ("name", "number") and not commas:
                found.append(self.index_or_scalar(self._letter(self.next().text)))
                continue
            else:
                found.append(self.inside())
            if self.take("}"):
                return tuple(found)
            if self.take(","):
                commas += 1

    def _letter(self, text: str) -> str:
        if text.startswith(r"\hat"):
            return unicodedata.normalize("NFC", self._letter(text[5:-1]) + "\N{COMBINING CIRCUMFLEX ACCENT}")
        return GREEK.get(text) or self._plain(text)

    def _plain(self, text: str) -> str:
        inside = text[text.index("{") + 1 : -1] if "{" in text else text
        inside = re.sub(r"\$(\\[A-Za-z]+)\$", lambda found: GREEK[found[1]], inside)
        if "\\" in inside.replace(r"\_", ""):
            raise UnreadableFormula(f"a command in the name {text!r}")
        return inside.replace(r"\_", "_")
