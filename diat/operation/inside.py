"""What runs here: versions, how it was started, and what of that nobody is told."""

from __future__ import annotations

import platform
import re
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import Engine

from diat import __version__

_LIBRARIES = ("duckdb", "fastapi", "nicegui", "paho-mqtt", "pyarrow", "sqlalchemy", "uvicorn")
_NUMBER = re.compile(r"\d+(\.\d+)+\S*")


class Inside(Struct, frozen=True, kw_only=True):
    """What a report of a bug tells of the process.

    Attributes:
        data: the data directory.
        engine: the database.
        started: how it was started: flags and environment.
        broker: which one: ``embedded``, ``mosquitto``, or where that of somebody else is.
        ask_version: what makes our own broker tell its version; empty for somebody else's.
        broker_log: the file in which our own broker logs; None for somebody else's.
        secrets: what is told to nobody.
    """

    data: Path
    engine: Engine
    started: Mapping[str, Any]
    broker: str
    ask_version: tuple[str, ...] = ()
    broker_log: Path | None = None
    secrets: Callable[[], list[str]]

    def versions(self) -> dict[str, Any]:
        """Versions of everything that matters for the report of a bug."""
        with self.engine.connect() as connection:
            schema = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return {
            "platform": __version__,
            "schema": schema,
            "broker": {"kind": self.broker, "version": _told(self.ask_version) if self.ask_version else None},
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "system": platform.platform(),
            "libraries": {name: _installed(name) for name in _LIBRARIES},
        }


@cache
def _told(program: tuple[str, ...]) -> str | None:
    """The version that a program tells of itself."""
    try:
        said = subprocess.run(program, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _NUMBER.search(said.stdout + said.stderr)
    return found[0] if found is not None else None


@cache
def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
