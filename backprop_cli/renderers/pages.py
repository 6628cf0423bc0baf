"""The formats of whole pages: one module each, all with a function ``page``, imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

from backprop_cli.documents.blocks import Document
from backprop_cli.errors import BackpropError
from backprop_cli.translation import alternatives, tr

PAGES = {
    "html": "html",
    "latex": "latex",
    "markdown": "markdown",
    "notebook": "notebook",
    "pdf": "typst",
}


FRAGMENTS = ("latex",)  # those with a function ``fragment`` too: what stands between a page's head and its end


def page(format: str, document: Document, *, fragment: bool = False) -> str | bytes:
    """The document in one of the formats :data:`PAGES`. Raises BackpropError where a format needs what is missing."""
    if fragment:
        require_fragment(format)
    module = import_module(f"backprop_cli.renderers.{PAGES[format]}")
    rendered: str | bytes = (module.fragment if fragment else module.page)(document)
    return rendered


def require_fragment(format: str) -> None:
    """Raises BackpropError for a format that has no fragment."""
    if format not in FRAGMENTS:
        message = tr("--fragment belongs to --format {formats}, not to {format}")
        raise BackpropError(message.format(formats=alternatives(FRAGMENTS), format=format))
