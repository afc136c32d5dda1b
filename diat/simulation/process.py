"""One room as a process of its own: ticks until told to stop, or until its parent is gone."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType

from diat.simulation.rooms import Scene

TICK = 0.25
"""Seconds of wall time between two steps of a room."""

_MADE_UP = 5.0
"""Seconds of late ticks that are made up for."""


class Ending:
    """Says when a process shall end: on SIGTERM or SIGINT, or with its parent if it has one."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._parent = 0

    def on_signals(self) -> None:
        """End on SIGTERM and SIGINT."""
        signal.signal(signal.SIGTERM, self._signalled)
        signal.signal(signal.SIGINT, self._signalled)

    def with_parent(self) -> None:
        """End when stdin closes, which happens however the parent ends, or when another process adopts us."""
        self._parent = os.getppid()
        threading.Thread(target=self._watch_stdin, name="stdin", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Whether to end, after at most so many seconds."""
        orphaned = self._parent != 0 and os.getppid() != self._parent
        return orphaned or self._asked.wait(max(0.0, seconds))

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        self._asked.set()

    def _watch_stdin(self) -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        self._asked.set()


def live(scene: Scene, ending: Ending, *, factor: float) -> None:
    """Let the room live: every tick is the same step of simulated time, ``factor`` times as long.

    Ticks that come late are made up for, so simulated time keeps up with the wall's; but not those of a
    longer stop of the whole process, which would come as one burst of reports.
    """
    for node in scene.nodes:
        node.start()
    try:
        due = time.monotonic()
        while not ending.wait(due - time.monotonic()):
            scene.room.step(TICK * factor)
            for node in scene.nodes:
                node.step(due)
            due = max(due + TICK, time.monotonic() - _MADE_UP)
    finally:
        for node in scene.nodes:
            node.stop()
