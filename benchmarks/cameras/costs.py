"""What each level of a camera costs: pictures a second of one core, and memory, each in its own process."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Sequence

import cv2
from diat_gateway.cameras import levels
from diat_gateway.cameras.scenes.scene import Scene
from diat_gateway.cameras.seeing.pictures import Frame
from rich.console import Console
from rich.table import Table

_SECONDS = 12.0


def report(console: Console, frames: Sequence[Frame], fps: float) -> None:
    """Measure and print."""
    del frames, fps
    table = Table(title="What a level costs (480 x 270, one core)", title_justify="left")
    for column in ("level", "pictures a second of a core", "memory above the bare process, MB"):
        table.add_column(column)
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for level in levels.LEVELS:
            rate, memory = pool.apply(cost, (level,))
            table.add_row(level, f"{rate:.0f}", f"{memory:.0f}")
    console.print(table)


def cost(name: levels.Level) -> tuple[float, float]:
    """Pictures a second of CPU, and MB beyond what the pictures and libraries take."""
    cv2.setNumThreads(1)
    frames = list(Scene(1, seconds=_SECONDS, events=3).frames(0))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    level = levels.make(name, 10)
    began = time.process_time()
    for frame in frames:
        level.take(frame)
    level.finish()
    used = time.process_time() - began
    return len(frames) / used, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
