"""Libraries that are loaded when they are first used: those that take memory and may not be needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Lazy:
    """Stands for a module until something of it is asked for; any thread may ask.

    Args:
        name: of the module, with those that it lies in.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        """Whatever the module has by this name."""
        return getattr(import_module(self._name), attribute)
