"""Torch's modules, Jacobians and perturbations as plain data: what ``walk`` prints with ``--format json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop_cli.documents.modules import with_words
from backprop_cli.documents.names import Names
from backprop_cli.documents.perturbation import Prediction
from backprop_cli.language import tree
from backprop_cli.numeric.trace import plain
from backprop_cli.renderers import formula_text
from backprop_cli.renderers.walk_data import number, written
from backprop_cli.symbolic.graph import Graph
from backprop_cli.symbolic.notation import plain_name
from backprop_cli.teaching.jacobians import Block
from backprop_cli.teaching.modules import GRADIENT_OF, Call, Module, Tensor
from backprop_cli.teaching.perturbation import Change, Perturbation

Array = NDArray[np.float64]


def modules_as_data(name: str, graph: Graph, calls: Sequence[Call], names: Names, rate: float) -> dict[str, Any]:
    """The calls in order: the method, the module (null for all of them), the equations in Torch's words, and the
    arrays by Torch's words with what they are in the network (null for a part of what is added up)."""
    words = with_words(names, calls)
    return {
        "name": name,
        "view": "modules",
        "learning_rate": rate,
        "calls": [_call(call, graph, words) for call in calls],
    }


def _call(call: Call, graph: Graph, names: Names) -> dict[str, Any]:
    return {
        "method": str(call.method),
        "module": None if call.module is None else _module(call.module, graph),
        "formulas": [written(equation, names) for equation in call.equations],
        "tensors": [_tensor(tensor, names) for tensor in call.tensors],
        "handed_back": [
            {"module": None if giver is None else giver.number, "values": plain(values)}
            for giver, values in call.handed
        ],
    }


def _module(module: Module, graph: Graph) -> dict[str, Any]:
    return {
        "number": module.number,
        "kind": "criterion" if module.is_criterion else module.kind or None,
        "layer": graph.label_of(graph[module.output]),
        "output": module.output,
        "inputs": list(module.inputs),
        "parameters": list(module.parameters),
    }


def _tensor(tensor: Tensor, names: Names) -> dict[str, Any]:
    is_own_word = tensor.word.startswith(GRADIENT_OF)
    return {
        "tensor": f"grad{plain_name(tensor.of)}" if is_own_word else tensor.word or None,
        "of": plain_name(tensor.of),
        "quantity": None if tensor.quantity is None else formula_text.render(tensor.quantity, names),
        "values": plain(tensor.values),
    }


def jacobians_as_data(name: str, blocks: Sequence[Block], names: Names) -> dict[str, Any]:
    """The modules from the cost to the inputs: Jacobians as matrices (null where too large), and rows."""
    return {"name": name, "view": "jacobians", "modules": [_block(block, names) for block in blocks]}


def _block(block: Block, names: Names) -> dict[str, Any]:
    return {
        "of": block.of,
        "formula": written(block.definition, names),
        "jacobians": [
            {
                "of": one.of,
                "by": one.by,
                "formula": written(one.equation, names),
                "in_entries": one.in_entries,
                "shape": list(one.shape),
                "values": None if one.values is None else plain(one.values),
            }
            for one in block.jacobians
        ],
        "rows": [
            {
                "by": row.by,
                "formula": written(row.equation, names),
                "through": list(row.through),
                "values": plain(row.values),
            }
            for row in block.rows
        ],
    }


def perturbation_as_data(
    name: str,
    perturbation: Perturbation,
    changes: Sequence[Change],
    true: Mapping[str, Array],
    predictions: Sequence[Prediction],
    names: Names,
) -> dict[str, Any]:
    """Every quantity that changes, to first order and in a run (null where the run does not report it), and the cost
    for the change, a tenth and a hundredth of it."""
    positions = tuple(tree.Number(str(place)) for place in perturbation.position)
    return {
        "name": name,
        "perturb": {
            "entry": formula_text.render(tree.Place(perturbation.of, positions), names),
            "change": perturbation.change,
        },
        "steps": [
            {
                "of": change.of,
                "formula": written(tree.Equality((change.target, change.formula)), names),
                "entries": [
                    {
                        "position": list(entry.position),
                        "formula": written(tree.Equality((entry.target, entry.formula)), names),
                        "numbers": None if entry.put_in is None else written(entry.put_in, names),
                        "value": number(entry.value),
                    }
                    for entry in change.entries
                ],
                "first_order": plain(change.values),
                "true": plain(true[change.of]) if change.of in true else None,
            }
            for change in changes
        ],
        "cost": [
            {"change": row.change, "predicted": number(row.predicted), "true": number(row.true)} for row in predictions
        ],
    }
