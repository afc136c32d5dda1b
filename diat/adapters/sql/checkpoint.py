"""Moving what was committed from the write-ahead log into the database file, beside the writer.

Left to SQLite, a checkpoint happens within some commit, and every message of that batch waits for it: tens of
milliseconds. A passive checkpoint on a connection of its own holds nobody up.
"""

from __future__ import annotations

import threading

from sqlalchemy import Engine, exc

EVERY = 1.0
"""Seconds between two checkpoints."""


class Checkpoints:
    """A thread that checkpoints while the context lasts, and once at its end."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="diat-checkpoint")

    def __enter__(self) -> Checkpoints:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(EVERY):
            self._checkpoint()
        self._checkpoint()

    def _checkpoint(self) -> None:
        # A database that is out of order is the writer's to report; the next checkpoint makes up for it.
        try:
            connection = self._engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            finally:
                connection.close()
        except exc.DatabaseError:
            return
        except self._engine.dialect.loaded_dbapi.Error:
            return
