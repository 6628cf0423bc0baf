"""The Python interface: what a script imports and what a notebook shows."""

from __future__ import annotations

import numpy as np
import pytest

import backprop_cli as bp

TEXT = """
name: "<b>small</b>"
inputs: {x: [[1, 2], [3, 4]]}
targets: {y: [1, 0]}
layers: [{dense: {units: 2, activation: tanh}}, {dense: {units: 2}}]
loss: cross_entropy
"""


def test_a_network_from_text_to_gradients() -> None:
    network = bp.load(TEXT)
    program = network.compile()
    trace = program.run()
    assert program.outputs == ("J", "dJ/dW1", "dJ/db1", "dJ/dW2", "dJ/db2", "dJ/dx")
    assert program.arguments == ("x", "y", "W1", "b1", "W2", "b2")
    found = program.function(*(trace.given[name] for name in program.arguments))
    assert found[0] == pytest.approx(trace.loss)
    for name, gradient in zip(program.outputs[1:], found[1:], strict=True):
        np.testing.assert_allclose(gradient, trace.gradients[name.removeprefix("dJ/d")], rtol=1e-12)
    assert "def " in program.source
    assert network.verify(trace).ok


def test_other_numbers_and_another_batch() -> None:
    program = bp.load(TEXT).compile()
    three = program.run({"x": [[1, 2], [3, 4], [1, 2]], "y": [1, 0, 1]})
    assert three.forward["a2"].shape == (3, 2)
    np.testing.assert_allclose(three.forward["a2"][0], three.forward["a2"][2])
    with pytest.raises(bp.BackpropError, match="'w1' is not an input, target or parameter"):
        program.run({"w1": 1})


def test_the_derivation_is_plain_data() -> None:
    derivation = bp.load(TEXT).derive()
    data = derivation.as_data()
    assert data["name"] == "<b>small</b>"
    kinds = {step["of"]: step["kind"] for step in data["steps"]}
    assert kinds["dJ/dW2"] == "parameter_gradient"
    assert kinds["da1/dz1"] == "local_derivative"
    assert kinds["dJ/da2"] == "boundary"
    assert kinds["dJ/da1"] == "activation_gradient"
    assert kinds["dJ/dz1"] == "preactivation_gradient"
    assert kinds["dJ/dx"] == "input_gradient"
    assert [step.of for step in derivation.of("W1[1,2]")][-1] == "dJ/dW1[1,2]"


def test_a_notebook_shows_mathematics_and_tables() -> None:
    network = bp.load(TEXT)
    assert r"z_{ni}^{[1]} = \sum" in network._repr_markdown_()
    assert r"\frac{\partial J}{\partial w_{ij}^{[1]}}" in network.derive()._repr_markdown_()
    page = network.compile().run()._repr_html_()
    assert page.startswith("<pre>")
    assert "&lt;b&gt;small&lt;/b&gt;" in page
    assert "<b>" not in page
    assert "np.tanh(" in network.compile()._repr_html_()


def test_all_problems_at_once() -> None:
    with pytest.raises(bp.SpecError) as caught:
        bp.load("inputs: {x: [1]}\nlayers: [{dense: {units: 1, activation: tahn}}]\nlos: mse\n")
    assert [problem.message for problem in caught.value.problems] == [
        "unknown activation 'tahn'; did you mean 'tanh'?",
        "unknown key 'los'; did you mean 'loss'?",
    ]
