"""``python -m backprop_cli`` is the command ``backprop``."""

from __future__ import annotations

from backprop_cli.cli import main

if __name__ == "__main__":
    main()
