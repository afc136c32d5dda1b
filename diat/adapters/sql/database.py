"""Opening the database and bringing its schema up to date."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, exc, inspect

from diat.kernel.errors import SetupError

_MIGRATIONS = Path(__file__).with_name("migrations")
_REVISION = re.compile(r'^revision = "(\w+)"$', re.MULTILINE)
_BELOW = re.compile(r'^down_revision = "(\w+)"$', re.MULTILINE)
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    # FULL: what was acknowledged survives a power cut. Batches make it cheap (docs/decisions/0003).
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=5000",
    # Pages (of 4 KiB) of write-ahead log that bound it; before that it is checkpointed beside the writer.
    "PRAGMA wal_autocheckpoint=25000",
)
CACHE = 64_000
"""KiB of the database that a connection keeps in memory."""


def open_database(path: Path, cache: int = CACHE) -> Engine:
    """Open an SQLite database, made if it is not there, with the newest schema.

    Args:
        path: of its file.
        cache: KiB of it that each connection keeps in memory at most.

    Raises:
        SetupError: it cannot be opened, or was written by a newer version of this program.
    """
    engine = create_engine(f"sqlite+pysqlite:///{path}", connect_args={"check_same_thread": False})
    event.listen(engine, "connect", partial(_prepare, cache))
    event.listen(engine, "begin", _begin)
    try:
        _migrate(engine)
    except exc.DatabaseError as error:
        engine.dispose()
        raise SetupError(f"cannot open the database {path}: {error.orig}") from error
    return engine


def _prepare(cache: int, connection: Any, record: object) -> None:
    # Python's driver would begin and commit by its own rules; SQLAlchemy's are the ones we follow.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.execute(f"PRAGMA cache_size=-{cache}")
    cursor.close()


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")


def _is_newest(engine: Engine) -> bool:
    """Whether the schema is that of the migration that no other builds on."""
    said = [path.read_text("utf-8") for path in (_MIGRATIONS / "versions").glob("[0-9]*.py")]
    below = {found[1] for text in said if (found := _BELOW.search(text))}
    newest = [found[1] for text in said if (found := _REVISION.search(text)) and found[1] not in below]
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == newest


def _migrate(engine: Engine) -> None:
    if _is_newest(engine):
        return
    # Loaded only where there is something to do: it takes 10 MiB.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise SetupError(f"the database was written by a newer version: {error}") from error
