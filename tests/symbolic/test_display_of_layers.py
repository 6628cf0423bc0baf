"""How derivations of recurrent, pooling, normalising and look-up layers are told."""

from __future__ import annotations

import pytest

import backprop_cli as bp
from backprop_cli.bundled import bundled_spec
from backprop_cli.documents.blocks import Heading
from backprop_cli.documents.derivation import derivation_document
from backprop_cli.documents.wording import PARTS, sentence
from backprop_cli.renderers import formula_text
from backprop_cli.renderers.formula_unicode import render
from backprop_cli.symbolic.steps import Step

SHIFTED = """
    inputs: {x: [1, 2, 3, 4]}
    parameters: {w: [1, 2, 3, 4]}
    equations: ["u[i] = w[i]*x[i]", "v[k] = u[k+1]**2", "s[k] = v[k]*v[4-k]", "L = sum(v[i], i) + sum(s[k], k)"]
    loss: L
    """


def told(spec: str, of: str) -> list[str]:
    """The forms of one step as a terminal shows them."""
    network = bp.load(spec)
    step = next(step for step in network.derive().steps if step.id == of)
    return [render(step.target, network.names), *(render(form.value, network.names) for form in step.forms)]


def bundled(name: str) -> str:
    return bundled_spec(name).text


def test_the_state_depends_on_the_state_before() -> None:
    assert told(bundled("rnn"), "dh/dh") == ["∂hₜᵢ/∂h[t−1,k]", "(1 − hₜᵢ²) · W_hh[i,k]"]
    assert told(bundled("rnn"), "dJ/dh") == [
        "∂J/∂hₜᵢ",
        "[t + 1 ≤ 3] · Σₖ ∂J/∂h[t+1,k] · ∂h[t+1,k]/∂hₜᵢ + Σₘ ∂J/∂oₜₘ · ∂oₜₘ/∂hₜᵢ",
        "[t + 1 ≤ 3] · Σₖ ∂J/∂h[t+1,k] · (1 − h[t+1,k]²) · W_hh[k,i] + Σₘ ∂J/∂oₜₘ · W_ho[m,i]",
    ]


def test_only_a_position_that_is_the_same_everywhere_is_tied() -> None:
    assert told(SHIFTED, "dv/du") == ["∂vₖ/∂u[k+1]", "2 · u[k+1]"]
    assert told(SHIFTED, "ds/dv")[0] == "∂sₖ/∂vₗ"


def headings(name: str) -> list[object]:
    derivation = bp.load(bundled(name)).derive()
    document = derivation_document(derivation.told, derivation.names)
    return [block.parts[0] for block in document.blocks if isinstance(block, Heading)]


@pytest.mark.parametrize(("name", "has_start"), [("gru", False), ("lstm", True), ("rnn", True), ("mlp", True)])
def test_what_uses_gradients_is_no_start_of_the_backward_pass(name: str, has_start: bool) -> None:
    found = headings(name)
    assert (PARTS["boundary"] in found) is has_start
    assert (PARTS["through time"] in found) is (name != "mlp")


def test_the_position_of_a_largest_value_needs_no_bracket_for_its_range() -> None:
    _, value = told(bundled("small-cnn"), "da2/da1")
    assert "≤" not in value
    assert "≥" not in value
    _, value = told(bundled("small-cnn"), "dz1/dx")
    assert value == "w⁽¹⁾[c,d,j−p+1,k−q+1] · [1 ≤ j − p + 1 ≤ 3] · [1 ≤ k − q + 1 ≤ 3]"


@pytest.mark.parametrize(("name", "of"), [("batch-norm", "dvar/dmu"), ("layer-norm", "dvar2/dmu2")])
def test_a_way_that_leads_nowhere_is_said_to(name: str, of: str) -> None:
    found = {step.id: step for step in bp.load(bundled(name)).derive().steps}
    mean = of.rpartition("d")[2]
    remark = f"{of} is 0: the sum cancels once {mean} is put in."
    assert [sentence(note) for note in found[of].notes] == [remark]
    assert [step.id for step in found.values() if any(note.key == "vanishes" for note in step.notes)] == [of]


def test_a_sum_that_does_not_cancel_is_not_said_to() -> None:
    equations = '["m = 2*mean(x[n], n)", "v = mean((x[n] - m)**2, n)", "L = w*v"]'
    spec = f"inputs: {{x: [1, 2, 4]}}\nparameters: {{w: 1}}\nequations: {equations}\nloss: L"
    (step,) = (step for step in bp.load(spec).derive().steps if step.id == "dv/dm")
    assert step.notes == ()


def test_a_row_that_is_looked_up_is_a_product_with_a_matrix() -> None:
    network = bp.load(bundled("embedding"))
    steps: dict[str, Step] = {step.id: step for step in network.derive().matrix_steps}
    assert formula_text.render(steps["a1"].formula, network.names) == "a1 = onehot(x + ones(4), 5) @ W1"
