"""The network of a spec in PyTorch, float64: loss and gradients under the contract's names.

Layers are built from torch.nn.functional, equations by :mod:`tests.differential.equations`. It reads the spec's data
only and knows nothing of the tool.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional

from tests.differential.equations import FUNCTIONS, equation, expression

Tensor = Any


@dataclass
class Run:
    """Everything computed so far, by name, and which of it is per sample."""

    spec: dict[str, Any]
    values: dict[str, Tensor] = field(default_factory=dict)
    per_sample: set[str] = field(default_factory=set)
    forward: list[str] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)
    samples: int | None = None

    def give(self, name: str, data: Any, *, gradient: bool, per_sample: bool = False) -> Tensor:
        tensor = torch.tensor(data, dtype=torch.float64, requires_grad=gradient)
        self.values[name] = tensor
        if per_sample:
            self.per_sample.add(name)
        return tensor

    def parameter(self, name: str, data: Any) -> Tensor:
        self.parameters.append(name)
        return self.give(name, data, gradient=True)

    def compute(self, name: str, value: Tensor, *, per_sample: bool) -> Tensor:
        if value.requires_grad:
            value.retain_grad()
        else:  # nothing flows through it, but J has a slope in it
            value = value.detach().requires_grad_()
        self.values[name] = value
        self.forward.append(name)
        if per_sample:
            self.per_sample.add(name)
        return value

    def sample(self, n: int) -> dict[str, Tensor]:
        """What the equations of one sample see."""
        return {name: value[n] if name in self.per_sample else value for name, value in self.values.items()}

    def each_sample(self, name: str, evaluate: Any, inputs: set[str]) -> Tensor:
        """Evaluate for one sample after the other, where anything it uses is per sample."""
        if self.samples is None or not inputs & self.per_sample:
            return self.compute(name, evaluate(self.values), per_sample=False)
        stacked = torch.stack([evaluate(self.sample(n)) for n in range(self.samples)])
        return self.compute(name, stacked, per_sample=True)

    def result(self, cost: Tensor) -> tuple[float, dict[str, Any], dict[str, Any]]:
        """The cost, every computed value and every gradient, as NumPy arrays."""
        if cost.requires_grad:
            cost.backward()
        names = [*self.parameters, *self.forward, *self.spec["inputs"]]
        gradients = {
            name: (torch.zeros_like(value) if value.grad is None else value.grad).numpy()
            for name in names
            for value in (self.values[name],)
        }
        return cost.item(), {name: self.values[name].detach().numpy() for name in self.forward}, gradients


def used(text: str, run: Run) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", text)) & set(run.values)


def activation(function: str, z: Tensor) -> Tensor:
    if function == "softmax":
        return torch.softmax(z, -1)
    if function in FUNCTIONS:
        return FUNCTIONS[function](z)
    flat = [expression(function, {"z": entry}) for entry in z.reshape(-1)]
    return torch.stack(flat).reshape(z.shape)


def run_layers(spec: dict[str, Any]) -> tuple[float, dict[str, Any], dict[str, Any]]:
    """A spec in layer form: cost (of the gradient given, for ``grad_output``), forward values, gradients."""
    run = Run(spec)
    x = run.give("x", spec["inputs"]["x"], gradient=True)
    batched = x.dim() == 2
    if batched:
        run.samples = len(x)
        run.per_sample.add("x")
    current = x
    for place, layer in enumerate(spec["layers"], start=1):
        kind, options = next(iter(layer.items())) if isinstance(layer, dict) else (layer, {})
        if kind == "equations":
            for text in options:
                current = block(run, text)
            run.values[f"a{place}"] = current
            if batched:
                run.per_sample.add(f"a{place}")
            continue
        suffix = f"_{options['name']}" if "name" in options else str(place)
        if kind == "dense":
            current = dense(run, suffix, options, current, batched)
            kind = options.get("activation", "identity")
        current = run.compute(f"a{suffix}", activation(kind, current), per_sample=batched)
    run.values["yhat"] = current
    if batched:
        run.per_sample.add("yhat")
    if "grad_output" in spec:
        return run.result((current * torch.tensor(spec["grad_output"], dtype=torch.float64)).sum())
    cost = reduced(run, layer_losses(run, current))
    return run.result(cost + penalty(run))


def dense(run: Run, suffix: str, options: dict[str, Any], current: Tensor, batched: bool) -> Tensor:
    if "from" in options:
        current = torch.cat([run.values[name] for name in options["from"]], -1)
    share = options.get("share", [])
    shared = {name[0]: run.values[name] for name in ([share] if isinstance(share, str) else share)}
    W = shared["W"] if "W" in shared else run.parameter(f"W{suffix}", options["weights"])
    if "connections" in options:
        W = W * torch.tensor(options["connections"], dtype=torch.float64)
    z = functional.linear(current, W)
    if "b" in shared:
        z = z + shared["b"]
    elif options["bias"] is not False:
        z = z + run.parameter(f"b{suffix}", options["bias"])
    return run.compute(f"z{suffix}", z, per_sample=batched)


def block(run: Run, text: str) -> Tensor:
    name = re.match(r"\w+", text)[0]
    return run.each_sample(name, lambda values: equation(text, values)[1], used(text, run))


def layer_losses(run: Run, output: Tensor) -> Tensor:
    """The loss of every sample; of the one sample without a batch."""
    loss, y = run.spec["loss"], torch.tensor(run.spec["targets"]["y"], dtype=torch.float64)
    name, options = next(iter(loss.items())) if isinstance(loss, dict) else (loss, {})
    if run.samples is None:
        return one_loss(name, options, output, y, run.values)
    return torch.stack([one_loss(name, options, output[n], y[n], run.sample(n)) for n in range(run.samples)])


def one_loss(name: str, options: dict[str, Any], a: Tensor, y: Tensor, values: dict[str, Tensor]) -> Tensor:
    match name:
        case "mse":
            return functional.mse_loss(a, y)
        case "sse":
            return functional.mse_loss(a, y, reduction="sum")
        case "half_sse":
            return functional.mse_loss(a, y, reduction="sum") / 2
        case "mae":
            return functional.l1_loss(a, y)
        case "huber":
            return functional.huber_loss(a, y, delta=options.get("delta", 1.0))
        case "bce":
            return functional.binary_cross_entropy(a, y)
        case "bce_with_logits":
            return functional.binary_cross_entropy_with_logits(a, y)
        case "cross_entropy":
            return functional.cross_entropy(a, y.long() if y.dim() == 0 else y)
        case "nll":
            return -a[y.long()] if y.dim() == 0 else -(y * a).sum()
        case "hinge":
            return torch.relu(1 - y * a).mean()
    return expression(name, {**values, "y": y})


def reduced(run: Run, losses: Tensor) -> Tensor:
    if run.samples is None:
        return losses
    return losses.sum() if run.spec.get("reduction") == "sum" else losses.mean()


def penalty(run: Run) -> Tensor:
    """Of the parameters named, or of all whose names begin with w or W, which in layer form are the weights."""
    rule = run.spec.get("regularise", {})
    chosen = rule.get("of", [name for name in run.parameters if name[0] in "wW"])
    none = torch.zeros((), dtype=torch.float64)
    squares = sum((run.values[name].square().sum() for name in chosen), none)
    sizes = sum((run.values[name].abs().sum() for name in chosen), none)
    return rule.get("l2", 0.0) / 2 * squares + rule.get("l1", 0.0) * sizes


def run_equations(spec: dict[str, Any]) -> tuple[float, dict[str, Any], dict[str, Any]]:
    """A spec in equation form: cost, forward values, gradients; of the loss quantity only the cost counts."""
    run = Run(spec)
    batched = rank(spec["inputs"]) == 2
    for name, data in spec["inputs"].items():
        run.give(name, data, gradient=True, per_sample=batched)
    for name, data in spec["targets"].items():
        run.give(name, data, gradient=False, per_sample=batched)
    for name, data in spec.get("parameters", {}).items():
        run.parameter(name, data)
    run.samples = len(next(iter(spec["inputs"].values()))) if batched else None
    *texts, last = spec["equations"]
    for text in texts:
        block(run, text)
    name = last.split(" = ")[0]
    losses = block(run, last)
    run.forward.remove(name)
    cost = reduced(run, losses) if name in run.per_sample else losses
    return run.result(cost + penalty(run))


def rank(inputs: dict[str, Any]) -> int:
    return torch.tensor(next(iter(inputs.values()))).dim()
