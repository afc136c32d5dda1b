"""``python -m diat``."""

from __future__ import annotations

from diat.cli import main

main()
