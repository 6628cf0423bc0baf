"""From SymPy to the syntax tree: how a derived formula is laid out for the eye, before any output format.

SymPy keeps sums and products in an order of its own. Here they get a reader's order: the number first, then simple
factors, then brackets; positive terms before negative ones; a division as one fraction; nested sums as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sympy import Add, Expr, Function, Integer, Mul, Pow, Rational, S, Symbol, sqrt
from sympy.core.function import AppliedUndef

from backprop_cli.language import tree
from backprop_cli.symbolic.formulas import Term, coefficient
from backprop_cli.symbolic.functions import CLASSES
from backprop_cli.symbolic.notation import (
    Adjoint,
    Compare,
    Local,
    Place,
    Reduce,
    Slope,
    Truncated,
    Where,
    is_by_step,
    without_step,
)

COST = "J"
SIMPLE = (tree.Place, tree.Power, tree.Apply)
SMALL = Rational(1, 100)  # a smaller number keeps a division finite, and stands last: √(var + ε)
DECIMAL_DENOMINATORS = frozenset(10**power for power in range(2, 19))


def tree_of(expression: Expr) -> tree.Node:
    """The syntax tree of a SymPy expression in index notation.

    Raises TypeError for a SymPy node that formulas of networks do not contain.
    """
    if isinstance(expression, Adjoint):
        step = (_position(expression.positions[0]),) if is_by_step(expression.name) else ()
        return tree.Partial(tree.Place(COST, step), position_tree(expression))
    if isinstance(expression, Place):
        return position_tree(expression)
    if isinstance(expression, Local):
        return tree.Partial(position_tree(expression.of), position_tree(expression.by))
    if isinstance(expression, Slope):
        return tree.Prime(expression.function, tree_of(expression.argument))
    if isinstance(expression, Reduce):
        return _reduction(expression)
    if isinstance(expression, Truncated):
        return tree_of(expression.value)
    if isinstance(expression, Compare):
        return tree.Comparison(expression.operator, _position(expression.left), _position(expression.right))
    if isinstance(expression, Where):
        return _choice(expression)
    if isinstance(expression, Symbol):
        return tree.Place(expression.name)
    if expression.is_Number:
        return _number(expression)
    if isinstance(expression, Add):
        content, primitive = expression.as_content_primitive()
        if content.is_Integer and content != S.One:
            return product_tree((content, primitive))
        return _sum(expression.as_ordered_terms())
    if isinstance(expression, Mul):
        return product_tree(_reading_order(expression))
    if isinstance(expression, Pow):
        return _power(expression)
    if isinstance(expression, Function) and not isinstance(expression, AppliedUndef):
        return tree.Apply(expression.func.__name__.lower(), tuple(map(tree_of, expression.args)))
    return _constant(expression)


def cost_of(step: str) -> tree.Place:
    """J_s, the cost of one step, by the name of its index."""
    return tree.Place(COST, (tree.Place(step),))


def _choice(expression: Where) -> tree.Node:
    """A choice; that between 1, -1 and 0 which defines the sign of an argument is the sign."""
    condition = expression.condition
    if isinstance(condition, Compare) and expression == CLASSES["sign"](condition.left).definition:
        return tree.Apply("sign", (tree_of(condition.left),))
    return tree.Apply("where", tuple(map(tree_of, expression.args)))


def position_tree(place: Place) -> tree.Place:
    """A place with its positions as sums that end in their number: ``x[p + k - 1]``. A copy for each J_s is written as
    the quantity that it has the value of."""
    place = without_step(place) if is_by_step(place.name) else place
    return tree.Place(place.name, tuple(_position(position) for position in place.positions))


def _position(position: Expr) -> tree.Node:
    """A position, or a side of a comparison, its number last; steps of more than one count from the first:
    ``2*(p - 1) + k`` rather than ``2*p + k - 2``."""
    if not isinstance(position, Add):
        return tree_of(position)
    number, rest = position.as_coeff_Add()
    terms: list[tree.Node] = []
    for term in rest.as_ordered_terms():
        step, symbol = term.as_coeff_Mul()
        if abs(step) > 1 and isinstance(symbol, Symbol) and abs(number + step) < abs(number):
            number += step
            counted = tree.Add((tree.Place(symbol.name), tree.Negative(tree.Number("1"))))
            product = tree.Product((tree.Number(str(abs(step))), counted))
            terms.append(tree.Negative(product) if step < 0 else product)
        else:
            terms.append(tree_of(term))
    terms.sort(key=lambda node: (isinstance(node, tree.Negative), not isinstance(node, tree.Product)))
    if number:
        terms.append(_number(number))
    return tree.Add(tuple(terms))


def _constant(expression: Expr) -> tree.Node:
    if expression is S.Pi:
        return tree.Number("π")
    if expression is S.Exp1:
        return tree.Apply("exp", (tree.Number("1"),))
    raise TypeError(f"a formula of a network does not contain {type(expression).__name__}")


def _reduction(expression: Reduce) -> tree.Node:
    body, indices, sizes = expression.body, [expression.bound.name], [expression.size]
    while isinstance(body, Reduce) and body.operation == expression.operation and not body.operation.startswith("arg"):
        indices.append(body.bound.name)
        sizes.append(body.size)
        body = body.body
    return tree.Reduction(expression.operation, tree_of(body), tuple(indices), tuple(sizes))


def _number(number: Expr) -> tree.Node:
    if number.is_negative:
        return tree.Negative(_number(-number))
    if isinstance(number, Integer):
        return tree.Number(str(number))
    if isinstance(number, Rational):
        if _is_decimal(number):
            return tree.Number(f"{float(number):.17g}" if float(number) == number else str(float(number)))
        return tree.Quotient(tree.Number(str(number.p)), tree.Number(str(number.q)))
    return tree.Number(repr(float(number)))


def _is_decimal(number: Rational) -> bool:
    """Whether a fraction reads better as the decimal it came from: 0.01 rather than 1/100, but 1/10 and 3/4."""
    denominator = number.q
    if denominator <= 12:
        return False
    while denominator % 2 == 0:
        denominator //= 2
    while denominator % 5 == 0:
        denominator //= 5
    return denominator == 1 and (number.p != 1 or number.q in DECIMAL_DENOMINATORS)


def _sum(terms: Sequence[Expr]) -> tree.Node:
    positive = [term for term in terms if not term.could_extract_minus_sign() or _leading(term) > 0]
    negative = [term for term in terms if term not in positive]
    if any(term.has(Function) for term in positive):
        positive.sort(key=lambda term: int(term.count_ops()))
    numbers = [term for term in positive if term.is_Number]
    rest = [term for term in positive if not term.is_Number]
    ordered = [*rest, *numbers] if any(number < SMALL for number in numbers) else [*numbers, *rest]
    ordered += negative
    return tree.Add(tuple(tree_of(term) for term in ordered))


def _leading(term: Expr) -> Expr:
    return term.as_coeff_Mul()[0]


def _reading_order(expression: Mul) -> list[Expr]:
    def rank(factor: Expr) -> tuple[int, ...]:
        if factor.is_Number:
            return (0,)
        if isinstance(factor, Adjoint):
            return (1,)
        if isinstance(factor, Add):
            return (4,)
        if isinstance(factor, Place):
            return (2, 0 if factor.name[0].isupper() else 1)  # a matrix before the vector it is applied to
        return (5,) if factor.has(Reduce) else (3,) if factor.has(Function) else (2, 1)

    return sorted(expression.as_ordered_factors(), key=rank)


def product_tree(factors: Iterable[Expr]) -> tree.Node:
    """A product in the order given, its divisions gathered in one fraction and its sign in front."""
    number, unnumbered = coefficient(tuple(factors))
    if number.is_negative:
        positive = product_tree((-number, *unnumbered) if number is not S.NegativeOne else unnumbered)
        return tree.Negative(positive)
    number, under_root, rest = _roots(number, unnumbered)
    above = [factor for factor in rest if not _divides(factor)]
    below = [1 / factor for factor in rest if _divides(factor)]
    nodes: list[tree.Node] = [tree_of(factor) for factor in _with_brackets_together(above)]
    bottom: list[tree.Node] = [tree_of(factor) for factor in below]
    top_root, bottom_root = under_root.as_numer_denom()
    if top_root is not S.One:
        nodes.insert(0, tree.Apply("sqrt", (tree_of(top_root),)))
    if bottom_root is not S.One:
        bottom.insert(0, tree.Apply("sqrt", (tree_of(bottom_root),)))
    if bottom or (
        number.q != 1 and nodes and all(isinstance(node, SIMPLE) for node in nodes) and not _is_decimal(number)
    ):
        front = [
            node for node in nodes if isinstance(node, tree.Partial)
        ]  # a derivative above another line reads badly
        nodes = [node for node in nodes if node not in front]
        top = _product([tree.Number(str(number.p)), *nodes] if number.p != 1 or not nodes else nodes)
        under = _product([tree.Number(str(number.q)), *bottom] if number.q != 1 else bottom)
        return _product([*front, tree.Quotient(top, under)])
    if number is not S.One:
        nodes.insert(0, _number(number))
    return _product(nodes)


def _with_brackets_together(factors: Sequence[Expr]) -> list[Expr]:
    """The factors with the two brackets e ≥ a and e ≤ b of one e side by side, and without those that another factor
    implies: a position of a largest value, ``[e = argmax]``, is inside its range."""
    bounds = [factor for factor in factors if isinstance(factor, Compare) and factor.operator in (">=", "<=")]
    ends = {(bound.left, bound.operator): bound for bound in bounds}
    if len(ends) < len(bounds):
        return list(factors)
    result: list[Expr] = []
    for factor in factors:
        if factor not in bounds:
            result.append(factor)
            continue
        pair = [ends.pop((factor.left, operator), None) for operator in (">=", "<=")]
        result += [bound for bound in pair if bound is not None and not _is_implied(bound, factors)]
    return result


def _is_implied(bound: Compare, factors: Sequence[Expr]) -> bool:
    found = [
        factor.right
        for factor in factors
        if isinstance(factor, Compare) and (factor.operator, factor.left) == ("==", bound.left)
    ]
    extremes = [right for right in found if isinstance(right, Reduce) and right.operation in ("argmax", "argmin")]
    if bound.operator == ">=":
        return bool(bound.right <= 1) and bool(extremes)
    return any(extreme.size <= bound.right for extreme in extremes)


def _roots(number: Expr, factors: Sequence[Expr]) -> tuple[Expr, Expr, list[Expr]]:
    """The number of a product, what stands under one root beside it, and the other factors: 1/√(2π) in place of
    √2/(2√π)."""
    roots = [factor for factor in factors if _is_root(factor)]
    rest = [factor for factor in factors if not _is_root(factor)]
    if not roots:
        return number, S.One, rest
    square = Mul(*(root**2 for root in roots))
    above, below = (number**2 * square).as_numer_denom()
    whole, under = S.One, S.One
    for side, sign in ((above, 1), (below, -1)):
        if side.is_Integer and sqrt(side).is_Integer:
            whole *= sqrt(side) ** sign
        else:
            under *= side**sign
    return whole, under, rest


def _is_root(factor: Expr) -> bool:
    return isinstance(factor, Pow) and bool(factor.is_number) and factor.exp in (S.Half, -S.Half)


def _divides(factor: Expr) -> bool:
    return isinstance(factor, Pow) and bool(factor.exp.could_extract_minus_sign())


def _product(nodes: Sequence[tree.Node]) -> tree.Node:
    if not nodes:
        return tree.Number("1")
    flat = [part for node in nodes for part in (node.factors if isinstance(node, tree.Product) else (node,))]
    return flat[0] if len(flat) == 1 else tree.Product(tuple(flat))


def _power(expression: Pow) -> tree.Node:
    if _divides(expression):
        return tree.Quotient(tree.Number("1"), tree_of(1 / expression))
    if expression.exp == S.Half:
        return tree.Apply("sqrt", (tree_of(expression.base),))
    return tree.Power(tree_of(expression.base), tree_of(expression.exp))


def term_tree(term: Term) -> tree.Node:
    """``Σ (product)`` with the factors in teaching order; a factor that no sum concerns stands in front of the sum."""
    if not term.sums:
        return product_tree(term.factors)
    number, rest = coefficient(term.factors)
    if all(isinstance(f, Adjoint | Local) or f.free_symbols & term.bound for f in rest):
        outside, inside = (), tuple(rest)
    else:
        outside = tuple(factor for factor in rest if not factor.free_symbols & term.bound)
        inside = tuple(factor for factor in rest if factor.free_symbols & term.bound)
    if number.is_negative:
        return tree.Negative(term_tree(Term(term.sums, (-number, *rest))))
    body = product_tree(inside)
    indices, sizes = zip(*((symbol.name, size) for symbol, size in term.sums), strict=True)
    total = tree.Reduction("sum", body, indices, sizes)
    front = [product_tree((number, *outside))] if outside or number is not S.One else []
    return _product([*front, total])


def terms_tree(terms: Sequence[Term]) -> tree.Node:
    """The sum of the terms, those with a minus sign last where another can stand first; no terms are 0."""
    if not terms:
        return tree.Number("0")
    nodes = [term_tree(term) for term in terms]
    if isinstance(nodes[0], tree.Negative):
        nodes.sort(key=lambda node: isinstance(node, tree.Negative))
    flat = [part for node in nodes for part in (node.terms if isinstance(node, tree.Add) else (node,))]
    return flat[0] if len(flat) == 1 else tree.Add(tuple(flat))
