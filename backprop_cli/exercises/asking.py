"""Questions from what people write, ``W1[1,2]`` or ``z1``, and the questions that a network asks by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import prod

import numpy as np

from backprop_cli.errors import BackpropError, did_you_mean
from backprop_cli.exercises.exercise import Network, Question, QuestionKind, nodes_of, numbers_of, stem_and_positions
from backprop_cli.exercises.nodes import PATH, UPDATED, Contribution, evaluated, given_values, name_of
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.notation import Adjoint, Place, places
from backprop_cli.translation import enumerated, tr

MOST_CELLS = 400  # of one question
MOST_GRADIENTS = 3  # that a network of equations asks for by itself
TABLES = ("forward", "backward")
UNSEEN = (Role.HELPER, Role.LOSS, Role.COST)
GIVEN = (Role.INPUT, Role.TARGET, Role.CONSTANT, Role.PARAMETER)


class Asking:
    """Makes the questions about one network. Raises BackpropError for what it does not have."""

    def __init__(self, network: Network) -> None:
        self._nodes, self._graph = nodes_of(network), network.graph
        own = {name: array[np.newaxis] for name, array in numbers_of(network).items()}
        self._given = given_values(self._graph, own)
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
        return tuple(q.name for q in self._graph.quantities if not q.is_given and q.role is not Role.HELPER)

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
        """The forward table, the cost, a gradient of every layer with its paths, and one update."""
        wanted: list[tuple[QuestionKind, tuple[str, ...]]] = [(QuestionKind.TABLE, ("forward",))]
        if self._graph.cost is not None:
            wanted.append((QuestionKind.COST, ()))
        parameters = list(self._of_layers())
        for quantity in parameters[::-1]:
            if fanned := self._fanned_out(quantity):
                wanted.append((QuestionKind.PATHS, (name_of(fanned).removeprefix("dJ/d"),)))
            wanted.append((QuestionKind.GRADIENT, (self._used(quantity),)))
        changed = next((q for q in parameters if q.name in self.updated), None)
        if changed is not None:
            wanted.append((QuestionKind.UPDATE, (self._used(changed),)))
        found = without_repeats([self.question(kind, of, number) for number, (kind, of) in enumerate(wanted, start=1)])
        return tuple(question for question in found if question.cells)

    def _used(self, quantity: Quantity) -> str:
        """The first entry of a parameter that J depends on: a row that no token looks up has none."""
        for gradient in islice(self._nodes.entries(quantity.name, is_gradient=True), MOST_CELLS):
            node = self._nodes.node(gradient)
            if node is not None and node.contributions:
                return name_of(gradient).removeprefix("dJ/d")
        return _first(quantity)

    def _of_layers(self) -> list[Quantity]:
        """The largest parameter of every layer; of equations the first ones."""
        found = [q for q in self._graph.with_role(Role.PARAMETER) if q.name in self.with_gradient]
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
        wanted = [place for one in arriving for place in places(one.expression)]
        values = self._nodes.values(self._given, wanted)
        return not any(np.any(evaluated(one.expression, values) == 0) for one in arriving)

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
        """The entries without those that are a number whatever is given, such as the 0 of what a mask hides."""
        for place in entries:
            node = self._nodes.node(place)
            if node is None or not node.formula.is_Number:
                yield place

    def _paths(self, of: Sequence[str]) -> Iterator[str]:
        """What arrives on every path, and what it comes to."""
        for cell in self._single(of):
            node = self._nodes.node(self._nodes.place(cell))
            for number in range(1, 1 + (0 if node is None else len(node.contributions))):
                yield f"{PATH}{number} of {cell}"
            yield cell

    def _by_step(self, of: Sequence[str]) -> Iterator[str]:
        """The gradients of a state, the last step first."""
        for text in of:
            name, position = self._read(text, self.states)
            loop = self._graph.loop_of(name)
            if position is not None or loop is None:
                raise BackpropError(tr("'{text}': name the whole state, such as {name}").format(text=text, name=name))
            axis = loop.axes[name]
            found = list(self._nodes.entries(name, is_gradient=True))
            yield from map(name_of, sorted(found, key=lambda place: -int(place.positions[axis])))

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
            if position is None and self._graph[name].shape:
                message = tr("'{text}' is an array; name one of its numbers, such as {example}")
                raise BackpropError(message.format(text=text, example=_first(self._graph[name])))
            yield name_of(Adjoint(name, *(position or ())))

    def _all(self, of: Sequence[str], names: Sequence[str], is_gradient: bool) -> Iterator[str]:
        kind = Adjoint if is_gradient else Place
        for text in of:
            name, position = self._read(text, names)
            if position is None and prod(self._graph[name].shape) > MOST_CELLS:
                message = tr("'{text}' has more than {most} numbers; name one of them, such as {example}")
                raise BackpropError(message.format(text=text, most=MOST_CELLS, example=_first(self._graph[name])))
            if position is None:
                yield from map(name_of, self._nodes.entries(name, is_gradient))
            else:
                yield name_of(kind(name, *position))

    def _read(self, text: str, names: Sequence[str]) -> tuple[str, tuple[int, ...] | None]:
        """What a text names, one of ``names``. Raises BackpropError."""
        try:
            name, position = stem_and_positions(text)
        except ValueError:
            message = tr("cannot read '{asked}'; expected a quantity such as W1 or W1[1,2]")
            raise BackpropError(message.format(asked=text)) from None
        name = name.removeprefix("dJ/d")
        if name not in names:
            hint = did_you_mean(name, names) or tr("; there are {names}").format(names=enumerated(names) or "-")
            raise BackpropError(tr("there is no '{name}' to ask for here{hint}").format(name=name, hint=hint))
        shape = self._graph[name].shape
        if position is not None and (
            len(position) != len(shape) or not all(1 <= p <= size for p, size in zip(position, shape, strict=True))
        ):
            message = tr("'{text}' is not in {name}, which has the shape {shape}; positions count from 1")
            raise BackpropError(message.format(text=text, name=name, shape=list(shape)))
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
    return name_of(Place(quantity.name, *(1 for _ in quantity.shape)))
