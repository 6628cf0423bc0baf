"""Reads what :mod:`backprop_cli.renderers.formula_text` prints: the equation language, derivatives and matrices."""

from __future__ import annotations

import re

from backprop_cli.language import tree
from backprop_cli.language.grammar import used_as_positions
from tests.reading_back.grammar import REDUCTIONS, Reader, UnreadableFormula

MATRICES = {"ones": tree.Ones, "eye": tree.Identity, "diag": tree.Diagonal, "onehot": tree.OneHot}


class TextReader(Reader):
    PATTERN = re.compile(
        r"(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
        r"|(?P<name>[^\W\d_][\w\u0300-\u036f]*)|(?P<operator>\*\*|==|!=|<=|>=|\.T\b|[-+*/<>=(),\[\]'@])"
    )
    COMPARISONS = {sign: sign for sign in ("<", "<=", ">", ">=", "==", "!=")}

    def product(self) -> tree.Node:
        node = self.factor()
        while self.peek().text in ("*", "/", "@"):
            sign = self.next().text
            right = self.factor()
            if sign == "/":
                node = tree.Quotient(node, right)
            else:
                kind = tree.Product if sign == "*" else tree.MatrixProduct
                node = kind((*node.factors, right)) if isinstance(node, kind) else kind((node, right))
        return node

    def factor(self) -> tree.Node:
        base = self._atom()
        while self.take(".T"):
            base = tree.Transposed(base)
        return tree.Power(base, self._atom()) if self.take("**") else base

    def _atom(self) -> tree.Node:
        token = self.next()
        if token.kind == "number":
            return tree.Number(token.text)
        if token.text == "(":
            node = self.inside()
            self.expect(")")
            return tree.Product((node,)) if isinstance(node, tree.Product) else node
        if token.kind != "name":
            raise self.error(f"{token.text!r} begins nothing")
        return self._derivative(token.text) or self._differential(token.text) or self._name(token.text)

    def _derivative(self, name: str) -> tree.Node | None:
        """``dJ/dW1[i,j]``, one symbol without blanks."""
        start = self.at
        if name[0] == "d" and (name[1:] in self.names or name[1:] == self.names.cost):
            of = self._positioned(name[1:])
            slash, by = self.peek(), self.peek(1)
            if (
                slash.text == "/"
                and slash.is_glued
                and by.is_glued
                and by.text[:1] == "d"
                and by.text[1:] in self.names
            ):
                self.at += 2
                return self.derivative(of, self._positioned(by.text[1:]))
        self.at = start
        return None

    def _differential(self, name: str) -> tree.Node | None:
        """``dW1[i,j]``; ``d w`` where there is a dw."""
        if name == "d" and self.peek().kind == "name":
            return self._change_of(self.next().text)
        if name in self.names or name[0] != "d" or name[1:] not in self.names:
            return None
        return self._change_of(name[1:])

    def _change_of(self, name: str) -> tree.Differential:
        of = self._positioned(name)
        if not isinstance(of, tree.Place):
            raise self.error(f"the change of the whole of {name}")
        return tree.Differential(of)

    def _name(self, name: str) -> tree.Node:
        if name == "pi" and name not in self.names:
            return tree.Number("π")
        if self.take("'"):
            (argument,) = self._arguments()
            return tree.Prime(name, argument)
        if self.peek().text != "(":
            return self._positioned(name)
        arguments = self._arguments()
        if name in MATRICES:
            return MATRICES[name](*arguments)
        rest = [part.name for part in arguments[1:] if isinstance(part, tree.Place) and not part.positions]
        is_reduction = name in REDUCTIONS and rest and len(rest) == len(arguments) - 1
        if is_reduction and (name not in ("max", "min") or set(rest) & used_as_positions(arguments[0])):
            return tree.Reduction(name, arguments[0], tuple(rest))
        return tree.Apply(name, arguments)

    def _arguments(self) -> tuple[tree.Node, ...]:
        self.expect("(")
        found = [self.inside()]
        while self.take(","):
            found.append(self.inside())
        self.expect(")")
        return tuple(found)

    def _positioned(self, name: str) -> tree.Place | tree.Matrix:
        if self.peek().text != "[":
            known = self.names[name]
            return tree.Matrix(name) if name in self.names and known.shape else tree.Place(name)
        self.next()
        positions = [self.inside()]
        while self.take(","):
            positions.append(self.inside())
        self.expect("]")
        name = self.one_step(name) or name
        if name not in self.names or len(positions) != len(self.names[name].shape):
            raise UnreadableFormula(f"{name} has not {len(positions)} positions in {self.source!r}")
        return tree.Place(name, tuple(positions))
