"""The matrix view: the same derivation with every formula in whole matrices and vectors.

One sample's vectors are columns: ``δ⁽ˡ⁾ = W⁽ˡ⁺¹⁾ᵀδ⁽ˡ⁺¹⁾ ⊙ σ′(z⁽ˡ⁾)`` and ``∂J/∂W⁽ˡ⁾ = δ⁽ˡ⁾a⁽ˡ⁻¹⁾ᵀ``, where δ is ∂J/∂z.
In a batch a sample is a row: ``Z = XWᵀ + 1bᵀ`` and ``∂J/∂W = ΔᵀX``. Everything is read off the index formulas
(:mod:`backprop_cli.symbolic.matrix_reading`). A chain of local derivatives becomes a product of transposed Jacobians,
since gradients are columns: ``∂J/∂z = (∂a/∂z)ᵀ ∂J/∂a``. The derivative of a number by a matrix lies as the matrix
does, as gradients do. Where no form of a step can be said in matrices, the step keeps
its index formulas and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from backprop_cli.language import tree
from backprop_cli.language.walking import rebuilt, walk
from backprop_cli.symbolic.display import COST, tree_of
from backprop_cli.symbolic.formulas import canonical, with_names
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.matrix_algebra import NoMatrixFormError, Orientation, hadamard, scaled, times
from backprop_cli.symbolic.matrix_reading import Reader
from backprop_cli.symbolic.matrix_shapes import Shapes
from backprop_cli.symbolic.steps import Derivation, Form, FormKind, Kind, Note, Step

# The formula to quote where one is wanted: the first of these kinds that a step has.
QUOTED = {
    Kind.PREACTIVATION_GRADIENT: (FormKind.RECURRENCE, FormKind.RESULT, FormKind.SLOPE, FormKind.LOCAL),
    Kind.LOCAL_DERIVATIVE: (FormKind.LOCAL, FormKind.SLOPE),
}
# What stands for ∂J/∂a in the layer before: its short form, and for both uses of the chain rule that in the next ∂J/∂a.
IN_SHORT = (FormKind.RESULT, FormKind.RECURRENCE, FormKind.SLOPE, FormKind.LOCAL)
BY_THE_NEXT = (FormKind.SLOPE, FormKind.RECURRENCE)
WITH_ACTIVATIONS = (FormKind.SLOPE, FormKind.RECURRENCE, FormKind.LOCAL, FormKind.RESULT)
SHORTEST = (FormKind.RESULT, FormKind.UNIT_SUM)
QUOTED_ELSE = (FormKind.DEFINED, FormKind.RESULT, FormKind.RECURRENCE, FormKind.LOCAL, FormKind.SLOPE)


def matrix_steps(derivation: Derivation) -> tuple[Step, ...]:
    """The steps of a derivation in matrix notation, in the same order and with the same ids.

    A step that has a matrix form holds for whole arrays, so it has no ``indices``. Its notes add ``shapes`` for every
    form in which something is multiplied or added (``3×1 = 3×2 · 2×1``), ``delta`` where δ stands for ∂J/∂z, and
    ``elementwise`` where a fraction or a power of arrays is meant entry by entry. Any other step is the index step with
    a note: ``many_indices`` where what it is about has more than two of them, else ``no_matrix_form`` and the reason.
    """
    return _View(derivation).steps()


@dataclass
class _View:
    derivation: Derivation

    def __post_init__(self) -> None:
        self.graph: Graph = self.derivation.graph
        self.reader = Reader(self.graph)
        self.shapes = Shapes(self.graph)
        # ∂J/∂a of the layers after the one being told, in short and by ∂J/∂a of the layer after it
        self.in_short: dict[str, tree.Node] = {}
        self.by_the_next: dict[str, tree.Node] = {}

    def steps(self) -> tuple[Step, ...]:
        return tuple(self._step(step) for step in self.derivation.steps)

    def _step(self, step: Step) -> Step:
        try:
            if step.kind is Kind.LOCAL_DERIVATIVE:
                return self._told(step, *self._local(step))
            if step.kind is Kind.DEFINITION:
                return self._told(step, tree.Matrix(step.of), [self._definition(step)])
            return self._gradient(step)
        except NoMatrixFormError as error:
            key = "many_indices" if self._axes(step.target) > 2 else "no_matrix_form"
            note = Note(key, {"quantity": step.of, "reason": str(error)})
            return replace(step, notes=(*step.notes, note))

    def _axes(self, target: tree.Node) -> int:
        """The number of indices of what a step is about; of ∂z/∂W those of z and those of W."""
        if isinstance(target, tree.Partial):
            return sum(len(self.graph[place.name].shape) for place in (target.of, target.by) if place.name != COST)
        return len(target.positions) if isinstance(target, tree.Place) else 0

    def _told(self, step: Step, target: tree.Node, forms: Iterable[Form]) -> Step:
        kept: list[Form] = []
        for form in forms:
            if form.value not in (target, *(other.value for other in kept)):
                kept.append(form)
        main = _first_of(QUOTED.get(step.kind, QUOTED_ELSE), kept)
        sums = any(isinstance(node, tree.Reduction) for form in kept for node in walk(form.value))
        own = [note for note in step.notes if sums or note.key != "ranges"]
        notes = (*own, *self._notes(target, kept))
        return replace(step, target=target, forms=tuple(kept), main=main, indices=(), shape=(), notes=notes)

    def _notes(self, target: tree.Node, forms: Sequence[Form]) -> Iterable[Note]:
        if isinstance(target, tree.Gradient) and target.delta:
            yield Note("delta", {"quantity": target.name})
        if any(self._is_elementwise(node) for form in forms for node in walk(form.value)):
            yield Note("elementwise", {})
        yield from self.shapes.notes(target, forms)

    def _is_elementwise(self, node: tree.Node) -> bool:
        """A fraction or a power that is meant entry by entry."""
        if isinstance(node, tree.Quotient):
            return self.shapes.of(node.denominator) != (1, 1)
        return isinstance(node, tree.Power) and self.shapes.of(node.base) != (1, 1)

    def _definition(self, step: Step) -> Form:
        quantity = self.graph[step.of]
        form = step.forms[0]
        if quantity.shown_as is not None:
            raise NoMatrixFormError("positions")
        if quantity.written is not None:
            try:
                return replace(form, value=self.reader.whole(form.value, quantity))
            except NoMatrixFormError:
                pass  # what the author wrote may use more of the language than its definition does
        taken = {q.name for q in self.graph.quantities} | {symbol.name for symbol in quantity.indices}
        plain = tree_of(with_names(canonical(quantity.definition), taken))
        return replace(form, value=self.reader.whole(sums_first(plain), quantity))

    def _gradient(self, step: Step) -> Step:
        name = step.id.removeprefix("dJ/d")
        if name not in self.graph:
            raise NoMatrixFormError("the cost of each step has a gradient of its own")
        quantity = self.graph[name]
        target = tree.Gradient(name, quantity.role is Role.WEIGHTED_SUM)
        forms, problem = [], NoMatrixFormError("axes")
        for form in step.forms:
            if form.kind is not FormKind.COMBINED:
                try:
                    read = self._chain if form.kind is FormKind.CHAIN else self.reader.whole
                    forms.append(replace(form, value=read(form.value, quantity)))
                except NoMatrixFormError as error:
                    problem = error
        if not any(form.kind is not FormKind.CHAIN for form in forms):
            raise problem
        if quantity.role is Role.WEIGHTED_SUM:
            last = next((place for place, form in enumerate(forms) if form.kind in SHORTEST), len(forms))
            forms[last:last] = _put_into(forms, self.in_short, FormKind.RECURRENCE)
        if any(form.kind is FormKind.COMBINED for form in step.forms):
            forms.extend(_put_into(forms, self.by_the_next, FormKind.COMBINED))
        told = self._told(step, target, forms)
        if step.kind is Kind.ACTIVATION_GRADIENT:
            self.in_short[name] = told.forms[_first_of(IN_SHORT, told.forms)].value
            unrolled = [form.value for form in forms if form.kind in BY_THE_NEXT]
            if unrolled:
                self.by_the_next[name] = unrolled[0]
        return told

    def _local(self, step: Step) -> tuple[tree.Node, list[Form]]:
        """A local derivative as the whole Jacobian matrix; a derivative entry by entry stands on its diagonal."""
        assert isinstance(step.target, tree.Partial)
        of, by = self.graph[step.target.of.name], self.graph[step.target.by.name]
        self._check_jacobian(of, by)
        sizes = dict(zip(step.indices, step.shape, strict=True))
        rows, columns = self._lying(step.target)
        forms = []
        for form in step.forms:
            if rows is not None and rows == columns:
                value = self.reader.diagonal(form.value, rows, sizes)
            else:
                value = self.reader.matrix(form.value, (rows, columns), sizes)
            forms.append(replace(form, value=value))
        return tree.Jacobian(of.name, by.name), forms

    def _lying(self, target: tree.Partial) -> Orientation:
        """The indices that number the rows and the columns of a Jacobian."""
        for place in (target.of, target.by):
            if len(place.positions) == 2:
                rows, columns = map(_index_name, place.positions)
                return rows, columns
        return _only_index(target.of), _only_index(target.by)

    def _check_jacobian(self, of: Quantity, by: Quantity) -> None:
        """A Jacobian is a matrix where it has at most two indices; a batch of numbers is a vector."""
        if len(of.shape) + len(by.shape) > 2:
            raise NoMatrixFormError("axes")

    def _chain(self, node: tree.Node, quantity: Quantity) -> tree.Node:
        """The chain rule with Jacobians, path by path."""
        terms = node.terms if isinstance(node, tree.Add) else (node,)
        values = [self._path(term, quantity) for term in terms]
        return tree.Add(tuple(values)) if len(values) > 1 else values[0]

    def _path(self, node: tree.Node, quantity: Quantity) -> tree.Node:
        body = node.body if isinstance(node, tree.Reduction) and node.operation == "sum" else node
        links = body.factors if isinstance(body, tree.Product) else (body,)
        if not any(isinstance(link, tree.Partial) and link.of.name != COST for link in links):
            return self.reader.whole(node, quantity)
        partials = [link for link in links if isinstance(link, tree.Partial)]
        own = tree_of(quantity.place)
        ends = [tree.Place(COST), *(link.by for link in partials)]
        if len(partials) < len(links) or [*(link.of for link in partials), own] != ends:
            raise NoMatrixFormError("jacobian")
        scalars: list[tree.Node] = []
        matrices: list[tree.Node] = []
        for link in partials:
            if link.of.name == COST:
                factor: tree.Node = tree.Gradient(link.by.name, self.graph[link.by.name].role is Role.WEIGHTED_SUM)
                is_scalar = not self.graph[link.by.name].shape
            else:
                of, by = self.graph[link.of.name].shape, self.graph[link.by.name].shape
                self._check_jacobian(self.graph[link.of.name], self.graph[link.by.name])
                if len(of) == 2 or (len(by) == 2 and matrices):
                    raise NoMatrixFormError("jacobian")
                factor = tree.Jacobian(link.of.name, link.by.name)
                is_scalar = not of and not by
                factor = factor if is_scalar or len(by) == 2 else tree.Transposed(factor)
            (scalars if is_scalar else matrices).append(factor)
        return scaled(scalars, [], times(*reversed(matrices)) if matrices else None)


def _first_of(kinds: Sequence[FormKind], forms: Sequence[Form]) -> int:
    """The place of the form whose kind comes first among these kinds."""
    rank = {kind: place for place, kind in enumerate(kinds)}
    return min(range(len(forms)), key=lambda place: rank.get(forms[place].kind, len(rank)))


def _only_index(place: tree.Place) -> str | None:
    return _index_name(place.positions[0]) if place.positions else None


def _index_name(position: tree.Node) -> str:
    if not isinstance(position, tree.Place):
        raise NoMatrixFormError("position")
    return position.name


def _put_into(forms: Sequence[Form], known: Mapping[str, tree.Node], kind: FormKind) -> list[Form]:
    """The first form in which one gradient stands, and stands once, with what is known of it in its place."""
    for form in forms:
        found = [node for node in walk(form.value) if isinstance(node, tree.Gradient)]
        if form.kind in WITH_ACTIVATIONS and len(found) == 1 and found[0].name in known:
            return [Form(kind, _put_in(form.value, found[0], known[found[0].name]))]
    return []


def _put_in(node: tree.Node, old: tree.Node, new: tree.Node) -> tree.Node:
    """The formula with one part replaced; a product put into a product of its kind is one product."""
    if node == old:
        return new
    changed = rebuilt(node, lambda part: _put_in(part, old, new))
    match changed:
        case tree.MatrixProduct(factors):
            return times(*factors)
        case tree.Hadamard(factors):
            return hadamard(factors)
        case tree.Product(factors):
            return scaled(factors[:-1], [], factors[-1])
    return changed


def sums_first(node: tree.Node) -> tree.Node:
    """``Wx + b`` where nobody wrote the formula and its sum came out as ``b + Wx``."""
    if not isinstance(node, tree.Add) or any(isinstance(term, tree.Negative) for term in node.terms):
        return node
    return tree.Add(tuple(sorted(node.terms, key=lambda term: not isinstance(term, tree.Reduction))))
