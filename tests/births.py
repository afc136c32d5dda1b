"""Processes of ``diat`` that are born from one which has imported it already.

To import the platform takes two seconds of a core, and the suite starts it some hundred times. What is
born here is a process as any other, with its own session, environment and output; it was forked instead of
started.
How the real command starts is seen by tests/system/test_demo.py and tests/security/things/test_lan.py.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_KNOWN = ("diat.cli.up", "diat.daemon", "diat.api.app", "diat_gateway.cli", "diat_gateway.running")
_LARGEST = 1 << 20


class Born:
    """A process; what ``subprocess.Popen`` offers of it.

    Args:
        arguments: what follows ``diat`` on the command line.
        log: the file that its output is added to.
        env: its environment; None for ours.
    """

    def __init__(self, arguments: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        said = {"arguments": [*map(str, arguments)], "env": dict(os.environ if env is None else env)}
        self._line, theirs = socket.socketpair()
        with log.open("ab") as output, theirs:
            there = [theirs.fileno(), output.fileno()]
            socket.send_fds(_mother(), [json.dumps(said).encode()], there)
        self.pid = int(self._line.recv(16))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """How it ended, as ``Popen`` says it; None while it lives."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """The same, once it has ended.

        Raises:
            TimeoutExpired: it lives on after so many seconds.
        """
        if self._ended(timeout) is None:
            raise subprocess.TimeoutExpired("diat", timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        """SIGKILL."""
        self._signal(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM."""
        self._signal(signal.SIGTERM)

    def _signal(self, what: signal.Signals) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, what)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._line], [], [], timeout)[0]:
            self.returncode = int(self._line.recv(16))
            self._line.close()
        return self.returncode


@functools.cache
def _mother() -> socket.socket:
    """The line to the process that forks, which ends with ours."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "tests.births", str(theirs.fileno())]
    with theirs:
        process = subprocess.Popen(command, cwd=Path(__file__).parents[1], pass_fds=[theirs.fileno()])

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _next(line: socket.socket) -> list[str]:
    """What the next one is to do, in the process that is to do it."""
    children: dict[int, tuple[int, int]] = {}
    while True:
        waiting: list[socket.socket | int] = [line, *children]
        for ready in select.select(waiting, [], [])[0]:
            if isinstance(ready, int):
                pid, told = children.pop(ready)
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                with contextlib.suppress(BrokenPipeError):
                    os.write(told, str(code).encode())
                os.close(told)
                os.close(ready)
                continue
            said, given, _, _ = socket.recv_fds(line, _LARGEST, 2)
            if not said:
                raise SystemExit
            told, output = given
            pid = os.fork()
            if pid == 0:
                line.close()
                for handle in (told, *children, *(each for _, each in children.values())):
                    os.close(handle)
                return _settle(json.loads(said), output)
            os.close(output)
            os.write(told, str(pid).encode())
            children[os.pidfd_open(pid)] = pid, told


def _settle(said: dict[str, object], output: int) -> list[str]:
    """Become as one that was started by itself."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for handle, place in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(handle, place)
    os.close(nothing)
    os.close(output)
    # Somebody reads the log while it is written.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.clear()
    os.environ.update(said["env"])  # type: ignore[call-overload]
    return said["arguments"]  # type: ignore[return-value]


def main() -> None:
    """Know everything, fork whenever told, and be what was forked."""
    line = socket.socket(fileno=int(sys.argv[1]))
    for name in _KNOWN:
        importlib.import_module(name)
    assert len([*Path("/proc/self/task").iterdir()]) == 1, "a thread would be lost in a fork"
    sys.argv = ["diat", *_next(line)]
    runpy.run_module("diat", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
