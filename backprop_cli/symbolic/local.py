"""Local derivatives ∂v/∂u of single equations, and the chain rule in Leibniz' notation that puts them together.

Where every place of u in v's equation names an index of v, that index is tied: ``∂z_i/∂w_ij`` says all there is, since
z_i has no other row of W in it. An index may be tied with a number added, as the step before in a recurrent network,
``∂h_t/∂h_{t-1}``; the chain rule then asks for the h_{t+1} that h_t enters. Where the places differ, as in softmax (z_i
above, z_k below), the derivative is general, ``∂a_i/∂z_k``, and the chain rule sums over i.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sympy import Add, Expr, S, Symbol

from backprop_cli.symbolic.derivation import Path
from backprop_cli.symbolic.formulas import Formula, Term, gathered, product
from backprop_cli.symbolic.graph import Quantity
from backprop_cli.symbolic.notation import Adjoint, Compare, Local, Place, Slope, Window, fresh_index, is_by_step
from backprop_cli.symbolic.rule import Occurrence, bounds, local_derivative

UNNAMED_SLOPES = (None, "identity", "softmax", "expression")


@dataclass(frozen=True)
class LocalDerivative:
    """``∂v[F]/∂u[positions] = Σ terms``; ``tied`` maps an index of F to the axis of u whose position it decides. The
    other positions are indices of the derivative's own. ``conditions`` say for which s the derivative counts, where the
    costs J_s of single steps are propagated back; they are no part of it."""

    of: Quantity
    by: Quantity
    positions: tuple[Expr, ...]
    tied: Mapping[Symbol, int]
    terms: tuple[Term, ...]
    conditions: tuple[Expr, ...] = ()

    @property
    def own(self) -> tuple[tuple[Symbol, int], ...]:
        """The indices of u that the derivative has besides those of v, with their sizes."""
        return tuple(
            (position, size)
            for axis, (position, size) in enumerate(zip(self.positions, self.by.shape, strict=True))
            if isinstance(position, Symbol) and axis not in self.tied.values()
        )

    @property
    def symbol(self) -> Local:
        return Local(self.of.place, Place(self.by.name, *self.positions))

    @property
    def slope(self) -> Slope | None:
        """f′(u), where v = f(u) applies one named activation to u element by element."""
        whole = len(self.tied) == len(self.of.indices) == len(self.by.indices)
        if self.of.activation in UNNAMED_SLOPES or not whole:
            return None
        return Slope(str(self.of.activation), Place(self.by.name, *self.positions))


def local_derivative_of(path: Path, u: Quantity) -> LocalDerivative:
    """The local derivative of a path's equation by u, in closed form."""
    v = path.through
    tied: dict[Symbol, int] = {}
    positions: list[Expr] = list(u.indices)
    own = range(len(u.indices))
    for axis in (*own[1:], *own[:1]) if is_by_step(u.name) else own:
        found = {occurrence.place.positions[axis] for occurrence in path.occurrences}
        position = found.pop() if len(found) == 1 else S.Zero
        symbol = position.as_coeff_Add()[1]
        if symbol in v.indices and symbol not in tied and (symbol != position or _same_size(v, symbol, u.shape[axis])):
            tied[symbol] = axis
            positions[axis] = position
        else:
            positions[axis] = fresh_index(_readable(path.occurrences, axis, u.indices[axis]))
    free = dict(zip(v.indices, v.shape, strict=True))
    conditions = {_conditions(occurrence, positions, u) for occurrence in path.occurrences}
    if len(conditions) > 1:
        terms = gathered(local_derivative(occurrence, free, positions, u.shape) for occurrence in path.occurrences)
        return LocalDerivative(v, u, tuple(positions), tied, terms)
    start = int(is_by_step(u.name))
    plain = (_unconditional(occurrence, start) for occurrence in path.occurrences)
    terms = gathered(local_derivative(one, free, positions[start:], u.shape[start:]) for one in plain)
    return LocalDerivative(v, u, tuple(positions), tied, terms, *conditions)


