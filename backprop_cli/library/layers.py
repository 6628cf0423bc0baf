"""The layers by name, as equations in the users' own language, with the parameters they have.

The equations speak of one input ``x``; axes in front of those that are written (the sample, the step of a sequence) are
carried along unchanged. Conventions as in PyTorch: weights are units x inputs, convolutions are cross-correlations. A
further layer is one more entry here and its options in the spec.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from backprop_cli.library.functions import IDENTITY, SOFTMAX
from backprop_cli.translation import Sentences, marked, tr


class ParameterEntry(NamedTuple):
    """One parameter of a layer: its letter, what it is called in messages, and its shape in the layer's own sizes.

    ``noun`` is a marked message, as are the meanings of a layer's quantities.
    ``start`` is the number it starts with where none are given; without one its numbers are drawn.
    """

    letter: str
    noun: str
    shape: tuple[str, ...]
    penalised: bool
    start: float | None = None


class LayerError(Exception):
    """Why a layer cannot take its input: the text of the message."""


@dataclass(frozen=True)
class Written:
    """A layer for one shape of its input: sizes by name, equations in order, and the ranges of indices that no shape
    tells. ``inputs`` are how many numbers one unit takes, which decides how weights are drawn."""

    sizes: Mapping[str, int]
    equations: tuple[str, ...]
    ranges: Mapping[str, int] = field(default_factory=dict)
    inputs: int = 1


Options = Mapping[str, Any]
Write = Callable[[Options, tuple[int, ...]], Written]


@dataclass(frozen=True)
class LayerEntry:
    """One layer: its parameters by letter, and what its equations define, by letter, the output last.

    ``takes`` names the axes of its input; without names it takes any shape. ``carries`` says that axes in front of
    those are carried along. ``write`` gives the equations from the options and the shape of the input's own axes.
    """

    name: str
    parameters: Mapping[str, ParameterEntry]
    quantities: Mapping[str, str] = field(default_factory=dict)
    takes: tuple[str, ...] = ()
    carries: bool = False
    write: Write | None = None
    sums: str = ""  # the letter of a weighted sum, to which the layer's activation is applied
    makes_sequence: bool = False
    mixes_samples: bool = False
    sample: int | None = None  # how many axes one sample has, where the layer decides it

    @property
    def output(self) -> str:
        return tuple(self.quantities)[-1]


DENSE = LayerEntry(
    "dense",
    {
        "W": ParameterEntry("W", marked("the weights"), ("units", "inputs"), penalised=True),
        "b": ParameterEntry("b", marked("the biases"), ("units",), penalised=False),
    },
    sample=1,
)


def dense_equation(offsets: Sequence[int] = (0,), *, masked: bool = False, bias: str = "b[i]") -> str:
    """``z[i] = sum(W[i,j]*x[j], j) + b[i]``.

    Several inputs ``x1``, ``x2`` ... are one long vector, of which each begins after its offset. ``masked`` weights are
    multiplied by ``mask``; ``bias`` is ``b[i]``, one ``b`` for all units, or empty.
    """
    terms = []
    for number, offset in enumerate(offsets, start=1):
        column = f"j+{offset}" if offset else "j"
        weight = f"mask[i,{column}]*W[i,{column}]" if masked else f"W[i,{column}]"
        terms.append(f"sum({weight}*{'x' if len(offsets) == 1 else f'x{number}'}[j], j)")
    return f"z[i] = {' + '.join([*terms, bias] if bias else terms)}"


def activation_equation(name: str) -> str:
    """The equation of an activation: of one number, carried along every axis, or over the last axis (softmax)."""
    if name == SOFTMAX.name:
        return SOFTMAX.equation
    return "a = z" if name == IDENTITY else f"a = {name}(z)"


ACTIVATION = "activation"  # stands for the activation that a layer is given
RESIDUAL = "a = f + x"  # the output of the layers inside, and their input


def window(stride: int, padding: int, place: str, inside: str) -> str:
    """The position that entry ``inside`` of the window at ``place`` reads: ``2*(p-1)+k-1`` with stride 2, padding 1."""
    if stride == 1:
        return f"{place}+{inside}-{1 + padding}"
    return f"{stride}*({place}-1)+{inside}{f'-{padding}' if padding else ''}"


_ROOM = Sentences(
    {
        "length": marked("a length of {number}"),
        "height": marked("a height of {number}"),
        "width": marked("a width of {number}"),
    }
)


def _windows(length: int, kernel: int, stride: int, padding: int, axis: str) -> int:
    """How many places a window has along an axis."""
    places = (length + 2 * padding - kernel) // stride + 1
    if places < 1:
        message = tr("a window of {size} does not fit into {room}")
        if padding:
            message = tr("a window of {size} does not fit into {room} with a padding of {padding}")
        raise LayerError(message.format(size=kernel, room=_ROOM[axis].format(number=length), padding=padding))
    return places


def _convolution(options: Options, shape: tuple[int, ...]) -> Written:
    channels, *lengths = shape
    axes = ("length",) if len(lengths) == 1 else ("height", "width")
    places, insides = ("p", "q")[: len(lengths)], ("k", "l")[: len(lengths)]
    each = list(zip(options["kernel"], options["stride"], options["padding"], strict=True))
    ranges = {
        place: _windows(length, *one, axis)
        for place, length, one, axis in zip(places, lengths, each, axes, strict=True)
    }
    reads = ",".join(window(s, pad, p, k) for p, k, (_, s, pad) in zip(places, insides, each, strict=True))
    bias = " + b[c]" if options["bias"] else ""
    summed = f"sum(W[c,d,{','.join(insides)}]*x[d,{reads}], d, {', '.join(insides)})"
    sizes = {"filters": options["filters"], "channels": channels}
    sizes |= dict(zip(("kernel", "kernel'"), options["kernel"], strict=False))
    inputs = channels
    for size in options["kernel"]:
        inputs *= size
    return Written(sizes, (f"z[c,{','.join(places)}] = {summed}{bias}",), ranges, inputs)


def _pool(operation: str) -> Write:
    def write(options: Options, shape: tuple[int, ...]) -> Written:
        lengths = shape[1:]
        axes = ("length",) if len(lengths) == 1 else ("height", "width")
        places, insides = ("p", "q")[: len(lengths)], ("k", "l")[: len(lengths)]
        each = list(zip(options["size"], options["stride"], strict=True))
        ranges = dict(zip(insides, options["size"], strict=True))
        for place, length, (size, stride), axis in zip(places, lengths, each, axes, strict=True):
            ranges[place] = _windows(length, size, stride, 0, axis)
        reads = ",".join(window(s, 0, p, k) for p, k, (_, s) in zip(places, insides, each, strict=True))
        equation = f"a[c,{','.join(places)}] = {operation}(x[c,{reads}], {', '.join(insides)})"
        return Written({}, (equation,), ranges)

    return write


def _normalised(options: Options, mean: str, here: str, left: str) -> tuple[str, ...]:
    """Mean, biased variance, the normalised input and the output; ``mean`` are the indices that are averaged over,
    ``here`` those of x, ``left`` those of the mean."""
    of, at = f"[{here}]" if here else "", f"[{left}]" if left else ""
    return (
        f"mu{at} = mean(x{of}, {mean})",
        f"var{at} = mean((x{of} - mu{at})**2, {mean})",
        f"xhat{of} = (x{of} - mu{at})/sqrt(var{at} + {options['eps']!r})",
    )


def _layer_norm(options: Options, shape: tuple[int, ...]) -> Written:
    equations = (*_normalised(options, "i", "i", ""), "a[i] = gamma[i]*xhat[i] + beta[i]")
    return Written({"features": shape[-1]}, equations)


def _batch_norm(options: Options, shape: tuple[int, ...]) -> Written:
    if options["steps"]:  # of a sequence each feature is averaged over samples and steps
        rest, features, here = "t", shape[-1], "n,t,i"
    else:
        rest, features = ",".join(("p", "q")[: len(shape) - 1]), shape[0]
        here = ",".join(filter(None, ("n", "i", rest)))
    mean = ", ".join(["n", *filter(None, rest.split(","))])
    equations = (*_normalised(options, mean, here, "i"), f"a[{here}] = gamma[i]*xhat[{here}] + beta[i]")
    return Written({"features": features}, equations)


def _dropout(options: Options, shape: tuple[int, ...]) -> Written:
    own = ("i", "j", "k", "l", "m", "p", "q")[: len(shape)]
    at = f"[{','.join(own)}]" if own else ""
    keep = options["keep"]
    return Written({}, (f"a{at} = mask{at}*x{at}{'' if keep == 1 else f'/{keep!r}'}",))


def _embedding(options: Options, shape: tuple[int, ...]) -> Written:
    return Written({"vocabulary": options["vocabulary"], "dim": options["dim"]}, ("a[i] = W[x+1,i]",))


def _attention(options: Options, shape: tuple[int, ...]) -> Written:
    _, width = shape
    heads = options["heads"]
    if width % heads:
        message = tr("{heads} heads do not divide vectors of {number} numbers evenly")
        raise LayerError(message.format(heads=heads, number=width))
    size = width // heads
    head, row = ("h,", f"{size}*(h-1)+i") if heads > 1 else ("", "i")
    score = "exp(s[{}t,{}])" if not options["causal"] else "where({1} <= t, exp(s[{0}t,{1}]), 0)"
    joined = "h, i" if heads > 1 else "i"
    equations = (
        *(f"{letter}[{head}t,i] = sum(W_{letter}[{row},j]*x[t,j], j)" for letter in ("q", "k", "v")),
        f"s[{head}t,u] = sum(q[{head}t,i]*k[{head}u,i], i)/sqrt({size})",
        f"p[{head}t,u] = {score.format(head, 'u')}/sum({score.format(head, 'w')}, w)",
        f"c[{head}t,i] = sum(p[{head}t,u]*v[{head}u,i], u)",
        f"a[t,o] = sum(W_o[o,{row}]*c[{head}t,i], {joined})",
    )
    ranges = {"h": heads, "i": size} if heads > 1 else {}
    return Written({"outputs": width, "inputs": width}, equations, ranges, width)


def _recurrent(equations: Callable[[Mapping[str, str]], tuple[str, ...]]) -> Write:
    """A layer over steps x features, each gate a function of this step's input and of the state before."""

    def write(options: Options, shape: tuple[int, ...]) -> Written:
        biased = options["bias"]

        def gate(x: str, h: str, bias: str) -> str:
            terms = f"sum(W_{x}[i,j]*x[t,j], j) + sum(W_{h}[i,k]*h[t-1,k], k)"
            return f"{terms} + b_{bias}[i]" if biased else terms

        gates = {name: gate(f"x{name}", f"h{name}", name) for name in ("i", "f", "o", "g", "r", "z")}
        gates["h"] = gate("xh", "hh", "h")
        gates["n"] = f"sum(W_xn[i,j]*x[t,j], j){' + b_xn[i]' if biased else ''}"
        gates["hn"] = f"sum(W_hn[i,k]*h[t-1,k], k){' + b_hn[i]' if biased else ''}"
        last = (f"a[i] = h[{shape[0]},i]",) if options["last"] else ()
        sizes = {"units": options["units"], "features": shape[1], "states": options["units"]}
        return Written(sizes, (*equations(gates), *last), {}, options["units"])

    return write


