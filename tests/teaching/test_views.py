"""The pages of modules, Jacobians and perturbations: every equation is read back and holds for the run's numbers."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import backprop_cli as bp
from backprop_cli.bundled import bundled_specs
from backprop_cli.documents.jacobians import jacobians_document
from backprop_cli.documents.modules import with_words
from backprop_cli.documents.names import Names
from backprop_cli.errors import BackpropError
from backprop_cli.language import tree
from backprop_cli.library.layers import LAYERS
from backprop_cli.network import Network
from backprop_cli.options import WalkView
from backprop_cli.renderers import formula_latex, formula_text, formula_unicode, terminal
from backprop_cli.symbolic.graph import Role
from backprop_cli.symbolic.notation import by_step
from backprop_cli.symbolic.steps import Note
from backprop_cli.teaching.linear import linear
from backprop_cli.teaching.modules import Call, Method
from backprop_cli.teaching.numbers import Numbers
from backprop_cli.teaching.perturbation import Change
from backprop_cli.teaching.rows import Row, RowKind
from backprop_cli.walking import PerturbedWalk, Request, Walk
from tests.reading_back.by_step import by_each_step
from tests.reading_back.checking import check_formula, definitions_of, ranges_of, read
from tests.reading_back.evaluation import Evaluation
from tests.strategies import as_yaml, equation_networks, examples, layer_networks
from tests.strategies_layers import stacks, with_random_gradient

searching = settings(suppress_health_check=list(HealthCheck), deadline=None, phases=[Phase.generate])
SMALL = [spec for spec in bundled_specs() if "600" not in spec.name]
FORMATS = {"unicode": formula_unicode, "latex": formula_latex}


def bundled(name: str) -> Network:
    return bp.load(next(spec.text for spec in bundled_specs() if spec.name.partition(".")[0] == name))


def arrays_of(network: Network) -> dict[str, np.ndarray]:
    walk = Walk(network, Request())
    found = dict(walk._run.values)
    for name, value in walk._run.gradients.items():
        found[f"dJ/d{name}"] = value
    return found | by_each_step(network, walk._run.shown)[1]


def names_of(network: Network) -> Names:
    """The names, of a truncated network with J[s]."""
    return by_each_step(network, Walk(network, Request())._run.shown)[0]


def ranges_told(notes: tuple[Note, ...]) -> list[Note]:
    return [note for note in notes if note.key == "ranges"]


def check_modules(network: Network) -> None:
    """Every equation of every call holds for the arrays of that call, and nothing is lost on the way."""
    walk = Walk(network, Request(view=WalkView.MODULES))
    trace = network.compile().run()
    arrays, definitions = arrays_of(network), definitions_of(network)
    names = with_words(names_of(network), walk.calls)
    for call in walk.calls:
        check_call(call, names, arrays, definitions)
        if call.handed:
            total = next(tensor.values for tensor in call.tensors if tensor.quantity is not None)
            assert total.shape == call.handed[0][1].shape
            assert np.allclose(sum(values for _, values in call.handed), total, rtol=1e-9, atol=1e-11, equal_nan=True)
        for tensor in call.tensors:
            if isinstance(tensor.quantity, tree.Gradient) and tensor.of in trace.gradients:
                assert np.array_equal(tensor.values, trace.gradients[tensor.of], equal_nan=True)
            if isinstance(tensor.quantity, tree.StepGradient):
                assert np.allclose(tensor.values, arrays[f"dJ/d{tensor.of}"], rtol=1e-9, atol=1e-11)
            if tensor.formula is not None:
                told = next(one for one in call.tensors if one.quantity == tensor.formula.body)
                assert np.allclose(tensor.values, told.values.sum(axis=0), rtol=1e-9, atol=1e-11)
    complete = {
        tensor.of
        for call in walk.calls
        for tensor in call.tensors
        if isinstance(tensor.quantity, tree.Gradient | tree.StepGradient)
    }
    reached = {name for name, formula in network.derive().told.adjoints.formulas.items() if formula.terms}
    helpers = {q.name for q in network.derive().graph.with_role(Role.HELPER, Role.LOSS)}
    assert reached - helpers <= complete
    terminal.render(walk.document, 80)
    json.dumps(walk.as_data(), allow_nan=False)


def check_call(call: Call, names: Names, arrays, definitions) -> None:
    words = {} if call.module is None else {word: arrays[name] for name, word in call.module.words.items()}
    words |= {tensor.word: tensor.values for tensor in call.tensors if tensor.word}
    known = arrays | words
    own_shapes = {word: names[word]._replace(shape=np.shape(values)) for word, values in words.items()}
    if call.method is Method.ACC_GRAD_PARAMETERS:  # what is added to, and the sum, which is told last
        assert call.tensors[-1].of == call.gives
    own = replace(names, quantities={**names.quantities, **own_shapes})
    for equation in call.equations:
        for format, renderer in FORMATS.items():
            text = renderer.render(equation, own)
            ranges = ranges_of(equation)
            check_formula(text, own, known, format, definitions, 1e-8, ranges, ranges_told(call.notes))


def check_jacobians(network: Network) -> None:
    """Jacobians are those of the complex step, rows are products of rows and Jacobians, and every equation holds."""
    walk = Walk(network, Request(view=WalkView.JACOBIANS))
    arrays, definitions, names = arrays_of(network), definitions_of(network), names_of(network)
    evaluation = Evaluation(names, arrays, definitions)
    rows: dict[tree.Node, np.ndarray] = {}
    found = {}
    for block in walk.blocks:
        for one in block.jacobians:
            found[one.of, one.by] = one.values
            if max(one.shape) <= 40:
                expected = evaluation.local(one.of, one.by).reshape(one.shape)
                assert np.allclose(one.values, expected, rtol=1e-7, atol=1e-9), (one.of, one.by)
            text = formula_unicode.render(one.equation, names)
            check_formula(text, names, arrays, "unicode", definitions, 1e-7, ranges_of(one.equation), one.notes)
        for row in block.rows:
            direct = not row.shapes or network.graph.cost in row.through or row.by in network.graph.seeds
            parts = [factor.values @ found[factor.of, row.by] for factor in row.factors if (factor.of, row.by) in found]
            if parts and not direct:
                cut = 1 if row.cut is None else row.cut.values
                assert np.allclose(cut * sum(parts), row.values, rtol=1e-9, atol=1e-11)
            for left, right in row.shapes:
                assert left[1] == right[0]
            check_row(row, rows, names, evaluation)
            rows[row.label] = row.values
    terminal.render(walk.document, 80)
    json.dumps(walk.as_data(), allow_nan=False)


def check_row(row: Row, before: dict[tree.Node, np.ndarray], names: Names, evaluation: Evaluation) -> None:
    """A gradient of J is that of the run, and one of each J_s that of the network with frozen states."""
    if isinstance(row.label, tree.Gradient):
        expected = evaluation.gradient(row.by)
    else:
        expected = evaluation.arrays.get(f"dJ/d{by_step(row.by)}", row.values)
    assert np.array_equal(row.values.ravel(), expected.ravel(), equal_nan=True) or np.allclose(
        row.values.ravel(), expected.ravel(), rtol=1e-7, atol=1e-9
    )
    for factor in row.factors:
        assert factor.label not in before or np.array_equal(before[factor.label], factor.values)
    text = formula_unicode.render(row.equation, names)
    if row.kind is RowKind.SUM:
        assert read(text, names).sides[1].body == tree.StepGradient(tree.Place("J@", (tree.Place("s"),)), row.by)
        (of_steps,) = [values for label, values in before.items() if label == row.equation.sides[1].body]
        assert np.allclose(of_steps.sum(axis=0, keepdims=True), row.values, rtol=1e-9, atol=1e-11)
    if row.kind is RowKind.OWN_STEP or not row.shapes:
        if row.kind is RowKind.OWN_STEP:
            shape = (-1, *evaluation.array(row.by).shape)
            evaluation.arrays[f"dJ/d{by_step(row.by)}"] = row.values.reshape(shape)
        if isinstance(row.equation.sides[0], tree.Partial):
            known = evaluation.definitions
            check_formula(text, names, evaluation.arrays, "unicode", known, 1e-7, ranges_of(row.equation), row.notes)
    if row.cut is not None:  # what the bracket says, as it is printed
        bracket = read(text, names).sides[1].factors[-1]
        sizes = {"s": len(row.values), **dict(zip(names[row.by].indices, names[row.by].shape, strict=True))}
        grid = np.broadcast_to(evaluation.value(bracket, sizes), tuple(sizes.values()))
        assert np.array_equal(grid.reshape(row.values.shape), row.cut.values)


def start_of(walk: PerturbedWalk) -> np.ndarray:
    start = np.zeros(walk.network.graph[walk.perturbation.of].shape)
    start[tuple(place - 1 for place in walk.perturbation.position)] = walk.perturbation.change
    return start


def values_of(told: dict[str, Change]) -> dict[str, np.ndarray]:
    return {name: step.values for name, step in told.items()}


def check_perturbation(network: Network, entry: str, change: float = 1e-5) -> PerturbedWalk:
    """To first order each quantity changes by half of what it does between the number changed up and changed down."""
    walk = PerturbedWalk(network, Request(full=True), f"{entry}={change}")
    down = PerturbedWalk(network, Request(), f"{entry}={-change}")
    told = {step.of: step for step in walk.changes}
    for name, up in walk.true_changes.items():
        if name == walk.perturbation.of or network.graph[name].is_given:
            continue
        central = (up - down.true_changes[name]) / 2
        first_order = told[name].values if name in told else np.zeros(network.graph[name].shape)
        assert np.allclose(first_order, central, rtol=1e-4, atol=1e-9), name
    numbers = Numbers(walk._told, walk._run.values, {}, {walk.perturbation.of: start_of(walk), **values_of(told)})
    for step in walk.changes:
        for one in step.entries:
            assert numbers.of(one.formula) == pytest.approx(one.value, rel=1e-9, abs=1e-18), step.of
    if network.graph.cost is not None:
        assert walk.predictions[0].predicted == pytest.approx(walk._gradient * change, rel=1e-9, abs=1e-16)
    terminal.render(walk.document, 80)
    json.dumps(walk.as_data(), allow_nan=False)
    return walk


@pytest.mark.every_spec
@pytest.mark.parametrize("spec", SMALL, ids=lambda spec: spec.name)
def test_bundled_specs_as_modules(spec) -> None:
    check_modules(bp.load(spec.text))


@pytest.mark.every_spec
@pytest.mark.parametrize("spec", SMALL, ids=lambda spec: spec.name)
def test_bundled_specs_in_jacobians(spec) -> None:
    check_jacobians(bp.load(spec.text))


def is_tame(network: Network) -> bool:
    trace = network.compile().run()
    values = [*trace.forward.values(), *trace.gradients.values()]
    return all(np.all(np.isfinite(value)) and np.max(np.abs(value), initial=0) < 1e3 for value in values)


@settings(searching, max_examples=examples(6))
@given(st.one_of(layer_networks(), equation_networks()))
def test_random_networks(spec) -> None:
    network = bp.load(as_yaml(spec))
    assume(is_tame(network))
    check_modules(network)
    check_jacobians(network)


@pytest.mark.every_spec
@pytest.mark.parametrize("kind", LAYERS)
def test_layers_of_the_library(kind: str) -> None:
    @settings(searching, max_examples=examples(1))
    @given(st.data())
    def check_one(data: st.DataObject) -> None:
        network = bp.load(with_random_gradient(data.draw(stacks(kind)), data))
        assume(is_tame(network))
        check_modules(network)
        check_jacobians(network)

    check_one()


SMOOTH = ["two-two-two", "rnn", "lstm", "batch-norm", "softmax-classifier", "self-attention", "linear-tanh-linear"]


@pytest.mark.thorough
@pytest.mark.parametrize("name", SMOOTH[1:])
def test_perturbations_of_every_kind(name: str) -> None:
    check_perturbations(name)


def test_perturbations() -> None:
    check_perturbations(SMOOTH[0])


def check_perturbations(name: str) -> None:
    network = bundled(name)
    formulas = network.derive().told.adjoints.formulas
    given = [quantity for quantity in network.graph.with_role(Role.PARAMETER, Role.INPUT) if quantity.name in formulas]
    for quantity in (given[0], given[-1]):
        last = ",".join(map(str, quantity.shape))
        check_perturbation(network, f"{quantity.name}[{last}]" if last else quantity.name)


def test_a_perturbation_of_a_truncated_network_follows_the_cost_itself() -> None:
    network = bundled("rnn-truncated")
    walk = PerturbedWalk(network, Request(), "W_hh[1,1]=1e-6")
    assert walk.predictions[0].predicted == pytest.approx(walk.predictions[0].true, rel=1e-4)
    assert walk._gradient is None


def test_the_worked_numbers_of_one_linear_module() -> None:
    """A linear module with gradOutput 1, 2, 3: gradInput is what Torch prints, gradWeight has gradOutput as columns."""
    walk = Walk(bundled("linear-module"), Request(view=WalkView.MODULES))
    grad_input = next(c for c in walk.calls if c.method is Method.UPDATE_GRAD_INPUT and c.module.kind == "Linear")
    assert np.allclose(grad_input.tensors[-1].values, [0.4665, 0.3501], atol=2e-4)
    weights = next(call for call in walk.calls if call.method is Method.ACC_GRAD_PARAMETERS and call.gives == "W1")
    assert weights.tensors[-1].values.tolist() == [[1, 1], [2, 2], [3, 3]]
    assert walk.calls[0].method is Method.ZERO_GRAD_PARAMETERS


@pytest.mark.parametrize("samples", [None, 5])
def test_linear_for_one_sample_and_for_a_batch(samples: int | None) -> None:
    """Against the sums that define them."""
    generator = np.random.default_rng(0)
    weight, bias = generator.normal(size=(3, 2)), generator.normal(size=3)
    batch = (samples,) if samples else ()
    one, given_back = generator.normal(size=(*batch, 2)), generator.normal(size=(*batch, 3))
    columns = [one, given_back] if samples else [one.reshape(-1, 1), given_back.reshape(-1, 1)]
    known = {
        "input": columns[0],
        "gradOutput": columns[1],
        "weight": weight,
        "bias": bias.reshape(-1, 1),
        "ones": lambda rows: np.ones((rows, 1)),
    }
    rows, gradients = one.reshape(-1, 2), given_back.reshape(-1, 3)
    expected = {
        "output": np.array([[row @ w + b for w, b in zip(weight, bias, strict=True)] for row in rows]),
        "gradInput": np.array([sum(g * w for g, w in zip(row, weight, strict=True)) for row in gradients]),
        "gradWeight": sum(np.multiply.outer(g, x) for g, x in zip(gradients, rows, strict=True)),
        "gradBias": gradients.sum(axis=0),
    }
    for equation in linear(samples):
        name, _, formula = formula_text.render(equation, Names()).partition(" = ")
        found = eval(formula, {}, known)
        assert np.allclose(found.reshape(expected[name].shape), expected[name]), name


def test_shared_parameters_gather_what_their_modules_add() -> None:
    text = """
