"""A run told as the calls of Torch's modules: a section for each module forward, and one backward."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from numpy.typing import ArrayLike

from backprop_cli.documents.blocks import (
    Block,
    Cell,
    Document,
    FormulaBlock,
    Heading,
    Inline,
    Line,
    Note,
    Prose,
    Side,
    Table,
    Tone,
)
from backprop_cli.documents.introduction import by_step, on_signs
from backprop_cli.documents.names import Names, Shown
from backprop_cli.documents.run_tables import array_cell
from backprop_cli.documents.sentences import filled, listed
from backprop_cli.documents.wording import WALK, told, warns
from backprop_cli.documents.wording_views import LOOPS, MODULES, SIGNATURES
from backprop_cli.language import tree
from backprop_cli.language.walking import walk
from backprop_cli.symbolic.display import cost_of, tree_of
from backprop_cli.symbolic.graph import Graph, Quantity
from backprop_cli.symbolic.notation import Adjoint, is_by_step, plain_name
from backprop_cli.teaching.linear import WORDS as LINEAR_WORDS
from backprop_cli.teaching.linear import linear
from backprop_cli.teaching.modules import GRAD_OUTPUT, GRADIENT_OF, LINEAR, SO_FAR, Call, Method, Module, Tensor

UNTOLD = frozenset({"delta"})  # δ is not written here
FORWARD = (Method.UPDATE_OUTPUT, Method.FORWARD)
A_BATCH = 4  # samples of the batch that an example has where the network has none


def modules_document(
    graph: Graph, names: Names, calls: Sequence[Call], rate: float, digits: int, full: bool
) -> Document:
    """``rate`` is the learning rate of the update; ``full`` shows every number of large arrays too."""
    teller = _Document(graph, rate, digits, full)
    blocks: list[Block] = [Heading(1, (MODULES["title"].format(name=graph.name),)), *teller.introduction(calls)]
    blocks += on_signs(graph, names, [node for call in calls for side in call.equations for node in walk(side)])
    for key, section in groupby(calls, key=_section):
        blocks += teller.section(key, list(section))
    blocks += teller.linear(calls)
    return Document(tuple(blocks), with_words(names, calls))


def with_words(names: Names, calls: Sequence[Call]) -> Names:
    """The names with Torch's words among them."""
    found: dict[str, Shown] = {}
    used = [word for call in calls for tensor in call.tensors for word in (tensor.word,)]
    for word in (*LINEAR_WORDS, *used):
        if word.startswith(GRADIENT_OF):
            shown = names[word.removeprefix(GRADIENT_OF)]
            found[word] = Shown(word, f"grad{shown.array}", f"grad{shown.array}", shown.layer)
        elif word:
            found[word] = Shown(word, word, word)
    return replace(names, quantities={**found, **names.quantities})


Section = tuple[bool, int | None, str | None]


def _section(call: Call) -> Section:
    """Calls of one module in one direction belong together; those of the whole network stand alone."""
    if call.module is None:
        return False, None, call.method if call.method is not Method.BACKWARD else call.gives
    return call.method in FORWARD, call.module.number, None