def _rnn(gates: Mapping[str, str]) -> tuple[str, ...]:
    return f"z[t,i] = {gates['h']}", f"h[t,i] = {ACTIVATION}(z[t,i])"


def _lstm(gates: Mapping[str, str]) -> tuple[str, ...]:
    return (
        *(f"{gate}[t,i] = sigmoid({gates[gate]})" for gate in ("i", "f", "o")),
        f"g[t,i] = tanh({gates['g']})",
        "c[t,i] = f[t,i]*c[t-1,i] + i[t,i]*g[t,i]",
        "h[t,i] = o[t,i]*tanh(c[t,i])",
    )


def _gru(gates: Mapping[str, str]) -> tuple[str, ...]:
    return (
        *(f"{gate}[t,i] = sigmoid({gates[gate]})" for gate in ("r", "z")),
        f"n[t,i] = tanh({gates['n']} + r[t,i]*({gates['hn']}))",
        "h[t,i] = (1 - z[t,i])*n[t,i] + z[t,i]*h[t-1,i]",
    )


def _flatten(options: Options, shape: tuple[int, ...]) -> Written:
    return Written({}, ("a = flatten(x)",))


_ACTIVATED = {"z": marked("the weighted sums"), "a": marked("the output")}
_SCALED = {
    "gamma": ParameterEntry("gamma", marked("the scales"), ("features",), penalised=False, start=1.0),
    "beta": ParameterEntry("beta", marked("the shifts"), ("features",), penalised=False, start=0.0),
}
_MOMENTS = {
    "mu": marked("the means"),
    "var": marked("the variances"),
    "xhat": marked("the normalised input"),
    "a": marked("the output"),
}
_OUTPUT = {"a": marked("the output")}


