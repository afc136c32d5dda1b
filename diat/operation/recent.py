"""The last hour of the process's log, in memory: bounded, without secrets, to be read and followed."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType

from msgspec import Struct

from diat.kernel.clock import Clock
from diat.security.logs import cleaned

HOUR = 3_600_000
LINES = 20_000
BYTES = 8 * 1024 * 1024
"""Lines, and characters in all of them, that are kept at most."""
LONGEST = 4_000
"""Characters of one line, its traceback included."""
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


class Line(Struct, frozen=True):
    """A line of the log.

    Attributes:
        no: counts from 1 at each start.
        at: Unix milliseconds.
        level: ``info``, ``warning``, …
        logger: who says it, ``diat.writer``.
        text: what is said, with the traceback if there is one.
    """

    no: int
    at: int
    level: str
    logger: str
    text: str


class Wanted(Struct, frozen=True):
    """Which lines somebody wants.

    Attributes:
        level: at least this one.
        logger: of this logger and those below it.
        text: with this in it, in whatever case.
        since: from this time on, Unix milliseconds.
    """

    level: str = "debug"
    logger: str = ""
    text: str = ""
    since: int = 0

    def fits(self, line: Line) -> bool:
        """Whether a line is one of them."""
        return (
            line.at >= self.since
            and LEVELS.get(line.level, 0) >= LEVELS[self.level]
            and (not self.logger or f"{line.logger}.".startswith(f"{self.logger}."))
            and (not self.text or self.text.lower() in line.text.lower())
        )


class RecentLog(logging.Handler):
    """Keeps what is logged while the context lasts; any thread may read."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._lines: deque[Line] = deque()
        self._size = 0
        self._no = 0
        self._readers: dict[int, Callable[[], None]] = {}
        self._guard = threading.Lock()
        self._plain = logging.Formatter("%(message)s")

    def __enter__(self) -> RecentLog:
        """Begin."""
        logging.getLogger().addHandler(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        logging.getLogger().removeHandler(self)
        self.close()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        try:
            text = cleaned(self._plain.format(record))[:LONGEST]
        except Exception:  # noqa: BLE001 - whoever logs must not fail by it
            self.handleError(record)
            return
        now = self._clock()
        with self._guard:
            self._no += 1
            self._lines.append(Line(self._no, now, record.levelname.lower(), record.name, text))
            self._size += len(text)
            self._forget(now)
            readers = list(self._readers.values())
        for wake in readers:
            wake()

    def newest(self, wanted: Wanted, limit: int, before: int | None = None) -> list[Line]:
        """The newest lines that somebody wants, oldest first; ``before``: with a lower number than this."""
        found: list[Line] = []
        for line in reversed(self._kept()):
            if len(found) == limit:
                break
            if (before is None or line.no < before) and wanted.fits(line):
                found.append(line)
        return found[::-1]

    def behind(self, no: int) -> tuple[list[Line], int]:
        """All lines behind a number, and how many of those are not kept any more."""
        kept = self._kept()
        missed = max(0, kept[0].no - no - 1) if kept else 0
        return [line for line in kept if line.no > no], missed

    @property
    def last(self) -> int:
        """Number of the newest line."""
        return self._no

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have ``wake`` called, in any thread, for each line; the answer ends that."""
        key = id(wake)
        with self._guard:
            self._readers[key] = wake

        def leave() -> None:
            with self._guard:
                self._readers.pop(key, None)

        return leave

    def _kept(self) -> list[Line]:
        with self._guard:
            self._forget(self._clock())
            return list(self._lines)

    def _forget(self, now: int) -> None:
        lines = self._lines
        while lines and (len(lines) > LINES or self._size > BYTES or lines[0].at < now - HOUR):
            self._size -= len(lines.popleft().text)
