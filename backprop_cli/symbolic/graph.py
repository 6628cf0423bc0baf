"""The graph of a network: its quantities in order of computation, each with the equation that defines it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sympy import Expr, Symbol

from backprop_cli.language import tree
from backprop_cli.symbolic.notation import Place, plain_name


class Role(StrEnum):
    """What a quantity is to the reader; it decides names of steps and colours, never a derivative."""

    INPUT = "input"  # given, has a gradient
    TARGET = "target"  # given, no gradient
    CONSTANT = "constant"  # given, no gradient: masks, class numbers, tokens, a given output gradient
    PARAMETER = "parameter"
    WEIGHTED_SUM = "weighted_sum"  # z of a layer
    ACTIVATION = "activation"  # a of a layer
    INTERMEDIATE = "intermediate"  # any other named quantity
    HELPER = "helper"  # named by the tool, left out of `forward` and `gradients`
    LOSS = "loss"  # the loss of one sample, where there is a batch
    COST = "cost"  # J


@dataclass(frozen=True)
class Quantity:
    """One named quantity. ``indices`` and ``shape`` run in parallel, the sample axis first; sizes count whole axes.

    A given quantity (input, target, constant, parameter) has no ``definition``. ``written`` is the right side as its
    author wrote it, for display; ``definition`` is the same in index notation. ``depends_on_sample`` says whether the
    first axis is the sample axis that the tool added.
    """

    name: str
    indices: tuple[Symbol, ...]
    shape: tuple[int, ...]
    role: Role
    definition: Expr | None = None
    written: tree.Node | None = None
    layer: int | None = None
    activation: str | None = None  # the name of the function, for σ′ in the layer's formulas
    depends_on_sample: bool = False
    # The definition's left side, its indices and their sizes, where it is shown with another than the quantity itself.
    shown_as: tuple[tree.Place, tuple[str, ...], tuple[int, ...]] | None = None
    whole: range | None = None  # the values that class numbers and tokens may have

    @property
    def place(self) -> Place:
        """The quantity at its own indices: what stands on the left side of its equation."""
        return Place(self.name, *self.indices)

    @property
    def is_given(self) -> bool:
        return self.definition is None


@dataclass(frozen=True)
class Loop:
    """Quantities that are computed step by step, each from those before it and from earlier steps of all of them.
    ``axes`` says which axis of each quantity the steps run along, ``initial`` which quantity holds a state before the
    first step."""

    axes: Mapping[str, int]
    steps: int
    initial: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.axes)


@dataclass(frozen=True)
class Graph:
    """Quantities in order of computation: the definition of each uses only quantities before it, and earlier steps of
    those it runs in one of the ``loops`` with.

    ``cost`` names the scalar J, or is None for a module on its own; then ``seeds`` maps the last quantity's name to the
    name of the constant that holds dJ/d(it). ``sample`` is the sample index and ``samples`` the size of the batch, both
    None for one sample. ``frozen`` parameters keep their gradients and take no updates. ``windows`` says for states of
    loops through how many steps the cost of each step is propagated back (truncated backpropagation through time).

    Raises ValueError where the list is not a valid graph.
    """

    name: str
    quantities: tuple[Quantity, ...]
    cost: str | None
    output: str
    seeds: Mapping[str, str] = field(default_factory=dict)
    sample: Symbol | None = None
    samples: int | None = None
    frozen: frozenset[str] = frozenset()
    loss_name: str | None = None  # the loss quantity's name in the spec, where it is not J
    loops: tuple[Loop, ...] = ()
    # The layers inside residual layers are told apart by their labels, "2.1"; ``kinds`` says what each one is called.
    labels: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    windows: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known: dict[str, Quantity] = {}
        in_loops = {q.name: q for q in self.quantities if self.loop_of(q.name) is not None}
        for quantity in self.quantities:
            if quantity.name in known:
                raise ValueError(f"two quantities are called {quantity.name}")
            if len(quantity.indices) != len(quantity.shape):
                raise ValueError(f"{quantity.name} has {len(quantity.indices)} indices and {len(quantity.shape)} axes")
            for place in () if quantity.definition is None else quantity.definition.atoms(Place):
                loop = self.loop_of(place.name)
                if loop is not None and quantity.name in loop.axes:
                    if len(place.positions) != len(in_loops[place.name].shape):
                        raise ValueError(f"{quantity.name} uses {place.name} with {len(place.positions)} positions")
                    continue
                if place.name not in known:
                    raise ValueError(f"{quantity.name} uses {place.name}, which is not defined before it")
                if len(place.positions) != len(known[place.name].shape):
                    raise ValueError(f"{quantity.name} uses {place.name} with {len(place.positions)} positions")
            known[quantity.name] = quantity

    def __getitem__(self, name: str) -> Quantity:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    @property
    def _by_name(self) -> dict[str, Quantity]:
        table: dict[str, Quantity] | None = self.__dict__.get("_table")
        if table is None:
            table = {quantity.name: quantity for quantity in self.quantities}
            object.__setattr__(self, "_table", table)
        return table

    def loop_of(self, name: str) -> Loop | None:
        """The loop in which the quantity is computed, None where it is not computed step by step."""
        return next((loop for loop in self.loops if name in loop.axes), None)

    def label_of(self, quantity: Quantity) -> str | None:
        """What people call the layer of the quantity: ``2``, or ``2.1`` inside a residual layer at place 2."""
        return None if quantity.layer is None else self.labels.get(plain_name(quantity.name), str(quantity.layer))

    def with_role(self, *roles: Role) -> tuple[Quantity, ...]:
        return tuple(quantity for quantity in self.quantities if quantity.role in roles)
