"""Every line of a walkthrough equals the run: the formula by itself, and the numbers put in up to their rounding."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import backprop_cli as bp
from backprop_cli.bundled import bundled_specs
from backprop_cli.errors import BackpropError
from backprop_cli.language import tree
from backprop_cli.language.walking import walk as walked
from backprop_cli.library.layers import LAYERS
from backprop_cli.network import Network, load_text
from backprop_cli.options import WalkView
from backprop_cli.renderers import terminal
from backprop_cli.sources import network_of
from backprop_cli.symbolic.notation import by_step
from backprop_cli.teaching.numbers import NoNumber, Numbers
from backprop_cli.teaching.rounding import Rounding
from backprop_cli.teaching.walkthrough import quantity_of
from backprop_cli.walking import Request, Walk
from tests.reading_back.by_step import by_each_step
from tests.strategies import as_yaml, equation_networks, examples, layer_networks
from tests.strategies_layers import stacks, with_random_gradient

searching = settings(suppress_health_check=list(HealthCheck), deadline=None, phases=[Phase.generate])
SMALL = [spec for spec in bundled_specs() if "600" not in spec.name]


def numbers_of(network: Network) -> Numbers:
    walk = Walk(network, Request())
    return Numbers(walk._run.told, walk._run.values, {**walk._run.gradients, **walk._run.of_each_step})


def near(found: float, expected: float) -> bool:
    return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-11) or (math.isnan(found) and math.isnan(expected))


def check(network: Network, of: str | None = None, full: bool = True) -> Walk:
    """Every entry and every path of a walkthrough against the run."""
    walk = Walk(network, Request(of=of, full=full))
    numbers, trace = numbers_of(network), network.compile().run()
    of_each_step = by_each_step(network, walk._run.shown)[1]
    for stage in walk.stages:
        name = quantity_of(stage.step)
        if stage.step.id.startswith("dJ["):
            expected = of_each_step[f"dJ/d{by_step(name)}"]
            for entry in stage.entries:
                assert near(entry.value, expected[tuple(place - 1 for place in entry.position)])
                assert near(numbers.of(entry.formula), entry.value)
            continue
        reported = trace.forward if stage.is_forward else trace.gradients
        for entry in stage.entries:
            is_laid_out = stage.step.shape == network.graph[name].shape
            if is_laid_out and name in reported and (name != network.graph.loss_name or not stage.is_forward):
                own = np.asarray(reported[name])[tuple(place - 1 for place in entry.position)]
                assert entry.value == own or (math.isnan(entry.value) and math.isnan(own))
            try:
                found = numbers.of(entry.formula)
            except NoNumber:
                assert entry.put_in is None
                continue
            assert near(found, entry.value), (stage.step.id, entry)
            assert not entry.paths or near(math.fsum(path.value for path in entry.paths), entry.value)
            for path in entry.paths:
                assert near(numbers.of(path.formula), path.value)
            if entry.put_in is not None:
                leaves = numbers_in(entry.put_in, entry.formula, numbers)
                assert all(walk.rounding.shown(exact) == shown for shown, exact in leaves)
    return walk


def numbers_in(put_in: tree.Node, formula: tree.Node, numbers: Numbers) -> list[tuple[float, float]]:
    """The rounded numbers that were put in, each beside the exact one of what they stand for."""
    if isinstance(formula, tree.Place | tree.Partial | tree.Prime):
        return [(numbers.of(put_in), numbers.of(formula))]
    if isinstance(formula, tree.Number):
        return []
    pairs: list[tuple[float, float]] = []
    for field in formula.__dataclass_fields__:
        old, new = getattr(formula, field), getattr(put_in, field)
        parts = zip(old, new, strict=True) if isinstance(old, tuple) else [(old, new)]
        for part, other in parts:
            if not isinstance(part, str | int):
                pairs.extend(numbers_in(other, part, numbers))
    return pairs


@pytest.mark.every_spec
@pytest.mark.parametrize("spec", SMALL, ids=lambda spec: spec.name)
def test_bundled_specs(spec) -> None:
    walk = check(bp.load(spec.text))
    for width in (40, 80):
        for line in terminal.render(walk.document, width).splitlines():
            assert len(line.rstrip()) <= width or "\u0302" in line


@settings(searching, max_examples=examples(10))
@given(st.one_of(layer_networks(), equation_networks()))
def test_random_networks(spec) -> None:
    network = bp.load(as_yaml(spec))
    trace = network.compile().run()
    values = [*trace.forward.values(), *trace.gradients.values()]
    assume(all(np.all(np.isfinite(value)) and np.max(np.abs(value), initial=0) < 1e6 for value in values))
    terminal.render(check(network, full=False).document, 80)


@pytest.mark.every_spec
@pytest.mark.parametrize("kind", LAYERS)
def test_layers_of_the_library(kind: str) -> None:
    @settings(searching, max_examples=examples(2))
    @given(st.data())
    def check_one(data: st.DataObject) -> None:
        terminal.render(check(bp.load(with_random_gradient(data.draw(stacks(kind)), data)), full=False).document, 80)

    check_one()


CLASSROOM = bp.load(next(spec.text for spec in SMALL if spec.name == "two-two-two"))


def test_the_story_of_one_weight() -> None:
    walk = check(CLASSROOM, "W2[1,2]")
    told = {(stage.step.id, entry.position) for stage in walk.stages for entry in stage.entries}
    assert ("dJ/dW2", (1, 2)) in told
    assert ("dJ/da2", (1,)) in told
    assert ("a1", (2,)) in told
    assert not {("dJ/da2", (2,)), ("dJ/dW2", (1, 1)), ("dJ/da1", (1,)), ("dJ/dW1", (1, 1))} & told
    page = terminal.render(walk.document, 90)
    assert "∂J/∂w₁₂⁽²⁾ = ∂J/∂a₁⁽²⁾ · σ′(z₁⁽²⁾) · a₂⁽¹⁾ = 0.7414 · 0.1868 · 0.5969 = 0.0827" in page


def test_every_path_of_a_fan_out_has_its_line() -> None:
    page = terminal.render(Walk(CLASSROOM, Request(of="a1[1]")).document, 90)
    lines = [" ".join(line.split()) for line in page.splitlines()]
    assert "Through a₁⁽²⁾: ∂J/∂a₁⁽²⁾ · σ′(z₁⁽²⁾) · w₁₁⁽²⁾ = 0.7414 · 0.1868 · 0.4 = 0.0554" in lines
    assert "Through a₂⁽²⁾: ∂J/∂a₂⁽²⁾ · σ′(z₂⁽²⁾) · w₂₁⁽²⁾ = −0.2171 · 0.1755 · 0.5 = −0.0190" in lines
    assert "∂J/∂a₁⁽¹⁾ = 0.0554 − 0.0190 = 0.0364 together" in lines


@pytest.mark.every_spec
@pytest.mark.parametrize("spec", SMALL, ids=lambda spec: spec.name)
def test_whole_arrays(spec) -> None:
    walk = Walk(bp.load(spec.text), Request(view=WalkView.MATRIX))
    assert not any(stage.entries for stage in walk.stages)
    terminal.render(walk.document, 80)


def test_a_transpose_is_explained_where_it_stands() -> None:
    page = terminal.render(Walk(CLASSROOM, Request(view=WalkView.MATRIX)).document, 90)
    lines = page.splitlines()
    start = lines.index("  ∂J/∂a⁽¹⁾ = W⁽²⁾ᵀ δ⁽²⁾")
    assert lines[start + 1] == "  Shapes: 2×1 = 2×2 · 2×1."
    assert lines[start + 2].startswith("  Forward, a row of the matrix gathers")
    with pytest.raises(BackpropError, match="ask for W1"):
        Walk(CLASSROOM, Request(of="W1[1,2]", view=WalkView.MATRIX))


def test_one_part_alone() -> None:
    labels = {stage.step.layer for stage in Walk(CLASSROOM, Request(only="layer 2")).stages}
    assert labels == {2}
    assert {stage.step.id for stage in Walk(CLASSROOM, Request(only="cost")).stages} == {"J"}


@pytest.mark.parametrize(
    ("of", "only", "message"),
    [
        ("W9", None, "there is no quantity 'W9'; there"),
        ("W1[3,1]", None, "'W1[3,1]': 3 is out of range; W1 has 2 (2 x 2), and positions count from 1"),
        (None, "layer 7", "there is no 'layer 7' to walk through; did you mean 'layer 2'?"),
    ],
)
def test_what_there_is_not(of, only, message) -> None:
    with pytest.raises(BackpropError) as caught:
        _ = Walk(CLASSROOM, Request(of=of, only=only)).stages
    assert str(caught.value).startswith(message.rpartition(" ")[0])


def test_a_network_without_numbers_cannot_be_walked_through() -> None:
    network = bp.load("inputs: {x: {size: 2}}\ntargets: {y: {size: 1}}\nlayers: [dense: {units: 1}]\nloss: mse\n")
    with pytest.raises(BackpropError, match="given by its size alone"):
        Walk(network, Request())


@given(st.floats(-1e308, 1e308), st.integers(0, 17))
def test_rounding(value: float, digits: int) -> None:
    """What is shown is the nearest number with its digits, and never 0 for a number that is not."""
    rounding = Rounding(digits)
    shown = rounding.shown(value)
    assert (shown == 0) == (value == 0)
    assert abs(shown - value) <= max(0.5 * 10.0**-digits, 0.5 * abs(value) * 10.0 ** -max(digits - 1, 0)) * 1.0000001
    assert rounding.shown(shown) == shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"),
        (3.0, "3"),
        (0.741365, "0.7414"),
        (0.0087, "0.0087"),
        (0.00877135, "0.00877"),
        (4.386e-5, "4.386e-05"),
        (1e12, "1000000000000"),
        (1e300, "1.000e+300"),
    ],
)
def test_how_numbers_look(value: float, text: str) -> None:
    assert Rounding(4).text(value) == text


def page_of(text: str) -> str:
    return terminal.render(Walk(bp.load(text), Request()).document, 90)


def bundled(name: str) -> str:
    return next(spec for spec in SMALL if name == spec.name.partition(".")[0]).text


SCALARS = """
inputs: {x: 2}
parameters: {w: 0.5}
equations: [a = w*x, b = a**2, J = b*a + w]
loss: J
"""


def test_what_stands_in_the_cost_itself_is_a_path() -> None:
    stages = {stage.step.id: stage for stage in Walk(bp.load(SCALARS), Request()).stages}
    through = [[place.name for place in path.through] for path in stages["dJ/da"].entries[0].paths]
    assert through == [["b"], ["J"]]
    assert [path.value for path in stages["dJ/da"].entries[0].paths] == [2.0, 1.0]
    assert [path.through[0].name for path in stages["dJ/dw"].entries[0].paths] == ["a", "J"]


def test_a_path_with_a_common_factor_names_all_it_passes_through() -> None:
    batch_norm = bp.load(bundled("batch-norm"))
    stages = {stage.step.id: stage for stage in Walk(batch_norm, Request()).stages}
    through = [[place.name for place in path.through] for path in stages["dJ/dmu"].entries[0].paths]
    assert through == [["var"], ["xhat"] * 4]
    assert stages["dJ/dvar"].is_summed


def test_the_backward_pass_starts_once() -> None:
    classes = """
