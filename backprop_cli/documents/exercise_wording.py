"""The sentences of exercise sheets and keys, in the language that is written in."""

from __future__ import annotations

from backprop_cli.translation import Sentences, marked, tr_n

SHEET = Sentences(
    {
        "name": marked("Name: {name}"),
        "variant": marked("Variant {variant}, code {code}"),
        "network": marked("The network"),
        "given": marked("Given"),
        "quantity": marked("quantity"),
        "values": marked("values"),
        "formula": marked("formula"),
        "line": marked("line"),
        "question": marked("Question {number} ({points})"),
        "rounding": marked(
            "Round every number to {digits} digits after the point as you write it down, and go on with what you wrote."
        ),
        "truncated": marked(
            "Gradients are truncated here: {part} goes back through {windows}, counted from its own step, and no "
            "further. Older states count as constants."
        ),
        "tolerance": marked("Numbers may be off by {tolerance} here."),
        "exact": marked("Give exact numbers, as fractions where they are not whole."),
        "path": marked("path"),
        "typing": marked("To type a formula, write * for a product and ** for a power."),
        "typing names": marked("Write {names}."),
        "typed": marked("{quantity} as {typed}"),
        "choice blank": marked("Letter: {blank}"),
        "mistake blank": marked("Line: {blank}"),
    }
)

ASKED = Sentences(
    {
        "forward": marked("Compute these values of the forward pass."),
        "cost": marked("Compute the cost."),
        "gradient": marked("Compute these gradients."),
        "formula": marked(
            "State the gradient as a formula in the given quantities and the values of the forward pass."
        ),
        "update": marked("Compute the new values after one step of gradient descent with the learning rate {rate}."),
        "table forward": marked("Complete the table of the forward pass."),
        "table backward": marked("Complete the table of the backward pass: the gradients of {cost}."),
        "table backward by step": marked(
            "Complete the table of the backward pass: the gradients of {cost}, and those of each step's cost {part}."
        ),
        "paths": marked("Compute {of} path by path: what arrives on each of them, and the sum."),
        "paths alone": marked("Compute what arrives at {of} on each path."),
        "paths, some sums": marked(
            "Compute {of} path by path: what arrives on each of them, and the sum where it was not asked for before."
        ),
        "bptt": marked("Go back through time: compute {of} at every step, from the last to the first."),
        "bptt by step": marked(
            "Go back through time for the cost of each step by itself: compute {of}, from the step of the cost as far "
            "back as it is propagated."
        ),
        "bptt sums": marked("Then add up what comes from all steps: compute {of}."),
        "mistake": marked(
            "One line of this computation of {of} is wrong, and what follows was computed with its number. Which line?"
        ),
        "choice": marked("Which formula is {of}?"),
    }
)

KEY = Sentences(
    {
        "title": marked("Key: {title}"),
        "question": marked("Question {number}"),
        "answer": marked("answer"),
        "tolerance": marked("tolerance"),
        "points": marked("points"),
        "choice": marked("{letter} is right: {formula}."),
        "distractor": marked("{letter}: {mistake}."),
        "mistake": marked("Line {line} is wrong: {mistake}. Right is {formula}."),
        "scheme": marked(
            "Marking: a step that is right with the student's own earlier numbers counts in full. Tolerances are what "
            "rounding every step to {digits} digits can cause."
        ),
        "scheme, exact": marked("Marking: a step that is right with the student's own earlier numbers counts in full."),
        "scheme, set": marked("Where the exercise sets a tolerance, it is that one."),
        "solution": marked("Worked solution"),
        "solution, rounded": marked(
            "The worked solution computes with unrounded numbers. It shows them with {digits} digits after the point, "
            "small ones with more."
        ),
        "certificate": marked("How these numbers were checked"),
        "vouched": marked(
            "For the numbers of every sheet, all {gradients} gradients of parameters and inputs by the recurrence "
            "agree with {ways}."
        ),
        "vouched, some": marked(
            "For the numbers of every sheet, {gradients} gradients by the recurrence, some of each parameter and "
            "input, agree with {ways}."
        ),
        "frozen": marked(
            "The truncated gradients are those of the same cost with older states frozen, which is what they were "
            "compared with."
        ),
        "by direct": marked("direct differentiation of the written-out cost to at least {digits} digits"),
        "by differences": marked("central differences to at least {digits} digits"),
        "by torch": marked("PyTorch's automatic differentiation to at least {digits} digits"),
        "too long": marked("The cost is too long to be written out and differentiated directly."),
        "total": marked("Together: {points}"),
    }
)


def points_of(points: float) -> str:
    """``1 point``, ``2.5 points``."""
    return tr_n("{points} point", "{points} points", 1 if points == 1 else 2).format(points=f"{points:g}")
