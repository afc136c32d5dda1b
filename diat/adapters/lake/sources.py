"""The tables that are moved: how their old rows are found, read in order, and laid out in columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from diat.adapters.lake.catalog import Shelf
from diat.adapters.lake.shapes import VALUE, Columns, events, readings, spread
from diat.adapters.sql.hot import DAY
from diat.kernel.lazy import Lazy

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = Lazy("pyarrow")

_decode = msgspec.json.Decoder(dict[str, Any]).decode

Row = Sequence[Any]
"""thing, observed, position, and what else the source's columns say."""

# From one row of the index (thing, observed) to the first of the next day, or of the next thing once the
# days are not old any more: as many steps as there are things and old days, however many rows there are.
_OLD_READINGS = f"""
WITH RECURSIVE seek(thing, observed) AS (
  SELECT * FROM (SELECT thing, observed FROM readings ORDER BY thing, observed LIMIT 1)
  UNION ALL
  SELECT found.thing, found.observed FROM seek, readings AS found WHERE found.position = coalesce(
    (SELECT position FROM readings
     WHERE seek.observed < :before AND thing = seek.thing AND observed >= (seek.observed / {DAY} + 1) * {DAY}
     ORDER BY observed LIMIT 1),
    (SELECT position FROM readings WHERE thing > seek.thing ORDER BY thing, observed LIMIT 1)))
SELECT observed / {DAY}, thing FROM seek WHERE observed >= 0 AND observed < :before
"""
_OLD_EVENTS = (
    f"SELECT DISTINCT observed / {DAY}, thing FROM events WHERE observed >= 0 AND observed < :before"
)


class Source(Struct, frozen=True):
    """A table that is moved to a shelf of the lake.

    Attributes:
        shelf: name of the table and of the shelf.
        log: name of the ledger's log that deletes its rows.
        old: SQL that gives the days, and things, that have rows before a time.
        page: SQL that gives the rows of a thing, of a time and up to a position, after a place in their
            order.
        place: a row's place in that order.
        first: a place before all others.
        table: rows to columns; one row may give several.
    """

    shelf: Shelf
    log: str
    old: str
    page: str
    place: Callable[[Row], tuple[Any, ...]]
    first: tuple[Any, ...]
    table: Callable[[Sequence[Row]], pa.Table]

    def days(self, connection: Connection, before: int) -> dict[int, list[int]]:
        """Days that have rows before a time (Unix milliseconds), to numbers of things; earliest first."""
        found: dict[int, list[int]] = {}
        for day, thing in connection.exec_driver_sql(self.old, {"before": before}):
            found.setdefault(day, []).append(thing)
        return {day: sorted(found[day]) for day in sorted(found)}

    def rows(
        self, connection: Connection, thing: int, day: int, high: int, after: tuple[Any, ...]
    ) -> Iterator[Row]:
        """Rows of a thing and day up to a position, in order, after a place in that order."""
        # Rows as plain tuples, for there are many.
        found = connection.exec_driver_sql(self.page, (thing, day * DAY, (day + 1) * DAY, high, *after))
        while found.cursor is not None and (some := found.cursor.fetchmany(1000)):
            yield from some


def _readings_table(rows: Sequence[Row]) -> pa.Table:
    """One row per value; a message without any keeps its text under no name, so that nothing is lost."""
    of_row: list[int] = []
    names: list[str] = []
    typed: tuple[list[Any], ...] = tuple([] for _ in VALUE)
    number, whole, truth, text, json = typed
    for at, row in enumerate(rows):
        for name, value in _reported(row[-1]):
            of_row.append(at)
            names.append(name)
            # One list each: a list of tuples to be turned round takes three times as long.
            in_number, in_whole, in_truth, in_text, in_json = value
            number.append(in_number)
            whole.append(in_whole)
            truth.append(in_truth)
            text.append(in_text)
            json.append(in_json)
    columns = _columns(
        rows, ("thing", "observed", "position", "received", "boot", "n", "quality"), readings()
    )
    repeated = pa.table(columns).take(pa.array(of_row, pa.int64()))
    values = {
        name: pa.array(column, readings().field(name).type) for name, column in zip(VALUE, typed, strict=True)
    }
    return pa.table(
        {**dict(zip(columns, repeated.columns, strict=True)), "property": names, **values}, readings()
    )


def _reported(text: str) -> Iterator[tuple[str, Columns]]:
    try:
        reported = _decode(text)
    except msgspec.MsgspecError:
        reported = {}
    for name, value in reported.items():
        yield name, spread(value)
    if not reported:
        yield "", (None, None, None, text, None)


def _events_table(rows: Sequence[Row]) -> pa.Table:
    names = ("thing", "observed", "position", "received", "boot", "n", "event", "data")
    return pa.table(_columns(rows, names, events()), schema=events())


def _columns(rows: Sequence[Row], names: Sequence[str], schema: pa.Schema) -> dict[str, pa.Array]:
    return {
        name: pa.array([row[at] for row in rows], schema.field(name).type) for at, name in enumerate(names)
    }


SOURCES = (
    Source(
        shelf="readings",
        log="moved_readings",
        old=_OLD_READINGS,
        page="SELECT thing, observed, position, received, boot, n, quality, reported FROM readings "
        "WHERE thing = ? AND observed >= ? AND observed < ? AND position <= ? "
        "AND (observed, position) > (?, ?) ORDER BY observed, position",
        place=lambda row: (row[1], row[2]),
        first=(-1, -1),
        table=_readings_table,
    ),
    Source(
        shelf="events",
        log="moved_events",
        old=_OLD_EVENTS,
        page="SELECT thing, observed, position, received, boot, n, event, data FROM events "
        "WHERE thing = ? AND observed >= ? AND observed < ? AND position <= ? "
        "AND (event, observed, position) > (?, ?, ?) ORDER BY event, observed, position",
        place=lambda row: (row[6], row[1], row[2]),
        first=("", -1, -1),
        table=_events_table,
    ),
)
