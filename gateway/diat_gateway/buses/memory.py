"""What was done already: the outcomes of commands by id, so that none is performed twice."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

KEPT = 10_000
"""Commands whose outcome is remembered."""


class Outcome(Struct, frozen=True, omit_defaults=True):
    """What became of a command, as it goes out on ``results``."""

    id: str
    status: Literal["completed", "failed", "expired", "in-doubt"]
    output: Any = None
    error: str | None = None


_DECODE = msgspec.json.Decoder(Outcome).decode


class Memory:
    """Outcomes in a file; used by one thread.

    Args:
        path: of the file; None remembers as long as the process lives.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self._file.execute("pragma journal_mode = wal")
        self._file.execute(
            "create table if not exists commands (no integer primary key, id text unique, outcome blob)"
        )

    def outcome(self, command: str) -> Outcome | None:
        """What became of a command; ``in-doubt`` if it was begun and we were killed; None if it is new."""
        row = self._file.execute("select outcome from commands where id = ?", (command,)).fetchone()
        if row is None:
            return None
        if row[0] is None:
            return Outcome(command, "in-doubt", error="the gateway stopped while performing it")
        return _DECODE(row[0])

    def begin(self, command: str) -> None:
        """Note, before it is performed, a command that must not be performed twice."""
        self._file.execute("insert or ignore into commands (id) values (?)", (command,))

    def finish(self, outcome: Outcome) -> None:
        """Note what became of it."""
        self._file.execute(
            "insert into commands (id, outcome) values (?, ?)"
            " on conflict (id) do update set outcome = excluded.outcome",
            (outcome.id, msgspec.json.encode(outcome)),
        )
        self._file.execute("delete from commands where no <= (select max(no) from commands) - ?", (KEPT,))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
