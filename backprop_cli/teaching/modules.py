"""A run told as the calls that Torch's ``nn`` makes, module by module.

A module is one equation: it computes an output from its inputs and its parameters. ``updateOutput`` does so; backward,
``updateGradInput`` computes the gradient by each input from ``gradOutput``, the gradient by the output, and
``accGradParameters`` adds to the gradients of the parameters. The equations of the cost together are the criterion.
Where the cost is taken apart by steps, the gradients of what its parts reach at other steps have the step of the cost
in front.
Source: the Torch7 documentation of ``nn.Module`` and ``nn.Criterion``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop_cli.language import tree
from backprop_cli.language.walking import rebuilt
from backprop_cli.library.functions import IDENTITY
from backprop_cli.symbolic.derivation import Adjoints
from backprop_cli.symbolic.display import COST, cost_of, tree_of
from backprop_cli.symbolic.edges import Edge, edges, told
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.matrix_algebra import NoMatrixFormError
from backprop_cli.symbolic.matrix_reading import Reader
from backprop_cli.symbolic.matrix_shapes import Shapes
from backprop_cli.symbolic.matrix_view import matrix_steps
from backprop_cli.symbolic.notation import Adjoint, by_step, is_by_step, places, plain_name
from backprop_cli.symbolic.remarks import ranges
from backprop_cli.symbolic.steps import Derivation, Form, FormKind, Kind, Note, Step
from backprop_cli.teaching.whole_arrays import WholeArrays

IN_THE_COST = (Role.HELPER, Role.LOSS, Role.COST)
INPUTS = (Role.INPUT, Role.WEIGHTED_SUM, Role.ACTIVATION, Role.INTERMEDIATE)

# The modules of Torch that apply one of our functions to every number, where both are the same function.
TORCH = {
    IDENTITY: "Identity",
    "abs": "Abs",
    "elu": "ELU",
    "exp": "Exp",
    "leaky_relu": "LeakyReLU",
    "log": "Log",
    "relu": "ReLU",
    "sigmoid": "Sigmoid",
    "softmax": "SoftMax",
    "softplus": "SoftPlus",
    "sqrt": "Sqrt",
    "tanh": "Tanh",
}
LINEAR = "Linear"

OUTPUT, INPUT, GRAD_OUTPUT, GRAD_INPUT = "output", "input", "gradOutput", "gradInput"
WEIGHT, BIAS, GRAD_WEIGHT, GRAD_BIAS, SO_FAR = "weight", "bias", "gradWeight", "gradBias", "soFar"
GRADIENT_WORDS = {INPUT: GRAD_INPUT, WEIGHT: GRAD_WEIGHT, BIAS: GRAD_BIAS}
GRADIENT_OF = "grad "  # before a quantity's name, the word for its gradient where Torch has none

Array = NDArray[np.float64]


class Method(StrEnum):
    """The methods by Torch's names; a criterion has its own forward and backward."""

    ZERO_GRAD_PARAMETERS = "zeroGradParameters"
    UPDATE_OUTPUT = "updateOutput"
    FORWARD = "forward"
    BACKWARD = "backward"
    UPDATE_GRAD_INPUT = "updateGradInput"
    ACC_GRAD_PARAMETERS = "accGradParameters"
    UPDATE_PARAMETERS = "updateParameters"


class Module(NamedTuple):
    """One equation as a module. ``kind`` is Torch's name of it where Torch has it and ``""`` otherwise, ``words`` are
    Torch's names of what it works on, by the names of the quantities; ``number`` counts forward from 1, and is None
    for the criterion."""

    number: int | None
    kind: str
    output: str
    inputs: tuple[str, ...]
    parameters: tuple[str, ...]
    words: Mapping[str, str]

    @property
    def is_criterion(self) -> bool:
        return self.number is None


class Tensor(NamedTuple):
    """An array of a call: Torch's word for it (or ``""``), what it is in the network, None where it is a part of what
    is added up, the quantity whose shape it has (or its copy by step), its values, and how they come of other arrays
    of the call where no equation says it."""

    word: str
    quantity: tree.Node | None
    of: str
    values: Array
    formula: tree.Node | None = None


class Share(NamedTuple):
    """What a module hands back to one of its inputs or parameters, along a number of ``edges``; ``is_all`` says that
    nothing else hands back to it."""

    word: str
    target: tree.Node
    formula: tree.Node
    value: Array
    edges: int
    is_all: bool
    notes: tuple[Note, ...]


