"""Every formula of a derivation, read back from the printed page, holds with the numbers of a run."""

from __future__ import annotations

import pytest

import backprop_cli as bp
from backprop_cli.bundled import bundled_specs
from tests.reading_back import arrays_of, check_steps
from tests.reading_back.by_step import by_each_step

SMALL = [spec.name for spec in bundled_specs() if "600" not in spec.name]
FORMATS = ("text", "unicode", "latex", "mathml")


@pytest.mark.every_spec
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("view", ["index", "matrix"])
def test_every_formula_of_the_bundled_specs_holds(name: str, format: str, view: str) -> None:
    network = bp.load(next(spec.text for spec in bundled_specs() if spec.name == name))
    derivation = network.derive()
    steps = derivation.steps if view == "index" else derivation.matrix_steps
    arrays = arrays_of(network.compile().run())
    names, of_each_step = by_each_step(network, arrays)
    assert check_steps(steps, names, arrays | of_each_step, format) > 4
