"""Measures one forward and backward pass against hand-written NumPy, autograd, PyTorch and JAX, in one process.

    python -m benchmarks.compare            # prints the table and writes it into benchmarks/README.md
    python -m benchmarks.compare --quick    # fewer rounds, prints only

All contestants of a case take turns of about 2 ms in random order, so a machine that slows down slows all of them;
what is reported is the median of the rounds, and for the ratios the median of the ratios in a round. The time is the
process's own CPU time, all threads together, which other programs on the machine disturb less than they disturb the
clock on the wall (``--wall``). float64, one thread.
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import argparse  # noqa: E402  (the libraries read these variables when they are imported)
import gc  # noqa: E402
import platform  # noqa: E402
import random  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Mapping  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from functools import partial  # noqa: E402
from importlib.metadata import version  # noqa: E402
from pathlib import Path  # noqa: E402
from statistics import median  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
from numpy.lib.introspect import opt_func_info  # noqa: E402

import backprop_cli as bp  # noqa: E402
from benchmarks import by_hand, layered_by_hand, layered_peers, peers  # noqa: E402
from benchmarks.cases import Case, cases  # noqa: E402
from benchmarks.layered import Layered, layered_cases  # noqa: E402

OURS, HAND = "backprop", "NumPy by hand"
README = Path(__file__).with_name("README.md")
Clock = Callable[[], float]
START, END = "<!-- table: written by python -m benchmarks.compare -->\n", "<!-- end of table -->\n"


@dataclass(frozen=True)
class Result:
    """Median microseconds per contestant, and the medians of ours divided by theirs."""

    case: Case | Layered
    times: Mapping[str, float]
    ratios: Mapping[str, float]


def contestants(case: Case | Layered) -> dict[str, Callable[[], Any]]:
    """What takes part, each checked against the hand-written pass first."""
    x, y, parameters = case.arrays()
    if isinstance(case, Case):
        hand, others = by_hand.by_hand(case), {name: partial(make, case) for name, make in peers.PEERS.items()}
    else:
        hand = layered_by_hand.by_hand(case)
        others = {name: partial(make, case) for name, make in layered_peers.PEERS.items()}
    program = bp.load(case.spec()).compile()
    function = program.function
    assert program.arguments[:2] == ("x", "y")
    for ours, theirs in zip(function(x, y, *parameters), hand(x, y, *parameters), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    found: dict[str, Callable[[], Any]] = {
        OURS: lambda: function(x, y, *parameters),
        HAND: lambda: hand(x, y, *parameters),
    }
    for name, make in others.items():
        try:
            found[name] = make()
        except ImportError:
            continue
        np.testing.assert_allclose(float(found[name]()[0].item()), hand(x, y, *parameters)[0], rtol=1e-9)
    return found


def measured(case: Case | Layered, rounds: int, seconds: float, clock: Clock) -> Result:
    """All contestants ``rounds`` times for about ``seconds`` each, in an order drawn anew for every round."""
    passes = contestants(case)
    repeats = {name: _repeats(run, seconds, clock) for name, run in passes.items()}
    taken: dict[str, list[float]] = {name: [] for name in passes}
    order = list(passes)
    shuffle = random.Random(0).shuffle
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            shuffle(order)
            for name in order:
                taken[name].append(_time(passes[name], repeats[name], clock) / repeats[name])
    finally:
        gc.enable()
    ratios = {
        name: median(ours / theirs for ours, theirs in zip(taken[OURS], times, strict=True))
        for name, times in taken.items()
        if name != OURS
    }
    return Result(case, {name: median(times) * 1e6 for name, times in taken.items()}, ratios)


def _time(run: Callable[[], Any], repeats: int, clock: Clock) -> float:
    start = clock()
    for _ in range(repeats):
        run()
    return clock() - start


def _repeats(run: Callable[[], Any], seconds: float, clock: Clock) -> int:
    _time(run, 3, clock)
    repeats = 1
    while (taken := _time(run, repeats, clock)) < seconds / 4:
        repeats *= 2
    return max(1, round(repeats * seconds / taken))


def table(results: list[Result]) -> str:
    """The results as Markdown: microseconds for us, and how many times as long each of the others takes."""
    lines = []
    kind = None
    for result in results:
        case = result.case
        if case.kind != kind:
            kind = case.kind
            names = list(dict.fromkeys(name for each in results if each.case.kind == kind for name in each.ratios))
            lines += ["", f"**{kind}**", "", "| network | size | µs | " + " | ".join(names) + " |"]
            lines.append("| --- | ---: | ---: |" + " ---: |" * len(names))
        ratios = " | ".join(f"{1 / result.ratios[name]:.2f}" if name in result.ratios else "" for name in names)
        lines.append(f"| {case.name} | {case.size} | {result.times[OURS]:.1f} | {ratios} |")
    return "\n".join(lines[1:]) + "\n"


def machine() -> str:
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("numpy", "autograd", "torch", "jax") if _installed(name)
    )
    machine = f"{platform.machine()}, {os.cpu_count()} cores, tanh of NumPy for {_tanh()}"
    return f"Python {platform.python_version()}, {versions}; {machine}.\n"


def _tanh() -> str:
    """The instructions that NumPy's tanh uses here, which decides the large batches of small networks."""
    found = opt_func_info(func_name="^tanh$", signature="float64")["tanh"]
    return str(next(iter(found.values()))["current"])


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except ModuleNotFoundError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer rounds; the README stays as it is")
    parser.add_argument("--only", default="", help="only cases whose kind or network contains this")
    parser.add_argument("--wall", action="store_true", help="measure wall-clock time")
    options = parser.parse_args()
    clock = time.perf_counter if options.wall else time.process_time
    rounds, seconds = (25, 0.002) if options.quick else (150, 0.002)
    chosen = [case for case in (*cases(), *layered_cases()) if options.only in f"{case.kind} {case.name}"]
    results = []
    for case in chosen:
        results.append(measured(case, rounds, seconds, clock))
        print(case.kind, case.name, case.size, {k: round(v, 1) for k, v in results[-1].times.items()}, flush=True)
    text = table(results)
    print(text)
    if not options.quick and not options.only:
        before, rest = README.read_text(encoding="utf-8").split(START)
        after = rest.split(END)[1]
        README.write_text(f"{before}{START}\n{machine()}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
