"""Drawing the parameters that have no values.

Every parameter has a stream of random numbers of its own, made from the seed and its name, so a new layer changes none
of the others. The numbers are the same with every version of NumPy and of Python: the bits are the Mersenne Twister's
(Matsumoto and Nishimura 1998), which Python keeps as they are, and nothing of ``numpy.random`` is used (it would also
take 20 ms to import).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod, sqrt
from random import Random
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Scheme(NamedTuple):
    """A distribution of weights: U(-s, s), N(0, s²) or the constant s, where s is ``scale(inputs, units)``.

    ``biases`` says whether biases are drawn in the same way (``inputs`` are the layer's then, too) or are 0.
    """

    distribution: Literal["uniform", "normal", "constant"]
    scale: Callable[[int, int], float]
    source: str
    biases: bool = False


_GLOROT = "Glorot and Bengio 2010; torch.nn.init.xavier_{}_"
_HE = "He et al. 2015; torch.nn.init.kaiming_{}_ for relu"
_LECUN = "LeCun et al. 1998, section 4.6"

_SCHEMES = {
    "uniform": Scheme("uniform", lambda n, m: 1 / sqrt(n), "torch.nn.Linear's default, biases included", biases=True),
    "xavier_uniform": Scheme("uniform", lambda n, m: sqrt(6 / (n + m)), _GLOROT.format("uniform")),
    "xavier_normal": Scheme("normal", lambda n, m: sqrt(2 / (n + m)), _GLOROT.format("normal")),
    "he_uniform": Scheme("uniform", lambda n, m: sqrt(6 / n), _HE.format("uniform")),
    "he_normal": Scheme("normal", lambda n, m: sqrt(2 / n), _HE.format("normal")),
    "lecun_uniform": Scheme("uniform", lambda n, m: sqrt(3 / n), _LECUN),
    "lecun_normal": Scheme("normal", lambda n, m: sqrt(1 / n), _LECUN),
    "normal": Scheme("normal", lambda n, m: 1.0, "torch.nn.init.normal_, for biases too", biases=True),
    "zeros": Scheme("constant", lambda n, m: 0.0, "torch.nn.init.zeros_, for biases too", biases=True),
    "ones": Scheme("constant", lambda n, m: 1.0, "torch.nn.init.ones_, for biases too", biases=True),
}
_ALIASES = {
    "glorot_uniform": "xavier_uniform",
    "glorot_normal": "xavier_normal",
    "kaiming_uniform": "he_uniform",
    "kaiming_normal": "he_normal",
}
SCHEMES: Mapping[str, Scheme] = _SCHEMES | {alias: _SCHEMES[name] for alias, name in _ALIASES.items()}


def draw(
    name: str,
    shape: tuple[int, ...],
    fans: tuple[int, int],
    *,
    seed: int = 0,
    scheme: str = "uniform",
    decimals: int | None = None,
    is_bias: bool = False,
) -> NDArray[np.float64]:
    """The values of the parameter ``name``, rounded to ``decimals`` if given.

    ``fans`` are the numbers of inputs and of units of its layer, for weights and biases alike. With the default scheme
    both weights and biases come from U(-1/sqrt(inputs), 1/sqrt(inputs)), as in torch.nn.Linear.
    """
    chosen = SCHEMES[scheme]
    scale = 0.0 if is_bias and not chosen.biases else chosen.scale(*fans)
    if chosen.distribution == "constant" or scale == 0:
        return np.full(shape, scale)
    places = _places(name, seed, prod(shape))
    if chosen.distribution == "uniform":
        values = scale * (2 * places - 1)
    else:
        quantile = NormalDist().inv_cdf
        values = scale * np.array([quantile(place) for place in places.tolist()])
    if decimals is not None:
        values = np.round(values, decimals) + 0.0  # no -0.0 on a sheet
    return values.reshape(shape)


def uniform(name: str, shape: tuple[int, ...], seed: int) -> NDArray[np.float64]:
    """Numbers between 0 and 1 from the stream of this seed and name."""
    return _places(name, seed, prod(shape)).reshape(shape)


def _places(name: str, seed: int, count: int) -> NDArray[np.float64]:
    """So many numbers strictly between 0 and 1, evenly spread, from the stream of this seed and name."""
    stream = Random(f"{seed} {name}")
    bits = np.frombuffer(stream.randbytes(8 * count), dtype="<u8") >> np.uint64(12)
    return (bits.astype(np.float64) + 0.5) * 2.0**-52
