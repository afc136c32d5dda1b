"""History as CSV text and as a Parquet file: one line per reading, in either format the same.

CSV: ``thing,property,observed,received,quality,kind,value``. Times are RFC 3339. Text is written as it is,
any other value as JSON; ``kind`` tells which, so that nothing is lost: number, boolean, string, json, null.
Text that a spreadsheet would take for a formula has an apostrophe before it, which reading takes off again.
Parquet: the same columns, times as timestamps in UTC, the value spread over typed columns (``shapes``).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from diat.adapters.lake.shapes import VALUE, readings, spread
from diat.adapters.sql.figures import Past
from diat.adapters.sql.history import History
from diat.kernel.clock import rfc3339
from diat.kernel.lazy import Lazy

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
else:
    pa = Lazy("pyarrow")
    pq = Lazy("pyarrow.parquet")

PAGE = 5000
"""Readings read at once."""
GROUP = 50_000
"""Readings in a row group of a Parquet file."""
HEADER = ("thing", "property", "observed", "received", "quality", "kind", "value")

KINDS = {int: "number", float: "number", bool: "boolean", str: "string", type(None): "null"}
"""Types of values to what stands in ``kind``; for all others it is ``json``."""

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_encode = msgspec.json.Encoder().encode
Advance = Callable[[int], None]
"""Is told of each further number of readings done."""


@cache
def layout() -> pa.Schema:
    """The columns of an export."""
    return pa.schema(
        [
            ("thing", pa.string()),
            ("property", pa.string()),
            ("observed", pa.timestamp("ms", "UTC")),
            ("received", pa.timestamp("ms", "UTC")),
            ("quality", pa.string()),
            *[(name, readings().field(name).type) for name in VALUE],
        ]
    )


class Pick(Struct, frozen=True):
    """One property of a thing, to be exported.

    Attributes:
        thing: the thing's id.
        number: its number.
        name: the property.
    """

    thing: str
    number: int
    name: str


class Line(Struct, frozen=True):
    """One reading with where it belongs."""

    thing: str
    name: str
    past: Past


def lines(history: History, picks: Iterable[Pick], start: int | None, end: int | None) -> Iterator[Line]:
    """The readings of some properties, one property after the other, each oldest first.

    Args:
        history: where they are.
        picks: which properties.
        start: first time, Unix milliseconds, included; None for all.
        end: last time, excluded; None for all.
    """
    for pick in picks:
        after: tuple[int, int] | None = None
        while True:
            page = history.readings(pick.number, pick.name, start, end, PAGE, after=after)
            for past in page:
                yield Line(pick.thing, pick.name, past)
            if len(page) < PAGE:
                break
            after = (page[-1].observed, page[-1].position)


def csv_text(found: Iterable[Line]) -> Iterator[str]:
    """The lines as CSV with a header, in pieces of many lines."""
    yield _csv([HEADER])
    for some in _portions(found):
        yield _csv(_row(line) for line in some)


def parquet_bytes(found: Iterable[Line]) -> Iterator[bytes]:
    """The lines as a Parquet file, in pieces of many lines as they are made."""
    pipe = _Pipe()
    with pq.ParquetWriter(pipe, layout(), compression="zstd") as writer:
        for some in _portions(found, GROUP):
            writer.write_table(_table(some))
            yield pipe.taken()
    yield pipe.taken()


def write_csv(found: Iterable[Line], file: IO[str], advance: Advance) -> None:
    """Write the lines as CSV."""
    file.write(_csv([HEADER]))
    for some in _portions(found):
        file.write(_csv(_row(line) for line in some))
        advance(len(some))


def write_parquet(found: Iterable[Line], path: Path, advance: Advance) -> None:
    """Write the lines as a Parquet file."""
    with pq.ParquetWriter(path, layout(), compression="zstd") as writer:
        for some in _portions(found, GROUP):
            writer.write_table(_table(some))
            advance(len(some))


class _Pipe(io.RawIOBase):
    """A file that is written from one end to the other, and read meanwhile."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Take some more."""
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """What was written since this was last asked."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to; what is there takes the place of ``path`` if the block ends well."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _portions(found: Iterable[Line], size: int = 1000) -> Iterator[list[Line]]:
    left = iter(found)
    while some := list(islice(left, size)):
        yield some


def _csv(written: Iterable[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(written)
    return text.getvalue()


def _row(line: Line) -> tuple[str, ...]:
    past = line.past
    kind = KINDS.get(type(past.value), "json")
    value = plain(past.value) if kind == "string" else "" if kind == "null" else _encode(past.value).decode()
    return (
        plain(line.thing),
        plain(line.name),
        rfc3339(past.observed),
        rfc3339(past.received),
        past.quality,
        kind,
        value,
    )


def plain(text: str) -> str:
    """A text for a cell, so that no spreadsheet takes it for a formula; ``lines`` undoes it."""
    return f"'{text}" if _FORMULA.match(text) else text


def _table(some: list[Line]) -> pa.Table:
    pasts = [line.past for line in some]
    columns: list[list[Any]] = [
        [line.thing for line in some],
        [line.name for line in some],
        [past.observed for past in pasts],
        [past.received for past in pasts],
        [past.quality for past in pasts],
    ]
    values = [spread(past.value) for past in pasts]
    columns += [[value[at] for value in values] for at in range(len(VALUE))]
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, layout(), strict=True)], schema=layout())
