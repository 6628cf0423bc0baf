"""From the adjoints to the steps: the derivation read from the cost back to the first layer, as it is taught.

Each gradient is told in forms that are all equal: the chain rule in Leibniz' notation, the slopes σ′, the local
derivatives put in, the result. A weighted sum z is passed through, so that a layer's gradients are stated from ∂J/∂a of
the layer (first use of the chain rule) and ∂J/∂a from ∂J/∂a of the next layer (second use).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sympy import Expr

from backprop_cli.language import tree
from backprop_cli.symbolic.costs_by_step import dropped
from backprop_cli.symbolic.derivation import Adjoints
from backprop_cli.symbolic.display import term_tree, terms_tree, tree_of
from backprop_cli.symbolic.formulas import Formula, Term, adjoint_names, canonical, named, product, with_names
from backprop_cli.symbolic.graph import Quantity, Role
from backprop_cli.symbolic.local import LocalDerivative, inlined, local_derivative_of, put_in, upstream_terms
from backprop_cli.symbolic.notation import Adjoint, Place, is_by_step, plain_name
from backprop_cli.symbolic.remarks import remarks, unit_sum_form
from backprop_cli.symbolic.steps import Derivation, Form, FormKind, Kind, Note, Rule, Step
from backprop_cli.symbolic.vanishing import vanishes

COMPUTED = (Role.WEIGHTED_SUM, Role.ACTIVATION, Role.INTERMEDIATE, Role.HELPER, Role.LOSS, Role.COST)
IN_THE_COST = (Role.HELPER, Role.LOSS, Role.COST)


def narrate(adjoints: Adjoints, unit_sums: bool | None = None) -> Derivation:
    """The whole derivation of a graph from its adjoints.

    ``unit_sums`` says whether every sample's targets sum to 1 (None: they have no values), which decides whether
    ``p_i Σ y_k - y_i`` may be shortened to ``p_i - y_i``.
    """
    return Narrator(adjoints, unit_sums).derivation()


@dataclass
class Narrator:
    """Builds the steps of one derivation; its tables hold each adjoint as the forms tell it."""

    adjoints: Adjoints
    unit_sums: bool | None = None

    def __post_init__(self) -> None:
        self.graph = self.adjoints.graph
        self.names = frozenset(quantity.name for quantity in self.graph.quantities)
        self.order = {quantity.name: number for number, quantity in enumerate(self.graph.quantities)}
        self.locals: dict[tuple[str, str], LocalDerivative] = {}
        self.chain: dict[str, Formula] = {}
        self.slope: dict[str, Formula] = {}
        self.local: dict[str, Formula] = {}
        for name in reversed(list(self.adjoints.formulas)):
            self._tell(self.graph[name])

    def _tell(self, u: Quantity) -> None:
        if u.name in self.adjoints.copied:
            self.chain[u.name] = self.slope[u.name] = self.local[u.name] = self.adjoints.formulas[u.name]
            return
        chain, slope, local = self._given(u), self._given(u), self._given(u)
        for path in self.adjoints.paths[u.name]:
            derivative = local_derivative_of(path, u)
            self.locals[path.through.name, u.name] = derivative
            upstream = path.through.name != self.graph.cost
            written_out = put_in(derivative, upstream)
            chain.extend(upstream_terms(derivative, None, True) if upstream else written_out)
            short = derivative.slope
            slope.extend(upstream_terms(derivative, (short,), upstream) if short is not None else written_out)
            local.extend(written_out)
        through = {name for term in chain for name in adjoint_names(term) if self._passed_through(name)}
        self.chain[u.name] = self._formula(u, inlined(chain, {name: self.chain[name] for name in through}))
        self.slope[u.name] = self._formula(u, inlined(slope, {name: self.slope[name] for name in through}))
        self.local[u.name] = self._formula(u, inlined(local, {name: self.local[name] for name in through}))

    def _given(self, u: Quantity) -> list[Term]:
        seed = self.graph.seeds.get(u.name)
        return [] if seed is None else [Term((), (Place(seed, *u.indices),))]

    def _passed_through(self, name: str) -> bool:
        return self.graph[name].role is Role.WEIGHTED_SUM and name in self.chain

    def _formula(self, u: Quantity, terms: Sequence[Term]) -> Formula:
        return Formula(Adjoint(u.name, *u.indices), u.indices, u.shape, tuple(terms))

    def derivation(self) -> Derivation:
        steps: list[Step] = []
        inputs: list[Quantity] = []
        for group in reversed(self._groups()):
            computed = [q for q in group if q.definition is not None]
            steps.extend(self.definition(q) for q in computed if not is_by_step(q.name))
            for q in computed:
                steps.extend(self.local_steps(q))
            steps.extend(self.gradient(q) for q in reversed(computed) if q.name in self.adjoints.formulas)
            steps.extend(self.gradient(q) for q in group if q.role is Role.PARAMETER)
            inputs.extend(q for q in group if q.role is Role.INPUT)
        steps.extend(self.gradient(q) for q in inputs)
        return Derivation(self.graph, self.adjoints, tuple(steps))

    def _groups(self) -> list[list[Quantity]]:
        """The quantities by layer, in order of computation; without layers one group an equation, the cost's together.
        A given quantity belongs to the group that uses it first."""
        groups: list[list[Quantity]] = []
        keys: list[object] = []
        for quantity in self.graph.quantities:
            if quantity.definition is None:
                continue
            key: object = quantity.name if quantity.layer is None else (quantity.layer, self.graph.label_of(quantity))
            if quantity.role in IN_THE_COST:
                key = Role.COST
            if key not in keys:
                keys.append(key)
                groups.append([])
            groups[keys.index(key)].append(quantity)
        homes: dict[str, list[Quantity]] = {}
        for group in groups:
            for quantity in tuple(group):
                for place in () if quantity.definition is None else quantity.definition.atoms(Place):
                    homes.setdefault(place.name, group)
        for quantity in self.graph.quantities:
            if quantity.definition is None:
                homes.get(quantity.name, groups[0]).append(quantity)
        return groups

    def definition(self, quantity: Quantity) -> Step:
        assert quantity.definition is not None
        taken = self.names | {symbol.name for symbol in quantity.indices}
        written = quantity.written or tree_of(with_names(canonical(quantity.definition), taken))
        used = dict.fromkeys(plain_name(place.name) for place in quantity.definition.atoms(Place))
        uses = tuple(q.name for q in self.graph.quantities if q.name in used and q.definition is not None)
        return self._step(
            quantity,
            quantity.name,
            Kind.DEFINITION,
            Rule.DEFINITION,
            [(FormKind.DEFINED, written)],
            uses,
            *(quantity.shown_as or (tree_of(quantity.place),)),
        )

    def local_steps(self, v: Quantity) -> Iterable[Step]:
        if v.name == self.graph.cost:
            return
        for u in self.graph.quantities:
            derivative = self.locals.get((v.name, u.name))
            if derivative is None:
                continue
            taken = self.names | {symbol.name for symbol in v.indices}
            own = derivative.own
            symbol = named(Term(own, (derivative.symbol,)), taken)
            rules: dict[Expr, Expr] = {
                old: new for (old, _), (new, _) in zip(own, symbol.sums, strict=True) if old != new
            }
            indices = (*v.indices, *(index for index, _ in symbol.sums))
            sizes = dict(zip(v.indices, v.shape, strict=True)) | dict(symbol.sums)
            taken |= {s.name for s in indices}
            forms = []
            if derivative.slope is not None:
                forms.append((FormKind.SLOPE, tree_of(derivative.slope.xreplace(rules))))
            terms = [named(term.replace(rules), taken) for term in derivative.terms]
            forms.append((FormKind.LOCAL, terms_tree(terms)))
            nothing = (
                [Note("vanishes", {"derivative": f"d{v.name}/d{u.name}", "mean": u.name})]
                if vanishes(derivative.terms, u)
                else []
            )
            yield self._step(
                v,
                _local_id(v.name, u.name),
                Kind.LOCAL_DERIVATIVE,
                Rule.DIFFERENTIATION,
                forms,
                (plain_name(v.name),),
                target=tree_of(symbol.factors[0]),
                indices=tuple(s.name for s in indices),
                shape=tuple(sizes[s] for s in indices),
                main=forms[-1][1],
                worked_out=[(v.definition, u.name)],
                further=nothing,
            )

    def gradient(self, u: Quantity) -> Step:
        result = self.adjoints.formulas[u.name]
        forms: list[tuple[FormKind, tree.Node]] = []
        layered = u.role is not Role.WEIGHTED_SUM
        if self._has_chain(u):
            forms.append((FormKind.CHAIN, self._told(self.chain[u.name])))
        slope, local = self._told(self.slope[u.name]), self._told(self.local[u.name])
        if slope != local:
            forms.append((FormKind.SLOPE, slope))
        forms.append((FormKind.RECURRENCE if layered and self._through_layer(u) else FormKind.LOCAL, local))
        shortest = terms_tree(result.terms)
        forms.append((FormKind.RESULT, shortest))
        forms.extend(self._truncated(u, shortest))
        combined = self._combined(u)
        if combined is not None:
            forms.append((FormKind.COMBINED, combined))
        unit = unit_sum_form(result, self.graph) if self.unit_sums else None
        if unit is not None:
            forms.append((FormKind.UNIT_SUM, unit))
        main = local if layered and self._through_layer(u) and len(self.local[u.name].terms) == 1 else shortest
        through = [path.through for path in self.adjoints.paths[u.name]]
        direct = [(v.definition, u.name) for v in through if v.name == self.graph.cost]
        name = self._id(u.name)
        return self._step(u, name, self._kind(u), self._rule(u), forms, self._uses(u), main=main, worked_out=direct)

    def _truncated(self, u: Quantity, kept: tree.Node) -> Iterable[tuple[FormKind, tree.Node]]:
        """The result with the terms that truncation leaves out, struck out."""
        if is_by_step(u.name):
            found = (dropped(term) for term in self.adjoints.formulas[u.name].terms)
            struck = [tree.Struck(term_tree(term)) for term in found if term is not None]
            if struck:
                terms = kept.terms if isinstance(kept, tree.Add) else (kept,)
                yield FormKind.TRUNCATED, tree.Add((*terms, *struck))

    def _has_chain(self, u: Quantity) -> bool:
        return any(path.through.name != self.graph.cost for path in self.adjoints.paths[u.name])

    def _through_layer(self, u: Quantity) -> bool:
        paths = self.adjoints.paths[u.name]
        return bool(paths) and all(path.through.role is Role.WEIGHTED_SUM for path in paths)

    def _told(self, formula: Formula) -> tree.Node:
        taken = self.names | {symbol.name for symbol in formula.indices}
        return terms_tree([named(Term(t.sums, _signed(t.factors)), taken) for t in formula.terms])

    def _combined(self, u: Quantity) -> tree.Node | None:
        """Both uses of the chain rule in one formula, for the parameters of a layer that is not the last."""
        if u.role is not Role.PARAMETER or not self._through_layer(u):
            return None
        terms = self.slope[u.name].terms
        inner = {name for term in terms for name in adjoint_names(term) if name != u.name}
        tellable = {name: self.slope[name] for name in inner if self._through_layer(self.graph[name])}
        if not tellable or tellable.keys() != inner:
            return None
        return self._told(self._formula(u, inlined(terms, tellable)))

    def _kind(self, u: Quantity) -> Kind:
        if u.role is Role.PARAMETER:
            return Kind.PARAMETER_GRADIENT
        if u.role is Role.INPUT:
            return Kind.INPUT_GRADIENT
        if (u.name == self.graph.output and u.role is not Role.WEIGHTED_SUM) or u.name in self.graph.seeds:
            return Kind.BOUNDARY
        if u.role is Role.WEIGHTED_SUM:
            return Kind.PREACTIVATION_GRADIENT
        return Kind.ACTIVATION_GRADIENT if u.role is Role.ACTIVATION else Kind.QUANTITY_GRADIENT

    def _rule(self, u: Quantity) -> Rule:
        if not self.adjoints.formulas[u.name].terms:
            return Rule.NO_PATH
        if u.name in self.graph.seeds:
            return Rule.GIVEN
        if u.name in self.adjoints.copied:
            return Rule.SUM_OVER_STEPS
        paths = self.adjoints.paths[u.name]
        if all(path.through.name == self.graph.cost for path in paths):
            return Rule.DIFFERENTIATION
        summed = len(paths) > 1 or any(term.sums for term in self.chain[u.name].terms)
        return Rule.SUM_OVER_PATHS if summed else Rule.CHAIN_RULE

    def _uses(self, u: Quantity) -> tuple[str, ...]:
        """The ids of the steps that any form of the gradient draws on: adjoints, local derivatives, J."""
        used: dict[str, None] = {}
        told = (self.chain, self.local, self.adjoints.formulas)
        for name in sorted(
            {n for table in told for term in table[u.name].terms for n in adjoint_names(term)}, key=self._rank
        ):
            used[self._id(name)] = None
        for path in self.adjoints.paths[u.name]:
            through = path.through.name
            used[_local_id(through, u.name) if through != self.graph.cost else through] = None
        return tuple(name for name in used if name != self._id(u.name))

    def _id(self, name: str) -> str:
        """The id of a gradient: ``dJ/dW1``, and ``dJ[s]/dh1`` for the one of every J_s."""
        if not is_by_step(name):
            return f"dJ/d{name}"
        return f"dJ[{self.graph[name].indices[0]}]/d{plain_name(name)}"

    def _rank(self, name: str) -> int:
        return -self.order[name]

    def _step(
        self,
        quantity: Quantity,
        of: str,
        kind: Kind,
        rule: Rule,
        forms: Sequence[tuple[FormKind, tree.Node]],
        uses: tuple[str, ...],
        target: tree.Node | None = None,
        indices: tuple[str, ...] | None = None,
        shape: tuple[int, ...] | None = None,
        main: tree.Node | None = None,
        worked_out: Sequence[tuple[Expr, str]] = (),
        further: Sequence[Note] = (),
    ) -> Step:
        kept: list[Form] = []
        for form_kind, value in forms:
            if all(value != form.value for form in kept):
                kept.append(Form(form_kind, value))
        chosen = next((n for n, form in enumerate(kept) if form.value == main), 0)
        own = tuple(symbol.name for symbol in quantity.indices)
        return Step(
            of,
            quantity.layer,
            kind,
            of,
            rule,
            target if target is not None else tree_of(Adjoint(quantity.name, *quantity.indices)),
            own if indices is None else indices,
            quantity.shape if shape is None else shape,
            tuple(kept),
            chosen,
            uses,
            (*remarks(self.graph, quantity, kind, kept, self.unit_sums, worked_out), *further),
        )


def _local_id(of: str, by: str) -> str:
    return f"d{plain_name(of)}/d{plain_name(by)}"


def _signed(factors: tuple[Expr, ...]) -> tuple[Expr, ...]:
    return product(factors)
