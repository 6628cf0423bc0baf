"""Exercises of truncated networks: the gradients of every step's cost, what is asked, and what grading says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from numpy.testing import assert_allclose

import backprop_cli as bp
from backprop_cli.errors import BackpropError
from backprop_cli.exercise_loading import load_exercise
from backprop_cli.exercises.certificate import certificate
from backprop_cli.exercises.exercise import Exercise, nodes_of
from backprop_cli.exercises.grading import grade
from backprop_cli.exercises.ids import name_of, read_name
from backprop_cli.exercises.key import CellKind
from backprop_cli.exercises.making import made, vouched_for
from backprop_cli.exercises.marks import Mark, Submission, Verdict
from backprop_cli.exercises.nodes import Nodes, evaluated, given_values
from backprop_cli.exercises.solving import own_numbers
from backprop_cli.network import Network
from backprop_cli.symbolic.derivation import derive
from backprop_cli.symbolic.notation import by_step
from backprop_cli.verification.automatic import gradients
from backprop_cli.verification.frozen import frozen
from benchmarks.planting import exercise, first_visible, slips, solved, truncated_network, written
from tests.exercises.making import sheets_of
from tests.strategies import examples
from tests.strategies_truncated import (
    Recurrent,
    costs,
    recurrent_networks,
    tensors_of,
    torch,
    truncated_gradients,
)

searching = settings(suppress_health_check=list(HealthCheck), deadline=None, phases=[Phase.generate])


SPEC = """
inputs: {x: [0.5, -1, 0.8, 1.5]}
targets: {y: [0.2, -0.5, 0.4, 1]}
parameters: {w: 0.9, u: 0.7}
equations:
  - h[t] = tanh(u*x[t] + w*h[t-1])
  - J = sum((h[t] - y[t])**2, t)
loss: J
truncate: {h: %d}
"""
HEAD = "inputs: {x: [[1, 0], [0, 1], [1, 1], [0.5, -1]]}\n"
CELLS = """parameters: {U: [[0.5, 0.2], [-0.3, 0.4]], V: [[0.1, -0.2], [0.3, 0.5]]}
truncate: {h: 2}
loss: J
equations:
  - h[t,i] = tanh(sum(U[i,j]*x[t,j], j) + sum(V[i,k]*h[t-1,k], k))
