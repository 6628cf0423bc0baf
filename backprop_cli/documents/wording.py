"""The sentences that steps, rules and remarks are told in."""

from __future__ import annotations

from string import Formatter

from backprop_cli.documents.blocks import Inline
from backprop_cli.language import tree
from backprop_cli.symbolic.steps import FormKind, Note, Rule

RULES = {
    Rule.DEFINITION: "definition",
    Rule.DIFFERENTIATION: "differentiation",
    Rule.CHAIN_RULE: "chain rule",
    Rule.SUM_OVER_PATHS: "chain rule, summed over every path to the cost",
    Rule.SUM_OVER_STEPS: "sum over the costs of all steps",
    Rule.GIVEN: "given as the output gradient",
    Rule.NO_PATH: "no path leads from here to the cost",
}

FORMS = {
    FormKind.DEFINED: "",
    FormKind.CHAIN: "chain rule",
    FormKind.SLOPE: "local derivatives put in",
    FormKind.LOCAL: "slope worked out",
    FormKind.TRUNCATED: "struck out: dropped",
    FormKind.RESULT: "with",
    FormKind.COMBINED: "both uses in one formula",
    FormKind.EXPANDED: "in inputs and parameters alone",
    FormKind.UNIT_SUM: "the targets sum to 1",
}

PARTS = {
    "two uses": (
        "Two uses of the chain rule carry the derivation: within a layer, from the gradient of its activations to the "
        "gradients of its parameters; and from one layer to the layer before, as a sum over the units that use an "
        "activation."
    ),
    "no cost": "No cost is given: the backward pass starts from the output gradient as given, ",
    "batch": (
        "The {samples} samples of the batch are numbered by {sample}. All of them share the parameters, whose "
        "gradients are therefore sums over {sample}."
    ),
    "by step": (
        "The cost is a sum over the steps, and the part of each step, {part}, is propagated back by itself. The "
        "gradient of {cost} is the sum of theirs over all {step}."
    ),
    "truncated": (
        "It is truncated: {part} goes back through {windows}, counted from its own step, and no further. Older states "
        "count as constants; where there are any, the gradients printed here are not those of {cost} itself."
    ),
    "truncated run": (
        "The cost of each step is propagated back through {windows} and no further; where there are older "
        "ones, the gradients are not those of {cost} itself."
    ),
    "window": "{states} of ",
    "state": "1 state",
    "states": "{number} states",
    "and": " and ",
    "no path": "No path of derivatives leads from the cost to {names}: the gradient is 0.",
    "layer": "Layer {layer}",
    "activation layer": "Layer {layer}: {activation}",
    "library layer": "Layer {layer}: {kind}",
    "activated layer": "Layer {layer}: {kind}, {activation}",
    "dense layer": "Layer {layer}: {units} {unit}, {activation}",
    "unit": "unit",
    "units": "units",
    "cost": "The cost",
    "equations": "The equations, last to first",
    "inputs": "The inputs",
    "definitions": "Definition",
    "local derivatives": "Local derivatives",
    "builds on": "What it builds on",
    "answer": "The gradient",
    "first use": "First use of the chain rule: the parameters, from the layer's own activations",
    "second use": "Second use of the chain rule: the activations, from the next layer",
    "through time": "Back through time: the gradient at a step, from the step after it",
    "boundary": "Where the backward pass starts",
    "activation_gradient": "Gradient of the activations",
    "preactivation_gradient": "Gradient of the weighted sums",
    "parameter_gradient": "Gradient of the parameters",
    "input_gradient": "Gradient of the inputs",
    "quantity_gradient": "Gradient",
    "recurrence": "the recurrence",
    "delta": "δ is short for ∂J/∂z of its layer.",
    "bracket": " counts 1 where what it says holds and 0 elsewhere",
    "one row each": ": 1 in the column of that number and 0 elsewhere",
    "gathered": "simplified",
    "differentiated": "differentiated",
    "collected": "from the index form",
    "summary": "The gradients of all parameters",
    "every weight": "Every single parameter",
    "unrolled": "Unrolled: the cost of every step by itself",
    "sum of costs": (
        "{cost} is the sum of the costs of the steps, {first} and so on, and each of them is propagated back by itself."
    ),
    "cost of step": "The cost of step {step}",
    "all steps": "All steps together",
}

