"""What all tests share: how hypothesis searches, the flag that rewrites golden output, and a steady terminal."""

from __future__ import annotations

import os
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings

# The same examples on every run, so that a failure is a change; `.ci/full` searches further, with fresh examples.
settings.register_profile(
    "steady",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("fresh", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


EVERY = 10


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="write generated files and golden output anew")
    parser.addoption("--everything", action="store_true", help="every bundled spec in every view and format")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the tests that go through every bundled spec in every view and format, a tenth, the same on every run, and
    none of the thorough ones; all of them with ``--everything``, as in `.ci/full`."""
    if config.getoption("--everything"):
        return
    left = [
        item
        for item in items
        if item.get_closest_marker("thorough")
        or (item.get_closest_marker("every_spec") and crc32(item.name.encode()) % EVERY)
    ]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """With BACKPROP_SKIPPED, write the tests that need PyTorch and are skipped without it into that file, so that
    `.ci/run` can run these alone where it is installed."""
    _note_skipped(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """The same for modules that need it as a whole."""
    _note_skipped(report)


def _note_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    path = os.environ.get("BACKPROP_SKIPPED")
    missing = ("could not import 'torch'", "PyTorch is not installed")
    if path and report.skipped and any(reason in str(report.longrepr) for reason in missing):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{report.nodeid}\n")


@pytest.fixture
def rewrite(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--rewrite"))


@pytest.fixture(autouse=True)
def steady_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output is in English and measured for 80 columns without colour, whatever terminal the tests run in."""
    for name in (
        "FORCE_COLOR",
        "CLICOLOR_FORCE",
        "TTY_COMPATIBLE",
        "PYTHONWARNINGS",
        "LANGUAGE",
        "LC_MESSAGES",
        "LC_ALL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