class _Document:
    def __init__(self, graph: Graph, rate: float, digits: int, full: bool) -> None:
        self._graph, self._rate, self._digits, self._full = graph, f"{rate:g}", digits, full
        self._copy = next((quantity for quantity in graph.quantities if is_by_step(quantity.name)), None)

    def introduction(self, calls: Sequence[Call]) -> Iterator[Block]:
        yield Prose((MODULES["plan"],))
        if self._graph.samples is not None:
            yield Prose((MODULES["batch"].format(samples=self._graph.samples, sample=self._graph.sample),))
        yield from by_step(self._graph)
        if self._copy is not None:
            yield Prose(self._in_front(self._copy))
        for loop in self._graph.loops:
            if is_by_step(loop.names[0]):
                continue
            together = listed([tree.Matrix(name) for name in loop.names])
            yield Note(filled(LOOPS["several" if len(loop.names) > 1 else "one"], names=together))
        yield Note((WALK["rounding"].format(digits=self._digits),))

    def _in_front(self, copy: Quantity) -> tuple[Inline, ...]:
        """What gradOutput is where the cost is taken apart by steps, by the example of one quantity."""
        gradient = tree_of(Adjoint(copy.name, *copy.indices))
        word = tree.Place(GRAD_OUTPUT, tuple(tree.Place(symbol.name) for symbol in copy.indices))
        part = cost_of(copy.indices[0].name)
        return filled(MODULES["in front"], entry=word, gradient=gradient, step=part.positions[0], part=part)

    def _windows(self, calls: Sequence[Call]) -> Iterator[Note]:
        """What the brackets are that cut off older states."""
        nodes = (node for call in calls for equation in call.equations for node in walk(equation))
        brackets = [node for node in nodes if isinstance(node, tree.Comparison) and node.operator == ">"]
        part = None if self._copy is None else cost_of(self._copy.indices[0].name)
        for bracket in dict.fromkeys(brackets):
            if part is not None and part.positions[0] in walk(bracket.right):
                yield Note(filled(MODULES["window"], bracket=bracket, part=part))

    def section(self, key: Section, calls: Sequence[Call]) -> Iterator[Block]:
        is_forward, _, method = key
        module = calls[0].module
        if module is None and calls[0].handed:
            yield from self._input(calls[0])
            return
        if module is None:
            yield Heading(2, (MODULES["start" if method is Method.ZERO_GRAD_PARAMETERS else "end"],))
        else:
            direction = MODULES["forward" if is_forward else "backward"]
            yield Heading(2, filled(direction, section=self._title(module)))
        if module is not None and not is_forward:
            yield from self._arriving(module, calls)
        for method, alike in groupby(calls, key=lambda call: call.method):
            yield Heading(3, (SIGNATURES[method],))
            yield from self._calls(method, list(alike))

    def _title(self, module: Module) -> tuple[Inline, ...]:
        if module.is_criterion:
            return (MODULES["criterion"],)
        label = self._graph.label_of(self._graph[module.output])
        library = self._graph.kinds.get(str(label), "")
        unnamed = filled(MODULES["no name"], output=tree.Matrix(module.output))
        known: dict[str, tuple[Inline, ...]] = {
            "number": (str(module.number),),
            "kind": (module.kind,) if module.kind else unnamed,
            "layer": (str(label),),
            "library": (library,),
        }
        if label is None:
            return filled(MODULES["module"], **known)
        is_plain = module.kind == LINEAR or library in ("", "dense") or library.lower() == module.kind.lower()
        return filled(MODULES["module in a layer" if is_plain else "library module in a layer"], **known)

    def _arriving(self, module: Module, calls: Sequence[Call]) -> Iterator[Block]:
        """What a module is given on the way back."""
        if module.is_criterion:
            yield Prose((MODULES["criterion backward"],))
        elif module.output in self._graph.seeds:
            yield Prose((MODULES["given"],))
        if calls[0].handed:
            yield Prose((MODULES["handed"],))
            yield self._sum(calls[0])

    def _input(self, call: Call) -> Iterator[Block]:
        """The gradient by an input of the network that several modules use."""
        yield Heading(2, filled(MODULES["inputs"], input=tree.Matrix(call.gives)))
        yield Prose((MODULES["input"],))
        yield self._sum(call)

    def _sum(self, call: Call) -> Table:
        total = call.tensors[0]
        rows = [(self._origin(giver), self._cell(total.of, values)) for giver, values in call.handed]
        return self._table([*rows, self._row(total)])

    def _origin(self, module: Module | None) -> str:
        if module is None:
            return MODULES["from outside"]
        if module.is_criterion:
            return MODULES["from the criterion"]
        return MODULES["from module"].format(number=module.number)

    def _calls(self, method: Method, calls: Sequence[Call]) -> Iterator[Block]:
        if method is Method.ZERO_GRAD_PARAMETERS:
            yield Prose((MODULES["zero"],))
        if method is Method.FORWARD:
            yield Prose((MODULES["criterion forward"],))
        if method is Method.UPDATE_PARAMETERS:
            yield Prose((MODULES["update"].format(rate=self._rate),))
            if self._graph.frozen:
                frozen = listed([tree.Matrix(name) for name in sorted(self._graph.frozen)])
                yield Note(filled(MODULES["frozen"], names=frozen))
        if method is Method.UPDATE_GRAD_INPUT and len(calls) > 1:
            yield Prose((MODULES["several inputs"],))
        if any(tensor.word.startswith(SO_FAR) for call in calls for tensor in call.tensors):
            yield Note((MODULES["shared"],))
        lines = [Line(side.sides[0], tuple(map(Side, side.sides[1:]))) for call in calls for side in call.equations]
        if lines:
            yield FormulaBlock(tuple(lines))
        yield from self._notes(calls)
        yield from self._windows(calls)
        tensors = {(t.word, t.of): t for call in calls for t in call.tensors}
        yield self._table([self._row(tensor) for tensor in tensors.values()], method is Method.UPDATE_PARAMETERS)

    def _notes(self, calls: Sequence[Call]) -> Iterator[Block]:
        said: list[tuple[Inline, ...]] = []
        for call in calls:
            for note in call.notes:
                parts = told(note, tree.Gradient(plain_name(call.gives)))
                if parts not in said and note.key not in UNTOLD:
                    yield Note(parts, Tone.WARNING if warns(note) else Tone.REMARK)
                said.append(parts)

    def _row(self, tensor: Tensor) -> tuple[Cell, ...]:
        word = tree.Matrix(tensor.word) if tensor.word else None
        sides = tuple(side for side in (word, tensor.quantity, tensor.formula) if side is not None)
        return tree.Equality(sides) if len(sides) > 1 else sides[0], self._cell(tensor.of, tensor.values)

    def _cell(self, name: str, values: ArrayLike) -> Cell:
        indices = [symbol.name for symbol in self._graph[name].indices]
        return array_cell(values, indices, self._digits, self._full)

    def _table(self, rows: Sequence[tuple[Cell, ...]], is_new: bool = False) -> Table:
        header = (MODULES["tensor"], MODULES["new values" if is_new else "values"])
        return Table(header, tuple(rows), self._digits)

    def linear(self, calls: Sequence[Call]) -> Iterator[Block]:
        """How the formulas of Linear look for one sample and for a batch, where the network has one."""
        if not any(call.module is not None and call.module.kind == LINEAR for call in calls):
            return
        samples = self._graph.samples or A_BATCH
        yield Heading(2, (MODULES["linear"],))
        for title, of in (("one sample", None), ("rows", samples)):
            yield Prose((MODULES[title].format(samples=samples),))
            lines = (Line(side.sides[0], (Side(side.sides[1]),)) for side in linear(of))
            yield FormulaBlock(tuple(lines))
