"""``diat up`` as a child of the demo: started, awaited, ended, and quoted when it fails."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from diat.adapters.brokers import leash
from diat.kernel.errors import SetupError

_PATIENCE = 8.0
"""Seconds that the platform has to stop in order before it is killed."""


class Platform:
    """The platform on this machine's loopback.

    Args:
        http: port of the API.
        mqtt: port of the broker.
        data: folder of its data; what it says goes to ``demo.log`` in it.
    """

    def __init__(self, *, http: int, mqtt: int, data: Path) -> None:
        self.url = f"http://127.0.0.1:{http}"
        self.broker = f"mqtt://127.0.0.1:{mqtt}"
        self._log = data / "demo.log"
        up = [
            sys.executable,
            "-m",
            "diat",
            "up",
            "--http",
            str(http),
            "--mqtt",
            str(mqtt),
            "--data",
            str(data),
        ]
        # On a leash it ends with us even when we are killed and can end nothing any more.
        self._command = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *up]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns at once."""
        # A session of its own: Ctrl-C reaches only us, and whatever it started can be killed with it.
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def wait_ready(self, seconds: float, stop: threading.Event) -> bool:
        """Wait until it is ready; False if ``stop`` came first.

        Raises:
            SetupError: it ended, or was not ready in time; the message holds its last lines.
        """
        deadline = time.monotonic() + seconds
        with httpx.Client(base_url=self.url, timeout=1.0) as client:
            while not stop.wait(0.05):
                self.check()
                if _is_ready(client):
                    return True
                if time.monotonic() > deadline:
                    raise SetupError(f"diat up was not ready after {seconds:.0f} s{self._last_lines()}")
        return False

    def check(self) -> None:
        """Do nothing as long as it runs.

        Raises:
            SetupError: it ended; the message holds its last lines.
        """
        code = None if self._process is None else self._process.poll()
        if code is not None:
            raise SetupError(f"diat up ended with code {code}{self._last_lines()}")

    def stop(self) -> None:
        """End it, and everything it started, and wait for it; may be called again."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with suppress(ProcessLookupError):  # raised in the usual case: nothing is left of it
            os.killpg(process.pid, signal.SIGKILL)

    def _last_lines(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-12:]
        return (
            "; it said nothing"
            if not lines
            else "; its last lines:\n" + "\n".join(f"  {line}" for line in lines)
        )

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


def free_port(preferred: int) -> int:
    """The preferred port if nobody listens there on loopback, else any free one."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SetupError("there is no free port on 127.0.0.1")


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/health/ready").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
