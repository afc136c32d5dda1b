"""A node on CPython, a process that ends by SIGKILL at the boundary that a test says.

``python -m tests.firmware.doing PORT FOLDER WORLD CUT``: what it does is a line in the file ``WORLD``, which
no memory of its own can undo. It dies when it crosses a boundary for the ``CUT``-th time, at 0 never.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "firmware"))

from diat_node.board import Board
from diat_node.commands import Commands
from diat_node.journal import Journal
from diat_node.life import Life
from diat_node.mqtt import Client
from diat_node.node import Node
from diat_node.store import Store

_BOUNDARIES = (
    (Life, "_came"),
    (Commands, "_do"),
    (Journal, "begin"),
    (Journal, "finish"),
    (Journal, "_append"),
    (Client, "deliver"),
    (Client, "acknowledge"),
    (Store, "save"),
)
"""What is crossed before and after: with these, everything between a command's coming and its end."""


class Cut:
    """The end of the power at a boundary."""

    def __init__(self, at: int) -> None:
        self._left = at

    def cross(self) -> None:
        """A boundary."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, owner: type, name: str) -> None:
        """Cross one before and one after this."""
        done: Callable[..., Any] = getattr(owner, name)

        def step(*args: Any, **more: Any) -> Any:
            self.cross()
            result = done(*args, **more)
            self.cross()
            return result

        async def step_in_time(*args: Any, **more: Any) -> Any:
            self.cross()
            result = await done(*args, **more)
            self.cross()
            return result

        setattr(owner, name, step_in_time if asyncio.iscoroutinefunction(done) else step)


def main(port: int, folder: str, world: str, cut: int) -> None:
    """Live until the cut."""
    power = Cut(cut)
    for owner, name in _BOUNDARIES:
        power.watch(owner, name)
    state = {"level": 0}
    node = Node("doer", title="Doer")
    # In one write, so that it happened or did not.
    file = os.open(world, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def do(number: int) -> None:
        os.write(file, b"%d\n" % number)

    node.action("do", do, input={"type": "integer"})
    node.action(
        "again",
        lambda number: -number,
        input={"type": "integer"},
        output={"type": "integer"},
        idempotent=True,
    )
    node.property("level", lambda: state["level"], lambda to: state.update(level=to), type="integer", every=1)
    config = {"thing": "doer", "host": "127.0.0.1", "port": port, "folder": folder, "first": 0.05, "cap": 0.5}
    # As many as may be good at a time: those of a minute.
    config["journal"] = 1_000_000
    Life(node, config, Board()).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
