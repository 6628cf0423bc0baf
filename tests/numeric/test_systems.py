"""Whole systems of equations: the compiled gradients against the derived formulas, evaluated number by number."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

from backprop_cli.numeric import schedule
from backprop_cli.numeric.program import Program
from backprop_cli.symbolic.derivation import derive
from backprop_cli.symbolic.notation import Adjoint, Place
from tests.numeric import naive
from tests.symbolic.systems import SYSTEMS

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("overwriting", [False, True], ids=["fresh arrays", "overwriting"])
@pytest.mark.parametrize("name", SYSTEMS)
def test_gradients(name: str, overwriting: bool) -> None:
    graph = SYSTEMS[name]
    derived = derive(graph)
    formulas = derived.formulas
    given = {q.name: RNG.uniform(0.2, 1.5, q.shape) for q in graph.quantities if q.is_given}
    values = naive.run(graph, given)
    for formula in reversed(formulas.values()):
        array = np.zeros(formula.shape)
        for position in np.ndindex(formula.shape):
            where = dict(zip(formula.indices, (p + 1 for p in position), strict=True))
            plain = formula.expression.replace(lambda e: isinstance(e, Adjoint), as_place)
            array[position] = naive.evaluate(plain, values, where)
        values[f"d{formula.target.name}"] = array
    with patch.object(schedule, "SMALL", 0 if overwriting else schedule.SMALL):
        program = Program(graph, derived, given)
        trace = program.run()
        results = program.function(*given.values())
    assert trace.loss == pytest.approx(values["J"], rel=1e-12)
    for quantity, gradient in trace.gradients.items():
        np.testing.assert_allclose(gradient, values[f"d{quantity}"], rtol=1e-10, atol=1e-12, err_msg=quantity)
    for label, result in zip(program.outputs, results, strict=True):
        expected = trace.loss if label == "J" else trace.gradients[label.removeprefix("dJ/d")]
        np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-12, err_msg=label)


def as_place(adjoint: Adjoint) -> Place:
    return Place(f"d{adjoint.name}", *adjoint.positions)
