"""Opening the history of a data directory from outside its daemon, which may be running or not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, exc

from diat.adapters.lake.history import Lake, LakeHistory
from diat.adapters.lake.reader import Report
from diat.kernel.errors import SetupError

DATABASE = "diat.db"
LAKE = "lake"
READY = ".restored"
"""Where a backup lies that is to be put in place at the next start."""


class Archive:
    """What a data directory knows of the past; nothing in it is changed.

    Attributes:
        history: reads database and Parquet files.
        numbers: id of each thing to its number.
    """

    def __init__(self, engine: Engine, lake: Lake) -> None:
        self.history = LakeHistory(engine, lake)
        with engine.connect() as connection:
            self.numbers = things(connection)


@contextmanager
def opened(data: Path, report: Report | None = None) -> Iterator[Archive]:
    """Open a data directory to read from.

    Raises:
        SetupError: there is no database in it, or it cannot be read.
    """
    path, engine = existing(data), read_only(data)
    lake = Lake(data / LAKE, report, alone=False)
    try:
        yield Archive(engine, lake)
    except exc.DatabaseError as error:
        raise SetupError(f"cannot read {path}: {error.orig}") from error
    finally:
        lake.close()
        engine.dispose()


def read_only(data: Path) -> Engine:
    """The database of a data directory, to read from.

    Raises:
        SetupError: there is none.
    """
    path = existing(data)
    engine = create_engine("sqlite+pysqlite://", creator=lambda: _connect(path))
    # One transaction for each look, so that database and files are seen in order (LakeHistory).
    event.listen(engine, "begin", _begin)
    return engine


def existing(data: Path) -> Path:
    """The database of a data directory.

    Raises:
        SetupError: there is none, or another one is about to take its place.
    """
    path = data / DATABASE
    if (data / READY).exists():
        raise SetupError(f"a restore in {data} was broken off: diat up goes on with it")
    if not path.is_file():
        raise SetupError(f"there is no {path}: name the data directory of a daemon with --data")
    return path


def things(connection: Connection) -> dict[str, int]:
    """Id of each thing to its number."""
    return {thing: number for thing, number in connection.exec_driver_sql("SELECT id, no FROM things")}  # noqa: C416


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    return sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None, timeout=5.0)


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")