WALK = {
    "title": "Walkthrough: {name}",
    "plan": (
        "First forward, from the inputs to the cost; then backward, from the cost to the parameters. Every step is "
        "told as formula = numbers put in = result."
    ),
    "plan, no cost": (
        "First forward, from the inputs to the output; then backward, from the given gradient of the output to the "
        "parameters. Every step is told as formula = numbers put in = result."
    ),
    "rounding": (
        "Numbers are rounded to {digits} digits after the point where they are shown, and only there: every result "
        "comes from numbers in full precision."
    ),
    "forward": "Forward. {section}",
    "backward": "Backward. {section}",
    "weighted sum": "Every unit adds up its inputs, each times its weight, and its bias if it has one.",
    "activation": "The activation is applied.",
    "identity": "The activation is the identity: nothing changes.",
    "layer equation": "The layer computes this from what stands before it.",
    "equation": "This follows from what has been computed before.",
    "cost": "The cost says how far the output is from the target. It is the one number that learning makes smaller.",
    "start": "The backward pass starts here: the derivative of the cost by what stands in its own equation.",
    "given": "The backward pass starts here: the gradient of the output is given.",
    "through activation": (
        "Back through the activation: a small change of the weighted sum changes the activation by the slope there, so "
        "the gradient is multiplied by this slope. The value at which it is taken is that of the forward pass."
    ),
    "parameter": (
        "First use of the chain rule: a parameter reaches the cost through the units it belongs to. Its gradient is "
        "what arrives there, times what the parameter is multiplied by in the forward pass."
    ),
    "equations": "The equations",
    "parameter, equations": (
        "A parameter's gradient: what arrives at the quantity whose equation it stands in, times the derivative of "
        "that equation by it."
    ),
    "through identity": "The activation is the identity, so what arrives passes through unchanged.",
    "summed": "Second use of the chain rule: what arrives from everything that uses this quantity is added up.",
    "summed, equations": "The chain rule: what arrives from everything that uses this quantity is added up.",
    "one path, equations": "The chain rule: what arrives from the quantity that uses this one, times its derivative.",
    "several paths, equations": (
        "The chain rule: this quantity is used several times, so a change of it reaches the cost along several paths. "
        "What arrives on each of them is added up."
    ),
    "one path": "Second use of the chain rule: there is one path from here to the cost.",
    "several paths": (
        "Second use of the chain rule: this quantity is used several times, so a change of it reaches the cost along "
        "several paths. What arrives on each of them is added up."
    ),
    "costs of all steps": (
        "The cost of every step is propagated back by itself, and so has a gradient of its own here. They are "
        "added up; `derive --unroll` writes out each of them."
    ),
    "input": "An input is no parameter, but the same step says how the cost depends on it.",
    "no path": "Nothing of this reaches the cost: the gradient is 0.",
    "transposed": (
        "Forward, a row of the matrix gathers what enters one unit. Backward, one unit gathers from all that it has "
        "entered, and these weights are a column: so the matrix is transposed."
    ),
    "outer": (
        "One factor is transposed so that every gradient that arrives meets every number that was put in: each pair of "
        "them is one entry of the matrix."
    ),
    "through": "Through ",
    "together": "together",
    "together unrounded": "together, unrounded",
    "unrounded": "from unrounded numbers",
    "all entries": "all entries",
}

REMARKS = {
    "kink": "{function} has no derivative at {where}.",
    "connections": "{mask} holds the connections: 1 where a unit is wired to an input, 0 elsewhere.",
    "tie": "Of equal {values} values the first takes the gradient.",
    "piecewise_constant": (
        "{quantity} is piecewise constant: as a position it stays the same while the values change a little, and then "
        "jumps. Its gradient is 0 wherever it exists, and where two values tie there is none, so gradient descent has "
        "nothing to follow here. One searches without gradients instead, or puts a smooth stand-in in its place, such "
        "as softmin for argmin and softmax for argmax."
    ),
    "position_inside": (
        "{what} gives a position, and positions change in jumps: its derivative is 0 wherever it exists, so no "
        "gradient passes through it."
    ),
    "targets_sum_to_1": "The last step uses that the targets {target} of a sample sum to 1.",
    "targets_do_not_sum_to_1": (
        "The targets {target} of this spec do not sum to 1, so the sum stays: the familiar 'probability minus target' "
        "would be wrong here."
    ),
    "where_targets_sum_to_1": "Where the targets {target} of a sample sum to 1, the sum drops out.",
    "vanishes": "{derivative} is 0: the sum cancels once {mean} is put in.",
    "ranges": "Here {ranges}.",
    "before the first step": "A step before the first reads 0.",
    "outside": "A position outside its array reads 0.",
    "shapes": "Shapes: {text}.",
    "delta": "δ stands for ∂J/∂{quantity}.",
    "elementwise": "Fractions and powers of arrays are meant entry by entry.",
    "many_indices": "An array with more than two indices is no matrix; it stays in index notation.",
    "no_matrix_form": "The matrix view has no way to write this one; it stays in index notation.",
}

NOT_IN_MATRICES = frozenset({"many_indices", "no_matrix_form"})

WARNINGS = frozenset({"targets_do_not_sum_to_1", "piecewise_constant", "position_inside"})


QUANTITIES = frozenset({"mean", "quantity", "mask", "target"})  # what is spoken of by name


def sentence(note: Note) -> str:
    """A remark in words, the quantities in it by their names."""
    return REMARKS[note.key].format(**note.about)


def told(note: Note, target: tree.Node) -> tuple[Inline, ...]:
    """A remark on what a step is about in words, the quantities in it as formulas write them."""
    parts: list[Inline] = []
    text = ""
    for before, field, _, _ in Formatter().parse(REMARKS[note.key]):
        text += before
        if field == "derivative" or field in QUANTITIES:
            parts += [text, target if field == "derivative" else tree.Matrix(note.about[field])]
            text = ""
        elif field is not None:
            text += note.about[field]
    return tuple(part for part in (*parts, text) if part)


def warns(note: Note) -> bool:
    """Whether a remark is a warning: what a reader would expect to hold does not."""
    return note.key in WARNINGS
