"""The sentences of the walkthrough's views: Torch's modules, Jacobians, and the perturbation of one number."""

from __future__ import annotations

from backprop_cli.teaching.modules import Method
from backprop_cli.translation import Sentences, marked

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
            "The {samples} samples, counted by {sample}, run through the modules together. Each array holds one row "
            "for every sample, and accGradParameters adds up what the samples contribute."
        ),
        "loop": marked(
            "{names} are computed step by step, each from the step before. Every call below stands for all steps at "
            "once; they run from the first to the last forward, and from the last to the first backward."
        ),
        "loop of one": marked(
            "{names} is computed step by step, each from the step before. Every call below stands for all steps at "
            "once; they run from the first to the last forward, and from the last to the first backward."
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
        "frozen": marked("Frozen parameters have gradients and are not updated: "),
        "linear": marked("Linear for one sample and for a batch"),
        "one sample": marked(
            "For one sample, input, output and their gradients are columns (Torch multiplies with addmv and addr):"
        ),
        "rows": marked(
            "For a batch, here of {samples} samples, each sample is a row, so the same products are written the other "
            "way round (addmm), and the gradients of the parameters are sums over the rows:"
        ),
        "from module": marked("from module {number}"),
        "from the criterion": marked("from the criterion"),
        "values": marked("values"),
        "new values": marked("new values"),
        "tensor": marked("tensor"),
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
