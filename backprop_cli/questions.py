"""What a call of ``derive`` asks for: the whole derivation or one gradient, in index notation or in matrices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backprop_cli.derived import Derivation
from backprop_cli.documents.blocks import Document
from backprop_cli.documents.derivation import answer_document, derivation_document
from backprop_cli.errors import BackpropError
from backprop_cli.symbolic.steps import Step
from backprop_cli.translation import tr


@dataclass(frozen=True)
class Question:
    """``of`` is one quantity (``W1``) or entry (``W1[1,2]``), None for everything; ``expand`` writes it in inputs and
    parameters alone; ``in_matrices`` asks for the matrix form, ``unroll`` for the gradients of each step's cost by
    itself as well. Raises BackpropError for what has no answer."""

    of: str | None = None
    expand: bool = False
    in_matrices: bool = False
    unroll: bool = False

    def __post_init__(self) -> None:
        if self.expand and (self.of is None or self.in_matrices):
            message = tr("--expand writes out one entry in index notation; ask for one, such as --of 'W1[1,1]'")
            raise BackpropError(message)
        if self.unroll and (self.of is not None or self.in_matrices):
            message = tr("--unroll belongs to the whole derivation in index notation, without --of and --view")
            raise BackpropError(message)

    def steps(self, derivation: Derivation) -> tuple[Step, ...]:
        """The steps that answer the question. Raises BackpropError for what the network does not have."""
        if self.of is None:
            return derivation.matrix_steps if self.in_matrices else (*derivation.steps, *self._by_step(derivation))
        steps = derivation.of(self.of, self.expand)
        if not self.in_matrices:
            return steps
        matrices = {step.id: step for step in derivation.matrix_steps}
        if not all(step.id in matrices for step in steps):
            message = tr("--view matrix shows whole quantities; ask for {name}")
            raise BackpropError(message.format(name=self.of.partition("[")[0]))
        return tuple(matrices[step.id] for step in steps)

    def document(self, derivation: Derivation) -> Document:
        """The answer as a document."""
        if self.of is not None:
            return answer_document(derivation.told, derivation.names, self.steps(derivation))
        matrices = self.steps(derivation) if self.in_matrices else None
        costs = derivation.unrolled if self.unroll else ()
        return derivation_document(derivation.told, derivation.names, matrices, costs)

    def _by_step(self, derivation: Derivation) -> Iterator[Step]:
        for cost in derivation.unrolled if self.unroll else ():
            yield from cost.steps
