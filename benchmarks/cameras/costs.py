"""What each level of a camera costs: pictures a second of one core, and memory, each in its own process."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

import cv2
from diat_gateway.cameras import levels
from diat_gateway.cameras.scenes.scene import Scene
from diat_gateway.cameras.seeing.pictures import Frame
from rich.console import Console
from rich.table import Table

SIZES = ((480, 270), (1280, 720))
_SECONDS = 12.0


def report(console: Console) -> None:
    """Measure and print."""
    table = Table(title="What a level costs", title_justify="left")
    for column in ("level", "size", "pictures a second of one core", "memory beyond the bare process, MB"):
        table.add_column(column)
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for size in SIZES:
            for level in levels.LEVELS:
                rate, memory = pool.apply(cost, (level, size))
                table.add_row(level, f"{size[0]} x {size[1]}", f"{rate:.0f}", f"{memory:.0f}")
    console.print(table)


def cost(name: levels.Level, size: tuple[int, int]) -> tuple[float, float]:
    """Pictures a second of CPU, and MB beyond what the libraries and the pictures take."""
    cv2.setNumThreads(1)
    small = list(Scene(1, seconds=_SECONDS, events=3).frames(0))
    level = levels.make(name, 10)
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak of what came before
    before, used = _peak(), 0.0
    for each in small:
        frame = Frame(each.t, cv2.resize(each.image, size, interpolation=cv2.INTER_LINEAR), each.number)
        began = time.process_time()
        level.take(frame)
        used += time.process_time() - began
    level.finish()
    return len(small) / used, _peak() - before


def _peak() -> float:
    """The most memory that this process took, MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024
