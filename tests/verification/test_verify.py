"""``verify`` catches a derivative that is off by 0.05 %, with every oracle, and is not fooled by hard numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from sympy import Integer, Rational, erf, exp, log, sin, tanh

from backprop_cli.symbolic.functions import apply
from backprop_cli.symbolic.graph import Role
from backprop_cli.symbolic.notation import Compare, Place, Reduce, Where, index
from backprop_cli.verification import automatic
from backprop_cli.verification.checking import Limits, verify
from backprop_cli.verification.report import Kink, Oracle, Verdict
from tests.verification.networks import (
    Example,
    computed,
    given,
    graph,
    over_vector,
    root_behind_a_choice,
    scalar,
    shared_bias_under_softmax,
    two_layers,
)

i, k = index("i"), index("k")
LIBRARIES = [library for library in automatic.LIBRARIES if automatic.is_installed(library)]
w = Place("w")
ORACLES = [oracle for oracle in Oracle if oracle is not Oracle.EVALUATION]


def checked(example, gradients=None, **more):
    return verify(example.graph, example.values, gradients or example.gradients, **more)


@pytest.mark.parametrize("library", [None, *LIBRARIES])
def test_right_gradients_agree(library):
    example = two_layers()
    report = checked(example, library=library)
    assert report.ok
    assert report.unverified == ()
    assert report.kinks == ()
    assert report.cost.verdict is Verdict.OK
    assert len(report.comparisons) == len(example.gradients) * (2 if library is None else 3)
    for comparison in report.comparisons:
        assert comparison.verdict is Verdict.OK
        assert comparison.checked == comparison.entries == example.gradients[comparison.quantity].size
        assert comparison.worst.relative_difference < 1e-10
        assert comparison.worst.allowed < 1e-6 * max(1, abs(comparison.worst.ours))


@pytest.mark.parametrize("library", LIBRARIES or [None])
@pytest.mark.parametrize("name", ["W1", "W2", "z1", "a1", "z2", "a2", "x"])
def test_a_formula_off_by_half_a_permille_is_caught_by_every_oracle(library, name):
    example = two_layers()
    report = checked(example, example.wrong(name), library=library)
    assert not report.ok
    assert {comparison.quantity for comparison in report.disagreeing} == {name}
    assert set(report.of(name)) == set(ORACLES) - (set() if library else {Oracle.AUTOMATIC})
    for oracle, found in report.of(name).items():
        assert found.verdict is Verdict.DISAGREES, oracle
        assert found.worst.relative_difference == pytest.approx(5e-4, rel=1e-2)
    assert report.worst.quantity == name


@pytest.mark.parametrize("oracle", ORACLES)
def test_one_wrong_entry_is_named_by_its_position_from_1(oracle):
    if oracle is Oracle.AUTOMATIC and not LIBRARIES:
        pytest.skip("neither PyTorch nor HIPS autograd is installed")
    example = two_layers()
    report = checked(example, example.wrong("W1", entry=(2, 0)))
    found = report.of("W1")[oracle]
    assert found.verdict is Verdict.DISAGREES
    assert found.worst.position == (3, 1)
    assert found.worst.theirs == pytest.approx(example.gradients["W1"][2, 0], rel=1e-9)


@pytest.mark.thorough
@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1e-12, 1e12, 1e200])
def test_tiny_and_huge_gradients_are_checked_like_any_other(scale):
    example = two_layers(scale=scale)
    assert checked(example).ok
    for factor in (1.0005, -1.0, 0.0):
        report = checked(example, example.wrong("W1", factor), limits=Limits(derivatives=2_000))
        for oracle, comparison in report.of("W1").items():
            assert comparison.verdict is Verdict.DISAGREES, oracle


@pytest.mark.thorough
def test_a_gradient_that_vanished_through_layers_is_still_checked():
    """Thirty sigmoids in a row: the first one's gradient is some 1e-22 of the last one's."""
    quantities, values, w0, J = [given("w0", (), ())], {"w0": np.asarray(0.4)}, 0.4, 0.4
    slope = 1.0
    for layer in range(1, 31):
        J = 1 / (1 + np.exp(-0.8 * J))
        slope *= 0.8 * J * (1 - J)
        body = apply("sigmoid", (Rational(4, 5) * Place(f"w{layer - 1}"),))
        quantities.append(computed(f"w{layer}", (), (), body))
    network = graph(*quantities, computed("J", (), (), Place("w30"), Role.COST))
    right = {"w0": np.asarray(slope)}
    assert w0 == 0.4
    assert abs(slope) < 1e-20
    report = verify(network, {**values, "J": J}, right, library=None)
    assert report.ok
    assert report.unverified == ()
    assert not verify(network, {**values, "J": J}, {"w0": right["w0"] * 1.0005}, library=None).ok


def test_zeros_agree_and_a_zero_in_place_of_a_number_does_not():
    x = over_vector(Place("w", 1) ** 2, [3.0, 1.0], 9.0, [6.0, 0.0])
    report = checked(x)
    assert report.ok
    for comparison in report.comparisons:
        assert comparison.verdict is Verdict.OK
        assert comparison.checked == 2
    assert not checked(x, {"w": np.array([0.0, 0.0])}).ok
    assert not checked(x, {"w": np.array([6.0, 1e-9])}).ok


def test_what_rounding_leaves_of_a_zero_is_no_error():
    example = shared_bias_under_softmax()
    assert example.gradients["b"] != 0
    report = checked(example)
    assert report.ok
    assert report.unverified == ()
    wrong = {**example.gradients, "b": example.gradients["b"] + 1e-6}
    assert {comparison.quantity for comparison in checked(example, wrong).disagreeing} == {"b"}


def test_a_cost_that_depends_on_nothing_has_gradients_of_rounding():
    """Softmax over one class: J is 0 whatever w is, and p - y may come out as one unit in the last place."""
    softmax = exp(Place("w", i)) / Reduce("sum", exp(Place("w", k)), k, 1)
    example = over_vector(-Reduce("sum", log(softmax), i, 1), [0.5], 0.0, [1.1e-16])
    assert checked(example).ok
    assert not checked(example, {"w": np.array([1e-6])}).ok


@pytest.mark.parametrize("z", [5.0, 15.0, 18.0, 25.0, 40.0])
def test_rounding_of_a_saturated_unit_is_no_error(z):
    """1 - a² has no correct digit left at z = 19, however carefully the rest is computed."""
    a = np.tanh(z)
    network = graph(
        given("x", (), (), Role.INPUT),
        given("w", (), ()),
        computed("z", (), (), Place("w") * Place("x")),
        computed("a", (), (), tanh(Place("z"))),
        computed("J", (), (), Place("a") ** 2, Role.COST),
    )
    values = {"x": np.asarray(2.0), "w": np.asarray(z / 2), "J": a**2}
    dz = 2 * a * (1 - a**2)
    right = {name: np.asarray(value) for name, value in (("a", 2 * a), ("z", dz), ("w", dz * 2), ("x", dz * z / 2))}
    assert verify(network, values, right).ok
    if z < 10:
        assert not verify(network, values, {**right, "z": np.asarray(dz * 1.0005)}).ok


def without_slope():
    """J as sign(w), w - w, 5, and 5 by another name, in this order."""
    five = graph(given("w", (), ()), computed("L", (), (), Integer(5)), computed("J", (), (), Place("L"), Role.COST))
    yield scalar(apply("sign", (w,)), 3.0, 1.0, 0.0)
    yield scalar(Integer(0), 3.0, 0.0, 0.0)
    yield scalar(Integer(5), 3.0, 5.0, 0.0)
    yield Example(five, {"w": np.asarray(3.0), "J": 5.0}, {"w": np.asarray(0.0), "L": np.asarray(1.0)})


@pytest.mark.parametrize("library", LIBRARIES or [None])
@pytest.mark.parametrize("example", [*without_slope()])
def test_a_cost_that_no_parameter_moves_has_zeros_that_agree(example, library):
    report = checked(example, library=library)
    assert report.cost.verdict is Verdict.OK
    assert {comparison.verdict for comparison in report.comparisons} == {Verdict.OK}
    assert not checked(example, {**example.gradients, "w": np.asarray(1e-6)}, library=library).ok


@pytest.mark.parametrize("library", LIBRARIES or [None])
@pytest.mark.parametrize("name", ["erf", "gelu"])
def test_the_error_function_of_a_single_number(name, library):
    z = 0.3
    phi, Phi = np.exp(-z * z / 2) / np.sqrt(2 * np.pi), (1 + math.erf(z / np.sqrt(2))) / 2
    J, slope = {"erf": (math.erf(z), 2 / np.sqrt(np.pi) * np.exp(-z * z)), "gelu": (z * Phi, Phi + z * phi)}[name]
    example = scalar(erf(w) if name == "erf" else apply(name, (w,)), z, J, slope)
    report = checked(example, library=library)
    assert {comparison.verdict for comparison in (report.cost, *report.comparisons)} == {Verdict.OK}
    assert not checked(example, example.wrong("w"), library=library).ok


def test_a_large_input_is_checked_on_its_own_scale():
    example = scalar(sin(w / 1000), 1e6, np.sin(1000.0), np.cos(1000.0) / 1000)
    assert checked(example).ok
    assert not checked(example, example.wrong("w")).ok


def test_a_small_input_is_checked_on_its_own_scale():
    example = scalar(log(w), 1e-9, np.log(1e-9), 1e9)
    assert checked(example).ok
    assert not checked(example, example.wrong("w")).ok


def test_functions_that_explode_do_not_loosen_the_check():
    example = scalar(exp(w), 100.0, np.exp(100.0), np.exp(100.0))
    assert checked(example).ok
    assert not checked(example, example.wrong("w")).ok


def test_overflow_of_the_oracles_is_none_of_ours():
    """Log-sum-exp at ±10 000: the naive forms overflow, 80 digits do not."""
    z = np.array([10_000.0, -10_000.0, 9_999.0])
    p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    J = z.max() + np.log(np.exp(z - z.max()).sum())
    example = over_vector(log(Reduce("sum", exp(Place("w", i)), i, 3)), z, J, p)
    report = checked(example)
    assert report.ok
    assert report.of("w")[Oracle.DIFFERENCES].checked == 3
    assert not checked(example, example.wrong("w", entry=(0,))).ok


def test_a_slope_lost_in_the_digits_of_a_huge_cost_is_not_called_zero():
    """(e^800 + w)²: J has 695 digits before the point and its slope 348, of which 80 digits of J hold none."""
    example = scalar((exp(800) + w) ** 2, 1.0, np.inf, np.inf)
    report = checked(example)
    assert report.ok
    assert report.of("w")[Oracle.DIFFERENCES].verdict is Verdict.LEFT_OUT
    assert report.of("w")[Oracle.SYMPY].verdict is Verdict.OK


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_disagrees_with_one_that_is(bad):
    example = two_layers()
    wrong = {**example.gradients, "x": np.array([example.gradients["x"][0], bad])}
    report = checked(example, wrong)
    for comparison in report.of("x").values():
        assert comparison.verdict is Verdict.DISAGREES
        assert comparison.worst.position == (2,)
        assert comparison.worst.difference == np.inf


def test_infinite_slopes_agree_and_are_not_judged_otherwise():
    example = scalar(w ** Rational(1, 2), 0.0, 0.0, np.inf)
    report = checked(example)
    assert report.ok
    assert report.of("w")[Oracle.SYMPY].verdict is Verdict.OK


def test_a_cost_that_is_not_a_number_leaves_everything_unverified():
    example = scalar(log(w), -1.0, np.nan, -1.0)
    report = checked(example)
    assert report.ok
    assert report.cost.verdict is Verdict.LEFT_OUT
    differences = report.of("w")[Oracle.DIFFERENCES]
    assert differences.verdict is Verdict.LEFT_OUT
    assert differences.note == "J is not finite, not smooth or not known precisely enough around some entries"


RELU = {"relu": 0.0, "abs": 0.0, "leaky_relu": 0.01, "heaviside": 0.0, "sign": 0.0}


@pytest.mark.parametrize(("function", "slope"), RELU.items())
def test_a_kink_is_named_and_is_no_error(function, slope):
    example = over_vector(Reduce("sum", apply(function, (Place("w", i),)), i, 2), [0.0, 2.0], 0.0, [slope, 0.0])
    right = {"relu": 1.0, "abs": 1.0, "leaky_relu": 1.0, "heaviside": 0.0, "sign": 0.0}[function]
    values = {**example.values, "J": {"heaviside": 1.0, "sign": 1.0}.get(function, 2.0)}
    example = replace(example, values=values, gradients={"w": np.array([slope, right])})
    report = checked(example)
    assert report.ok
    differences = report.of("w")[Oracle.DIFFERENCES]
    if function == "abs":  # the two sides' slopes have the mean 0
        assert differences.verdict is Verdict.OK
        assert report.kinks == ()
    else:
        assert differences.verdict is Verdict.KINK
        assert differences.kinks == 1
        assert differences.near == (Kink(function, "J"),)
        assert report.kinks == (Kink(function, "J"),)
    assert report.of("w")[Oracle.SYMPY].verdict is Verdict.OK
    if LIBRARIES:
        assert report.of("w")[Oracle.AUTOMATIC].verdict is Verdict.OK
    assert not checked(example, {"w": np.array([slope, right + 5e-4])}).ok


def test_a_kink_is_named_with_its_position():
    network = graph(
        given("w", (i,), (3,)),
        computed("h", (i,), (3,), apply("relu", (Place("w", i),))),
        computed("J", (), (), Reduce("sum", Place("h", i), i, 3), Role.COST),
    )
    values = {"w": np.array([1.0, -1.0, 0.0]), "J": 1.0}
    report = verify(network, values, {"w": np.array([1.0, 0.0, 0.0]), "h": np.ones(3)})
    assert report.ok
    assert [str(kink) for kink in report.kinks] == ["relu in h[3]"]


@pytest.mark.parametrize("distance", [1e-18, 1e-12, 1e-7, 1e-3])
def test_next_to_a_kink_the_slope_is_checked(distance):
    example = scalar(apply("relu", (w,)), distance, distance, 1.0)
    assert checked(example).ok
    report = checked(example, {"w": np.asarray(1.0005)})
    assert report.ok is (distance < 1e-8)  # closer than that, rounding may have chosen the branch


def test_the_first_of_equal_largest_values_takes_the_gradient():
    example = over_vector(Reduce("max", Place("w", i), i, 3), [1.0, 2.0, 2.0], 2.0, [0.0, 1.0, 0.0])
    report = checked(example)
    assert report.ok
    assert report.kinks == (Kink("max", "J"),)
    for oracle, comparison in report.of("w").items():
        assert comparison.verdict is (Verdict.KINK if oracle is Oracle.DIFFERENCES else Verdict.OK)
    example = over_vector(Reduce("min", Place("w", i), i, 3), [3.0, 2.0, 2.5], 2.0, [0.0, 1.0, 0.0])
    assert checked(example).ok
    assert not checked(example, {"w": np.array([0.0, 0.0, 1.0])}).ok


def test_where_with_a_root_behind_it_is_nan_to_automatic_differentiation_and_no_error():
    assert checked(root_behind_a_choice(4.0)).ok
    assert not checked(root_behind_a_choice(4.0), {"w": np.asarray(0.25 * 1.0005)}).ok
    example = root_behind_a_choice(0.0)
    report = checked(example)
    assert report.ok
    assert report.of("w")[Oracle.SYMPY].verdict is Verdict.OK
    assert report.of("w")[Oracle.DIFFERENCES].verdict is Verdict.KINK


def test_a_choice_between_branches_that_overflow():
    """The branch not taken is infinite."""
    example = scalar(Where(Compare(">", w, 0), w**2, exp(-(w**3))), 100.0, 1e4, 200.0)
    assert checked(example).ok
    assert not checked(example, example.wrong("w")).ok


def test_a_module_on_its_own_has_no_cost():
    W, g = np.array([[0.0635, 0.4911], [-0.1080, 0.1747], [0.2063, -0.1635]]), np.array([1.0, 2.0, 3.0])
    network = graph(
        given("x", (k,), (2,), Role.INPUT),
        given("W", (i, k), (3, 2)),
        given("grad_output", (i,), (3,), Role.CONSTANT),
        computed("z", (i,), (3,), Reduce("sum", Place("W", i, k) * Place("x", k), k, 2)),
        cost=None,
        output="z",
        seeds={"z": "grad_output"},
    )
    values = {"x": np.ones(2), "W": W, "grad_output": g}
    right = {"W": np.outer(g, np.ones(2)), "z": g, "x": W.T @ g}
    report = verify(network, values, right)
    assert report.ok
    assert report.cost is None
    assert report.unverified == ()
    assert not verify(network, values, {**right, "x": right["x"] * 1.0005}).ok


def test_a_wrong_cost_is_caught():
    example = two_layers()
    report = verify(example.graph, {**example.values, "J": example.values["J"] * 1.0005}, example.gradients)
    assert not report.ok
    assert [comparison.quantity for comparison in report.disagreeing] == ["J"]


def test_a_gradient_of_another_shape_disagrees():
    example = two_layers()
    report = checked(example, {**example.gradients, "W1": example.gradients["W1"].T})
    assert [comparison.quantity for comparison in report.disagreeing] == ["W1"]
    assert report.disagreeing[0].note == "the gradient has shape (2, 3), the quantity (3, 2)"


def test_large_networks_are_sampled_and_the_report_says_so():
    example = two_layers()
    report = checked(example, limits=Limits(differences=20_000, expansion=100))
    assert report.ok
    differences = report.of("W1")[Oracle.DIFFERENCES]
    assert 1 <= differences.checked < differences.entries
    assert differences.note == "a sample of the entries"
    assert Oracle.SYMPY not in report.of("W1")
    (witness,) = [witness for witness in report.witnesses if witness.oracle is Oracle.SYMPY]
    assert witness.left_out.startswith("J written out has ")
    assert witness.left_out.endswith(" operations, more than 100")


def test_where_j_written_out_is_long_only_parameters_and_inputs_are_derived():
    example = two_layers()
    report = checked(example, limits=Limits(derivatives=1_000))
    assert report.ok
    assert report.of("z1")[Oracle.SYMPY].note == "only parameters and inputs: J written out is long"
    assert 1 <= report.of("W1")[Oracle.SYMPY].checked < 6


def test_without_a_library_the_report_says_so():
    report = checked(two_layers(), library=None)
    (witness,) = [witness for witness in report.witnesses if witness.oracle is Oracle.AUTOMATIC]
    assert witness.left_out == "neither PyTorch nor HIPS autograd is installed"


def test_two_verifications_are_equal():
    example = two_layers()
    assert checked(example) == checked(example)
