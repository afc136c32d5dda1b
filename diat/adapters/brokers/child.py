"""A child process that does not outlive us; one that nevertheless did is ended at the next start."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from diat.kernel.errors import SetupError

_LEASH = Path(__file__).with_name("leash.py")
_POLL = 0.01  # s


class Child:
    """A child process that belongs to a directory.

    While it runs, its ``pid`` file there is locked by us, so a second daemon on the same directory is told
    so, and never mistakes our child for one left over.

    Linux binds the end of a child to the *thread* that started it. So each child gets a thread of its own,
    which starts it and then waits for it: it lives exactly as long, whoever called ``start``.

    Args:
        directory: exists and is ours to write in.
        config: a path in the command line, by which a child of an earlier run is known.
        log: where its output goes, appended.
    """

    def __init__(self, directory: Path, config: Path, log: Path) -> None:
        self._pid_file = directory / "pid"
        self._config = config
        self._log = log
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._waiter: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """Its process id, None when it does not run."""
        return self._process.pid if self._process is not None and self.alive() else None

    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def claim(self, grace: float) -> None:
        """Make the directory ours, and end a child that an earlier run left in it.

        Args:
            grace: s between the request to end and the force.

        Raises:
            SetupError: another daemon uses it now.
        """
        if self._lock is not None:
            return
        lock = self._pid_file.open("a+", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise SetupError(
                f"another daemon uses {self._pid_file.parent}: stop it, or choose another with --data"
            ) from None
        self._lock = lock
        lock.seek(0)
        with suppress(ValueError):
            self._end_left_over(int(lock.read()), grace)

    def start(self, command: Sequence[str]) -> None:
        """Start it in the claimed directory.

        Raises:
            SetupError: the program cannot be run.
        """
        assert self._lock is not None, "claim the directory first"
        leashed = [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), *command]
        outcome: list[subprocess.Popen[bytes] | OSError] = []
        started = threading.Event()

        def run() -> None:
            try:
                with self._log.open("ab") as out:
                    # A session of its own: Ctrl-C in the terminal reaches us alone, and we end it in order.
                    process = subprocess.Popen(
                        leashed, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
                    )
            except OSError as error:
                outcome.append(error)
                return
            else:
                outcome.append(process)
            finally:
                started.set()
            process.wait()

        self._waiter = threading.Thread(target=run, name=f"wait for {Path(command[0]).name}", daemon=True)
        self._waiter.start()
        started.wait()
        if isinstance(outcome[0], OSError):
            raise SetupError(f"cannot run {command[0]}: {outcome[0].strerror}")
        self._process = outcome[0]
        self._note(str(self._process.pid))

    def reload(self) -> None:
        """Let it read its files again, if it runs."""
        if self._process is not None and self.alive():
            self._process.send_signal(signal.SIGHUP)

    def end(self, grace: float) -> None:
        """End it: ask, wait ``grace`` seconds, force. The directory is no longer ours afterwards."""
        if self._process is not None and self._waiter is not None:
            self._process.terminate()
            self._waiter.join(grace)
            self._process.kill()
            self._waiter.join()
            self._process = self._waiter = None
        if self._lock is not None:
            self._note("")
            self._lock.close()
            self._lock = None

    def _note(self, pid: str) -> None:
        if self._lock is not None:
            self._lock.truncate(0)
            self._lock.write(pid)
            self._lock.flush()

    def _end_left_over(self, pid: int, grace: float) -> None:
        """End the process if its command line names our config: ids are used again by others."""
        for sign, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, grace)):
            deadline = time.monotonic() + patience
            if not self._is_ours(pid):
                return
            with suppress(ProcessLookupError):
                os.kill(pid, sign)
            while time.monotonic() < deadline and self._is_ours(pid):
                time.sleep(_POLL)

    def _is_ours(self, pid: int) -> bool:
        return str(self._config) in _command_of(pid)


def _command_of(pid: int) -> str:
    """The command line of a process, empty if there is none (or it only waits to be collected)."""
    if Path("/proc/self/cmdline").exists():
        try:
            return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes())
        except OSError:
            return ""
    listed = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout
