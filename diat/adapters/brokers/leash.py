"""Run a command that ends when the process that started it ends: ``python leash.py PARENT-PID COMMAND …``.

It runs as a script in the new child, before the command, and replaces itself by it, so the process id stays.
A function run between fork and exec would do the same, but may deadlock in a parent that has threads.
"""

from __future__ import annotations

import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Ask Linux for SIGTERM at the parent's end, then become the command; elsewhere only the latter."""
    if sys.platform == "linux":
        # Imported here: elsewhere, and in the parent, nobody needs it.
        from ctypes import CDLL

        # SIGTERM rather than SIGKILL: mosquitto writes what it holds to disk on it.
        CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