"""
COSTS = [
    ("sum(h[t,i]**2, t, i)",),
    ("sum(sin(h[t,1])*t, t) + sum(V[i,k]**2, i, k)",),
    ("sum(h[t,1], t) + exp(h[4,2])",),
    ("h[4,2]**2",),
    ("sum(d[t]**2, t)", "d[t] = h[t-1,1]*x[t,1] + h[t,2]"),
    ("sum(d[t,i]**2, t, i)", "d[t,i] = sum(exp(h[t,k]*h[u,k])*h[u,i], u, k)"),
]


def asked(tmp_path: Path, window: int, *questions: str, spec: str = SPEC) -> Exercise:
    """An exercise about the network with this window."""
    (tmp_path / "network.yaml").write_text(spec % window, encoding="utf-8")
    lines = "".join(f"  - {question}\n" for question in questions)
    (tmp_path / "sheet.yaml").write_text(f"network: network.yaml\nquestions:\n{lines}", encoding="utf-8")
    return load_exercise(str(tmp_path / "sheet.yaml")).exercise


def marks_of(sheet: Exercise, answers: dict[str, str]) -> dict[str, Mark]:
    report = grade(own_numbers(sheet), sheet.graph, [Submission("somebody", "1", answers)])
    return {mark.cell.id: mark for mark in report.students[0].marks}


def right_answers(sheet: Exercise) -> dict[str, str]:
    cells = own_numbers(sheet).variants[0].cells
    return {cell.id: f"{cell.value:.4f}" if isinstance(cell.value, float) else cell.value for cell in cells}


def values_of(network: Network, nodes: Nodes, name: str) -> np.ndarray:
    """A gradient by the nodes, as an array."""
    arrays = {key: np.asarray(value)[np.newaxis] for key, value in network.values.items()}
    entries = list(nodes.entries(name, is_gradient=True))
    values = nodes.values(given_values(network.graph, arrays), entries)
    return np.array([float(np.ravel(values[entry])[0]) for entry in entries]).reshape(nodes.graph[name].shape)


@settings(searching, max_examples=examples(6))
@given(recurrent_networks(most_steps=4, most_units=2))
def test_gradients_of_every_steps_cost_are_those_of_pytorch(network: Recurrent) -> None:
    """∂J_s/∂h_t for every s and t, where states that are too old for J_s are constants."""
    loaded = bp.load(json.dumps(network.spec))
    nodes = nodes_of(loaded)
    p = tensors_of({name: np.asarray(value) for name, value in loaded.values.items()})
    compared = 0
    for step, cost, states in costs(network, p):
        for number, layer in enumerate(states, 1):
            for state in layer[1]:
                copy = by_step(f"{state}{number}")
                if copy not in nodes.graph:
                    continue
                found = values_of(loaded, nodes, copy)[step - 1]
                wanted = [one[state] for one in layer[1:]]
                some = torch.autograd.grad(cost, wanted, retain_graph=True, allow_unused=True)
                each = [torch.zeros_like(w) if g is None else g for w, g in zip(wanted, some, strict=True)]
                expected = torch.stack(each, dim=-2).numpy()
                message = f"{state} of layer {number}, cost {step} of {network.spec}"
                assert_allclose(found, expected, rtol=1e-9, atol=1e-12, err_msg=message)
                compared += 1
    assert compared
    given_ones = [name for name in loaded.values if name != "y"]
    for name, expected in truncated_gradients(network, p, given_ones).items():
        message = f"{name} of {network.spec}"
        assert_allclose(values_of(loaded, nodes, name), expected, rtol=1e-9, atol=1e-12, err_msg=message)


@pytest.mark.parametrize(("cost", "more"), [(cost, more) for cost, *more in COSTS])
def test_equations_are_truncated_as_the_network_with_frozen_states(cost: str, more: list[str]) -> None:
    lines = "".join(f"  - {line}\n" for line in more)
    network = bp.load(f"{HEAD}{CELLS}{lines}  - J = {cost}\nranges: {{t: 4}}\n")
    nodes = nodes_of(network)
    trace = network.compile().run()
    whole, numbers = frozen(network.graph, {**trace.given, **trace.forward})
    names = [name for name in trace.gradients if name in network.graph]
    for name, expected in gradients(whole, numbers, names, "torch").items():
        assert_allclose(values_of(network, nodes, name), expected, rtol=1e-9, atol=1e-12, err_msg=name)


def test_every_share_of_a_gradient_counts_once(tmp_path: Path) -> None:
    """J_s begins at its own step and goes back through so many states; nothing that is 0 is asked for."""
    cells = [cell for question in asked(tmp_path, 2, "bptt: h").questions for cell in question.cells]
    apart = ["dJ[1]/dh[1]", "dJ[2]/dh[2]", "dJ[2]/dh[1]", "dJ[3]/dh[3]", "dJ[3]/dh[2]", "dJ[4]/dh[4]", "dJ[4]/dh[3]"]
    assert cells == [*apart, "dJ/dh[3]", "dJ/dh[2]", "dJ/dh[1]"]
    assert [cell for one in asked(tmp_path, 1, "bptt: h").questions for cell in one.cells] == [
        "dJ[1]/dh[1]",
        "dJ[2]/dh[2]",
        "dJ[3]/dh[3]",
        "dJ[4]/dh[4]",
    ]


@pytest.mark.parametrize("window", [4, 9])
def test_a_window_that_cuts_nothing_gives_the_gradients_of_the_cost(tmp_path: Path, window: int) -> None:
    sheet = asked(tmp_path, window, "bptt: h", "gradient: w, u")
    values = {cell.id: cell.value for cell in own_numbers(sheet).variants[0].cells}
    assert len([name for name in values if name.startswith("dJ[")]) == 10
    trace = bp.load((SPEC % 4).replace("truncate: {h: 4}", "")).compile().run()
    for name in ("w", "u"):
        assert values[f"dJ/d{name}"] == pytest.approx(float(trace.gradients[name]), rel=1e-12)
    for t in range(3):
        assert values[f"dJ/dh[{t + 1}]"] == pytest.approx(float(trace.gradients["h"][t]), rel=1e-12)


def test_what_is_cut_off_is_not_asked_for(tmp_path: Path) -> None:
    for question in ('gradient: "dJ[3]/dh[1]"', 'choice: "dJ[4]/dh[2]"', 'formula: "dJ[1]/dh[2]"'):
        with pytest.raises(BackpropError, match=r"is 0 with any numbers: no cost is propagated back to it"):
            asked(tmp_path, 2, question)
    for question, said in (
        ('gradient: "dJ[5]/dh[1]"', r"'dJ\[5\]/dh\[1\]' is not in dJ\[s\]/dh, which has the shape \[4, 4\]"),
        ('forward: "dJ[2]/dh[1]"', r"there is no 'dJ\[2\]/dh' to ask for here"),
        ('gradient: "dJ[2]/dw"', r"there is no 'dJ\[2\]/dw' to ask for here"),
    ):
        with pytest.raises(BackpropError, match=said):
            asked(tmp_path, 2, question)
    (question,) = asked(tmp_path, 2, 'gradient: "dJ[3]/dh"').questions
    assert question.cells == ("dJ[3]/dh[2]", "dJ[3]/dh[3]")


EVERYTHING = (
    "table: forward",
    "cost: true",
    "bptt: h",
    'paths: "dJ[2]/dh[1]"',
    "paths: w",
    'formula: "dJ[4]/dh[3], w"',
    "choice: h[2]",
    "mistake: u",
    "table: backward",
    "update: w, u",
)


def test_a_right_sheet_gets_full_marks(tmp_path: Path) -> None:
    sheet = asked(tmp_path, 2, *EVERYTHING)
    answers = right_answers(sheet)
    assert {mark.verdict for mark in marks_of(sheet, answers).values()} == {Verdict.RIGHT}
    variants = made(sheet, 2, 3).key.variants
    assert all(float(cell.value) != 0 for one in variants for cell in one.cells if cell.kind is CellKind.NUMBER)
    vouched = vouched_for(sheet, variants)
    assert vouched is not None
    assert vouched.truncated
    assert (vouched.direct or 0) >= 10
    assert vouched.differences >= 8
    assert (vouched.torch or 0) >= 12


def test_the_certificate_is_not_that_of_the_full_gradient(tmp_path: Path) -> None:
    """The same numbers, vouched for as if nothing were truncated, agree in no digit."""
    sheet = asked(tmp_path, 2, "gradient: w, u")
    nodes = sheet.nodes
    (variant,) = own_numbers(sheet).variants
    arrays = {name: np.asarray(array)[np.newaxis] for name, array in variant.given.items()}
    entries = [place for name in ("w", "u") for place in nodes.entries(name, is_gradient=True)]
    given_ones = given_values(sheet.graph, arrays)
    found = nodes.values(given_ones, entries)
    values = {**given_ones, **{place: found[place] for place in entries}}
    whole = replace(sheet.graph, windows={})
    wrong = certificate(Nodes(whole, derive(whole)), derive(whole), values, ["w", "u"], arrays)
    assert max(wrong.direct or 0, wrong.differences, wrong.torch or 0) <= 1


@pytest.mark.parametrize(
    ("other", "mistake"),
    [(9, "not_truncated"), (3, "wrong_window"), (1, "wrong_window")],
    ids=["full", "more", "fewer"],
)
@pytest.mark.parametrize("name", ["w", "u"])
@pytest.mark.thorough
def test_another_truncation_is_found_out(tmp_path: Path, other: int, mistake: str, name: str) -> None:
    """A student who goes back through another number of states, and writes the gradient of the parameter alone."""
    sheet = asked(tmp_path, 2, f"gradient: {name}")
    theirs = float(bp.load(SPEC % other).compile().run().gradients[name])
    mark = marks_of(sheet, {f"dJ/d{name}": f"{theirs:.4f}"})[f"dJ/d{name}"]
    assert mark.verdict is Verdict.WRONG
    assert mistake in mark.mistakes
    assert name == "w" or mark.mistakes[0] == mistake  # h_0 is 0, so w misses nothing of J_4 three states back
    assert mark.step is not None
    assert name_of(mark.step.place) == f"dJ/d{name}"


def test_a_state_too_many_is_found_where_it_is_added_up(tmp_path: Path) -> None:
    sheet = asked(tmp_path, 2, "bptt: h", "gradient: w, u")
    three = asked(tmp_path, 3, "bptt: h", "gradient: w, u")
    more = {name: text for name, text in right_answers(three).items() if name in right_answers(sheet)}
    marks = marks_of(sheet, more)
    wrong = {name: mark.mistakes for name, mark in marks.items() if not mark.verdict.earns_points}
    assert set(wrong) == {"dJ/dh[1]", "dJ/dh[2]"}
    assert all("wrong_window" in mistakes for mistakes in wrong.values())
    assert marks["dJ/dw"].verdict is Verdict.CONSISTENT


def test_a_wrong_number_of_one_steps_cost_is_carried_forward(tmp_path: Path) -> None:
    """∂J_3/∂h_3 with the wrong sign, and everything after it from that number."""
    sheet = asked(tmp_path, 2, "bptt: h", "gradient: w, u")
    nodes, wrong = sheet.nodes, "dJ[3]/dh[3]"
    values = given_values(sheet.graph, {k: np.asarray(v)[np.newaxis] for k, v in sheet.network.values.items()})
    cells = [cell for question in sheet.questions for cell in question.cells]
    for node in nodes.in_order(map(nodes.place, cells)):
        sign = -1 if name_of(node.place) == wrong else 1
        values[node.place] = np.round(sign * evaluated(node.formula, values), 4)
    marks = marks_of(sheet, {cell: f"{float(values[nodes.place(cell)][0]):.4f}" for cell in cells})
    lost = [name for name, mark in marks.items() if not mark.verdict.earns_points]
    assert lost == [wrong]
    assert "wrong_sign" in marks[wrong].mistakes
    carried = {name for name, mark in marks.items() if mark.verdict is Verdict.CONSISTENT}
    assert carried == {"dJ[3]/dh[2]", "dJ/dh[2]", "dJ/dh[3]", "dJ/dw", "dJ/du"}


PAGES = ("text", "markdown", "latex", "html", "notebook")


@pytest.mark.parametrize("format", [*PAGES, "csv", "moodle", "qti12", "qti21"])
def test_every_format_has_the_answers_of_the_run(format: str) -> None:
    sheets = sheets_of("rnn-truncated", 1)
    trace = sheets.network.compile().run(dict(sheets.key.variants[0].given))
    expected = [float(trace.gradients["W_xh"][0, 0]), float(trace.gradients["h"][0, 0])]
    found = sheets.file(format, True) if format != "text" else sheets.text(True, 80)
    if format.startswith("qti"):
        assert isinstance(found, bytes)
        with ZipFile(BytesIO(found)) as package:
            found = "".join(package.read(name).decode() for name in package.namelist())
    assert isinstance(found, str)
    numbers = [float(number) for number in re.findall(r"-?\d+\.\d+", found.replace("\N{MINUS SIGN}", "-"))]
    for number in expected:
        assert any(abs(other - number) < 5.1e-5 for other in numbers), number
    if format in PAGES:
        sheet = sheets.text(False, 80) if format == "text" else sheets.file(format, False)
        assert isinstance(sheet, str)
        assert "truncated here" in sheet
        assert "frozen" in found


def test_formulas_may_name_gradients_of_a_steps_cost(tmp_path: Path) -> None:
    sheet = asked(tmp_path, 2, 'formula: "dJ[3]/dh[2], h[2]"')
    of_step, of_all = "formula dJ[3]/dh[2]", "formula dJ/dh[2]"
    for text, verdict in (
        ("2*(h[3] - y[3])*(1 - h[3]**2)*w", Verdict.RIGHT),
        ("dJ[3]/dh[3]*(1 - h[3]^2)*w", Verdict.FLAGGED),
        ("dJ[3] / dh[3] * w", Verdict.WRONG),
        ("dJ/dh[3]*(1 - h[3]^2)*w", Verdict.WRONG),
    ):
        assert marks_of(sheet, {of_step: text})[of_step].verdict is verdict, text
    assert marks_of(sheet, {of_all: "dJ[2]/dh[2] + dJ[3]/dh[2]"})[of_all].verdict is Verdict.FLAGGED
    full = "2*(h[2]-y[2]) + w*(1-h[3]**2)*(2*(h[3]-y[3]) + w*(1-h[4]**2)*2*(h[4]-y[4]))"
    mark = marks_of(sheet, {of_all: full})[of_all]
    assert mark.verdict is Verdict.WRONG
    assert mark.mistakes[0] == "not_truncated"


def test_ids_are_read_as_they_are_written(tmp_path: Path) -> None:
    nodes = asked(tmp_path, 2, "bptt: h").nodes
    for name in nodes.differentiated:
        for place in nodes.entries(name, is_gradient=True):
            assert nodes.place(name_of(place)) == place
    assert read_name(" dJ[2]/dh[1] ") == (by_step("h"), (2, 1), True)
    for text in ("dJ[2/dh[1]", "dJ[x]/dh[1]", "dJ/dh@[1,1]", "h[1][2]", "h["):
        with pytest.raises(ValueError, match=r"."):
            read_name(text)


@pytest.mark.thorough
def test_honest_rounding_and_planted_mistakes() -> None:
    rng = np.random.default_rng(5)
    one = exercise(truncated_network(rng), rng, 4)

    def marked(answers: dict[str, str]) -> dict[str, Mark]:
        report = grade(one.key, one.network.graph, [Submission("somebody", "1", answers)])
        return {mark.cell.id: mark for mark in report.students[0].marks}

    right = solved(one, 4, "every")
    assert {mark.verdict for mark in marked(written(right, 4)).values()} == {Verdict.RIGHT}
    by_step_alone = [slip for slip in slips(one) if name_of(slip.node.place).startswith("dJ[")]
    found = 0
    for slip in by_step_alone[:: max(1, len(by_step_alone) // 5)]:
        planted = solved(one, 4, "every", slip)
        at = first_visible(one, right, planted)
        if at is not None:
            marks = marked(written(planted, 4))
            assert [name for name, mark in marks.items() if not mark.verdict.earns_points] == [name_of(at)]
            assert slip.mistake in marks[name_of(at)].mistakes
            found += 1
    assert found > 2