class Call(NamedTuple):
    """One call of one method: the equations it computes by, in Torch's words, and the arrays it works on, results last.

    ``gives`` says which quantity's gradient is computed, in calls that compute one, with the remarks ``notes`` on its
    formula. ``handed`` are the modules that the gradient of the output comes from, with what each of them hands over,
    where there are several; None is what is given as the gradient of the network's output.
    """

    module: Module | None
    method: Method
    equations: tuple[tree.Equality, ...]
    tensors: tuple[Tensor, ...]
    gives: str = ""
    notes: tuple[Note, ...] = ()
    handed: tuple[tuple[Module | None, Array], ...] = ()


def calls(derivation: Derivation, arrays: WholeArrays, rate: float) -> tuple[Call, ...]:
    """A full forward and backward pass and one update with the learning rate ``rate``, in the order of the calls."""
    return tuple(_Torch(derivation, arrays, rate).calls())


class _Torch:
    def __init__(self, derivation: Derivation, arrays: WholeArrays, rate: float) -> None:
        self._derivation, self._arrays, self._rate = derivation, arrays, rate
        self._graph: Graph = derivation.graph
        self._adjoints: Adjoints = derivation.adjoints
        self._reader = Reader(self._graph)
        self._shapes = Shapes(self._graph)
        self._in_matrices = {step.id: step for step in matrix_steps(derivation)}
        self._modules = list(self._all_modules())
        self._edges = [edge for edge in edges(self._graph) if self._carries(edge)]

    def calls(self) -> Iterator[Call]:
        parameters = [q for q in self._graph.with_role(Role.PARAMETER) if q.name in self._adjoints.formulas]
        if parameters:
            yield self._zeroed(parameters)
        for module in self._modules:
            yield self._forward(module)
        so_far: dict[str, Array] = {}
        self._left = Counter(edge.by.name for edge in self._edges)
        for module in reversed(self._modules):
            yield from self._backward(module, so_far)
        for quantity in self._graph.with_role(Role.INPUT):
            handed = self._handed(quantity.name)
            if handed:
                whole = Tensor("", tree.Gradient(quantity.name), quantity.name, self._arrays.gradient(quantity.name))
                yield Call(None, Method.BACKWARD, (), (whole,), quantity.name, (), handed)
        updated = [q for q in parameters if q.name not in self._graph.frozen]
        if updated:
            yield self._updated(updated)

    # the modules

    def _all_modules(self) -> Iterator[Module]:
        computed = [q for q in self._graph.quantities if q.definition is not None and not is_by_step(q.name)]
        own = [q for q in computed if q.role not in IN_THE_COST]
        for number, quantity in enumerate(own, start=1):
            yield self._module(number, self._kind(quantity), [quantity])
        if len(own) < len(computed):
            yield self._module(None, "", [q for q in computed if q.role in IN_THE_COST])

    def _kind(self, quantity: Quantity) -> str:
        label = self._graph.label_of(quantity)
        if quantity.role is Role.WEIGHTED_SUM and self._graph.kinds.get(str(label), "dense") in ("", "dense"):
            return LINEAR
        return TORCH.get(quantity.activation or "", "")

    def _module(self, number: int | None, kind: str, group: Sequence[Quantity]) -> Module:
        names = {plain_name(place.name) for q in group if q.definition is not None for place in places(q.definition)}
        inside = {q.name for q in group}
        used = [q for q in self._graph.quantities if q.name in names - inside]
        own_past = tuple(q.name for q in group if q.name in names and q.role in INPUTS)
        inputs = (*(q.name for q in used if q.role in INPUTS), *own_past)
        parameters = tuple(q.name for q in used if q.role is Role.PARAMETER)
        words = {group[-1].name: OUTPUT} if number is not None else {}
        if len(inputs) == 1 and not own_past:
            words[inputs[0]] = INPUT
        if kind == LINEAR:
            weights = [name for name in parameters if len(self._graph[name].shape) == 2]
            biases = [name for name in parameters if name not in weights]
            for several, word in ((weights, WEIGHT), (biases, BIAS)):
                if len(several) == 1:
                    words[several[0]] = word
        words = {name: self._word(word) for name, word in words.items()}
        return Module(number, kind, group[-1].name, inputs, parameters, words)

    def _carries(self, edge: Edge) -> bool:
        """Whether a gradient goes back along this edge."""
        above = self._adjoints.formulas.get(edge.of.name)
        is_reached = edge.of.name == self._graph.cost or (above is not None and bool(above.terms))
        stands_apart = edge.of.name in self._adjoints.copied  # its copies carry what comes back
        return is_reached and not stands_apart and edge.by.name in self._adjoints.formulas

    def _module_of(self, name: str) -> Module:
        """The module that computes a quantity."""
        if self._graph[name].role in IN_THE_COST:
            return self._modules[-1]
        return next(module for module in self._modules if module.output == plain_name(name))

    def _carrier(self, name: str) -> str:
        """The quantity whose gradient is handed on for this one: its copy by step, where it has one."""
        return by_step(name) if name in self._adjoints.copied else name

    # the calls

    def _zeroed(self, parameters: Sequence[Quantity]) -> Call:
        zeros = tuple(Tensor(f"{GRADIENT_OF}{q.name}", None, q.name, np.zeros(q.shape)) for q in parameters)
        return Call(None, Method.ZERO_GRAD_PARAMETERS, (), zeros)

    def _forward(self, module: Module) -> Call:
        computed = [q for q in self._graph.quantities if q.definition is not None and not is_by_step(q.name)]
        own = [q for q in computed if self._module_of(q.name) is module]
        steps = [self._in_matrices.get(q.name) or self._derivation.by_id[q.name] for q in own]
        equations = tuple(
            tree.Equality((self._said(step.target, module), self._said(step.forms[step.main].value, module)))
            for step in steps
        )
        notes = tuple(note for step in steps for note in _on(step, step.forms[step.main]))
        given = (name for name in module.inputs if name != module.output)
        used = (*given, *self._targets(own), *module.parameters)
        tensors = (*(self._value(name, module) for name in used), *(self._value(q.name, module) for q in own))
        method = Method.FORWARD if module.is_criterion else Method.UPDATE_OUTPUT
        return Call(module, method, equations, tensors, own[-1].name, notes)

    def _targets(self, own: Sequence[Quantity]) -> list[str]:
        names = {plain_name(place.name) for q in own if q.definition is not None for place in places(q.definition)}
        return [q.name for q in self._graph.with_role(Role.TARGET, Role.CONSTANT) if q.name in names]

    def _value(self, name: str, module: Module) -> Tensor:
        return Tensor(module.words.get(name, ""), tree.Matrix(name), name, self._arrays[name])

    def _backward(self, module: Module, so_far: dict[str, Array]) -> Iterator[Call]:
        """What a module does when it is given the gradient of its output; ``so_far`` are the gradients of parameters
        that modules after it have added to."""
        if not module.is_criterion and module.output not in self._adjoints.formulas:
            return
        given = () if module.is_criterion else (self._gradient(module.output),)
        handed = () if module.is_criterion else self._handed(self._carrier(module.output))
        summed = () if module.is_criterion else self._summed(module.output)
        for name in (*map(self._carrier, module.inputs), *module.parameters):
            some = [edge for edge in self._edges if edge.by.name == name and self._module_of(edge.of.name) is module]
            if not some:
                continue
            share = self._share(name, some, module)
            if name not in module.parameters:
                method = Method.BACKWARD if module.is_criterion else Method.UPDATE_GRAD_INPUT
                whole = self._whole(name) if share.is_all else None
                tensors = (*given, *summed, Tensor(share.word, whole, name, share.value))
                equation = tree.Equality((share.target, share.formula))
                yield Call(module, method, (equation,), tensors, name, share.notes, handed)
                handed = ()
            else:
                yield self._accumulated(module, name, share, so_far, (*given, *summed))
            summed = ()

    def _accumulated(
        self, module: Module, name: str, share: Share, so_far: dict[str, Array], given: tuple[Tensor, ...]
    ) -> Call:
        """The gradient of a parameter, to which a module adds its share."""
        front: tree.Node = tree.Number("0")
        before: tuple[Tensor, ...] = ()
        if name in so_far:
            word = self._word(SO_FAR)
            positions = share.target.positions if isinstance(share.target, tree.Place) else ()
            front = tree.Place(word, positions) if positions else tree.Matrix(word)
            before = (Tensor(word, None, name, so_far[name]),)
        terms = share.formula.terms if isinstance(share.formula, tree.Add) else (share.formula,)
        equation = tree.Equality((share.target, tree.Add((front, *terms))))
        so_far[name] = so_far.get(name, np.zeros(self._graph[name].shape)) + share.value
        self._left[name] -= share.edges
        whole, values = None, so_far[name]
        if not self._left[name]:
            whole, values = tree.Gradient(name), self._arrays.gradient(name)
        result = Tensor(share.word, whole, name, values)
        return Call(module, Method.ACC_GRAD_PARAMETERS, (equation,), (*given, *before, result), name, share.notes)

    def _handed(self, name: str) -> tuple[tuple[Module | None, Array], ...]:
        """Where the gradient of a quantity comes from, where that is more than one module; None gives what is given."""
        shares: dict[int | None, tuple[Module | None, Array]] = {}
        if name in self._graph.seeds:
            shares[0] = None, self._arrays[self._graph.seeds[name]]
        for edge in self._edges:
            if edge.by.name == name:
                giver = self._module_of(edge.of.name)
                before = shares[giver.number][1] if giver.number in shares else np.zeros(edge.by.shape)
                shares[giver.number] = giver, before + self._arrays.of(edge.handed_back, edge.by.indices, edge.by.shape)
        return tuple(shares.values()) if len(shares) > 1 else ()

    def _share(self, name: str, some: Sequence[Edge], module: Module) -> Share:
        """What a module hands back to one of its inputs or parameters."""
        quantity = self._graph[name]
        is_all = len(some) == sum(edge.by.name == name for edge in self._edges) and name not in self._graph.seeds
        word = GRADIENT_WORDS.get(module.words.get(plain_name(name), ""), "")
        word = self._word(word) if word else f"{GRADIENT_OF}{plain_name(name)}"
        if module.is_criterion and is_all:
            step = self._in_matrices.get(f"dJ/d{name}") or self._derivation.by_id[f"dJ/d{name}"]
            form = _shortest(step)
            value = self._said(form.value, module)
            known = self._arrays.gradient(name)
            return Share(word, _called(word, step.target), value, known, len(some), True, _on(step, form))
        formula = told(self._graph, [term for edge in some for term in edge.handed_back], quantity.indices)
        target: tree.Node = tree.Gradient(name)
        try:
            if is_by_step(name):
                raise NoMatrixFormError("axes")
            value = self._reader.whole(formula, quantity)
        except NoMatrixFormError:
            value, target = formula, tree_of(Adjoint(name, *quantity.indices))
        forms = (Form(FormKind.RESULT, value),)
        remarks = (*ranges(self._graph, Kind.QUANTITY_GRADIENT, forms), *self._shapes.notes(target, forms))
        parts = [self._arrays.of(edge.handed_back, quantity.indices, quantity.shape) for edge in some]
        known = self._arrays.gradient(name) if is_all else np.asarray(sum(parts))
        return Share(word, _called(word, target), self._said(value, module), known, len(some), is_all, remarks)

    def _word(self, word: str) -> str:
        """A word of Torch's, with a line behind it where the network has a quantity of that name."""
        while word in self._graph:
            word += "_"
        return word

    def _whole(self, name: str) -> tree.Gradient | tree.StepGradient:
        """The gradient by a quantity, or by the copy of one, as a whole array."""
        if not is_by_step(name):
            return tree.Gradient(name)
        return tree.StepGradient(cost_of(self._graph[name].indices[0].name), plain_name(name))

    def _gradient(self, name: str) -> Tensor:
        of = self._carrier(name)
        return Tensor(self._word(GRAD_OUTPUT), self._whole(of), of, self._arrays.gradient(of))

    def _summed(self, name: str) -> tuple[Tensor, ...]:
        """∂J/∂(the output), where gradOutput is taken apart by the steps of the cost."""
        of = self._carrier(name)
        if of == name:
            return ()
        step = self._graph[of].indices[0].name
        total = tree.Reduction("sum", self._whole(of), (step,), self._graph[of].shape[:1])
        return (Tensor("", tree.Gradient(name), name, self._arrays.gradient(name), total),)

    def _updated(self, parameters: Sequence[Quantity]) -> Call:
        new = tuple(
            Tensor("", tree.Matrix(q.name), q.name, self._arrays[q.name] - self._rate * self._arrays.gradient(q.name))
            for q in parameters
        )
        return Call(None, Method.UPDATE_PARAMETERS, (), new)

    def _said(self, node: tree.Node, module: Module) -> tree.Node:
        """The formula in Torch's words for this module."""
        is_given = not module.is_criterion
        match node:
            case tree.Gradient(name) if name == module.output and is_given:
                return tree.Matrix(self._word(GRAD_OUTPUT))
            case tree.Partial(of, by) if of.name == COST and by.name == module.output and is_given:
                positions = tuple(self._said(position, module) for position in (*of.positions, *by.positions))
                return tree.Place(self._word(GRAD_OUTPUT), positions)
            case tree.Matrix(name) if name in module.words:
                return tree.Matrix(module.words[name])
            case tree.Place(name, positions) if name in module.words:
                return tree.Place(module.words[name], tuple(self._said(position, module) for position in positions))
        return rebuilt(node, lambda part: self._said(part, module))


def _shortest(step: Step) -> Form:
    """The shortest of the equal forms of a gradient."""
    kinds = (FormKind.UNIT_SUM, FormKind.RESULT)
    found = [form for kind in kinds for form in step.forms if form.kind is kind]
    return found[0] if found else step.forms[-1]


def _on(step: Step, form: Form) -> tuple[Note, ...]:
    """The remarks that concern one form of a step."""
    return tuple(note for note in step.notes if note.about.get("form", form.kind) == form.kind)


def _called(word: str, gradient: tree.Node) -> tree.Node:
    """A gradient, entry by entry or whole, by a word for it."""
    positions = (*gradient.of.positions, *gradient.by.positions) if isinstance(gradient, tree.Partial) else ()
    return tree.Place(word, positions) if positions else tree.Matrix(word)