def _convolution_entry(name: str, takes: tuple[str, ...], kernel: tuple[str, ...]) -> LayerEntry:
    parameters = {
        "W": ParameterEntry("W", marked("the kernels"), ("filters", "channels", *kernel), penalised=True),
        "b": ParameterEntry("b", marked("the biases"), ("filters",), penalised=False),
    }
    return LayerEntry(name, parameters, _ACTIVATED, takes, write=_convolution, sums="z", sample=len(takes))


_LINE, _PLANE = ("channels", "length"), ("channels", "height", "width")
_PROJECTIONS = {
    f"W_{letter}": ParameterEntry(f"W_{letter}", noun, ("outputs", "inputs"), penalised=True)
    for letter, noun in (
        ("q", marked("the weights of the queries")),
        ("k", marked("the weights of the keys")),
        ("v", marked("the weights of the values")),
        ("o", marked("the weights of the output")),
    )
}
_ATTENTION = {
    "q": marked("the queries"),
    "k": marked("the keys"),
    "v": marked("the values"),
    "s": marked("the scores"),
    "p": marked("the attention weights"),
    "c": marked("the weighted values"),
    "a": marked("the output"),
}
_VECTORS = {"W": ParameterEntry("W", marked("the vectors"), ("vocabulary", "dim"), penalised=True)}


