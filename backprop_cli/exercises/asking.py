"""Questions from what people write, ``W1[1,2]`` or ``z1``, and the questions that a network asks by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from math import prod

import numpy as np
from numpy.typing import NDArray

from backprop_cli.errors import BackpropError, did_you_mean
from backprop_cli.exercises.exercise import Network, Question, QuestionKind, nodes_of, numbers_of, with_forward
from backprop_cli.exercises.ids import name_of, read_name
from backprop_cli.exercises.nodes import PATH, UPDATED, Contribution, Nodes, evaluated, given_values
from backprop_cli.exercises.workload import UNSEEN, has_short_pass
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.notation import Adjoint, Place, by_step, is_by_step, places, plain_name
from backprop_cli.translation import enumerated, tr

MOST_CELLS = 400  # of one question
MOST_GRADIENTS = 3  # that a network of equations asks for by itself
TABLES = ("forward", "backward")
GIVEN = (Role.INPUT, Role.TARGET, Role.CONSTANT, Role.PARAMETER)


class Asking:
    """Makes the questions about one network. Raises BackpropError for what it does not have."""

    def __init__(self, network: Network) -> None:
        self._network, self._nodes = network, nodes_of(network)
        self._graph = self._nodes.graph
        self._makers: Mapping[QuestionKind, Callable[[Sequence[str], int], Iterable[str]]] = {
            QuestionKind.FORWARD: lambda of, _: self._all(of, self.forward, False),
            QuestionKind.COST: lambda *_: [self._cost()],
            QuestionKind.GRADIENT: lambda of, _: self._all(of, self.with_gradient, True),
            QuestionKind.FORMULA: lambda of, _: (f"formula {cell}" for cell in self._single(of)),
            QuestionKind.UPDATE: lambda of, _: (f"{UPDATED}{cell}" for cell in self._all(of, self.updated, False)),
            QuestionKind.TABLE: lambda of, _: self._table(of),
            QuestionKind.PATHS: lambda of, _: self._paths(of),
            QuestionKind.BPTT: lambda of, _: self._by_step(of),
            QuestionKind.MISTAKE: lambda of, number: [f"mistake {number}" for _ in self._one(of)],
            QuestionKind.CHOICE: lambda of, number: [f"choice {number}" for _ in self._one(of)],
        }

    def question(self, kind: QuestionKind, of: Sequence[str], number: int, points: float | None = None) -> Question:
        """The question of this kind about what is named, which is number ``number`` on the sheet. It has a point for
        every answer where nothing else is said."""
        cells = tuple(dict.fromkeys(self._makers[kind](of, number)))
        if len(cells) > MOST_CELLS:
            message = tr("this asks for {number} numbers, more than {most}; name single ones such as {one}")
            raise BackpropError(message.format(number=len(cells), most=MOST_CELLS, one=cells[0]))
        return Question(kind, cells, points, tuple(of))

    @property
    def forward(self) -> tuple[str, ...]:
        """The quantities whose values may be asked for."""
        found = (q for q in self._graph.quantities if not q.is_given and q.role is not Role.HELPER)
        return tuple(q.name for q in found if not is_by_step(q.name))

    @property
    def with_gradient(self) -> tuple[str, ...]:
        """The quantities whose gradients may be asked for."""
        return tuple(name for name in self._nodes.differentiated if self._graph[name].role is not Role.HELPER)

    @property
    def updated(self) -> tuple[str, ...]:
        """The parameters that an update changes."""
        found = self._graph.with_role(Role.PARAMETER)
        return tuple(q.name for q in found if q.name not in self._graph.frozen and q.name in self.with_gradient)

    @property
    def states(self) -> tuple[str, ...]:
        """The quantities that are computed step by step."""
        return tuple(name for name in self.with_gradient if self._graph.loop_of(name) is not None)

    def by_itself(self) -> tuple[Question, ...]:
        """The forward table if it is short, the cost, a gradient of every layer with its paths, and one update."""
        wanted: list[tuple[QuestionKind, tuple[str, ...]]] = []
        if has_short_pass(self._graph):
            wanted.append((QuestionKind.TABLE, ("forward",)))
        if self._graph.cost is not None:
            wanted.append((QuestionKind.COST, ()))
        parameters = [quantity for quantity in self._of_layers() if self._arrives(quantity)]
        if not parameters:  # what is chosen by argmin passes nothing back: there are the gradients before it
            before = (name for name in self.with_gradient if self._graph[name].role not in (*UNSEEN, Role.INPUT))
            wanted += [(QuestionKind.GRADIENT, (name,)) for name in before if self._arrives(self._graph[name])]
        for quantity in parameters[::-1]:
            if fanned := self._fanned_out(quantity):
                wanted.append((QuestionKind.PATHS, (name_of(fanned).removeprefix("dJ/d"),)))
            wanted.append((QuestionKind.GRADIENT, (self._used(quantity),)))
        changed = next((q for q in parameters if q.name in self.updated), None)
        if changed is not None:
            wanted.append((QuestionKind.UPDATE, (self._used(changed),)))
        found = without_repeats([self.question(kind, of, number) for number, (kind, of) in enumerate(wanted, start=1)])
        return tuple(question for question in found if question.cells)

    def _arrives(self, quantity: Quantity) -> bool:
        """Whether anything arrives at one of the first entries of a quantity's gradient."""
        some = islice(self._nodes.entries(quantity.name, is_gradient=True), MOST_CELLS)
        nodes = map(self._nodes.node, some)
        return any(node is not None and (node.contributions or not node.formula.is_Number) for node in nodes)

    def _used(self, quantity: Quantity) -> str:
        """The first entry of a parameter that J depends on: a row that no token looks up has none."""
        for gradient in islice(self._nodes.entries(quantity.name, is_gradient=True), MOST_CELLS):
            node = self._nodes.node(gradient)
            if node is not None and node.contributions:
                return name_of(gradient).removeprefix("dJ/d")
        return _first(quantity)

    def _of_layers(self) -> list[Quantity]:
        """The largest parameter of every layer; of equations the first ones. What truncation cuts off is none."""
        found = [
            q
            for q in self._graph.with_role(Role.PARAMETER)
            if q.name in self.with_gradient and not self._nodes.is_cut_off(self._nodes.place(f"dJ/d{self._used(q)}"))
        ]
        layers: dict[object, Quantity] = {}
        for quantity in found:
            key = quantity.name if quantity.layer is None else self._graph.label_of(quantity)
            if key not in layers or len(quantity.shape) > len(layers[key].shape):
                layers[key] = quantity
        some = list(layers.values())
        return some if all(q.layer is not None for q in some) else some[:MOST_GRADIENTS]

    def _fanned_out(self, parameter: Quantity) -> Adjoint | None:
        """The nearest gradient on the way to a parameter's that arrives on several paths."""
        place: Place = self._nodes.place(f"dJ/d{self._used(parameter)}")
        passed: set[Place] = set()
        while place not in passed:
            passed.add(place)
            node = self._nodes.node(place)
            arriving = [] if node is None else [one for one in node.contributions if one.upstream is not None]
            if len(arriving) > 1 and self._graph[place.name].role is not Role.PARAMETER and self._all_count(arriving):
                return place if isinstance(place, Adjoint) else None
            if not arriving or arriving[0].upstream is None:
                return None
            place = arriving[0].upstream
        return None

    def _all_count(self, arriving: Sequence[Contribution]) -> bool:
        """Whether something arrives on every path: nothing comes from the class that a sample does not have."""
        nodes = self._backward
        wanted = [place for one in arriving for place in places(one.expression)]
        values = nodes.values(given_values(self._graph, self._numbers, nodes.leaves(wanted)), wanted)
        return not any(np.any(evaluated(one.expression, values) == 0) for one in arriving)

    @cached_property
    def _backward(self) -> Nodes:
        """The nodes without those of the forward pass, whose numbers are found as a whole."""
        return nodes_of(self._network, self._known)

    @property
    def _known(self) -> tuple[str, ...]:
        return tuple(
            q.name for q in self._graph.quantities if not (q.is_given or q.role in UNSEEN or is_by_step(q.name))
        )

    @cached_property
    def _numbers(self) -> dict[str, NDArray[np.float64]]:
        own = {name: array[np.newaxis] for name, array in numbers_of(self._network).items()}
        return with_forward(self._network.compile(), own, self._known)

    def _cost(self) -> str:
        if self._graph.cost is None:
            raise BackpropError(tr("this network has no cost"))
        return self._graph.cost

    def _table(self, of: Sequence[str]) -> Iterator[str]:
        if list(of) == ["forward"]:
            for name in self.forward:
                if self._graph[name].role not in UNSEEN:
                    yield from map(name_of, self._computed(self._nodes.entries(name)))
            return
        for name in self.with_gradient[::-1]:
            if self._graph[name].role not in (*UNSEEN, Role.INPUT):
                yield from map(name_of, self._computed(self._nodes.entries(name, is_gradient=True)))

    def _computed(self, entries: Iterable[Place]) -> Iterator[Place]:
        """The entries without those that are a number whatever is given, such as the 0 of what a mask hides, and
        without sums over the costs of steps that have one term."""
        for place in entries:
            node = self._nodes.node(place)
            if node is None or not (node.formula.is_Number or self._is_one_share(place)):
                yield place

    def _is_one_share(self, place: Place) -> bool:
        """Whether a gradient is that of the cost of one step, as no other reaches it."""
        node = self._nodes.node(place)
        return node is not None and len(node.contributions) == 1 and node.contributions[0].is_share

    def _paths(self, of: Sequence[str]) -> Iterator[str]:
        """What arrives on every path, and what it comes to."""
        for cell in self._single(of):
            node = self._nodes.node(self._nodes.place(cell))
            for number in range(1, 1 + (0 if node is None else len(node.contributions))):
                yield f"{PATH}{number} of {cell}"
            yield cell

    def _by_step(self, of: Sequence[str]) -> Iterator[str]:
        """The gradients of a state, the last step first; where the cost is taken apart by steps, those of each step's
        cost, then their sums."""
        for text in of:
            name, position = self._read(text, self.states)
            loop = self._graph.loop_of(name)
            if position is not None or loop is None:
                raise BackpropError(tr("'{text}': name the whole state, such as {name}").format(text=text, name=name))
            axis = loop.axes[name]
            found = sorted(self._nodes.entries(name, is_gradient=True), key=lambda place: -int(place.positions[axis]))
            copy = by_step(name)
            if copy not in self._graph:
                yield from map(name_of, found)
                continue
            apart = self._nodes.entries(copy, is_gradient=True)
            ordered = sorted(apart, key=lambda place: (int(place.positions[0]), -int(place.positions[axis + 1])))
            yield from map(name_of, self._computed((*ordered, *found)))

    def _one(self, of: Sequence[str]) -> Iterator[str]:
        """The gradient of the one entry that is named."""
        found = list(self._single(of))
        if len(found) != 1:
            raise BackpropError(tr("expected one quantity such as W1[1,2]"))
        return iter(found)

    def _single(self, of: Sequence[str]) -> Iterator[str]:
        """The gradients of single entries."""
        for text in of:
            name, position = self._read(text, self.with_gradient)
            if len(position or ()) < len(self._graph[name].shape):
                message = tr("'{text}' is an array; name one of its numbers, such as {example}")
                raise BackpropError(message.format(text=text, example=_first(self._graph[name])))
            yield from self._of(name, position, True)

    def _all(self, of: Sequence[str], names: Sequence[str], is_gradient: bool) -> Iterator[str]:
        for text in of:
            name, position = self._read(text, names)
            shape = self._graph[name].shape
            if len(position or ()) < len(shape) and prod(shape[len(position or ()) :]) > MOST_CELLS:
                message = tr("'{text}' has more than {most} numbers; name one of them, such as {example}")
                raise BackpropError(message.format(text=text, most=MOST_CELLS, example=_first(self._graph[name])))
            yield from self._of(name, position, is_gradient)

    def _of(self, name: str, position: tuple[int, ...] | None, is_gradient: bool) -> Iterator[str]:
        """The entries that begin with these positions, without gradients that nothing is propagated back to. Raises
        BackpropError where nothing is left."""
        entries = list(self._nodes.entries(name, is_gradient, position or ()))
        found = [place for place in entries if not self._nodes.is_cut_off(place)]
        if not found:
            message = tr("{cell} is 0 with any numbers: no cost is propagated back to it; ask for another gradient")
            raise BackpropError(message.format(cell=name_of(entries[0])))
        yield from map(name_of, found)

    def _read(self, text: str, names: Sequence[str]) -> tuple[str, tuple[int, ...] | None]:
        """What a text names, one of ``names``. Raises BackpropError."""
        try:
            name, position, _ = read_name(text)
        except ValueError:
            message = tr("cannot read '{asked}'; expected a quantity such as W1 or W1[1,2]")
            raise BackpropError(message.format(asked=text)) from None
        if name not in names:
            shown = [_general(one, self._graph) for one in names]
            asked = f"dJ[{position[0]}]/d{plain_name(name)}" if position and is_by_step(name) else name
            hint = did_you_mean(asked, shown) or tr("; there are {names}").format(names=enumerated(shown) or "-")
            raise BackpropError(tr("there is no '{name}' to ask for here{hint}").format(name=asked, hint=hint))
        shape = self._graph[name].shape
        wanted = {1, len(shape)} if is_by_step(name) else {len(shape)}
        if position is not None and (
            len(position) not in wanted or not all(1 <= p <= size for p, size in zip(position, shape, strict=False))
        ):
            message = tr("'{text}' is not in {name}, which has the shape {shape}; positions count from 1")
            raise BackpropError(message.format(text=text, name=_general(name, self._graph), shape=list(shape)))
        return name, position


def without_repeats(questions: Sequence[Question]) -> tuple[Question, ...]:
    """The questions without the answers that an earlier one asks for; one that asks for nothing else has none left."""
    seen: set[str] = set()
    found = []
    for question in questions:
        cells = tuple(cell for cell in question.cells if cell not in seen)
        seen.update(cells)
        found.append(question._replace(cells=cells))
    return tuple(found)


def given_names(graph: Graph) -> tuple[str, ...]:
    """The quantities that a sheet gives where nothing else is said."""
    return tuple(quantity.name for quantity in graph.with_role(*GIVEN))


def _first(quantity: Quantity) -> str:
    kind = Adjoint if is_by_step(quantity.name) else Place
    return name_of(kind(quantity.name, *(1 for _ in quantity.shape)))


def _general(name: str, graph: Graph) -> str:
    """A quantity as one asks for it, and ``dJ[s]/dh`` for a copy."""
    return f"dJ[{graph[name].indices[0]}]/d{plain_name(name)}" if is_by_step(name) else name
