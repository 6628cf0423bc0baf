"""A verification as plain data: what ``verify --format json`` prints."""

from __future__ import annotations

from math import isfinite, isnan
from typing import Any

from backprop_cli.verification.report import Comparison, Report, Truncation, Worst


def report_as_data(name: str, report: Report) -> dict[str, Any]:
    """The verdict, the oracles, and every comparison with both numbers at the worst entry (positions from 1)."""
    return {
        "name": name,
        "ok": report.ok,
        "oracles": [
            {"oracle": str(w.oracle), "name": w.name, "method": w.method or None, "left_out": w.left_out or None}
            for w in report.witnesses
        ],
        "loss": None if report.cost is None else _comparison(report.cost),
        "gradients": [_comparison(comparison) for comparison in report.comparisons],
        "truncations": [_truncation(truncation) for truncation in report.truncations],
    }


def _truncation(truncation: Truncation) -> dict[str, Any]:
    return {
        "quantity": truncation.quantity,
        "position": list(truncation.position),
        "truncated": _number(truncation.truncated),
        "full": _number(truncation.full),
        "truncated_norm": _number(truncation.truncated_norm),
        "full_norm": _number(truncation.full_norm),
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "quantity": comparison.quantity,
        "oracle": str(comparison.oracle),
        "verdict": str(comparison.verdict),
        "entries": comparison.entries,
        "asked": comparison.asked,
        "checked": comparison.checked,
        "kinks": comparison.kinks,
        "near": [str(kink) for kink in comparison.near],
        "worst": None if comparison.worst is None else _worst(comparison.worst),
        "note": comparison.note or None,
    }


def _worst(worst: Worst) -> dict[str, Any]:
    return {
        "position": list(worst.position),
        "ours": _number(worst.ours),
        "theirs": _number(worst.theirs),
        "difference": _number(worst.difference),
        "relative_difference": _number(worst.relative_difference),
        "allowed": _number(worst.allowed),
    }


def _number(value: float) -> float | str:
    """JSON has no words for what is not finite; the contract's are these."""
    return float(value) if isfinite(value) else "nan" if isnan(value) else "inf" if value > 0 else "-inf"
