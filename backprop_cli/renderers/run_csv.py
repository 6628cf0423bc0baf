"""A run as CSV for spreadsheets: one number a row, at its position, which counts from 1 as everywhere in the tool."""

from __future__ import annotations

import csv
from io import StringIO

import numpy as np

from backprop_cli.numeric.trace import Trace

COLUMNS = ("part", "quantity", "position", "value")


def render(trace: Trace) -> str:
    """Rows such as ``gradients,W1,"1,2",0.25``, in the order of ``run --format json`` and as precise as that.

    ``part`` is ``forward`` for the values and ``gradients`` for dJ/d(quantity); a single number has no position.
    """
    page = StringIO()
    rows = csv.writer(page, lineterminator="\n")
    rows.writerow(COLUMNS)
    for part, quantities in (("forward", trace.forward), ("gradients", trace.gradients)):
        for name, number in quantities.items():
            array = np.asarray(number, dtype=np.float64)
            for position, value in np.ndenumerate(array):
                rows.writerow((part, name, ",".join(str(axis + 1) for axis in position), repr(float(value))))
    return page.getvalue()
