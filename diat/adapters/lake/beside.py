"""A step of the keeper in a process of its own: what it loads, and takes, is given back with it.

DuckDB and Arrow take some 65 MiB from when they are loaded on, which is much beside a gateway. The process
reads the database and writes files; what it wants deleted from the database it asks for, a piece at a time,
and the one writer does it. They speak by lines of JSON. It ends when the daemon does.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from diat.adapters.brokers import leash
from diat.adapters.lake.history import Lake
from diat.adapters.lake.mover import Deleted, Mover, Stopped, Submit, append
from diat.adapters.lake.opening import LAKE, read_only
from diat.adapters.lake.retention import Retention, drop
from diat.kernel.errors import DiatError, Unavailable
from diat.kernel.overlay import Ledger, Log

_LOG = logging.getLogger("diat.lake")


class Orders(Struct, frozen=True):
    """What is to be done: days before one (since 1970) are moved, and what is kept at ``now`` is."""

    data: str
    before: int
    now: int
    retention: Retention


class Said(Struct, omit_defaults=True):
    """What it says: rows to delete by log, a file that cannot be read, a line to log, what was in the way."""

    delete: dict[str, list[Deleted]] = {}
    report: str = ""
    line: tuple[int, str] | None = None
    trouble: str = ""


_said = msgspec.json.Decoder(Said)


class Beside:
    """Runs steps.

    Args:
        lake: the daemon's, which is to see files that come and go.
        logs: what is deleted by which name, within the writer.
        submit: runs a change in the writer, in a transaction of its own.
        stop: once set, a step ends at the next opportunity; ``end`` brings that about.
    """

    def __init__(
        self, lake: Lake, logs: Mapping[str, Log[Deleted]], submit: Submit, stop: threading.Event
    ) -> None:
        self._lake = lake
        self._logs = logs
        self._submit = submit
        self._stop = stop
        self._process: subprocess.Popen[bytes] | None = None

    def end(self) -> None:
        """Let a step that runs end; any thread may call it."""
        process = self._process
        if process is not None:
            process.terminate()

    def step(self, orders: Orders) -> None:
        """Do what is ordered; to be called by a thread that lives as long as that takes.

        Raises:
            Stopped: the daemon stops.
            Unavailable: the database or the disk cannot take it.
        """
        module = [sys.executable, "-m", "diat.adapters.lake.beside"]
        leashed = [sys.executable, "-I", "-S", str(leash.__file__), str(os.getpid()), *module]
        pipe = subprocess.PIPE
        with subprocess.Popen(leashed, stdin=pipe, stdout=pipe, start_new_session=True) as process:
            self._process = process
            try:
                if self._stop.is_set():
                    raise Stopped
                self._hear(process, orders)
            except BrokenPipeError:
                raise Unavailable("what moves old readings has ended early") from None
            finally:
                process.kill()
                self._process = None
                self._lake.catalog.refresh()

    def _hear(self, process: subprocess.Popen[bytes], orders: Orders) -> None:
        asked, told = process.stdin, process.stdout
        if asked is None or told is None:
            return
        _write(asked, msgspec.json.encode(orders))
        for line in told:
            said = _said.decode(line)
            if said.trouble:
                raise Unavailable(said.trouble)
            if said.line is not None:
                _LOG.log(*said.line)
            if said.report:
                self._lake.report(said.report)
            for name, rows in said.delete.items():
                # What holds them is seen before they go.
                self._lake.catalog.refresh()
                self._submit(partial(append, self._logs[name], rows)).result()
                _write(asked, b"")
        code = process.wait()
        if self._stop.is_set():
            raise Stopped
        if code:
            raise Unavailable(f"what moves old readings has ended with {code}")


def _write(to: IO[bytes], line: bytes) -> None:
    to.write(line + b"\n")
    to.flush()


# --- the process ---


class _Asking:
    """Has the daemon delete what a mover wants deleted."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def submit(self, change: Callable[[], None]) -> Future[None]:
        change()
        rows: dict[str, list[Deleted]] = {log.name: list(log.rows) for log in self._ledger.logs()}  # type: ignore[arg-type]
        self._ledger.commit()
        say(Said(delete=rows))
        if not sys.stdin.buffer.readline():
            sys.exit(1)  # nobody is there any more
        done: Future[None] = Future()
        done.set_result(None)
        return done


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(Said(line=(record.levelno, record.getMessage())))


def say(said: Said) -> None:
    """Tell the daemon."""
    _write(sys.stdout.buffer, msgspec.json.encode(said))


def main() -> None:
    """Do what the first line on standard input orders."""
    import duckdb
    import pyarrow as pa

    os.nice(10)
    logging.basicConfig(level=logging.INFO, handlers=[_Lines()])
    orders = msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders)
    data, ledger = Path(orders.data), Ledger()
    try:
        engine = read_only(data)
        lake = Lake(data / LAKE, lambda text: say(Said(report=text)), alone=False)
        Mover(engine, lake, ledger, _Asking(ledger).submit).move(orders.before)
        drop(lake, orders.retention, orders.now)
    except (DiatError, OSError, duckdb.Error, pa.ArrowException) as error:
        say(Said(trouble=str(error) or type(error).__name__))


if __name__ == "__main__":
    main()
