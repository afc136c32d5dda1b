"""A node on CPython, a process that ends by SIGKILL at the step that a test says.

``python -m tests.firmware.doing PORT FOLDER WORLD STEP PHASE COUNT``: what it does is a line in the file
``WORLD``, which no memory of its own can undo. It dies at the ``COUNT``-th ``STEP`` (``cut_node.STEPS``),
before it, in its middle or after it; never if ``COUNT`` is 0.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

for _folder in (Path(__file__).parents[2] / "firmware", Path(__file__).parent / "cases"):
    sys.path.insert(0, str(_folder))

from power import Power  # noqa: E402 - where it is was just said

from tests.firmware.cut_node import doer, life  # noqa: E402


def main(port: int, folder: str, world: str, step: str, phase: str, count: int) -> None:
    """Live until the cut."""
    power = Power(count, phase, of=step)
    power.on_cut.append(lambda: os.kill(os.getpid(), signal.SIGKILL))
    # In one write, so that it happened or did not.
    file = os.open(world, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def do(number: int) -> None:
        os.write(file, b"%d\n" % number)

    # As many as may be good at a time: those of a minute.
    life(doer(power, do), power, port, folder, journal=1_000_000).run()


if __name__ == "__main__":
    _, port, folder, world, step, phase, count = sys.argv
    main(int(port), folder, world, step, phase, int(count))
