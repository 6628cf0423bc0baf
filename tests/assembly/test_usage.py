"""What has no effect on the cost."""

from __future__ import annotations

from backprop_cli.symbolic.usage import without_effect
from tests.assembly.specs import built


def test_what_the_cost_does_not_depend_on() -> None:
    graph, _ = built("""
        inputs: {x: 1, u: 2}
        targets: {y: 1, t: 2}
        parameters: {w: 1, v: 2}
        equations:
          - h = w*x
          - g = v*h
          - L = (h - y)**2
        loss: L
    """)
    assert without_effect(graph) == ("u", "t", "v", "g")


def test_what_a_given_gradient_does_not_reach() -> None:
    graph, _ = built("""
        inputs: {x: [1, 2], u: 2}
        layers:
          - dense: {units: 1, from: x}
        grad_output: [1]
    """)
    assert without_effect(graph) == ("u",)
