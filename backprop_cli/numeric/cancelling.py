"""Adjoints in which exponentials cancel that would overflow or underflow each by itself.

An upstream gradient that divides by a probability (``-y/p``), or that belongs to a quantity that grows like an
exponential, is put in for its symbol where it multiplies an exponential; then the two cancel symbolically. The shown
formulas stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Add, Expr, Mul, Number, Pow

from backprop_cli.numeric.definitions import Definitions
from backprop_cli.numeric.exponentials import is_exponential
from backprop_cli.symbolic.formulas import Formula, Term
from backprop_cli.symbolic.notation import Adjoint, Place, Reduce, Where, fresh_index

MOST_TERMS = 24


def cancelled(term: Term, adjoints: Mapping[str, Formula], definitions: Definitions) -> list[Term]:
    """Terms that add up to the term, with the adjoints put in that should not be computed by themselves."""
    if not definitions or not any(_is_risky(place, adjoints, definitions) for place in _adjoints(term)):
        return [term]
    waiting, done = [term], list[Term]()
    while waiting:
        if len(waiting) + len(done) > MOST_TERMS:
            return [term]
        current = waiting.pop(0)
        following = _written_out(current, adjoints, definitions)
        if following == [current]:
            done.append(_chosen(current, definitions))
        else:
            waiting += following
    return [_probabilities_written_out(found, definitions) for found in done]


def _adjoints(term: Term) -> list[Adjoint]:
    return [place for factor in term.factors for place in factor.atoms(Adjoint)]


def _is_risky(place: Adjoint, adjoints: Mapping[str, Formula], definitions: Definitions) -> bool:
    """Whether the adjoint divides by something exponential, is that of a quantity that grows, or is just another name
    for such an adjoint."""
    while not definitions.grows(Place(place.name, *place.positions)):
        terms = adjoints[place.name].terms
        if any(_exponential_divisors(factor, definitions) for term in terms for factor in term.factors):
            return True
        others = [factor for factor in terms[0].factors if not isinstance(factor, Number)] if len(terms) == 1 else []
        if len(others) != 1 or not isinstance(others[0], Adjoint):
            return False
        place = others[0]
    return True


def _exponential_divisors(expression: Expr, definitions: Definitions) -> bool:
    powers = [power for power in expression.atoms(Pow) if power.exp.is_negative]
    return any(definitions.of(place) is not None for power in powers for place in power.base.atoms(Place))


def _multiplies_exponential(term: Term, definitions: Definitions) -> bool:
    parts = [part.as_base_exp() for factor in term.factors for part in Mul.make_args(factor)]
    return any(
        is_exponential(Pow(base, power)) or (power.is_positive and definitions.of(base) is not None)
        for base, power in parts
    )


def _written_out(term: Term, adjoints: Mapping[str, Formula], definitions: Definitions) -> list[Term]:
    """One step: a sum in which a risky adjoint stands is multiplied out, or the adjoint is put in."""
    if not _multiplies_exponential(term, definitions):
        return [term]
    for place, factor in enumerate(term.factors):
        if not any(_is_risky(adjoint, adjoints, definitions) for adjoint in factor.atoms(Adjoint)):
            continue
        rest = term.factors[:place] + term.factors[place + 1 :]
        if isinstance(factor, Adjoint):
            inner = adjoints[factor.name].at(factor.positions)
            return [_flat(Term((*term.sums, *part.sums), (*part.factors, *rest))) for part in inner]
        if isinstance(factor, Add):
            return [_flat(Term(term.sums, (part, *rest))) for part in factor.args]
        if isinstance(factor, Reduce) and factor.operation == "sum":
            bound = fresh_index(factor.bound.name)
            body = factor.body.xreplace({factor.bound: bound})
            return [_flat(Term((*term.sums, (bound, factor.size)), (*rest, body)))]
    return [term]


def _chosen(term: Term, definitions: Definitions) -> Term:
    """The exponentials of a product inside the first choice that divides by some: ``p·where(c, 1/p, 0)`` cancels."""
    choice = next((f for f in term.factors if isinstance(f, Where) and _exponential_divisors(f, definitions)), None)
    if choice is None or not _multiplies_exponential(term, definitions):
        return term
    rest = [factor for factor in term.factors if factor is not choice]
    inner = [f for f in rest if _multiplies_exponential(Term((), (f,)), definitions) or _divides(f, definitions)]
    branches = (Term((), Mul.make_args(Mul(branch, *inner))) for branch in (choice.then, choice.otherwise))
    written = (Mul(*_probabilities_written_out(branch, definitions).factors) for branch in branches)
    return Term(term.sums, (*(factor for factor in rest if factor not in inner), Where(choice.condition, *written)))


def _divides(factor: Expr, definitions: Definitions) -> bool:
    return isinstance(factor, Pow) and bool(_exponential_divisors(factor, definitions))


def _flat(term: Term) -> Term:
    """Products taken apart, equal factors merged: p/p is gone."""
    return Term(term.sums, Mul.make_args(Mul(*term.factors)))


def _probabilities_written_out(term: Term, definitions: Definitions) -> Term:
    """Where a probability divides what an exponential multiplies, both are written as exponentials."""
    if not any(_exponential_divisors(factor, definitions) for factor in term.factors):
        return term
    if not _multiplies_exponential(term, definitions):
        return term
    return Term(term.sums, Mul.make_args(definitions.written_out(Mul(*term.factors))))
