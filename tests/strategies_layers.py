"""Random layers of the library, alone and stacked, as the data of a spec."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import strategies as st

import backprop_cli as bp

Options = dict[str, Any]

SMALL = st.integers(1, 3)
RANKS = {"conv1d": 2, "max_pool1d": 2, "avg_pool1d": 2, "conv2d": 3, "max_pool2d": 3, "avg_pool2d": 3, "attention": 2}
RANKS |= dict.fromkeys(("rnn", "lstm", "gru"), 2)


@st.composite
def options_of(draw: st.DrawFn, kind: str, shape: tuple[int, ...]) -> Options:
    """Options that fit an input of this shape (of one sample)."""
    lengths = shape[1:]
    both = st.booleans()

    def sizes(most: int, least: int = 1) -> int | list[int]:
        each = [draw(st.integers(least, max(least, min(most, length)))) for length in lengths]
        return each if len(set(each)) > 1 else each[0]

    match kind:
        case "conv1d" | "conv2d":
            found: Options = {"filters": draw(SMALL), "kernel": sizes(3)}
            if draw(both):
                found["stride"] = draw(st.integers(1, 3))
            if draw(both):
                found["padding"] = draw(st.integers(0, 2))
            if draw(both):
                found["activation"] = "tanh"
            if draw(both):
                found["bias"] = False
            elif draw(both):
                found["bias"] = 0.3
            return found
        case "max_pool1d" | "max_pool2d" | "avg_pool1d" | "avg_pool2d":
            return {"size": sizes(3), **({"stride": draw(st.integers(1, 3))} if draw(both) else {})}
        case "layer_norm" | "batch_norm":
            return {"eps": draw(st.sampled_from([1e-5, 0.1]))} if draw(both) else {}
        case "attention":
            heads = [n for n in (1, 2, 3) if shape[-1] % n == 0]
            return {"heads": draw(st.sampled_from(heads)), "causal": draw(both)}
        case "embedding":
            return {"vocabulary": 5, "dim": draw(SMALL)}
        case "rnn" | "lstm" | "gru":
            found = {"units": draw(SMALL)}
            if draw(both):
                found["bias"] = False
            if draw(both):
                found["output"] = "last"
            if kind == "rnn" and draw(both):
                found["activation"] = "relu"
            for state in ("h0", *(("c0",) if kind == "lstm" else ())):
                if draw(both):
                    found[state] = [0.3, -0.7, 0.2][: found["units"]]
            return found
        case "dense":
            return {"units": draw(SMALL)}
    return {}


@st.composite
def stacks(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """A spec of one layer of this kind, with others around it where they fit."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rank = RANKS.get(kind, draw(st.integers(1, 3)) if kind in ("flatten", "dropout", "batch_norm") else 1)
    if kind == "layer_norm":
        rank = draw(st.integers(1, 2))
    shape = tuple(draw(st.integers(2 if kind == "batch_norm" else 1, 6)) for _ in range(rank))
    batched = kind in ("batch_norm", "layer_norm") or draw(st.booleans())
    samples = (draw(st.integers(2, 3)),) if batched else ()
    value = rng.uniform(-1.5, 1.5, (*samples, *shape))
    if kind == "embedding":
        value = rng.integers(0, 5, (*samples, *shape)).astype(float)
    layers: list[Any] = [{kind: draw(options_of(kind, shape))}]
    if kind == "dropout":
        mask = rng.integers(0, 2, (*samples, *shape)) if draw(st.booleans()) else rng.integers(0, 2, shape)
        layers = [{"dropout": {"mask": mask.tolist(), **({"p": 0.25} if draw(st.booleans()) else {})}}]
    if draw(st.booleans()) and kind != "embedding":
        layers.insert(0, "tanh")
    if draw(st.booleans()):
        layers.append("tanh")
    if draw(st.booleans()) and kind != "layer_norm":
        layers += ["flatten", {"dense": {"units": 2}}]
    return {"inputs": {"x": {"value": value.tolist(), "batch": bool(batched)}}, "layers": layers}


def with_random_gradient(spec: dict[str, Any], data: st.DataObject) -> str:
    """The spec as text, with a random gradient of its output."""
    shape = _output_shape(spec)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    return json.dumps({**spec, "grad_output": rng.uniform(-1, 1, shape).tolist()})


def _output_shape(spec: dict[str, Any]) -> tuple[int, ...]:
    """The shape of the last output, as the message about a gradient of another shape tells it."""
    try:
        bp.load(json.dumps({**spec, "grad_output": {"shape": [9, 9, 9, 9, 9, 9]}}))
    except bp.SpecError as error:
        [problem] = error.problems
        return tuple(int(n) for n in _sizes(problem.message))
    raise AssertionError("no output has six axes")


def _sizes(message: str) -> list[str]:
    described = message.rpartition(" is ")[2].removesuffix(", one per sample")
    return [part for part in described.replace("a list of ", "").split(" x ") if part != "a single number"]
