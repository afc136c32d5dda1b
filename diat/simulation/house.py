"""The whole house: one process for each room, against one broker."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from diat.simulation.rooms import ROOMS

_PATIENCE = 3.0
"""Seconds that a room has to leave in order before it is killed."""


class House:
    """Starts the rooms and ends them; none outlives this object's process.

    Args:
        broker: ``mqtt://host[:port]``; it need not be up yet.
        rooms: which ones, of ``diat.simulation.rooms.ROOMS``.
        seed: the same seed gives the same noise.
        factor: simulated seconds in a second.
        memory: folder where native things remember their commands across a kill.
        log: file that takes what the rooms say; None drops it.
    """

    def __init__(
        self,
        broker: str,
        *,
        rooms: Sequence[str] = tuple(ROOMS),
        seed: int = 1,
        factor: float = 60.0,
        memory: Path | None = None,
        log: Path | None = None,
    ) -> None:
        self._options = ["--broker", broker, "--seed", str(seed), "--factor", str(factor), "--with-parent"]
        if memory is not None:
            self._options += ["--memory", str(memory)]
        self._rooms = tuple(rooms)
        self._log = log
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start every room that is not running; returns at once."""
        for room in self._rooms:
            process = self.processes.get(room)
            if process is not None and process.poll() is None:
                continue
            if process is not None:
                _release(process)
            self.processes[room] = self._launch(room)

    def stop(self) -> None:
        """End all rooms and wait for them; may be called again."""
        for process in self.processes.values():
            _release(process)
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()

    def fallen(self) -> dict[str, int]:
        """Rooms that ended by themselves, with their exit codes."""
        codes = {room: process.poll() for room, process in self.processes.items()}
        return {room: code for room, code in codes.items() if code is not None}

    def _launch(self, room: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "diat.simulation", room, *self._options]
        # Own sessions: Ctrl-C reaches only us, and we end them in order. The pipe is how they see us die.
        if self._log is None:
            return _start(command, subprocess.DEVNULL)
        with self._log.open("ab") as log:
            return _start(command, log.fileno())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()


def _start(command: Sequence[str], output: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True
    )


def _release(process: subprocess.Popen[bytes]) -> None:
    """Let go of the pipe that tells the room that we live."""
    if process.stdin is not None:
        process.stdin.close()