def _gates(*names: str, biases: Sequence[str] = ()) -> dict[str, ParameterEntry]:
    """The parameters of gates: weights of the input and of the state before, and biases."""
    found = {}
    for name in names:
        for letter, noun, size in (
            ("x", marked("the weights of the input"), "features"),
            ("h", marked("the weights of the state"), "states"),
        ):
            parameter = f"W_{letter}{name}"
            found[parameter] = ParameterEntry(parameter, noun, ("units", size), penalised=True)
    for bias in biases or names:
        found[f"b_{bias}"] = ParameterEntry(f"b_{bias}", marked("the biases"), ("units",), penalised=False)
    return found


def _recurrent_entry(
    name: str,
    parameters: Mapping[str, ParameterEntry],
    quantities: Mapping[str, str],
    equations: Callable[[Mapping[str, str]], tuple[str, ...]],
    sums: str = "",
) -> LayerEntry:
    states = {"h": marked("the states"), "a": marked("the output")}
    return LayerEntry(
        name,
        parameters,
        {**quantities, **states},
        ("steps", "features"),
        write=_recurrent(equations),
        sums=sums,
        makes_sequence=True,
        sample=2,
    )


_LSTM = {
    "i": marked("the input gates"),
    "f": marked("the forget gates"),
    "o": marked("the output gates"),
    "g": marked("the candidates"),
    "c": marked("the cells"),
}
_GRU = {"r": marked("the reset gates"), "z": marked("the update gates"), "n": marked("the candidates")}

LAYERS: Mapping[str, LayerEntry] = {
    entry.name: entry
    for entry in (
        LayerEntry("flatten", {}, _OUTPUT, write=_flatten),
        _convolution_entry("conv1d", _LINE, ("kernel",)),
        _convolution_entry("conv2d", _PLANE, ("kernel", "kernel'")),
        LayerEntry("max_pool1d", {}, _OUTPUT, _LINE, write=_pool("max"), sample=2),
        LayerEntry("max_pool2d", {}, _OUTPUT, _PLANE, write=_pool("max"), sample=3),
        LayerEntry("avg_pool1d", {}, _OUTPUT, _LINE, write=_pool("mean"), sample=2),
        LayerEntry("avg_pool2d", {}, _OUTPUT, _PLANE, write=_pool("mean"), sample=3),
        LayerEntry("layer_norm", _SCALED, _MOMENTS, ("features",), carries=True, write=_layer_norm),
        LayerEntry("batch_norm", _SCALED, _MOMENTS, write=_batch_norm, mixes_samples=True),
        LayerEntry("dropout", {}, {"mask": marked("the mask"), "a": marked("the output")}, write=_dropout),
        LayerEntry("embedding", _VECTORS, _OUTPUT, carries=True, write=_embedding, makes_sequence=True, sample=1),
        LayerEntry(
            "attention",
            _PROJECTIONS,
            _ATTENTION,
            ("steps", "features"),
            write=_attention,
            makes_sequence=True,
            sample=2,
        ),
        _recurrent_entry("rnn", _gates("h"), {"z": marked("the weighted sums")}, _rnn, sums="z"),
        _recurrent_entry("lstm", _gates("i", "f", "o", "g"), _LSTM, _lstm),
        _recurrent_entry("gru", _gates("r", "z", "n", biases=("r", "z", "xn", "hn")), _GRU, _gru),
    )
}
PARAMETERS: Mapping[str, ParameterEntry] = {
    letter: parameter for entry in (DENSE, *LAYERS.values()) for letter, parameter in entry.parameters.items()
}
