"""The specs that come with the package, by name: they work from a checkout and from an installed wheel alike.

The first sentence of a spec's leading comment is its description. Nothing here reads YAML.
"""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from backprop_cli.errors import BackpropError, did_you_mean
from backprop_cli.translation import tr

SUFFIX = ".yaml"
EXERCISES = "exercises"  # the folder of exercise files beside the specs


class BundledSpec(NamedTuple):
    """One bundled spec: what to call it on the command line, what it shows, and its text."""

    name: str
    description: str
    text: str

    def as_data(self) -> dict[str, str]:
        return {"name": self.name, "description": self.description}


def bundled_names() -> tuple[str, ...]:
    """The names of all bundled specs, in alphabetical order."""
    files = (entry.name for entry in _folder().iterdir())
    return tuple(sorted(name.removesuffix(SUFFIX) for name in files if name.endswith(SUFFIX)))


def bundled_spec(name: str) -> BundledSpec:
    """The bundled spec called ``name``; a BackpropError with the nearest name where there is none."""
    names = bundled_names()
    if name not in names:
        near = did_you_mean(name.removesuffix(SUFFIX), names)
        raise BackpropError(tr("no bundled spec is called '{name}'{hint}").format(name=name, hint=near))
    text = (_folder() / f"{name}{SUFFIX}").read_text(encoding="utf-8")
    return BundledSpec(name, _description(text), text)


def bundled_exercises() -> tuple[str, ...]:
    """The names of the bundled exercise files, in alphabetical order."""
    files = (entry.name for entry in (_folder() / EXERCISES).iterdir())
    return tuple(sorted(name.removesuffix(SUFFIX) for name in files if name.endswith(SUFFIX)))


def bundled_exercise(name: str) -> str:
    """The text of a bundled exercise file."""
    return (_folder() / EXERCISES / f"{name}{SUFFIX}").read_text(encoding="utf-8")


def bundled_specs() -> tuple[BundledSpec, ...]:
    return tuple(bundled_spec(name) for name in bundled_names())


def _folder() -> Traversable:
    """``backprop_cli/specs`` in a wheel; ``specs`` at the top of a checkout."""
    packaged = resources.files("backprop_cli") / "specs"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parent.parent / "specs"


def _description(text: str) -> str:
    comments = (line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#"))
    return next((line for line in comments if line and not line.startswith("yaml-language-server")), "")


def starting_spec(form: str) -> str:
    """The commented spec to start from, in the form ``layers`` or ``equations``."""
    return (resources.files("backprop_cli") / "templates" / f"{form}{SUFFIX}").read_text(encoding="utf-8")