inputs: {x: [1, 2]}
targets: {y: 1}
layers: [{dense: {units: 3}}]
loss: cross_entropy
"""
    assert page_of(classes).count("The backward pass starts here") == 1


def test_a_module_on_its_own_has_no_cost() -> None:
    module = "inputs: {x: [1, 2]}\ngrad_output: [1]\nlayers: [{dense: {units: 1}}]\n"
    page = " ".join(page_of(module).split())
    assert "from the inputs to the output" in page
    assert "the gradient of the output is given" in page
    assert "to the cost;" not in page


def test_no_remark_on_a_form_that_is_not_told() -> None:
    assert "The last step" not in page_of(bundled("softmax-equations"))


def test_the_story_of_a_truncated_gradient() -> None:
    stages = Walk(bp.load(bundled("rnn-truncated")), Request(of="W_xh[1,1]")).stages
    told = {stage.step.id: {entry.position for entry in stage.entries} for stage in stages}
    assert told["dJ/dh"] == {(1, 1), (2, 1), (3, 1)}
    assert told["dJ/do"] == {(1, 1), (2, 1), (3, 1)}
    assert told["dJ[s]/dh"] == {(1, 1, 1), (2, 1, 1), (2, 2, 1), (2, 2, 2), (3, 1, 1), (3, 2, 1), (3, 3, 1), (3, 3, 2)}
    sums = next(stage for stage in stages if stage.step.id == "dJ/dh")
    assert all(entry.put_in is not None and not entry.paths for entry in sums.entries)


def test_the_costs_of_all_steps_with_their_numbers() -> None:
    walk = check(bp.load(bundled("rnn-truncated")), "h[1,1]")
    lines = terminal.render(walk.document, 90).splitlines()
    for line in (
        "  ∂J₂/∂h₂₁ = ∂J/∂o₂₁ · W_ho[1,1] = −0.0785 · 1 = −0.0785",
        "  ∂J₃/∂h₁₁ = 0",
        "  ∂J/∂h₁₁ = ∂J₁/∂h₁₁ + ∂J₂/∂h₁₁ + ∂J₃/∂h₁₁ = 0.2534 + 0.0131 + 0 = 0.2665",
    ):
        assert line in lines


@pytest.mark.parametrize("kind", ["rnn", *(pytest.param(kind, marks=pytest.mark.thorough) for kind in ("lstm", "gru"))])
def test_truncated_layers(kind: str) -> None:
    rng = np.random.default_rng(3)
    x, y, stack = rng.normal(size=(2, 4, 2)).tolist(), rng.normal(size=(2, 4, 1)).tolist(), {"units": 2, "truncate": 2}
    spec = {
        "inputs": {"x": {"value": x, "batch": True}},
        "targets": {"y": {"value": y, "batch": True}},
        "layers": [{kind: {**stack, "h0": [0.3, -0.2]}}, {"rnn": stack}, {"dense": {"units": 1}}],
        "loss": "mse",
    }
    network = bp.load(json.dumps(spec))
    walk = check(network)
    assert any(stage.step.id == "dJ[s]/dh2" for stage in walk.stages)
    terminal.render(walk.document, 80)
    check(network, of="W_hh2[1,1]" if kind == "rnn" else "x[1,1,1]", full=False)


@pytest.mark.parametrize(("name", "entry"), [("linear-tanh-linear", "W1[1,1]"), ("small-cnn", "W1[1,1,1,1]")])
def test_the_story_through_long_sums_tells_entries_that_there_are(name: str, entry: str) -> None:
    """A sum that is not written out is told by its first entry, and not by one before the first."""
    walk = check(bp.load(bundled(name)), entry)
    assert all(min(told.position, default=1) >= 1 for stage in walk.stages for told in stage.entries)
    assert not any(line.lstrip().startswith("0 ") for line in terminal.render(walk.document, 90).splitlines())


def untold(walk: Walk) -> list[str]:
    """What entries use that is told later: the numbers stand there before anyone could have computed them."""
    entries = [entry for stage in walk.stages for entry in stage.entries]
    targets = {entry.target for entry in entries}
    told: set[tree.Node] = set()
    found = []
    for entry in entries:
        used = {node for node in walked(entry.formula) if node in targets and node != entry.target}
        found += [f"{entry.target} uses {node}" for node in used - told]
        told.add(entry.target)
    return found


@pytest.mark.every_spec
@pytest.mark.parametrize("name", [spec.name for spec in SMALL])
def test_every_line_of_a_story_uses_only_what_stands_before_it(name: str) -> None:
    network = network_of(name)
    for of in list(network.compile().run().gradients)[:6]:
        assert untold(Walk(network, Request(of=of, full=True))) == []


def test_a_story_through_time_goes_backward_with_each_step_in_its_turn() -> None:
    text = """
inputs: {x: [[1, 0], [0, 1], [1, 1]]}
targets: {y: [[0.5], [0], [1]]}
layers: [rnn: {units: 1}, dense: {units: 1}]
loss: half_sse
initial: {seed: 1}
"""
    walk = Walk(load_text(text, "<text>", "t"), Request(of="W_hh1[1,1]", full=True))
    assert untold(walk) == []
    turns = [
        (quantity_of(stage.step), stage.entries[0].position[0], stage.before, stage.is_last)
        for stage in walk.stages
        if not stage.is_forward and quantity_of(stage.step) in ("h1", "z1")
    ]
    assert turns == [("h1", 3, 0, False), ("z1", 3, 0, True), ("h1", 2, 1, True)]
    page = terminal.render(walk.document, 100)
    assert page.count("∂J/∂hₜᵢ⁽¹⁾ = ") == page.count("∂J/∂zₜᵢ⁽¹⁾ = ") == 1
