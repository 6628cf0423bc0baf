"""The sentences that steps, rules and remarks are told in, in the language that is written in."""

from __future__ import annotations

from collections.abc import Mapping

from backprop_cli.documents.blocks import Inline
from backprop_cli.documents.sentences import Filling, filled
from backprop_cli.language import tree
from backprop_cli.symbolic.steps import FormKind, Note, Rule
from backprop_cli.translation import Sentences, enumerated, marked, tr

RULES = {
    Rule.DEFINITION: "definition",
    Rule.DIFFERENTIATION: "differentiation",
    Rule.CHAIN_RULE: "chain rule",
    Rule.SUM_OVER_PATHS: "chain rule, summed over every path to the cost",
    Rule.SUM_OVER_STEPS: "sum over the costs of all steps",
    Rule.GIVEN: "given as the output gradient",
    Rule.NO_PATH: "no path leads from here to the cost",
}

FORMS = Sentences(
    {
        FormKind.DEFINED: "",
        FormKind.CHAIN: marked("chain rule"),
        FormKind.SLOPE: marked("local derivatives put in"),
        FormKind.LOCAL: marked("slope worked out"),
        FormKind.TRUNCATED: marked("struck out: dropped"),
        FormKind.COMBINED: marked("both uses in one formula"),
        FormKind.EXPANDED: marked("in inputs and parameters alone"),
        FormKind.UNIT_SUM: marked("the targets sum to 1"),
    }
)

PARTS = Sentences(
    {
        "title": marked("Backpropagation: {name}"),
        "two uses": marked(
            "Two uses of the chain rule carry the derivation: within a layer, from the gradient of its activations to "
            "the gradients of its parameters; and from one layer to the layer before, as a sum over the units that use "
            "an activation."
        ),
        "no cost": marked("No cost is given: the backward pass starts from the output gradient as given, {gradient}."),
        "batch": marked(
            "The {samples} samples of the batch are numbered by {sample}. All of them share the parameters, whose "
            "gradients are therefore sums over {sample}."
        ),
        "by step": marked(
            "The cost is a sum over the steps, and the part of each step, {part}, is propagated back by itself. The "
            "gradient of {cost} is the sum of theirs over all {step}."
        ),
        "truncated": marked(
            "It is truncated: {part} goes back through {windows}, counted from its own step, and no further. Older "
            "states count as constants; where there are any, the gradients printed here are not those of {cost} "
            "itself."
        ),
        "truncated run": marked(
            "The cost of each step is propagated back through {windows} and no further; where there are older "
            "ones, the gradients are not those of {cost} itself."
        ),
        "no path": marked("No path of derivatives leads from the cost to {names}: the gradient is 0."),
        "layer": marked("Layer {layer}"),
        "activation layer": marked("Layer {layer}: {activation}"),
        "library layer": marked("Layer {layer}: {kind}"),
        "activated layer": marked("Layer {layer}: {kind}, {activation}"),
        "cost": marked("The cost"),
        "equations": marked("The equations, last to first"),
        "inputs": marked("The inputs"),
        "definitions": marked("Definition"),
        "local derivatives": marked("Local derivatives"),
        "builds on": marked("What it builds on"),
        "answer": marked("The gradient"),
        "first use": marked("First use of the chain rule: the parameters, from the layer's own activations"),
        "second use": marked("Second use of the chain rule: the activations, from the next layer"),
        "through time": marked("Back through time: the gradient at a step, from the step after it"),
        "boundary": marked("Where the backward pass starts"),
        "activation_gradient": marked("Gradient of the activations"),
        "preactivation_gradient": marked("Gradient of the weighted sums"),
        "parameter_gradient": marked("Gradient of the parameters"),
        "input_gradient": marked("Gradient of the inputs"),
        "quantity_gradient": marked("Gradient"),
        "recurrence": marked("the recurrence"),
        "delta": marked("δ is short for ∂J/∂z of its layer."),
        "kronecker": marked("{bracket} is 1 where {equality} and 0 elsewhere."),
        "bracket": marked("A bracket such as {bracket} counts 1 where what it says holds and 0 elsewhere."),
        "bracket, counted": marked(
            "A bracket such as {bracket} counts 1 where what it says holds and 0 elsewhere; {counted} counts from 0, "
            "{index} from 1."
        ),
        "one row each": marked(
            "{matrix} has a row for each entry of {positions}: 1 in the column of that number and 0 elsewhere."
        ),
        "one row each, counted": marked(
            "{matrix} has a row for each entry of {positions}: 1 in the column of that number and 0 elsewhere; "
            "{counted} counts from 0."
        ),
        "one column": marked("{matrix} is the column with 1 in row {positions} and 0 elsewhere."),
        "one column, counted": marked(
            "{matrix} is the column with 1 in row {positions} and 0 elsewhere; {counted} counts from 0."
        ),
        "put in": marked("with {gradients}"),
        "put in, gathered": marked("with {gradients}, simplified"),
        "gathered": marked("simplified"),
        "differentiated": marked("differentiated"),
        "collected": marked("from the index form"),
        "summary": marked("The gradients of all parameters"),
        "every weight": marked("Every single parameter"),
        "unrolled": marked("Unrolled: the cost of every step by itself"),
        "sum of costs": marked(
            "{cost} is the sum of the costs of the steps, {first} and so on, and each of them is propagated back by "
            "itself."
        ),
        "cost of step": marked("The cost of step {step}"),
        "all steps": marked("All steps together"),
        "range": marked("{index} from 1 to {size}"),
    }
)

