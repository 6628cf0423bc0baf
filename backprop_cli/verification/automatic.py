"""Automatic differentiation by PyTorch or by HIPS autograd, where one of them is installed.

The same naive evaluator runs in their arrays. At a kink both follow the project's conventions: slope 0 at 0 for relu,
abs, sign and heaviside, the left slope for leaky_relu, and of equal largest values the first takes the gradient.
PyTorch's own functions are used where it has them, so its derivatives do not come from our definitions.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from sympy import Expr, N

from backprop_cli.symbolic.graph import Graph
from backprop_cli.verification.arrays import ELEMENTARY, Array, Named, NumPyArrays, elementary, read_inside
from backprop_cli.verification.evaluation import Evaluator, forward, objective

LIBRARIES = {"torch": "PyTorch", "autograd": "HIPS autograd"}  # in order of preference


def is_installed(library: str) -> bool:
    return find_spec(library) is not None


def installed() -> str | None:
    """The library that a verification uses, or None."""
    return next((library for library in LIBRARIES if is_installed(library)), None)


def gradients(graph: Graph, given: Mapping[str, Array], names: Sequence[str], library: str) -> dict[str, Array]:
    """dJ/d(quantity) for each name, as NumPy arrays of float64."""
    return (_by_torch if library == "torch" else _by_autograd)(graph, given, names)


def gradients_of_many(graph: Graph, given: Mapping[str, Array], names: Sequence[str]) -> dict[str, Array]:
    """The same by PyTorch for many sets of numbers at once: every array has one axis more in front, for them."""
    torch = import_module("torch")
    arrays = TorchArrays(torch)

    def cost(numbers: Mapping[str, Array]) -> Array:
        return objective(graph, arrays, forward(graph, Evaluator(arrays), numbers)).array

    numbers = {name: torch.from_numpy(np.array(array, dtype=np.float64)) for name, array in given.items()}
    leaves = [numbers[name].requires_grad_() for name in names]
    try:
        costs = torch.func.vmap(cost)(numbers)
    except RuntimeError:  # where an operation looks at the numbers, as the largest of a window does
        return _one_by_one(graph, given, names, len(next(iter(given.values()))))
    if not costs.requires_grad:
        return {name: np.zeros_like(given[name]) for name in names}
    # torch.func.grad would do it too, but loads PyTorch's compiler first, which takes longer than all the rest
    slopes = torch.autograd.grad(costs.sum(), leaves, allow_unused=True)
    return {
        name: np.zeros_like(given[name]) if slope is None else slope.numpy()
        for name, slope in zip(names, slopes, strict=True)
    }


def _one_by_one(graph: Graph, given: Mapping[str, Array], names: Sequence[str], count: int) -> dict[str, Array]:
    each = [_by_torch(graph, {name: array[n] for name, array in given.items()}, names) for n in range(count)]
    return {name: np.stack([one[name] for one in each]) for name in names}


class TorchArrays:
    """PyTorch tensors of float64."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        functional = torch.nn.functional
        self.functions: Mapping[str, Callable[..., Array]] = {
            **{name: getattr(torch, name) for name in (*ELEMENTARY, "erf", "sigmoid", "relu", "abs", "sign")},
            **{name: getattr(functional, name) for name in ("leaky_relu", "elu", "gelu", "silu")},
            # torch's own softplus is the identity from 20 on, which is right to 2e-9 only
            "softplus": lambda z: torch.logaddexp(z, torch.zeros_like(z)),
        }

    def number(self, value: Expr) -> Array:
        return self.given(float(N(value, 25)))

    def array(self, value: Any) -> Array:
        return value

    def given(self, values: Array) -> Array:
        if isinstance(values, self.torch.Tensor):
            return values
        return self.torch.from_numpy(np.array(values, dtype=np.float64))

    def arranged(self, array: Array, order: Sequence[int], shape: Sequence[int]) -> Array:
        return array.permute(tuple(order)).reshape(tuple(shape))

    def expanded(self, array: Array, shape: Sequence[int]) -> Array:
        return array.expand(tuple(shape))

    def chosen(self, condition: Array, then: Array, otherwise: Array) -> Array:
        return self.torch.where(condition, then, otherwise)

    def power(self, base: Array, exponent: Array) -> Array:
        return base**exponent

    def total(self, array: Array, axis: int) -> Array:
        return array.sum(axis)

    def contracted(self, subscripts: str, factors: Sequence[Array]) -> Array:
        return self.torch.einsum(subscripts, *factors)

    def first_largest(self, array: Array) -> Array:
        return self.given(np.argmax(array.detach().numpy(), -1))

    def stacked(self, several: Sequence[Array], axis: int) -> Array:
        return self.torch.stack(list(several), axis)

    def read(self, array: Array, positions: Sequence[Array]) -> Array:
        inside, found = read_inside(array, positions)
        return found if bool(inside.all()) else self.torch.where(inside, found, 0.0)

    def whole_numbers(self, array: Array) -> Array:
        return array.round().long()

    def as_number(self, array: Array) -> Array:
        return array.to(self.torch.float64)


def _by_torch(graph: Graph, given: Mapping[str, Array], names: Sequence[str]) -> dict[str, Array]:
    arrays = TorchArrays(import_module("torch"))
    probes = {name: arrays.given(np.zeros(graph[name].shape)).requires_grad_() for name in names}
    named = {name: Named(probe, graph[name].indices) for name, probe in probes.items()}
    cost = objective(graph, arrays, forward(graph, Evaluator(arrays), given, named)).array
    if not cost.requires_grad:
        return {name: np.zeros(graph[name].shape) for name in names}
    slopes = arrays.torch.autograd.grad(cost, list(probes.values()), allow_unused=True)
    return {
        name: np.zeros(graph[name].shape) if slope is None else slope.numpy()
        for name, slope in zip(names, slopes, strict=True)
    }


class AutogradArrays(NumPyArrays):
    """HIPS autograd's arrays of float64."""

    kind = np.float64

    def __init__(self, numpy: Any) -> None:
        self.numpy = numpy
        self.functions = {
            **elementary(numpy),
            "abs": numpy.abs,
            "sign": numpy.sign,
            "sigmoid": lambda z: numpy.exp(-numpy.logaddexp(0.0, -z)),
            "softplus": lambda z: numpy.logaddexp(z, 0.0),
        }

    def array(self, value: Any) -> Array:
        return value

    def whole_numbers(self, array: Array) -> Array:
        return super().whole_numbers(import_module("autograd.tracer").getval(array))


def _by_autograd(graph: Graph, given: Mapping[str, Array], names: Sequence[str]) -> dict[str, Array]:
    arrays = AutogradArrays(import_module("autograd.numpy"))

    def cost(probes: Mapping[str, Array]) -> Array:
        named = {name: Named(probes[name], graph[name].indices) for name in names}
        return objective(graph, arrays, forward(graph, Evaluator(arrays), given, named)).array

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where the cost depends on nothing
        slopes = import_module("autograd").grad(cost)({name: np.zeros(graph[name].shape) for name in names})
    return {name: np.asarray(slopes[name]) for name in names}
