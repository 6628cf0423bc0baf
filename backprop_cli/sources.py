"""What the argument SPEC of a command stands for: a file, standard input, or a bundled spec."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from backprop_cli.bundled import SUFFIX, bundled_names, bundled_spec
from backprop_cli.errors import BackpropError, did_you_mean
from backprop_cli.network import Network, load, load_text
from backprop_cli.output import warn
from backprop_cli.spec.limits import TEXT_BYTES
from backprop_cli.spec.reading import content_of
from backprop_cli.symbolic.usage import without_effect
from backprop_cli.translation import tr

STANDARD_INPUT = "-"
MOST_NEIGHBOURS = 1000


def network_of(argument: str) -> Network:
    """The network of SPEC; a file goes before a bundled spec of the same name.

    What has no effect is pointed out on standard error. Raises SpecError for what is wrong with the spec, and
    BackpropError with the nearest name where there is none.
    """
    return pointed_out(_network(argument))


def pointed_out(network: Network) -> Network:
    """The network, after what has no effect in it is pointed out on standard error."""
    for name in without_effect(network.graph):
        cost, output = (
            tr("warning: {name} has no effect on the cost"),
            tr("warning: {name} has no effect on the output"),
        )
        warn((cost if network.graph.cost else output).format(name=name))
    return network


def _network(argument: str) -> Network:
    if argument == STANDARD_INPUT:
        return load_text(_standard_input(), "<stdin>", "network")
    if os.path.exists(argument) and not os.path.isdir(argument):
        return load(Path(argument))
    if argument in bundled_names():
        return load_text(bundled_spec(argument).text, argument, argument)
    if os.path.isdir(argument):
        raise BackpropError(tr("{name} is a folder; expected a YAML file or a bundled spec").format(name=argument))
    message = tr("there is no file and no bundled spec called '{name}'{hint}")
    raise BackpropError(message.format(name=argument, hint=_nearest(argument)))


def content_of_argument(argument: str) -> bytes:
    """The bytes of a file or of standard input. Raises SpecError."""
    return _standard_input() if argument == STANDARD_INPUT else content_of(Path(argument))


def _standard_input() -> bytes:
    if sys.stdin is None:  # closed by the caller (`<&-`)
        return b""
    try:
        return sys.stdin.buffer.read(TEXT_BYTES + 1)
    except OSError as error:
        message = tr("{file}: cannot be read: {reason}")
        raise BackpropError(message.format(file="<stdin>", reason=error.strerror or error)) from None


def _nearest(argument: str) -> str:
    """The nearest of the bundled specs and of the specs in the folder that the argument names."""
    path = Path(argument)
    try:
        neighbours = [str(path.with_name(name)) for name in sorted(os.listdir(path.parent))[:MOST_NEIGHBOURS]]
    except (OSError, ValueError):
        neighbours = []
    specs = [name for name in neighbours if name.endswith((SUFFIX, ".yml"))]
    return did_you_mean(argument, [*specs, *bundled_names()]) or did_you_mean(path.stem, bundled_names())
