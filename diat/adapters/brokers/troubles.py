"""What a broker's log says, in sentences for a person: followed, translated, never too much of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

Explain = Callable[[str], str | None]
"""Turns one line of a log into a sentence that names the way out, or None if nobody need know."""

AT_ONCE = 50  # sentences an answer has at most; the others are counted
QUIET = 60.0  # s in which the same sentence is not said again
READ = 1 << 20  # bytes read in one go: a call never takes long
LOG_LIMIT = 4 << 20  # bytes, then the log is moved to ``*.1`` and starts anew
LINE_LIMIT = 1 << 16  # bytes kept of a line whose end has not come
REMEMBERED = 500  # sentences


class Troubles:
    """Follows a log that a child appends to, and keeps it from growing for ever.

    Args:
        log: the file; it need not exist yet.
        explain: how this broker's lines are read.
        now: answers with seconds of a clock that never goes back.
    """

    def __init__(self, log: Path, explain: Explain, now: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._explain = explain
        self._now = now
        self._offset = 0
        self._unended = b""
        self._said: dict[str, tuple[float, int]] = {}

    def new(self) -> list[str]:
        """What was logged since the last call, oldest first; at most ``AT_ONCE`` sentences and one more."""
        found: list[str] = []
        left_out = 0
        for line in self._new_lines():
            sentence = self._explain(line)
            if sentence is None:
                continue
            sentence = self._unless_said(sentence)
            if sentence is None:
                continue
            if len(found) < AT_ONCE:
                found.append(sentence)
            else:
                left_out += 1
        if left_out:
            found.append(f"{left_out} more lines like these were left out, they are in {self._log}")
        return found

    def start_anew(self) -> None:
        """Move the log to ``*.1``: by copying, since the child goes on appending to the same file."""
        self._offset = 0
        self._unended = b""
        if not self._log.exists():
            return
        self._log.with_suffix(self._log.suffix + ".1").write_bytes(self._log.read_bytes()[-LOG_LIMIT:])
        os.truncate(self._log, 0)

    def last_words(self) -> list[str]:
        """The last lines of the log as they stand, for a broker that did not start."""
        try:
            return self._log.read_bytes()[-4096:].decode("utf-8", "replace").splitlines()
        except OSError:
            return []

    def _new_lines(self) -> list[str]:
        try:
            with self._log.open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(min(self._offset, size))
                chunk = log.read(READ)
                self._offset = log.tell()
        except OSError:
            return []
        *lines, self._unended = (self._unended + chunk).split(b"\n")
        self._unended = self._unended[:LINE_LIMIT]
        if self._offset == size and size > LOG_LIMIT:
            self.start_anew()
        return [line.decode("utf-8", "replace") for line in lines]

    def _unless_said(self, sentence: str) -> str | None:
        """The sentence, with how often it came meanwhile; None if it was said a moment ago."""
        now = self._now()
        last, times = self._said.pop(sentence, (float("-inf"), 0))
        recent = now - last < QUIET
        self._said[sentence] = (last, times + 1) if recent else (now, 0)
        if len(self._said) > REMEMBERED:
            del self._said[next(iter(self._said))]
        if recent:
            return None
        return f"{sentence} ({times} more times meanwhile)" if times else sentence
