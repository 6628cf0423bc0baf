"""What a loop hands back from step to step, as quantities of its own.

A gradient that reads ``Σ_k W[k,i]·s[t+1,k]·dh[t+1,k]`` needs the product ``u[t,k] = s[t,k]·dh[t,k]`` of the step after.
Named and computed once at its own step, it is read where the product stood, in the loop and in the gradients of weights
behind it; nothing has to be known beyond the last step, and no matrix is scaled anew for every step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sympy import Expr, Mul, Symbol

from backprop_cli.numeric.loops import Member, Summed
from backprop_cli.symbolic.notation import Adjoint, Compare, Place, fresh_index

BACK = "\0back"  # a name that no quantity has


class _Product(NamedTuple):
    """``name[indices] = factors · (the adjoint that it belongs to)[indices]``."""

    name: str
    indices: tuple[Symbol, ...]
    factors: Counter[Expr]


class Carried:
    """The products found so far, by the adjoint that they are products with."""

    def __init__(self) -> None:
        self._found: dict[str, list[_Product]] = {}

    @property
    def names(self) -> list[str]:
        """The names of all products, which are those of adjoints of no quantity."""
        return [product.name for products in self._found.values() for product in products]

    def members(self, members: Sequence[Member]) -> list[Member]:
        """The members of a loop with these products among them, each behind the adjoint that it belongs to."""
        by_name = {member.place.name: member for member in members}
        rewritten = []
        for member in members:
            step = member.place.positions[member.axis]
            given = [(sums, self._taken_out(factors, step, by_name)) for sums, factors in member.given]
            rewritten.append(member._replace(given=given))
        return [each for member in rewritten for each in (member, *self._of(member))]

    def _of(self, member: Member) -> list[Member]:
        """The products with a member, as members."""
        made = []
        for product in self._found.get(member.place.name, ()):
            place = Adjoint(product.name, *product.indices)
            factors = (*product.factors.elements(), Adjoint(member.place.name, *product.indices))
            made.append(Member(place, member.shape, member.axis, [({}, factors)]))
        return made

    def _taken_out(self, factors: Sequence[Expr], step: Expr, by_name: Mapping[str, Member]) -> Sequence[Expr]:
        """The factors of a product with one adjoint of another step, and with what varies with that one put into it."""
        flat = [part for factor in factors for part in Mul.make_args(factor)]
        reading = [factor for factor in flat if any(place.name in by_name for place in factor.atoms(Adjoint))]
        if len(reading) != 1 or not isinstance(reading[0], Adjoint):
            return factors
        (place,) = reading
        member = by_name[place.name]
        offset = place.positions[member.axis] - step
        rest = (*place.positions[: member.axis], *place.positions[member.axis + 1 :])
        if not offset or not offset.is_Integer or not _are_indices(rest):
            return factors
        taken = [factor for factor in flat if factor is not place and _varies_with(factor, place, step)]
        if not taken:
            return factors
        indices = self._indices(member)
        rules = dict(zip(rest, (*indices[: member.axis], *indices[member.axis + 1 :]), strict=True))
        rules[step] = indices[member.axis] - offset
        name = self._name(place.name, indices, Counter(factor.xreplace(rules) for factor in taken))
        left = list((Counter(flat) - Counter([*taken, place])).elements())
        return [*left, Adjoint(name, *place.positions)]

    def _indices(self, member: Member) -> tuple[Symbol, ...]:
        known = self._found.get(member.place.name)
        return known[0].indices if known else tuple(fresh_index(str(symbol)) for symbol in member.place.positions)

    def _name(self, of: str, indices: tuple[Symbol, ...], factors: Counter[Expr]) -> str:
        products = self._found.setdefault(of, [])
        known = next((product.name for product in products if product.factors == factors), None)
        if known is not None:
            return known
        products.append(_Product(f"{of}{BACK}{len(products) or ''}", indices, factors))
        return products[-1].name

    def put_in(self, given: Iterable[Summed]) -> list[Summed]:
        """Sums of products that read these products where they hold all of their factors."""
        return [(sums, self._shortened(factors)) for sums, factors in given] if self._found else list(given)

    def _shortened(self, factors: Sequence[Expr]) -> Sequence[Expr]:
        flat = Counter(part for factor in factors for part in Mul.make_args(factor))
        for place in [factor for factor in flat if isinstance(factor, Adjoint) and _are_indices(factor.positions)]:
            for product in self._found.get(place.name, ()):
                rules = dict(zip(product.indices, place.positions, strict=True))
                wanted = Counter(factor.xreplace(rules) for factor in product.factors.elements())
                wanted[place] += 1
                if wanted <= flat:
                    return [*(flat - wanted).elements(), Adjoint(product.name, *place.positions)]
        return factors


def without_unread(members: Sequence[Member]) -> list[Member]:
    """The members without those that only a product with them reads: their own definition stands in it instead."""
    kept = list(members)
    for member in members:
        users = [m for m in kept if any(_reads(factors, member.place.name) for _, factors in m.given)]
        alone = not member.is_stored and len(users) == 1 and BACK in users[0].place.name
        if not alone or len(member.given) != 1 or member.given[0][0]:
            continue
        rules = dict(zip(member.place.positions, users[0].place.positions, strict=True))
        definition = [factor.xreplace(rules) for factor in member.given[0][1]]
        [(sums, factors)] = users[0].given
        own = [factor for factor in factors if not _reads([factor], member.place.name)]
        kept[kept.index(users[0])] = users[0]._replace(given=[(sums, (*own, *definition))])
        kept.remove(member)
    return kept


def _reads(factors: Iterable[Expr], name: str) -> bool:
    return any(place.name == name for factor in factors for place in factor.atoms(Adjoint))


def _are_indices(positions: Sequence[Expr]) -> bool:
    return all(isinstance(position, Symbol) for position in positions) and len(set(positions)) == len(positions)


def _varies_with(factor: Expr, place: Place, step: Expr) -> bool:
    """Whether the factor is one number for each of those at the place, and not the same at every step."""
    symbols = factor.free_symbols
    return factor.has(Place) and not factor.has(Compare) and step in symbols and symbols <= place.free_symbols
