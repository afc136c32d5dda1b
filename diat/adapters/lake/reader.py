"""DuckDB over Parquet files: any thread may ask, nothing outside the lake can be reached.

A file that cannot be read is reported once and left out; the rest is answered.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diat.adapters.lake.catalog import Catalog, Part
from diat.adapters.lake.shapes import SCHEMAS
from diat.kernel.errors import Unavailable
from diat.kernel.lazy import Lazy

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    import pyarrow.parquet as pq
else:
    pa = Lazy("pyarrow")
    pq = Lazy("pyarrow.parquet")
    duckdb = Lazy("duckdb")

_LOG = logging.getLogger("diat.lake")
_MEMORY = "512MB"
_THREADS = 1
"""A question runs in the thread that asks it: most are short, and several at once use several cores."""

Report = Callable[[str], None]
"""Is told, in one line, of a file that cannot be read."""
Row = tuple[Any, ...]


class Vanished(Exception):
    """A file was replaced while it was to be read: what there is must be looked at again."""


class Reader:
    """Answers questions about Parquet files."""

    def __init__(self, catalog: Catalog, report: Report) -> None:
        self._catalog = catalog
        self._report = report
        self._lock = threading.Lock()
        self._duckdb: duckdb.DuckDBPyConnection | None = None

    def close(self) -> None:
        """Give the memory back."""
        with self._lock:
            if self._duckdb is not None:
                self._duckdb.close()
                self._duckdb = None

    def rows(self, question: str, parts: Sequence[Part], parameters: dict[str, Any]) -> list[Row]:
        """All rows of an answer.

        Args:
            question: SQL that reads from ``read_parquet($files)``.
            parts: the files.
            parameters: values of the other parameters.

        Raises:
            Vanished: one of the files is no longer there.
            Unavailable: the answer takes more memory than is allowed.
        """
        if not parts:
            return []
        try:
            with self._cursor() as cursor:
                return cursor.execute(question, {**parameters, "files": _paths(parts)}).fetchall()
        except duckdb.OutOfMemoryException as error:
            raise Unavailable(f"this much history cannot be read at once: {error}") from error
        except duckdb.Error:
            sound = self.sound(parts)
            if len(sound) == len(parts):
                raise
            return self.rows(question, sound, parameters)

    def tables(
        self, question: str, parts: Sequence[Part], parameters: dict[str, Any], size: int
    ) -> Iterator[pa.RecordBatch]:
        """The answer in batches of about ``size`` rows, as they are made.

        Raises:
            duckdb.Error: a file cannot be read; ``sound`` tells which.
        """
        with self._cursor() as cursor:
            cursor.execute(question, {**parameters, "files": _paths(parts)})
            yield from cursor.to_arrow_reader(size)

    def sound(self, parts: Sequence[Part]) -> list[Part]:
        """Those of the files that can be read from end to end; the others are reported and from now left out.

        Raises:
            Vanished: one of them is no longer there.
        """
        good = []
        for part in parts:
            wrong = _fault(part)
            if wrong is None:
                good.append(part)
            elif self._catalog.spoil(part.path):
                text = f"{part.path.relative_to(self._catalog.root)} cannot be read and is left out: {wrong}"
                _LOG.error("%s", text)
                self._report(text)
        return good

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._lock:
            if self._duckdb is None:
                self._duckdb = _open(self._catalog.root)
            cursor = self._duckdb.cursor()
        try:
            yield cursor
        finally:
            cursor.close()


def _open(root: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": _THREADS,
            "memory_limit": _MEMORY,
            # Nothing asked of it needs more than memory; a second process must not write here.
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    # A file does not change once it has its name: what was learnt of it stays true.
    connection.execute("SET parquet_metadata_cache = true")
    connection.execute("SET allowed_directories = ?", [[f"{root}/"]])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _paths(parts: Sequence[Part]) -> list[str]:
    return [str(part.path) for part in parts]


def _fault(part: Part) -> str | None:
    """What is wrong with a file, None if it can be read from end to end."""
    try:
        with pq.ParquetFile(part.path, page_checksum_verification=True) as file:
            expected = SCHEMAS[part.shelf]()
            if not file.schema_arrow.equals(expected):
                return "it has other columns"
            for _ in file.iter_batches(batch_size=65_536):
                pass
    except FileNotFoundError:
        raise Vanished(str(part.path)) from None
    except (pa.ArrowException, OSError) as error:
        return str(error).partition("\n")[0][:200]
    return None