def _conditions(occurrence: Occurrence, positions: Sequence[Expr], u: Quantity) -> tuple[Expr, ...]:
    """For which s of J_s the derivative by u at these positions counts: that of the reader, and recent enough."""
    read, start = occurrence.place.positions, int(is_by_step(u.name))
    own = dict(zip(read[start:], positions[start:], strict=True))
    found: list[Expr] = [
        Window(window.operator, own.get(window.left, window.left), window.right)
        for window in occurrence.chain
        if isinstance(window, Window)
    ]
    if is_by_step(u.name) and read[0] != positions[0]:
        found.append(Compare("==", own.get(read[0], read[0]), positions[0]))
    return tuple(found)


def _unconditional(occurrence: Occurrence, start: int) -> Occurrence:
    chain = tuple(factor for factor in occurrence.chain if not isinstance(factor, Window))
    return Occurrence(Place(occurrence.place.name, *occurrence.place.positions[start:]), occurrence.sums, chain)


def _same_size(v: Quantity, symbol: Symbol, size: int) -> bool:
    return dict(zip(v.indices, v.shape, strict=True))[symbol] == size


def _readable(found: Sequence[Occurrence], axis: int, own: Symbol) -> str:
    """The name the equation itself uses at that axis, where it is one index; else the quantity's own."""
    position = found[0].place.positions[axis]
    return str(position.name) if isinstance(position, Symbol) else str(own.name)


def upstream_terms(derivative: LocalDerivative, value: Sequence[Expr] | None, upstream: bool) -> list[Term]:
    """``∂J/∂u[own indices] = Σ ∂J/∂v · ∂v/∂u`` over the indices of v that are not tied.

    ``value`` is what stands for ∂v/∂u (in the derivative's own indices), or None for its symbol; without ``upstream`` v
    is J itself and the factor ∂J/∂v is left out.
    """
    v, u = derivative.of, derivative.by
    rules: dict[Expr, Expr] = {
        position: own
        for axis, (position, own) in enumerate(zip(derivative.positions, u.indices, strict=True))
        if axis not in derivative.tied.values()
    }
    sums = []
    brackets: list[Expr] = []
    for symbol, size in zip(v.indices, v.shape, strict=True):
        if symbol in derivative.tied:
            axis = derivative.tied[symbol]
            solution = u.indices[axis] - (derivative.positions[axis] - symbol)
            rules[symbol] = solution
            brackets += bounds(solution, size, dict(zip(u.indices, u.shape, strict=True)))
        else:
            rules[symbol] = fresh_index(symbol.name)
            sums.append((rules[symbol], size))
    factors: tuple[Expr, ...] = (derivative.symbol,) if value is None else tuple(value)
    front = (Adjoint(v.name, *v.indices),) if upstream else ()
    swapped = (*(factor.xreplace(rules) for factor in (*front, *factors, *derivative.conditions)), *brackets)
    return [Term(tuple(sums), product(swapped) if value is not None else swapped)]


def put_in(derivative: LocalDerivative, upstream: bool) -> list[Term]:
    """The chain rule with the local derivative written out."""
    if len(derivative.terms) == 1:
        only = derivative.terms[0]
        outer = upstream_terms(derivative, only.factors, upstream)[0]
        rules: dict[Expr, Expr] = {symbol: fresh_index(symbol.name) for symbol, _ in only.sums}
        inner = tuple((rules[symbol], size) for symbol, size in only.sums)
        return [Term((*outer.sums, *inner), tuple(f.xreplace(rules) for f in outer.factors))]
    return upstream_terms(derivative, (Add(*(term.expression for term in derivative.terms)),), upstream)


def inlined(terms: Sequence[Term], formulas: Mapping[str, Formula]) -> list[Term]:
    """The terms with each factor ∂J/∂v of a given formula replaced by that formula, in its place among the factors."""
    result = []
    for term in terms:
        place = next((n for n, f in enumerate(term.factors) if isinstance(f, Adjoint) and f.name in formulas), None)
        if place is None:
            result.append(term)
            continue
        adjoint = term.factors[place]
        for part in formulas[adjoint.name].at(adjoint.positions):
            factors = (*term.factors[:place], *part.factors, *term.factors[place + 1 :])
            result.append(Term((*term.sums, *part.sums), factors))
    return result