WALK = Sentences(
    {
        "title": marked("Walkthrough: {name}"),
        "plan": marked(
            "First forward, from the inputs to the cost; then backward, from the cost to the parameters. Every step is "
            "told as formula = numbers put in = result."
        ),
        "plan, no cost": marked(
            "First forward, from the inputs to the output; then backward, from the given gradient of the output to the "
            "parameters. Every step is told as formula = numbers put in = result."
        ),
        "rounding": marked(
            "Numbers are rounded to {digits} digits after the point where they are shown, and only there: every result "
            "comes from numbers in full precision."
        ),
        "forward": marked("Forward. {section}"),
        "backward": marked("Backward. {section}"),
        "weighted sum": marked("Every unit adds up its inputs, each times its weight, and its bias if it has one."),
        "activation": marked("The activation is applied."),
        "identity": marked("The activation is the identity: nothing changes."),
        "layer equation": marked("The layer computes this from what stands before it."),
        "equation": marked("This follows from what has been computed before."),
        "cost": marked(
            "The cost says how far the output is from the target. It is the one number that learning makes smaller."
        ),
        "start": marked(
            "The backward pass starts here: the derivative of the cost by what stands in its own equation."
        ),
        "given": marked("The backward pass starts here: the gradient of the output is given."),
        "through activation": marked(
            "Back through the activation: a small change of the weighted sum changes the activation by the slope "
            "there, so the gradient is multiplied by this slope. The value at which it is taken is that of the forward "
            "pass."
        ),
        "parameter": marked(
            "First use of the chain rule: a parameter reaches the cost through the units it belongs to. Its gradient "
            "is what arrives there, times what the parameter is multiplied by in the forward pass."
        ),
        "equations": marked("The equations"),
        "parameter, equations": marked(
            "A parameter's gradient: what arrives at the quantity whose equation it stands in, times the derivative of "
            "that equation by it."
        ),
        "through identity": marked("The activation is the identity, so what arrives passes through unchanged."),
        "summed": marked(
            "Second use of the chain rule: what arrives from everything that uses this quantity is added up."
        ),
        "summed, equations": marked(
            "The chain rule: what arrives from everything that uses this quantity is added up."
        ),
        "one path, equations": marked(
            "The chain rule: what arrives from the quantity that uses this one, times its derivative."
        ),
        "several paths, equations": marked(
            "The chain rule: this quantity is used several times, so a change of it reaches the cost along several "
            "paths. What arrives on each of them is added up."
        ),
        "one path": marked("Second use of the chain rule: there is one path from here to the cost."),
        "several paths": marked(
            "Second use of the chain rule: this quantity is used several times, so a change of it reaches the cost "
            "along several paths. What arrives on each of them is added up."
        ),
        "each step": marked(
            "The cost of every step is propagated back by itself, beginning at its own step; what it does not depend "
            "on is left out."
        ),
        "added up": marked("The gradients of the costs of all steps are added up."),
        "costs of all steps": marked(
            "The cost of every step is propagated back by itself, and so has a gradient of its own here. They are "
            "added up; `derive --unroll` writes out each of them."
        ),
        "input": marked("An input is no parameter, but the same step says how the cost depends on it."),
        "no path": marked("Nothing of this reaches the cost: the gradient is 0."),
        "transposed": marked(
            "Forward, a row of the matrix gathers what enters one unit. Backward, one unit gathers from all that it "
            "has entered, and these weights are a column: so the matrix is transposed."
        ),
        "outer": marked(
            "One factor is transposed so that every gradient that arrives meets every number that was put in: each "
            "pair of them is one entry of the matrix."
        ),
        "half": marked(
            "The factor 1/2 is a convention: it cancels the 2 that the square brings down. Without it every gradient "
            "would be twice as large and point the same way."
        ),
        "mean": marked(
            "Dividing by {number} is a convention: with the sum in place of the mean every gradient would be {number} "
            "times as large and point the same way."
        ),
        "batch mean": marked(
            "The cost is the mean over the {number} samples, so a parameter's gradient is the mean of the samples' "
            "gradients. With their sum it would be {number} times as large."
        ),
        "batch sum": marked(
            "The cost is the sum over the {number} samples, so a parameter's gradient is the sum of the samples' "
            "gradients. With their mean it would be divided by {number}."
        ),
        "collapse": marked(
            "No activation that bends stands between layer {first} and layer {second}: a weighted sum of weighted sums "
            "is a weighted sum, so the two layers together can compute nothing that one linear layer could not."
        ),
        "why batches": marked(
            "Samples are put into batches for the hardware, which multiplies matrices faster than one vector after the "
            "other. The gradient of a batch is also less noisy than that of one sample; but samples often say much the "
            "same, so that many small steps usually learn faster than one step with all of them."
        ),
        "through": marked("Through {quantities}: {chain}"),
        "together": marked("together"),
        "together unrounded": marked("together, unrounded"),
        "unrounded": marked("from unrounded numbers"),
        "all entries": marked("all entries"),
    }
)