inputs: {x: [0.5, -1]}
targets: {y: [0.1, 0.2]}
layers:
  - dense: {units: 2, activation: tanh, weights: [[0.1, 0.2], [0.3, 0.4]], bias: [0, 0]}
  - dense: {units: 2, activation: tanh, share: W1}
loss: half_sse
"""
    walk = Walk(bp.load(text), Request(view=WalkView.MODULES))
    shares = [call for call in walk.calls if call.method is Method.ACC_GRAD_PARAMETERS and call.gives == "W1"]
    first, second = (call.tensors[-1] for call in shares)
    assert first.quantity is None
    assert second.quantity == tree.Gradient("W1")
    page = terminal.render(walk.document, 90)
    assert "gradWeight = soFar + gradOutput inputᵀ" in page


def test_words_that_a_network_uses_itself_are_not_taken() -> None:
    text = """
inputs: {gradOutput: [0.5, -1]}
parameters: {output: [[0.1, 0.2]]}
equations: ["z[i] = sum(output[i,j]*gradOutput[j], j)", "J = sum(z[i]**2, i)"]
loss: J
"""
    check_modules(bp.load(text))
    page = terminal.render(Walk(bp.load(text), Request(view=WalkView.MODULES)).document, 90)
    assert "gradOutput_" in page
    assert "output_" in page


def test_the_letters_of_the_lecture() -> None:
    page = terminal.render(Walk(bundled("two-two-two"), Request(view=WalkView.JACOBIANS)).document, 90)
    assert "∂C/∂s⁽²⁾ = (∂C/∂z⁽²⁾) (∂z⁽²⁾/∂s⁽²⁾)" in page
    assert "Shapes: 1×4 = 1×2 · 2×4." in page
    own = terminal.render(Walk(bundled("nearest-neighbour"), Request(view=WalkView.JACOBIANS)).document, 90)
    assert "LeCun" not in own


def test_one_layer_of_a_view() -> None:
    network = bundled("two-two-two")
    modules = Walk(network, Request(view=WalkView.MODULES, only="layer 2"))
    assert {call.module.output for call in modules.calls} == {"z2", "a2"}
    jacobians = Walk(network, Request(view=WalkView.JACOBIANS, only="2"))
    assert [block.of for block in jacobians.blocks] == ["a2", "z2"]
    assert jacobians_document(network.graph, network.names, jacobians.blocks, {}, 4, False).blocks


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("W1[1,2]", "cannot read 'W1[1,2]'; expected an entry and its change, such as W1[1,2]=0.01"),
        ("W1[1,2]=much", "cannot read 'W1[1,2]=much'"),
        ("W1[1,2]=nan", "cannot read 'W1[1,2]=nan'"),
        ("W1=0.01", "W1 has 4 entries; change one of them, such as W1[1,1]=0.01"),
        ("W1[3,1]=0.01", "'W1[3,1]': 3 is out of range"),
        ("W9=1", "there is no quantity 'W9'"),
        ("a1[1]=0.1", "a1 is computed from others; change an input or a parameter"),
        ("y[1]=0.1", "y is given and fixed"),
        ("x[1]=0", "'x[1]=0' changes nothing"),
    ],
)
def test_what_cannot_be_perturbed(text: str, message: str) -> None:
    with pytest.raises(BackpropError) as caught:
        PerturbedWalk(bundled("two-two-two"), Request(), text)
    assert str(caught.value).startswith(message)


def test_views_that_do_not_go_together() -> None:
    network = bundled("two-two-two")
    with pytest.raises(BackpropError, match="leave out --of, --only and --view"):
        PerturbedWalk(network, Request(view=WalkView.MODULES), "x[1]=0.1")
    with pytest.raises(BackpropError, match="--of belongs to --view index or matrix"):
        Walk(network, Request(of="W1", view=WalkView.MODULES))
