"""Types for editors and checkers; the chip does not carry them."""

from collections.abc import Mapping
from typing import Any

from .board import Board
from .node import Node

def start(
    config: Mapping[str, Any] | None = None, node: Node | None = None, board: Board | None = None
) -> None: ...
