"""What the three readers share: tokens, and the order in which operators bind in every printed format.

Written apart from the printers on purpose: a reader knows only what a person knows who reads the page, the letters of
the quantities and how many positions each has.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from backprop_cli.documents.names import Names
from backprop_cli.language import tree
from backprop_cli.symbolic.notation import by_step

REDUCTIONS = frozenset({"sum", "mean", "max", "min", "argmax", "argmin"})


class UnreadableFormula(AssertionError):
    """A printed formula that its own grammar does not admit."""


class Token(NamedTuple):
    kind: str
    text: str
    is_glued: bool  # no blank before it


class TwoSided(tree.Product):
    """``[a ≤ e ≤ b]``, two factors of the product it stands in."""


class Reader:
    """A recursive descent over tokens. Subclasses say what the tokens and the atoms of their format are."""

    PATTERN: ClassVar[re.Pattern[str]]
    MINUS: ClassVar[str] = "-"
    TIMES: ClassVar[str] = "*"
    HADAMARD: ClassVar[str] = "⊙"
    COMPARISONS: ClassVar[dict[str, str]] = {}

    def __init__(self, text: str, names: Names) -> None:
        self.source = text
        self.names = names
        self.tokens = list(self._scan(text))
        self.at = 0
        self.limits: list[tuple[tree.Reduction, int]] = []  # Σ whose last value of the index is printed

    def _scan(self, text: str) -> Iterator[Token]:
        at = 0
        while at < len(text):
            blank = len(text) - len(text[at:].lstrip()) - at if text[at].isspace() else 0
            at += blank
            match = self.PATTERN.match(text, at)
            if match is None or not match[0]:
                raise UnreadableFormula(f"cannot read {text[at:]!r} of {text!r}")
            yield Token(str(match.lastgroup), match[0], blank == 0)
            at = match.end()

    # tokens

    def peek(self, ahead: int = 0) -> Token:
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else Token("end", "", False)

    def take(self, *texts: str) -> bool:
        if self.peek().text in texts and self.peek().kind != "end":
            self.at += 1
            return True
        return False

    def next(self) -> Token:
        token = self.peek()
        self.at += 1
        return token

    def expect(self, *texts: str) -> None:
        for text in texts:
            if not self.take(text):
                raise self.error(f"expected {text!r}")

    def error(self, message: str) -> UnreadableFormula:
        rest = " ".join(token.text for token in self.tokens[self.at : self.at + 6])
        return UnreadableFormula(f"{message} before {rest!r} in {self.source!r}")

    # the grammar

    def read(self) -> tree.Node:
        node = self.equality()
        if self.peek().kind != "end":
            raise self.error("nothing more expected")
        return node

    def equality(self) -> tree.Node:
        sides = [self.sum()]
        while self.take("=", "&="):
            sides.append(self.sum())
        return sides[0] if len(sides) == 1 else tree.Equality(tuple(sides))

    def inside(self) -> tree.Node:
        """A sum, or a comparison of two: what stands between brackets."""
        left = self.sum()
        if self.peek().text in self.COMPARISONS:
            operator = self.COMPARISONS[self.next().text]
            right = self.sum()
            if operator != "<=" or self.COMPARISONS.get(self.peek().text) != "<=":
                return tree.Comparison(operator, left, right)
            self.next()
            return TwoSided((tree.Comparison(">=", right, left), tree.Comparison("<=", right, self.sum())))
        return left

    def sum(self) -> tree.Node:
        terms = [self.term()]
        while self.peek().text in ("+", self.MINUS):
            if self.next().text == "+":
                terms.append(self.product())
            else:
                terms.append(tree.Negative(self.product()))
        return terms[0] if len(terms) == 1 else tree.Add(tuple(terms))

    def term(self) -> tree.Node:
        return tree.Negative(self.product()) if self.take(self.MINUS) else self.product()

    def product(self) -> tree.Node:
        factors = self._factors()
        sign = self.peek().text
        if sign not in (self.TIMES, self.HADAMARD):
            return factors[0] if len(factors) == 1 else tree.Product(tuple(factors))
        while self.take(sign):
            factors += self._factors()
        if self.peek().text in (self.TIMES, self.HADAMARD):
            raise self.error("· and ⊙ without brackets")
        return tree.Product(tuple(factors)) if sign == self.TIMES else tree.Hadamard(tuple(factors))

    def _factors(self) -> list[tree.Node]:
        factor = self.factor()
        return list(factor.factors) if isinstance(factor, TwoSided) else [factor]

    def factor(self) -> tree.Node:
        raise NotImplementedError

    # names

    def quantity(self, letter: str, layer: str, has_positions: bool) -> str | None:
        """The name of the quantity written with this letter and layer number."""
        for name, shown in self.names.quantities.items():
            if shown.layer == layer and letter == (shown.element if has_positions else shown.array):
                return name
        return None

    def place(self, letter: str, layer: str, positions: tuple[tree.Node, ...] | None) -> tree.Place | tree.Matrix:
        """The quantity at positions, the whole quantity, or an index."""
        name = self.quantity(letter, layer, positions is not None)
        if positions is not None:
            name = self.one_step(name)
            if name is None:
                raise UnreadableFormula(f"no quantity is written {letter} with layer {layer!r} in {self.source!r}")
            if len(positions) != len(self.names[name].shape):
                raise UnreadableFormula(f"{name} has not {len(positions)} positions in {self.source!r}")
            return tree.Place(name, positions)
        if name is not None:
            return tree.Matrix(name) if self.names[name].shape else tree.Place(name)
        if layer:
            raise UnreadableFormula(f"no quantity is written {letter} with layer {layer} in {self.source!r}")
        return tree.Place(letter)

    def one_step(self, name: str | None) -> str | None:
        """J[s] is the cost of one step, another quantity than J."""
        return by_step(name) if name == self.names.cost and by_step(name) in self.names else name

    def derivative(self, of: tree.Place | tree.Matrix, by: tree.Place | tree.Matrix) -> tree.Node:
        if isinstance(of, tree.Place) and isinstance(by, tree.Place):
            return tree.Partial(of, by)
        if of == tree.Place(self.names.cost) and isinstance(by, tree.Matrix):
            return tree.Gradient(by.name)
        if isinstance(of, tree.Place) and of.name == by_step(self.names.cost) and isinstance(by, tree.Matrix):
            return tree.StepGradient(of, by.name)
        return tree.Jacobian(of.name, by.name)

    def is_set_apart(self, place: tree.Place) -> bool:
        """Whether the d of a differential must not stand close to the name after it: with a word, or with a letter that
        makes another quantity's name with it, it would be read as one name."""
        shown = self.names[place.name]
        letters = {other.letter for other in self.names.quantities.values()}
        glyphs = [character for character in shown.element if not unicodedata.combining(character)]
        return len(glyphs) > 1 or f"d{shown.element}" in letters

    def delta(self, layer: str) -> tree.Node:
        name = self.quantity("z", layer, True) or self.quantity("z", layer, False)
        if name is None:
            raise self.error(f"there is no z with layer {layer}")
        return tree.Gradient(name, delta=True)

    def small_positions(self, text: str, is_one: bool) -> tuple[tree.Node, ...]:
        """``ij`` as two positions; ``12`` as one or as two, as the quantity has one or more."""
        if is_one and text.isdigit():
            return (tree.Number(text),)
        return tuple(tree.Number(c) if c.isdigit() else self.index_or_scalar(c) for c in text)

    def index_or_scalar(self, letter: str) -> tree.Place:
        return tree.Place(self.quantity(letter, "", False) or letter)

    def has_one_axis(self, letter: str, layer: str) -> bool:
        name = self.quantity(letter, layer, True)
        return name is not None and len(self.names[name].shape) == 1
