"""The sentences of the walkthrough's views: Torch's modules, Jacobians, and the perturbation of one number."""

from __future__ import annotations

from backprop_cli.teaching.modules import Method
from backprop_cli.translation import Sentences, marked

LOOPS: Sentences[str] = Sentences(
    {
        "forward": marked(
            "{names} are computed step by step, and so are their changes: each from those of the step before."
        ),
        "one forward": marked(
            "{names} is computed step by step, and so are its changes: each from that of the step before."
        ),
        "several": marked(
            "{names} are computed step by step, each from the step before. Every formula below stands for all steps at "
            "once; they run from the first to the last forward, and from the last to the first backward."
        ),
        "one": marked(
            "{names} is computed step by step, each from the step before. Every formula below stands for all steps at "
            "once; they run from the first to the last forward, and from the last to the first backward."
        ),
    }
)

PERTURBATION: Sentences[str] = Sentences(
    {
        "title": marked("A small change of {entry}: {name}"),
        "plan": marked(
            "{entry} is changed a little and everything else that is given stays as it is. To first order each "
            "quantity changes by its derivatives, each times the change of what it is taken by; so the change goes "
            "forward from one equation to the next until it arrives at the end. What does not change is left out."
        ),
        "nothing": marked("Nothing else changes, to first order."),
        "equations": marked("The equations"),
        "change": marked("change"),
        "values": marked("values"),
        "first order": marked("to first order"),
        "true": marked("in a run"),
        "comparison": marked("The prediction beside the truth"),
        "by the gradient": marked(
            "Backpropagation gives the same change of the cost at once: the gradient by {entry}, times its change."
        ),
        "smaller": marked(
            "The network is run again with the changed number, to see how much {cost} really changes; then with a "
            "tenth and a hundredth of the change."
        ),
        "change of the entry": marked("changed by"),
        "predicted": marked("predicted"),
        "true change": marked("true"),
        "difference": marked("difference"),
        "quadratic": marked(
            "With a tenth of the change the difference is about a hundredth: what first order leaves out grows with "
            "the square of the change."
        ),
        "exact": marked(
            "The prediction is exact here: the cost depends linearly on this number, as far as it is changed."
        ),
    }
)

MODULES: Sentences[str] = Sentences(
    {
        "title": marked("Module by module: {name}"),
        "plan": marked(
            "The network as a chain of modules, in the words of Torch's nn. Forward, updateOutput computes a module's "
            "output from its input. Backward, a module is given gradOutput, the gradient of the cost by its output, "
            "and has two things to do: updateGradInput computes gradInput, the gradient by its input, and "
            "accGradParameters adds to the gradients of its parameters. The gradInput of a module is the gradOutput of "
            "the module before it; handing it on is all of backpropagation."
        ),
        "batch": marked(
            "The {samples} samples, counted by {sample}, run through the modules together: inputs, outputs and their "
            "gradients have one row for every sample, and accGradParameters adds up what the samples contribute."
        ),
        "window": marked("{bracket} is 0 at the states that are too old for {part} to go back to."),
        "in front": marked(
            "Where {part} reaches other steps than its own, gradOutput therefore has {step} in front: {entry} is "
            "{gradient}. What the modules hand on keeps it; the gradients of parameters and inputs are sums over all "
            "{step}."
        ),
        "module": marked("Module {number}: {kind}"),
        "module in a layer": marked("Module {number}: {kind} (layer {layer})"),
        "library module in a layer": marked("Module {number}: {kind} (layer {layer}, {library})"),
        "no name": marked("the equation of {output}"),
        "criterion": marked("The criterion"),
        "forward": marked("Forward. {section}"),
        "backward": marked("Backward. {section}"),
        "start": marked("Before the backward pass: zeroGradParameters"),
        "end": marked("After the backward pass: updateParameters"),
        "zero": marked(
            "accGradParameters adds and never overwrites, so that modules can share a parameter and passes can be "
            "gathered. The gradients of the parameters are therefore set to 0 first; else those of an earlier pass "
            "would still be in them."
        ),
        "criterion forward": marked(
            "A criterion is given the network's output and the target, and computes one number, the cost."
        ),
        "criterion backward": marked(
            "The backward pass starts here: the criterion hands back the gradient of the cost by the network's output."
        ),
        "given": marked("The network has no criterion: its gradOutput is given, and the backward pass starts from it."),
        "handed": marked(
            "Several modules use this output. Each of them hands back a gradInput, and gradOutput is their sum."
        ),
        "inputs": marked("Backward. The gradient of {input}"),
        "input": marked("Several modules use this input. The gradient by it is the sum of what they hand back."),
        "several inputs": marked("The module has several inputs, and a gradInput for each of them."),
        "shared": marked(
            "Another module has this parameter too and has added to its gradient before; soFar is what it holds."
        ),
        "update": marked(
            "updateParameters({rate}) takes one step against the gradient: from each parameter, {rate} times its "
            "gradient is subtracted. A pass with the new values starts with zeroGradParameters again."
        ),
        "frozen": marked("Frozen parameters have gradients and are not updated: {names}."),
        "linear": marked("Linear for one sample and for a batch"),
        "one sample": marked(
            "For one sample, input, output and their gradients are columns (Torch multiplies with addmv and addr):"
        ),
        "rows": marked(
            "For a batch, here of {samples} samples, each sample is a row, so the same products are written the other "
            "way round (addmm), and the gradients of the parameters are sums over the rows:"
        ),
        "from outside": marked("given"),
        "from module": marked("from module {number}"),
        "from the criterion": marked("from the criterion"),
        "values": marked("values"),
        "new values": marked("new values"),
        "tensor": marked("tensor"),
    }
)

