"""Writing one Parquet file so that it is there as a whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from diat.adapters.lake.catalog import Catalog, Part, Shelf
from diat.adapters.lake.shapes import SCHEMAS, SORTED_BY
from diat.kernel.errors import Unavailable
from diat.kernel.lazy import Lazy

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
else:
    pa = Lazy("pyarrow")
    pq = Lazy("pyarrow.parquet")

LEVEL = 3
"""Of zstd: higher ones cost time and save little."""
GROUP = 100_000
"""Rows of a row group at most: what is read at least of a file that holds what is sought."""

_DICTIONARY = (
    "thing",
    "property",
    "event",
    "boot",
    "quality",
    "value_number",
    "value_text",
    "value_json",
    "data",
)
_DELTA = ("observed", "position", "received", "n", "hour", "newest")


class PartWriter:
    """Writes row groups under a temporary name; ``finish`` gives the file its own.

    Used in a ``with`` block; if that ends before ``finish``, nothing remains.
    """

    def __init__(self, catalog: Catalog, shelf: Shelf, day: int) -> None:
        self._catalog = catalog
        self._shelf: Shelf = shelf
        self._day = day
        self._path = drafts(catalog.root) / f"{shelf}-{day}.parquet"
        self._writer: pq.ParquetWriter | None = None
        self.rows = 0
        """Rows written so far."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()
        self._path.unlink(missing_ok=True)

    def write(self, table: pa.Table) -> None:
        """Add a row group, sorted here."""
        schema, keys = SCHEMAS[self._shelf](), SORTED_BY[self._shelf]
        if self._writer is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            names = set(schema.names)
            self._writer = pq.ParquetWriter(
                self._path,
                schema,
                compression="zstd",
                compression_level=LEVEL,
                use_dictionary=[name for name in _DICTIONARY if name in names],
                column_encoding={name: "DELTA_BINARY_PACKED" for name in _DELTA if name in names},
                sorting_columns=pq.SortingColumn.from_ordering(schema, [(key, "ascending") for key in keys]),
                write_page_checksum=True,
            )
        self._writer.write_table(table.sort_by([(key, "ascending") for key in keys]), row_group_size=GROUP)
        self.rows += table.num_rows

    def finish(self, low: int, high: int) -> Part:
        """Make the file durable under its own name, and known to the catalog.

        Raises:
            Unavailable: what lies on the disk is not what was written.
        """
        writer, self._writer = self._writer, None
        if writer is None:
            raise ValueError("a part needs a row")
        writer.close()
        if pq.read_metadata(self._path).num_rows != self.rows:
            raise Unavailable(f"{self._path} does not hold what was written to it")
        _sync(self._path)
        part = self._catalog.place(self._shelf, self._day, low, high)
        made = [parent for parent in part.path.parents if not parent.exists()]
        part.path.parent.mkdir(parents=True, exist_ok=True)
        for parent in made:
            _sync(parent.parent)
        self._path.replace(part.path)
        _sync(part.path.parent)
        self._catalog.refresh()
        return part


def remove(catalog: Catalog, parts: Iterable[Part]) -> None:
    """Remove files, and their day's directory once it is empty."""
    for part in parts:
        part.path.unlink(missing_ok=True)
        if not any(part.path.parent.iterdir()):
            part.path.parent.rmdir()
    catalog.refresh()


def drafts(root: Path) -> Path:
    """Where files are written before they get their names; on the same file system, so that a rename does."""
    return root / ".drafts"


def clear_drafts(root: Path) -> None:
    """Remove what a crash left unfinished."""
    shutil.rmtree(drafts(root), ignore_errors=True)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
