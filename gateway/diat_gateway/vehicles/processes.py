"""Child processes of a system, and the time that they took."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import httpx

from diat.adapters.brokers import leash
from diat.kernel.errors import DiatError

_GRACE = 15.0


class Failed(DiatError):
    """A part of the system did not do its work; one line for a person."""


class Part:
    """A Python module as a process; it ends with us, whatever becomes of us.

    Attributes:
        tier: ``sensor``, ``aggregator`` or ``cloud``.
        name: for people.
    """

    def __init__(self, tier: str, name: str, arguments: Sequence[str], log: Path) -> None:
        self.tier, self.name, self._log = tier, name, log
        command = [
            sys.executable,
            "-I",
            "-S",
            leash.__file__,
            str(os.getpid()),
            sys.executable,
            "-m",
            *arguments,
        ]
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )

    def running(self) -> bool:
        """Whether it still runs.

        Raises:
            Failed: it ended, and not well.
        """
        code = self._process.poll()
        if code:
            said = self._log.read_text(errors="replace").strip().splitlines()[-4:]
            raise Failed(f"{self.name} ended with code {code}: {' | '.join(said)}")
        return code is None

    def says_ready(self, patience: float = 60.0) -> None:
        """Wait until it prints a line.

        Raises:
            Failed: it does not in time, or ended.
        """
        pipe = self._process.stdout
        if pipe is None or not select.select([pipe], [], [], patience)[0] or not os.read(pipe.fileno(), 100):
            self._process.wait(_GRACE)
            self.running()
            raise Failed(f"{self.name} is not ready after {patience:.0f} s")

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def output(self) -> str:
        """All that it printed, once it has ended."""
        return self._process.communicate()[0].decode()

    def cpu(self) -> float:
        """CPU time that it and what it started have taken, s."""
        return sum(_seconds(pid) for pid in _family(self._process.pid))

    def close(self) -> None:
        """End it in peace, or else at once."""
        self._process.terminate()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.stdout is not None:
            self._process.stdout.close()


def until_ready(part: Part, port: int, patience: float = 60.0) -> None:
    """Wait until REST of a daemon says that it is ready.

    Raises:
        Failed: it does not in time.
    """
    end = time.monotonic() + patience
    while time.monotonic() < end and part.running():
        with suppress(httpx.HTTPError):
            if httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=2.0).status_code == 200:
                return
        time.sleep(0.1)
    raise Failed(f"{part.name} is not ready after {patience:.0f} s")


def _family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for each in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            fields = each.read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(each.parent.name))
    found, waiting = [pid], [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def _seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
