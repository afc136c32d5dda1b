"""Child processes that never outlive us, and the CPU time that a process took."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from diat.adapters.brokers import leash

ROOT = Path(__file__).resolve().parent.parent
"""Children run here, so that they find ``diat`` and ``benchmarks`` whether installed or not."""
_GRACE = 15.0


class BenchmarkFailed(Exception):
    """Something was lost, doubled or did not work: the figures mean nothing. One line for a person."""


class Child:
    """A process of our own, a Python module as a rule, ended on leaving its ``with`` block.

    Args:
        arguments: of the command line, the module first.
        log: where it says what went wrong; its standard output is read by ``line``.
        program: what runs it, with a whole path.
        environment: what it is told besides our own environment.
    """

    def __init__(
        self,
        arguments: list[str],
        log: Path,
        program: Sequence[str] = (sys.executable, "-m"),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._name = " ".join(arguments[:2])
        self._log = log
        command = [*program, *arguments]
        # On a leash it ends with us even when we are killed; in a session of its own Ctrl-C reaches only us.
        leashed = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *command]
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                leashed,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        self._rest = b""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def kill(self) -> None:
        """End it at once, as a power cut would; what it started ends by itself."""
        self._process.kill()
        self._process.wait()

    def check(self) -> None:
        """Do nothing as long as it runs.

        Raises:
            BenchmarkFailed: it ended; the message holds its last lines.
        """
        if self._process.poll() is not None:
            raise BenchmarkFailed(
                f"{self._name} ended with code {self._process.returncode}{self._last_words()}"
            )

    def line(self, patience: float) -> str:
        """The next line that it prints.

        Raises:
            BenchmarkFailed: it ended, or said nothing for ``patience`` seconds.
        """
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        while b"\n" not in self._rest:
            if not select.select([pipe], [], [], patience)[0]:
                raise BenchmarkFailed(f"{self._name} said nothing for {patience:.0f} s{self._last_words()}")
            more = os.read(pipe, 65536)
            if not more:
                self._process.wait(_GRACE)
                self.check()
            self._rest += more
        line, self._rest = self._rest.split(b"\n", 1)
        return line.decode()

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-8:]
        return "".join(f"\n  {line}" for line in lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with suppress(ProcessLookupError):  # the usual case: nothing that it started is left
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.stdout is not None:
            self._process.stdout.close()


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has taken, all its threads together; not a number where /proc is absent."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    """KiB of memory that a process has at present; not a number where /proc is absent."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return float("nan")
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


def busy_seconds() -> float:
    """CPU time that the whole machine has taken, all cores together; not a number where /proc is absent."""
    try:
        fields = Path("/proc/stat").read_text().partition("\n")[0].split()[1:]
    except OSError:
        return float("nan")
    user, nice, system, _idle, _waiting, *interrupts = (int(field) for field in fields[:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")
