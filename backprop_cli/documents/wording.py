"""The sentences that steps, rules and remarks are told in."""

from __future__ import annotations

from backprop_cli.symbolic.steps import FormKind, Kind, Note, Rule

KINDS = {
    Kind.DEFINITION: "definition",
    Kind.LOCAL_DERIVATIVE: "local derivative",
    Kind.BOUNDARY: "where the backward pass starts",
    Kind.ACTIVATION_GRADIENT: "gradient of the activations, from the next layer",
    Kind.PREACTIVATION_GRADIENT: "gradient of the weighted sums",
    Kind.PARAMETER_GRADIENT: "gradient of the parameters, from the layer's own activations",
    Kind.INPUT_GRADIENT: "gradient of the inputs",
    Kind.QUANTITY_GRADIENT: "gradient of the quantity",
}

RULES = {
    Rule.DEFINITION: "definition",
    Rule.DIFFERENTIATION: "differentiation",
    Rule.CHAIN_RULE: "chain rule",
    Rule.SUM_OVER_PATHS: "chain rule, summed over every path to the cost",
    Rule.GIVEN: "given as the output gradient",
    Rule.NO_PATH: "no path leads from here to the cost",
}

FORMS = {
    FormKind.DEFINED: "",
    FormKind.CHAIN: "chain rule",
    FormKind.SLOPE: "local derivatives put in",
    FormKind.LOCAL: "local derivatives put in",
    FormKind.RECURRENCE: "recurrence",
    FormKind.RESULT: "in short",
    FormKind.COMBINED: "both uses of the chain rule in one formula",
    FormKind.EXPANDED: "in inputs and parameters alone",
    FormKind.UNIT_SUM: "since the targets sum to 1",
}

NOTES = {
    "kink": "{function} has no derivative at {where}.",
    "piecewise_constant": (
        "{quantity} is a position, and positions change in jumps: its derivative is 0 wherever it exists, so no gradient "
        "passes through it and gradient descent has nothing to follow here."
    ),
    "targets_sum_to_1": "The last step uses that the targets {target} of a sample sum to 1.",
    "targets_do_not_sum_to_1": (
        "The targets {target} of this spec do not sum to 1, so the sum stays: the familiar 'probability minus target' would be "
        "wrong here."
    ),
    "where_targets_sum_to_1": "Where the targets {target} of a sample sum to 1, the sum drops out.",
    "no_matrix_form": "This one has no form in matrices; it stays in index notation.",
}


def sentence(note: Note) -> str:
    """A remark in words."""
    return NOTES[note.key].format(**note.about)
