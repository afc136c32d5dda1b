"""Runs a node on a computer as ``boot.py`` and ``main.py`` do on a board: the slot in use, again at its end.

``python /path/to/computer.py`` in the folder with ``thing.py`` and ``diat.json``; the slots go there too.
"""

import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PAUSE = 1.0
"""Seconds between an end and the next start."""


def environment(slot):
    """What the node is started with: the slot first, this folder for what it does not have."""
    folders = [slot, os.getcwd(), HERE, os.environ.get("PYTHONPATH", "")]
    return dict(os.environ, PYTHONPATH=os.pathsep.join([each for each in folders if each]))


def main():
    """Run it for ever; SIGTERM ends it and us."""
    sys.path.insert(0, HERE)
    from boot import choose

    node = None

    def end(*_):
        if node is not None:
            node.terminate()
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    while True:
        slot = os.path.abspath(choose("."))
        run = "from diat_node.start import start; start()"
        # -P: what lies in the current folder does not come before the slot.
        node = subprocess.Popen([sys.executable, "-P", "-c", run], env=environment(slot))
        node.wait()
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()