REMARKS = Sentences(
    {
        "kink": marked("{function} has no derivative at {where}."),
        "connections": marked("{mask} holds the connections: 1 where a unit is wired to an input, 0 elsewhere."),
        "tie, largest": marked("Of equal largest values the first takes the gradient."),
        "tie, smallest": marked("Of equal smallest values the first takes the gradient."),
        "piecewise_constant": marked(
            "{quantity} is piecewise constant: as a position it stays the same while the values change a little, and "
            "then jumps. Its gradient is 0 wherever it exists, and where two values tie there is none, so gradient "
            "descent has nothing to follow here. One searches without gradients instead, or puts a smooth stand-in in "
            "its place, such as softmin for argmin and softmax for argmax."
        ),
        "position_inside": marked(
            "{what} gives a position, and positions change in jumps: its derivative is 0 wherever it exists, so no "
            "gradient passes through it."
        ),
        "targets_sum_to_1": marked("The last step uses that the targets {target} of a sample sum to 1."),
        "targets_do_not_sum_to_1": marked(
            "The targets {target} of this spec do not sum to 1, so the sum stays: the familiar 'probability minus "
            "target' would be wrong here."
        ),
        "where_targets_sum_to_1": marked("Where the targets {target} of a sample sum to 1, the sum drops out."),
        "vanishes": marked("{derivative} is 0: the sum cancels once {mean} is put in."),
        "ranges": marked("Here {ranges}."),
        "before the first step": marked("A step before the first reads 0."),
        "outside": marked("A position outside its array reads 0."),
        "shapes": marked("Shapes: {text}."),
        "delta": marked("δ stands for ∂J/∂{quantity}."),
        "elementwise": marked("Fractions and powers of arrays are meant entry by entry."),
        "many_indices": marked("An array with more than two indices is no matrix; it stays in index notation."),
        "no_matrix_form": marked("The matrix view has no way to write this one; it stays in index notation."),
    }
)

NOT_IN_MATRICES = frozenset({"many_indices", "no_matrix_form"})

WARNINGS = frozenset({"targets_do_not_sum_to_1", "piecewise_constant", "position_inside"})


QUANTITIES = frozenset({"mean", "quantity", "mask", "target"})  # what is spoken of by name


def sentence(note: Note) -> str:
    """A remark in words, the quantities in it by their names."""
    return _template(note).format(**_about(note))


def told(note: Note, target: tree.Node) -> tuple[Inline, ...]:
    """A remark on what a step is about in words, the quantities in it as formulas write them."""
    formulas: dict[str, Filling] = {name: tree.Matrix(note.about[name]) for name in QUANTITIES & note.about.keys()}
    return filled(_template(note), **{**_about(note), **formulas, "derivative": target})


def _template(note: Note) -> str:
    return REMARKS[f"tie, {note.about['values']}" if note.key == "tie" else note.key]


def _about(note: Note) -> Mapping[str, str]:
    """What the fields of a remark hold, in words where they are words."""
    match note.key:
        case "kink":
            where = note.about["where"]
            return {**note.about, "where": tr(where)}
        case "ranges":
            pairs = zip(note.about["indices"].split(), note.about["sizes"].split(), strict=True)
            return {"ranges": enumerated(PARTS["range"].format(index=index, size=size) for index, size in pairs)}
    return note.about


def warns(note: Note) -> bool:
    """Whether a remark is a warning: what a reader would expect to hold does not."""
    return note.key in WARNINGS
