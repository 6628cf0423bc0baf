"""Losses by name: their exact scaling, by formula and against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

import backprop_cli as bp
from backprop_cli.library.losses import LOSSES
from backprop_cli.symbolic.graph import Role
from tests.assembly.specs import built, equation, forward

Array = NDArray[np.float64]
OUTPUT = np.array([[0.5, -1.25, 2.0, 0.0], [1.5, 0.25, -0.5, 3.0], [0.0, 0.0, 1.0, -2.0]])
PROBABILITIES = np.array([[0.5, 0.25, 0.125, 0.125], [0.1, 0.2, 0.3, 0.4], [0.9, 0.05, 0.025, 0.025]])
TARGET = np.array([[0.5, 1.0, 0.0, -1.0], [1.0, 0.0, 1.0, 3.5], [0.0, 0.5, 1.0, -2.0]])
DISTRIBUTION = np.array([[0, 1, 0, 0], [0.5, 0.5, 0, 0], [0.25, 0.25, 0.25, 0.25]])
CLASSES = np.array([1, 3, 0])
SIGNS = np.array([[1, -1, 1, -1], [1, 1, 1, 1], [-1, -1, 1, -1]])


def log_softmax(a: Array) -> Array:
    return a - np.log(np.exp(a).sum(axis=-1, keepdims=True))


def bce(p: Array, y: Array) -> Array:
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(axis=-1)


def huber(a: Array, y: Array, delta: float) -> Array:
    r = np.abs(a - y)
    return np.where(r <= delta, r**2 / 2, delta * (r - delta / 2)).mean(axis=-1)


ROWS = np.arange(3)
# The loss, the output, the target and the cost of each sample, by the formulas of the contract.
CASES: list[tuple[str, Array, Array, Array]] = [
    ("mse", OUTPUT, TARGET, ((OUTPUT - TARGET) ** 2).mean(axis=-1)),
    ("sse", OUTPUT, TARGET, ((OUTPUT - TARGET) ** 2).sum(axis=-1)),
    ("half_sse", OUTPUT, TARGET, ((OUTPUT - TARGET) ** 2).sum(axis=-1) / 2),
    ("mae", OUTPUT, TARGET, np.abs(OUTPUT - TARGET).mean(axis=-1)),
    ("huber", OUTPUT, TARGET, huber(OUTPUT, TARGET, 1)),
    ("huber: {delta: 0.25}", OUTPUT, TARGET, huber(OUTPUT, TARGET, 0.25)),
    ("bce", PROBABILITIES, DISTRIBUTION, bce(PROBABILITIES, DISTRIBUTION)),
    ("bce_with_logits", OUTPUT, DISTRIBUTION, bce(1 / (1 + np.exp(-OUTPUT)), DISTRIBUTION)),
    ("cross_entropy", OUTPUT, DISTRIBUTION, -(DISTRIBUTION * log_softmax(OUTPUT)).sum(axis=-1)),
    ("cross_entropy", OUTPUT, CLASSES, -log_softmax(OUTPUT)[ROWS, CLASSES]),
    ("nll", np.log(PROBABILITIES), DISTRIBUTION, -(DISTRIBUTION * np.log(PROBABILITIES)).sum(axis=-1)),
    ("nll", np.log(PROBABILITIES), CLASSES, -np.log(PROBABILITIES)[ROWS, CLASSES]),
    ("hinge", OUTPUT, SIGNS, np.maximum(0, 1 - SIGNS * OUTPUT).mean(axis=-1)),
]
IDS = [f"{loss}-{'class' if target is CLASSES else 'numbers'}" for loss, _, target, _ in CASES]


def spec(loss: str, output: Any, target: Any) -> str:
    wanted = f"{{{loss}}}" if ":" in loss else loss
    return f"""
        inputs: {{x: {output.tolist()}}}
        targets: {{y: {target.tolist()}}}
        layers: [identity]
        loss: {wanted}
    """


def test_every_loss_is_tested() -> None:
    assert {loss.split(":")[0] for loss, *_ in CASES} == set(LOSSES)


@pytest.mark.parametrize(("loss", "output", "target", "expected"), CASES, ids=IDS)
def test_the_cost_of_one_sample(loss: str, output: Array, target: Array, expected: Array) -> None:
    for row in range(3):
        assert_allclose(forward(spec(loss, output[row], target[row]))["J"], expected[row])


@pytest.mark.parametrize(("loss", "output", "target", "expected"), CASES, ids=IDS)
def test_the_cost_of_a_batch_is_the_mean(loss: str, output: Array, target: Array, expected: Array) -> None:
    v = forward(spec(loss, output, target))
    assert_allclose(v["L"], expected)
    assert_allclose(v["J"], expected.mean())


TORCH = {
    "mse": "mse_loss",
    "mae": "l1_loss",
    "huber": "huber_loss",
    "bce": "binary_cross_entropy",
    "bce_with_logits": "binary_cross_entropy_with_logits",
    "cross_entropy": "cross_entropy",
    "nll": "nll_loss",
}


@pytest.mark.parametrize(("loss", "output", "target", "expected"), CASES, ids=IDS)
def test_batches_agree_with_torch(loss: str, output: Array, target: Array, expected: Array) -> None:
    torch = pytest.importorskip("torch")
    name = loss.split(":")[0]
    if name not in TORCH or (name == "nll" and target is not CLASSES):
        pytest.skip("PyTorch has no such loss")
    options = {"delta": 0.25} if ":" in loss else {}
    kind = torch.int64 if target is CLASSES else torch.float64
    cost = getattr(torch.nn.functional, TORCH[name])(
        torch.tensor(output, dtype=torch.float64), torch.tensor(target, dtype=kind), **options
    )
    assert_allclose(forward(spec(loss, output, target))["J"], cost.item(), rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("mse", "1/4*sum((a1[k] - y[k])**2, k)"),
        ("half_sse", "1/2*sum((a1[k] - y[k])**2, k)"),
        ("cross_entropy", "-sum(y[k]*log(p[k]), k)"),
        ("bce_with_logits", "-1/4*sum(y[k]*log(p[k]) + (1 - y[k])*log(1 - p[k]), k)"),
    ],
)
def test_what_is_shown(loss: str, expected: str) -> None:
    graph, _ = built(spec(loss, OUTPUT[0], DISTRIBUTION[0]))
    assert equation(graph, "J") == expected


def test_losses_on_logits_name_the_probabilities() -> None:
    graph, _ = built(spec("cross_entropy", OUTPUT, CLASSES))
    assert graph["p"].role is Role.HELPER
    assert graph["y"].role is Role.CONSTANT
    assert equation(graph, "p") == "exp(a1[n,k])/sum(exp(a1[n,l]), l)"
    assert equation(graph, "L") == "-sum((k == y[n] + 1)*log(p[n,k]), k)"


def test_the_probabilities_take_a_free_name() -> None:
    graph, _ = built("""
        inputs: {x: [1, 2], p: 3}
        targets: {y: 1}
        layers:
          - dense: {units: 3, from: x}
        loss: cross_entropy
    """)
    assert graph["p_J"].role is Role.HELPER


def test_indices_of_losses_keep_clear_of_quantities() -> None:
    graph, _ = built("""
        inputs: {k: 3, x: [1, 2]}
        targets: {y: 1}
        layers:
          - dense: {units: 3, from: x}
        loss: cross_entropy
    """)
    assert equation(graph, "J") == "-sum((l == y + 1)*log(p[l]), l)"


@pytest.mark.parametrize(("x", "y"), [("[1, 2]", "3"), ("[[1, 2], [3, 4]]", "[3, 4]")])
def test_one_unit_may_be_compared_with_one_number(x: str, y: str) -> None:
    v = forward(f"""
        inputs: {{x: {x}}}
        targets: {{y: {y}}}
        layers:
          - dense: {{units: 1}}
        loss: mse
    """)
    assert_allclose(v["J"], np.mean((v["a1"][..., 0] - v["y"]) ** 2))


@pytest.mark.parametrize("loss", ["mse", "half_sse", "bce_with_logits", "hinge"])
def test_an_output_that_is_one_number(loss: str) -> None:
    v = forward(f"""
        inputs: {{x: 0.5}}
        targets: {{y: 1}}
        layers: [tanh]
        loss: {loss}
    """)
    a = np.tanh(0.5)
    expected = {"mse": (a - 1) ** 2, "half_sse": (a - 1) ** 2 / 2, "hinge": 1 - a}
    assert_allclose(v["J"], expected.get(loss, np.log(1 + np.exp(-a))))


def test_outputs_of_several_axes_count_all_their_numbers() -> None:
    v = forward("""
        inputs: {x: {value: [[1, 2], [3, 4], [5, 6]], batch: false}}
        targets: {y: [[1, 0], [0, 0], [0, 1]]}
        layers: [tanh]
        loss: mse
    """)
    assert_allclose(v["J"], np.mean((v["a1"] - v["y"]) ** 2))


@pytest.mark.parametrize("classes", [False, True])
def test_cross_entropy_runs_over_the_last_axis(classes: bool) -> None:
    x = np.array([[1.0, 2.0], [3.0, 5.0], [5.0, 6.5]])
    v = forward(f"""
        inputs: {{x: {{value: {x.tolist()}, batch: false}}}}
        targets: {{y: {[0, 1, 1] if classes else [[1, 0], [0, 1], [0, 1]]}}}
        layers: [identity]
        loss: cross_entropy
    """)
    assert_allclose(v["J"], -log_softmax(x)[[0, 1, 2], [0, 1, 1]].sum())


def test_a_loss_by_expression() -> None:
    text = """
        inputs: {x: [[1, 2], [3, 4]]}
        targets: {y: [[1, 0], [0, 1]]}
        layers:
          - dense: {units: 2, activation: sigmoid}
        loss: 1/2 * sum((yhat[i] - y[i])**2, i)
    """
    graph, _ = built(text)
    assert equation(graph, "L") == "1/2*sum((a1[n,i] - y[n,i])**2, i)"
    v = forward(text)
    assert_allclose(v["J"], np.mean(np.sum((v["a1"] - v["y"]) ** 2, axis=1) / 2))


def test_a_loss_by_expression_may_use_several_targets() -> None:
    v = forward("""
        inputs: {x: [1, 2]}
        targets: {y: [1, 0], t: 3}
        layers:
          - dense: {units: 2}
          - tanh
        loss: sum((a1[i] - y[i])**2, i) + (a2[1] - t)**2
    """)
    assert_allclose(v["J"], np.sum((v["a1"] - v["y"]) ** 2) + (v["a2"][0] - 3) ** 2)


@pytest.mark.parametrize(
    ("regularise", "expected"),
    [
        ("{l2: 0.01}", "L + 0.01/2*(sum(w[i]**2, i) + sum(W1[i,j]**2, i, j) + sum(W3[i,j]**2, i, j))"),
        ("{l1: 0.5, of: [b1, c]}", "L + 0.5*(abs(c) + sum(abs(b1[i]), i))"),
        ("{l2: 1, l1: 2, of: W1}", "L + 1/2*sum(W1[i,j]**2, i, j) + 2*sum(abs(W1[i,j]), i, j)"),
        ("{l2: 0}", "sum((a3[k] - y[k])**2, k)"),
    ],
)
def test_penalties(regularise: str, expected: str) -> None:
    graph, _ = built(f"""
        inputs: {{x: [1, 2]}}
        targets: {{y: [1, 0]}}
        parameters: {{w: [1, 2], c: 3}}
        layers:
          - dense: {{units: 2}}
          - equations: ["h[i] = w[i]*a1[i] + c"]
          - dense: {{units: 2, bias: 1}}
        loss: sse
        regularise: {regularise}
    """)
    assert equation(graph, "J") == expected


def test_other_class_numbers_are_checked_too() -> None:
    network = bp.load("inputs: {x: [1, 2]}\ntargets: {y: 1}\nlayers: [{dense: {units: 3}}]\nloss: cross_entropy\n")
    program = network.compile()
    assert program.run({"y": 2}).loss is not None
    for wrong in (3, -1, 0.5):
        with pytest.raises(bp.BackpropError, match="'y' must hold whole numbers from 0 to 2"):
            program.run({"y": wrong})


def test_all_samples_share_a_target_where_the_spec_says_so() -> None:
    values = forward("""\
        inputs: {x: [[1, 2], [3, 4]]}
        targets: {y: {value: 1, batch: false}}
        layers:
          - dense: {units: 2, weights: [[1, 0], [0, 1]], bias: false}
        loss: cross_entropy
        """)
    assert values["J"] == pytest.approx(np.log(1 + np.exp(-1)))
