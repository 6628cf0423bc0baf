"""The linear module by itself, for one sample and for a batch: y = Wx + b, and what comes back through it."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr, Symbol

from backprop_cli.language import tree
from backprop_cli.language.walking import rebuilt
from backprop_cli.symbolic.derivation import derive
from backprop_cli.symbolic.display import terms_tree, tree_of
from backprop_cli.symbolic.graph import Graph, Quantity, Role
from backprop_cli.symbolic.matrix_reading import Reader
from backprop_cli.symbolic.matrix_view import sums_first
from backprop_cli.symbolic.notation import Place, Reduce, index

SIZES = {"i": 3, "j": 2}
WORDS = ("output", "input", "weight", "bias", "gradOutput", "gradInput", "gradWeight", "gradBias")
GRADIENTS = {"input": "gradInput", "weight": "gradWeight", "bias": "gradBias"}


def linear(samples: int | None) -> Iterator[tree.Equality]:
    """output, gradInput, gradWeight and gradBias in whole matrices, derived from the module's one equation.

    None is one sample that is no batch."""
    graph = _graph(samples)
    reader = Reader(graph)
    output = graph["output"]
    yield tree.Equality((tree.Matrix("output"), reader.whole(sums_first(tree_of(_definition(output.indices))), output)))
    adjoints = derive(graph)
    for name, gradient in GRADIENTS.items():
        formula = reader.whole(terms_tree(adjoints.formulas[name].terms), graph[name])
        yield tree.Equality((tree.Matrix(gradient), _in_words(formula)))


def _definition(indices: tuple[Symbol, ...]) -> Expr:
    *sample, i = indices
    j = index("j")
    return Reduce("sum", Place("weight", i, j) * Place("input", *sample, j), j, SIZES["j"]) + Place("bias", i)


def _graph(samples: int | None) -> Graph:
    sizes = {**SIZES, "n": samples or 1}

    def quantity(name: str, axes: str, role: Role) -> Quantity:
        return Quantity(name, tuple(map(index, axes)), tuple(sizes[axis] for axis in axes), role)

    sample = "n" if samples else ""
    output = quantity("output", f"{sample}i", Role.INTERMEDIATE)
    defined = Quantity(output.name, output.indices, output.shape, output.role, _definition(output.indices))
    given = (
        quantity("input", f"{sample}j", Role.INPUT),
        quantity("weight", "ij", Role.PARAMETER),
        quantity("bias", "i", Role.PARAMETER),
        quantity("gradOutput", f"{sample}i", Role.CONSTANT),
    )
    return Graph("linear", (*given, defined), None, "output", {"output": "gradOutput"})


def _in_words(node: tree.Node) -> tree.Node:
    if isinstance(node, tree.Gradient):
        return tree.Matrix("gradOutput")
    return rebuilt(node, _in_words)
