"""Two runs build the same graph, whatever the order of Python's sets."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = '''
from backprop_cli.spec.reading import read_text
from backprop_cli.symbolic.assembly import assemble

graph, values = assemble(read_text("""
inputs: {x: [[1, 2], [3, 4]], n: [5, 6]}
targets: {y: [0, 1]}
parameters: {alpha: 2}
layers:
  - dense: {units: 3, from: x, activation: "where(z > 0, z, alpha*z)"}
  - equations:
    - c[s,i] = a1[s,i] - mean(a1[s,i], s) + n[s]
    - d[i] = exp(c[i])/sum(exp(c[i]), i)
  - dense: {units: 2, from: [d, x]}
loss: cross_entropy
regularise: {l2: 1, l1: 1}
"""))
for quantity in graph.quantities:
    print(quantity.name, quantity.indices, quantity.definition, quantity.written)
    print(values.get(quantity.name))
'''


def test_the_graph_does_not_depend_on_the_hash_seed() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(outputs) == 1
