"""The formats of whole pages: one module each, all with a function ``page``, imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

from backprop_cli.documents.blocks import Document

PAGES = {
    "latex": "latex",
    "markdown": "markdown",
}


def page(format: str, document: Document) -> str | bytes:
    """The document in one of the formats :data:`PAGES`. Raises BackpropError where a format needs what is missing."""
    module = import_module(f"backprop_cli.renderers.{PAGES[format]}")
    rendered: str | bytes = module.page(document)
    return rendered
