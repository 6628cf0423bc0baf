"""The typical mistakes in words, by their ids: what each is called, and what a student is told who made it."""

from __future__ import annotations

from backprop_cli.exercises.rounding import ROUNDED
from backprop_cli.translation import Sentences, marked

NAMES = Sentences(
    {
        "missing_derivative": marked("the slope of the activation left out"),
        "activation_for_derivative": marked("the activation in place of its derivative"),
        "derivative_at_activation": marked("the derivative taken at the activation"),
        "not_truncated": marked("not truncated"),
        "wrong_window": marked("truncated one state too late or too early"),
        "single_path": marked("not all paths counted"),
        "transposed": marked("rows and columns exchanged"),
        "wrong_sign": marked("a wrong sign"),
        "lost_factor": marked("a factor lost or put twice"),
        "wrong_input": marked("another number in place of one"),
        "updated_too_early": marked("parameters updated too early"),
        "bias_forgotten": marked("the bias forgotten"),
        "forward_slip": marked("a slip in the forward pass"),
        ROUNDED: marked("rounded to fewer digits than asked for"),
    }
)
SENTENCES = Sentences(
    {
        "missing_derivative": marked(
            "This is what comes out without the slope of the activation. On the way back through an activation, what "
            "arrives is multiplied by its derivative."
        ),
        "activation_for_derivative": marked(
            "This is what comes out with the activation itself in place of its derivative."
        ),
        "derivative_at_activation": marked(
            "This is what comes out with the derivative taken at the activation. It is taken at the number that the "
            "activation is applied to."
        ),
        "not_truncated": marked(
            "This is the gradient without truncation. The cost of each step goes back through as many states as the "
            "sheet says, and no further."
        ),
        "wrong_window": marked(
            "This is what comes out when the cost of each step goes back through one state too many, or too few. The "
            "state of its own step is the first one."
        ),
        "single_path": marked(
            "This is what comes out when not all paths are counted. What arrives on each path is added up; a later one "
            "does not replace the earlier ones."
        ),
        "transposed": marked("This is what comes out with rows and columns of the matrix exchanged."),
        "wrong_sign": marked("This is what comes out with a wrong sign."),
        "lost_factor": marked("This is what comes out with a factor lost, or put twice, such as 2, 1/2 or 1/N."),
        "wrong_input": marked(
            "This is what comes out with another number in place of one that belongs here, such as another unit's "
            "activation."
        ),
        "updated_too_early": marked(
            "This is what comes out with parameters that have been updated already. All gradients are computed with "
            "the old ones."
        ),
        "bias_forgotten": marked("This is what comes out without the bias."),
        "forward_slip": marked(
            "This is what comes out after a slip in the forward pass, such as a term, an activation or a square left "
            "out, or another entry put in."
        ),
    }
)