JACOBIANS: Sentences[str] = Sentences(
    {
        "title": marked("Jacobian by Jacobian: {name}"),
        "plan": marked(
            "Every quantity is a vector, and the gradient of the cost by it a row of the same length. The Jacobian of "
            "a module has a row for each number of its output and a column for each number of its input. The chain "
            "rule is then one product: the row of the output times the Jacobian is the row of the input. A module has "
            "one Jacobian by its input, along which the rows go on to the module before it, and one by its parameters."
        ),
        "letters": marked(
            "The letters are those of Yann LeCun's lecture: s is the weighted sum of a layer (elsewhere z), z its "
            "activation (elsewhere a), and C the cost (elsewhere J)."
        ),
        "flat": marked(
            "An array with more than one index counts as the vector of all its entries, the last index running "
            "fastest: a matrix row by row."
        ),
        "rows": marked(
            "Where {part} reaches other steps than its own, there is a row for every {step}: {gradient} is a matrix of "
            "such rows, and a Jacobian multiplies all of them at once. The Jacobians are those of the network without "
            "truncation, which sets entries of the rows to 0."
        ),
        "cost": marked("The cost"),
        "module": marked("The module of {output}"),
        "module in a layer": marked("Layer {layer}: the module of {output}"),
        "by input": marked("The Jacobian by {by}, {shape}:"),
        "by parameter": marked("The Jacobian by the parameter {by}, {shape}:"),
        "sparse": marked("This is one entry; the entries that the formula does not name are 0."),
        "too large": marked("Its {numbers} numbers are not computed."),
        "start": marked("Here the rows begin: the derivative of the cost by what stands in its own equation."),
        "given": marked("The network has no cost: the row to start from is given."),
        "one": marked("The row that arrives here, times the Jacobian:"),
        "several": marked(
            "{by} is used several times. What arrives along each way, a row times a Jacobian, is added up:"
        ),
        "by step": marked("The rows that arrive here, one for every {step}, times the Jacobian:"),
        "by step, several": marked(
            "{by} is used several times. What arrives along each way, the rows for every {step} times a Jacobian, is "
            "added up:"
        ),
        "own step": marked(
            "{part} depends on {by} at its own step alone: its row holds what belongs to this step in {whole}, and 0 "
            "elsewhere."
        ),
        "sum": marked("The gradient of {cost} is the sum of these rows:"),
        "cut": marked(
            "{bracket} multiplies entry by entry; it is 0 at the states that are too old for {part} to go back to."
        ),
        "shapes": marked("Shapes: {text}."),
        "shape": marked("shape"),
        "values": marked("values"),
        "laid out": marked("the same, laid out as the quantity is"),
    }
)

SIGNATURES = {
    Method.ZERO_GRAD_PARAMETERS: "zeroGradParameters()",
    Method.UPDATE_OUTPUT: "updateOutput(input)",
    Method.FORWARD: "forward(input, target)",
    Method.BACKWARD: "backward(input, target)",
    Method.UPDATE_GRAD_INPUT: "updateGradInput(input, gradOutput)",
    Method.ACC_GRAD_PARAMETERS: "accGradParameters(input, gradOutput)",
    Method.UPDATE_PARAMETERS: "updateParameters(learningRate)",
}
