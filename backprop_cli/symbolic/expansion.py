"""A quantity or a gradient written in inputs and parameters alone, for networks small enough to be read so."""

from __future__ import annotations

from collections import Counter

from sympy import Add, Expr, Integer, Pow, S

from backprop_cli.errors import BackpropError
from backprop_cli.symbolic.derivation import Adjoints
from backprop_cli.symbolic.notation import HOLDS, Adjoint, Compare, Place, Reduce, Where, places
from backprop_cli.translation import tr

MOST_OPERATIONS = 3_000
HIGHEST_POWER = 1_000  # powers of powers multiply: (2x)**1000 in a few equations would fill the memory with one number


class Expansion:
    """Expands entries of one network; what it has expanded once it keeps."""

    def __init__(self, adjoints: Adjoints) -> None:
        self.adjoints = adjoints
        self.graph = adjoints.graph
        self._rules: dict[Place, tuple[Expr, Counter[Place]]] = {}
        self._values: dict[Place, tuple[Expr, int]] = {}
        self._powers: dict[Place, int] = {}

    def expanded(self, place: Place) -> Expr:
        """The value of a place with whole-number positions, an adjoint's or a quantity's, in given quantities alone.

        Raises BackpropError where it would take more than :data:`MOST_OPERATIONS` operations.
        """
        return self._value(place)[0]

    def _value(self, place: Place) -> tuple[Expr, int]:
        if place not in self._values:
            waiting = [place]
            met = {place}
            while waiting:
                current = waiting[-1]
                uses = self._rule(current)[1]
                # Each place that is met counts once at least; to add up their sizes would take much longer.
                met.update(uses)
                if len(met) > MOST_OPERATIONS:
                    raise _too_long()
                missing = [inner for inner in sorted(uses, key=str) if inner not in self._values]
                waiting.extend(missing)
                if not missing:
                    waiting.pop()
                    self._values.setdefault(current, self._put_together(current))
        return self._values[place]

    def _put_together(self, place: Place) -> tuple[Expr, int]:
        rule, uses = self._rule(place)
        if rule == place:
            return place, 1
        size = int(rule.count_ops()) + 1 + sum(self._values[inner][1] * count for inner, count in uses.items())
        if size > MOST_OPERATIONS:
            raise _too_long()
        self._powers[place] = self._highest_power(rule)
        return rule.xreplace({inner: self._values[inner][0] for inner in uses}), size

    def _highest_power(self, rule: Expr) -> int:
        """The highest whole power in a rule once everything is put in."""
        highest = max((self._powers.get(inner, 1) for inner in rule.atoms(Place)), default=1)
        for node in rule.atoms(Pow):
            inside = max((self._powers.get(inner, 1) for inner in node.base.atoms(Place)), default=1)
            highest = max(highest, inside * abs(int(node.exp)) if node.exp.is_Integer else inside)
        if highest > HIGHEST_POWER:
            message = tr(
                "written in inputs and parameters alone, this formula has powers above {most}; leave out --expand"
            )
            raise BackpropError(message.format(most=HIGHEST_POWER))
        return highest

    def _rule(self, place: Place) -> tuple[Expr, Counter[Place]]:
        """What a place is made of, and the places in it, each as often as it stands there."""
        if place not in self._rules:
            rule = self._written_out(place)
            uses = Counter(inner for inner in places(rule) if inner != place)
            self._rules[place] = rule, uses
        return self._rules[place]

    def _written_out(self, place: Place) -> Expr:
        """What a place is made of, with its numbers put in and every reduction written out."""
        if isinstance(place, Adjoint):
            formula = self.adjoints.formulas[place.name]
            numbers = dict(zip(formula.indices, place.positions, strict=True))
            return written_out(Add(*(term.expression.xreplace(numbers) for term in formula.terms)))
        quantity = self.graph[place.name]
        inside = (not p.is_Integer or 1 <= p <= size for p, size in zip(place.positions, quantity.shape, strict=True))
        if not all(inside):
            return S.Zero
        if quantity.definition is None:
            return place
        return written_out(quantity.definition.xreplace(dict(zip(quantity.indices, place.positions, strict=True))))


def _too_long() -> BackpropError:
    message = tr(
        "written in inputs and parameters alone, this formula has more than {most} operations; leave out --expand, or "
        "ask for one entry of a smaller network"
    )
    return BackpropError(message.format(most=MOST_OPERATIONS))


def written_out(expression: Expr) -> Expr:
    """The expression with every reduction replaced by its terms and every comparison between numbers decided."""
    if isinstance(expression, Compare) and not expression.has(Place, Reduce):
        return S(int(_holds(expression)))
    if not expression.has(Reduce, Compare):
        return expression
    if isinstance(expression, Reduce):
        if (length := _length(expression)) > MOST_OPERATIONS:
            message = tr("a sum of {length} terms is too long to write out; leave out --expand")
            raise BackpropError(message.format(length=length))
        terms = [
            written_out(expression.body.xreplace({expression.bound: Integer(number)}))
            for number in range(1, expression.size + 1)
        ]
        return Add(*terms) if expression.operation == "sum" else _extreme(expression.operation, terms)
    parts = [written_out(part) if isinstance(part, Expr) else part for part in expression.args]
    if isinstance(expression, Where) and parts[0].is_Integer:
        return parts[1] if parts[0] else parts[2]
    return expression.func(*parts)


def _length(expression: Expr) -> int:
    """The number of terms of the longest sum, sums inside it written out too."""
    inside = max((_length(part) for part in expression.args if isinstance(part, Expr)), default=1)
    return expression.size * inside if isinstance(expression, Reduce) else inside


def _extreme(operation: str, terms: list[Expr]) -> Expr:
    """max, min, argmax, argmin as nested choices; of equal values the first counts."""
    ahead_of = ">=" if operation.endswith("max") else "<="
    best, position = terms[0], S.One
    for number, term in enumerate(terms[1:], start=2):
        ahead = Compare(ahead_of, best, term)
        best, position = Where(ahead, best, term), Where(ahead, position, Integer(number))
    return position if operation.startswith("arg") else best


def _holds(comparison: Compare) -> bool:
    """Whether a comparison between numbers holds."""
    return bool(HOLDS[comparison.operator](comparison.left, comparison.right))
